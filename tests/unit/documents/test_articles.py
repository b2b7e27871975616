from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.documents.articles import published_at, read_article
from pipeline.documents.model import Unreadable

URL = "https://wire.example/lumen"
SENTENCES = [f"Sentence {number} tells how the lamp maker from Ghent will spend the money it was given." for number in range(8)]
PAGE = f"""<!DOCTYPE html><html><head><title>Lumen</title>
<meta property="article:published_time" content="2026-11-03T09:30:00+01:00"></head>
<body><nav><ul><li><a href="/">Home</a></li><li><a href="/jobs">Jobs</a></li></ul></nav>
<article><h1>Lumen raises $5M</h1><p>{" ".join(SENTENCES[:4])}</p><p>{" ".join(SENTENCES[4:])}</p></article>
<footer>All rights reserved by nobody in particular.</footer></body></html>"""


def test_article_is_the_running_text_without_what_is_around_it() -> None:
    article = read_article(PAGE.encode(), "text/html; charset=utf-8", URL)
    assert all(sentence in article.text for sentence in SENTENCES)
    assert "Jobs" not in article.text
    assert "rights reserved" not in article.text
    assert article.published_at == datetime(2026, 11, 3, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b"%PDF-1.7", "application/pdf", "not_html"),
        (b"  ", "text/html", "empty_body"),
        (b"<html><body><p>Subscribe to read.</p></body></html>", "text/html", "no_article_text"),
    ],
)
def test_what_is_no_article_is_named(body: bytes, content_type: str, reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        read_article(body, content_type, URL)
    assert error.value.reason == reason


@pytest.mark.parametrize(
    ("markup", "stated"),
    [
        ('<meta property="article:published_time" content="2026-11-03T10:00:00Z">', datetime(2026, 11, 3, 10, tzinfo=UTC)),
        (
            '<script type="application/ld+json">{"@graph": [{}, {"datePublished": "2026-11-03T10:00:00-05:00"}]}</script>',
            datetime(2026, 11, 3, 15, tzinfo=UTC),
        ),
        ('<meta name="date" content="2026-11-03">', datetime(2026, 11, 3, tzinfo=UTC)),
        ('<time itemprop="datePublished" datetime="2026-11-03T10:00:00">', datetime(2026, 11, 3, 10, tzinfo=UTC)),
        ('<time datetime="2026-11-03">', None),
        ('<script type="application/ld+json">{broken</script><meta name="date" content="yesterday">', None),
        ("", None),
    ],
)
def test_date_is_what_the_page_states_for_machines(markup: str, stated: datetime | None) -> None:
    assert published_at(f"<html><head>{markup}</head><body></body></html>") == stated


@given(st.text(max_size=200))
def test_looking_for_a_date_is_total(markup: str) -> None:
    found = published_at(markup)
    assert found is None or found.tzinfo is not None

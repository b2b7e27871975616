from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.documents.articles import Robots, published_at, read_article
from pipeline.documents.fetch import Fetcher, FetchFailed
from pipeline.documents.model import Unreadable

Web = Any  # see conftest
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
    published_at(markup)


def robots(**changes: Any) -> Robots:
    options: dict[str, Any] = {"user_agent": "fundingscout/0.1 (tests)", "allowed_networks": (ip_network("127.0.0.0/8"),)}
    return Robots(Fetcher(**(options | {"timeout_seconds": 2.0, "sleep": lambda _seconds: None} | changes)))


def refusal(of: Robots, url: str) -> str:
    with pytest.raises(FetchFailed) as error:
        of.check(url)
    return error.value.reason


def test_robots_rules_hold_for_us_by_name_and_are_asked_once_per_site(web: Web) -> None:
    web.serve("/robots.txt", b"User-agent: *\nDisallow: /\n\nUser-agent: fundingscout\nDisallow: /private\nCrawl-delay: 3\n")
    rules = robots()
    assert rules.check(f"{web.base}/news") == 3.0
    assert refusal(rules, f"{web.base}/private/1") == "robots_disallowed"
    assert web.asked("/robots.txt") == 1


def test_rules_are_asked_for_again_after_an_hour(web: Web) -> None:
    clock = [0.0]
    rules = robots(clock=lambda: clock[0])
    assert rules.check(f"{web.base}/news") is None
    web.serve("/robots.txt", b"User-agent: *\nDisallow: /\n")
    assert rules.check(f"{web.base}/news") is None
    clock[0] = 3601.0
    assert refusal(rules, f"{web.base}/news") == "robots_disallowed"


@pytest.mark.parametrize(("status", "body"), [(404, b""), (403, b""), (200, b"<html>nothing here</html>")])
def test_site_without_rules_allows_everything(web: Web, status: int, body: bytes) -> None:
    web.serve("/robots.txt", body, status=status)
    assert robots().check(f"{web.base}/news") is None


def test_site_that_cannot_say_is_left_alone_for_now(web: Web) -> None:
    web.serve("/robots.txt", b"", status=503)
    rules = robots()
    assert refusal(rules, f"{web.base}/news") == "robots_unknown"
    assert refusal(rules, f"{web.base}/other") == "robots_unknown"
    assert web.asked("/robots.txt") == 2  # one try and its retry, for both pages

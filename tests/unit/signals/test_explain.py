"""Why a text is read as it is: what was read where, what decided, what was rejected."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.documents.model import Document, Unreadable
from pipeline.documents.single import document_of_bytes, document_of_text
from pipeline.signals.explain import Explanation, explain
from pipeline.signals.explain_html import page
from pipeline.signals.rates import reference_rates

NOW = datetime(2026, 3, 2, tzinfo=UTC)
TITLE = "Quernstone raises $4M seed round led by Fen Ventures at $30M valuation"
BODY = (
    "Reno - Quernstone, a maker of mills, today announced that it raised $4 million in seed funding led by Fen Ventures, bringing "
    "its total to $9 million. It raised a pre-seed round in 2024. Ida Poll is the CEO of Quernstone."
)


def explained(text: str) -> Explanation:
    return explain(document_of_text(text, "", NOW), reference_rates())


ROUND = explained(f"{TITLE}\n{BODY}")


def test_what_was_read_is_highlighted_where_it_stands() -> None:
    marked = {
        (span.field, (ROUND.title if span.part == "title" else ROUND.body)[span.start : span.end]) for span in ROUND.spans
    }
    assert {
        ("company_name", "Quernstone"),
        ("amount", "$4M"),
        ("lead_investor", "Fen Ventures"),
        ("ceo_name", "Ida Poll"),
    } <= marked


def test_spans_follow_the_text_without_overlaps() -> None:
    for part in ("title", "body"):
        spans = [span for span in ROUND.spans if span.part == part]
        assert all(one.end <= other.start for one, other in itertools.pairwise(spans))


def test_values_that_were_not_taken_are_named_with_what_they_were_held_to_be() -> None:
    rejected = {(rival.field, rival.value): rival.why for rival in ROUND.rivals}
    assert rejected["amount", "30000000 USD"] == "valuation"
    assert rejected["amount", "9000000 USD"] == "total"
    assert ("funding_type", "pre-seed") in rejected
    assert ("amount", "4000000 USD") not in rejected


def test_the_cues_add_up_to_the_probability() -> None:
    assert ROUND.probability is not None
    assert ROUND.mention.is_funding
    total = sum(cue.weight for cue in ROUND.cues)
    assert total > 0
    assert [abs(cue.weight) for cue in ROUND.cues] == sorted((abs(cue.weight) for cue in ROUND.cues), reverse=True)


def test_a_text_that_speaks_of_no_money_has_no_cues() -> None:
    each = explained("Quernstone opens a mill")
    assert (each.probability, each.cues, each.rivals) == (None, (), ())


def test_the_page_holds_the_whole_text_escaped_and_nothing_from_elsewhere() -> None:
    each = explained(f"{TITLE} <script>alert(1)</script>\n{BODY} & more <img src=https://x.test/a.png>")
    html = page("Why <it>", [("https://daily.test/?a=1&b=2", each)])
    assert "<script" not in html
    assert "<img" not in html
    assert not re.search(r"(?:src|href)=", re.sub(r"&[a-z#0-9]+;", "", html).replace("a=1", ""))
    bare = unescape(re.sub(r"<[^>]+>", "", html))
    assert each.body in bare
    assert each.title in bare
    assert '<mark style="background:#d3f5d0" title="amount">$4M</mark>' in html


@given(st.text(max_size=200), st.text(max_size=300))
def test_explaining_is_total_and_its_page_keeps_every_character(title: str, body: str) -> None:
    each = explained(f"{title}\n{body}")
    bare = unescape(re.sub(r"<(?!\s)[^<>]*>", "", page("x", [("y", each)])))
    assert each.body in bare


# --- one document from bytes ---------------------------------------------------------------------------------------------


def test_a_record_a_page_a_filing_and_plain_text_are_told_apart() -> None:
    record = document_of_bytes(b'{"id": 1, "title": "T", "body": "B", "url": "https://d.test/"}\n{"id": 2}', None, "", NOW)
    assert (record.title, record.body, record.url) == ("T", "B", "https://d.test/")
    markup = "<html><head><title>A &amp; B</title></head><body><article>" + "<p>Words of the news, many of them.</p>" * 20
    article = document_of_bytes(markup.encode(), "text/html", "https://d.test/1", NOW)
    assert article.title == "A & B"
    assert "Words of the news" in article.body
    plain = document_of_bytes("\ufeffHeadline\n\nThe rest.".encode(), None, "", NOW)
    assert (plain.title, plain.body) == ("Headline", "The rest.")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty_body"),
        (b"{", "not_a_record"),
        (b'{"title": 3}', "not_a_record"),
        (b"{}", "not_a_record"),
        (b"<html></html>", "no_article_text"),
    ],
)
def test_what_cannot_be_read_is_named(body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        document_of_bytes(body, None, "", NOW)
    assert error.value.reason == reason


def test_a_filing_is_explained_by_its_fields() -> None:
    form = {
        "company_name": "QUERNSTONE, INC.",
        "is_operating_company_round": True,
        "securities": ["isEquityType"],
        "total_sold": 5,
    }
    document = Document("d", "s", "SEC", "form_d", "", "Form D: Quernstone", "", "form_d", NOW, 1, "x", NOW, form_d=form)
    each = explain(document, reference_rates())
    assert (each.mention.company_name, each.probability, each.rivals) == ("Quernstone, Inc.", None, ())

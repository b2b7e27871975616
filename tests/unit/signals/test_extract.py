"""One document to one mention, and the JSON Lines form of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.documents.model import Document
from pipeline.signals.extract import extract
from pipeline.signals.jsonl import extract_lines
from pipeline.signals.model import Mention, SignalType
from pipeline.signals.rates import reference_rates
from pipeline.signals.resolve_lines import resolve_lines

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BODY = (
    "BERN, Switzerland – March 2, 2026 – Quernstone, a maker of village mills, today announced a CHF 4 "
    "million seed round led by Oldmoor"
    " Partners, with participation from Vantreux Growth. The funding will be used to hire engineers.\n"
    "“Flour matters,” said Jane Quill, co-founder and CEO of Quernstone.\nFor more information, visit "
    "https://www.quernstone.io."
)


def mention_of(title: str, body: str) -> Mention:
    document = Document("d", "s", "Daily", "article", "https://daily.test/a", title, body, "article", NOW, 1, "x", NOW)
    return extract(document, reference_rates())


def test_a_release_is_read_in_full() -> None:
    """FS-48, FS-49, FS-50, FS-52, FS-53, FS-55"""
    found = mention_of("Quernstone Raises CHF 4 Million Seed Round", BODY)
    assert found.signal_type is SignalType.FUNDING_ROUND
    assert (found.company_name, found.funding_type) == ("Quernstone", "seed")
    assert (found.amount, found.currency) == (Decimal(4_000_000), "CHF")
    assert found.amount_usd is not None
    assert 4_000_000 < found.amount_usd < 6_000_000
    assert found.usd_rate_date == reference_rates().day
    assert found.lead_investors == ["Oldmoor Partners"]
    assert [investor.name for investor in found.investors] == ["Oldmoor Partners", "Vantreux Growth"]
    assert (found.website, found.city, found.country, found.ceo_name) == ("quernstone.io", "Bern", "CH", "Jane Quill")
    assert 0.5 < found.confidence_score <= 1


def test_a_boost_in_another_dollar_and_a_seed_in_lakh_are_read() -> None:
    """FS-49, FS-50"""
    boost = mention_of("A$13m boost for milling startup Quernstone", "")
    assert (boost.company_name, boost.amount, boost.currency) == ("Quernstone", Decimal(13_000_000), "AUD")
    seed = mention_of("Rs 75 lakh seed for Quernstone", "")
    assert (seed.company_name, seed.amount, seed.currency, seed.funding_type) == (
        "Quernstone",
        Decimal(7_500_000),
        "INR",
        "seed",
    )


def test_a_nation_may_begin_the_sentence() -> None:
    """FS-55"""
    body = "Danish white-label fintech Quernstone has raised $9 million in a Series A round led by Oldmoor Partners."
    assert mention_of("Quernstone raises $9M", body).country == "DK"


def test_every_value_has_the_text_it_was_read_from() -> None:
    found = mention_of("Quernstone Raises CHF 4 Million Seed Round", BODY)
    fields = {evidence.field for evidence in found.evidence}
    assert {"company_name", "amount", "funding_type", "lead_investor", "investor", "website", "location", "ceo_name"} <= fields
    source = f"Quernstone Raises CHF 4 Million Seed Round\n{BODY}"
    assert all(evidence.text in source for evidence in found.evidence)


def test_confidence_is_explained_by_named_effects() -> None:
    sure = mention_of("Quernstone Raises CHF 4 Million Seed Round", BODY)
    unsure = mention_of("Why flour matters", BODY)
    assert {"cue", "effect"} == set(sure.confidence_reasons[0])
    assert sure.confidence_score > unsure.confidence_score


def test_a_document_in_another_language_is_set_aside_with_its_language() -> None:
    found = mention_of(
        "Quernstone erhält 4 Millionen Euro",
        "Das Unternehmen hat in einer Runde vier Millionen Euro erhalten und wird die Mühlen für das Land bauen.",
    )
    assert (found.is_funding, found.set_aside_reason, found.language) == (False, "language", "de")


def test_what_is_no_round_claims_none_of_its_fields() -> None:
    found = mention_of("Brackwater acquires Quernstone for $4M", "Brackwater bought the company.")
    assert (found.is_funding, found.funding_type, found.investors) == (False, None, [])


@settings(deadline=None, max_examples=60)
@given(st.text(), st.text())
def test_extracting_is_total(title: str, body: str) -> None:
    found = mention_of(title, body)
    assert 0.0 <= found.confidence_score <= 1.0
    assert not found.is_funding or found.company_name


def test_lines_keep_their_order_and_bad_ones_are_reported_with_their_number() -> None:
    lines = [
        json.dumps(
            {
                "id": "a",
                "title": "Quernstone raises $4M seed",
                "body": "",
                "url": None,
                "published_date": "2026-03-01",
                "outlet": "Daily",
            }
        ),
        "{not json",
        "",
        json.dumps({"title": "no id"}),
        json.dumps({"id": "b", "title": "Quernstone opens a mill"}),
        json.dumps(["a list"]),
        json.dumps({"id": "c", "title": 5}),
    ]
    out: list[str] = []
    report = extract_lines(lines, out.append)
    found = [json.loads(line) for line in out]
    assert [row["id"] for row in found] == ["a", "b"]
    assert [number for number, _ in report.bad] == [2, 4, 6, 7]
    assert (report.lines, report.rounds) == (6, 1)
    assert found[0]["amount"] == 4_000_000
    assert found[0]["published_date"] == "2026-03-01"
    assert found[1]["is_funding"] is False


def test_every_output_line_has_every_field() -> None:
    out: list[str] = []
    extract_lines([json.dumps({"id": 1, "title": "x"})], out.append)
    wanted = (
        "id is_funding company_name amount currency amount_usd funding_type round_flavor lead_investors "
        "investors angels website city country"
        " ceo_name published_date confidence_score evidence"
    )
    assert set(wanted.split()) <= set(json.loads(out[0]))


def test_no_line_ends_the_reading_of_those_behind_it() -> None:
    """What is no text in any encoding, a byte order mark, bottomless nesting: one line each, and the next is read."""
    lines = [
        '\ufeff{"id": "mark", "title": "Acme raises $5M seed round"}',
        '{"id": "half", "title": "Acme \\ud800 raises $6M seed round"}',
        '{"id": "bytes", "title": "Acme \udcff raises $7M seed round"}',
        "[" * 100_000,
        '{"id": ["list"], "title": "Acme raises $8M seed round"}',
        '{"id": "last", "title": "Acme raises $9M seed round"}',
    ]
    out: list[str] = []
    report = extract_lines(lines, out.append)
    assert [(found["id"], found["amount"]) for found in map(json.loads, out)] == [
        ("mark", 5_000_000),
        ("half", 6_000_000),
        ("bytes", 7_000_000),
        ("last", 9_000_000),
    ]
    assert report.bad == [(4, "not JSON: nested too deep"), (5, "no id")]
    assert all(line.encode("utf-8") for line in out)
    rounds: list[str] = []
    assert resolve_lines(out, rounds.append).bad == []

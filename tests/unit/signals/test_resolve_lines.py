"""`fundingscout resolve`: extracted lines in, rounds out."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.signals.resolve_lines import resolve_lines


def line(key: str, day: str | None = "2026-03-02", **fields: Any) -> str:
    row = {
        "id": key, "is_funding": True, "company_name": "Quernstone", "amount": 4_000_000, "currency": "USD",
        "amount_usd": 4_000_000, "funding_type": "seed", "lead_investors": [], "investors": [], "angels": [],
        "published_date": day, "confidence_score": 0.9,
    }  # fmt: skip
    return json.dumps(row | fields)


def resolved(*lines: str) -> tuple[list[dict[str, Any]], Any]:
    out: list[str] = []
    report = resolve_lines(lines, out.append)
    return [json.loads(each) for each in out], report


def test_lines_of_one_round_become_one_record_with_what_each_adds() -> None:
    rounds, report = resolved(
        line("a", url="https://www.daily.test/1", investors=["Oldmoor"], lead_investors=["Oldmoor"]),
        line(
            "b", "2026-03-04", outlet="Wire", website="quernstone.test", investors=["Oldmoor", "Fen Ventures"], angels=["Ida Poll"]
        ),
        line("c", "2026-03-05", company_name="Larkspindle", amount=None, amount_usd=None, currency=None),
        json.dumps({"id": "d", "is_funding": False}),
    )  # fmt: skip
    assert (report.lines, report.funding, report.rounds, report.bad) == (4, 3, 2, [])
    first, second = rounds
    assert (first["ids"], second["ids"]) == (["a", "b"], ["c"])
    assert (first["lead_investors"], first["investors"], first["angels"]) == (
        ["Oldmoor"],
        ["Oldmoor", "Fen Ventures"],
        ["Ida Poll"],
    )
    assert (first["website"], first["amount"], first["published_date"], first["sources"]) == (
        "quernstone.test", 4_000_000, "2026-03-02", 2,
    )  # fmt: skip
    assert first["linked_by"] == {"a": "founding", "b": "name"}
    assert first["confidence_score"] > 0.9
    assert second["amount"] is None


def test_disagreement_is_kept_with_its_lines() -> None:
    rounds, _ = resolved(line("a"), line("b", amount=4_500_000, amount_usd=4_500_000), line("c"))
    assert [(each["amount"], each["conflicts"]) for each in rounds] == [
        (4_000_000, [{"field": "amount", "chosen": "4000000 USD", "others": [{"value": "4500000 USD", "documents": ["b"]}]}])
    ]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "a JSON list"),
        ('{"is_funding": true}', "no id"),
        ('{"id": 1}', "is_funding"),
        (line("x", company_name=None), "without a company_name"),
        (line("x", amount="much"), "amount"),
        (line("x", amount=True), "amount"),
        (line("x", amount=float("nan")), "amount"),
        (line("x", investors="Oldmoor"), "investors"),
        (line("x", url=3), "url"),
        (line("a"), "has come before"),
        ('{"id": "y", "is_funding": true, "company_name": "A", "x": ' + "[" * 50_000, "not JSON"),
    ],
)
def test_a_line_that_cannot_be_read_is_reported_with_its_number_and_skipped(bad: str, reason: str) -> None:
    rounds, report = resolved(line("a"), "", bad, line("b"))
    assert [each["ids"] for each in rounds] == [["a", "b"]]
    ((number, why),) = report.bad
    assert number == 3
    assert reason in why


def test_the_order_of_lines_does_not_matter() -> None:
    lines = [
        line(
            f"{name}{month}{day}",
            f"2026-{month:02}-{day:02}",
            company_name=f"{name} Works",
            amount=5_000_000 + month,
            website=None,
        )
        for name in ("Elm", "Oak", "Ash")
        for month in (1, 4, 9)
        for day in (1, 5, 11)
    ]
    expected, _ = resolved(*lines)
    assert len(expected) == 9
    random.Random(3).shuffle(lines)
    shuffled, _ = resolved(*lines)
    assert {frozenset(each["ids"]) for each in shuffled} == {frozenset(each["ids"]) for each in expected}
    assert [each["published_date"] for each in shuffled] == sorted(each["published_date"] for each in shuffled)


def test_an_amendment_meets_its_original_after_months() -> None:
    rounds, _ = resolved(
        line("f1", "2026-01-05", kind="form_d", cik="1", accession="A-1"),
        line("x", "2026-04-01", company_name="Elm"),
        line(
            "f2", "2026-09-05", kind="form_d", cik="1", accession="A-2", previous_accession="A-1", amount=9_000_000,
            amount_usd=9_000_000,
        ),
    )  # fmt: skip
    assert [each["ids"] for each in rounds] == [["f1", "f2"], ["x"]]


def test_a_line_without_a_date_is_of_the_day_of_the_line_before() -> None:
    rounds, _ = resolved(line("a"), line("b", None), line("c", "no day"))
    assert [each["ids"] for each in rounds] == [["a", "b", "c"]]
    alone, _ = resolved(line("a", None))
    assert alone[0]["published_date"] is None


@given(
    st.lists(
        st.text() | st.builds(line, st.text(min_size=1), st.text() | st.none(), url=st.text(), website=st.text()), max_size=6
    )
)
def test_resolving_is_total(lines: list[str]) -> None:
    rounds, report = resolved(*lines)
    assert report.rounds == len(rounds) <= report.funding <= report.lines

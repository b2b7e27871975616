"""Reports gathered into rounds: the order of arrival, bridges between two rounds, companies that share a name (A-FS-24)."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pipeline.signals.grouping import Rounds
from pipeline.signals.resolve import Report, round_id_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def report(name: str, days: float = 0, **fields: Any) -> Report:
    at = NOON + timedelta(days=days)
    given: dict[str, Any] = {
        "document_id": name, "mention_seq": 1, "kind": "article", "source_id": "s", "outlet": name, "url": "", "title": "",
        "landed_at": at, "published_at": at, "is_catch_up": False, "is_funding": True, "company_name": "Quernstone",
        "company_key": "quernstone", "amount": Decimal(4_000_000), "currency": "USD", "amount_usd": 4_000_000,
        "funding_type": "seed",
    }  # fmt: skip
    return Report(**(given | fields))


def gathered(*reports: Report) -> tuple[Rounds, dict[str, str]]:
    rounds = Rounds()
    for each in reports:
        rounds.place(each, rounds.find(each))
    return rounds, dict(rounds.linked)


BY_NAME = report("by-name", 0)
BY_DOMAIN = report("by-domain", 1, company_key="quern", domain_key="quern.test")
BRIDGE = report("bridge", 2, domain_key="quern.test")


def test_a_report_that_belongs_to_two_rounds_makes_them_one() -> None:
    rounds, linked = gathered(BY_NAME, BY_DOMAIN)
    assert len(set(linked.values())) == 2
    placed = rounds.place(BRIDGE, rounds.find(BRIDGE))
    assert placed.round_id == round_id_of("by-name")
    assert placed.absorbed == (round_id_of("by-domain"),)
    assert placed.moved == ("by-domain",)
    assert set(rounds.linked.values()) == {round_id_of("by-name")}
    assert rounds.standing(round_id_of("by-domain")) == round_id_of("by-name")


def test_what_was_merged_goes_along_when_its_round_is_merged_too() -> None:
    rounds, _ = gathered(report("oldest", -1, company_key="old name", cik="7"), BY_NAME, BY_DOMAIN, BRIDGE)
    last = report("last", 3, cik="7", domain_key="quern.test")
    placed = rounds.place(last, rounds.find(last))
    assert placed.round_id == round_id_of("oldest")
    assert {rounds.standing(round_id_of(name)) for name in ("by-name", "by-domain", "oldest")} == {round_id_of("oldest")}


@pytest.mark.parametrize(
    "second",
    [
        report("second", 1, company_key="quern", domain_key="quern.test", funding_type="series-a"),
        report("second", 1, company_key="quern", domain_key="quern.test", amount=Decimal(9_000_000), amount_usd=9_000_000),
    ],
)
def test_a_bridge_between_rounds_that_exclude_each_other_joins_one_of_them(second: Report) -> None:
    vague = report("bridge", 2, domain_key="quern.test", funding_type=None, amount=None, amount_usd=None)
    _, linked = gathered(BY_NAME, second, vague)
    assert len(set(linked.values())) == 2


def test_two_companies_of_one_name_are_never_joined_by_a_report_without_a_domain() -> None:
    one, other = report("one", 0, domain_key="quern.test"), report("other", 1, domain_key="quern.example")
    _, linked = gathered(one, other, report("bridge", 2))
    assert len(set(linked.values())) == 2


@pytest.mark.parametrize("order", list(itertools.permutations([BY_NAME, BY_DOMAIN, BRIDGE])))
def test_the_same_reports_make_one_round_in_any_order(order: tuple[Report, ...]) -> None:
    _, linked = gathered(*order)
    assert len(set(linked.values())) == 1


def test_a_round_that_was_merged_is_not_founded_again_by_its_document() -> None:
    rounds, _ = gathered(BY_NAME, BY_DOMAIN, BRIDGE)
    rounds.take_out("by-domain")
    lonely = report("by-domain", 200, company_key="quern", domain_key="quern.test")
    assert rounds.place(lonely, rounds.find(lonely)).round_id == round_id_of("by-name")


@pytest.mark.parametrize(
    ("name", "fields", "meets"),
    [
        ("quern stone", {}, True),
        ("quernstone labs", {}, True),
        ("quernstone ai", {"amount": Decimal(4_700_000), "amount_usd": 4_700_000}, True),
        ("quernstone ai", {"amount": Decimal(4_700_000), "amount_usd": 4_700_000, "funding_type": None}, False),
        ("quernstone ai", {"amount": None, "amount_usd": None}, True),
        ("quernstone ai", {"amount": None, "amount_usd": None, "funding_type": None}, False),
        ("quernstone ai", {"amount": Decimal(9_000_000), "amount_usd": 9_000_000}, False),
        ("quernstone bakery", {}, False),
        ("quernstone bakery", {"investors": ({"name": "Oldmoor Partners"},)}, True),
        ("quernfield", {}, False),
    ],
)
def test_a_name_that_is_cut_short_meets_the_whole_one_where_amount_stage_or_investor_say_so(
    name: str, fields: dict[str, Any], meets: bool
) -> None:
    known = report("known", 0, investors=({"name": "oldmoor partners"},))
    _, linked = gathered(known, report("new", 1, company_key=name, **fields))
    assert (len(set(linked.values())) == 1) is meets


def test_a_round_that_is_let_go_is_met_no_more() -> None:
    rounds, linked = gathered(BY_NAME)
    rounds.forget(linked["by-name"])
    assert rounds.find(report("late", 1)) == []

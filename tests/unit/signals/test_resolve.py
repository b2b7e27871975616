"""Which reports are of one round (A-FS-24)."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pipeline.signals.merge import merge
from pipeline.signals.resolve import Report, choose_round, gate, round_id_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
_numbers = itertools.count(1)


def report(days: float = 0, **fields: Any) -> Report:
    number = next(_numbers)
    at = NOON + timedelta(days=days)
    given: dict[str, Any] = {
        "document_id": f"d{number}",
        "mention_seq": number,
        "kind": "article",
        "source_id": "s",
        "outlet": f"outlet {number}",
        "url": "u",
        "title": "t",
        "landed_at": at,
        "published_at": at,
        "is_catch_up": False,
        "is_funding": True,
        "company_name": "Quernstone",
        "company_key": "quernstone",
        "amount": Decimal(4_000_000),
        "currency": "USD",
        "amount_usd": 4_000_000,
        "funding_type": "seed",
        "confidence_score": 0.9,
    }
    return Report(**(given | fields))


def meets(one: Report, *known: Report) -> str | None:
    link = choose_round(one, [("r", known)])
    return link.linked_by if link else None


def test_second_report_of_a_round_is_of_that_round() -> None:
    assert meets(report(days=2), report()) == "name"


def test_a_report_without_amount_or_type_is_of_the_round_it_is_near() -> None:
    assert meets(report(days=13, amount=None, amount_usd=None, funding_type=None), report()) == "name"


def test_amounts_within_a_fifth_agree_across_currencies() -> None:
    assert meets(report(amount=Decimal(3_600_000), currency="EUR", amount_usd=4_300_000), report()) == "name"


@pytest.mark.parametrize(
    "fields",
    [
        {"days": 15, "amount": None, "amount_usd": None},
        {"days": 46},
        {"days": 10, "amount": Decimal(9_000_000), "amount_usd": 9_000_000},
        {"days": 10, "funding_type": "series-a", "amount": None, "amount_usd": None},
        {"days": 10, "company_key": "quernstone mills"},
    ],
)
def test_another_round_of_the_company_stays_another(fields: dict[str, Any]) -> None:
    assert meets(report(**fields), report()) is None


def test_beyond_fourteen_days_amount_and_type_must_both_agree() -> None:
    assert meets(report(days=40), report()) == "name"
    assert meets(report(days=40, funding_type=None), report()) is None


def test_companies_of_one_name_with_two_domains_do_not_meet() -> None:
    assert meets(report(domain_key="quernstone.io"), report(domain_key="quernstone.com")) is None
    assert meets(report(domain_key="quernstone.io"), report()) == "name"


def test_companies_of_one_domain_meet_under_two_names() -> None:
    assert meets(report(company_key="quern", domain_key="quern.io"), report(domain_key="quern.io")) == "domain"


def test_a_correction_of_the_amount_within_days_is_of_the_same_round() -> None:
    assert meets(report(days=1, amount=Decimal(7_000_000), amount_usd=7_000_000), report()) == "name"


def test_an_amendment_chains_to_its_original_by_accession() -> None:
    original = report(kind="form_d", cik="1", accession="A-1", announced_date=date(2026, 1, 5))
    amendment = report(
        days=200,
        kind="form_d",
        cik="1",
        accession="A-2",
        previous_accession="A-1",
        amount=Decimal(9),
        announced_date=date(2026, 1, 6),
    )
    assert meets(amendment, original) == "accession"
    assert meets(original, amendment) == "accession"


def test_an_amendment_without_accession_chains_by_registrant_and_first_sale() -> None:
    original = report(kind="form_d", cik="1", accession="A-1", announced_date=date(2026, 1, 5))
    amendment = report(days=200, kind="form_d", cik="1", accession="A-2", announced_date=date(2026, 1, 5))
    assert meets(amendment, original) == "cik_first_sale"


def test_the_choice_does_not_depend_on_the_order_of_candidates() -> None:
    known = [(f"r{number}", (report(days=number),)) for number in range(5)]
    links = {choose_round(report(days=2.2), order) for order in itertools.permutations(known, 5)}
    assert len(links) == 1


def test_the_id_of_a_round_depends_on_its_founding_document_alone() -> None:
    assert round_id_of("d1") == round_id_of("d1") != round_id_of("d2")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, None),
        ({"published_at": NOON - timedelta(hours=71)}, None),
        ({"published_at": NOON - timedelta(hours=73)}, "stale"),
        ({"published_at": None}, None),
        ({"announced_date": date(2024, 5, 1)}, "stale"),
        ({"kind": "form_d", "announced_date": date(2026, 1, 2)}, None),
        ({"kind": "form_d", "announced_date": date(2025, 11, 2)}, "stale"),
    ],
)
def test_old_news_found_no_round(fields: dict[str, Any], reason: str | None) -> None:
    assert gate(report(**fields), 72) == reason


# --- what a round says when reports disagree ----------------------------------------------------------------------------


def test_later_reports_fill_what_the_first_left_open() -> None:
    merged = merge([report(), report(website="quernstone.io", ceo_name="Jane Quill")])
    assert (merged.values["website"], merged.values["ceo_name"]) == ("quernstone.io", "Jane Quill")
    assert merged.conflicts == []


def test_the_value_that_most_outlets_give_wins_and_the_rest_is_kept() -> None:
    odd = report(amount=Decimal(4_600_000), amount_usd=4_600_000, confidence_score=0.99)
    merged = merge([odd, report(), report()])
    assert merged.values["amount"] == Decimal(4_000_000)
    assert [conflict["field"] for conflict in merged.conflicts] == ["amount"]
    assert merged.conflicts[0]["others"][0]["documents"] == [odd.document_id]


def test_an_article_goes_before_a_filing_and_the_newest_filing_before_older_ones() -> None:
    first = report(kind="form_d", outlet="SEC", amount=Decimal(1_000_000), amount_usd=1_000_000)
    second = report(kind="form_d", outlet="SEC", amount=Decimal(3_500_000), amount_usd=3_500_000)
    assert merge([first, second]).values["amount"] == Decimal(3_500_000)
    assert merge([first, second, report()]).values["amount"] == Decimal(4_000_000)


def test_agreement_of_outlets_raises_confidence_and_conflict_lowers_it() -> None:
    alone = merge([report()]).confidence
    assert merge([report(), report()]).confidence > alone
    assert (
        merge([report(), report(country="US"), report(country="GB")]).confidence
        < merge([report(), report(), report()]).confidence
    )


def test_investors_are_joined_leads_first_each_once() -> None:
    one = report(
        investors=(
            {"name": "Vantreux", "is_lead": False, "type": None},
            {"name": "Jane Quill", "is_lead": False, "type": "angel"},
        )
    )
    two = report(
        investors=({"name": "Oldmoor", "is_lead": True, "type": "vc"}, {"name": "vantreux", "is_lead": False, "type": None})
    )
    merged = merge([one, two])
    assert [investor["name"] for investor in merged.investors] == ["Oldmoor", "Vantreux", "Jane Quill"]
    assert merged.lead_investor == "Oldmoor"


def test_merging_does_not_depend_on_the_order_of_reports() -> None:
    reports = [
        report(),
        report(kind="form_d", amount=Decimal(3_900_000)),
        report(country="US"),
        report(country="GB", confidence_score=0.5),
    ]
    views = [merge(order) for order in itertools.permutations(reports)]
    assert all(view == views[0] for view in views)

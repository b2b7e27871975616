"""Form D filings: operating companies, names out of capitals, amounts as filed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.documents.model import Document
from pipeline.signals.form_d import chief_executive, country_of_code, display_name, mention_from_filing, set_aside
from pipeline.signals.model import Mention, SignalType

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
FILING: dict[str, Any] = {
    "accession": "0009990002-26-000001",
    "previous_accession": None,
    "cik": "0001234567",
    "company_name": "QUERNSTONE MILLS, INC.",
    "city": "SALT LAKE CITY",
    "state_or_country": "UT",
    "industry_group": "Other Technology",
    "securities": ["isEquityType"],
    "date_of_first_sale": "2026-02-20",
    "total_offering": 5_000_000,
    "total_sold": 4_200_000,
    "related_persons": [
        {"first": "JANE", "middle": "Q.", "last": "QUILL", "relationships": ["Executive Officer"], "clarification": None}
    ],
    "is_operating_company_round": True,
    "filed_at": "2026-03-02T10:00:00+00:00",
}


def mention_of(**changes: Any) -> Mention:
    document = Document(
        "d", "edgar", "SEC", "form_d", "https://sec.test/x", "Form D", "", "form_d", NOW, 1, "x", NOW, form_d=FILING | changes
    )
    return mention_from_filing(document)


def test_a_filing_of_an_operating_company_is_a_round() -> None:
    found = mention_of()
    assert found.signal_type is SignalType.FUNDING_ROUND
    assert found.company_name == "Quernstone Mills, Inc."
    assert (found.amount, found.currency, found.amount_usd) == (Decimal(4_200_000), "USD", 4_200_000)
    assert (found.city, found.country, found.industry) == ("Salt Lake City", "US", "Software")
    assert found.ceo_name == "Jane Q. Quill"
    assert found.announced_date == date(2026, 2, 20)
    assert (found.cik, found.accession) == ("0001234567", "0009990002-26-000001")


def test_a_pooled_fund_is_set_aside() -> None:
    found = mention_of(is_operating_company_round=False)
    assert (found.is_funding, found.set_aside_reason) == (False, "pooled_fund")


def test_debt_alone_is_no_round() -> None:
    assert mention_of(securities=["isDebtType"]).set_aside_reason == "debt"


def test_nothing_sold_yet_gives_the_offering_and_less_confidence() -> None:
    found = mention_of(total_sold=0)
    assert found.amount == Decimal(5_000_000)
    assert found.confidence_score < mention_of().confidence_score


def test_an_indefinite_offering_is_no_amount() -> None:
    assert mention_of(total_sold=0, total_offering=None).amount is None


def test_a_sale_yet_to_occur_is_dated_by_its_filing() -> None:
    assert mention_of(date_of_first_sale=None).announced_date == date(2026, 3, 2)


def test_firms_listed_as_persons_lead_no_company() -> None:
    persons = [
        {"first": "N/A", "middle": None, "last": "Oldmoor GP LLC", "relationships": ["Director"], "clarification": None},
        {"first": "Jane", "middle": None, "last": "Quill", "relationships": ["Executive Officer"], "clarification": None},
        {
            "first": "John",
            "middle": "N/A",
            "last": "Doe",
            "relationships": ["Executive Officer"],
            "clarification": "Chief Executive Officer",
        },
    ]
    assert chief_executive(persons) == "John Doe"
    assert chief_executive(persons[:2]) == "Jane Quill"
    assert chief_executive(persons[:1]) is None


def test_of_two_officers_without_titles_none_is_the_chief() -> None:
    officers = [{"first": first, "last": "Quill", "relationships": ["Executive Officer"]} for first in ("Jane", "John")]
    assert chief_executive(officers) is None


@pytest.mark.parametrize(
    ("filed", "shown"),
    [
        ("QUERNSTONE MILLS LLC", "Quernstone Mills LLC"),
        ("3D MILLS OF AMERICA, INC.", "3D Mills of America, Inc."),
        ("O'MALLEY & MCBRIDE AI LTD.", "O'Malley & McBride AI Ltd."),
        ("MILLER'S FLOUR CORP", "Miller's Flour Corp"),
        ("eQuern Inc.", "eQuern Inc."),
    ],
)
def test_names_in_capitals_are_written_for_people(filed: str, shown: str) -> None:
    assert display_name(filed) == shown


@given(st.text())
def test_writing_a_name_is_total_and_idempotent(name: str) -> None:
    assert display_name(display_name(name)) == display_name(name)


@pytest.mark.parametrize(
    ("code", "country"), [("CA", "US"), ("A6", "CA"), ("X0", "GB"), ("2M", "DE"), ("ZZ", None), (None, None)]
)
def test_edgar_codes_become_iso_countries(code: str | None, country: str | None) -> None:
    """FS-55"""
    assert country_of_code(code) == country


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"is_pooled_fund": True}, "pooled_fund"),
        ({"is_pooled_fund": False, "is_business_combination": True}, "merger"),
        ({"is_pooled_fund": False, "industry_group": "Residential"}, "property_vehicle"),
        ({"is_pooled_fund": False, "securities": ["isDebtType"]}, "debt"),
        ({"is_pooled_fund": False, "securities": ["isMineralPropertyType"]}, "no_equity"),
    ],
)
def test_a_filing_that_is_no_round_says_why(changes: dict[str, Any], reason: str) -> None:
    assert mention_of(is_operating_company_round=False, **changes).set_aside_reason == reason


@pytest.mark.parametrize(
    ("code", "description", "country"),
    [
        ("X0", "UNITED KINGDOM", "GB"),
        ("??", "GERMANY", "DE"),
        ("CA", "CALIFORNIA", "US"),
        (None, "DENMARK", "DK"),
        ("??", "??", None),
    ],
)
def test_the_country_is_that_of_the_code_else_of_its_description(
    code: str | None, description: str, country: str | None
) -> None:
    assert mention_of(state_or_country=code, state_or_country_description=description).country == country


@pytest.mark.parametrize("said", ["Former CEO", "Assistant to the CEO", "Adviser to CEO"])
def test_somebody_near_a_chief_executive_is_none(said: str) -> None:
    persons = [
        {"first": "Jane", "middle": None, "last": "Quill", "relationships": ["Director"], "clarification": said},
        {
            "first": "Ida",
            "middle": None,
            "last": "Poll",
            "relationships": ["Executive Officer"],
            "clarification": "President and CEO",
        },
    ]
    assert chief_executive(persons) == "Ida Poll"


@pytest.mark.parametrize(
    "name", ["QUERN JAN 2026, A SERIES OF OLDMOOR MASTER LP", "Oldmoor SPV III LLC", "QS-12, a protected series of Hexby LLC"]
)
def test_a_vehicle_by_its_name_is_no_companys_round(name: str) -> None:
    assert (
        set_aside({"company_name": name, "is_operating_company_round": True, "securities": ["isEquityType"]}) == "pooled_fund"
    )


def test_a_companys_name_that_holds_series_is_no_vehicle() -> None:
    assert (
        set_aside({"company_name": "Series Labs Inc", "is_operating_company_round": True, "securities": ["isEquityType"]})
        is None
    )

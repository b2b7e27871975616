from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.documents.filing_text import filing_text, filing_title
from pipeline.documents.form_d import parse_form_d
from pipeline.documents.model import Unreadable

FILING = """<?xml version="1.0"?>
<edgarSubmission>
  <schemaVersion>X0708</schemaVersion><submissionType>D/A</submissionType><testOrLive>LIVE</testOrLive>
  <primaryIssuer>
    <cik>1234567</cik><entityName>Lumen Robotics, Inc.</entityName>
    <issuerAddress><street1>1 Way</street1><city>AUSTIN</city><stateOrCountry>TX</stateOrCountry>
      <stateOrCountryDescription>TEXAS</stateOrCountryDescription></issuerAddress>
    <issuerPhoneNumber>555-0100</issuerPhoneNumber><jurisdictionOfInc>DELAWARE</jurisdictionOfInc>
    <issuerPreviousNameList><value>None</value></issuerPreviousNameList>
    <edgarPreviousNameList><previousName>Lamp Robotics LLC</previousName></edgarPreviousNameList>
    <entityType>Corporation</entityType>
  </primaryIssuer>
  <relatedPersonsList><relatedPersonInfo>
    <relatedPersonName><firstName>Ada</firstName><lastName>Okafor</lastName></relatedPersonName>
    <relatedPersonRelationshipList>
      <relationship>Executive Officer</relationship><relationship>Director</relationship>
    </relatedPersonRelationshipList>
    <relationshipClarification></relationshipClarification>
  </relatedPersonInfo></relatedPersonsList>
  <offeringData>
    <industryGroup><industryGroupType>Other Technology</industryGroupType></industryGroup>
    <federalExemptionsExclusions><item>06b</item></federalExemptionsExclusions>
    <typeOfFiling>
      <newOrAmendment><isAmendment>true</isAmendment><previousAccessionNumber>0001234567-26-000001</previousAccessionNumber></newOrAmendment>
      <dateOfFirstSale><value>2026-10-15</value></dateOfFirstSale>
    </typeOfFiling>
    <typesOfSecuritiesOffered><isEquityType>true</isEquityType><isDebtType>false</isDebtType></typesOfSecuritiesOffered>
    <businessCombinationTransaction><isBusinessCombinationTransaction>false</isBusinessCombinationTransaction></businessCombinationTransaction>
    <minimumInvestmentAccepted>0</minimumInvestmentAccepted>
    <offeringSalesAmounts><totalOfferingAmount>12000000</totalOfferingAmount><totalAmountSold>9500000</totalAmountSold>
      <totalRemaining>2500000</totalRemaining></offeringSalesAmounts>
    <investors><hasNonAccreditedInvestors>false</hasNonAccreditedInvestors><totalNumberAlreadyInvested>7</totalNumberAlreadyInvested></investors>
  </offeringData>
</edgarSubmission>"""


def test_every_field_of_a_filing() -> None:
    fields = parse_form_d(FILING.encode())
    expected = {
        "schema_version": "X0708",
        "submission_type": "D/A",
        "is_amendment": True,
        "previous_accession": "0001234567-26-000001",
        "cik": "0001234567",
        "company_name": "Lumen Robotics, Inc.",
        "previous_names": ["Lamp Robotics LLC"],
        "city": "AUSTIN",
        "state_or_country": "TX",
        "phone": "555-0100",
        "jurisdiction": "DELAWARE",
        "entity_type": "Corporation",
        "industry_group": "Other Technology",
        "fund_type": None,
        "exemptions": ["06b"],
        "date_of_first_sale": "2026-10-15",
        "yet_to_occur": False,
        "securities": ["isEquityType"],
        "minimum_investment": 0,
        "total_offering": 12_000_000,
        "offering_indefinite": False,
        "total_sold": 9_500_000,
        "total_remaining": 2_500_000,
        "investors_count": 7,
        "has_non_accredited": False,
        "is_pooled_fund": False,
        "is_operating_company_round": True,
    }
    assert {name: fields[name] for name in expected} == expected
    assert fields["related_persons"] == [
        {
            "first": "Ada",
            "middle": None,
            "last": "Okafor",
            "relationships": ["Executive Officer", "Director"],
            "clarification": None,
        }
    ]


def test_indefinite_offering_is_no_amount() -> None:
    fields = parse_form_d(FILING.replace(">12000000<", ">Indefinite<").replace(">2500000<", ">Indefinite<").encode())
    assert (fields["total_offering"], fields["total_remaining"], fields["offering_indefinite"]) == (None, None, True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<item>06b</item>", "<item>06b</item><item>3C</item><item>3C.1</item>"),
        ("<isDebtType>false</isDebtType>", "<isPooledInvestmentFundType>true</isPooledInvestmentFundType>"),
        (">Other Technology<", ">Pooled Investment Fund<"),
        (">Other Technology<", ">Commercial<"),
        ("<isEquityType>true</isEquityType><isDebtType>false", "<isEquityType>false</isEquityType><isDebtType>true"),
        ("<isBusinessCombinationTransaction>false", "<isBusinessCombinationTransaction>true"),
        (">LIVE<", ">TEST<"),
    ],
)
def test_funds_property_debt_and_mergers_are_no_operating_company_round(old: str, new: str) -> None:
    assert old in FILING
    assert parse_form_d(FILING.replace(old, new).encode())["is_operating_company_round"] is False


def test_filing_in_words() -> None:
    fields = parse_form_d(FILING.encode())
    assert filing_title(fields) == "Form D/A: Lumen Robotics, Inc."
    lines = filing_text(fields).split("\n")
    assert "Place: AUSTIN, TEXAS" in lines
    assert "Total sold: $9,500,000" in lines
    assert "Related persons: Ada Okafor (Executive Officer, Director)" in lines


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty_body"),
        (b"<html><body>Undergoing maintenance</body></html>", "html_instead_of_xml"),
        (b"<edgarSubmission>", "not_xml"),
        (b"<ownershipDocument/>", "not_form_d"),
        (b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "http://10.0.0.1/x.dtd"><edgarSubmission/>', "doctype_refused"),
        ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'.encode("utf-16"), "doctype_refused"),
    ],
)
def test_what_is_no_filing_is_named(body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        parse_form_d(body)
    assert error.value.reason == reason


@given(st.binary(max_size=200))
def test_any_bytes_are_a_filing_or_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse_form_d(body)


def changed(*pairs: tuple[str, str]) -> dict[str, Any]:
    text = FILING
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return parse_form_d(text.encode())


EQUITY = "<isEquityType>true</isEquityType><isDebtType>false</isDebtType>"


@pytest.mark.parametrize(
    ("securities", "is_round"),
    [
        ("<isOtherType>true</isOtherType><descriptionOfOtherType>SAFE</descriptionOfOtherType>", True),
        (
            "<isOtherType>1</isOtherType><descriptionOfOtherType>Simple Agreement for Future Equity</descriptionOfOtherType>",
            True,
        ),
        ("<isOtherType>true</isOtherType><descriptionOfOtherType>Promissory notes</descriptionOfOtherType>", False),
        ("<isOtherType>true</isOtherType>", False),
        ("<descriptionOfOtherType>SAFE</descriptionOfOtherType>", False),
        ("<isDebtType>true</isDebtType>", False),
        ("<isDebtType>Y</isDebtType><isSecurityToBeAcquiredType>Y</isSecurityToBeAcquiredType>", True),
        ("<isMineralPropertyType>true</isMineralPropertyType>", False),
        ("<isEquityType>true</isEquityType><isPooledInvestmentFundType>true</isPooledInvestmentFundType>", False),
        ("", False),
    ],
)
def test_only_what_is_or_becomes_shares_is_a_round(securities: str, is_round: bool) -> None:
    assert changed((EQUITY, securities))["is_operating_company_round"] is is_round


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<item>06b</item>", "<item>06b</item><item>3C</item><item>3C.1</item>"),
        ("Other Technology", "Pooled Investment Fund"),
        ("Other Technology", "REITS and Finance"),
        ("<isBusinessCombinationTransaction>false", "<isBusinessCombinationTransaction>true"),
        ("<testOrLive>LIVE", "<testOrLive>TEST"),
    ],
)
def test_funds_vehicles_mergers_and_tests_are_no_rounds(old: str, new: str) -> None:
    assert changed((old, new))["is_operating_company_round"] is False


@pytest.mark.parametrize(
    ("written", "amount", "is_indefinite"),
    [
        ("Indefinite", None, True),
        ("INDEFINITE", None, True),
        (" indefinite ", None, True),
        ("12,000,000", 12_000_000, False),
        ("$1500.75", 1_500, False),
        ("1e9", None, False),
        ("99999999999999999999", None, False),
        ("", None, False),
        ("0", 0, False),
    ],
)
def test_offering_amounts_as_they_are_written(written: str, amount: int | None, is_indefinite: bool) -> None:
    fields = changed(("<totalOfferingAmount>12000000", f"<totalOfferingAmount>{written}"))
    assert (fields["total_offering"], fields["offering_indefinite"]) == (amount, is_indefinite)


def test_a_filing_in_a_namespace_with_comments_and_little_else_is_read() -> None:
    body = (
        b'<n:edgarSubmission xmlns:n="http://www.sec.gov/edgar/formd"><!-- x --><n:primaryIssuer>'
        b"<n:entityName> A  B </n:entityName></n:primaryIssuer><n:offeringData/></n:edgarSubmission>"
    )
    fields = parse_form_d(body)
    assert (fields["company_name"], fields["cik"], fields["related_persons"], fields["securities"]) == ("A B", None, [], [])
    assert fields["is_operating_company_round"] is False

"""SEC Form D: the fields of one filing's ``primary_doc.xml``, for schema X0301 to X0708.

What belongs here: reading the XML into a plain dict. What does not: what the filing claims (signals).
Source of the element names: the SEC's EDGAR Form D XML technical specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from lxml import etree

from pipeline.documents.model import Unreadable
from pipeline.documents.text import looks_like_html, one_line
from pipeline.documents.xml import parse_xml

ABSENT = {"", "none", "n/a", "not applicable"}
WHOLE_NUMBER = re.compile(r"-?\d+(\.\d+)?")
POOLED_SECURITY = "isPooledInvestmentFundType"
# Shares, or rights that become shares. A filing of debt or of interests in land only is no round.
EQUITY_SECURITIES = {"isEquityType", "isOptionToAcquireType", "isSecurityToBeAcquiredType"}
OTHER_SECURITY = "isOtherType"
# What filers tick "other" for, though it becomes shares: the form has no box for a SAFE.
EQUITY_BY_NAME = re.compile(
    r"\bSAFEs?\b|simple agreements? for future equity|\bpreferred\b|\bcommon (?:stock|shares?|units?)\b"
    r"|\bconvertible\b|\bwarrants?\b"
    r"|\bequity\b|membership (?:interests?|units?)|\bcrowd ?safe|\bstock\b",
    re.I,
)
# Industry groups of the form whose filers pool money or hold property and have no operations of their own.
VEHICLE_GROUPS = {"Pooled Investment Fund", "REITS and Finance", "Commercial", "Residential", "Other Real Estate", "Investing"}


def parse_form_d(body: bytes) -> dict[str, Any]:
    """The fields of a Form D or D/A, None or empty where not stated.

    Money in whole dollars, dates as ISO text, names as filed. ``exemptions`` as "06b", "3C.7"; ``securities`` as the
    names of the boxes ticked. ``is_operating_company_round`` says whether it can be funding news at all: equity of a
    company with operations, not a fund, a property vehicle, or a merger.
    Raises Unreadable: empty_body, html_instead_of_xml, not_xml, doctype_refused, not_form_d.
    """
    if looks_like_html(body[:2000].decode("latin-1")):
        raise Unreadable("html_instead_of_xml", one_line(body.decode("latin-1"))[:200])
    root = parse_xml(body)
    _strip_namespaces(root)
    issuer = root.find("primaryIssuer")
    offering = root.find("offeringData")
    if root.tag != "edgarSubmission" or issuer is None or offering is None:
        raise Unreadable("not_form_d", f"the root element is {root.tag}, without issuer or offering data")
    return (
        _submission(root)
        | _issuer(issuer)
        | {"co_issuers": _co_issuers(root)}
        | _offering(offering)
        | _judgement(root, offering)
    )


def _submission(root: etree._Element) -> dict[str, Any]:
    return {
        "schema_version": _text(root, "schemaVersion"),
        "submission_type": _text(root, "submissionType"),
        "is_amendment": _flag(root, "offeringData/typeOfFiling/newOrAmendment/isAmendment"),
        "previous_accession": _text(root, "offeringData/typeOfFiling/newOrAmendment/previousAccessionNumber"),
        "related_persons": [_person(node) for node in root.iterfind("relatedPersonsList/relatedPersonInfo")],
    }


def _issuer(issuer: etree._Element) -> dict[str, Any]:
    names = [*_texts(issuer, "issuerPreviousNameList/*"), *_texts(issuer, "edgarPreviousNameList/*")]
    cik = _text(issuer, "cik")
    return {
        "cik": cik.zfill(10) if cik else None,
        "company_name": _text(issuer, "entityName"),
        "previous_names": list(dict.fromkeys(name for name in names if name.lower() not in ABSENT)),
        "street": _text(issuer, "issuerAddress/street1"),
        "city": _text(issuer, "issuerAddress/city"),
        "state_or_country": _text(issuer, "issuerAddress/stateOrCountry"),
        "state_or_country_description": _text(issuer, "issuerAddress/stateOrCountryDescription"),
        "zip_code": _text(issuer, "issuerAddress/zipCode"),
        "phone": _text(issuer, "issuerPhoneNumber"),
        "jurisdiction": _text(issuer, "jurisdictionOfInc"),
        "entity_type": _text(issuer, "entityType"),
        "year_of_incorporation": _text(issuer, "yearOfInc/value"),
    }


def _co_issuers(root: etree._Element) -> list[str]:
    return _texts(root, "issuerList/issuer/entityName")


def _offering(offering: etree._Element) -> dict[str, Any]:
    amounts = "offeringSalesAmounts"
    total = _text(offering, f"{amounts}/totalOfferingAmount")
    return {
        "industry_group": _text(offering, "industryGroup/industryGroupType"),
        "fund_type": _text(offering, "industryGroup/investmentFundInfo/investmentFundType"),
        "revenue_range": _text(offering, "issuerSize/revenueRange"),
        "exemptions": _texts(offering, "federalExemptionsExclusions/item"),
        "date_of_first_sale": _date(_text(offering, "typeOfFiling/dateOfFirstSale/value")),
        "yet_to_occur": _flag(offering, "typeOfFiling/dateOfFirstSale/yetToOccur"),
        "securities": _ticked(offering.find("typesOfSecuritiesOffered")),
        "other_securities": _text(offering, "typesOfSecuritiesOffered/descriptionOfOtherType"),
        "is_business_combination": _flag(offering, "businessCombinationTransaction/isBusinessCombinationTransaction"),
        "minimum_investment": _dollars(_text(offering, "minimumInvestmentAccepted")),
        "total_offering": _dollars(total),
        "offering_indefinite": (total or "").lower() == "indefinite",
        "total_sold": _dollars(_text(offering, f"{amounts}/totalAmountSold")),
        "total_remaining": _dollars(_text(offering, f"{amounts}/totalRemaining")),
        "amounts_clarification": _text(offering, f"{amounts}/clarificationOfResponse"),
        "investors_count": _dollars(_text(offering, "investors/totalNumberAlreadyInvested")),
        "has_non_accredited": _flag(offering, "investors/hasNonAccreditedInvestors"),
        "signature_date": _date(_text(offering, "signatureBlock/signature/signatureDate")),
    }


def _judgement(root: etree._Element, offering: etree._Element) -> dict[str, Any]:
    fields = _offering(offering)
    securities = set(fields["securities"])
    is_pooled = (
        POOLED_SECURITY in securities
        or fields["industry_group"] == "Pooled Investment Fund"
        # 3(c) of the Investment Company Act: what only funds need.
        or any(item.startswith("3C") for item in fields["exemptions"])
    )
    is_live = (_text(root, "testOrLive") or "LIVE").upper() == "LIVE"
    is_round = (
        not is_pooled
        and is_live
        and (
            bool(securities & EQUITY_SECURITIES)
            or (OTHER_SECURITY in securities and EQUITY_BY_NAME.search(fields["other_securities"] or "") is not None)
        )
        and fields["industry_group"] not in VEHICLE_GROUPS
        and not fields["is_business_combination"]
    )
    return {"is_pooled_fund": is_pooled, "is_operating_company_round": is_round}


def _person(node: etree._Element) -> dict[str, Any]:
    return {
        "first": _text(node, "relatedPersonName/firstName"),
        "middle": _text(node, "relatedPersonName/middleName"),
        "last": _text(node, "relatedPersonName/lastName"),
        "relationships": _texts(node, "relatedPersonRelationshipList/relationship"),
        "clarification": _text(node, "relationshipClarification"),
    }


def _ticked(node: etree._Element | None) -> list[str]:
    if node is None:
        return []
    return [str(child.tag) for child in _elements(node) if str(child.tag).startswith("is") and _is_true(child.text)]


def _elements(node: etree._Element) -> Iterator[etree._Element]:
    return (child for child in node if isinstance(child.tag, str))


def _strip_namespaces(root: etree._Element) -> None:
    for node in root.iter():
        if isinstance(node.tag, str) and node.tag.startswith("{"):
            node.tag = node.tag.partition("}")[2]


def _text(node: etree._Element, path: str) -> str | None:
    return " ".join((node.findtext(path) or "").split()) or None


def _texts(node: etree._Element, path: str) -> list[str]:
    values = (" ".join((found.text or "").split()) for found in node.iterfind(path))
    return [value for value in values if value]


def _flag(node: etree._Element, path: str) -> bool:
    return _is_true(node.findtext(path))


def _is_true(text: str | None) -> bool:
    return (text or "").strip().lower() in {"true", "1", "y", "yes"}


def _dollars(text: str | None) -> int | None:
    value = (text or "").replace(",", "").removeprefix("$")
    return int(float(value)) if len(value) < 18 and WHOLE_NUMBER.fullmatch(value) else None


def _date(text: str | None) -> str | None:
    try:
        return date.fromisoformat((text or "")[:10]).isoformat()
    except ValueError:
        return None

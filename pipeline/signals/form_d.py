"""A Form D filing as a mention: operating companies only, names out of capitals, amounts as filed.

Sources: SEC Form D and 17 CFR 230.503; fields as documents.form_d reads them. Item 3C is the exclusion of investment
funds (Investment Company Act section 3(c)); such filings are no company's round.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

from pipeline.documents.form_d import VEHICLE_GROUPS
from pipeline.documents.model import Document
from pipeline.signals.model import Evidence, Mention, SignalType
from pipeline.signals.places import gazetteer, region_country
from pipeline.signals.words import word_list

CONFIDENCE_SOLD = 0.93
CONFIDENCE_OFFERED = 0.75
# A sale this long before the filing is history, not news (A-FS-24); rule 503 gives an issuer 15 days.
OLDEST_SALE_DAYS = 90


def mention_from_filing(document: Document) -> Mention:
    """The mention of a filing in ``document.form_d``; a pooled fund or a filing without fields is set aside."""
    filing = document.form_d or {}
    mention = Mention(document.document_id, language="en")
    mention.cik = _text(filing.get("cik"))
    mention.accession = _text(filing.get("accession"))
    mention.previous_accession = _text(filing.get("previous_accession"))
    mention.company_name = display_name(_text(filing.get("company_name")) or "") or None
    reason = set_aside(filing)
    if reason or not mention.company_name:
        mention.set_aside_reason = reason or "no_company"
        return mention
    mention.signal_type, mention.is_funding = SignalType.FUNDING_ROUND, True
    _set_amount(mention, filing)
    mention.funding_type = "convertible-note" if "isDebtType" in filing.get("securities", ()) and _only_debt(filing) else None
    mention.city = display_name(_text(filing.get("city")) or "") or None
    mention.country = country_of_code(_text(filing.get("state_or_country"))) or region_country(
        _text(filing.get("state_or_country_description")) or ""
    )
    mention.industry = _INDUSTRIES.get(_text(filing.get("industry_group")) or "")
    mention.ceo_name = chief_executive(filing.get("related_persons") or ())
    mention.announced_date = _date(filing.get("date_of_first_sale")) or _filed(document, filing)
    mention.evidence = _evidence(mention, filing)
    return mention


def set_aside(filing: dict[str, Any]) -> str | None:
    """Why a filing is no company's round, None where it is one: no_filing, debt, pooled_fund, merger, property_vehicle, no_equity.

    pooled_fund: by its exemption (3C), its security or its industry group, or by a name that calls it a vehicle ("…, a series of
    Acme Master LP"): such filings claim the industry of the company they buy into. property_vehicle: holds land or buildings.
    """
    if not filing:
        return "no_filing"
    if _VEHICLE.search(_text(filing.get("company_name")) or ""):
        return "pooled_fund"
    if filing.get("is_operating_company_round"):
        return "debt" if _only_debt(filing) else None
    if filing.get("is_pooled_fund", True):
        return "pooled_fund"
    if filing.get("is_business_combination"):
        return "merger"
    if filing.get("industry_group") in VEHICLE_GROUPS:
        return "property_vehicle"
    return "debt" if _only_debt(filing) else "no_equity"


def _only_debt(filing: dict[str, Any]) -> bool:
    kinds = set(filing.get("securities") or ())
    return "isDebtType" in kinds and not kinds & {"isEquityType", "isOptionToAcquireType", "isSecurityToBeAcquiredType"}


def _set_amount(mention: Mention, filing: dict[str, Any]) -> None:
    """Total sold, else the offering; "Indefinite" is no amount. Filings are in whole US dollars."""
    sold, offered = filing.get("total_sold"), filing.get("total_offering")
    amount, source = (sold, "total_sold") if sold else (offered, "total_offering")
    if amount:
        mention.amount, mention.currency, mention.amount_usd = Decimal(int(amount)), "USD", int(amount)
    mention.confidence_score = CONFIDENCE_SOLD if sold else CONFIDENCE_OFFERED
    mention.confidence_reasons = [
        {"cue": "filed_with_the_sec", "effect": 3.0},
        {"cue": source if amount else "no_amount_filed", "effect": 0.0 if sold else -1.0},
    ]


def display_name(name: str) -> str:
    """``name`` for people: words in capitals get an initial capital, save short ones, legal forms and mixed spellings.

    Idempotent; names that are not all capitals stay as filed.
    """
    plain = re.sub(r"\s+", " ", name).strip(" ,")
    if not plain or plain != plain.upper() or not any(character.isalpha() for character in plain):
        return plain
    words = plain.split(" ")
    return " ".join(_display_word(word, index) for index, word in enumerate(words))


def _display_word(word: str, index: int) -> str:
    bare = word.strip(".,()").replace(".", "")
    if (
        bare in word_list("words_in_capitals")
        or (any(character.isdigit() for character in bare) and len(bare) <= 5)
        or (len(bare) <= 2 and bare not in _SMALL)
    ):
        return word
    if bare in _LEGAL:
        return word.replace(bare, _LEGAL[bare])
    if bare in _SMALL and index:
        return word.lower()
    return (
        re.sub(r"[^\W\d_]+", lambda part: part[0].capitalize(), re.sub(r"(?<=['’])S\b", "s", word), flags=re.UNICODE)
        if "-" in word
        else _capital(word)
    )


def _capital(word: str) -> str:
    lower = re.sub(r"[^\W\d_]", lambda letter: letter[0].upper(), word.lower(), count=1)
    # McDonald, O'Brien; but Moore's.
    return _INNER_CAPITAL.sub(lambda match: match[1] + match[2].upper(), lower)


def chief_executive(persons: Any) -> str | None:
    """The CEO by a clarification that says so, else the only executive officer; persons called "N/A" are firms."""
    officers: list[str] = []
    for person in persons:
        first = _text(person.get("first"))
        if not first or first.upper().strip(".") in {"N/A", "NA", "NONE", "-"}:
            continue
        middle = _text(person.get("middle"))
        parts = [first, None if (middle or "").upper() in {"N/A", "NA"} else middle, _text(person.get("last"))]
        name = (
            display_name(" ".join(part for part in parts if part).upper())
            if all((part or "").isupper() for part in parts if part)
            else " ".join(part for part in parts if part)
        )
        clarification = _text(person.get("clarification")) or ""
        if _CEO.search(clarification):
            return name
        if "Executive Officer" in (person.get("relationships") or ()):
            officers.append(name)
    return officers[0] if len(officers) == 1 else None


def country_of_code(code: str | None) -> str | None:
    """ISO country of an EDGAR state or country code (source: SEC, EDGAR State and Country Codes)."""
    if not code:
        return None
    if code in _EDGAR_COUNTRIES:
        return _EDGAR_COUNTRIES[code]
    return "US" if gazetteer().codes.get(code) == "US" or code in {"DC", "PR", "GU", "VI"} else None


def _evidence(mention: Mention, filing: dict[str, Any]) -> list[Evidence]:
    rows = [
        ("company_name", mention.company_name, filing.get("company_name"), "primaryIssuer/entityName"),
        ("amount", mention.amount, filing.get("total_sold") or filing.get("total_offering"), "offeringSalesAmounts"),
        ("ceo_name", mention.ceo_name, mention.ceo_name, "relatedPersonsList"),
        ("location", mention.city, f"{filing.get('city')}, {filing.get('state_or_country')}", "issuerAddress"),
        ("announced_date", mention.announced_date, filing.get("date_of_first_sale"), "typeOfFiling/dateOfFirstSale"),
    ]
    return [Evidence(field, str(value), str(text), origin) for field, value, text, origin in rows if value is not None]


def _filed(document: Document, filing: dict[str, Any]) -> date | None:
    return _date(filing.get("filed_at")) or (document.published_at.date() if document.published_at else None)


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10]) if value else None
    except ValueError:
        return None


def _text(value: Any) -> str | None:
    return str(value).strip() or None if value is not None else None


_INNER_CAPITAL = re.compile(r"^(\W*(?:Mc|[OD]['’]))([a-z])(?=[a-z]{2})")
_CEO = re.compile(r"(?<!former )(?<!to the )(?<!to )(?:\bchief executive|\bCEO\b)", re.I)
_LEGAL = {
    "INC": "Inc",
    "CORP": "Corp",
    "LTD": "Ltd",
    "CO": "Co",
    "LIMITED": "Limited",
    "GMBH": "GmbH",
    "PTE": "Pte",
    "PTY": "Pty",
    "PBC": "PBC",
}
_SMALL = frozenset({"OF", "THE", "AND", "FOR", "IN", "ON", "BY", "AT", "DE", "TO"})
_INDUSTRIES = {
    "Biotechnology": "Biotechnology",
    "Pharmaceuticals": "Biotechnology",
    "Health Insurance": "Insurance",
    "Hospitals and Physicians": "Healthcare",
    "Hospitals & Physicians": "Healthcare",
    "Other Health Care": "Healthcare",
    "Computers": "Robotics and Hardware",
    "Telecommunications": "Telecommunications",
    "Other Technology": "Software",
    "Commercial Banking": "Fintech",
    "Investing": "Fintech",
    "Other Banking and Financial Services": "Fintech",
    "Other Banking & Financial Services": "Fintech",
    "Insurance": "Insurance",
    "Agriculture": "Agriculture and Food",
    "Restaurants": "Agriculture and Food",
    "Commercial": "Real Estate and Construction",
    "Construction": "Real Estate and Construction",
    "Residential": "Real Estate and Construction",
    "REITS and Finance": "Real Estate and Construction",
    "Other Real Estate": "Real Estate and Construction",
    "Retailing": "Retail and E-commerce",
    "Airlines and Airports": "Travel and Hospitality",
    "Lodging and Conventions": "Travel and Hospitality",
    "Tourism and Travel Services": "Travel and Hospitality",
    "Other Travel": "Travel and Hospitality",
    "Manufacturing": "Manufacturing",
    "Coal Mining": "Energy and Climate",
    "Electric Utilities": "Energy and Climate",
    "Energy Conservation": "Energy and Climate",
    "Environmental Services": "Energy and Climate",
    "Oil and Gas": "Energy and Climate",
    "Oil & Gas": "Energy and Climate",
    "Other Energy": "Energy and Climate",
}
# The codes that filings of foreign issuers use most; A0 to B2 and Z4 are Canada.
_EDGAR_COUNTRIES = {
    **dict.fromkeys(("A0", "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "B0", "Z4"), "CA"),
    "X0": "GB", "2M": "DE", "I0": "FR", "V8": "CH", "L2": "IE", "L3": "IL", "U0": "SG", "F4": "CN", "K3": "HK", "M0": "JP",
    "M5": "KR", "K7": "IN",
    "C3": "AU", "Q2": "NZ", "P7": "NL", "N4": "LU", "U3": "ES", "L6": "IT", "V7": "SE", "G7": "DK", "Q8": "NO", "H9": "FI",
    "C4": "AT", "C9": "BE",
    "S1": "PT", "1Q": "EE", "C0": "AE", "T0": "SA", "F5": "TW", "N8": "MY", "W1": "TH", "Q1": "VN", "K8": "ID", "R6": "PH",
    "D5": "BR", "O5": "MX",
    "C1": "AR", "F3": "CL", "F8": "CO", "R5": "PE", "X3": "UY", "R1": "PA", "E9": "KY", "D0": "BM", "D8": "VG", "C5": "BS",
    "T3": "ZA", "Q5": "NG",
    "M3": "KE", "H2": "EG", "W8": "TR", "R9": "PL", "2N": "CZ", "K5": "HU", "G4": "CY", "O1": "MT", "Y7": "GG", "Y9": "JE",
    "Y8": "IM",
}  # fmt: skip
_VEHICLE = re.compile(r"\b(?:an?|the)\s(?:\w+\s)?series\s(?:of|in)\s\S|\bSPV\b", re.I)

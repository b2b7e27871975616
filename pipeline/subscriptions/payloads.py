"""The blocks of a signal's payload, from what our documents state; null where they don't (SB-71 to SB-77, A-SB-30, A-X-3).

Pure: rows of the warehouse in, JSON values out. What belongs here: names and forms of this face. What does not: masking, which
comes with the sending (subscriptions.masking), and which signals there are (subscriptions.publishing).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import yaml

from pipeline.matching.names import normal_form
from pipeline.subscriptions.round_names import face_round_type
from pipeline.webhooks.signalbase import milliseconds

NAMESPACE = UUID("0d6a4f3b-6d1e-4c7e-8a55-0f7e2f9f5b10")
INDUSTRIES_FILE = Path(__file__).with_name("data") / "industries.yaml"
CONTENT_CHARACTERS = 1_000
# Beyond, ECMAScript's numbers are no longer exact, and no deal is.
MOST_AMOUNT = 2**53
Row = Mapping[str, Any]


def company_id(domain_key: str | None, company_key: str | None) -> str | None:
    """One id per company: by its domain, else by its name's normal form."""
    if domain_key:
        return str(uuid5(NAMESPACE, f"domain:{domain_key}"))
    return str(uuid5(NAMESPACE, f"name:{company_key}")) if company_key else None


def investor_id(name: str) -> str:
    """One id per investor: by its name's normal form, whatever the case, the accents, the legal form."""
    return str(uuid5(NAMESPACE, f"investor:{normal_form(name) or ' '.join(name.casefold().split())}"))


def company_block(
    name: str | None, of_id: str | None, website: str | None, industry: str | None, country: str | None, description: str | None
) -> dict[str, Any] | None:
    """The company (SB-72). ``website``: a host. Categories, keywords and specialties are comma-joined texts, null without any."""
    if not name:
        return None
    label, subcategory = face_industry(industry)
    return {
        "id": of_id,
        "name": name,
        "slug": slug(name),
        "description": description,
        "website": f"https://{website}" if website else None,
        "linkedinUrl": None,
        "twitterUrl": None,
        "logoUrl": None,
        "industry": label,
        "subcategory": subcategory,
        "foundedYear": None,
        "headquartersCountry": country,
        "employeeCount": None,
        "categories": subcategory,
        "keywords": None,
        "specialties": None,
    }


def signal_block(
    signal_id: str, kind: str, external_id: str, occurred_at: datetime, discovered_at: datetime, is_active: bool
) -> dict[str, Any]:
    """What signal it is (SB-71, SB-77)."""
    return {
        "id": signal_id,
        "type": kind,
        "externalId": external_id,
        "occurredAt": milliseconds(occurred_at),
        "discoveredAt": milliseconds(discovered_at),
        "active": is_active,
    }


def employee_block(name: str | None, title: str, linkedin_url: str | None, email: str | None) -> list[dict[str, Any]]:
    """The one person that documents name, or none (SB-73)."""
    if not name:
        return []
    of_id = str(uuid5(NAMESPACE, f"person:{linkedin_url or name}"))
    return [{"id": of_id, "name": name, "title": title, "linkedinUrl": linkedin_url, "email": email}]


def source_blocks(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The documents that report the signal, in their order (SB-74). Rows: document columns with the mention's confidence."""
    return [
        {
            "url": row["url"] or None,
            "sourceType": "sec_filing" if row["kind"] == "form_d" else "news_article",
            "author": None,
            "title": row["title"] or None,
            "content": _excerpt(row["body"]),
            "validationScore": _share(row["confidence_score"]),
            "validationReasoning": _reasoning(row["confidence_reasons"]),
            "publishedAt": milliseconds(aware(row["published_at"])) if row["published_at"] else None,
        }
        for row in rows
    ]


def round_block(row: Row) -> dict[str, Any]:
    """A funding round of core.funding_rounds (SB-75, SB-76). Verified: two outlets report it, or it was filed with the SEC."""
    investors = json.loads(row["investors_json"] or "[]")
    is_verified = (row["source_count"] or 0) >= 2 or bool(row["accession"])
    announced = row["announced_date"] or row["published_date"]
    amount = whole_amount(row["amount"])
    return {
        "roundType": face_round_type(row["funding_type"]),
        "roundFlavor": row["round_flavor"],
        "amount": amount,
        "currency": row["currency"] if amount is not None else None,
        "announcedDate": announced.isoformat() if announced else None,
        "confidenceScore": _share(row["confidence_score"]),
        "verificationStatus": "verified" if is_verified else "unverified",
        "investors": [
            {"name": one["name"], "type": one.get("type"), "leadInvestor": bool(one.get("is_lead"))} for one in investors
        ],
    }


def investor_block(name: str, kind: str | None, discovered_at: datetime) -> dict[str, Any]:
    """An investor's profile (A-SB-38): rounds state its name and perhaps its type; where and how much it invests, none does."""
    return {
        "id": investor_id(name),
        "name": name,
        "type": kind,
        "website": None,
        "linkedinUrl": None,
        "twitterUrl": None,
        "logoUrl": None,
        "countries": [],
        "ticketSizeMin": None,
        "ticketSizeMax": None,
        "headquarters": None,
        "createdAt": milliseconds(discovered_at),
    }


def acquisition_block(details: Row, buyer: str | None, amount: int | None, currency: str | None, day: date) -> dict[str, Any]:
    """An acquisition; the payload's ``company`` is the one that is bought. ``buyer``: normal form of the buyer's name."""
    name = details.get("acquiring_company")
    of_id = company_id(None, buyer) if name else None
    acquiring = {"id": of_id, "name": name, "website": None, "linkedinUrl": None, "industry": None, "logoUrl": None}
    return {
        "acquiringCompanyId": of_id,
        "acquiringCompany": acquiring if name else None,
        "amount": amount,
        "currency": currency if amount is not None else None,
        "percentage": details.get("percentage"),
        "announcedDate": day.isoformat(),
    }


def job_change_block(details: Row) -> dict[str, Any]:
    """A job change, the person's name in clear: it is masked when it is sent (SB-78)."""
    role = details.get("new_role")
    return {
        "personName": details.get("person_name"),
        "personLinkedinUrl": details.get("person_linkedin_url"),
        "newRole": role,
        "companyName": details.get("company_name"),
        "companyLinkedinUrl": None,
        "postContent": None,
        "personCurrentTitle": role,
        "personHeadline": None,
        "personLocation": None,
        "personCity": None,
        "personCountry": None,
    }


def hiring_block(details: Row, url: str | None, day: date) -> list[dict[str, Any]]:
    """What is hired for: a list, one item per opening that is named."""
    return [
        {
            "title": opening.get("title"),
            "jobUrl": url,
            "location": opening.get("location"),
            "city": opening.get("city"),
            "country": opening.get("country"),
            "employmentType": opening.get("employment_type"),
            "seniorityLevel": opening.get("seniority_level"),
            "jobFunction": None,
            "datePosted": day.isoformat(),
        }
        for opening in details.get("hiring_details") or []
    ]


def face_industry(label: str | None) -> tuple[str | None, str | None]:
    """(industry, subcategory) as this face names them; a label that it has no name for stays as it is."""
    known = _industries().get(label or "")
    return (known["industry"], known["subcategory"]) if known else (label, None)


def whole_amount(amount: Decimal | None) -> int | None:
    """Whole units (SB-76), cents dropped; None where unknown, or beyond what a number can say."""
    whole = None if amount is None else int(amount)
    return whole if whole is not None and 0 <= whole <= MOST_AMOUNT else None


def face_country(code: str | None) -> str | None:
    """An ISO 3166-1 alpha-2 code in upper case, or None."""
    return code.upper() if code and re.fullmatch(r"[A-Za-z]{2}", code) else None


def slug(name: str) -> str:
    """A name as part of an address."""
    return re.sub(r"[^\w]+", "-", name.casefold(), flags=re.UNICODE).strip("-_") or "company"


def aware(instant: datetime) -> datetime:
    """The warehouse's naive UTC, aware."""
    return instant.replace(tzinfo=UTC)


def midnight(day: date) -> datetime:
    """The first moment of ``day`` in UTC."""
    return datetime.combine(day, time(), UTC)


def _excerpt(body: str | None) -> str | None:
    text = " ".join((body or "").split())
    return text[:CONTENT_CHARACTERS] or None


def _share(score: float | None) -> float | None:
    return None if score is None else round(float(score), 4)


def _reasoning(reasons: str | None) -> str | None:
    """The cues that a reading rests on, by name."""
    cues = [str(reason["cue"]) for reason in json.loads(reasons or "[]") if isinstance(reason, dict) and reason.get("cue")]
    return ", ".join(cues[:12]) or None


@cache
def _industries() -> dict[str, dict[str, str]]:
    read: dict[str, dict[str, str]] = yaml.safe_load(INDUSTRIES_FILE.read_text(encoding="utf-8"))
    return read

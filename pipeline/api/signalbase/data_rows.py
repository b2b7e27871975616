"""Published signals, investors and companies as rows of a search (vendor facts, section 7): names and forms, nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from pipeline.store.tables.subscriptions import Company, Investor, Signal
from pipeline.subscriptions import payloads
from pipeline.subscriptions.masking import masked
from pipeline.webhooks.signalbase import milliseconds

Row = dict[str, Any]
_POSTS = {"social_media": "linkedin", "press_release": "press_release"}


def funding_row(signal: Signal, match: str) -> Row:
    """A funding round."""
    block = signal.data.get("fundingRound") or {}
    return {
        **_signal(signal, "funding_round", match),
        **_deal_company(signal),
        "roundType": signal.round_type,
        "roundFlavor": signal.round_flavor,
        "amount": signal.amount,
        "currency": signal.currency or "USD",
        "announcedDate": block.get("announcedDate"),
        "confidenceScore": signal.confidence,
        "verificationStatus": block.get("verificationStatus") or "unverified",
        "isFreeAccess": True,
        "investors": [_investor(one) for one in block.get("investors") or []],
        "sources": _sources(signal),
    }


def acquisition_row(signal: Signal, match: str) -> Row:
    """An acquisition, by the company that is bought."""
    block = signal.data.get("acquisition") or {}
    share = block.get("percentage")
    return {
        **_signal(signal, "acquisition", match),
        **_deal_company(signal),
        "acquiringCompanyId": block.get("acquiringCompanyId"),
        "amount": signal.amount,
        "currency": signal.currency or "USD",
        "percentage": f"{share}%" if share and share[-1].isdigit() else share,
        "announcedDate": block.get("announcedDate"),
        "isFreeAccess": True,
        "acquiringCompany": _acquirer(block.get("acquiringCompany")),
        "sources": _sources(signal),
    }


def job_change_row(signal: Signal, match: str) -> Row:
    """A job change, masked as its webhooks are."""
    data = masked(signal.event_type, signal.data, is_strict=False)
    block, company = data.get("jobChange") or {}, data.get("company") or {}
    sources = [source for source in data.get("sources") or [] if source.get("url")]
    kind = sources[0].get("sourceType") if sources else None
    return {
        **_signal(signal, "job_change", match),
        "personName": block.get("personName") or "",
        "personLinkedinUrl": block.get("personLinkedinUrl"),
        "companyLinkedinUrl": block.get("companyLinkedinUrl") or company.get("linkedinUrl"),
        "newRole": block.get("newRole") or "",
        "postContent": block.get("postContent"),
        "takenFrom": sources[0]["url"] if sources else None,
        "source": _POSTS.get(kind or "", "other"),
        "personCurrentTitle": block.get("personCurrentTitle"),
        "personHeadline": block.get("personHeadline"),
        "personLocation": block.get("personLocation"),
        "personCity": block.get("personCity"),
        "personCountry": block.get("personCountry"),
        "personFollowers": None,
        "personConnections": None,
        "personPosts": None,
        **_posting_company(signal, company),
        "sources": [{"url": source["url"], "sourceType": source.get("sourceType")} for source in sources],
    }


def hiring_row(signal: Signal, match: str) -> Row:
    """What is hired for: the first opening that the signal names."""
    opening = (signal.data.get("hiringDetails") or [{}])[0]
    sources = signal.data.get("sources") or [{}]
    return {
        "id": signal.id,
        "match_confidence": match,
        "jobId": None,
        "jobUrl": opening.get("jobUrl") or "",
        "title": opening.get("title") or "",
        "location": opening.get("location"),
        "city": opening.get("city"),
        "region": None,
        "jobCountry": opening.get("country"),
        "datePosted": milliseconds(signal.occurred_at),
        "validThrough": None,
        "employmentType": opening.get("employmentType"),
        "seniorityLevel": opening.get("seniorityLevel"),
        "jobFunction": opening.get("jobFunction"),
        "industries": signal.industry,
        "numApplicants": None,
        "descriptionText": sources[0].get("content"),
        "createdAt": milliseconds(signal.discovered_at),
        "companyId": _company_id(signal),
        **_posting_company(signal, signal.data.get("company") or {}),
    }


def investor_row(investor: Investor, _match: str) -> Row:
    """An investor of rounds."""
    return {
        "id": investor.id,
        "name": investor.name,
        "type": investor.type,
        "linkedinUrl": None,
        "website": None,
        "logoUrl": None,
        "countries": None,
        "ticketSizeMin": None,
        "ticketSizeMax": None,
        "headquarters": None,
        "createdAt": milliseconds(investor.created_at),
        "isFreeAccess": True,
    }


def company_row(company: Company, _match: str) -> Row:
    """A company that signals are about."""
    told = company.profile
    return {
        "id": company.id,
        "name": company.name,
        "slug": told.get("slug") or payloads.slug(company.name),
        "description": told.get("description"),
        "website": told.get("website"),
        "linkedinUrl": told.get("linkedinUrl"),
        "twitterUrl": told.get("twitterUrl"),
        "logoUrl": told.get("logoUrl"),
        "industry": company.industry,
        "foundedYear": company.founded_year,
        "headquartersCountry": company.country,
        "employeeCount": company.employee_count,
        **{name: _split(told.get(name)) for name in ("categories", "keywords", "specialties")},
        "growthInfo": None,
        "createdAt": milliseconds(company.created_at),
        "updatedAt": milliseconds(company.updated_at),
    }


def _signal(signal: Signal, kind: str, match: str) -> Row:
    return {
        "signalId": signal.id,
        "signalType": kind,
        "match_confidence": match,
        "occurredAt": milliseconds(signal.occurred_at),
        "discoveredAt": milliseconds(signal.discovered_at),
    }


def _deal_company(signal: Signal) -> Row:
    told = signal.data.get("company") or {}
    website = told.get("website")
    return {
        "companyId": _company_id(signal),
        "companyName": signal.company_name or "",
        "companySlug": told.get("slug") or payloads.slug(signal.company_name or ""),
        "companyLogo": told.get("logoUrl"),
        "companyWebsite": (urlsplit(website).netloc or website) if website else None,
        "companyLinkedin": told.get("linkedinUrl"),
        **_known_of_company(signal, told),
    }


def _posting_company(signal: Signal, told: Row) -> Row:
    """The company in rows of persons and jobs, as ``told``: with its website's whole address, its logo under two names."""
    specialties = _split(told.get("specialties"))
    return {
        "companyName": signal.company_name or "",
        "companyWebsite": told.get("website"),
        **_known_of_company(signal, told),
        "companyLogoUrl": told.get("logoUrl"),
        "companySpecialties": json.dumps(specialties, ensure_ascii=False) if specialties else None,
        "isFreeAccess": True,
        "companyLogo": told.get("logoUrl"),
    }


def _known_of_company(signal: Signal, told: Row) -> Row:
    return {
        "companyIndustry": signal.industry,
        "companyCountry": signal.country,
        "companySubcategory": told.get("subcategory"),
        "companyFoundedYear": told.get("foundedYear"),
        "companyCategories": json.dumps(signal.categories, ensure_ascii=False) if signal.categories else None,
        "companyDescription": told.get("description"),
        "companyEmployeeCount": signal.employee_count,
    }


def _company_id(signal: Signal) -> str:
    """Never null: a name that has no normal form is its own."""
    return signal.company_id or payloads.company_id(None, (signal.company_name or "").casefold()) or signal.id


def _investor(one: Row) -> Row:
    return {
        "id": payloads.investor_id(one["name"]),
        "name": one["name"],
        "type": one.get("type"),
        "website": None,
        "linkedin": None,
        "isLead": bool(one.get("leadInvestor")),
    }


def _acquirer(told: Row | None) -> Row | None:
    if not told or not told.get("name"):
        return None
    return {
        "id": told.get("id") or payloads.company_id(None, told["name"].casefold()),
        "name": told["name"],
        "slug": payloads.slug(told["name"]),
        "logo": told.get("logoUrl"),
        "website": told.get("website"),
        "linkedin": told.get("linkedinUrl"),
        "industry": told.get("industry"),
        "companyCountry": None,
        "companySubcategory": None,
        "foundedYear": None,
        "employeeCount": None,
    }


def _sources(signal: Signal) -> list[Row]:
    named = [source for source in signal.data.get("sources") or [] if source.get("url")]
    return [
        {
            "url": source["url"],
            "sourceType": source.get("sourceType"),
            "title": source.get("title"),
            "publishedAt": source.get("publishedAt"),
            "isPrimary": number == 0,
        }
        for number, source in enumerate(named)
    ]


def _split(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


Renderer = Callable[[Any, str], Row]

"""Signals over REST: `GET /signals/funding`, read from the published signals (vendor facts, section 7)."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from pipeline.api.context import Service, service_of
from pipeline.api.json_answers import json_answer
from pipeline.api.signalbase.access import Caller, admit_for
from pipeline.api.signalbase.answers import Failure, bad_request
from pipeline.api.signalbase.schemas import FundingPage, documented
from pipeline.store.subscription_models import Signal
from pipeline.subscriptions import payloads, search_params
from pipeline.subscriptions.filters import FLAVORS
from pipeline.subscriptions.search import MOST_SEARCHED, NAMES, SORTS, STATUSES, Found, Search, read_search, search_funding
from pipeline.subscriptions.teams import get_team, take_credit
from pipeline.webhooks.signalbase import milliseconds

OUT_OF_CREDITS = "out of credits, please contact support to increase your usage"
COST = 1
router = APIRouter(tags=["Signals"])
_WHOLE = {"type": "integer", "minimum": 0}
_SCHEMAS: dict[str, dict[str, Any]] = {
    "page": {"type": "integer", "minimum": 1, "maximum": 1_000_000, "default": 1},
    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    "dateFrom": {"type": "string", "format": "date"},
    "dateTo": {"type": "string", "format": "date"},
    "date_preset": {"type": "string", "enum": list(search_params.PRESETS)},
    "round_flavor": {"type": "string", "enum": list(FLAVORS)},
    "verification_status": {"type": "string", "enum": list(STATUSES)},
    "sort_by": {"type": "string", "enum": list(SORTS), "default": "occurred_at"},
    "sort_order": {"type": "string", "enum": ["asc", "desc"], "default": "desc"},
    "count": {"type": "string", "enum": ["true"]},
    **{f"{name}_{end}": _WHOLE for name in ("amount", "employee_count", "founded_year") for end in ("min", "max")},
}
PARAMETERS = [{"name": name, "in": "query", "schema": _SCHEMAS.get(name, {"type": "string"})} for name in NAMES]


@router.get(
    "/signals/funding",
    operation_id="search_funding",
    response_model=FundingPage,
    responses=documented("One page of funding rounds.", 402),
    openapi_extra={"parameters": PARAMETERS},
)
async def funding(request: Request, caller: Caller = admit_for("signals.funding")) -> Response:
    """Funding rounds that satisfy every filter. One credit a page, also an empty one; `count=true` tells the number alone, free."""
    service = service_of(request)
    given = dict(request.query_params)
    return await service.run(_funding, service, caller, given)


def _funding(service: Service, caller: Caller, given: dict[str, str]) -> Response:
    for name in given:
        if name not in NAMES:
            close = get_close_matches(name, NAMES, 1)
            hint = f' (did you mean "{close[0]}"?)' if close else ""
            raise bad_request(f"Unknown query parameter: {name[:60]}{hint}. Supported parameters: {', '.join(NAMES)}.")
    try:
        search = read_search(given, service.now())
    except search_params.ParameterInvalid as error:
        raise bad_request(str(error)) from None
    used = 0 if search.counts_only else COST
    left = get_team(service.database, caller.team_id).available
    if used and left < used:
        raise Failure(402, OUT_OF_CREDITS)
    found = search_funding(service.database, search)
    if used:
        paid = take_credit(service.database, caller.team_id, used, service.now(), "signals.funding")
        if paid is None:
            raise Failure(402, OUT_OF_CREDITS)
        left = paid
    return _page(search, found, used, left)


def _page(search: Search, found: Found, used: int, left: int) -> Response:
    pages = -(-found.total // search.limit)
    meta: dict[str, Any] = {"endpoint": "signals.funding", "creditsUsed": used, "creditsRemaining": left}
    if not found.is_complete:
        meta["warnings"] = [f"Only the newest {MOST_SEARCHED} signals were looked at; narrow by dates to reach older ones."]
    return json_answer(
        {
            "success": True,
            "data": [funding_row(signal, search.match) for signal in found.rows],
            "pagination": {
                "currentPage": search.page,
                "totalPages": pages,
                "totalCount": found.total,
                "hasNextPage": search.page < pages,
                "hasPreviousPage": search.page > 1 and pages > 0,
            },
            "meta": meta,
        }
    )


def funding_row(signal: Signal, match: str) -> dict[str, Any]:
    """A funding round as a row of the search."""
    block = signal.data.get("fundingRound") or {}
    return {
        "signalId": signal.id,
        "signalType": "funding_round",
        "match_confidence": match,
        "occurredAt": milliseconds(signal.occurred_at),
        "discoveredAt": milliseconds(signal.discovered_at),
        **_company(signal),
        "roundType": signal.round_type,
        "roundFlavor": signal.round_flavor,
        "amount": signal.amount,
        "currency": signal.currency,
        "announcedDate": block.get("announcedDate"),
        "confidenceScore": signal.confidence,
        "verificationStatus": block.get("verificationStatus") or "unverified",
        "isFreeAccess": True,
        "investors": [_investor(one) for one in block.get("investors") or []],
        "sources": [
            {
                "url": source.get("url"),
                "sourceType": source.get("sourceType"),
                "title": source.get("title"),
                "publishedAt": source.get("publishedAt"),
                "isPrimary": number == 0,
            }
            for number, source in enumerate(signal.data.get("sources") or [])
        ],
    }


def _company(signal: Signal) -> dict[str, Any]:
    company = signal.data.get("company") or {}
    website = company.get("website")
    return {
        "companyId": signal.company_id,
        "companyName": signal.company_name,
        "companySlug": company.get("slug"),
        "companyLogo": company.get("logoUrl"),
        "companyWebsite": (urlsplit(website).netloc or website) if website else None,
        "companyLinkedin": company.get("linkedinUrl"),
        "companyIndustry": signal.industry,
        "companyCountry": signal.country,
        "companySubcategory": company.get("subcategory"),
        "companyFoundedYear": company.get("foundedYear"),
        "companyCategories": json.dumps(signal.categories, ensure_ascii=False) if signal.categories else None,
        "companyDescription": company.get("description"),
        "companyEmployeeCount": signal.employee_count,
    }


def _investor(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": payloads.investor_id(one["name"]),
        "name": one["name"],
        "type": one.get("type"),
        "website": None,
        "linkedin": None,
        "isLead": bool(one.get("leadInvestor")),
    }

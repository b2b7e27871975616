"""Rounds, companies and CEO contacts over REST: the twins of the MCP tools (vendor facts 1 and 12)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from pipeline.api.context import Service, exchange_of, service_of
from pipeline.api.cursors import Cursor, cursor_text, parse_cursor
from pipeline.api.errors import ApiError, invalid_param, not_found
from pipeline.api.fundingscout.access import PREFIX, Caller, admit_for
from pipeline.api.fundingscout.schemas import CeoContactAnswer, Companies, RoundAnswer, RoundPage, documented
from pipeline.api.json_answers import json_answer
from pipeline.api.paths import Id
from pipeline.api.round_queries import RoundFilter, get_round, list_rounds, public_round, reveal_contact, search_companies

KIND = "rounds"
MOST_AMOUNT = 2**53
Amount = Annotated[int | None, Query(ge=0, le=MOST_AMOUNT, description="Whole US dollars.")]
Names = Annotated[str | None, Query(max_length=2_000, description="One or more, with commas.")]

router = APIRouter(prefix=PREFIX, tags=["Rounds"])


@router.get(
    "/rounds",
    operation_id="list_funding_rounds",
    dependencies=[admit_for("list_funding_rounds")],
    response_model=RoundPage,
    responses=documented("One page of rounds, newest first."),
)
async def rounds(
    request: Request,
    funding_type: Names = None,
    country: Names = None,
    industry: Names = None,
    min_amount: Amount = None,
    max_amount: Amount = None,
    published_after: Annotated[date | None, Query(description="A day: published on it or later.")] = None,
    published_before: Annotated[date | None, Query(description="A day: published before it.")] = None,
    has_ceo_contact: bool | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before; send the same filters with it.")] = None,
) -> Response:
    """Funding rounds, whether or not they match your CRM. CEO contacts are had one by one. 400: `invalid_param`."""
    service = service_of(request)
    wanted = RoundFilter(
        funding_types=_names(funding_type),
        countries=_names(country),
        industries=_names(industry),
        min_amount=min_amount,
        max_amount=max_amount,
        published_after=published_after.isoformat() if published_after else None,
        published_before=published_before.isoformat() if published_before else None,
        has_ceo_contact=has_ceo_contact,
    )
    return json_answer(await service.run(page_of_rounds, service, wanted, limit, cursor))


@router.get(
    "/rounds/{id}",
    operation_id="get_funding_round",
    dependencies=[admit_for("get_funding_round")],
    response_model=RoundAnswer,
    responses=documented("The round.", 404),
)
async def one_round(request: Request, round_id: Id) -> Response:
    """One round, without its CEO contact."""
    service = service_of(request)
    row = await service.run(get_round, service.database, round_id)
    if row is None:
        raise not_found("round")
    return json_answer({"data": public_round(row)})


@router.post(
    "/rounds/{id}/contact",
    operation_id="reveal_contact",
    response_model=CeoContactAnswer,
    responses=documented("The CEO contact.", 404),
)
async def contact(request: Request, round_id: Id, caller: Caller = admit_for("reveal_contact")) -> Response:
    """The round's CEO contact. Every look is kept on record. Not for resale or bulk mail; honour opt-outs."""
    service = service_of(request)
    revealed = await service.run(
        reveal_contact,
        service.database,
        round_id,
        caller.organization_id,
        caller.key.id,
        exchange_of(request).request_id,
        service.now(),
    )
    if revealed is None:
        raise not_found("round")
    return json_answer({"data": revealed})


@router.get(
    "/companies/search",
    operation_id="search_companies",
    dependencies=[admit_for("search_companies")],
    response_model=Companies,
    responses=documented("Companies whose name holds the text."),
)
async def companies(
    request: Request,
    q: Annotated[str | None, Query(min_length=2, max_length=200, description="Part of a company's name.")] = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> Response:
    """Companies that raised money, by a part of their name. 400: `missing_param`, `invalid_param`."""
    service = service_of(request)
    if q is None:
        raise ApiError(400, "missing_param", "Say what to search for: ?q=….")
    return json_answer({"data": await service.run(search_companies, service.database, q, limit)})


def page_of_rounds(service: Service, wanted: RoundFilter, limit: int, cursor: str | None) -> dict[str, Any]:
    """One page as told to callers. Raises ApiError for a cursor that is none."""
    place = parse_cursor(KIND, cursor) if cursor else None
    if cursor and place is None:
        raise invalid_param("cursor", "must be the next_cursor of an earlier page.")
    rows, has_more = list_rounds(service.database, wanted, limit, (place.at, place.id) if place else None)
    following = cursor_text(KIND, Cursor(rows[-1].first_seen_at, rows[-1].id, {})) if has_more else None
    return {"data": [public_round(row) for row in rows], "next_cursor": following}


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())

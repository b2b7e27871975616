"""GET of the match feed (FS-64 to FS-71, FSV-7, FSV-8, A-FS-10 to A-FS-13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response

from pipeline.api.context import Service, service_of
from pipeline.api.cursors import Cursor, cursor_text, parse_cursor
from pipeline.api.errors import invalid_param
from pipeline.api.fundingscout.access import PREFIX, Caller, admit_for
from pipeline.api.fundingscout.schemas import MatchPage, documented
from pipeline.api.json_answers import JSON, json_text
from pipeline.api.times import instant_text, parse_instant, seconds_text
from pipeline.webhooks.canonical import RawJson
from pipeline.webhooks.feed import STORED_STATUSES, FeedItem, FeedPage, Place, feed_page
from pipeline.webhooks.fundingscout import funding_round, matched

MOST_ON_A_PAGE = 200  # FS-67
KIND = "matches"

router = APIRouter(prefix=PREFIX, tags=["Matches"])


@dataclass(frozen=True, slots=True)
class Walk:
    """Which matches are asked for, and behind which place the page begins."""

    statuses: tuple[str, ...]
    since: datetime | None
    before: datetime | None
    after: Place | None


class _Began(msgspec.Struct):
    """The filters in a cursor, as _next writes them."""

    status: list[str]
    since: str | None
    before: str | None


@router.get(
    "/matches",
    operation_id="crm_matches_list",
    response_model=MatchPage,
    responses=documented("One page of your matches, newest first."),
)
async def list_matches(
    request: Request,
    since: Annotated[
        str | None,
        Query(
            description="A time (RFC 3339): matches recorded at or after it. Or `next_cursor` of the page before: the same walk"
            " goes on, with the filters it began with.",
            examples=["2026-05-15T00:00:00Z"],
        ),
    ] = None,
    before: Annotated[str | None, Query(description="A time (RFC 3339): matches recorded earlier than it.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE)] = 50,
    status: Annotated[
        str | None,
        Query(description="One or more of `pending`, `delivered`, `failed`, `no_webhook`, with commas.", examples=["failed"]),
    ] = None,
    caller: Caller = admit_for("crm_matches_list"),
) -> Response:
    """Your matches, with or without a webhook; what failed can be fetched here. Reading changes nothing.

    A walk returns every match that was there when it began exactly once. 400: `invalid_param`.
    """
    service = service_of(request)
    walk = _walk(since, before, status)
    return await service.run(_answer, service, caller.organization_id, walk, limit)


def _answer(service: Service, organization_id: str, walk: Walk, limit: int) -> Response:
    page = feed_page(service.database, organization_id, limit, walk.statuses, walk.since, walk.before, walk.after)
    rows = ",".join(_row(item, service.settings.webhook_all_matches) for item in page.items)
    return Response(f'{{"data":[{rows}],"next_cursor":{json_text(_next(page, walk))}}}'.encode(), media_type=JSON)


def _walk(since: str | None, before: str | None, status: str | None) -> Walk:
    statuses = _statuses(status)
    until = _instant("before", before)
    cursor = parse_cursor(KIND, since) if since else None
    began = _began(cursor) if cursor else None
    if cursor is None or began is None:
        return Walk(
            statuses, _instant("since", since, "a time (RFC 3339, such as 2026-05-15T00:00:00Z) or a cursor"), until, None
        )
    began_with = tuple(began.status)
    if statuses and statuses != began_with:
        raise invalid_param(
            "status", "differs from what the cursor's walk began with; leave it out, or begin anew with a time."
        )
    first_until = parse_instant(began.before or "")
    return Walk(began_with, parse_instant(began.since or ""), until or first_until, (cursor.at, cursor.id))


def _began(cursor: Cursor) -> _Began | None:
    """The filters that a walk began with; None where they are none that we give out."""
    try:
        began = msgspec.convert(cursor.filters, _Began)
    except msgspec.ValidationError:
        return None
    return began if set(began.status) <= set(STORED_STATUSES) else None


def _statuses(text: str | None) -> tuple[str, ...]:
    if not text:
        return ()
    names = tuple(sorted({name.strip() for name in text.split(",")}))
    for name in names:
        if name not in STORED_STATUSES:
            raise invalid_param(
                "status", f"must name {', '.join(STORED_STATUSES)}, with commas between; {name[:40]!r} is none."
            )
    return names


def _instant(name: str, text: str | None, wanted: str = "a time (RFC 3339, such as 2026-05-15T00:00:00Z)") -> datetime | None:
    if not text:
        return None
    instant = parse_instant(text)
    if instant is None:
        raise invalid_param(name, f"must be {wanted}.")
    return instant


def _next(page: FeedPage, walk: Walk) -> str | None:
    if not page.has_more:
        return None
    at, match_id = page.items[-1].place
    filters = {
        "status": list(walk.statuses),
        "since": instant_text(walk.since) if walk.since else None,
        "before": instant_text(walk.before) if walk.before else None,
    }
    return cursor_text(KIND, Cursor(at, match_id, filters))


def _row(item: FeedItem, with_all_matches: bool) -> str:
    """The match as JSON text, the partner's metadata in it as it was sent (A-FS-3)."""
    row = matched(item.match_type, item.account_external_id, item.contact_external_id, item.metadata)
    members = {
        "match_id": json_text(item.match_id),
        "match_type": json_text(item.match_type),
        "matched": _object(row),
        "webhook_status": json_text(item.status),
        "webhook_response_code": json_text(item.response_code),
        "webhook_response_body": json_text(item.response_excerpt),
        "webhook_failure_reason": json_text(item.reason if item.status == "failed" else None),
        "delivered_at": json_text(seconds_text(item.delivered_at) if item.delivered_at else None),
        "created_at": json_text(instant_text(item.created_at)),
        "funding_round": json_text(funding_round(item.round)),
    }
    if with_all_matches:
        members["all_matches"] = f"[{','.join(_one_of_all(one, item) for one in item.all_matches)}]"
    return _joined(members)


def _one_of_all(one: Mapping[str, Any], item: FeedItem) -> str:
    row = matched(one["match_type"], one.get("account_external_id"), one.get("contact_external_id"), item.metadata)
    return _object({"match_type": one["match_type"]} | row)


def _object(values: Mapping[str, Any]) -> str:
    return _joined({name: value.text if isinstance(value, RawJson) else json_text(value) for name, value in values.items()})


def _joined(members: Mapping[str, str]) -> str:
    """An object of JSON texts by names of ours."""
    return "{" + ",".join(f'"{name}":{text}' for name, text in members.items()) + "}"

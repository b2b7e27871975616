"""Operators' endpoints of what all partners share: active funding types, status snapshots (SC-29, SC-31, SC-60)."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response

from pipeline.api.bodies import body_text
from pipeline.api.context import service_of
from pipeline.api.errors import invalid_param
from pipeline.api.json_answers import json_answer
from pipeline.api.operator.access import BY_OPERATOR, PREFIX, audit
from pipeline.api.operator.partner_schemas import FundingTypes, FundingTypesChange, LandedSnapshot, SnapshotList
from pipeline.api.operator.reading import body_of, work
from pipeline.api.operator.schemas import WITH_BODY, taken, told
from pipeline.api.times import seconds_text
from pipeline.organizations.operators import Operator
from pipeline.partners import accounts
from pipeline.partners.snapshot_list import SnapshotInfo, list_snapshots
from pipeline.partners.snapshots import land

SNAPSHOTS_SHOWN = 100
router = APIRouter(prefix=f"{PREFIX}/startcap", tags=["Referral partners"], dependencies=[BY_OPERATOR])
_LINES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "JSON Lines, UTF-8: one line per lead, as docs/operators/startcap.md has it.",
        "content": {kind: {"schema": {"type": "string"}} for kind in ("application/x-ndjson", "text/plain")},
    }
}


@router.get(
    "/funding-types", operation_id="list_funding_types", response_model=FundingTypes, responses=told("The types, by name.")
)
async def show_funding_types(request: Request) -> Response:
    """The funding types that leads may name at present."""
    service = service_of(request)
    return json_answer({"data": await work(service, accounts.funding_types, service.database)})


@router.patch(
    "/funding-types",
    operation_id="change_funding_types",
    response_model=FundingTypes,
    responses=told("The types in force from now on.", *WITH_BODY),
    openapi_extra=taken(FundingTypesChange, accept=["Term Loan"], stop=[]),
)
async def change_funding_types(request: Request, by: Operator = BY_OPERATOR) -> Response:
    """Accept some from now on, and others no longer; in force with the next lead."""
    service = service_of(request)
    wanted = await body_of(request, FundingTypesChange)

    def act() -> list[str]:
        for name in wanted.accept:
            accounts.switch_funding_type(service.database, name, True, service.now())
        for name in wanted.stop:
            accounts.switch_funding_type(service.database, name, False, service.now())
        return accounts.funding_types(service.database)

    in_force = await work(service, act)
    audit(request, by, "change_funding_types", None, accept=wanted.accept, stop=wanted.stop)
    return json_answer({"data": in_force})


@router.get(
    "/status-snapshots",
    operation_id="list_status_snapshots",
    response_model=SnapshotList,
    responses=told(f"The newest {SNAPSHOTS_SHOWN} days."),
)
async def show_snapshots(request: Request) -> Response:
    """Which days landed, and which of them were applied."""
    service = service_of(request)
    found = await work(service, list_snapshots, service.database, SNAPSHOTS_SHOWN)
    return json_answer({"data": [_snapshot(row) for row in found]})


@router.put(
    "/status-snapshots/{snapshot_date}",
    operation_id="land_status_snapshot",
    response_model=LandedSnapshot,
    responses=told("What became of it.", *WITH_BODY),
    openapi_extra=_LINES,
)
async def land_snapshot(request: Request, snapshot_date: str, by: Operator = BY_OPERATOR) -> Response:
    """Land the snapshot of one day (YYYY-MM-DD), as a file dropped into `status_snapshots/` does; one with a bad line is refused
    whole. The hourly job `partner_leads` applies what landed, in the order of days.
    """
    service = service_of(request)
    day = _day(snapshot_date)
    async with body_text(request, service.settings.api_max_body_bytes) as text:
        landed = await work(service, land, service.database, day, text, service.now())
    audit(request, by, "land_status_snapshot", None, snapshot_date=snapshot_date, outcome=landed.outcome, leads=landed.rows)
    return json_answer({"snapshot_date": landed.day.isoformat(), "outcome": landed.outcome, "leads": landed.rows})


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise invalid_param("snapshot_date", "must be a day, YYYY-MM-DD.")
    return day


def _snapshot(row: SnapshotInfo) -> dict[str, Any]:
    return {
        "snapshot_date": row.day,
        "status": row.status,
        "leads": row.rows,
        "sha256": row.sha256,
        "received_at": seconds_text(row.received_at),
        "applied_at": seconds_text(row.applied_at) if row.applied_at else None,
    }

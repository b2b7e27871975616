"""What monitors watch, over HTTP: add, list, remove (vendor facts, section 7). All are free."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from pipeline.api.bodies import json_text
from pipeline.api.context import Service, service_of
from pipeline.api.paths import Id
from pipeline.api.signalbase.access import Caller, admit_for
from pipeline.api.signalbase.answers import Failure, success
from pipeline.api.signalbase.monitor_schemas import (
    Gone,
    Status,
    TargetPage,
    TargetsAdded,
    TargetShown,
    TargetsRemoved,
    TargetsToAdd,
    TargetsToRemove,
)
from pipeline.api.signalbase.monitors import known
from pipeline.api.signalbase.requests import refused_as_bad_request, targets_to_add, targets_to_remove
from pipeline.api.signalbase.schemas import Answer, documented, request_body
from pipeline.subscriptions import targets
from pipeline.subscriptions.targets import PENDING, TargetInfo, TargetUnknown
from pipeline.webhooks.signalbase import milliseconds

ADD, LIST, REMOVE = "monitors.targets.add", "monitors.targets.list", "monitors.targets.remove"
router = APIRouter(tags=["Monitors"])


@router.get(
    "/monitors/{id}/targets",
    operation_id="list_monitor_targets",
    response_model=TargetPage[TargetShown],
    responses=documented("A page of targets, newest first.", 404),
)
async def list_(
    request: Request,
    monitor_id: Id,
    status: Annotated[Status | None, Query(description="`pending`: its company is not known yet.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    caller: Caller = admit_for(LIST),
) -> Response:
    """What the monitor watches, whose company is known, and the last signal of it. Free."""
    service = service_of(request)
    work = known(targets.list_targets)
    rows, total = await service.run(work, service.database, caller.team_id, monitor_id, limit, offset, status)
    pagination = {"limit": limit, "offset": offset, "count": len(rows), "total": total}
    return success(LIST, [shown(row) for row in rows], pagination=pagination)


@router.post(
    "/monitors/{id}/targets",
    operation_id="add_monitor_targets",
    response_model=Answer[TargetsAdded],
    responses=documented("What was added, and what was not.", 404),
    openapi_extra=request_body(TargetsToAdd),
)
async def add(request: Request, monitor_id: Id, caller: Caller = admit_for(ADD)) -> Response:
    """Watch up to 500 companies or persons more, by domain, LinkedIn page or profile; at most 1,000 a team. Free.

    What is watched already is left as it is. Signals from now on are told; none of before is.
    """
    service = service_of(request)
    async with json_text(request) as text:
        return await service.run(_add, service, caller, monitor_id, text)


@router.delete(
    "/monitors/{id}/targets/{target_id}",
    operation_id="remove_monitor_target",
    response_model=Answer[Gone],
    responses=documented("It is watched no more.", 404),
)
async def remove(request: Request, monitor_id: Id, target_id: str, caller: Caller = admit_for(REMOVE)) -> Response:
    """No longer watch one target. Free."""
    service = service_of(request)
    await service.run(_remove_one, service, caller, monitor_id, target_id)
    return success(REMOVE, {"id": target_id, "deleted": True})


@router.post(
    "/monitors/{id}/targets/remove",
    operation_id="remove_monitor_targets",
    response_model=Answer[TargetsRemoved],
    responses=documented("What was removed, and what was not there.", 404),
    openapi_extra=request_body(TargetsToRemove),
)
async def remove_many(request: Request, monitor_id: Id, caller: Caller = admit_for(REMOVE)) -> Response:
    """No longer watch up to 500 targets, by id or by what names them. Free."""
    service = service_of(request)
    async with json_text(request) as text:
        return await service.run(_remove, service, caller, monitor_id, text)


def shown(target: TargetInfo) -> dict[str, Any]:
    """The target as callers see it."""
    return {
        "id": target.id,
        "monitor_id": target.monitor_id,
        "type": target.kind,
        "value": target.value,
        "status": target.status,
        "company": target.company,
        "resolved_at": milliseconds(target.resolved_at) if target.resolved_at else None,
        "last_signal_type": target.last_signal_type,
        "last_signal_at": milliseconds(target.last_signal_at) if target.last_signal_at else None,
        "created_at": milliseconds(target.created_at),
    }


def _add(service: Service, caller: Caller, monitor_id: str, text: str) -> Response:
    work = known(refused_as_bad_request(targets.add_targets))
    done = work(service.database, caller.team_id, monitor_id, targets_to_add(text), service.now())
    data = {
        "added": [shown(one) for one in done.added],
        "skipped_existing": done.skipped_existing,
        "invalid": done.invalid,
        "pending": [one.value for one in done.added if one.status == PENDING],
        "resolved_companies": done.resolved_companies,
    }
    return success(ADD, data)


def _remove(service: Service, caller: Caller, monitor_id: str, text: str) -> Response:
    ids, named = targets_to_remove(text)
    done = known(targets.remove_targets)(service.database, caller.team_id, monitor_id, ids, named)
    data = {
        "removed": [shown(one) for one in done.removed],
        "not_found": done.not_found,
        "invalid": done.invalid,
        "resolved_companies": done.resolved_companies,
    }
    return success(REMOVE, data)


def _remove_one(service: Service, caller: Caller, monitor_id: str, target_id: str) -> None:
    try:
        known(targets.remove_target)(service.database, caller.team_id, monitor_id, target_id)
    except TargetUnknown:
        raise Failure(404, "Target not found") from None

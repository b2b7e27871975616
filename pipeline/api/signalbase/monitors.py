"""Monitors over HTTP: create, list, get, update, delete (vendor facts, section 7). All are free."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from pipeline.api.bodies import json_text
from pipeline.api.context import Service, service_of
from pipeline.api.paths import Id
from pipeline.api.signalbase.access import Caller, admit_for
from pipeline.api.signalbase.answers import Failure, success
from pipeline.api.signalbase.monitor_schemas import Gone, MonitorShown, MonitorUpdate, NewMonitor
from pipeline.api.signalbase.requests import monitor_update, new_monitor, refused_as_bad_request
from pipeline.api.signalbase.schemas import Answer, documented, request_body
from pipeline.api.signalbase.webhooks import edit_of, rules_of
from pipeline.organizations.secrets import SecretBox
from pipeline.subscriptions import monitors
from pipeline.subscriptions.monitors import MonitorInfo, MonitorUnknown
from pipeline.webhooks.signalbase import milliseconds

router = APIRouter(tags=["Monitors"])


@router.post(
    "/monitors",
    operation_id="create_monitor",
    status_code=201,
    response_model=Answer[MonitorShown],
    responses=documented("The monitor; its webhook's secret, if it has one, is not shown again.", status=201),
    openapi_extra=request_body(NewMonitor),
)
async def create(request: Request, caller: Caller = admit_for("monitors.create")) -> Response:
    """A watch list, empty yet, with signal types and perhaps a webhook. At most 20 a team. Free."""
    service = service_of(request)
    async with json_text(request) as text:
        return await service.run(_create, service, caller, text)


@router.get(
    "/monitors",
    operation_id="list_monitors",
    response_model=Answer[list[MonitorShown]],
    responses=documented("The team's monitors, paused ones too, newest first."),
)
async def list_(request: Request, caller: Caller = admit_for("monitors.list")) -> Response:
    """All monitors of the team. Free."""
    service = service_of(request)
    found = await service.run(monitors.list_monitors, service.database, caller.team_id, service.now())
    return success("monitors.list", [shown(one) for one in found])


@router.get(
    "/monitors/{id}",
    operation_id="get_monitor",
    response_model=Answer[MonitorShown],
    responses=documented("The monitor.", 404),
)
async def get(request: Request, monitor_id: Id, caller: Caller = admit_for("monitors.get")) -> Response:
    """One monitor. Free."""
    service = service_of(request)
    work = known(monitors.get_monitor)
    return success("monitors.get", shown(await service.run(work, service.database, caller.team_id, monitor_id, service.now())))


@router.put(
    "/monitors/{id}",
    operation_id="update_monitor",
    response_model=Answer[MonitorShown],
    responses=documented("The monitor as it is now; with a secret where its webhook was just made.", 404),
    openapi_extra=request_body(MonitorUpdate),
)
async def update(request: Request, monitor_id: Id, caller: Caller = admit_for("monitors.update")) -> Response:
    """Rename a monitor, change its signal types or its webhook, pause or resume it. Free."""
    service = service_of(request)
    async with json_text(request) as text:
        return await service.run(_update, service, caller, monitor_id, text)


@router.delete(
    "/monitors/{id}",
    operation_id="delete_monitor",
    response_model=Answer[Gone],
    responses=documented("It is gone, with all that it watched.", 404),
)
async def delete(request: Request, monitor_id: Id, caller: Caller = admit_for("monitors.delete")) -> Response:
    """Delete a monitor for good, with its targets. Its webhook is told of nothing more and keeps its history. Free."""
    service = service_of(request)
    work = known(monitors.delete_monitor)
    await service.run(work, service.database, caller.team_id, monitor_id, edit_of(service, caller))
    return success("monitors.delete", {"id": monitor_id, "deleted": True})


def shown(monitor: MonitorInfo) -> dict[str, Any]:
    """The monitor as callers see it."""
    webhook = monitor.webhook
    stats = monitor.stats
    return {
        "id": monitor.id,
        "name": monitor.name,
        "signal_types": list(monitor.signal_types),
        "active": monitor.is_active,
        "webhook": webhook
        and {"id": webhook.id, "endpoint_url": webhook.endpoint_url} | ({"secret": webhook.secret} if webhook.secret else {}),
        "stats": {
            "targets": stats.targets,
            "resolved_targets": stats.resolved_targets,
            "signals_30d": stats.signals_30d,
            "last_delivery_at": milliseconds(stats.last_delivery_at) if stats.last_delivery_at else None,
        },
        "created_at": milliseconds(monitor.created_at),
        "updated_at": milliseconds(monitor.updated_at),
    }


def known(work: Callable[..., Any]) -> Callable[..., Any]:
    """``work``, whose MonitorUnknown becomes a 404."""

    def done(*args: Any) -> Any:
        try:
            return work(*args)
        except MonitorUnknown:
            raise Failure(404, "Monitor not found") from None

    return done


def _create(service: Service, caller: Caller, text: str) -> Response:
    name, types, url = new_monitor(text)
    box, edit = SecretBox.open(service.settings), edit_of(service, caller)
    work = refused_as_bad_request(monitors.create_monitor)
    made = work(service.database, box, caller.team_id, name, types, url, edit, rules_of(service))
    return success("monitors.create", shown(made), status=201)


def _update(service: Service, caller: Caller, monitor_id: str, text: str) -> Response:
    change = monitor_update(text)
    box, edit = SecretBox.open(service.settings), edit_of(service, caller)
    work = known(refused_as_bad_request(monitors.update_monitor))
    changed = work(service.database, box, caller.team_id, monitor_id, change, edit, rules_of(service))
    return success("monitors.update", shown(changed))

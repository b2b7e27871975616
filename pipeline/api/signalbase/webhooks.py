"""Webhooks over HTTP: create, list, get, update, delete (SB-10 to SB-16, SB-22 to SB-37; A-SB-2 to A-SB-5)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from pipeline.api.bodies import json_text
from pipeline.api.context import Service, service_of
from pipeline.api.paths import Id
from pipeline.api.signalbase.access import Caller, admit_for
from pipeline.api.signalbase.answers import Failure, success
from pipeline.api.signalbase.requests import new_webhook, refused_as_bad_request, webhook_update
from pipeline.api.signalbase.schemas import (
    Answer,
    Deleted,
    NewWebhook,
    OffsetPage,
    WebhookShown,
    WebhookUpdate,
    WebhookWithSecret,
    documented,
    request_body,
)
from pipeline.organizations.secrets import SecretBox
from pipeline.subscriptions import webhooks
from pipeline.subscriptions.filters import idle
from pipeline.subscriptions.webhooks import Edit, UrlRules, Webhook, WebhookUnknown
from pipeline.webhooks.signalbase import milliseconds

ELLIPSIS = "\u2026"  # SB-29
router = APIRouter(tags=["Webhooks"])


@router.post(
    "/webhooks",
    operation_id="create_webhook",
    status_code=201,
    response_model=Answer[WebhookWithSecret],
    responses=documented("The webhook, with its secret: keep it, it is not shown again.", status=201),
    openapi_extra=request_body(NewWebhook),
)
async def create(request: Request, caller: Caller = admit_for("webhooks.create")) -> Response:
    """Subscribe an endpoint to event types. At most ten webhooks of a team are active. Free."""
    service = service_of(request)
    async with json_text(request) as text:
        return await service.run(_create, service, caller, text)


@router.get(
    "/webhooks",
    operation_id="list_webhooks",
    response_model=OffsetPage[WebhookShown],
    responses=documented("The team's active webhooks, newest first."),
)
async def list_(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    caller: Caller = admit_for("webhooks.list"),
) -> Response:
    """All active webhooks of the team, whoever made them. Free."""
    service = service_of(request)
    found = await service.run(webhooks.list_webhooks, service.database, caller.team_id, limit, offset)
    pagination = {"limit": limit, "offset": offset, "count": len(found)}
    return success("webhooks.list", [shown(webhook) for webhook in found], pagination=pagination)


@router.get(
    "/webhooks/{id}",
    operation_id="get_webhook",
    response_model=Answer[WebhookShown],
    responses=documented("The webhook.", 404),
)
async def get(request: Request, webhook_id: Id, caller: Caller = admit_for("webhooks.get")) -> Response:
    """One active webhook. Free."""
    service = service_of(request)
    found = await service.run(known(webhooks.get_webhook), service.database, caller.team_id, webhook_id)
    return success("webhooks.get", shown(found))


UPDATE: dict[str, Any] = {
    "response_model": Answer[WebhookWithSecret | WebhookShown],
    "responses": documented("The webhook as it is now; with its secret where that was rotated.", 404),
    "openapi_extra": request_body(WebhookUpdate),
}


@router.put("/webhooks/{id}", operation_id="update_webhook", **UPDATE)
async def update(request: Request, webhook_id: Id, caller: Caller = admit_for("webhooks.update")) -> Response:
    """Change a webhook in place: any part of its URL, event types, filters, whether it is active; rotate its secret. Free."""
    service = service_of(request)
    async with json_text(request) as text:
        return await service.run(_update, service, caller, webhook_id, text)


@router.patch("/webhooks/{id}", operation_id="patch_webhook", **UPDATE)
async def patch(request: Request, webhook_id: Id, caller: Caller = admit_for("webhooks.update")) -> Response:
    """The same as PUT."""
    service = service_of(request)
    async with json_text(request) as text:
        return await service.run(_update, service, caller, webhook_id, text)


@router.delete(
    "/webhooks/{id}",
    operation_id="delete_webhook",
    response_model=Answer[Deleted],
    responses=documented("It is told of nothing any more.", 404),
)
async def delete(request: Request, webhook_id: Id, caller: Caller = admit_for("webhooks.delete")) -> Response:
    """Soft-delete a webhook: its record and history stay, and `active: true` revives it. Free."""
    service = service_of(request)
    work = known(refused_as_bad_request(webhooks.delete_webhook))
    await service.run(work, service.database, caller.team_id, webhook_id, edit_of(service, caller))
    return success("webhooks.delete", {"success": True, "id": webhook_id, "active": False})


def shown(webhook: Webhook) -> dict[str, Any]:
    """The webhook as callers see it: with its secret where it was just made, else with the secret's end."""
    stats = {
        "total_deliveries": webhook.successful_deliveries + webhook.failed_deliveries,
        "successful_deliveries": webhook.successful_deliveries,
        "failed_deliveries": webhook.failed_deliveries,
        "last_success_at": milliseconds(webhook.last_success_at) if webhook.last_success_at else None,
        "last_failure_at": milliseconds(webhook.last_failure_at) if webhook.last_failure_at else None,
        "consecutive_failures": webhook.consecutive_failures,
    }
    secret = {"secret": webhook.secret} if webhook.secret else {"secret_preview": ELLIPSIS + webhook.secret_tail}
    return {
        "id": webhook.id,
        "endpoint_url": webhook.endpoint_url,
        "event_types": list(webhook.event_types),
        "filters": webhook.filters,
        "active": webhook.is_active,
        "created_at": milliseconds(webhook.created_at),
        "updated_at": milliseconds(webhook.updated_at),
        "last_modified_by": webhook.last_modified_by,
        "last_modified_via": webhook.last_modified_via,
        **secret,
        "stats": stats,
    }


def known(work: Any) -> Any:
    """``work``, whose WebhookUnknown becomes a 404."""

    def done(*args: Any) -> Any:
        try:
            return work(*args)
        except WebhookUnknown:
            raise Failure(404, "Webhook not found") from None

    return done


def edit_of(service: Service, caller: Caller) -> Edit:
    """Who changes what, and how."""
    return Edit(caller.key.user_id, "api", service.now())


def rules_of(service: Service) -> UrlRules:
    """What addresses this installation lets be registered."""
    return UrlRules(service.settings.webhook_allowed_networks, service.settings.signalbase_https_only)


def _create(service: Service, caller: Caller, text: str) -> Response:
    url, events, given = new_webhook(text)
    filters = refused_as_bad_request(webhooks.check_filters)(given)
    made = refused_as_bad_request(webhooks.create_webhook)(
        service.database,
        SecretBox.open(service.settings),
        caller.team_id,
        url,
        events,
        filters,
        edit_of(service, caller),
        rules_of(service),
    )
    return success(
        "webhooks.create", shown(made), status=201, warnings=filters.warnings + idle(made.event_types, filters.filter)
    )


def _update(service: Service, caller: Caller, webhook_id: str, text: str) -> Response:
    change, warnings = webhook_update(text)
    work = known(refused_as_bad_request(webhooks.update_webhook))
    changed = work(
        service.database,
        SecretBox.open(service.settings),
        caller.team_id,
        webhook_id,
        change,
        edit_of(service, caller),
        rules_of(service),
    )
    if change.filters is not None or change.event_types is not None:
        warnings += idle(changed.event_types, webhooks.check_filters(changed.filters).filter)
    return success("webhooks.update", shown(changed), warnings=warnings)

"""Deliveries over HTTP: test, list, retry (SB-17 to SB-20, SB-80 to SB-85; A-SB-18 to A-SB-25, A-SB-35)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from pipeline.api.context import Service, service_of
from pipeline.api.cursors import Cursor, cursor_text, parse_cursor
from pipeline.api.paths import Id
from pipeline.api.signalbase.access import Caller, admit_for
from pipeline.api.signalbase.answers import Failure, bad_request, success
from pipeline.api.signalbase.schemas import Answer, CursorPage, DeliveryShown, Retried, Tested, documented
from pipeline.api.signalbase.webhooks import known
from pipeline.organizations.secrets import SecretBox
from pipeline.subscriptions import deliveries
from pipeline.subscriptions.deliveries import (
    AlreadyDelivered,
    CreditsMissing,
    DeliveryUnknown,
    Place,
    Record,
    StillUnderWay,
)
from pipeline.webhooks.credits import SKIPPED
from pipeline.webhooks.signalbase import TEST_EVENT, milliseconds, signalbase_profile

KIND = "signalbase.deliveries"
router = APIRouter(tags=["Deliveries"])


@router.post(
    "/webhooks/{id}/test",
    operation_id="test_webhook",
    response_model=Answer[Tested],
    responses=documented("What came of it.", 404),
)
async def send_test(request: Request, webhook_id: Id, caller: Caller = admit_for("webhooks.test")) -> Response:
    """Send a signed `system.test` event now, and tell what your endpoint answered. Bypasses filters. Free."""
    service = service_of(request)
    add = known(deliveries.add_test)
    delivery_id = await service.run(add, service.database, caller.team_id, webhook_id, service.now())
    record = await _send(service, delivery_id)
    return success(
        "webhooks.test",
        {
            "success": record.status == "done",
            "delivery_id": record.id,
            "event_id": record.event_id,
            "event_type": TEST_EVENT,
            "response_status": record.response_status or 0,
            "response_body": record.response_body or "",
        },
    )


@router.get(
    "/webhooks/{id}/deliveries",
    operation_id="list_deliveries",
    response_model=CursorPage[DeliveryShown],
    responses=documented("One page of the webhook's deliveries, newest first.", 404),
)
async def list_(
    request: Request,
    webhook_id: Id,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    status: Annotated[
        Literal["done", "failed", "pending", "skipped"] | None,
        Query(description="`skipped`: never attempted, for want of credits or because the webhook was switched off."),
    ] = None,
    cursor: Annotated[
        str | None, Query(description="`next_cursor` of the page before; send the same `status` with it.")
    ] = None,
    caller: Caller = admit_for("webhooks.deliveries.list"),
) -> Response:
    """Attempts at delivering events to the webhook, with what came back. A deleted webhook keeps its history. Free."""
    service = service_of(request)
    after = _place(cursor, webhook_id, status)
    work = known(deliveries.list_deliveries)
    rows, has_more = await service.run(work, service.database, caller.team_id, webhook_id, limit, status, after)
    following = None
    if has_more:
        following = cursor_text(KIND, Cursor(rows[-1].created_at, rows[-1].id, _walk(webhook_id, status)))
    pagination = {"next_cursor": following, "limit": limit}
    return success("webhooks.deliveries.list", [shown(row) for row in rows], pagination=pagination)


@router.post(
    "/webhooks/{id}/deliveries/{delivery_id}/retry",
    operation_id="retry_delivery",
    response_model=Answer[Retried],
    responses=documented("What came of it.", 404, 409),
)
async def retry(
    request: Request, webhook_id: Id, delivery_id: str, caller: Caller = admit_for("webhooks.deliveries.retry")
) -> Response:
    """Send a failed event again, now: the same event id and bytes, signed with the current secret, as a delivery of its own.

    Costs one credit if your endpoint takes it. 409 once any attempt of the event succeeded, or while one is under way.
    """
    service = service_of(request)
    new_id = await service.run(_add_retry, service, caller, webhook_id, delivery_id)
    record = await _send(service, new_id)
    if record.status == SKIPPED:
        raise bad_request("Insufficient credits")
    is_paid = record.status == "done" and record.event_type != TEST_EVENT
    return success(
        "webhooks.deliveries.retry",
        {
            "delivery_id": record.id,
            "previous_delivery_id": delivery_id,
            "status": record.status,
            "response_status": record.response_status or 0,
            "attempt_count": record.attempt_count,
            "success": record.status == "done",
        },
        credits_used=1 if is_paid else 0,
    )


def shown(record: Record) -> dict[str, Any]:
    """The delivery as callers see it."""
    return {
        "id": record.id,
        "event_type": record.event_type,
        "event_id": record.event_id,
        "status": record.status,
        "response_status": record.response_status,
        "response_body": record.response_body,
        "attempt_count": record.attempt_count,
        "delivered_at": milliseconds(record.delivered_at) if record.delivered_at else None,
        "failed_at": milliseconds(record.failed_at) if record.failed_at else None,
        "created_at": milliseconds(record.created_at),
    }


async def _send(service: Service, delivery_id: str) -> Record:
    from pipeline.webhooks.immediate import send_now  # brings an HTTP client, which most processes of the service never need

    box = SecretBox.open(service.settings)
    await send_now(service.database, box, service.settings, service.now, signalbase_profile(), delivery_id, service.run)
    return await service.run(deliveries.get_delivery, service.database, delivery_id)


def _add_retry(service: Service, caller: Caller, webhook_id: str, delivery_id: str) -> str:
    try:
        add = known(deliveries.add_retry)
        added: str = add(service.database, caller.team_id, webhook_id, delivery_id, service.now())
    except DeliveryUnknown:
        raise Failure(404, "Delivery not found") from None
    except (AlreadyDelivered, StillUnderWay) as error:
        raise Failure(409, str(error)) from None
    except CreditsMissing as error:
        raise bad_request(str(error)) from None
    return added


def _walk(webhook_id: str, status: str | None) -> dict[str, Any]:
    return {"webhook": webhook_id, "status": status}


def _place(cursor: str | None, webhook_id: str, status: str | None) -> Place | None:
    if not cursor:
        return None
    found = parse_cursor(KIND, cursor)
    if found is None or found.filters != _walk(webhook_id, status):
        raise bad_request("cursor must be the next_cursor of an earlier page of the same list")
    return found.at, found.id

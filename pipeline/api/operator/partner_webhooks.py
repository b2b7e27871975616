"""Operators' endpoints of partners' webhooks: made, listed, paused, resumed, rotated, tested, deleted (SC-75, SC-81)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import APIRouter, Request, Response

from pipeline.api.context import service_of
from pipeline.api.json_answers import json_answer
from pipeline.api.operator.access import BY_OPERATOR, audit
from pipeline.api.operator.partner_schemas import (
    MadePartnerWebhook,
    NewPartnerWebhook,
    NewSecret,
    PartnerWebhookList,
    PartnerWebhookState,
    TestOutcome,
)
from pipeline.api.operator.partners import OF_ONE, partner_at
from pipeline.api.operator.reading import body_of, work
from pipeline.api.operator.schemas import WITH_BODY, taken, told
from pipeline.api.times import seconds_text
from pipeline.organizations.operators import Operator
from pipeline.organizations.secrets import SecretBox
from pipeline.partners import webhooks
from pipeline.partners.accounts import Partner
from pipeline.partners.webhooks import PartnerHook

if TYPE_CHECKING:
    from pipeline.webhooks.trials import TrialResult

T = TypeVar("T")
router = APIRouter(prefix=f"{OF_ONE}/webhooks", tags=["Referral partners' webhooks"], dependencies=[BY_OPERATOR])


@router.get(
    "",
    operation_id="list_partner_webhooks",
    response_model=PartnerWebhookList,
    responses=told("The partner's webhooks."),
)
async def list_all(request: Request, organization: str) -> Response:
    """The webhooks, oldest first; deleted ones stay listed."""
    _, found = await _with_partner(
        request, organization, lambda partner: webhooks.list_webhooks(service_of(request).database, partner.id)
    )
    return json_answer({"data": [_state(hook) for hook in found]})


@router.post(
    "",
    operation_id="create_partner_webhook",
    response_model=MadePartnerWebhook,
    responses=told("The new webhook: save its secret.", *WITH_BODY),
    openapi_extra=taken(NewPartnerWebhook, url="https://hooks.acme.example/startcap", event_types=["commission.earned"]),
)
async def create(request: Request, organization: str, by: Operator = BY_OPERATOR) -> Response:
    """A new webhook with a secret of its own, in this answer alone. At most ten of a partner are active."""
    service = service_of(request)
    wanted = await body_of(request, NewPartnerWebhook)

    def act(partner: Partner) -> PartnerHook:
        return webhooks.add_webhook(
            service.database,
            SecretBox.open(service.settings),
            partner,
            wanted.url,
            wanted.event_types,
            service.now(),
            service.settings.webhook_allowed_networks,
        )

    partner, made = await _with_partner(request, organization, act)
    audit(request, by, "create_partner_webhook", partner.organization_id, webhook_id=made.id, webhook_url=made.url)
    return json_answer(_state(made) | {"secret": made.secret})


@router.post(
    "/{webhook}/pause",
    operation_id="pause_partner_webhook",
    response_model=PartnerWebhookState,
    responses=told("The webhook, paused."),
)
async def pause(request: Request, organization: str, webhook: str, by: Operator = BY_OPERATOR) -> Response:
    """Send nothing to it until it is resumed; what comes is kept."""
    return await _switched(request, organization, webhook, by, is_paused=True)


@router.post(
    "/{webhook}/resume",
    operation_id="resume_partner_webhook",
    response_model=PartnerWebhookState,
    responses=told("The webhook, active."),
)
async def resume(request: Request, organization: str, webhook: str, by: Operator = BY_OPERATOR) -> Response:
    """Send to it again, first what was kept, in its order."""
    return await _switched(request, organization, webhook, by, is_paused=False)


@router.post(
    "/{webhook}/rotate",
    operation_id="rotate_partner_webhook_secret",
    response_model=NewSecret,
    responses=told("The new secret: save it."),
)
async def rotate(request: Request, organization: str, webhook: str, by: Operator = BY_OPERATOR) -> Response:
    """A new secret; the old one signs nothing any more, retries included."""
    service = service_of(request)

    def act(partner: Partner) -> str:
        box = SecretBox.open(service.settings)
        return webhooks.rotate_secret(service.database, box, partner.id, webhook, service.now())

    partner, secret = await _with_partner(request, organization, act)
    audit(request, by, "rotate_partner_webhook_secret", partner.organization_id, webhook_id=webhook)
    return json_answer({"secret": secret})


@router.post(
    "/{webhook}/test",
    operation_id="test_partner_webhook",
    response_model=TestOutcome,
    responses=told("What came of it."),
)
async def send_test(request: Request, organization: str, webhook: str, by: Operator = BY_OPERATOR) -> Response:
    """Send a test event (`test: true`) now, paused or not, and tell what came back; within about ten seconds."""
    service = service_of(request)
    partner, delivery_id = await _with_partner(
        request, organization, lambda partner: webhooks.add_test(service.database, partner, webhook, service.now())
    )
    audit(request, by, "test_partner_webhook", partner.organization_id, webhook_id=webhook, delivery_id=delivery_id)

    # Brings an HTTP client, which most processes of the service never need.
    from pipeline.webhooks.trials import send_test_event

    def send() -> TrialResult:
        box = SecretBox.open(service.settings)
        return send_test_event(service.database, box, service.settings, service.now, delivery_id)

    found = await service.run_slow(send)
    return json_answer(
        {
            "delivery_id": delivery_id,
            "status": found.status,
            "response_code": found.response_code,
            "response_excerpt": found.response_excerpt,
            "error": found.error,
            "duration_ms": found.duration_ms,
        }
    )


@router.delete(
    "/{webhook}",
    operation_id="delete_partner_webhook",
    response_model=PartnerWebhookState,
    responses=told("The webhook, deleted."),
)
async def delete(request: Request, organization: str, webhook: str, by: Operator = BY_OPERATOR) -> Response:
    """Tell it of nothing any more, for good; what waits for it fails unsent. Its record and history stay."""
    service = service_of(request)

    def act(partner: Partner) -> PartnerHook:
        webhooks.remove_webhook(service.database, partner.id, webhook, service.now())
        return webhooks.get_webhook(service.database, partner.id, webhook)

    partner, gone = await _with_partner(request, organization, act)
    audit(request, by, "delete_partner_webhook", partner.organization_id, webhook_id=webhook)
    return json_answer(_state(gone))


async def _switched(request: Request, organization: str, webhook: str, by: Operator, is_paused: bool) -> Response:
    service = service_of(request)

    def act(partner: Partner) -> PartnerHook:
        webhooks.switch_webhook(service.database, partner.id, webhook, is_paused, service.now())
        return webhooks.get_webhook(service.database, partner.id, webhook)

    partner, hook = await _with_partner(request, organization, act)
    action = "pause_partner_webhook" if is_paused else "resume_partner_webhook"
    audit(request, by, action, partner.organization_id, webhook_id=webhook)
    return json_answer(_state(hook))


async def _with_partner(request: Request, organization: str, act: Callable[[Partner], T]) -> tuple[Partner, T]:
    """The partner, and what ``act`` gives for it, done in a thread."""
    service = service_of(request)

    def found() -> tuple[Partner, T]:
        partner = partner_at(service.database, organization)
        return partner, act(partner)

    return await work(service, found)


def _state(hook: PartnerHook) -> dict[str, Any]:
    return {
        "id": hook.id,
        "url": hook.url,
        "event_types": list(hook.event_types),
        "state": hook.state,
        "is_deleted": not hook.is_active,
        "created_at": seconds_text(hook.created_at),
    }

"""Operators' endpoints of keys: made, listed, revoked, rotated; their quotas."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from pipeline.api.context import Service, service_of
from pipeline.api.json_answers import json_answer
from pipeline.api.operator.access import BY_OPERATOR, PREFIX, audit
from pipeline.api.operator.reading import body_of, work
from pipeline.api.operator.schemas import (
    WITH_BODY,
    KeyList,
    KeyQuotas,
    KeyState,
    MadeKey,
    NewKey,
    QuotaChange,
    RotatedSecret,
    Rotation,
    taken,
    told,
)
from pipeline.api.times import seconds_text
from pipeline.organizations import keys, quotas
from pipeline.organizations.operators import Operator
from pipeline.organizations.organizations import get_organization
from pipeline.organizations.secrets import SecretBox

router = APIRouter(prefix=f"{PREFIX}/organizations/{{organization}}/keys", tags=["Keys"], dependencies=[BY_OPERATOR])


@router.get("", operation_id="list_keys", response_model=KeyList, responses=told("The keys."))
async def list_all(request: Request, organization: str) -> Response:
    """The organization's keys, oldest first; revoked ones stay listed. No token, no secret."""
    service = service_of(request)

    def act() -> list[keys.KeyInfo]:
        return keys.list_keys(service.database, get_organization(service.database, organization).id)

    return json_answer({"data": [_state(key) for key in await work(service, act)]})


@router.post(
    "",
    operation_id="create_key",
    response_model=MadeKey,
    responses=told("The new key: save what it shows.", *WITH_BODY),
    openapi_extra=taken(NewKey, label="production"),
)
async def create(request: Request, organization: str, by: Operator = BY_OPERATOR) -> Response:
    """A new key with its webhook secret. Both are in this answer alone."""
    service = service_of(request)
    wanted = await body_of(request, NewKey)

    def act() -> keys.NewKey:
        owner = get_organization(service.database, organization)
        return keys.create_key(service.database, SecretBox.open(service.settings), owner.id, wanted.label, service.now())

    made = await work(service, act)
    audit(request, by, "create_key", made.organization_id, key_id=made.id)
    return json_answer({"id": made.id, "label": made.label, "token": made.token, "webhook_secret": made.webhook_secret})


@router.post("/{key}/revoke", operation_id="revoke_key", response_model=KeyState, responses=told("The key, revoked."))
async def revoke(request: Request, organization: str, key: str, by: Operator = BY_OPERATOR) -> Response:
    """Revoke a key (by its id or prefix), in force with its next call. A key revoked before keeps its time."""
    service = service_of(request)

    def act() -> keys.KeyInfo:
        owner = get_organization(service.database, organization)
        return keys.revoke_key(service.database, owner.id, key, service.now())

    revoked = await work(service, act)
    audit(request, by, "revoke_key", revoked.organization_id, key_id=revoked.id)
    return json_answer(_state(revoked))


@router.post(
    "/{key}/rotate",
    operation_id="rotate_secret",
    response_model=RotatedSecret,
    responses=told("The new secret: save it.", *WITH_BODY),
    openapi_extra=taken(Rotation, overlap_hours=24),
)
async def rotate(request: Request, organization: str, key: str, by: Operator = BY_OPERATOR) -> Response:
    """A new webhook secret for a key. The old one stops signing at once, or signs beside the new one for a while."""
    service = service_of(request)
    overlap = timedelta(hours=(await body_of(request, Rotation)).overlap_hours)

    def act() -> tuple[str, str]:
        owner = get_organization(service.database, organization)
        box = SecretBox.open(service.settings)
        return owner.id, keys.rotate_secret(service.database, box, owner.id, key, service.now(), overlap)

    organization_id, secret = await work(service, act)
    audit(request, by, "rotate_secret", organization_id, key=key[:36], overlap_hours=overlap.total_seconds() / 3600)
    return json_answer({"webhook_secret": secret})


@router.get("/{key}/quotas", operation_id="get_quotas", response_model=KeyQuotas, responses=told("Limits and today's use."))
async def show_quotas(request: Request, organization: str, key: str) -> Response:
    """What the key may do a day, and what of it is used today."""
    service = service_of(request)
    return json_answer(await work(service, _quotas, service, organization, key))


@router.put(
    "/{key}/quotas/{operation}",
    operation_id="set_quota",
    response_model=KeyQuotas,
    responses=told("Limits and today's use.", *WITH_BODY),
    openapi_extra=taken(QuotaChange, limit=1_000),
)
async def set_quota(request: Request, organization: str, key: str, operation: str, by: Operator = BY_OPERATOR) -> Response:
    """Give the key a limit of its own, or (null) lift it; in force with its next call."""
    limit = (await body_of(request, QuotaChange)).limit
    return await _change_quota(request, by, organization, key, operation, limit)


@router.delete(
    "/{key}/quotas/{operation}",
    operation_id="reset_quota",
    response_model=KeyQuotas,
    responses=told("Limits and today's use."),
)
async def reset_quota(request: Request, organization: str, key: str, operation: str, by: Operator = BY_OPERATOR) -> Response:
    """Take the key's own limit away: the default is in force again."""
    return await _change_quota(request, by, organization, key, operation, None, is_default=True)


async def _change_quota(
    request: Request, by: Operator, organization: str, key: str, operation: str, limit: int | None, is_default: bool = False
) -> Response:
    service = service_of(request)

    def act() -> tuple[keys.KeyInfo, dict[str, Any]]:
        owner = get_organization(service.database, organization)
        changed = quotas.set_limit(service.database, owner.id, key, operation, limit, is_default)
        return changed, _quotas(service, organization, key)

    changed, state = await work(service, act)
    told_limit = "default" if is_default else limit
    audit(request, by, "set_quota", changed.organization_id, key_id=changed.id, operation=operation, limit=told_limit)
    return json_answer(state)


def _quotas(service: Service, organization: str, key: str) -> dict[str, Any]:
    owner = get_organization(service.database, organization)
    found = keys.get_key(service.database, owner.id, key)
    now = service.now()
    usages = quotas.usage_today(service.database, found.id, found.quotas, now)
    return {
        "data": {usage.operation: {"limit": usage.limit, "used": usage.used, "remaining": usage.remaining} for usage in usages},
        "quotas_reset_at": seconds_text(quotas.next_midnight(now)),
    }


def _state(key: keys.KeyInfo) -> dict[str, Any]:
    return {
        "id": key.id,
        "label": key.label,
        "token_prefix": key.token_prefix,
        "created_at": seconds_text(key.created_at),
        "revoked_at": seconds_text(key.revoked_at) if key.revoked_at else None,
        "quotas": key.quotas,
    }

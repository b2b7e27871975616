"""Operators' endpoints of referral partners' keys: listed, made, rotated, revoked (SC-6, SC-45)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from pipeline.api.context import service_of
from pipeline.api.json_answers import json_answer
from pipeline.api.operator.access import BY_OPERATOR, audit
from pipeline.api.operator.partner_schemas import MadePartnerKey, NewPartnerKey, PartnerKeyList, PartnerKeyState
from pipeline.api.operator.partners import OF_ONE, partner_at
from pipeline.api.operator.reading import body_of, work
from pipeline.api.operator.schemas import WITH_BODY, taken, told
from pipeline.api.times import seconds_text
from pipeline.organizations import face_keys
from pipeline.organizations.face_keys import KeyOfFace, NewKeyOfFace
from pipeline.organizations.operators import Operator
from pipeline.partners import keys

router = APIRouter(prefix=f"{OF_ONE}/keys", tags=["Referral partners"], dependencies=[BY_OPERATOR])


@router.get("", operation_id="list_partner_keys", response_model=PartnerKeyList, responses=told("The partner's keys."))
async def list_keys(request: Request, organization: str) -> Response:
    """The keys, oldest first; revoked ones stay listed."""
    service = service_of(request)

    def act() -> list[KeyOfFace]:
        return face_keys.list_keys(service.database, keys.FACE, partner_at(service.database, organization).organization_id)

    return json_answer({"data": [_state(key) for key in await work(service, act)]})


@router.post(
    "",
    operation_id="create_partner_key",
    response_model=MadePartnerKey,
    responses=told("The new key: save its token.", *WITH_BODY),
    openapi_extra=taken(NewPartnerKey, label="production"),
)
async def create_key(request: Request, organization: str, by: Operator = BY_OPERATOR) -> Response:
    """A new key. Its token is in this answer alone."""
    service = service_of(request)
    wanted = await body_of(request, NewPartnerKey)

    def act() -> NewKeyOfFace:
        owner = partner_at(service.database, organization).organization_id
        return keys.create_key(service.database, owner, wanted.label, service.now())

    made = await work(service, act)
    audit(request, by, "create_partner_key", made.organization_id, key_id=made.id)
    return json_answer(_made(made))


@router.post(
    "/{key}/rotate",
    operation_id="rotate_partner_key",
    response_model=MadePartnerKey,
    responses=told("The key in its place: save its token."),
)
async def rotate_key(request: Request, organization: str, key: str, by: Operator = BY_OPERATOR) -> Response:
    """A new key in the place of one (by its id or prefix), which is refused from now on."""
    service = service_of(request)

    def act() -> NewKeyOfFace:
        owner = partner_at(service.database, organization).organization_id
        return keys.rotate_key(service.database, owner, key, service.now())

    made = await work(service, act)
    audit(request, by, "rotate_partner_key", made.organization_id, replaced=key[:36], key_id=made.id)
    return json_answer(_made(made))


@router.post(
    "/{key}/revoke",
    operation_id="revoke_partner_key",
    response_model=PartnerKeyState,
    responses=told("The key, revoked."),
)
async def revoke_key(request: Request, organization: str, key: str, by: Operator = BY_OPERATOR) -> Response:
    """Revoke a key (by its id or prefix), at once."""
    service = service_of(request)

    def act() -> KeyOfFace:
        owner = partner_at(service.database, organization).organization_id
        return face_keys.revoke_key(service.database, keys.FACE, owner, key, service.now())

    revoked = await work(service, act)
    audit(request, by, "revoke_partner_key", revoked.organization_id, key_id=revoked.id)
    return json_answer(_state(revoked))


def _state(key: KeyOfFace) -> dict[str, Any]:
    return {
        "id": key.id,
        "label": key.label,
        "token_prefix": key.token_prefix,
        "created_at": seconds_text(key.created_at),
        "revoked_at": seconds_text(key.revoked_at) if key.revoked_at else None,
    }


def _made(key: NewKeyOfFace) -> dict[str, Any]:
    return {"id": key.id, "token_prefix": key.token_prefix, "token": key.token}

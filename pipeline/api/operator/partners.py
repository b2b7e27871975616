"""Operators' endpoints of referral partners: who is one, settings and status, rates (SC-6, SC-31, SC-44, SC-75)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request, Response

from pipeline.api.context import Service, service_of
from pipeline.api.json_answers import json_answer
from pipeline.api.operator.access import BY_OPERATOR, PREFIX, audit
from pipeline.api.operator.partner_schemas import (
    NewPartner,
    PartnerChange,
    PartnerInFull,
    PartnerList,
    RateChange,
)
from pipeline.api.operator.reading import body_of, work
from pipeline.api.operator.schemas import WITH_BODY, taken, told
from pipeline.organizations.operators import Operator
from pipeline.organizations.organizations import get_organization
from pipeline.partners import accounts, plans
from pipeline.partners.accounts import UNSET, Partner, get_partner
from pipeline.partners.landing import link_path
from pipeline.store.app_database import AppDatabase

OF_ONE = f"{PREFIX}/organizations/{{organization}}/startcap"
router = APIRouter(tags=["Referral partners"], dependencies=[BY_OPERATOR])


@router.get(
    f"{PREFIX}/startcap/partners", operation_id="list_partners", response_model=PartnerList, responses=told("All partners.")
)
async def list_all(request: Request) -> Response:
    """All partners, oldest first."""
    service = service_of(request)
    found = await work(service, accounts.list_partners, service.database)
    return json_answer({"data": [_state(partner) for partner in found]})


@router.post(
    OF_ONE,
    operation_id="create_partner",
    response_model=PartnerInFull,
    responses=told("The partner.", *WITH_BODY),
    openapi_extra=taken(NewPartner, name="Ada Partner", email="ada@acme.example"),
)
async def create(request: Request, organization: str, by: Operator = BY_OPERATOR) -> Response:
    """Make the organization a partner; one that is a partner stays as it is. Next: rates, a key, webhooks."""
    service = service_of(request)
    wanted = await body_of(request, NewPartner)

    def act() -> Partner:
        above = partner_at(service.database, wanted.upline).id if wanted.upline else None
        return accounts.create_partner(
            service.database, organization, wanted.name, wanted.email, service.now(), upline_id=above
        )

    made = await work(service, act)
    audit(request, by, "create_partner", made.organization_id, partner_id=made.id, upline_id=made.upline_id)
    return json_answer(await work(service, _in_full, service, made))


@router.get(OF_ONE, operation_id="get_partner", response_model=PartnerInFull, responses=told("The partner."))
async def show(request: Request, organization: str) -> Response:
    """One partner, with its rates."""
    service = service_of(request)
    found = await work(service, partner_at, service.database, organization)
    return json_answer(await work(service, _in_full, service, found))


@router.patch(
    OF_ONE,
    operation_id="change_partner",
    response_model=PartnerInFull,
    responses=told("The partner as it is now.", *WITH_BODY),
    openapi_extra=taken(PartnerChange, handling="full_management"),
)
async def change(request: Request, organization: str, by: Operator = BY_OPERATOR) -> Response:
    """Change settings, or activate or suspend, in force with the partner's next call."""
    service = service_of(request)
    given = (await body_of(request, PartnerChange)).model_dump(exclude_unset=True)

    def act() -> Partner:
        partner = partner_at(service.database, organization)
        changes = {name: UNSET if value is None else value for name, value in given.items() if name != "status"}
        partner = accounts.change_partner(service.database, partner.organization_id, service.now(), **changes)
        if "status" in given:
            partner = accounts.set_status(service.database, partner.organization_id, given["status"], service.now())
        return partner

    changed = await work(service, act)
    audit(request, by, "change_partner", changed.organization_id, partner_id=changed.id, **given)
    return json_answer(await work(service, _in_full, service, changed))


@router.put(
    f"{OF_ONE}/rates/{{level}}",
    operation_id="set_rate",
    response_model=PartnerInFull,
    responses=told("The partner with its rates.", *WITH_BODY),
    openapi_extra=taken(RateChange, percentage=5.0, description="Direct referral commission"),
)
async def set_rate(request: Request, organization: str, level: int, by: Operator = BY_OPERATOR) -> Response:
    """What the partner earns of leads funded from now on: at level 1 of its own, at 2 and 3 of its downline's."""
    service = service_of(request)
    wanted = await body_of(request, RateChange)

    def act() -> Partner:
        partner = partner_at(service.database, organization)
        text = wanted.description or f"Level {level} commission"
        plans.set_rate(service.database, partner.organization_id, level, Decimal(str(wanted.percentage)), text, service.now())
        return partner

    partner = await work(service, act)
    audit(request, by, "set_rate", partner.organization_id, partner_id=partner.id, level=level, percentage=wanted.percentage)
    return json_answer(await work(service, _in_full, service, partner))


def partner_at(db: AppDatabase, organization: str) -> Partner:
    """The partner that an organization (slug or id) is. Raises OrganizationUnknown, PartnerUnknown."""
    return get_partner(db, get_organization(db, organization).id)


def _state(partner: Partner) -> dict[str, Any]:
    return {
        "id": partner.id,
        "organization_id": partner.organization_id,
        "name": partner.name,
        "email": partner.email,
        "status": partner.status,
        "handling": partner.handling,
        "allows_name_marks": partner.allows_name_marks,
        "allows_territories": partner.allows_territories,
        "upline_id": partner.upline_id,
        "link": link_path(partner.click_code),
        "landing_url": partner.landing_url,
    }


def _in_full(service: Service, partner: Partner) -> dict[str, Any]:
    rates = [
        {"level": rate.level, "percentage": float(rate.percentage), "description": rate.description}
        for rate in plans.list_rates(service.database, partner.id)
    ]
    return _state(partner) | {"rates": rates}

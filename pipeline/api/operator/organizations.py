"""Operators' endpoints of organizations: plans, webhooks, thresholds of name matches."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from pipeline.api.context import Service, service_of
from pipeline.api.json_answers import json_answer
from pipeline.api.operator.access import BY_OPERATOR, PREFIX, audit
from pipeline.api.operator.reading import body_of, work
from pipeline.api.operator.schemas import (
    WITH_BODY,
    NewOrganization,
    OrganizationList,
    OrganizationState,
    PlanChange,
    ThresholdsChange,
    ThresholdsState,
    WebhookState,
    WebhookUrlChange,
    taken,
    told,
)
from pipeline.api.times import seconds_text
from pipeline.organizations.keys import get_key
from pipeline.organizations.operators import Operator
from pipeline.organizations.organizations import create_organization, get_organization, list_organizations, set_plan
from pipeline.organizations.thresholds import default_thresholds, own_thresholds, set_thresholds, thresholds_in_force
from pipeline.store.tables.organizations import Organization
from pipeline.webhooks.endpoints import get_webhook, set_webhook

router = APIRouter(prefix=f"{PREFIX}/organizations", tags=["Organizations"], dependencies=[BY_OPERATOR])


@router.get("", operation_id="list_organizations", response_model=OrganizationList, responses=told("All organizations."))
async def list_all(request: Request) -> Response:
    """All organizations, by slug."""
    service = service_of(request)

    def states() -> list[dict[str, Any]]:
        return [state_of(service, one) for one in list_organizations(service.database)]

    return json_answer({"data": await work(service, states)})


@router.post(
    "",
    operation_id="create_organization",
    response_model=OrganizationState,
    responses=told("The organization that was made.", 409, *WITH_BODY),
    openapi_extra=taken(NewOrganization, slug="acme", name="Acme Corp", plan="pro"),
)
async def create(request: Request, by: Operator = BY_OPERATOR) -> Response:
    """Make an organization. Its id follows from the slug. Next: a key."""
    service = service_of(request)
    wanted = await body_of(request, NewOrganization)
    made = await work(
        service, create_organization, service.database, wanted.slug, wanted.name or wanted.slug, service.now(), wanted.plan
    )
    audit(request, by, "create_organization", made.id, slug=made.slug, plan=made.plan)
    return json_answer(await work(service, state_of, service, made))


@router.get(
    "/{organization}", operation_id="get_organization", response_model=OrganizationState, responses=told("The organization.")
)
async def show(request: Request, organization: str) -> Response:
    """One organization, by slug or id."""
    service = service_of(request)
    found = await work(service, get_organization, service.database, organization)
    return json_answer(await work(service, state_of, service, found))


@router.patch(
    "/{organization}",
    operation_id="set_plan",
    response_model=OrganizationState,
    responses=told("The organization on its new plan.", *WITH_BODY),
    openapi_extra=taken(PlanChange, plan="pro"),
)
async def change_plan(request: Request, organization: str, by: Operator = BY_OPERATOR) -> Response:
    """Put the organization on a plan, in force with its next call."""
    service = service_of(request)
    wanted = await body_of(request, PlanChange)
    changed = await work(service, set_plan, service.database, organization, wanted.plan)
    audit(request, by, "set_plan", changed.id, plan=changed.plan)
    return json_answer(await work(service, state_of, service, changed))


@router.put(
    "/{organization}/webhook",
    operation_id="set_organization_webhook",
    response_model=WebhookState,
    responses=told("The URL in force from now on.", *WITH_BODY),
    openapi_extra=taken(WebhookUrlChange, url="https://yourapp.example.com/hooks/fundingscout"),
)
async def change_webhook(request: Request, organization: str, by: Operator = BY_OPERATOR) -> Response:
    """Set, replace or (null) clear the organization's webhook URL; the rules are those of the partners' own endpoint."""
    service = service_of(request)
    wanted = await body_of(request, WebhookUrlChange)

    def act() -> tuple[str, str | None]:
        owner = get_organization(service.database, organization)
        key_id = get_key(service.database, owner.id, wanted.key).id if wanted.key else None
        networks = service.settings.webhook_allowed_networks
        return owner.id, set_webhook(service.database, owner.id, wanted.url, key_id, service.now(), networks)

    organization_id, url = await work(service, act)
    audit(request, by, "set_webhook", organization_id, webhook_url=url)
    return json_answer({"webhook_url": url})


@router.get(
    "/{organization}/name-match",
    operation_id="get_name_match",
    response_model=ThresholdsState,
    responses=told("The thresholds in force."),
)
async def show_thresholds(request: Request, organization: str) -> Response:
    """From which score on a match by name is told, and from which a person is asked first."""
    service = service_of(request)
    found = await work(service, get_organization, service.database, organization)
    return json_answer(_thresholds(service, found))


@router.patch(
    "/{organization}/name-match",
    operation_id="set_name_match",
    response_model=ThresholdsState,
    responses=told("The thresholds in force from now on.", *WITH_BODY),
    openapi_extra=taken(ThresholdsChange, send=0.95, review=0.8),
)
async def change_thresholds(request: Request, organization: str, by: Operator = BY_OPERATOR) -> Response:
    """Change the organization's own thresholds, in force with the next match."""
    service = service_of(request)
    changes = (await body_of(request, ThresholdsChange)).model_dump(exclude_unset=True)

    def act() -> Organization:
        set_thresholds(service.database, organization, changes, default_thresholds(service.settings))
        return get_organization(service.database, organization)

    changed = await work(service, act)
    audit(request, by, "set_name_match", changed.id, **changes)
    return json_answer(_thresholds(service, changed))


def state_of(service: Service, organization: Organization) -> dict[str, Any]:
    """The organization, as told to operators."""
    return {
        "id": organization.id,
        "slug": organization.slug,
        "name": organization.name,
        "plan": organization.plan,
        "webhook_url": get_webhook(service.database, organization.id),
        "created_at": seconds_text(organization.created_at),
    }


def _thresholds(service: Service, organization: Organization) -> dict[str, Any]:
    in_force = thresholds_in_force(organization.settings, default_thresholds(service.settings))
    return {"send": in_force.send, "review": in_force.review, "own": own_thresholds(organization.settings)}

"""Leads over HTTP: validate, submit, list, get (SC-32 to SC-59)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from pipeline.api.context import Service, service_of
from pipeline.api.cursors import Cursor, cursor_text, parse_cursor
from pipeline.api.json_answers import json_answer
from pipeline.api.paths import Id
from pipeline.api.startcap.access import BY_PARTNER, COUNTED, FREE, Posted
from pipeline.api.startcap.answers import NO_LEAD, Failure, not_allowed, success
from pipeline.api.startcap.periods import period_of
from pipeline.api.startcap.schemas import Leads, LeadToSubmit, OneLead, Submitted, Validation, documented
from pipeline.organizations.secrets import SecretBox
from pipeline.partners import referrals
from pipeline.partners.accounts import Partner, funding_types
from pipeline.partners.landing import CLICK_PARAMETER
from pipeline.partners.referrals import ReferralUnknown, Shown
from pipeline.partners.stages import COARSE
from pipeline.partners.validation import Problem, Verdict, validate_lead

SETTINGS_NOTE = "You can change this in your partner portal under Settings → Lead submission & handling."  # SC-46
SETTINGS_URL = "https://www.startcap.org/app/partners/settings"
MOST_IDEMPOTENCY_CHARACTERS = 255
CURSOR = "startcap leads"
POSTED_TO = ("validate", "submit")  # paths of their own, which would be ids else
router = APIRouter(tags=["Leads"])
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{LeadToSubmit.__name__}"}}},
    }
}


@router.post(
    "/leads/validate",
    operation_id="validate_lead",
    response_model=Validation,
    responses=documented("The lead may be submitted.")
    | {400: {"model": Validation, "description": "It may not: all reasons."}},
    openapi_extra=_BODY,
)
async def validate(request: Request, posted: Posted = FREE) -> Response:
    """Would this lead be accepted, and if not, why not? Keeps nothing, and counts for nothing."""
    service = service_of(request)
    verdict = await service.run(_verdict, service, posted)
    return json_answer(_validation(verdict), 200 if verdict.is_valid else 400)


@router.post(
    "/leads/submit",
    operation_id="submit_lead",
    response_model=Submitted,
    responses=documented("The lead is yours.", 400, 429),
    openapi_extra=_BODY
    | {
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Extension: a repeat with the same key gets the first answer, and makes no second lead.",
                "schema": {"type": "string", "maxLength": MOST_IDEMPOTENCY_CHARACTERS},
            }
        ]
    },
)
async def submit(request: Request, posted: Posted = COUNTED) -> Response:
    """Submit one lead. An error names the first thing that is wrong; validate names all."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= MOST_IDEMPOTENCY_CHARACTERS:
        raise Failure(400, f"Header 'Idempotency-Key' must have 1 to {MOST_IDEMPOTENCY_CHARACTERS} characters")
    service = service_of(request)
    return await service.run(_submit, request, service, posted, key)


@router.get(
    "/leads",
    operation_id="list_leads",
    response_model=Leads,
    responses=documented("The leads you submitted, newest first.", 400, 429),
)
async def list_(
    request: Request,
    start_date: Annotated[str | None, Query(description="From this day on, YYYY-MM-DD, UTC.")] = None,
    end_date: Annotated[str | None, Query(description="To the end of this day.")] = None,
    status: Annotated[str | None, Query(description="Coarse status: click, lead, application, funded.")] = None,
    limit: Annotated[int | None, Query(ge=1, le=1_000, description="Extension: at most so many.")] = None,
    cursor: Annotated[str | None, Query(description="Extension: `next_cursor` of the answer before.")] = None,
    partner: Partner = BY_PARTNER,
) -> Response:
    """All leads you submitted; with `limit`, a page of them and `next_cursor` while there are more."""
    period = period_of(start_date, end_date)
    status = status or None  # as a form's empty field
    if status is not None and status not in COARSE:
        raise Failure(400, f"Parameter 'status' must be one of: {', '.join(COARSE)}")
    service = service_of(request)
    more = None if limit is None else limit + 1
    found = await service.run(
        referrals.list_leads, service.database, box_of(request), partner.id, period, status, more, _after(cursor)
    )
    page = found if limit is None else found[:limit]
    rest = {}
    if len(page) < len(found):
        last = page[-1]
        rest["next_cursor"] = cursor_text(CURSOR, Cursor(last.created_at, last.reference_id.partition("-")[2], {}))
    return success(leads=[_lead(row) for row in page], **rest)


@router.get(
    "/leads/{id}",
    operation_id="get_lead",
    response_model=OneLead,
    responses=documented("The lead, and its quotes where it has any.", 404, 429),
)
async def get(request: Request, reference_id: Id, partner: Partner = BY_PARTNER) -> Response:
    """One lead you submitted, by its reference id."""
    if reference_id in POSTED_TO:
        raise not_allowed(request)
    service = service_of(request)
    try:
        found = await service.run(referrals.get_lead, service.database, box_of(request), partner.id, reference_id)
    except ReferralUnknown:
        raise Failure(404, NO_LEAD) from None
    quotes = {"quotes": list(found.quotes)} if found.quotes else {}
    return success(lead=_lead(found) | {"updated_at": rest_time(found.updated_at)}, **quotes)


def box_of(request: Request) -> SecretBox:
    """What opens persons: made once, when the first request needs it."""
    state = request.app.state
    if not hasattr(state, "box"):
        state.box = SecretBox.open(service_of(request).settings)
    box: SecretBox = state.box
    return box


def rest_time(instant: Any) -> str:
    """``instant`` as this face's REST answers have it: UTC, without a zone (A-SC-19)."""
    return f"{instant:%Y-%m-%d %H:%M:%S}"


def statuses(row: Shown) -> dict[str, Any]:
    """What leads and referrals share."""
    return {
        "status": row.status,
        "application_status": row.application_status,
        "effective_status": row.effective_status,
        "created_at": rest_time(row.created_at),
    }


def _lead(row: Shown) -> dict[str, Any]:
    return {"reference_id": row.reference_id} | row.fields | statuses(row)


def _verdict(service: Service, posted: Posted) -> Verdict:
    rules = posted.partner.rules(funding_types(service.database))
    return validate_lead(posted.body, rules, service.now().date())


def _validation(verdict: Verdict) -> dict[str, Any]:
    def here(problems: tuple[Problem, ...], field: str) -> list[str]:
        return [problem.here for problem in problems if problem.field == field]

    return {
        "valid": verdict.is_valid,
        "message": "Lead data is valid" if verdict.is_valid else "Lead data has validation errors",
        "errors": [problem.message for problem in verdict.problems],
        "warnings": [problem.message for problem in verdict.warnings],
        "field_validations": {
            field: {
                "field": field,
                "valid": not here(verdict.problems, field),
                "errors": here(verdict.problems, field),
                "warnings": here(verdict.warnings, field),
            }
            for field in verdict.checked
        },
        "data_received": verdict.received,
    }


def _submit(request: Request, service: Service, posted: Posted, key: str | None) -> Response:
    verdict = _verdict(service, posted)
    if not verdict.is_valid:
        first = verdict.problems[0]
        more = {"settings_note": SETTINGS_NOTE, "settings_url": SETTINGS_URL} if first.is_managed else {}
        raise Failure(400, first.message, more=more)
    number, reference = referrals.submit_lead(
        service.database,
        box_of(request),
        posted.partner,
        verdict.clean,
        service.now(),
        idempotency_key=key,
        click=posted.body.get(CLICK_PARAMETER),
    )
    return success(lead_id=number, reference_id=reference)


def _after(text: str | None) -> int | None:
    if text is None:
        return None
    cursor = parse_cursor(CURSOR, text)
    if cursor is None or not (cursor.id.isascii() and cursor.id.isdecimal() and len(cursor.id) < 19):
        raise Failure(400, "Parameter 'cursor' is none of ours")
    return int(cursor.id)

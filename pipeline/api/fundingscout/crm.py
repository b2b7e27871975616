"""POST and DELETE of accounts and contacts (FS-8 to FS-24, FSV-3 to FSV-6, A-FS-1, A-FS-3, A-FS-15).

A batch is written as a whole, in one transaction, less the rows that can't be used. A row is a full snapshot: an optional
field that is left out is empty from then on.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from pipeline.api.bodies import invalid_json, json_text
from pipeline.api.context import Service, service_of
from pipeline.api.errors import ApiError
from pipeline.api.fundingscout.access import PREFIX, Caller, admit_for
from pipeline.api.fundingscout.schemas import WITH_BODY, Accounts, Contacts, Deleted, Upserted, documented, request_body
from pipeline.api.json_answers import json_answer
from pipeline.crm.batches import plain_rows
from pipeline.crm.json_text import JsonRow, rows_of_member
from pipeline.crm.rows import PARSERS, Row
from pipeline.crm.upsert import CHUNK, upsert_chunk
from pipeline.webhooks.deletions import delete_row

MOST_ROWS = CHUNK  # FS-11
MEMBERS = {"account": "accounts", "contact": "contacts"}

NO_ID = {"missing_param": "Name the account to delete: ?external_id=…."}
ACCOUNTS_SENT = {
    "rows of two of your customers": {
        "accounts": [
            {
                "external_id": "vc42-vellum",
                "name": "Vellum AI",
                "domain": "vellum.ai",
                "metadata": {"partner_customer_id": "vc_42", "owner_email": "ana@vc42.example"},
            },
            {"external_id": "vc7-oakmill", "name": "Oakmill", "metadata": {"partner_customer_id": "vc_7"}},
        ]
    },
    "the least there may be": {"accounts": [{"external_id": "1", "name": "Oakmill"}]},
}
CONTACTS_SENT = {
    "a person at an account": {
        "contacts": [
            {
                "external_id": "003C",
                "email": "jo@vellum.ai",
                "first_name": "Jo",
                "last_name": "Ray",
                "account_external_id": "vc42-vellum",
                "metadata": {"partner_customer_id": "vc_42"},
            }
        ]
    },
}

router = APIRouter(prefix=PREFIX, tags=["CRM"])
ExternalId = Annotated[str | None, Query(description="Your id of the row.", examples=["vc42-vellum"])]


@router.post(
    "/accounts",
    operation_id="crm_accounts_upsert",
    response_model=Upserted,
    responses=documented("Rows that could be used are stored; the others are in `errors`.", *WITH_BODY, batch=True),
    openapi_extra=request_body(Accounts, ACCOUNTS_SENT),
)
async def push_accounts(request: Request, caller: Caller = admit_for("crm_accounts_upsert")) -> Response:
    """Push up to 1,000 accounts. The same `external_id` again updates the row; nothing is ever deleted by absence.

    400: `invalid_json`, `invalid_body` (no `accounts` array, or no row of it can be used), `batch_too_large`.
    """
    return await _push(request, caller, "account")


@router.post(
    "/contacts",
    operation_id="crm_contacts_upsert",
    response_model=Upserted,
    responses=documented("Rows that could be used are stored; the others are in `errors`.", *WITH_BODY, batch=True),
    openapi_extra=request_body(Contacts, CONTACTS_SENT),
)
async def push_contacts(request: Request, caller: Caller = admit_for("crm_contacts_upsert")) -> Response:
    """Push up to 1,000 contacts; the rules are those of accounts."""
    return await _push(request, caller, "contact")


@router.delete(
    "/accounts",
    operation_id="crm_accounts_delete",
    response_model=Deleted,
    responses=documented("1, or 0 where you have no such account.", bad=NO_ID),
)
async def delete_account(
    request: Request, external_id: ExternalId = None, caller: Caller = admit_for("crm_accounts_delete")
) -> Response:
    """Delete one account at once. Its matches leave the feed, and what was still to be sent of them is not sent.

    Contacts keep their link to it. 400: `missing_param`.
    """
    return await _delete(request, caller, "account", external_id)


@router.delete(
    "/contacts",
    operation_id="crm_contacts_delete",
    response_model=Deleted,
    responses=documented("1, or 0 where you have no such contact.", bad=NO_ID),
)
async def delete_contact(
    request: Request, external_id: ExternalId = None, caller: Caller = admit_for("crm_contacts_delete")
) -> Response:
    """Delete one contact at once and for good. Matches by its e-mail leave the feed. 400: `missing_param`."""
    return await _delete(request, caller, "contact", external_id)


async def _push(request: Request, caller: Caller, kind: str) -> Response:
    service = service_of(request)
    async with json_text(request) as text:
        return await service.run(_store, service, caller, kind, text)


async def _delete(request: Request, caller: Caller, kind: str, external_id: str | None) -> Response:
    service = service_of(request)
    if not external_id:
        raise ApiError(400, "missing_param", f"Name the {kind} to delete: ?external_id=….")
    gone = await service.run(delete_row, service.database, kind, caller.organization_id, external_id, service.now())
    return json_answer({"deleted": int(gone)})


def _store(service: Service, caller: Caller, kind: str, text: str) -> Response:
    rows, errors = _read(kind, text)
    service.metrics.rows.labels(kind, "refused").inc(len(errors))
    if errors and not rows:
        raise ApiError(
            400, "invalid_body", f"None of the {len(errors)} rows can be used; errors says why.",
            more={"upserted": 0, "errors": errors},
        )  # fmt: skip
    if rows:
        with service.database.write() as session:
            report = upsert_chunk(service.database, session, kind, caller.organization_id, rows, service.now())
        service.metrics.rows.labels(kind, "unchanged").inc(report.unchanged)
        service.metrics.rows.labels(kind, "changed").inc(report.upserted - report.unchanged)
    return json_answer({"upserted": len(rows), "errors": errors})


def _read(kind: str, text: str) -> tuple[list[Row], list[dict[str, object]]]:
    plain = plain_rows(kind, text)
    if plain is not None and len(plain) <= MOST_ROWS:
        return plain, []
    return _sorted_out(kind, _batch(kind, text))


def _batch(kind: str, text: str) -> list[object]:
    member = MEMBERS[kind]
    try:
        rows = rows_of_member(text, member)
    except ValueError as error:
        raise invalid_json(str(error)) from None
    if rows is None:
        raise ApiError(400, "invalid_body", f'The body must be an object with an array "{member}": {{"{member}": [ … ]}}.')
    if len(rows) > MOST_ROWS:
        raise ApiError(
            400,
            "batch_too_large",
            f"A call takes at most {MOST_ROWS:,} {member}, this one has {len(rows):,}. Nothing was stored.",
        )
    return rows


def _sorted_out(kind: str, batch: list[object]) -> tuple[list[Row], list[dict[str, object]]]:
    """The rows that can be used, and for each other one its place and why, all reasons in one text."""
    rows: list[Row] = []
    errors: list[dict[str, object]] = []
    for index, raw in enumerate(batch):
        parsed = PARSERS[kind](raw, raw.metadata_text if isinstance(raw, JsonRow) else None)
        if isinstance(parsed, list):
            errors.append({"index": index, "error": "; ".join(parsed)})
        else:
            rows.append(parsed)
    return rows, errors

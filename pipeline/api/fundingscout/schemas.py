"""The shapes of requests, answers and errors, for the OpenAPI document; and what stands in all answers alike."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

JsonObject = dict[str, Any]


class ErrorDetail(BaseModel):
    """What went wrong: a slug for programs, a sentence for people."""

    code: str = Field(examples=["invalid_or_revoked_key"])
    message: str = Field(examples=["This API key is not recognized or has been revoked."])


class RowError(BaseModel):
    """A row that was not taken, by its place in the array that was sent (from 0)."""

    index: int = Field(ge=0)
    error: str = Field(examples=["external_id is required and must be a non-empty string"])


class ErrorBody(BaseModel):
    """The body of every error."""

    error: ErrorDetail


class BatchErrorBody(ErrorBody):
    """The body of a 400. When every row of a batch was refused it lists the rows, as the 200 does."""

    upserted: int | None = Field(None, description="0; only where every row was refused.")
    errors: list[RowError] | None = Field(None, description="Only where every row was refused.")


class Account(BaseModel):
    """A company in your CRM. What you leave out is empty from then on: a row is a full snapshot, not a patch."""

    model_config = ConfigDict(extra="allow")

    external_id: str = Field(
        min_length=1, max_length=255, description="Your id of it. The same id again updates the row.", examples=["vc42-vellum"]
    )
    name: str = Field(min_length=1, max_length=1_000, examples=["Vellum AI"])
    domain: str | None = Field(None, max_length=2_048, description="Its website or domain, in any spelling.")
    metadata: JsonObject | None = Field(
        None,
        description="Yours; we don't look at it. Comes back exactly as you sent it. At most 65,536 characters.",
        examples=[{"partner_customer_id": "vc_42"}],
    )


class Accounts(BaseModel):
    """A batch of accounts."""

    accounts: list[Account] = Field(max_length=1_000)


class Contact(BaseModel):
    """A person in your CRM. What you leave out is empty from then on: a row is a full snapshot, not a patch."""

    model_config = ConfigDict(extra="allow")

    external_id: str = Field(min_length=1, max_length=255, examples=["003C"])
    email: str | None = Field(None, max_length=320, description="Free-mail addresses never match.")
    first_name: str | None = Field(None, max_length=255)
    last_name: str | None = Field(None, max_length=255)
    account_external_id: str | None = Field(None, max_length=255, description="The account it belongs to; need not exist.")
    metadata: JsonObject | None = Field(None, description="As for accounts; comes back as `contact_metadata`.")


class Contacts(BaseModel):
    """A batch of contacts."""

    contacts: list[Contact] = Field(max_length=1_000)


class Upserted(BaseModel):
    """``upserted``: rows sent less rows in ``errors``."""

    upserted: int = Field(ge=0, examples=[3])
    errors: list[RowError]


class Deleted(BaseModel):
    """How many rows are gone: 1, or 0 where there was none of this id."""

    deleted: Literal[0, 1]


class WebhookChange(BaseModel):
    """The URL to send to; null or an empty text for pull-only."""

    url: str | None = Field(max_length=2_048, examples=["https://yourapp.example.com/hooks/fundingscout"])


class Webhook(BaseModel):
    """The URL in force, null in pull-only mode."""

    webhook_url: str | None = Field(examples=["https://yourapp.example.com/hooks/fundingscout"])


class FundingRound(BaseModel):
    """A funding round. Null where no source says."""

    id: str
    company_name: str | None
    amount_usd: int | None = Field(description="Whole US dollars.")
    funding_type: str | None = Field(examples=["series-a"])
    website: str | None
    article_url: str | None
    article_title: str | None
    published_date: str | None = Field(examples=["2026-05-12"])
    industry: str | None
    location: str | None
    location_country: str | None = Field(examples=["US"])
    lead_investor: str | None
    investors: list[str]
    confidence_score: float | None = Field(ge=0, le=1)


class FundingRoundWithCeo(FundingRound):
    """A funding round as a webhook tells it."""

    ceo_name: str | None
    ceo_email: str | None
    ceo_linkedin_url: str | None


class PublicRound(FundingRound):
    """A funding round; its CEO contact is had from POST /rounds/{id}/contact."""

    has_ceo_contact: bool


class Matched(BaseModel):
    """The CRM row of yours that the round is about."""

    account_external_id: str | None
    contact_external_id: str | None = Field(description="Set when `match_type` is `email_domain`.")
    account_metadata: JsonObject | None
    contact_metadata: JsonObject | None


MatchTypeName = Literal["account_domain", "email_domain", "account_name"]
StatusName = Literal["pending", "delivered", "failed", "no_webhook"]


class MatchedBy(Matched):
    """One of several rows that matched the same round."""

    match_type: MatchTypeName


class MatchItem(BaseModel):
    """A match and what became of its webhook."""

    match_id: str
    match_type: MatchTypeName
    matched: Matched
    all_matches: list[MatchedBy] | None = Field(None, description="Every row of yours that matched, best first.")
    webhook_status: StatusName
    webhook_response_code: int | None
    webhook_response_body: str | None = Field(description="How your receiver's answer began.")
    webhook_failure_reason: str | None = Field(examples=["timeout"])
    delivered_at: str | None = Field(examples=["2026-05-12T01:54:01Z"])
    created_at: str = Field(examples=["2026-05-12T01:54:00.123456Z"])
    funding_round: FundingRoundWithCeo


class MatchPage(BaseModel):
    """Matches, newest first. ``next_cursor``, given back as ``since``, continues; null on the last page."""

    data: list[MatchItem]
    next_cursor: str | None


class RoundPage(BaseModel):
    """Rounds, newest first. ``next_cursor``, given back as ``cursor``, continues; null on the last page."""

    data: list[PublicRound]
    next_cursor: str | None


class RoundAnswer(BaseModel):
    """One round."""

    data: PublicRound


class CeoContact(BaseModel):
    """Whom to write to. Null where no source says."""

    funding_round_id: str
    ceo_name: str | None
    ceo_email: str | None
    ceo_linkedin_url: str | None


class CeoContactAnswer(BaseModel):
    """One CEO contact."""

    data: CeoContact


class Company(BaseModel):
    """A company that raised money, and its newest round."""

    company_name: str
    website: str | None
    rounds: int = Field(ge=1)
    latest_round_id: str
    latest_published_date: str | None


class Companies(BaseModel):
    """Companies, best first."""

    data: list[Company]


class QuotaState(BaseModel):
    """One operation's calls today (UTC). ``limit`` and ``remaining`` null: no limit."""

    limit: int | None
    used: int
    remaining: int | None


class WhoAmI(BaseModel):
    """The key that calls, whose it is, and what it may still do today."""

    organization: str
    plan: str
    key_prefix: str
    quotas: dict[str, QuotaState]
    quotas_reset_at: str


RATE_HEADERS: JsonObject = {
    "X-RateLimit-Limit": {"description": "Calls a day, or `unlimited`.", "schema": {"type": "string"}},
    "X-RateLimit-Remaining": {"description": "Calls left today; absent without a limit.", "schema": {"type": "string"}},
    "X-RateLimit-Reset": {"description": "When the count starts anew, in Unix seconds.", "schema": {"type": "string"}},
    "X-Request-ID": {"description": "Names this request in our logs.", "schema": {"type": "string"}},
}
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string"}}}

# What each status is for, and its codes with a message as it is sent.
_ERRORS: dict[int, tuple[str, dict[str, str]]] = {
    400: (
        "`invalid_param`.",
        {"invalid_param": "since must be a time (RFC 3339, such as 2026-05-15T00:00:00Z) or a cursor."},
    ),
    401: (
        "`missing_authorization`, `invalid_key_format` or `invalid_or_revoked_key`.",
        {
            "missing_authorization": "Send your API key in the header Authorization: Bearer fs_live_….",
            "invalid_key_format": "An API key starts with fs_live_.",
            "invalid_or_revoked_key": "This API key is not recognized or has been revoked.",
        },
    ),
    403: (
        "`pro_required`: the organization's plan has no API.",
        {"pro_required": "The API comes with the Pro plan; Acme Corp is on the basic plan."},
    ),
    404: ("`not_found`.", {"not_found": "There is no such round."}),
    408: (
        "`request_timeout`: the body took too long.",
        {"request_timeout": "The body did not arrive within 30 seconds, or nothing of it for 5."},
    ),
    413: (
        "`body_too_large`.",
        {"body_too_large": "The request body is larger than 8,000,000 bytes; send fewer rows per call."},
    ),
    415: (
        "`unsupported_media_type`: not JSON in UTF-8, or compressed.",
        {"unsupported_media_type": "Send JSON, with Content-Type: application/json."},
    ),
    429: (
        "`quota_exceeded`: the day's calls are used up.",
        {
            "quota_exceeded": "The daily quota of 100 calls of crm_accounts_upsert is used up. It starts anew at 00:00 UTC.",
        },
    ),
    500: (
        "`db_error`, `auth_lookup_failed`, `profile_lookup_failed` or `internal_error`. Try again.",
        {
            "db_error": "The database could not be asked. Nothing was changed; try again in a moment.",
            "auth_lookup_failed": "The database could not be asked. Nothing was changed; try again in a moment.",
            "profile_lookup_failed": "The database could not be asked. Nothing was changed; try again in a moment.",
            "internal_error": "Something went wrong on our side. The X-Request-ID of this answer helps us find it.",
        },
    ),
    503: (
        "`overloaded`. Try again.",
        {"overloaded": "The service has more requests than it can handle; try again."},
    ),
}
# Of a body that can't be used.
_OF_BODIES = {
    "invalid_json": "The request body is not valid JSON: expected ',' at character 41.",
    "invalid_body": "The body is JSON of another shape than this call takes.",
}
_OF_BATCHES = _OF_BODIES | {
    "batch_too_large": "A call takes at most 1,000 accounts, this one has 1,001. Nothing was stored.",
}
WITH_BODY = (408, 413, 415)


def documented(ok: str, *more: int, batch: bool = False, bad: dict[str, str] | None = None) -> dict[int | str, JsonObject]:
    """The ``responses`` of an endpoint: what its 200 is, and the errors that all have or that ``more`` names.

    ``bad``: codes of a 400 of its own, with a message as it is sent.
    """
    responses: dict[int | str, JsonObject] = {200: {"description": ok, "headers": RATE_HEADERS}}
    for status in sorted({400, 401, 403, 429, 500, 503, *more}):
        model = BatchErrorBody if batch and status == 400 else ErrorBody
        text, codes = _ERRORS[status]
        if status == 400:
            of_body = _OF_BATCHES if batch else _OF_BODIES if set(WITH_BODY) <= set(more) else {}
            codes = of_body | (bad or {}) | ({} if of_body else codes)
            text = f"{', '.join(f'`{code}`' for code in codes)}."
        examples = {code: {"value": {"error": {"code": code, "message": message}}} for code, message in codes.items()}
        responses[status] = {"model": model, "description": text, "content": {"application/json": {"examples": examples}}}
        if status in (429, 503):
            responses[status]["headers"] = _RETRY
    return responses


def request_body(model: type[BaseModel], examples: dict[str, Any]) -> JsonObject:
    """``openapi_extra`` for an endpoint that reads its body by itself; the model is only described.

    ``examples``: bodies as they may be sent, by what they show.
    """
    shown = {name: {"value": value} for name, value in examples.items()}
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema, "examples": shown}}}}

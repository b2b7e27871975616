"""The shapes of the operators' API: what it takes, and what it answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pipeline.api.fundingscout.schemas import ErrorBody, JsonObject, QuotaState
from pipeline.crm.rows import text_problem

PlanName = Literal["free", "basic", "pro", "wholesale"]  # as organizations.PLANS


def _storable(text: str) -> str:
    problem = text_problem(text)
    if problem:
        raise ValueError(problem)
    return text


Text = Annotated[str, Field(min_length=1, max_length=255, pattern=r"\S"), AfterValidator(_storable)]


class Taken(BaseModel):
    """A body that is read: nothing in it may be unknown, so that a misspelt setting is told and not passed over."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NewOrganization(Taken):
    """An organization to be made."""

    slug: str = Field(
        pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$", description="Its short name, for good.", examples=["acme"]
    )
    name: Text | None = Field(None, description="What people call it; the slug when left out.", examples=["Acme Corp"])
    plan: PlanName = Field("pro", description="`pro` and `wholesale` open the API.")


class PlanChange(Taken):
    """The plan to put an organization on, in force with its next call."""

    plan: PlanName = Field(examples=["pro"])


class NewKey(Taken):
    """A key to be made."""

    label: Text = Field("default", description="What it is for.", examples=["production"])


class Rotation(Taken):
    """How a webhook secret is to be rotated."""

    overlap_hours: float = Field(
        0, ge=0, le=24 * 365, allow_inf_nan=False, description="So long the old secret signs beside the new one.", examples=[24]
    )


class QuotaChange(Taken):
    """A key's own limit."""

    limit: int | None = Field(ge=0, le=2**53, description="Calls a day; null lifts the limit.", examples=[1_000])


class WebhookUrlChange(Taken):
    """Where the organization is told; null for pull-only."""

    url: str | None = Field(max_length=2_048, examples=["https://yourapp.example.com/hooks/fundingscout"])
    key: Text | None = Field(
        None, description="Id or prefix of the key whose secret signs; the newest active one when left out."
    )


class ThresholdsChange(Taken):
    """Thresholds of name matches. What is left out stays; null takes the installation's again."""

    send: float | None = Field(
        None, ge=0, le=1, allow_inf_nan=False, description="From this score on it is told.", examples=[0.9]
    )
    review: float | None = Field(
        None, ge=0, le=1, allow_inf_nan=False, description="From this score on a person is asked.", examples=[0.7]
    )


class OrganizationState(BaseModel):
    """A partner's organization."""

    id: str
    slug: str = Field(examples=["acme"])
    name: str = Field(examples=["Acme Corp"])
    plan: str = Field(examples=["pro"])
    webhook_url: str | None
    created_at: str = Field(examples=["2026-05-12T01:54:00Z"])


class OrganizationList(BaseModel):
    """All organizations, by slug."""

    data: list[OrganizationState]


class KeyState(BaseModel):
    """A key, without its token and secret: these were shown once."""

    id: str
    label: str
    token_prefix: str = Field(examples=["fs_live_a1b2"])
    created_at: str
    revoked_at: str | None
    quotas: dict[str, int | None] = Field(description="Limits of its own by operation; null: none.")


class KeyList(BaseModel):
    """The organization's keys, oldest first; revoked ones stay listed."""

    data: list[KeyState]


class MadeKey(BaseModel):
    """A new key. Token and secret are not shown again."""

    id: str
    label: str
    token: str = Field(examples=["fs_live_…"])
    webhook_secret: str = Field(examples=["fs_whsec_…"])


class RotatedSecret(BaseModel):
    """A new webhook secret. It is not shown again."""

    webhook_secret: str = Field(examples=["fs_whsec_…"])


class KeyQuotas(BaseModel):
    """What the key may do a day, and what of it is used today (UTC), by operation."""

    data: dict[str, QuotaState]
    quotas_reset_at: str


class WebhookState(BaseModel):
    """Where the organization is told; null for pull-only."""

    webhook_url: str | None


class ThresholdsState(BaseModel):
    """Thresholds of name matches: in force, and the organization's own."""

    send: float
    review: float
    own: dict[str, float]


_ERRORS: dict[int, tuple[str, str, str]] = {
    400: ("`invalid_json`, `invalid_body`, `invalid_param` or `invalid_url`.", "invalid_body", "plan must be one of …"),
    401: (
        "`missing_authorization` or `invalid_or_revoked_token`.",
        "invalid_or_revoked_token",
        "This operator token is not recognized or has been revoked.",
    ),
    404: ("`not_found`; also while no operator has a token.", "not_found", "There is no such organization."),
    408: ("`request_timeout`: the body took too long.", "request_timeout", "The body did not arrive within 30 seconds."),
    409: ("`organization_exists`.", "organization_exists", "An organization 'acme' exists already."),
    413: ("`body_too_large`.", "body_too_large", "The request body is larger than 8,000,000 bytes."),
    415: ("`unsupported_media_type`.", "unsupported_media_type", "Send JSON, with Content-Type: application/json."),
    500: ("`db_error` or `internal_error`. Try again.", "db_error", "The database could not be asked."),
    503: ("`overloaded`. Try again.", "overloaded", "The service has more requests than it can handle; try again."),
}
_REQUEST_ID = {"X-Request-ID": {"description": "Names this request in our logs.", "schema": {"type": "string"}}}
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string"}}}


def told(ok: str, *more: int) -> dict[int | str, JsonObject]:
    """The ``responses`` of an endpoint: what its 200 is, and its errors."""
    responses: dict[int | str, JsonObject] = {200: {"description": ok, "headers": _REQUEST_ID}}
    for status in sorted({400, 401, 404, 500, 503, *more}):
        text, code, message = _ERRORS[status]
        example = {"error": {"code": code, "message": message}}
        responses[status] = {
            "model": ErrorBody,
            "description": text,
            "content": {"application/json": {"example": example}},
        }
        if status == 503:
            responses[status]["headers"] = _RETRY
    return responses


WITH_BODY = (408, 413, 415)
TAKEN: tuple[type[Taken], ...] = (
    NewOrganization, PlanChange, NewKey, Rotation, QuotaChange, WebhookUrlChange, ThresholdsChange,
)  # fmt: skip


def taken(model: type[Taken], **example: Any) -> dict[str, Any]:
    """``openapi_extra`` for an endpoint that reads its body by itself; ``example`` is a body as it may be sent."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}}

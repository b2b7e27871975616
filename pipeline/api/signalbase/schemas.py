"""What goes in and out under /api/v2, as the OpenAPI document shows it (SB-22 to SB-32, A-SB-25, A-SB-35).

These models describe; requests are read by requests.py, which knows both spellings of names.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")
Instant = Annotated[str, Field(description="ISO-8601, UTC, milliseconds.", examples=["2026-05-29T10:30:00.000Z"])]
EventName = Literal[
    "funding.created", "acquisition.created", "job_change.created", "hiring.created", "new_company.created", "investor.created",
    "system.test",
]  # fmt: skip
Url = Annotated[
    str, Field(max_length=500, description="HTTP or HTTPS, a public address.", examples=["https://example.com/hook"])
]
Filters = Annotated[
    dict[str, str],
    Field(
        description="countries, categories, search, teamSize, dateFrom, dateTo, funding, roundFlavor, fundingAmount,"
        " acquisitionAmount, healthScore. Other keys narrow nothing and are named in `meta.warnings`.",
        examples=[{"countries": "US,GB", "funding": "seed,series a"}],
    ),
]


class Described(BaseModel):
    """A model that describes."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class NewWebhook(Described):
    """A webhook to be made. camelCase names (endpointUrl, eventTypes) are read too; where both are there, snake_case counts."""

    endpoint_url: Url
    event_types: Annotated[list[EventName], Field(min_length=1, description="Duplicates are removed.")]
    filters: Filters | None = None


class WebhookUpdate(Described):
    """What is to change; what is absent stays. camelCase names (rotateSecret, …) are read too."""

    endpoint_url: Url | None = None
    event_types: Annotated[list[EventName] | None, Field(min_length=1, description="Replaces the list.")] = None
    filters: Annotated[Filters | None, Field(description="Replaces all filters; `{}` removes them.")] = None
    active: Annotated[bool | None, Field(description="`false` pauses; `true` revives, also a deleted webhook.")] = None
    rotate_secret: Annotated[
        bool | None, Field(description="`true` makes a new secret; the old one signs nothing any more.")
    ] = None


class PreviewRequest(Described):
    """A subscription to be tried. camelCase names (eventTypes) are read too."""

    event_types: Annotated[list[EventName], Field(min_length=1)]
    filters: Filters | None = None


class PreviewExample(Described):
    """A signal that would have been delivered."""

    signal_id: str
    event_type: str
    occurred_at: Instant
    company_name: str | None
    country: str | None
    round_type: str | None
    amount: Annotated[int | None, Field(description="Whole units of `currency`.")]
    currency: str | None


class PreviewAnswer(Described):
    """What the subscription would have been told. Not ``complete``: there were more signals than are looked at."""

    days: int
    scanned: int
    complete: bool
    matching: int
    matching_by_event_type: dict[str, int]
    examples: list[PreviewExample]


class Stats(Described):
    """Attempts by their outcome."""

    total_deliveries: int
    successful_deliveries: int
    failed_deliveries: int
    last_success_at: Instant | None
    last_failure_at: Instant | None
    consecutive_failures: int


class WebhookBase(Described):
    """A webhook."""

    id: str
    endpoint_url: str
    event_types: list[EventName]
    filters: Filters
    active: bool
    created_at: Instant
    updated_at: Instant
    last_modified_by: str | None
    last_modified_via: Literal["api", "dashboard"] | None
    stats: Stats


class WebhookWithSecret(WebhookBase):
    """A webhook whose secret was just made. It is shown this once."""

    secret: str


class WebhookShown(WebhookBase):
    """A webhook as it is shown ever after."""

    secret_preview: Annotated[str, Field(description="… and the secret's last four characters.")]


class Deleted(Described):
    """A webhook that is told of nothing any more."""

    success: bool
    id: str
    active: Literal[False]


class Tested(Described):
    """What came of a test event. ``success`` tells whether your endpoint took it."""

    success: bool
    delivery_id: str
    event_id: str
    event_type: Literal["system.test"]
    response_status: Annotated[int, Field(description="0: no answer came.")]
    response_body: str


class DeliveryShown(Described):
    """One delivery of one event to one webhook."""

    id: str
    event_type: str
    event_id: str
    status: Literal["done", "failed", "pending", "skipped"]
    response_status: Annotated[int | None, Field(description="0: no answer came; null: no outcome yet.")]
    response_body: Annotated[str | None, Field(description="The first 1,000 characters.")]
    attempt_count: Annotated[int, Field(ge=1)]
    delivered_at: Instant | None
    failed_at: Instant | None
    created_at: Instant


class Retried(Described):
    """What came of a retry: a delivery of its own, with the same event id and bytes."""

    delivery_id: str
    previous_delivery_id: str
    status: Literal["done", "failed", "pending"]
    response_status: int
    attempt_count: Annotated[int, Field(ge=2)]
    success: bool


class OffsetPagination(Described):
    """Where a page of webhooks stands. ``count``: webhooks on it."""

    limit: int
    offset: int
    count: int


class CursorPagination(Described):
    """How to go on; null on the last page."""

    next_cursor: str | None
    limit: int


class Meta(Described):
    """The operation, and what it cost."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    endpoint: str
    creditsUsed: int  # noqa: N815 - as callers read it
    warnings: Annotated[
        list[str] | None, Field(description="Filters that narrow nothing. Only there where there are some.")
    ] = None


class Answer(Described, Generic[T]):
    """Success."""

    success: Literal[True]
    data: T
    meta: Meta


class OffsetPage(Answer[list[T]], Generic[T]):
    """A page by offset."""

    pagination: OffsetPagination


class CursorPage(Answer[list[T]], Generic[T]):
    """A page by cursor."""

    pagination: CursorPagination


class ErrorAnswer(Described):
    """Failure. ``retryAfter``: whole seconds, with 429 alone."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    success: Literal[False]
    error: str
    code: str
    retryAfter: int | None = None  # noqa: N815 - as callers read it


_RATE = {
    "X-RateLimit-Limit": {"description": "Calls of this operation a minute.", "schema": {"type": "string"}},
    "X-RateLimit-Remaining": {"description": "Calls left in this minute.", "schema": {"type": "string"}},
    "X-RateLimit-Reset": {"description": "When the next minute begins (Unix seconds).", "schema": {"type": "string"}},
}
_FAILURES: dict[int, str] = {
    400: "What was sent can't be used (`bad_request`).",
    401: "No key, or one that is not known (`invalid_api_key`).",
    402: "The team has no credit left (`insufficient_credits`).",
    403: "The team has no active subscription (`subscription_expired`).",
    404: "There is no such webhook or delivery (`not_found`).",
    409: "The event was delivered already, or is on its way (`conflict`).",
    429: "Too many calls in this minute (`rate_limited`). `Retry-After` says for how long.",
    500: "A mistake of ours (`internal_error`).",
    503: "More is asked at once than can be handled; try again (`internal_error`).",
}


def documented(text: str, *more: int, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The answers of an operation: success as ``text`` says, and the failures that all have, with ``more``."""
    answers: dict[int | str, dict[str, Any]] = {status: {"description": text, "headers": _RATE}}
    for code in sorted({400, 401, 403, 429, 500, 503, *more}):
        answers[code] = {"model": ErrorAnswer, "description": _FAILURES[code]}
        if code == 429:
            answers[code]["headers"] = _RATE | {"Retry-After": {"schema": {"type": "string"}}}
    return answers


def request_body(model: type[BaseModel], required: bool = True) -> dict[str, Any]:
    """The body of an operation that reads it itself."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": schema}}}}

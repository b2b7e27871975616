"""Monitors and what they watch, as the OpenAPI document shows them (vendor facts, section 7)."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import ConfigDict, Field

from pipeline.api.signalbase.schemas import Answer, Described, Instant, Url

T = TypeVar("T")
SignalType = Literal["funding_round", "acquisition", "job_change", "hiring"]
Status = Literal["resolved", "pending"]
Name = Annotated[str, Field(min_length=1, max_length=255)]
Texts = Annotated[list[Annotated[str, Field(min_length=1, max_length=500)]], Field(min_length=1, max_length=500)]
Named = Annotated[
    Texts, Field(description="Domains or websites, linkedin.com/company/… or linkedin.com/in/…", examples=[["acme.com"]])
]


class NewMonitor(Described):
    """A monitor to be made. camelCase names (signalTypes, webhookUrl) are read too."""

    name: Name
    signal_types: Annotated[list[SignalType], Field(min_length=1)]
    webhook_url: Url | None = None


class MonitorUpdate(Described):
    """What is to change, at least one of these; what is absent stays. camelCase names are read too."""

    name: Name | None = None
    signal_types: Annotated[list[SignalType] | None, Field(min_length=1, description="Replaces the list.")] = None
    webhook_url: Annotated[
        Url | None, Field(description="Another address is a new webhook with a new secret; `null` detaches it.")
    ] = None
    active: Annotated[bool | None, Field(description="`false` pauses, `true` resumes.")] = None


class TargetsToAdd(Described):
    """What is to be watched."""

    targets: Named


class TargetsToRemove(Described):
    """What is no longer to be watched: ids, what names them, or both."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["ids"]}, {"required": ["targets"]}]})

    ids: Annotated[list[str], Field(min_length=1, max_length=500, default_factory=list)]
    targets: Annotated[Named, Field(default_factory=list)]


class MonitorWebhook(Described):
    """A monitor's webhook: `/webhooks/{id}` tests it, lists and retries its deliveries, rotates its secret."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    id: str
    endpoint_url: str
    secret: Annotated[str | None, Field(description="Only where it was just made.")] = None


class MonitorNumbers(Described):
    """What is on the list, and what came of it."""

    targets: Annotated[int, Field(ge=0)]
    resolved_targets: Annotated[int, Field(ge=0)]
    signals_30d: Annotated[int, Field(ge=0, description="Of any type, of the resolved companies.")]
    last_delivery_at: Instant | None


class MonitorShown(Described):
    """A monitor."""

    id: str
    name: str
    signal_types: list[SignalType]
    active: bool
    webhook: MonitorWebhook | None
    stats: MonitorNumbers
    created_at: Instant
    updated_at: Instant


class TargetCompany(Described):
    """The company that a target is."""

    id: str
    name: str | None
    slug: str | None
    domain: str | None
    industry: str | None
    country: str | None


class TargetShown(Described):
    """What a monitor watches."""

    id: str
    monitor_id: str
    type: Literal["domain", "linkedin_company", "linkedin_profile"]
    value: str
    status: Status
    company: TargetCompany | None
    resolved_at: Instant | None
    last_signal_type: str | None
    last_signal_at: Instant | None
    created_at: Instant


class TargetsAdded(Described):
    """What adding came to."""

    added: list[TargetShown]
    skipped_existing: Annotated[int, Field(ge=0)]
    invalid: Annotated[list[str], Field(description="As they were sent.")]
    pending: Annotated[list[str], Field(description="Values of added targets whose company is not known yet.")]
    resolved_companies: Annotated[int, Field(ge=0, description="Of the whole monitor, now.")]


class TargetsRemoved(Described):
    """What removing came to."""

    removed: list[TargetShown]
    not_found: list[str]
    invalid: list[str]
    resolved_companies: Annotated[int, Field(ge=0)]


class Gone(Described):
    """What is no more."""

    id: str
    deleted: Literal[True]


class TargetPagination(Described):
    """Where a page of targets stands. ``count``: on it; ``total``: of this status."""

    limit: int
    offset: int
    count: int
    total: int


class TargetPage(Answer[list[T]], Generic[T]):
    """A page of targets."""

    pagination: TargetPagination


READ_BY_ENDPOINTS: tuple[Any, ...] = (NewMonitor, MonitorUpdate, TargetsToAdd, TargetsToRemove)

"""The shapes of the operators' endpoints of referral partners: what they take, and what they answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from pipeline.api.operator.schemas import Taken, Text
from pipeline.partners.accounts import HANDLINGS, STATUSES
from pipeline.webhooks.startcap import EVENT_TYPES

Handling = Literal["full_management", "funding_only"]
Status = Literal["active", "suspended", "pending"]
EventType = Literal["lead.status_changed", "commission.earned", "payout.processed", "account.status_changed"]
assert (Handling.__args__, Status.__args__, EventType.__args__) == (HANDLINGS, STATUSES, EVENT_TYPES)  # type: ignore[attr-defined]

FundingType = Annotated[Text, Field(max_length=100)]


class NewPartner(Taken):
    """An organization to be made a partner."""

    name: Text = Field(description="Who the partner is, as its upline sees it.", examples=["Ada Partner"])
    email: Text = Field(examples=["ada@acme.example"])
    upline: Text | None = Field(None, description="Slug or id of the organization that brought it; can't be changed later.")


class PartnerChange(Taken):
    """Settings of a partner, in force with its next call. What is left out stays."""

    handling: Handling | None = Field(
        None, description="Who handles leads; null: not set. `full_management` needs e-mail and phone."
    )
    allows_name_marks: bool = Field(False, description="Hyphens and apostrophes in names.")
    allows_territories: bool = Field(False, description="PR, GU, VI, AS and MP are states.")
    landing_url: str | None = Field(
        None, max_length=2_048, description="Where the partner's link leads, https://…; null: clicks are not taken."
    )
    status: Status = Field("active", description="While it is not active its keys are refused. The partner is told.")


class RateChange(Taken):
    """What a partner earns at one level."""

    percentage: float = Field(ge=0, le=100, allow_inf_nan=False, description="At most two decimals; 0 ends it.", examples=[5.0])
    description: Text | None = Field(None, description="As the partner sees it.", examples=["Direct referral commission"])


class NewPartnerKey(Taken):
    """A key of the Partners API to be made."""

    label: Text = Field("default", description="What it is for.")


class NewPartnerWebhook(Taken):
    """A webhook of a partner to be made."""

    url: str = Field(max_length=2_048, examples=["https://hooks.acme.example/startcap"])
    event_types: list[EventType] = Field([], description="What it is told; empty: everything.")


class FundingTypesChange(Taken):
    """Funding types that leads may name from now on, and no longer; letter by letter."""

    accept: list[FundingType] = Field([], max_length=100, examples=[["Term Loan"]])
    stop: list[FundingType] = Field([], max_length=100)


class PartnerState(BaseModel):
    """A partner as it stands."""

    id: int = Field(description="The Partners API's referrer_id.")
    organization_id: str
    name: str
    email: str
    status: Status
    handling: Handling | None
    allows_name_marks: bool
    allows_territories: bool
    upline_id: int | None = Field(description="The id of the partner who brought it.")
    link: str = Field(description="The address of its link, without the host.")
    landing_url: str | None


class PartnerList(BaseModel):
    """All partners, oldest first."""

    data: list[PartnerState]


class RateState(BaseModel):
    """What a partner earns of a funded lead: at level 1 of its own, 2 and 3 of its downline's."""

    level: int
    percentage: float
    description: str


class PartnerInFull(PartnerState):
    """A partner with its rates, by level."""

    rates: list[RateState]


class PartnerKeyState(BaseModel):
    """A key without its token, which was shown once."""

    id: str
    label: str
    token_prefix: str = Field(examples=["sc_live_a1b2"])
    created_at: str
    revoked_at: str | None


class PartnerKeyList(BaseModel):
    """The partner's keys, oldest first; revoked ones stay listed."""

    data: list[PartnerKeyState]


class MadePartnerKey(BaseModel):
    """A new key. Its token is not shown again."""

    id: str
    token_prefix: str
    token: str = Field(examples=["sc_live_…"])


class PartnerWebhookState(BaseModel):
    """A webhook without its secret, which was shown once."""

    id: str
    url: str
    event_types: list[EventType]
    state: str = Field(description="`active`, `paused`, or `disabled` (also: deleted).")
    is_deleted: bool
    created_at: str


class PartnerWebhookList(BaseModel):
    """The partner's webhooks, oldest first; deleted ones stay listed."""

    data: list[PartnerWebhookState]


class MadePartnerWebhook(PartnerWebhookState):
    """A new webhook. Its secret is not shown again."""

    secret: str = Field(examples=["sc_whsec_…"])


class NewSecret(BaseModel):
    """A new secret. It is not shown again; the old one signs nothing any more."""

    secret: str = Field(examples=["sc_whsec_…"])


class TestOutcome(BaseModel):
    """What came of a test event (`test: true`)."""

    delivery_id: str
    status: str = Field(description="`delivered`, `failed`; `pending` where the receiver took longer than we wait.")
    response_code: int | None
    response_excerpt: str | None
    error: str | None
    duration_ms: float | None


class FundingTypes(BaseModel):
    """The funding types that leads may name."""

    data: list[str]


class LandedSnapshot(BaseModel):
    """What became of an upload: `waiting` (to be applied in the order of days), `known` (the same is there already), `late` (its
    day is past: it does nothing)."""

    snapshot_date: str = Field(examples=["2026-05-12"])
    outcome: Literal["waiting", "known", "late"]
    leads: int


class SnapshotState(BaseModel):
    """A status snapshot that landed, by file or by upload."""

    snapshot_date: str
    status: Literal["waiting", "applied", "late"]
    leads: int
    sha256: str
    received_at: str
    applied_at: str | None


class SnapshotList(BaseModel):
    """The newest days, newest first."""

    data: list[SnapshotState]


PARTNER_BODIES: tuple[type[Taken], ...] = (
    NewPartner, PartnerChange, RateChange, NewPartnerKey, NewPartnerWebhook, FundingTypesChange,
)  # fmt: skip

"""Shapes of this face, for its OpenAPI document. Endpoints write their answers themselves."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from pipeline.partners.landing import CLICK_PARAMETER
from pipeline.partners.stages import STAGES
from pipeline.partners.validation import MODEL_ORDER

Coarse = Literal["click", "lead", "application", "funded"]
Stage = Literal[
    "click", "lead", "in_underwriting", "need_info", "not_approved", "offer_ready", "call_scheduled", "sign_docs", "processing",
    "in_funding", "funded",
]  # fmt: skip
assert Stage.__args__ == STAGES  # type: ignore[attr-defined]

REFERENCE = "YYYYMMDD-id, e.g. 20240115-123"
TIME = "YYYY-MM-DD HH:MM:SS, UTC"


class LeadToSubmit(BaseModel):
    """What a lead consists of. `email` and `phone` are required while the account is set to full management."""

    first_name: str = Field(description="2 to 50 characters, letters and spaces.")
    last_name: str = Field(description="2 to 50 characters, letters and spaces.")
    date_of_birth: str = Field(description="YYYY-MM-DD, not in the future.")
    email: str | None = Field(None, description="At most 255 characters.")
    phone: str | None = Field(None, description="Exactly 10 digits, plain or formatted.")
    company_name: str | None = Field(None, description="At most 100 characters.")
    residential_street: str = Field(description="At most 255 characters.")
    residential_city: str = Field(description="At most 100 characters.")
    residential_state: str = Field(description="2-letter US state code, or DC.")
    residential_zip: str = Field(description="5 or 9 digits: 12345 or 12345-6789.")
    notes: str | None = Field(None, description="At most 1,000 characters.")
    funding_type: str | None = Field(None, description="One that is accepted at present; letter by letter.")
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_term: str | None = None
    utm_content: str | None = None
    click_id: str | None = Field(
        None,
        description="Extension: what your link added to the landing page's address. One that can't be used is passed over.",
    )


assert {*MODEL_ORDER, CLICK_PARAMETER} == LeadToSubmit.model_fields.keys()


class ErrorAnswer(BaseModel):
    error: str
    settings_note: str | None = Field(None, description="Under full management, of a missing or invalid e-mail or phone.")
    settings_url: str | None = None


class FieldValidation(BaseModel):
    field: str
    valid: bool
    errors: list[str]
    warnings: list[str]


class Validation(BaseModel):
    valid: bool
    message: str
    errors: list[str]
    warnings: list[str]
    field_validations: dict[str, FieldValidation]
    data_received: dict[str, Any]


class Submitted(BaseModel):
    success: bool
    lead_id: int
    reference_id: str = Field(description=REFERENCE)


class Statuses(BaseModel):
    reference_id: str = Field(description=REFERENCE)
    first_name: str
    last_name: str
    company_name: str
    status: Coarse
    application_status: Stage | None
    effective_status: Stage | Coarse
    created_at: str = Field(description=TIME)


class Lead(Statuses):
    email: str
    phone: str
    residential_street: str | None = None
    residential_city: str | None = None
    residential_state: str | None = None
    residential_zip: str | None = None


class LeadInFull(Lead):
    updated_at: str = Field(description=TIME)


class Quote(BaseModel):
    quote_type: str
    amount: float | None
    status: Literal["pending", "sent", "received", "declined", "not_approved"]
    quote_group_status: Literal["waiting", "ready", "sent"]


class Leads(BaseModel):
    success: bool
    leads: list[Lead]


class OneLead(BaseModel):
    success: bool
    lead: LeadInFull
    quotes: list[Quote] | None = Field(None, description="Only where there is at least one.")


class Referral(Statuses):
    referral_type: Literal["api_lead", "manual_lead", "traffic"]
    email: str | None = Field(None, description="Absent for traffic.")
    phone: str | None = Field(None, description="Absent for traffic.")
    updated_at: str = Field(description=TIME)


class OneReferral(BaseModel):
    success: bool
    referral: Referral


class ReferralStats(BaseModel):
    total_referrals: int
    total_clicks: int
    total_leads: int
    total_applications: int
    total_funded: int
    conversion_rate: float = Field(description="total_funded of total_referrals, to three decimals.")


class ReferralStatsAnswer(BaseModel):
    success: bool
    stats: ReferralStats


class ReferrerStats(BaseModel):
    total_earnings: float = Field(description="pending_earnings and paid_earnings.")
    pending_earnings: float
    paid_earnings: float
    total_referrals: int
    total_funded: int


class ReferrerStatsAnswer(BaseModel):
    success: bool
    stats: ReferrerStats


class Commission(BaseModel):
    id: int
    level: Literal[1, 2, 3]
    percentage: float
    description: str


class Commissions(BaseModel):
    success: bool
    commissions: list[Commission]


class Payout(BaseModel):
    id: int
    amount: float
    status: Literal["completed"]
    processed_at: str = Field(description=TIME)


class Payouts(BaseModel):
    success: bool
    payouts: list[Payout]


class Member(BaseModel):
    id: int
    name: str
    email: str
    status: Literal["active", "suspended", "pending"]
    total_referrals: int


class DownlineAnswer(BaseModel):
    success: bool
    downline: list[Member]


_FAILURES = {
    400: "What was sent can't be used.",
    401: "No key, one that is not known, or an account that is not active.",
    404: "Unknown, or another partner's.",
    429: "The hour's calls are used up.",
    500: "A failure on our side.",
}


def documented(text: str, *more: int) -> dict[int | str, dict[str, Any]]:
    """The answers of an operation: success as ``text`` says, and the failures that it has."""
    rate = {
        f"X-RateLimit-{name}": {"schema": {"type": "integer"}, "description": what}
        for name, what in (
            ("Limit", "Calls an hour."), ("Remaining", "Calls left in this one."), ("Reset", "Unix time of the next one."),
        )
    }  # fmt: skip
    answers: dict[int | str, dict[str, Any]] = {200: {"description": text, "headers": rate}}
    for code in sorted({401, 500, *more}):
        answers[code] = {"model": ErrorAnswer, "description": _FAILURES[code]}
    return answers

"""What a document can claim: signals, their fields, and the text each field was read from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any


class SignalType(StrEnum):
    FUNDING_ROUND = "funding_round"
    ACQUISITION = "acquisition"
    JOB_CHANGE = "job_change"
    HIRING = "hiring"
    NEW_COMPANY = "new_company"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Investor:
    """A fund, company or person that put money in. ``type`` only where the text states it (vc, angel, corporate, …)."""

    name: str
    is_lead: bool = False
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The text one field was read from. ``origin``: title, body, url, or the XML path of a filing."""

    field: str
    value: str
    text: str
    origin: str


@dataclass(slots=True)
class Mention:
    """What one document claims. Fields are None (or empty) where the text does not state them.

    ``amount`` is the money announced now, in whole and fractional units of ``currency`` (ISO 4217); ``amount_usd``
    is converted with the reference rate of ``usd_rate_date`` unless the text gives dollars itself. ``funding_type``
    is a slug (``series-a``). ``confidence_score`` is in 0..1; ``confidence_reasons`` says what raised or lowered it.
    ``details`` holds the fields of the other signal types under the names of spec section "signals".
    ``set_aside_reason`` is why a funding-like text makes no round (fund_close, rumour, past_funding, …).
    """

    document_id: str
    signal_type: SignalType = SignalType.NONE
    is_funding: bool = False
    set_aside_reason: str | None = None
    company_name: str | None = None
    cik: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    amount_usd: int | None = None
    usd_rate_date: date | None = None
    funding_type: str | None = None
    round_flavor: str | None = None
    website: str | None = None
    city: str | None = None
    country: str | None = None
    industry: str | None = None
    description: str | None = None
    ceo_name: str | None = None
    ceo_email: str | None = None
    ceo_linkedin_url: str | None = None
    investors: list[Investor] = field(default_factory=list)
    angels: list[str] = field(default_factory=list)
    announced_date: date | None = None
    accession: str | None = None
    previous_accession: str | None = None
    confidence_score: float = 0.0
    confidence_reasons: list[dict[str, Any]] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    language: str | None = None

    @property
    def lead_investors(self) -> list[str]:
        """Names of the leads, in the order of the text."""
        return [investor.name for investor in self.investors if investor.is_lead]

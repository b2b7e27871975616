"""Tables of referral partners: their settings and rates, leads and clicks, stages, commissions, payouts, webhooks.

What belongs here: tables, keys, constraints. What does not: queries (pipeline.partners). A partner is an organization with a row
in ``referral_partners``. Amounts are whole cents, percentages whole hundredths of a percent: sums are exact. What was told about
a person is one encrypted JSON object per referral; nothing of it stands beside in clear.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.tables.base import Base
from pipeline.store.types import BigSerial


class ReferralPartner(Base):
    """What an organization is as a partner who submits leads. ``id`` is the API's ``referrer_id``."""

    __tablename__ = "referral_partners"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), unique=True)
    name: Mapped[str]
    email: Mapped[str]
    status: Mapped[str] = mapped_column(String(16))  # active, suspended, pending
    handling: Mapped[str | None] = mapped_column(String(16))  # full_management, funding_only; None: not set
    allows_name_marks: Mapped[bool]  # hyphens and apostrophes in names (A-SC-8)
    allows_territories: Mapped[bool]  # PR, GU, VI, AS, MP (A-SC-11)
    upline_id: Mapped[int | None] = mapped_column(ForeignKey("referral_partners.id"), index=True)
    click_code: Mapped[str] = mapped_column(String(32), unique=True)  # in the address of the click endpoint
    landing_url: Mapped[str | None]  # where a click goes on to; None: clicks are not taken
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CommissionRate(Base):
    """What a partner earns of what is funded from a moment on: level 1 of its own leads, 2 and 3 of those of its downline.

    Rows stay: the newest of a level is in force.
    """

    __tablename__ = "commission_rates"
    __table_args__ = (
        UniqueConstraint("partner_id", "level", "valid_from", name="uq_commission_rates_level"),
        CheckConstraint("level BETWEEN 1 AND 3", name="ck_commission_rates_level"),
        CheckConstraint("percentage_hundredths BETWEEN 0 AND 10000", name="ck_commission_rates_percentage"),
    )

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("referral_partners.id"))
    level: Mapped[int]
    percentage_hundredths: Mapped[int]  # 500: 5 %
    description: Mapped[str]
    valid_from: Mapped[datetime]


class ActiveFundingType(Base):
    """A funding type that leads may name at present (SC-31)."""

    __tablename__ = "active_funding_types"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    created_at: Mapped[datetime]


class KeyHour(Base):
    """Calls of one key in one hour: a row per key, begun anew each hour."""

    __tablename__ = "key_hours"

    key_id: Mapped[str] = mapped_column(ForeignKey("face_keys.id"), primary_key=True)
    hour: Mapped[int] = mapped_column(BigInteger)  # since the epoch
    calls: Mapped[int]


class Referral(Base):
    """A lead, or a click on a partner's link. Its reference id is the UTC day of ``created_at`` and ``id`` (SC-17)."""

    __tablename__ = "referrals"
    __table_args__ = (
        Index("ix_referrals_partner", "partner_id", "created_at", "id"),
        Index(
            "uq_referrals_idempotency",
            "partner_id",
            "idempotency_key",
            unique=True,
            sqlite_where=text("idempotency_key IS NOT NULL"),
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
        Index(
            "ix_referrals_visitor",
            "partner_id",
            "visitor_hash",
            "created_at",
            sqlite_where=text("visitor_hash IS NOT NULL"),
            postgresql_where=text("visitor_hash IS NOT NULL"),
        ),
        Index(
            "ix_referrals_click",
            "click_id",
            sqlite_where=text("click_id IS NOT NULL"),
            postgresql_where=text("click_id IS NOT NULL"),
        ),
        # No number is given twice: partners keep them.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    partner_id: Mapped[int] = mapped_column(ForeignKey("referral_partners.id"))
    referral_type: Mapped[str] = mapped_column(String(16))  # api_lead, manual_lead, traffic
    person_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)  # a JSON object; None: a click, or erased
    funding_type: Mapped[str | None] = mapped_column(String(100))
    utm: Mapped[dict[str, Any]] = mapped_column(JSON)
    click_id: Mapped[int | None] = mapped_column(ForeignKey("referrals.id"))  # the click that led to this lead
    visitor_hash: Mapped[str | None] = mapped_column(String(64))  # of a click: keyed, of address and browser
    idempotency_key: Mapped[str | None]
    status: Mapped[str] = mapped_column(String(16))  # click, lead, application, funded
    application_status: Mapped[str | None] = mapped_column(String(32))
    funded_cents: Mapped[int | None] = mapped_column(BigInteger)
    quotes: Mapped[list[Any]] = mapped_column(JSON)
    commissioned_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ReferralChange(Base):
    """One change of a referral's stage, in its order. ``number`` counts from 1, which is the submission."""

    __tablename__ = "referral_changes"
    __table_args__ = (UniqueConstraint("referral_id", "number", name="uq_referral_changes_number"),)

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    referral_id: Mapped[int] = mapped_column(ForeignKey("referrals.id"))
    number: Mapped[int]
    old_status: Mapped[str | None] = mapped_column(String(16))
    new_status: Mapped[str] = mapped_column(String(16))
    old_application_status: Mapped[str | None] = mapped_column(String(32))
    new_application_status: Mapped[str | None] = mapped_column(String(32))
    snapshot_day: Mapped[str | None] = mapped_column(String(10))  # of the snapshot that showed it; None: submitted
    is_flagged: Mapped[bool]  # no step of the pipeline leads there
    changed_at: Mapped[datetime]


class StatusSnapshot(Base):
    """The stages of all leads on one day, as StartCap's CRM gave them. Applied strictly by day; of past days only hashes stay."""

    __tablename__ = "status_snapshots"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int]
    status: Mapped[str] = mapped_column(String(16), index=True)  # waiting, applied, late (its day was past: never applied)
    content: Mapped[bytes | None] = mapped_column(LargeBinary)  # compressed text: of those that wait, and of the last applied
    received_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]


class Commission(Base):
    """What one partner earned of one funded lead. Made once per lead and level, never changed but for its payout."""

    __tablename__ = "commissions"
    __table_args__ = (
        UniqueConstraint("referral_id", "level", name="uq_commissions_level"),
        CheckConstraint("amount_cents >= 0", name="ck_commissions_amount"),
        Index(
            "ix_commissions_pending",
            "partner_id",
            "id",
            sqlite_where=text("payout_id IS NULL"),
            postgresql_where=text("payout_id IS NULL"),
        ),
        Index("ix_commissions_payout", "payout_id"),
    )

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    referral_id: Mapped[int] = mapped_column(ForeignKey("referrals.id"))
    partner_id: Mapped[int] = mapped_column(ForeignKey("referral_partners.id"), index=True)
    level: Mapped[int]
    percentage_hundredths: Mapped[int]
    base_cents: Mapped[int] = mapped_column(BigInteger)
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    payout_id: Mapped[int | None] = mapped_column(ForeignKey("payouts.id"))
    earned_at: Mapped[datetime]


class Payout(Base):
    """What one partner was paid at once: the sum of the commissions that name it."""

    __tablename__ = "payouts"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="ck_payouts_amount"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("referral_partners.id"), index=True)
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(16))  # completed
    processed_at: Mapped[datetime]


class PartnerWebhook(Base):
    """What one webhook of a partner is told. Its URL and secret are the endpoint's."""

    __tablename__ = "partner_webhooks"

    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoints.id"), primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("referral_partners.id"), index=True)
    event_types: Mapped[list[Any]]
    is_active: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class PartnerEvent(Base):
    """One thing that partners were told: which deliveries speak of which referral, so that a person can be erased from them."""

    __tablename__ = "partner_events"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)  # the deliveries' event_id
    dedupe_key: Mapped[str] = mapped_column(Text, unique=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("referral_partners.id"))
    referral_id: Mapped[int | None] = mapped_column(ForeignKey("referrals.id"), index=True)
    event_type: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime]

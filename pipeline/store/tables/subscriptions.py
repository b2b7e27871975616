"""Tables of teams that subscribe to signals: keys, credits, webhooks with filters; and the published signals themselves.

What belongs here: tables, keys, constraints. What does not: queries (pipeline.subscriptions, pipeline.webhooks.credits).
A team is an organization with a row in ``teams``. That credits never go below zero is a constraint here, not code.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Float, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.tables.base import Base
from pipeline.store.types import BigSerial


class Team(Base):
    """What an organization is as a subscriber of signals: the state of its subscription, its rate and its credits."""

    __tablename__ = "teams"
    __table_args__ = (
        CheckConstraint("credits_reserved >= 0 AND credits_reserved <= credits", name="ck_teams_credits"),
    )  # fmt: skip

    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    subscription: Mapped[str] = mapped_column(String(16))  # active, trialing, expired, canceled
    calls_per_minute: Mapped[int | None]  # of each operation; None: the default
    masks_everyone: Mapped[bool]  # names of persons are masked wherever they stand (A-SB-31)
    credits: Mapped[int] = mapped_column(BigInteger)
    credits_reserved: Mapped[int] = mapped_column(BigInteger)  # of these, set aside for sends under way
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CreditEntry(Base):
    """One change of a team's credits: what was granted, and what each successful delivery took. Never changed while it is young;
    what was taken long ago is one entry of the team (upkeep.credit_retention), so the sum is always the team's credits."""

    __tablename__ = "credit_entries"
    __table_args__ = (Index("ix_credit_entries_team", "organization_id", "id"),)

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("teams.organization_id"))
    amount: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(16))  # grant, delivery, request, carried
    delivery_id: Mapped[str | None] = mapped_column(String(36), unique=True)  # charged once
    note: Mapped[str | None]
    created_at: Mapped[datetime]


class CreditHold(Base):
    """One send under way: what it will cost if it succeeds. Made with its claim, gone once its outcome is counted."""

    __tablename__ = "credit_holds"

    delivery_id: Mapped[str] = mapped_column(ForeignKey("deliveries.id"), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("teams.organization_id"))
    endpoint_id: Mapped[str] = mapped_column(String(36))
    amount: Mapped[int]  # 0: counted, and free
    created_at: Mapped[datetime]


class CallWindow(Base):
    """Calls of one operation by one team in one minute: a row per operation, begun anew each minute."""

    __tablename__ = "call_windows"

    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    operation: Mapped[str] = mapped_column(String(48), primary_key=True)
    minute: Mapped[int] = mapped_column(BigInteger)  # since the epoch
    calls: Mapped[int]


class WebhookSubscription(Base):
    """What one webhook of a team is to be told. Its URL and secret are the endpoint's."""

    __tablename__ = "webhook_subscriptions"
    __table_args__ = (
        Index("ix_webhook_subscriptions_team", "organization_id", "created_at", "endpoint_id"),
        Index("ix_webhook_subscriptions_changes", "change_number"),
    )

    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoints.id"), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("teams.organization_id"))
    event_types: Mapped[list[Any]]
    filters: Mapped[dict[str, Any]]  # as they were given
    compiled: Mapped[dict[str, Any]]  # as they are matched (subscriptions.filters)
    is_active: Mapped[bool]
    deleted_at: Mapped[datetime | None]  # told from paused here only (A-SB-4)
    secret_tail: Mapped[str] = mapped_column(String(4))
    last_modified_by: Mapped[str | None]
    last_modified_via: Mapped[str | None] = mapped_column(String(16))  # api, dashboard
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    change_number: Mapped[int] = mapped_column(BigInteger)  # above that of every earlier change of any subscription
    successful_deliveries: Mapped[int] = mapped_column(default=0)
    failed_deliveries: Mapped[int] = mapped_column(default=0)
    last_success_at: Mapped[datetime | None]
    last_failure_at: Mapped[datetime | None]


class SubscriptionCounter(Base):
    """One row: the number of the last change of any subscription. Whoever changes one holds it until the commit."""

    __tablename__ = "subscription_counter"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    change_number: Mapped[int] = mapped_column(BigInteger)


class SubscriptionSnapshot(Base):
    """One row: the active subscriptions as they were at a change, in the form that a new process reads at once."""

    __tablename__ = "subscription_snapshots"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    change_number: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[str]


class Signal(Base):
    """Something that happened to a company, as teams see it; written by the pipeline, read by the faces."""

    __tablename__ = "signals"
    __table_args__ = (
        Index("ix_signals_newest", "event_type", "occurred_at", "id", "is_active"),
        Index("ix_signals_same", "event_type", "logical_key", "occurred_at"),
        Index(
            "ix_signals_waiting",
            "discovered_at",
            "id",
            sqlite_where=text("fan_out = 'waiting'"),
            postgresql_where=text("fan_out = 'waiting'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, doc="the signal; of a funding round, the round's own id")
    event_type: Mapped[str] = mapped_column(String(32), doc="what happened: funding.created, …")
    external_id: Mapped[str] = mapped_column(doc="the id that teams see: the kind in short, and the beginning of the id")
    logical_key: Mapped[str] = mapped_column(doc="reports of one real event have the same")
    is_active: Mapped[bool] = mapped_column(doc="false: no document reports it any more, or it was found to be part of another")
    fan_out: Mapped[str] = mapped_column(
        String(8), doc="waiting (to be matched with subscriptions), done, none (nobody is told: catching up, a backfill)"
    )
    occurred_at: Mapped[datetime] = mapped_column(doc="when it happened, as far as known: the day announced, or of the report")
    discovered_at: Mapped[datetime] = mapped_column(doc="when it was first known here")
    updated_at: Mapped[datetime] = mapped_column(doc="when anything about it changed last")
    company_id: Mapped[str | None] = mapped_column(
        String(36), index=True, doc="the company; made from its domain, else its name"
    )
    company_name: Mapped[str | None] = mapped_column(doc="the company as the news calls it")
    industry: Mapped[str | None] = mapped_column(doc="the industry, in the words of the teams' API")
    categories: Mapped[list[Any]] = mapped_column(doc="narrower fields within the industry")
    country: Mapped[str | None] = mapped_column(String(2), doc="where the company is: ISO 3166, two letters")
    employee_count: Mapped[int | None] = mapped_column(doc="how many work there, where a text says so")
    round_type: Mapped[str | None] = mapped_column(doc="of a funding round: its type, in the words of the teams' API")
    round_flavor: Mapped[str | None] = mapped_column(doc="of a funding round: extension, bridge, …")
    amount: Mapped[int | None] = mapped_column(BigInteger, doc="whole units of currency")
    currency: Mapped[str | None] = mapped_column(String(3), doc="of the amount: ISO 4217")
    confidence: Mapped[float | None] = mapped_column(Float(53), doc="0 to 1: how sure it is that the text says so")
    data: Mapped[dict[str, Any]] = mapped_column(JSON, doc="the payload's blocks, persons in clear")


class SignalDocument(Base):
    """Which signal a document reports: read again, it finds its signal."""

    __tablename__ = "signal_documents"

    document_id: Mapped[str] = mapped_column(Text, primary_key=True)
    signal_id: Mapped[str] = mapped_column(ForeignKey("signals.id"), index=True)


class Company(Base):
    """A company that active signals are about, as the newest of them state it. Derived (subscriptions.profiles)."""

    __tablename__ = "companies"
    __table_args__ = (Index("ix_companies_newest", "created_at", "id"), Index("ix_companies_name", "name_key"))

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str]
    industry: Mapped[str | None]
    subcategory: Mapped[str | None]
    country: Mapped[str | None] = mapped_column(String(2))
    employee_count: Mapped[int | None]
    founded_year: Mapped[int | None]
    created_at: Mapped[datetime]  # when its first signal was found
    updated_at: Mapped[datetime]
    profile: Mapped[dict[str, Any]] = mapped_column(JSON)  # the payload's company block
    searched: Mapped[str]  # name, industry, description, keywords, specialties, for comparing whatever the case
    name_key: Mapped[str | None]  # the name's comparison form without spaces; None until the next signal of it


class Investor(Base):
    """An investor of active rounds. Derived (subscriptions.profiles)."""

    __tablename__ = "investors"
    __table_args__ = (Index("ix_investors_newest", "created_at", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str]
    type: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]  # when its first round was found
    updated_at: Mapped[datetime]


class SignalInvestor(Base):
    """Who invested in which active round, as the round states it."""

    __tablename__ = "signal_investors"
    __table_args__ = (
        Index("ix_signal_investors_newest", "investor_id", "discovered_at"),
        Index(
            "ix_signal_investors_typed",
            "investor_id",
            "discovered_at",
            sqlite_where=text("type IS NOT NULL"),
            postgresql_where=text("type IS NOT NULL"),
        ),
    )

    investor_id: Mapped[str] = mapped_column(ForeignKey("investors.id"), primary_key=True)
    signal_id: Mapped[str] = mapped_column(ForeignKey("signals.id"), primary_key=True, index=True)
    name: Mapped[str]
    type: Mapped[str | None] = mapped_column(String(32))
    discovered_at: Mapped[datetime]

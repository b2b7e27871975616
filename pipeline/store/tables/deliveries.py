"""Tables of what we owe and sent: endpoints, the ledger of deliveries and attempts, notices to operators.

One delivery per dedupe key and one claim per delivery are constraints here, not code.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Float, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.tables.base import Base
from pipeline.store.types import BigSerial


class WebhookEndpoint(Base):
    """Where one organization is told, under which delivery profile. FundingScout: one per organization (FS-30)."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        Index(
            "uq_webhook_endpoints_one_fundingscout",
            "organization_id",
            unique=True,
            sqlite_where=text("profile = 'fundingscout'"),
            postgresql_where=text("profile = 'fundingscout'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), index=True)
    profile: Mapped[str] = mapped_column(String(32))
    url: Mapped[str]
    key_id: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id"))  # whose secret signs (A-FS-5)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16), default="active", server_default="active")  # active, paused, disabled
    disabled_reason: Mapped[str | None]  # why it is not active, for people
    state_changed_at: Mapped[datetime | None]
    policy: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")  # webhooks.policies; empty: strict
    headers_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)  # custom static headers, a JSON object
    consecutive_failures: Mapped[int] = mapped_column(default=0, server_default="0")
    failing_since: Mapped[datetime | None]  # when the first of these failed
    paced_until: Mapped[datetime | None]  # where a rate limit is set: when the next send may begin
    secret_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)  # the webhook's own; None: a key's signs


class OperatorNotice(Base):
    """What an operator must be told of: an endpoint disabled. Kept until it is told, and after."""

    __tablename__ = "operator_notices"
    __table_args__ = (
        Index("ix_operator_notices_open", "id", sqlite_where=text("status = 'open'"), postgresql_where=text("status = 'open'")),
    )

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(32))
    organization_id: Mapped[str | None] = mapped_column(ForeignKey("organizations.id"))
    endpoint_id: Mapped[str | None] = mapped_column(String(36))
    message: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(16))  # open, told, given_up
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


class Delivery(Base):
    """What we owe one endpoint. ``dedupe_key`` is unique: a second way to the same delivery finds the first."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index(
            "ix_deliveries_open",
            "status",
            "created_at",
            "id",
            sqlite_where=text("status IN ('pending', 'sending')"),
            postgresql_where=text("status IN ('pending', 'sending')"),
        ),
        # The feed of one status, newest first, at the same cost however many others there are. Its entries lie far apart, so
        # a delivery on its way (which ix_deliveries_open has) is not moved to one more place for the moment it takes.
        Index(
            "ix_deliveries_feed",
            "organization_id",
            "profile",
            "status",
            "created_at",
            "match_id",
            sqlite_where=text("status <> 'sending'"),
            postgresql_where=text("status <> 'sending'"),
        ),
        Index("ix_deliveries_newest", "created_at"),
        # What waits, endpoint by endpoint: one that takes nothing holds up nobody else, however much waits for it.
        Index(
            "ix_deliveries_lanes",
            "profile",
            "endpoint_id",
            "created_at",
            "id",
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "ix_deliveries_scheduled",
            "next_attempt_at",
            "id",
            sqlite_where=text("status = 'scheduled'"),
            postgresql_where=text("status = 'scheduled'"),
        ),
        # One webhook's deliveries, newest first, and those of one event: of profiles whose partners have several webhooks.
        Index(
            "ix_deliveries_of_webhook",
            "endpoint_id",
            "created_at",
            "id",
            sqlite_where=text("profile = 'signalbase'"),
            postgresql_where=text("profile = 'signalbase'"),
        ),
        Index(
            "ix_deliveries_of_event",
            "endpoint_id",
            "event_id",
            sqlite_where=text("profile = 'signalbase'"),
            postgresql_where=text("profile = 'signalbase'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(Text, unique=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    profile: Mapped[str] = mapped_column(String(32))
    event_type: Mapped[str] = mapped_column(String(32))
    match_id: Mapped[str | None] = mapped_column(ForeignKey("matches.id"), index=True)
    event_id: Mapped[str | None] = mapped_column(String(64))  # what `webhook-id` says; None: the match's id, else the row's own
    endpoint_id: Mapped[str | None] = mapped_column(String(36))
    # held, pending, scheduled (until next_attempt_at), paused (with its endpoint), sending, delivered, failed, no_webhook
    status: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None]
    body: Mapped[str | None]  # the exact text sent, from the claim on
    response_code: Mapped[int | None]
    response_excerpt: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    finished_at: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime | None]  # of a scheduled one
    next_trigger: Mapped[str | None] = mapped_column(String(16))  # retry, replay, test; None: what brought its match about
    signal_id: Mapped[str | None] = mapped_column(String(36))  # of a subscription's delivery
    previous_delivery_id: Mapped[str | None] = mapped_column(String(36))  # asked for again as a row of its own: the row before
    prior_attempts: Mapped[int] = mapped_column(default=0, server_default="0")  # those of the rows before


class DeliveryAttempt(Base):
    """One try, begun durably before a socket opens and finished after. Attempt 0: there was nowhere to send to."""

    __tablename__ = "delivery_attempts"
    __table_args__ = (
        UniqueConstraint("delivery_id", "number", name="uq_delivery_attempts_number"),
        Index(
            "ix_delivery_attempts_unmirrored",
            "id",
            sqlite_where=text("is_mirrored = 0"),
            postgresql_where=text("NOT is_mirrored"),
        ),
    )

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    delivery_id: Mapped[str] = mapped_column(ForeignKey("deliveries.id"))
    number: Mapped[int]
    trigger: Mapped[str] = mapped_column(String(16))  # live, backfill, retry, replay, test
    endpoint_url: Mapped[str | None]
    resolved_address: Mapped[str | None]
    body_sha256: Mapped[str | None] = mapped_column(String(64))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(16))  # sending, delivered, failed, no_webhook
    response_code: Mapped[int | None]
    response_excerpt: Mapped[str | None]
    duration_ms: Mapped[float | None] = mapped_column(Float(53))
    # The parts of duration_ms, each from the end of the one before; None where it was not come to, or not needed.
    resolve_ms: Mapped[float | None] = mapped_column(Float(53))
    connect_ms: Mapped[float | None] = mapped_column(Float(53))
    tls_ms: Mapped[float | None] = mapped_column(Float(53))
    first_byte_ms: Mapped[float | None] = mapped_column(Float(53))
    is_reused_connection: Mapped[bool | None] = mapped_column(Boolean)
    # False: no byte of the request left this machine. True, or not known: some may have.
    is_request_sent: Mapped[bool | None] = mapped_column(Boolean)
    error_class: Mapped[str | None]
    error: Mapped[str | None]
    is_mirrored: Mapped[bool] = mapped_column(Boolean, default=False)

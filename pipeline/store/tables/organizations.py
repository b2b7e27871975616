"""Tables of partners: organizations, their keys, what they used and saw, and operators' tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.tables.base import Base
from pipeline.store.types import BigSerial


class Organization(Base):
    """A partner (the seeds' "user"): owner of rows, webhook, matches and deliveries."""

    __tablename__ = "organizations"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    slug: Mapped[str] = mapped_column(String(63), unique=True)
    name: Mapped[str]
    plan: Mapped[str] = mapped_column(String(32))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime]


class ApiKey(Base):
    """A bearer token (only its SHA-256) and the webhook secret made with it (only encrypted). FS-3, FS-4."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), index=True)
    label: Mapped[str]
    token_prefix: Mapped[str] = mapped_column(String(12))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    webhook_secret_encrypted: Mapped[bytes] = mapped_column(LargeBinary)
    previous_secret_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)  # signs beside the new one until then
    previous_secret_until: Mapped[datetime | None]
    quotas: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class FaceKey(Base):
    """A bearer token of a face other than FundingScout (only its SHA-256). It signs nothing: webhooks have secrets of their own."""

    __tablename__ = "face_keys"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    face: Mapped[str] = mapped_column(String(32))  # signalbase, startcap
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), index=True)
    label: Mapped[str]
    user_id: Mapped[str]  # who is named as the editor of what is changed with it
    token_prefix: Mapped[str] = mapped_column(String(12))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class OperatorToken(Base):
    """A token that opens the operators' API; only its SHA-256. A partner's key opens nothing there, nor this one theirs."""

    __tablename__ = "operator_tokens"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str]  # whose it is, for the audit log
    token_prefix: Mapped[str] = mapped_column(String(12))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class UsageCounter(Base):
    """Calls of one operation by one key on one UTC day (FS-18, FS-19, A-FS-17)."""

    __tablename__ = "usage_counters"

    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    operation: Mapped[str] = mapped_column(String(32), primary_key=True)
    calls: Mapped[int]


class ContactReveal(Base):
    """One look at a round's CEO contact: who asked for it, by which way, and when. Kept for audit, never changed."""

    __tablename__ = "contact_reveals"
    __table_args__ = (
        Index("ix_contact_reveals_organization", "organization_id", "revealed_at"),
        Index("ix_contact_reveals_round", "round_id"),
    )

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"))
    round_id: Mapped[str] = mapped_column(ForeignKey("rounds.id"))
    request_id: Mapped[str]
    revealed_at: Mapped[datetime]

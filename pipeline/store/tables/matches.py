"""Tables of published rounds, of whom they match, and of matches that a person decides.

One match per organization and round (FS-61) is a constraint here, not code.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Float, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.tables.base import Base


class Round(Base):
    """A funding round as partners see it; written by the pipeline, read by the faces. ``body`` holds the 17 keys of FS-48."""

    __tablename__ = "rounds"
    __table_args__ = (Index("ix_rounds_newest", "first_seen_at", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    company_name: Mapped[str]
    company_key: Mapped[str] = mapped_column(Text, index=True)
    funding_type: Mapped[str | None]
    amount_usd: Mapped[int | None] = mapped_column(BigInteger)
    published_date: Mapped[str | None] = mapped_column(String(10))
    location_country: Mapped[str | None]
    body: Mapped[dict[str, Any]]
    first_seen_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    # active; retracted (its reports no longer say so); merged (it is the round merged_into, which is never merged itself)
    status: Mapped[str] = mapped_column(String(16), default="active", server_default="active")
    merged_into: Mapped[str | None] = mapped_column(String(36), index=True)


class Match(Base):
    """The one match of an organization with a round. The unique constraint is the at-most-once promise (FS-61)."""

    __tablename__ = "matches"
    __table_args__ = (
        UniqueConstraint("organization_id", "round_id", name="uq_matches_organization_round"),
        Index("ix_matches_feed", "organization_id", "created_at", "id"),
        Index("ix_matches_logical_round", "organization_id", "company_key"),
        Index("ix_matches_account", "organization_id", "account_external_id"),
        Index("ix_matches_contact", "organization_id", "contact_external_id"),
        Index("ix_matches_round", "round_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    round_id: Mapped[str] = mapped_column(ForeignKey("rounds.id"))
    company_key: Mapped[str]  # with the date, the logical round (A-FS-24)
    round_date: Mapped[str | None] = mapped_column(String(10))
    match_type: Mapped[str] = mapped_column(String(16))
    account_external_id: Mapped[str | None]
    contact_external_id: Mapped[str | None]
    score: Mapped[float] = mapped_column(Float(53))
    explanation: Mapped[dict[str, Any]]  # rule, matcher version, the values compared
    all_matches: Mapped[list[Any]]
    origin: Mapped[str] = mapped_column(String(16))  # live, backfill
    created_at: Mapped[datetime]
    hidden_at: Mapped[datetime | None]  # its CRM row was deleted: no longer in the feed, still never told again


class MatchReview(Base):
    """A question to an analyst: is this round about this account's name? Nobody is told of it, and the ledger lacks it,
    until it is approved.

    ``status``: waiting; approved or rejected by somebody; superseded (a surer match was recorded), expired (too old to be
    news), withdrawn (its CRM row or round is gone).
    """

    __tablename__ = "match_reviews"
    __table_args__ = (
        Index(
            "ix_match_reviews_waiting",
            "created_at",
            "id",
            sqlite_where=text("status = 'waiting'"),
            postgresql_where=text("status = 'waiting'"),
        ),
        Index("ix_match_reviews_round", "organization_id", "round_id"),
        Index("ix_match_reviews_account", "organization_id", "account_external_id"),
        Index(
            "ix_match_reviews_unmirrored",
            "id",
            sqlite_where=text("is_mirrored = 0"),
            postgresql_where=text("NOT is_mirrored"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)  # follows from organization, round and the CRM's name
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    round_id: Mapped[str] = mapped_column(String(36))
    crm_value: Mapped[str]  # the account's name
    round_value: Mapped[str]  # the round's company
    account_external_id: Mapped[str | None]  # of the first row; all of them are in ``rows``
    score: Mapped[float] = mapped_column(Float(53))
    explanation: Mapped[dict[str, Any]]  # rule, matcher version, the thresholds it fell between
    rows: Mapped[list[Any]]  # the CRM rows under this name, as in matches.all_matches
    origin: Mapped[str] = mapped_column(String(16))  # live, backfill: what found it
    status: Mapped[str] = mapped_column(String(16))
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    note: Mapped[str | None]  # why, in the analyst's words
    outcome: Mapped[str | None]  # of an approval: told, no_webhook, known, same_round
    match_id: Mapped[str | None] = mapped_column(String(36))  # the ledger's, once approved
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    is_mirrored: Mapped[bool] = mapped_column(Boolean, default=False)

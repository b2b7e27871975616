"""Tables of documents on their way in: sources and their hours, landings, follow-ups, links seen, politeness to hosts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Float, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.tables.base import Base
from pipeline.store.types import BigSerial


class SourceState(Base):
    """What the next poll of a source needs to know of the last."""

    __tablename__ = "source_states"

    source_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    last_sha256: Mapped[str | None] = mapped_column(String(64))
    first_polled_at: Mapped[datetime | None]
    last_polled_at: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    next_poll_at: Mapped[datetime | None]
    consecutive_failures: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    memory: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # the reader's own, e.g. newest accessions


class SourceHour(Base):
    """Polls of one source in one hour, counted: the health of a source without a row per poll."""

    __tablename__ = "source_hours"

    source_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    hour_at: Mapped[datetime] = mapped_column(primary_key=True)
    polls: Mapped[int] = mapped_column(default=0)
    not_modified: Mapped[int] = mapped_column(default=0)
    landed: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    bytes_read: Mapped[int] = mapped_column(BigInteger, default=0)
    last_error: Mapped[str | None]


class Landing(Base):
    """One body fetched from outside, kept byte for byte in the landing under ``sha256``, and what became of it."""

    __tablename__ = "landings"
    __table_args__ = (
        Index(
            "ix_landings_waiting",
            "id",
            sqlite_where=text("status = 'landed'"),
            postgresql_where=text("status = 'landed'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    source_id: Mapped[str] = mapped_column(String(63), index=True)
    kind: Mapped[str] = mapped_column(String(16))  # feed, edgar_page, form_d, article
    url: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int]
    content_type: Mapped[str | None]
    is_catch_up: Mapped[bool]  # read in order to catch up: tells nobody (A-FS-24)
    context: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    fetched_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(16))  # landed, parsed, quarantined
    reason: Mapped[str | None]
    settled_at: Mapped[datetime | None]


class FollowUp(Base):
    """A page that a feed entry points to and that is still to be fetched: an article, a Form D's XML."""

    __tablename__ = "follow_ups"
    __table_args__ = (
        UniqueConstraint("kind", "url", name="uq_follow_ups_kind_url"),
        Index(
            "ix_follow_ups_waiting",
            "next_attempt_at",
            sqlite_where=text("status = 'waiting'"),
            postgresql_where=text("status = 'waiting'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigSerial, primary_key=True, autoincrement=True)
    source_id: Mapped[str] = mapped_column(String(63))
    kind: Mapped[str] = mapped_column(String(16))
    url: Mapped[str]
    context: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    is_catch_up: Mapped[bool]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(16))  # waiting, done, given_up
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]


class SharedLink(Base):
    """A link that a feed has given to entries of different titles: it goes on being shared, whatever one poll holds."""

    __tablename__ = "shared_links"

    source_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    link_id: Mapped[str] = mapped_column(String(36), primary_key=True)  # the id of the document that it alone would name
    last_landing_id: Mapped[int] = mapped_column(BigInteger)  # the newest body that held it


class RobotsRules(Base):
    """What a site's robots.txt said, for all processes, until ``expires_at``."""

    __tablename__ = "robots_rules"

    site: Mapped[str] = mapped_column(String(300), primary_key=True)  # scheme://host:port
    rules: Mapped[str | None]  # the text, empty where the site has none; None while it can't say
    error: Mapped[str | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class HostPace(Base):
    """When the next request to a host may start: one slot per row update, so all processes share one pace."""

    __tablename__ = "host_paces"

    host: Mapped[str] = mapped_column(String(253), primary_key=True)
    next_at_epoch: Mapped[float] = mapped_column(Float(53))

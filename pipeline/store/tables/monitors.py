"""Tables of monitors: named watch lists of teams, and what they watch (vendor facts, section 7).

What belongs here: tables, keys, constraints. What does not: queries (pipeline.subscriptions).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.tables.base import Base


class Monitor(Base):
    """A watch list of a team. Its webhook, if any, is a subscription whose filter names this list."""

    __tablename__ = "monitors"
    __table_args__ = (Index("ix_monitors_team", "organization_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("teams.organization_id"))
    name: Mapped[str]
    signal_types: Mapped[list[Any]] = mapped_column(JSON)  # funding_round, …
    is_active: Mapped[bool]
    endpoint_id: Mapped[str | None] = mapped_column(ForeignKey("webhook_endpoints.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class MonitorTarget(Base):
    """One thing that a monitor watches. ``name`` and ``domain_key`` are what the match engine is given of it."""

    __tablename__ = "monitor_targets"
    __table_args__ = (
        UniqueConstraint("monitor_id", "value"),
        Index("ix_monitor_targets_newest", "monitor_id", "created_at", "id"),
        Index("ix_monitor_targets_team", "organization_id"),
        Index("ix_monitor_targets_domain", "domain_key"),
        Index("ix_monitor_targets_name", "name_key"),
        Index("ix_monitor_targets_value", "value"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    monitor_id: Mapped[str] = mapped_column(ForeignKey("monitors.id"))
    organization_id: Mapped[str] = mapped_column(ForeignKey("teams.organization_id"))
    kind: Mapped[str] = mapped_column(String(16))  # domain, linkedin_company, linkedin_profile
    value: Mapped[str]  # acme.com, linkedin.com/company/acme, linkedin.com/in/jane-doe
    domain_key: Mapped[str | None]
    name: Mapped[str | None]
    name_key: Mapped[str | None]  # its comparison form without spaces
    company_id: Mapped[str | None] = mapped_column(String(36))  # None: not met yet
    company: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # id, name, slug, domain, industry, country
    resolved_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

"""What monitors watch: targets added, listed, removed (vendor facts, section 7).

One that is among the companies that signals have told of is resolved at once, by the keys that the match engine goes by; the others
when a signal of theirs comes by (resolving).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.monitors import Monitor, MonitorTarget
from pipeline.store.tables.subscriptions import Company, Signal
from pipeline.subscriptions import payloads
from pipeline.subscriptions.identifiers import Identifier, name_key, read_identifier
from pipeline.subscriptions.model import SIGNAL_TYPES
from pipeline.subscriptions.monitors import MonitorRefused, company_ids, find_monitor, hold_monitor
from pipeline.subscriptions.resolving import learn
from pipeline.subscriptions.webhooks import new_uuid

MOST_TARGETS = 1_000  # of a team, over all its monitors
MOST_AT_ONCE = 500
MOST_CHARACTERS = 500
RESOLVED, PENDING = "resolved", "pending"


class TargetUnknown(LookupError):
    """The monitor has no such target."""


@dataclass(frozen=True, slots=True)
class TargetInfo:
    """A target as it stands. ``company``: id, name, slug, domain, industry, country; None while pending."""

    id: str
    monitor_id: str
    kind: str
    value: str
    company: dict[str, Any] | None
    resolved_at: datetime | None
    last_signal_type: str | None
    last_signal_at: datetime | None
    created_at: datetime

    @property
    def status(self) -> str:
        """Is its company known?"""
        return PENDING if self.company is None else RESOLVED


@dataclass(frozen=True, slots=True)
class Added:
    """What adding came to. ``invalid``: as they were sent."""

    added: list[TargetInfo]
    skipped_existing: int
    invalid: list[str]
    resolved_companies: int


@dataclass(frozen=True, slots=True)
class Removed:
    """What removing came to. ``not_found``: ids, and identifiers in their one spelling."""

    removed: list[TargetInfo]
    not_found: list[str]
    invalid: list[str]
    resolved_companies: int


def add_targets(
    db: AppDatabase, team_id: str, monitor_id: str, texts: Sequence[str], now: datetime, rng: Random | None = None
) -> Added:
    """Add what these texts name, each once. Raises MonitorUnknown; MonitorRefused where none names anything, or the team would
    watch more than 1,000: then nothing is added."""
    named, invalid = _read(texts)
    with db.write() as session:
        monitor = hold_monitor(session, team_id, monitor_id)
        if not named:
            raise MonitorRefused(
                "None of the targets can be used; send domains (acme.com), linkedin.com/company/… or linkedin.com/in/…"
            )
        known = set(session.scalars(_of(monitor).with_only_columns(MonitorTarget.value)))
        new = [one for value, one in named.items() if value not in known]
        count = select(func.count()).select_from(MonitorTarget).where(MonitorTarget.organization_id == team_id)
        there = session.scalar(count) or 0
        if there + len(new) > MOST_TARGETS:
            raise MonitorRefused(
                f"Maximum of {MOST_TARGETS:,} targets per team: there are {there:,}, and {len(new):,} would be added; nothing was"
            )
        rows = [_row(monitor, one, now, rng) for one in new]
        _meet_known(session, rows, now)
        session.add_all(rows)
        session.flush()
        return Added(_shown(session, rows), len(named) - len(new), invalid, _companies(session, monitor))


def list_targets(
    db: AppDatabase, team_id: str, monitor_id: str, limit: int, offset: int, status: str | None = None
) -> tuple[list[TargetInfo], int]:
    """A page of what the monitor watches, newest first, and how many there are of this ``status``. Raises MonitorUnknown."""
    with db.read() as session:
        query = _of(find_monitor(session, team_id, monitor_id))
        if status is not None:
            is_pending = MonitorTarget.company_id.is_(None)
            query = query.where(is_pending if status == PENDING else ~is_pending)
        total = session.scalar(query.with_only_columns(func.count())) or 0
        ordered = query.order_by(MonitorTarget.created_at.desc(), MonitorTarget.id.desc())
        return _shown(session, session.scalars(ordered.limit(limit).offset(offset)).all()), total


def remove_target(db: AppDatabase, team_id: str, monitor_id: str, target_id: str) -> None:
    """No longer watch this. Raises MonitorUnknown, TargetUnknown."""
    if not remove_targets(db, team_id, monitor_id, [target_id], []).removed:
        raise TargetUnknown(target_id)


def remove_targets(db: AppDatabase, team_id: str, monitor_id: str, ids: Sequence[str], texts: Sequence[str]) -> Removed:
    """No longer watch these, by id or by what names them. Raises MonitorUnknown."""
    named, invalid = _read(texts)
    with db.write() as session:
        monitor = hold_monitor(session, team_id, monitor_id)
        wanted = or_(MonitorTarget.id.in_(list(ids)), MonitorTarget.value.in_(list(named)))
        rows = session.scalars(_of(monitor).where(wanted).order_by(MonitorTarget.created_at.desc(), MonitorTarget.id)).all()
        gone = _shown(session, rows)
        session.execute(delete(MonitorTarget).where(MonitorTarget.id.in_([row.id for row in rows])))
        found = {row.id for row in rows} | {row.value for row in rows}
        not_found = [one for one in dict.fromkeys([*ids, *named]) if one not in found]
        return Removed(gone, not_found, invalid, _companies(session, monitor))


def _read(texts: Iterable[str]) -> tuple[dict[str, Identifier], list[str]]:
    """What is named, by its one spelling and in the order given; and the texts that name nothing."""
    named: dict[str, Identifier] = {}
    invalid: list[str] = []
    for text in texts:
        found = read_identifier(text)
        if found is None:
            invalid.append(text)
        else:
            named.setdefault(found.value, found)
    return named, invalid


def _of(monitor: Monitor) -> Any:
    return select(MonitorTarget).where(MonitorTarget.monitor_id == monitor.id)


def _row(monitor: Monitor, one: Identifier, now: datetime, rng: Random | None) -> MonitorTarget:
    return MonitorTarget(
        id=new_uuid(rng),
        monitor_id=monitor.id,
        organization_id=monitor.organization_id,
        kind=one.kind,
        value=one.value,
        domain_key=one.domain_key,
        name=one.name,
        name_key=name_key(one.name),
        created_at=now,
    )


def _meet_known(session: Session, rows: Sequence[MonitorTarget], now: datetime) -> None:
    """Resolve those whose company signals have told of: by its domain, else by its name, unless its domain speaks against it."""
    ids = [payloads.company_id(row.domain_key, None) for row in rows if row.domain_key]
    names = {row.name_key for row in rows if row.name_key}
    query = select(Company).where(or_(Company.id.in_(ids), Company.name_key.in_(sorted(names))))
    by_id: dict[str | None, Company] = {}
    by_name: dict[str | None, list[Company]] = {}
    for company in session.scalars(query.order_by(Company.updated_at.desc(), Company.id)):
        by_id[company.id] = company
        by_name.setdefault(company.name_key, []).append(company)
    for row in rows:
        found = by_id.get(payloads.company_id(row.domain_key, None))
        if found is None and row.name_key:
            named = by_name.get(row.name_key, [])
            found = next((one for one in named if not (row.domain_key and one.profile.get("website"))), None)
        if found is not None:
            learn(row, found.profile, now)


def _latest(session: Session, ids: Sequence[str]) -> dict[str, Any]:
    """By company's id, the id, event and time of its last active signal."""
    place = func.row_number().over(
        partition_by=Signal.company_id, order_by=(Signal.occurred_at.desc(), Signal.discovered_at.desc(), Signal.id)
    )
    columns = (Signal.company_id, Signal.id, Signal.event_type, Signal.occurred_at, place.label("place"))
    found: dict[str, Any] = {}
    for start in range(0, len(ids), MOST_AT_ONCE):
        ranked = select(*columns).where(Signal.company_id.in_(ids[start : start + MOST_AT_ONCE]), Signal.is_active).subquery()
        found |= {row.company_id: row for row in session.execute(select(ranked).where(ranked.c.place == 1))}
    return found


def _shown(session: Session, rows: Sequence[MonitorTarget]) -> list[TargetInfo]:
    ids = {row.id: company_ids(row) for row in rows}
    latest = _latest(session, sorted({one for some in ids.values() for one in some}))
    shown = []
    for row in rows:
        last = max((latest[one] for one in ids[row.id] if one in latest), key=lambda one: one.occurred_at, default=None)
        shown.append(
            TargetInfo(
                id=row.id,
                monitor_id=row.monitor_id,
                kind=row.kind,
                value=row.value,
                company=row.company,
                resolved_at=row.resolved_at,
                last_signal_type=SIGNAL_TYPES[last.event_type] if last else None,
                last_signal_at=last.occurred_at if last else None,
                created_at=row.created_at,
            )
        )
    return shown


def _companies(session: Session, monitor: Monitor) -> int:
    return session.scalar(_of(monitor).with_only_columns(func.count(MonitorTarget.company_id.distinct()))) or 0

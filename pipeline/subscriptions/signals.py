"""Published signals in the app database: written by the pipeline, fanned out to subscriptions, read by the faces.

Publishing the same signals again writes nothing; what was fanned out is never fanned out again. What belongs here: table
``signals``. What does not: what a signal is made of (subscriptions.publishing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.subscriptions import Signal
from pipeline.subscriptions.model import SIGNAL_EVENTS, Facts
from pipeline.subscriptions.profiles import refresh_profiles
from pipeline.subscriptions.webhooks import OF_PROFILE
from pipeline.webhooks.credits import SKIPPED

CHUNK = 200
WAITING, DONE, NOBODY = "waiting", "done", "none"
RETRACTED = "retracted"


@dataclass(frozen=True, slots=True)
class PublishedSignal:
    """One signal as it is published. ``tells``: subscriptions are to be told of it. Amounts in whole units of ``currency``.

    ``data``: the payload's blocks (SB-71 to SB-78), persons in clear.
    """

    id: str
    event_type: str
    external_id: str
    logical_key: str
    is_active: bool
    tells: bool
    occurred_at: datetime
    discovered_at: datetime
    company_id: str | None
    company_name: str | None
    industry: str | None
    categories: list[str]
    country: str | None
    employee_count: int | None
    round_type: str | None
    round_flavor: str | None
    amount: int | None
    currency: str | None
    confidence: float | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PublishReport:
    """``waiting``: signals that subscriptions are to be told of, from now on."""

    new: int = 0
    changed: int = 0
    waiting: int = 0


_COLUMNS = tuple(field.name for field in fields(PublishedSignal) if field.name != "tells")


def publish_signals(
    db: AppDatabase, signals: Sequence[PublishedSignal], now: datetime, merged_into: Mapping[str, str] | None = None
) -> PublishReport:
    """Write the signals, the last of each id. One that told nobody yet and tells now is fanned out; none is twice.

    ``merged_into``: signals that were found to be part of another. Where that part was told, the whole is not told again.
    """
    new = changed = waiting = 0
    latest = list({signal.id: signal for signal in signals}.values())
    for start in range(0, len(latest), CHUNK):
        chunk = latest[start : start + CHUNK]
        with db.write() as session:
            query = select(Signal).where(Signal.id.in_([signal.id for signal in chunk])).with_for_update()
            known = {row.id: row for row in session.scalars(query)}
            touched: list[Signal] = []
            former: set[str | None] = set()
            for signal in chunk:
                row = known.get(signal.id)
                if row is None:
                    touched.append(_row(signal, now))
                    session.add(touched[-1])
                    new += 1
                    waiting += signal.tells and signal.is_active
                else:
                    of_company = row.company_id
                    if _change(row, signal, now):
                        touched.append(row)
                        former.add(of_company)
                        changed += 1
                    if row.fan_out == NOBODY and signal.tells and signal.is_active:
                        row.fan_out = WAITING
                        waiting += 1
            session.flush()
            refresh_profiles(db, session, touched, former, now)
            _take_back(session, [row for row in known.values() if not row.is_active], now)
            _carry_over(session, merged_into or {})
    return PublishReport(new, changed, waiting)


def count_signals(db: AppDatabase) -> int:
    """How many signals there are; retention keeps them from growing without end."""
    with db.read() as session:
        return session.scalars(select(func.count()).select_from(Signal)).one()


def latest_signals(db: AppDatabase, limit: int) -> list[Signal]:
    """The signals that were found last, newest first; found through the index of event types."""
    with db.read() as session:
        newest: list[Signal] = []
        for event_type in SIGNAL_EVENTS:
            query = select(Signal).where(Signal.event_type == event_type)
            newest += session.scalars(query.order_by(Signal.occurred_at.desc(), Signal.id.desc()).limit(limit))
    return sorted(newest, key=lambda row: (row.discovered_at, row.id), reverse=True)[:limit]


def waiting_signals(session: Session, limit: int) -> list[Signal]:
    """Signals still to be fanned out, oldest first."""
    query = select(Signal).where(Signal.fan_out == WAITING).order_by(Signal.discovered_at, Signal.id)
    return list(session.scalars(query.limit(limit)))


def facts_of(row: Signal, watch_lists: frozenset[str] = frozenset()) -> Facts:
    """The signal as filters see it."""
    return Facts(
        event_type=row.event_type,
        occurred_at=row.occurred_at,
        company_name=row.company_name,
        industry=row.industry,
        categories=tuple(row.categories),
        country=row.country,
        employee_count=row.employee_count,
        round_type=row.round_type,
        round_flavor=row.round_flavor,
        amount=row.amount,
        confidence=row.confidence,
        watch_lists=watch_lists,
    )


def _row(signal: PublishedSignal, now: datetime) -> Signal:
    values = {name: getattr(signal, name) for name in _COLUMNS}
    return Signal(**values, updated_at=now, fan_out=WAITING if signal.tells and signal.is_active else NOBODY)


def _change(row: Signal, signal: PublishedSignal, now: datetime) -> bool:
    changes = {name: value for name in _COLUMNS if getattr(row, name) != (value := getattr(signal, name))}
    for name, value in changes.items():
        setattr(row, name, value)
    if changes:
        row.updated_at = now
    return bool(changes)


def _carry_over(session: Session, merged_into: Mapping[str, str]) -> None:
    """The whole of a signal that was told in part has been told."""
    if not merged_into:
        return
    told = select(Signal.id).where(Signal.id.in_(sorted(merged_into)), Signal.fan_out == DONE)
    wholes = sorted({merged_into[part] for part in session.scalars(told)})
    if wholes:
        session.execute(update(Signal).where(Signal.id.in_(wholes)).values(fan_out=DONE))


def _take_back(session: Session, rows: Sequence[Signal], now: datetime) -> None:
    """Signals that turned out not to be so: what still waits is sent to nobody."""
    if not rows:
        return
    for row in rows:
        if row.fan_out == WAITING:
            row.fan_out = NOBODY
    pending = update(Delivery).where(OF_PROFILE, Delivery.status == "pending", Delivery.signal_id.in_([row.id for row in rows]))
    session.execute(pending.values(status=SKIPPED, reason=RETRACTED, finished_at=now))

"""Stages from StartCap's CRM: daily snapshots land in any order and are applied in that of their days.

A snapshot waits until the day before it was applied; one that is missing for too long is given up, and what it would have shown is
told with the next. So snapshots in whatever order, twice or late lead to the same changes, each told once, in order per lead.
What belongs here: landing and the order of days. What does not: what one day changes (partners.stage_changes).
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.organizations.secrets import SecretBox
from pipeline.partners.plans import STAGES_TURN
from pipeline.partners.snapshot_file import SnapshotInvalid, count_leads
from pipeline.partners.stage_changes import Applied, Days
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.partners import Referral, StatusSnapshot

WAITING, APPLIED, LATE = "waiting", "applied", "late"
KNOWN = "known"
PATIENCE = timedelta(hours=48)
DAYS_AT_ONCE = 31
COMPRESSION = 1


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of a file: waiting, known (the same was there), or late (its day is past: kept from doing anything)."""

    day: date
    outcome: str
    rows: int


@dataclass(slots=True)
class SyncReport:
    """What one pass applied. ``waits_for``: the day that is missing, while later ones wait."""

    days: list[date] = field(default_factory=list)
    applied: Applied = field(default_factory=Applied)
    waits_for: date | None = None


def land(db: AppDatabase, day: date, content: str, now: datetime) -> Landed:
    """Take in the snapshot of ``day``. One that waits is replaced by another of its day. Raises SnapshotInvalid."""
    if day > now.astimezone(UTC).date() + timedelta(days=1):
        raise SnapshotInvalid(f"{day} is still to come")
    rows = count_leads(content)
    if not rows:
        raise SnapshotInvalid("there is no lead in it: an export that failed is not an empty one")
    digest = hashlib.sha256(content.encode()).hexdigest()
    with db.write() as session:
        db.hold(session, STAGES_TURN)
        known = session.get(StatusSnapshot, day.isoformat())
        if known is not None and (known.sha256 == digest or known.status != WAITING):
            return Landed(day, KNOWN if known.sha256 == digest else LATE, rows)
        last = _last_day(session)
        is_late = last is not None and day <= last
        row = known or StatusSnapshot(day=day.isoformat())
        row.sha256, row.rows, row.received_at = digest, rows, now
        row.status = LATE if is_late else WAITING
        row.content = None if is_late else _packed(content)
        session.add(row)
        return Landed(day, row.status, rows)


def sync(
    db: AppDatabase, box: SecretBox, now: datetime, patience: timedelta = PATIENCE, accepts_gap: bool = False
) -> SyncReport:
    """Apply all that may be applied. ``accepts_gap``: don't wait for days that are missing.

    Each batch of days is one transaction: stages, changes, commissions, and what partners are told.
    """
    report = SyncReport()
    while True:
        with db.write() as session:
            db.hold(session, STAGES_TURN)
            batch = _next_days(session, report, now, patience, accepts_gap)
            if not batch:
                return report
            report.applied.add(_apply(session, box, batch, now))
            report.days += [date.fromisoformat(row.day) for row in batch]


def _apply(session: Session, box: SecretBox, batch: list[StatusSnapshot], now: datetime) -> Applied:
    """Apply days in a row. What the last one says is kept: the next is compared with it."""
    last = _last_applied(session)
    days = Days(session, box, now, _unpacked(last))
    before = date.fromisoformat(last.day) if last else None
    if last is not None:
        last.content = None
    for row in batch:
        day = date.fromisoformat(row.day)
        days.add(day, _unpacked(row), before)
        row.status, row.applied_at, row.content = APPLIED, now, None
        before = day
    applied = days.apply()
    batch[-1].content = _packed(days.text())
    return applied


def _next_days(
    session: Session, report: SyncReport, now: datetime, patience: timedelta, accepts_gap: bool
) -> list[StatusSnapshot]:
    """The next days in a row."""
    query = select(StatusSnapshot).where(StatusSnapshot.status == WAITING).order_by(StatusSnapshot.day).limit(DAYS_AT_ONCE)
    rows = list(session.scalars(query))
    report.waits_for = None
    expected = _expected_day(session)
    batch: list[StatusSnapshot] = []
    for row in rows:
        day = date.fromisoformat(row.day)
        if expected is not None and day > expected and not accepts_gap and row.received_at > now - patience:
            report.waits_for = expected
            break
        batch.append(row)
        expected = day + timedelta(days=1)
    return batch


def _expected_day(session: Session) -> date | None:
    """The day after the last that was applied; before the first, the day of the first lead."""
    last = _last_day(session)
    if last is not None:
        return last + timedelta(days=1)
    first = session.scalar(select(func.min(Referral.created_at)))
    return first.astimezone(UTC).date() if first else None


def _last_day(session: Session) -> date | None:
    last = session.scalar(select(func.max(StatusSnapshot.day)).where(StatusSnapshot.status == APPLIED))
    return date.fromisoformat(last) if last else None


def _last_applied(session: Session) -> StatusSnapshot | None:
    last = _last_day(session)
    return None if last is None else session.get(StatusSnapshot, last.isoformat())


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode(), COMPRESSION)


def _unpacked(row: StatusSnapshot | None) -> str:
    return "" if row is None or row.content is None else zlib.decompress(row.content).decode()

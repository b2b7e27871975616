"""Which status snapshots landed, for operators to see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.partners import StatusSnapshot


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """One day's snapshot, without its content. ``status``: waiting, applied, late."""

    day: str
    status: str
    rows: int
    sha256: str
    received_at: datetime
    applied_at: datetime | None


def count_snapshots(db: AppDatabase) -> int:
    """How many days have one."""
    with db.read() as session:
        return session.scalars(select(func.count()).select_from(StatusSnapshot)).one()


def list_snapshots(db: AppDatabase, most: int) -> list[SnapshotInfo]:
    """The newest ``most`` days, newest first."""
    row = StatusSnapshot
    query = select(row.day, row.status, row.rows, row.sha256, row.received_at, row.applied_at)
    with db.read() as session:
        return [SnapshotInfo(*found) for found in session.execute(query.order_by(row.day.desc()).limit(most))]

"""How the sources stand at this moment, for doctor and metrics: who fails, who answers with what is no feed, is anybody asked.

What belongs here: reading it at a small cost. What does not: how they did over days (source_hours, the mart source_health).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import aliased

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.documents import Landing, SourceState

FEEDS = ("feed", "edgar_page")


@dataclass(slots=True)
class SourceStanding:
    """``failing`` and ``unreadable``: source id and reason; the latter answers, but the newest body that was read gave nothing.

    ``seconds_since_poll``: since any source was asked, None before the first.
    """

    polled: int = 0
    failing: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    seconds_since_poll: float | None = None


def source_standing(database: AppDatabase, now: datetime, ids: Collection[str] | None = None) -> SourceStanding:
    """Of all sources that were ever polled, or of ``ids`` alone: those that are not watched any more say nothing of today."""
    body = aliased(Landing)
    newest = select(body.id).where(body.source_id == SourceState.source_id, body.kind.in_(FEEDS), body.status != "landed")
    newest_id = newest.order_by(body.id.desc()).limit(1).scalar_subquery()
    query = select(
        SourceState.source_id, SourceState.last_polled_at, SourceState.consecutive_failures, SourceState.last_error,
        Landing.status, Landing.reason,
    ).join(Landing, Landing.id == newest_id, isouter=True)  # fmt: skip
    with database.read() as session:
        rows = [row for row in session.execute(query.order_by(SourceState.source_id)) if ids is None or row.source_id in ids]
    standing = SourceStanding(len(rows))
    for row in rows:
        if row.consecutive_failures:
            standing.failing[row.source_id] = row.last_error or "failed"
        elif row.status == "quarantined":
            standing.unreadable[row.source_id] = row.reason or "unreadable"
    polls = [row.last_polled_at for row in rows if row.last_polled_at is not None]
    standing.seconds_since_poll = (now - max(polls)).total_seconds() if polls else None
    return standing

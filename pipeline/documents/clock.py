"""Whether this machine's clock is right, by what the sources' servers say of the time in each answer (RFC 9110, 6.6.1).

A wrong clock is costly: receivers refuse signatures that are minutes old or ahead, and a refused delivery is never sent again.
What belongs here: reading one answer's time, and judging many. What does not: what follows from it (sensors, doctor).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from statistics import median

from sqlalchemy import select

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.documents import SourceState

MEMORY = "clock_ahead_seconds"  # of source_states.memory
# Receivers allow five minutes (Standard Webhooks); with less than four, what is signed now is still taken.
WRONG_SECONDS = 240.0
# One server's clock may be wrong, or its answer old; not that of most.
LEAST_SOURCES = 3
LATELY = timedelta(hours=1)


def seconds_ahead(headers: Mapping[str, str], now: datetime) -> float | None:
    """By how much ``now`` is ahead of the answer's ``Date``; None where it has none, or comes out of a cache (``Age``)."""
    try:
        said = parsedate_to_datetime(headers["Date"])
        age = float(headers.get("Age", "0"))
    except (KeyError, ValueError, TypeError, IndexError):
        return None
    said = said if said.tzinfo else said.replace(tzinfo=UTC)
    return (now - said).total_seconds() - age


def clock_ahead(database: AppDatabase) -> float | None:
    """By how many seconds this machine's clock is ahead (behind: less than 0) of most sources', as the last polls have shown it;
    None where fewer than LEAST_SOURCES have said so within an hour of the newest poll."""
    with database.read() as session:
        rows = session.execute(select(SourceState.last_polled_at, SourceState.memory)).all()
    said = [(row.last_polled_at, row.memory[MEMORY]) for row in rows if row.last_polled_at and MEMORY in row.memory]
    newest = max((at for at, _ in said), default=None)
    lately = [ahead for at, ahead in said if newest is not None and at >= newest - LATELY]
    return float(median(lately)) if len(lately) >= LEAST_SOURCES else None


def complaint(database: AppDatabase) -> str:
    """In one line that the clock is wrong; empty where it is right, or nobody can say."""
    ahead = clock_ahead(database)
    if ahead is None or abs(ahead) < WRONG_SECONDS:
        return ""
    side = "ahead of" if ahead > 0 else "behind"
    return (
        f"this machine's clock is some {_span(abs(ahead))} {side} what most sources say: nothing is "
        "sent until it is set right, because receivers refuse signatures of another time (chrony, timedatectl)"
    )


def _span(seconds: float) -> str:
    """In whole minutes, hours or days: the same words while it stays the same."""
    for name, length in (("days", 172_800.0), ("hours", 7_200.0)):
        if seconds >= length:
            return f"{seconds / (length / 2):.0f} {name}"
    return f"{seconds / 60:.0f} minutes"

"""The day before which news is closed: who was told of it is no longer kept, so nobody is told of it again.

Retention closes days first and deletes their rows after (upkeep.retention). Whatever could tell somebody of an old round asks here:
publishing, matching, backfills. The mark lies in the warehouse beside the rounds, and only ever moves forward, whatever the
policy says later. What belongs here: the mark. What does not: deleting.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import duckdb

from pipeline.store.warehouse import Warehouse, progress, set_progress

STEP = "closed_before"
# A round is deleted so much later than it is closed: another report of the same real round may have come a while after it,
# and as long as that one is open, the first must be known (webhooks.logical_rounds, 14 days).
MARGIN = timedelta(days=30)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as the warehouse keeps moments


class DaysClosed(ValueError):
    """Days were asked for that are closed. Says from which on they are open."""


def closed_before(connection: duckdb.DuckDBPyConnection) -> datetime:
    """Rounds first seen before this moment (naive UTC, as the warehouse has it) are closed; 1970 where nothing is."""
    return _EPOCH + timedelta(seconds=progress(connection, STEP))


def close_days(connection: duckdb.DuckDBPyConnection, before: datetime) -> None:
    """Close what was first seen before ``before`` (aware), unless more is closed already."""
    wanted = int(before.timestamp())
    if wanted > progress(connection, STEP):
        set_progress(connection, STEP, wanted)


def require_open(warehouse: Warehouse, first: date) -> None:
    """Raises DaysClosed where ``first`` is a closed day."""
    with warehouse.open() as connection:
        closed = closed_before(connection)
    if closed > datetime.combine(first, datetime.min.time()):
        day = closed.date() + timedelta(days=1)
        raise DaysClosed(
            f"{first} is closed: who was told of its news is no longer kept (FUNDINGSCOUT_RETENTION_HISTORY_DAYS). "
            f"Days are open from {day} on."
        )

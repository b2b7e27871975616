"""The day up to which the app database may have forgotten whom it told: it was put back from a backup.

News of that day and before is held when it is found again, until somebody lets it go (webhooks.outbox). The mark lies in the
warehouse and only moves forward. What belongs here: the mark. What does not: what a restore has to do (recovery.restored).
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import duckdb

from pipeline.store.warehouse import Warehouse, progress, set_progress

STEP = "ledger_restored"


def note_restore(connection: duckdb.DuckDBPyConnection, moment: datetime) -> None:
    """The app database was put back before ``moment`` (aware)."""
    set_progress(connection, STEP, max(int(moment.timestamp()), progress(connection, STEP)))


def maybe_told_until(warehouse: Warehouse) -> date | None:
    """The day (UTC) of the last restore of the app database; None where there was none."""
    with warehouse.open() as connection:
        seconds = progress(connection, STEP)
    return datetime.fromtimestamp(seconds, UTC).date() if seconds else None

"""How often a key may call in an hour (SC-12 to SC-16, A-SC-14 to A-SC-16). An hour is one of the clock's, in UTC.

Counting is one statement, so that calls at the same moment can't both take the last one; what is refused is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import case, or_, select

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.partners import KeyHour

CALLS_PER_HOUR = 1_000
SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class HourUsage:
    """One hour's calls by one key. ``resets_at``: when the next hour begins."""

    used: int
    resets_at: datetime
    is_refused: bool = False

    @property
    def remaining(self) -> int:
        """Calls left in this hour."""
        return max(0, CALLS_PER_HOUR - self.used)


def take_call(db: AppDatabase, key_id: str, now: datetime) -> HourUsage:
    """Count one call, unless the hour's are used up: then nothing is written, and the usage says ``is_refused``."""
    hour, resets_at = _hour(now)
    insert = db.insert(KeyHour).values({"key_id": key_id, "hour": hour, "calls": 1})
    counted = insert.on_conflict_do_update(
        index_elements=["key_id"],
        set_={"hour": hour, "calls": case((KeyHour.hour == hour, KeyHour.calls + 1), else_=1)},
        where=or_(KeyHour.hour != hour, KeyHour.calls < CALLS_PER_HOUR),
    ).returning(KeyHour.calls)
    with db.write() as session:
        calls = session.execute(counted).scalar_one_or_none()
    return HourUsage(CALLS_PER_HOUR if calls is None else calls, resets_at, calls is None)


def usage_now(db: AppDatabase, key_id: str, now: datetime) -> HourUsage:
    """The hour's calls so far, without counting one (SC-15)."""
    hour, resets_at = _hour(now)
    with db.read() as session:
        calls = session.scalar(select(KeyHour.calls).where(KeyHour.key_id == key_id, KeyHour.hour == hour))
    return HourUsage(calls or 0, resets_at)


def _hour(now: datetime) -> tuple[int, datetime]:
    hour = int(now.timestamp()) // SECONDS
    return hour, datetime.fromtimestamp((hour + 1) * SECONDS, UTC)

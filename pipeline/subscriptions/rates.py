"""How often a team may call one operation in a minute (SB-60, A-SB-26, A-X-6). A minute is one of the clock's, in UTC.

Counting is one statement, so that calls at the same moment can't both take the last one; what is refused is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import case, or_

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.subscriptions import CallWindow

DEFAULT_PER_MINUTE = 60
SECONDS = 60


@dataclass(frozen=True, slots=True)
class CallUsage:
    """One minute's calls of one operation by one team. ``resets_at``: when the next minute begins."""

    limit: int
    used: int
    resets_at: datetime
    is_refused: bool

    @property
    def remaining(self) -> int:
        """Calls left in this minute."""
        return max(0, self.limit - self.used)


def take_call(db: AppDatabase, organization_id: str, operation: str, limit: int, now: datetime) -> CallUsage:
    """Count one call, unless the minute's are used up: then nothing is written, and the usage says ``is_refused``."""
    minute = int(now.timestamp()) // SECONDS
    resets_at = datetime.fromtimestamp((minute + 1) * SECONDS, UTC)
    row = {"organization_id": organization_id, "operation": operation, "minute": minute, "calls": 1}
    insert = db.insert(CallWindow).values(row)
    counted = insert.on_conflict_do_update(
        index_elements=["organization_id", "operation"],
        set_={"minute": minute, "calls": case((CallWindow.minute == minute, CallWindow.calls + 1), else_=1)},
        where=or_(CallWindow.minute != minute, CallWindow.calls < limit),
    ).returning(CallWindow.calls)
    with db.write() as session:
        calls = session.execute(counted).scalar_one_or_none()
    return CallUsage(limit, limit if calls is None else calls, resets_at, calls is None)

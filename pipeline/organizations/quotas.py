"""How often a key may do what in one day: defaults, per-key overrides, and the count (FS-18, FS-19, FS-69, A-FS-17).

What belongs here: operations, limits, counters. What does not: headers and status codes (api). A day is a UTC calendar
day. Counting is one statement, so that calls at the same moment can't both take the last one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pipeline.organizations.keys import KeyInfo, locked_key
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.organizations import ApiKey, UsageCounter

# Calls per key and day. The first three are the source pages' (FS-18, FS-22, FS-69), the last five those of the vendor's
# tools. For the others no page states a limit: these keep one key from occupying the service.
DEFAULT_LIMITS: dict[str, int] = {
    "crm_accounts_upsert": 100,
    "crm_contacts_upsert": 100,
    "crm_matches_list": 100,
    "crm_accounts_delete": 10_000,
    "crm_contacts_delete": 10_000,
    "webhook_settings": 1_000,
    "list_funding_rounds": 1_000,
    "get_funding_round": 1_000,
    "search_companies": 1_000,
    "reveal_contact": 200,
    "whoami": 1_000,
}
KEPT_DAYS = 90


class OperationUnknown(ValueError):
    """A quota for something that has none."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of one operation a key has used today. ``limit`` None: as often as it likes."""

    operation: str
    limit: int | None
    used: int
    resets_at: datetime
    is_refused: bool = False

    @property
    def remaining(self) -> int | None:
        """Calls left today; None without a limit."""
        return None if self.limit is None else max(0, self.limit - self.used)


def limit_of(overrides: Mapping[str, Any], operation: str) -> int | None:
    """The limit in force: the key's own where it has one (None lifts it), else the default."""
    value = overrides.get(operation, DEFAULT_LIMITS[operation])
    return None if value is None else int(value)


def next_midnight(now: datetime) -> datetime:
    """When today's counters stop counting: the next 00:00 UTC."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)


def take(db: AppDatabase, key_id: str, operation: str, limit: int | None, now: datetime) -> Usage:
    """Count one call, unless the limit is used up: then nothing is written and the usage says ``is_refused``."""
    used = _used(db, key_id, operation, now)
    if limit is not None and used >= limit:
        return Usage(operation, limit, used, next_midnight(now), is_refused=True)
    row = {"key_id": key_id, "day": _day(now), "operation": operation, "calls": 1}
    statement = db.insert(UsageCounter).values(row)
    counted = statement.on_conflict_do_update(
        index_elements=["key_id", "day", "operation"],
        set_={"calls": UsageCounter.calls + 1},
        where=None if limit is None else UsageCounter.calls < limit,
    ).returning(UsageCounter.calls)
    with db.write() as session:
        calls = session.execute(counted).scalar_one_or_none()
        if calls == 1:
            _drop_old(session, key_id, now)
    if calls is None:
        assert limit is not None
        return Usage(operation, limit, limit, next_midnight(now), is_refused=True)
    return Usage(operation, limit, calls, next_midnight(now))


def usage_today(db: AppDatabase, key_id: str, overrides: Mapping[str, Any], now: datetime) -> list[Usage]:
    """Every operation's limit and use today, in the order of DEFAULT_LIMITS."""
    query = select(UsageCounter.operation, UsageCounter.calls)
    with db.read() as session:
        rows = session.execute(query.where(UsageCounter.key_id == key_id, UsageCounter.day == _day(now)))
        used = {row.operation: row.calls for row in rows}
    return [
        Usage(operation, limit_of(overrides, operation), used.get(operation, 0), next_midnight(now))
        for operation in DEFAULT_LIMITS
    ]


def set_limit(
    db: AppDatabase, organization_id: str, id_or_prefix: str, operation: str, limit: int | None, is_default: bool = False
) -> KeyInfo:
    """Give one key a limit of its own (None lifts it), or with ``is_default`` the default again. In force at once (FS-19).

    Raises OperationUnknown, ValueError for a negative limit, KeyUnknown.
    """
    if operation not in DEFAULT_LIMITS:
        raise OperationUnknown(f"there is no quota {operation!r}; there are: {', '.join(DEFAULT_LIMITS)}")
    if limit is not None and limit < 0:
        raise ValueError(f"a limit of {limit} calls a day is none; 0 refuses every call")
    with db.write() as session:
        key = locked_key(session, organization_id, id_or_prefix)
        row = session.get_one(ApiKey, key.id)
        others = {name: value for name, value in row.quotas.items() if name != operation}
        row.quotas = others if is_default else others | {operation: limit}
    return key


def _used(db: AppDatabase, key_id: str, operation: str, now: datetime) -> int:
    with db.read() as session:
        row = session.get(UsageCounter, (key_id, _day(now), operation))
        return row.calls if row else 0


def _drop_old(session: Session, key_id: str, now: datetime) -> None:
    """On the first call of a day: counters are there to be asked about, not for ever."""
    oldest = _day(now - timedelta(days=KEPT_DAYS))
    session.execute(delete(UsageCounter).where(UsageCounter.key_id == key_id, UsageCounter.day < oldest))


def _day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()

"""Retention in the app database and in the landing: rows that are settled and old, a few hundred at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.documents.landing import Landing
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.base import Base
from pipeline.store.tables.crm import CrmImport, CrmReject
from pipeline.store.tables.deliveries import OperatorNotice
from pipeline.store.tables.documents import FollowUp, HostPace, SourceHour
from pipeline.store.tables.documents import Landing as LandingRow
from pipeline.store.tables.organizations import UsageCounter
from pipeline.store.tables.partners import Referral

# One transaction's worth: a partner's request waits for no more than this.
CHUNK = 500
SETTLED_LANDINGS = ("parsed", "quarantined")
SETTLED_FOLLOW_UPS = ("done", "given_up")

Column = InstrumentedAttribute[Any]


def clear_landings(database: AppDatabase, landing: Landing, before: datetime) -> dict[str, int]:
    """Delete bodies that were read before ``before``, file and row.

    Files first: a kill between the two leaves rows whose file is gone, which the next call deletes. A body that another row
    needs too stays.
    """
    rows = files = 0
    settled = (
        LandingRow.status.in_(SETTLED_LANDINGS),
        LandingRow.settled_at < before,
        LandingRow.id < _newest(LandingRow.id),
    )
    for ids in _chunks(database, LandingRow.id, settled):
        with database.read() as session:
            hashes = set(session.scalars(select(LandingRow.sha256).where(LandingRow.id.in_(ids))))
            others = select(LandingRow.sha256).where(LandingRow.sha256.in_(hashes), LandingRow.id.not_in(ids))
            needed = set(session.scalars(others))
        files += sum(landing.forget(sha256, before) for sha256 in sorted(hashes - needed))
        with database.write() as session:
            session.execute(delete(LandingRow).where(LandingRow.id.in_(ids)))
        rows += len(ids)
    return {"landings": rows, "landed_files": files}


def clear_tables(database: AppDatabase, settled: datetime, history: datetime) -> dict[str, int]:
    """Delete follow-ups, source hours and hosts' paces from before ``settled``; counters, CRM files with their rejects, and notices
    from before ``history``."""
    old_imports = select(CrmImport.id).where(CrmImport.imported_at < history)
    return {
        "follow_ups": _delete(
            database,
            FollowUp.id,
            FollowUp.status.in_(SETTLED_FOLLOW_UPS),
            FollowUp.created_at < settled,
            FollowUp.id < _newest(FollowUp.id),
        ),
        "source_hours": _delete_where(database, SourceHour, SourceHour.hour_at < settled),
        "usage_counters": _delete_where(database, UsageCounter, UsageCounter.day < history.date().isoformat()),
        "host_paces": _delete_where(database, HostPace, HostPace.next_at_epoch < settled.timestamp()),
        "crm_rejects": _delete(database, CrmReject.id, CrmReject.import_id.in_(old_imports)),
        "crm_imports": _delete(database, CrmImport.id, CrmImport.imported_at < history),
        "operator_notices": _delete(
            database, OperatorNotice.id, OperatorNotice.status != "open", OperatorNotice.created_at < history
        ),
    }


def forget_visitors(database: AppDatabase, before: datetime) -> dict[str, int]:
    """Take what is kept of visitors of partners' links out of clicks from before ``before``."""
    return {"visitor_hashes": _blank(database, Referral.id, (Referral.visitor_hash,), Referral.created_at < before)}


def _newest(column: Column) -> Any:
    """The highest number given. It stays: SQLite would give it again."""
    return select(func.max(column)).scalar_subquery()


def _delete(database: AppDatabase, key: Column, *conditions: Any) -> int:
    deleted = 0
    for ids in _chunks(database, key, conditions):
        with database.write() as session:
            session.execute(delete(key.class_).where(key.in_(ids)))
        deleted += len(ids)
    return deleted


def _blank(database: AppDatabase, key: Column, columns: Sequence[Column], *conditions: Any) -> int:
    """Set ``columns`` to NULL where one of them isn't."""
    blanked = 0
    for ids in _chunks(database, key, (*conditions, or_(*(column.is_not(None) for column in columns)))):
        with database.write() as session:
            # Asked again: a delivery may have been opened again meanwhile.
            blank = dict.fromkeys((column.key for column in columns), None)
            session.execute(update(key.class_).where(key.in_(ids), *conditions).values(blank))
        blanked += len(ids)
    return blanked


def _chunks(database: AppDatabase, key: Column, conditions: Sequence[Any]) -> Iterator[list[Any]]:
    """The keys of the rows that fulfil all conditions, in order, a chunk at a time: the table is read once."""
    beyond: tuple[Any, ...] = ()
    while True:
        with database.read() as session:
            ids = list(session.scalars(select(key).where(*conditions, *beyond).order_by(key).limit(CHUNK)))
        if not ids:
            return
        yield ids
        beyond = (key > ids[-1],)


def _delete_where(database: AppDatabase, table: type[Base], condition: Any) -> int:
    """For small tables whose key has several columns: one day's worth a night."""
    with database.write() as session:
        result = session.execute(delete(table).where(condition).execution_options(synchronize_session=False))
        return int(getattr(result, "rowcount", 0))

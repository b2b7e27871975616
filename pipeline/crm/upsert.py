"""CRM rows into the app database, and out of it: set-based, and only what changed.

What belongs here: writes to accounts, contacts and the queue of changes. What does not: validation (rows), files (files).
A row that says what is already there writes nothing and queues nothing (FS-21). A change and its entry in the queue are one
transaction. Nothing is deleted because it is absent (A-FS-18).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from sqlalchemy import and_, delete, select
from sqlalchemy.orm import Session

from pipeline.crm.changes import queue_changes
from pipeline.crm.row_writes import write_rows
from pipeline.crm.rows import AccountRow, ContactRow, Row
from pipeline.store.app_database import AppDatabase
from pipeline.store.bulk import is_one_of
from pipeline.store.tables.crm import Account, Contact, CrmDeletion

T = TypeVar("T")

CHUNK = 1_000  # rows in one statement
DELETIONS_KEPT = timedelta(days=30)  # far longer than from a match found to its being recorded
MODELS: dict[str, type[Account] | type[Contact]] = {"account": Account, "contact": Contact}


@dataclass(frozen=True, slots=True)
class UpsertReport:
    """``upserted``: rows accepted, a duplicate in the batch counted each time (A-FS-15). ``unchanged``: of these, how many
    distinct rows said what was already there."""

    upserted: int
    unchanged: int


def upsert_accounts(database: AppDatabase, organization_id: str, rows: Iterable[AccountRow], now: datetime) -> UpsertReport:
    """Write accounts of one organization, in chunks of 1,000, each its own transaction. Later rows win (A-FS-15)."""
    return _upsert_in_chunks(database, "account", organization_id, rows, now)


def upsert_contacts(database: AppDatabase, organization_id: str, rows: Iterable[ContactRow], now: datetime) -> UpsertReport:
    """As upsert_accounts, for contacts."""
    return _upsert_in_chunks(database, "contact", organization_id, rows, now)


def upsert_chunk(
    database: AppDatabase, session: Session, kind: str, organization_id: str, rows: Sequence[Row], now: datetime
) -> UpsertReport:
    """Write up to 1,000 rows of one kind (account, contact) in a transaction that the caller holds."""
    latest = {row.external_id: row for row in rows}
    hashes = {external_id: row.content_hash for external_id, row in latest.items()}
    known = _known_hashes(session, kind, organization_id, list(latest))
    changed = [row for external_id, row in latest.items() if known.get(external_id) != hashes[external_id]]
    if changed:
        write_rows(database, session, kind, organization_id, changed, hashes, now)
        queue_changes(session, kind, organization_id, [row.external_id for row in changed], now)
    return UpsertReport(len(rows), len(latest) - len(changed))


def delete_account(database: AppDatabase, organization_id: str, external_id: str, now: datetime) -> bool:
    """Delete one account at once (FSV-4); its contacts keep their link. False: there was none."""
    return _delete(database, "account", organization_id, external_id, now)


def delete_contact(database: AppDatabase, organization_id: str, external_id: str, now: datetime) -> bool:
    """Delete one contact at once (FSV-6). False: there was none."""
    return _delete(database, "contact", organization_id, external_id, now)


def delete_in(
    database: AppDatabase, session: Session, kind: str, organization_id: str, external_id: str, now: datetime
) -> bool:
    """Delete one row of one kind (account, contact) in a transaction that the caller holds. False: there was none."""
    model = MODELS[kind]
    where = and_(model.organization_id == organization_id, model.external_id == external_id)
    gone = session.execute(delete(model).where(where).returning(model.external_id)).all()
    if gone:
        queue_changes(session, kind, organization_id, [external_id], now)
        _remember_deletion(database, session, kind, organization_id, external_id, now)
    return bool(gone)


def _upsert_in_chunks(
    database: AppDatabase, kind: str, organization_id: str, rows: Iterable[Row], now: datetime
) -> UpsertReport:
    upserted = unchanged = 0
    for chunk in chunks(rows, CHUNK):
        with database.write() as session:
            report = upsert_chunk(database, session, kind, organization_id, chunk, now)
        upserted += report.upserted
        unchanged += report.unchanged
    return UpsertReport(upserted, unchanged)


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most ``size``."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _known_hashes(session: Session, kind: str, organization_id: str, external_ids: list[str]) -> dict[str, str]:
    model = MODELS[kind]
    query = select(model.external_id, model.content_hash).where(
        model.organization_id == organization_id, is_one_of(session, model.external_id, external_ids)
    )
    return {row.external_id: row.content_hash for row in session.connection().execute(query)}


def _remember_deletion(
    database: AppDatabase, session: Session, kind: str, organization_id: str, external_id: str, now: datetime
) -> None:
    row = {"organization_id": organization_id, "kind": kind, "external_id": external_id, "deleted_at": now}
    statement = database.insert(CrmDeletion).values(row)
    key = ["organization_id", "kind", "external_id"]
    session.execute(statement.on_conflict_do_update(index_elements=key, set_={"deleted_at": now}))
    session.execute(delete(CrmDeletion).where(CrmDeletion.deleted_at < now - DELETIONS_KEPT))


def _delete(database: AppDatabase, kind: str, organization_id: str, external_id: str, now: datetime) -> bool:
    with database.write() as session:
        return delete_in(database, session, kind, organization_id, external_id, now)

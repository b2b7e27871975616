"""Changed CRM rows from the app database into the warehouse: as they are, and through time.

What belongs here: pulling the queue of changes, keeping history, daily snapshots. What does not: accepting rows (upsert).

The queue is emptied after the warehouse has committed. A run killed in between reads the same entries again and finds the
rows as they are: nothing is opened twice, and numbers are the ones an undisturbed run would have given.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from pipeline.crm.row_writes import CONTENT
from pipeline.crm.upsert import CHUNK, MODELS, chunks
from pipeline.matching import as_of
from pipeline.matching.columns import company_domains, email_domains, normal_forms
from pipeline.store.app_database import AppDatabase
from pipeline.store.bulk import is_one_of
from pipeline.store.tables.crm import CrmChangeBatch
from pipeline.store.tables.deliveries import WebhookEndpoint
from pipeline.store.tables.organizations import Organization
from pipeline.store.warehouse import Warehouse, progress, set_progress

SEQ_STEP = "crm_change_seq"  # the last change_seq given; a table's maximum would fall when its newest row is deleted
ROWS_AT_ONCE = 10_000  # read from the app database by one statement
PERSONAL = ("email", "first_name", "last_name", "metadata_json")
KEYS = {"account": ("domain_key", "name_key"), "contact": ("email_domain_key",)}


@dataclass(frozen=True, slots=True)
class CrmReport:
    """``accounts`` and ``contacts``: rows that changed, the ``deleted`` of both kinds included."""

    accounts: int
    contacts: int
    deleted: int


class _Change(NamedTuple):
    organization_id: str
    external_id: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class _Pulled:
    """Entries of the queue, and the rows they point to as they are now. A row that is gone is not among them."""

    batches: list[int]  # numbers of the queue's entries
    queue: dict[str, list[_Change]]  # by kind, in order
    rows: dict[str, list[Any]]  # by kind
    is_all: bool  # nothing more was in the queue


def pull_changes(database: AppDatabase, warehouse: Warehouse, now: datetime, limit: int = 50_000) -> CrmReport:
    """Bring the warehouse to what the app database holds, some ``limit`` changed rows at a time; also core.organizations.

    Each time is one warehouse transaction. No version is valid from later than ``now``, whatever the clock was of the host that
    took the row.
    """
    accounts = contacts = deleted = 0
    while True:
        pulled = _read(database, limit)
        with warehouse.write() as connection:
            _refresh_organizations(connection, database)
            done = {kind: _apply(connection, kind, pulled, now) for kind in MODELS}
        _settle(database, pulled.batches)
        accounts += sum(done["account"])
        contacts += sum(done["contact"])
        deleted += done["account"][1] + done["contact"][1]
        if pulled.is_all:
            return CrmReport(accounts, contacts, deleted)


def accounts_on(connection: duckdb.DuckDBPyConnection, day: date) -> str:
    """The name of a temp view: every account the CRMs held at the end of ``day`` (UTC), as it was then."""
    return as_of.accounts_on(connection, day)


def contacts_on(connection: duckdb.DuckDBPyConnection, day: date) -> str:
    """As accounts_on, for contacts."""
    return as_of.contacts_on(connection, day)


# --- reading the app database -----------------------------------------------------------------------------------------


def _read(database: AppDatabase, limit: int) -> _Pulled:
    with database.read() as session:
        batches, is_all = _oldest(session, limit)
        queue: dict[str, list[_Change]] = {kind: [] for kind in MODELS}
        for batch in batches:
            ids = json.loads(batch.external_ids_json)
            queue[batch.kind] += [_Change(batch.organization_id, external_id, batch.changed_at) for external_id in ids]
        # Read after the queue: a row may be newer than its entry, never older. Its newer entry is still to come.
        rows = {kind: _present(session, kind, changes) for kind, changes in queue.items()}
    return _Pulled([batch.id for batch in batches], queue, rows, is_all)


def _oldest(session: Session, limit: int) -> tuple[list[Any], bool]:
    """The oldest entries of the queue, at least one, together of at most ``limit`` rows; and whether these are all."""
    query = select(CrmChangeBatch.__table__).order_by(CrmChangeBatch.id)
    taken: list[Any] = []
    held = 0
    with session.execute(query.execution_options(yield_per=100)) as found:
        for batch in found:
            held += batch.rows
            if taken and held > limit:
                return taken, False
            taken.append(batch)
    return taken, True


def _present(session: Session, kind: str, changes: Sequence[_Change]) -> list[Any]:
    """The rows of these changes that are there."""
    model = MODELS[kind]
    wanted: dict[str, dict[str, None]] = {}  # each external id once, by organization
    for change in changes:
        wanted.setdefault(change.organization_id, {})[change.external_id] = None
    names = ("organization_id", "external_id", *CONTENT[kind], "created_at", "updated_at")
    query = select(*(getattr(model, name) for name in names))
    return [
        row
        for organization_id, ids in wanted.items()
        for some in chunks(ids, ROWS_AT_ONCE)
        for row in session.execute(
            query.where(model.organization_id == organization_id, is_one_of(session, model.external_id, some))
        )
    ]


def _settle(database: AppDatabase, ids: Sequence[int]) -> None:
    if not ids:
        return
    with database.write() as session:
        for some in chunks(ids, CHUNK):
            session.execute(delete(CrmChangeBatch).where(CrmChangeBatch.id.in_(some)))


def _refresh_organizations(connection: duckdb.DuckDBPyConnection, database: AppDatabase) -> None:
    with database.read() as session:
        has_webhook = exists().where(WebhookEndpoint.organization_id == Organization.id)
        query = select(Organization.id, Organization.slug, Organization.name, has_webhook).order_by(Organization.id)
        present = [tuple(row) for row in session.execute(query)]
    known = connection.execute("SELECT * FROM core.organizations ORDER BY organization_id").fetchall()
    if [(*row[:3], bool(row[3])) for row in present] == known:
        return
    columns = list(zip(*present, strict=True)) or [(), (), (), ()]
    table = pa.table(
        {
            "organization_id": pa.array(columns[0], pa.string()),
            "slug": pa.array(columns[1], pa.string()),
            "name": pa.array(columns[2], pa.string()),
            "has_webhook": pa.array([bool(value) for value in columns[3]], pa.bool_()),
        }
    )
    connection.register("present_organizations", table)
    connection.execute("DELETE FROM core.organizations")
    connection.execute("INSERT INTO core.organizations BY NAME SELECT * FROM present_organizations")
    connection.unregister("present_organizations")


# --- writing the warehouse --------------------------------------------------------------------------------------------


def _apply(connection: duckdb.DuckDBPyConnection, kind: str, pulled: _Pulled, now: datetime) -> tuple[int, int]:
    """Write the changes of one kind; (rows written, rows removed)."""
    queue = pulled.queue[kind]
    if not queue:
        return 0, 0
    connection.register("queued", _queue_table(queue))
    connection.register("present", _rows_table(kind, pulled.rows[kind]))
    try:
        return _apply_tables(connection, kind, _naive(now))
    finally:
        connection.unregister("queued")
        connection.unregister("present")


def _apply_tables(connection: duckdb.DuckDBPyConnection, kind: str, now: datetime) -> tuple[int, int]:
    table, history = f"core.crm_{kind}s", f"core.crm_{kind}_history"
    compared = ("created_at", *CONTENT[kind], *KEYS[kind])
    is_same = " AND ".join(f"t.{name} IS NOT DISTINCT FROM p.{name}" for name in compared)
    key = "t.organization_id = q.organization_id AND t.external_id = q.external_id"
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE crm_delta AS
        SELECT q.organization_id, q.external_id, q.place, p.external_id IS NULL AS is_gone,
            least(coalesce(p.updated_at, q.changed_at), ?::TIMESTAMP) AS changed_at
        FROM queued q
        LEFT JOIN present p ON p.organization_id = q.organization_id AND p.external_id = q.external_id
        LEFT JOIN {table} t ON {key}
        WHERE CASE WHEN p.external_id IS NULL THEN t.external_id IS NOT NULL ELSE t.external_id IS NULL OR NOT ({is_same}) END
    """,
        [now],
    )
    counts = connection.execute("SELECT count(*) FILTER (NOT is_gone), count(*) FILTER (is_gone) FROM crm_delta").fetchall()
    written, removed = int(counts[0][0]), int(counts[0][1])
    if not written and not removed:
        return 0, 0
    # A clock that was set back must not make a version end before it began.
    connection.execute(f"""
        UPDATE {history} t SET valid_to = greatest(t.valid_from, q.changed_at) FROM crm_delta q WHERE t.valid_to IS NULL AND {key}
    """)
    names = ", ".join((*CONTENT[kind], *KEYS[kind]))
    if removed and kind == "contact":
        # A person is forgotten with the row (FSV-6); the domain stays, by which a day before is matched again.
        forgotten = ", ".join(f"{name} = NULL" for name in PERSONAL)
        connection.execute(f"UPDATE {history} t SET {forgotten} FROM crm_delta q WHERE q.is_gone AND {key}")
    connection.execute(f"""
        INSERT INTO {history} BY NAME
        SELECT organization_id, external_id, {names}, p.created_at,
            greatest(q.changed_at, coalesce(earlier.valid_to, q.changed_at)) AS valid_from, NULL::TIMESTAMP AS valid_to
        FROM crm_delta q JOIN present p USING (organization_id, external_id)
        LEFT JOIN (
            SELECT organization_id, external_id, max(t.valid_to) AS valid_to
            FROM {history} t SEMI JOIN crm_delta q ON {key} GROUP BY ALL
        ) earlier USING (organization_id, external_id)
        WHERE NOT q.is_gone ORDER BY q.place
    """)
    connection.execute(f"DELETE FROM {table} t USING crm_delta q WHERE {key}")
    last = progress(connection, SEQ_STEP)
    connection.execute(f"""
        INSERT INTO {table} BY NAME
        SELECT organization_id, external_id, {names}, p.created_at, p.updated_at,
            {last} + row_number() OVER (ORDER BY q.place) AS change_seq
        FROM crm_delta q JOIN present p USING (organization_id, external_id) WHERE NOT q.is_gone ORDER BY q.place
    """)
    set_progress(connection, SEQ_STEP, last + written)
    return written, removed


def _queue_table(queue: Sequence[_Change]) -> pa.Table:
    """Each queued row once, in order of its last entry."""
    latest = {(change.organization_id, change.external_id): (place, change.changed_at) for place, change in enumerate(queue)}
    return pa.table(
        {
            "organization_id": pa.array([key[0] for key in latest], pa.string()),
            "external_id": pa.array([key[1] for key in latest], pa.string()),
            "place": pa.array([place for place, _ in latest.values()], pa.int64()),
            "changed_at": _timestamps(at for _, at in latest.values()),
        }
    )


def _rows_table(kind: str, rows: Sequence[Any]) -> pa.Table:
    names = ("organization_id", "external_id", *CONTENT[kind])
    columns: dict[str, pa.Array] = {name: pa.array([getattr(row, name) for row in rows], pa.string()) for name in names}
    if kind == "account":
        columns["domain_key"] = company_domains(columns["domain"])
        columns["name_key"] = normal_forms(columns["name"])
    else:
        columns["email_domain_key"] = email_domains(columns["email"])
    columns["created_at"] = _timestamps(row.created_at for row in rows)
    columns["updated_at"] = _timestamps(row.updated_at for row in rows)
    return pa.table(columns)


def _timestamps(moments: Any) -> pa.Array:
    return pa.array([_naive(moment) for moment in moments], pa.timestamp("us"))


def _naive(moment: datetime) -> datetime:
    """A moment as the warehouse keeps it: UTC without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)


# --- days -------------------------------------------------------------------------------------------------------------


def snapshot_day(warehouse: Warehouse, day: date) -> int:
    """Count, per organization, what the CRM held at the end of ``day`` (UTC) and what had changed on it. Returns the rows.

    Replaces what was counted for the day before.
    """
    begin, end = day, day + timedelta(days=1)
    with warehouse.write() as connection:
        connection.execute("DELETE FROM core.crm_snapshots WHERE snapshot_date = ?", [day])
        rows = connection.execute(
            f"""
            INSERT INTO core.crm_snapshots BY NAME
            WITH a AS ({_counted("account", "domain_key")}), c AS ({_counted("contact", "email_domain_key")})
            SELECT ?::DATE AS snapshot_date, organization_id,
                coalesce(a.held, 0) AS accounts, coalesce(a.with_key, 0) AS accounts_with_domain,
                coalesce(c.held, 0) AS contacts, coalesce(c.with_key, 0) AS contacts_with_work_email,
                coalesce(a.added, 0) AS accounts_added, coalesce(a.changed, 0) AS accounts_changed,
                coalesce(a.removed, 0) AS accounts_removed, coalesce(c.added, 0) AS contacts_added,
                coalesce(c.changed, 0) AS contacts_changed, coalesce(c.removed, 0) AS contacts_removed
            FROM a FULL JOIN c USING (organization_id) ORDER BY organization_id
            """,
            [begin, begin, end, end, begin] * 2 + [day],
        ).fetchall()
    return int(rows[0][0])


def _counted(kind: str, key: str) -> str:
    """Rows per organization: held at the end of a day, and what became of them on it. Takes begin, begin, end, end, begin."""
    return f"""
        SELECT organization_id, count(*) FILTER (at_end) AS held, count(*) FILTER (at_end AND has_key) AS with_key,
            count(*) FILTER (at_end AND NOT at_begin) AS added, count(*) FILTER (at_begin AND NOT at_end) AS removed,
            count(*) FILTER (at_begin AND at_end AND NOT is_as_before) AS changed
        FROM (
            SELECT organization_id, external_id, bool_or(is_begin) AS at_begin, bool_or(is_end) AS at_end,
                bool_or(is_end AND {key} IS NOT NULL) AS has_key, bool_or(is_begin AND is_end) AS is_as_before
            FROM (
                SELECT organization_id, external_id, {key},
                    valid_from < ? AND (valid_to IS NULL OR valid_to >= ?) AS is_begin,
                    valid_from < ? AND (valid_to IS NULL OR valid_to >= ?) AS is_end
                FROM core.crm_{kind}_history WHERE valid_to IS NULL OR valid_to >= ?
            ) GROUP BY ALL
        ) WHERE at_begin OR at_end GROUP BY organization_id
    """

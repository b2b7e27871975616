"""The same rows written without a server: the yardsticks of benchmarks/api.py."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from pipeline.crm.row_writes import write_rows
from pipeline.crm.rows import AccountRow, parse_account
from pipeline.crm.upsert import upsert_accounts
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.crm import Account


def account_rows(body: bytes) -> list[AccountRow]:
    rows = [parse_account(row, json.dumps(row["metadata"])) for row in json.loads(body)["accounts"]]
    assert all(isinstance(row, AccountRow) for row in rows)
    return rows  # type: ignore[return-value]


def straight_write(database: AppDatabase, organization_id: str, bodies: Sequence[bytes]) -> float:
    """Seconds to write ready rows, one INSERT and one commit per batch."""
    now = datetime.now(UTC)
    ready = [
        [
            {
                "organization_id": organization_id,
                "external_id": row.external_id,
                "name": row.name,
                "domain": row.domain,
                "metadata_json": row.metadata_json,
                "content_hash": row.content_hash,
                "created_at": now,
                "updated_at": now,
            }
            for row in account_rows(body)
        ]
        for body in bodies
    ]
    insert = database.insert(Account)
    changed = {name: insert.excluded[name] for name in ("name", "domain", "metadata_json", "content_hash", "updated_at")}
    statement = insert.on_conflict_do_update(index_elements=["organization_id", "external_id"], set_=changed)
    started = time.perf_counter()
    for values in ready:
        with database.write() as session:
            session.connection().execute(statement, values)
    return time.perf_counter() - started


def upsert_without_server(database: AppDatabase, organization_id: str, bodies: Sequence[bytes]) -> float:
    """Seconds of our own upsert of parsed rows."""
    parsed = [account_rows(body) for body in bodies]
    started = time.perf_counter()
    for rows in parsed:
        upsert_accounts(database, organization_id, rows, datetime.now(UTC))
    return time.perf_counter() - started


def tuple_write(database: AppDatabase, organization_id: str, bodies: Sequence[bytes]) -> float:
    """Seconds to write ready rows as our upsert hands them to the driver: tuples (SQLite), one JSON text (PostgreSQL)."""
    ready = [(rows, {row.external_id: row.content_hash for row in rows}) for rows in map(account_rows, bodies)]
    now = datetime.now(UTC)
    started = time.perf_counter()
    for rows, hashes in ready:
        with database.write() as session:
            write_rows(database, session, "account", organization_id, rows, hashes, now)
    return time.perf_counter() - started

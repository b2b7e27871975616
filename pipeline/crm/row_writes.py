"""Rows of accounts and contacts handed to the database's own driver: as plain tuples (SQLite) or one JSON text (PostgreSQL).

What belongs here: the SQL of one batch, for SQLite and for PostgreSQL. What does not: which rows need writing (upsert). The
tables and columns are those of the models; only their values are passed around the mapper, which would take three times
as long to hand on a thousand rows as SQLite takes to write them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from operator import attrgetter

from msgspec.json import encode
from sqlalchemy.orm import Session

from pipeline.crm.rows import Row
from pipeline.store.app_database import AppDatabase
from pipeline.store.bulk import sent_records
from pipeline.store.types import moment_to_driver

TABLES = {"account": "accounts", "contact": "contacts"}
CONTENT = {
    "account": ("name", "domain", "metadata_json"),
    "contact": ("email", "first_name", "last_name", "account_external_id", "metadata_json"),
}


def write_rows(
    database: AppDatabase,
    session: Session,
    kind: str,
    organization_id: str,
    rows: Sequence[Row],
    hashes: Mapping[str, str],
    now: datetime,
) -> None:
    """Insert the rows, or replace the content of those that exist. ``hashes``: content hash by external id."""
    connection = session.connection()
    moment = moment_to_driver(connection.dialect)(now)
    # In order of the key, so that two writers of the same rows can't wait for each other in a circle.
    ordered = sorted(rows, key=attrgetter("external_id"))
    content = attrgetter("external_id", *CONTENT[kind])
    if database.is_sqlite:
        values = [(organization_id, *content(row), hashes[row.external_id], moment, moment) for row in ordered]
        connection.exec_driver_sql(_sqlite(kind), values)
        return
    names = ("external_id", *CONTENT[kind], "content_hash")
    sent = [dict(zip(names, (*content(row), hashes[row.external_id]), strict=True)) for row in ordered]
    connection.exec_driver_sql(_postgresql(kind), (organization_id, moment, moment, encode(sent).decode()))


def _columns(kind: str) -> tuple[str, ...]:
    return ("organization_id", "external_id", *CONTENT[kind], "content_hash", "created_at", "updated_at")


def _on_conflict(kind: str) -> str:
    replaced = ", ".join(f"{name} = excluded.{name}" for name in (*CONTENT[kind], "content_hash", "updated_at"))
    return f"ON CONFLICT (organization_id, external_id) DO UPDATE SET {replaced}"


@cache
def _sqlite(kind: str) -> str:
    columns = _columns(kind)
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {TABLES[kind]} ({', '.join(columns)}) VALUES ({marks}) {_on_conflict(kind)}"


@cache
def _postgresql(kind: str) -> str:
    varying = ("external_id", *CONTENT[kind], "content_hash")
    return (
        f"INSERT INTO {TABLES[kind]} (organization_id, created_at, updated_at, {', '.join(varying)})"
        " SELECT %s, %s::timestamptz, %s::timestamptz, sent.*"
        f" FROM {sent_records((name, 'text') for name in varying)}"
        f" {_on_conflict(kind)}"
    )

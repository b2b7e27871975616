"""Polls per source and hour, copied from the app database, where they are counted, to the warehouse."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pyarrow as pa
from sqlalchemy import select

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.documents import SourceHour

SCHEMA = pa.schema(
    [
        ("source_id", pa.string()),
        ("hour_at", pa.timestamp("us")),
        ("polls", pa.int32()),
        ("not_modified", pa.int32()),
        ("landed", pa.int32()),
        ("failures", pa.int32()),
        ("bytes_read", pa.int64()),
        ("last_error", pa.string()),
    ]
)


def copy_source_hours(database: AppDatabase, connection: duckdb.DuckDBPyConnection, since: datetime) -> int:
    """Copy the hours that began at or after ``since`` (replacing what was copied of them); how many rows.

    Call it in a warehouse transaction. Running it again changes nothing.
    """
    with database.read() as session:
        query = select(SourceHour).where(SourceHour.hour_at >= since).order_by(SourceHour.hour_at, SourceHour.source_id)
        rows = [{name: getattr(row, name) for name in SCHEMA.names} for row in session.scalars(query)]
    for row in rows:
        row["hour_at"] = row["hour_at"].astimezone(UTC).replace(tzinfo=None)
    connection.execute(
        "DELETE FROM raw.source_hours WHERE hour_at >= ?", [since.astimezone(UTC).replace(tzinfo=None)]
    ).fetchall()
    if rows:
        connection.register("incoming_source_hours", pa.Table.from_pylist(rows, schema=SCHEMA))
        connection.execute("INSERT INTO raw.source_hours BY NAME SELECT * FROM incoming_source_hours").fetchall()
        connection.unregister("incoming_source_hours")
    return len(rows)

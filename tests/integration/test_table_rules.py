"""Every table has a rule that keeps it from growing, and what is said to expire does."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pytest
from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
from dagster._core.storage.runs.schema import RunStorageSqlMetadata
from dagster._core.storage.schedules.schema import ScheduleStorageSqlMetadata
from sqlalchemy import JSON, Boolean, LargeBinary, Table
from sqlalchemy.types import Float, Integer

from pipeline.documents.landing import Landing
from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.base import Base
from pipeline.store.types import UtcDateTime
from pipeline.store.warehouse import Warehouse
from pipeline.upkeep.retention import RetentionPolicy, apply_retention
from pipeline.upkeep.table_rules import APP_DATABASE, DAGSTER, WAREHOUSE, Kind, Rule

NOW = datetime(2026, 11, 20, 3, 30, tzinfo=UTC)
OLD = NOW - timedelta(days=900)
ROWS = 4
# What is settled, so that its age alone keeps it. Every other column has a value of its type.
SETTLED: dict[str, dict[str, Any]] = {
    "landings": {"status": "parsed", "sha256": "0" * 64},
    "follow_ups": {"status": "done"},
    "host_paces": {"next_at_epoch": OLD.timestamp()},
    "usage_counters": {"day": "2024-06-01"},
    "operator_notices": {"status": "told"},
    "deliveries": {"status": "delivered"},
    "delivery_attempts": {"outcome": "delivered"},
    "match_reviews": {"status": "expired"},
    "signals": {"fan_out": "done", "event_type": "funding.created"},
    "credit_entries": {"kind": "delivery", "amount": -1},
    "referrals": {"referral_type": "traffic", "status": "click", "click_id": None},
    "core.funding_rounds": {"cik": None, "accession": None},
    "core.match_reviews": {"status": "expired"},
    "raw.documents": {"kind": "article"},
}
# The newest row of these stays: its number must not be given again. Of credit entries one stays that holds the sum.
ONE_STAYS = {
    "landings", "follow_ups", "credit_entries", "raw.documents", "core.mentions", "core.funding_rounds", "core.round_mentions",
}  # fmt: skip
# Without a team nobody's credits are summed.
ALSO = {"teams", "organizations"}


def test_every_table_of_the_app_database_has_a_rule() -> None:
    assert set(APP_DATABASE) == set(Base.metadata.tables)


def test_every_table_of_the_warehouse_has_a_rule(tmp_path: Path) -> None:
    with Warehouse(tmp_path / "warehouse.duckdb").open() as connection:
        assert set(WAREHOUSE) == set(tables_of(connection))


def test_every_table_of_dagster_has_a_rule() -> None:
    known = {
        name
        for metadata in (RunStorageSqlMetadata, SqlEventLogStorageMetadata, ScheduleStorageSqlMetadata)
        for name in metadata.tables
    }
    assert set(DAGSTER) - {"alembic_version"} == known


@pytest.mark.parametrize("rules", [APP_DATABASE, WAREHOUSE, DAGSTER])
def test_what_expires_names_the_setting_that_says_when(rules: dict[str, Rule]) -> None:
    settings = {rule.by for rule in rules.values() if rule.kind is Kind.EXPIRES}
    assert settings <= set(Settings.model_fields) | {"retention of dagster.yaml"}


def test_old_rows_of_every_table_that_expires_go(tmp_path: Path) -> None:
    database = AppDatabase(f"sqlite:///{tmp_path / 'app.db'}")
    database.migrate()
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    expiring = {name for name, rule in (APP_DATABASE | WAREHOUSE).items() if rule.kind is Kind.EXPIRES}
    with sqlite3.connect(tmp_path / "app.db") as connection:
        for name in sorted((expiring & set(APP_DATABASE)) | ALSO):
            fill(connection, Base.metadata.tables[name])
    with warehouse.open() as opened:
        for name, columns in tables_of(opened).items():
            if name in expiring:
                fill_copy(opened, name, columns)
        # The one that stays is of today: without news, retention takes the clock for one that is ahead of time.
        opened.execute(
            "UPDATE raw.documents SET published_at = ? WHERE document_seq = (SELECT max(document_seq) FROM raw.documents)",
            [NOW.replace(tzinfo=None)],
        )
    apply_retention(database, warehouse, Landing(tmp_path / "landing"), RetentionPolicy.of(Settings(home=tmp_path)), NOW)
    with sqlite3.connect(tmp_path / "app.db") as connection, warehouse.open() as opened:
        left = {
            name: (connection if name in APP_DATABASE else opened).execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
            for name in expiring
        }
        total = connection.execute("SELECT sum(amount) FROM credit_entries").fetchall()
    assert {name: count for name, count in left.items() if count != (name in ONE_STAYS)} == {}
    assert total == [(-ROWS,)]
    database.close()


def tables_of(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[str, str]]]:
    """The warehouse's tables with their columns: (name, type)."""
    found: dict[str, list[tuple[str, str]]] = {}
    query = "SELECT table_schema || '.' || table_name, column_name, data_type FROM information_schema.columns ORDER BY ALL"
    for table, column, kind in connection.execute(query).fetchall():
        found.setdefault(table, []).append((column, kind))
    return found


def fill(connection: sqlite3.Connection, table: Table) -> None:
    """A few old rows. Texts and numbers of row n are n, so every foreign key names the row of the same number."""
    settled = SETTLED.get(table.name, {})
    organization = {"organization_id": "1"} if table.name in {"credit_entries", "teams"} else {}
    for n in range(1, 2 if table.name in ALSO else ROWS + 1):
        row = {column.name: value_of(column.type, n) for column in table.columns} | settled | organization
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO {table.name} ({', '.join(row)}) VALUES ({marks})", list(row.values()))


def value_of(kind: Any, n: int) -> Any:
    if isinstance(kind, UtcDateTime):
        return OLD.replace(tzinfo=None).isoformat(" ") + ".000000"
    if isinstance(kind, JSON):
        return "{}"
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, LargeBinary):
        return b""
    return n if isinstance(kind, Integer | Float) else str(n)


def fill_copy(connection: duckdb.DuckDBPyConnection, name: str, columns: list[tuple[str, str]]) -> None:
    """The same in the warehouse."""
    for n in range(1, ROWS + 1):
        row = {column: value_of_copy(column, kind, n) for column, kind in columns} | SETTLED.get(name, {})
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO {name} ({', '.join(row)}) VALUES ({marks})", list(row.values()))


def value_of_copy(column: str, kind: str, n: int) -> Any:
    if column == "document_id":
        return str(UUID(int=n))
    if kind in {"TIMESTAMP", "DATE"}:
        return OLD.replace(tzinfo=None)
    if kind == "BOOLEAN":
        return True
    if kind == "JSON":
        return "[]"
    return str(n) if kind == "VARCHAR" else n

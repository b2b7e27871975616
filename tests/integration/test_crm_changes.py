"""The queue of CRM changes: one entry for a batch, nothing passed over, and what an older version had queued."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import select, text

from pipeline.crm import history
from pipeline.crm.changes import newest_change
from pipeline.crm.recopy import queue_all
from pipeline.crm.rows import AccountRow
from pipeline.crm.upsert import delete_account, upsert_accounts, upsert_chunk
from pipeline.store.app_database import MIGRATIONS, AppDatabase
from pipeline.store.tables.crm import Account, CrmChangeBatch
from pipeline.store.tables.organizations import Organization
from pipeline.store.warehouse import Warehouse

T0 = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def organization(database: AppDatabase) -> None:
    with database.write() as session:
        session.add(Organization(id="north", slug="north", name="North", plan="pro", settings={}, created_at=T0))


def queued(database: AppDatabase) -> list[tuple[str, list[str], int]]:
    with database.read() as session:
        batches = session.scalars(select(CrmChangeBatch).order_by(CrmChangeBatch.id))
        return [(batch.kind, json.loads(batch.external_ids_json), batch.rows) for batch in batches]


def names(warehouse: Warehouse) -> list[str]:
    with warehouse.open() as connection:
        return [name for (name,) in connection.execute("SELECT name FROM core.crm_accounts ORDER BY name").fetchall()]


def test_a_batch_is_one_entry_that_names_the_rows_that_changed(app_database: AppDatabase) -> None:
    organization(app_database)
    upsert_accounts(app_database, "north", [AccountRow('a"1', "One"), AccountRow("ä2", "Two"), AccountRow("💶", "Three")], T0)
    upsert_accounts(app_database, "north", [AccountRow('a"1', "One"), AccountRow("ä2", "Changed")], T0)
    delete_account(app_database, "north", "💶", T0)
    assert queued(app_database) == [("account", ['a"1', "ä2", "💶"], 3), ("account", ["ä2"], 1), ("account", ["💶"], 1)]


def test_a_number_is_not_given_again_when_the_queue_was_empty(app_database: AppDatabase, tmp_path: Path) -> None:
    """Sensors name their runs by it, and no two runs may have one name."""
    organization(app_database)
    seen = []
    for version in range(3):
        upsert_accounts(app_database, "north", [AccountRow("a", f"Name {version}")], T0)
        seen.append(newest_change(app_database))
        history.pull_changes(app_database, Warehouse(tmp_path / "w.duckdb"), T0)
        assert newest_change(app_database) is None
    assert len(set(seen)) == 3


def test_rows_written_by_the_driver_are_as_the_mapper_writes_them(app_database: AppDatabase) -> None:
    """Instants, which SQLite keeps and sorts as text; texts with whatever has a meaning in JSON, SQL or an array."""
    organization(app_database)
    name = "Näme \"\\\" {a,b} '%s' \t\n null"
    metadata = '{"a": "💶 \\u0000 \\ud800 \\\\ \\"", "b": null, "a": 1.0}'
    moments = [T0, T0 + timedelta(microseconds=5), datetime(2026, 3, 1, 1, 30, tzinfo=UTC).astimezone()]
    for number, moment in enumerate(moments):
        row = AccountRow(f"raw{number}", name, None, metadata)
        upsert_accounts(app_database, "north", [row], moment)
        with app_database.write() as session:
            session.add(
                Account(
                    organization_id="north", external_id=f"map{number}", name=name, domain=None, metadata_json=metadata,
                    content_hash=row.content_hash, created_at=moment, updated_at=moment,
                )
            )  # fmt: skip
    columns = "name, domain, metadata_json, content_hash, created_at, updated_at"
    with app_database.read() as session:
        kept = [
            session.execute(text(f"SELECT {columns} FROM accounts WHERE external_id LIKE '{kind}%' ORDER BY external_id")).all()
            for kind in ("raw", "map")
        ]
    assert kept[0] == kept[1]
    assert {(row.name, row.domain, row.metadata_json) for row in kept[0]} == {(name, None, metadata)}


def test_a_transaction_that_commits_late_is_not_passed_over(make_app_database: Any, tmp_path: Path) -> None:
    database, warehouse = make_app_database("postgresql"), Warehouse(tmp_path / "w.duckdb")
    organization(database)
    with database.write() as session:
        upsert_chunk(database, session, "account", "north", [AccountRow("a1", "Late")], T0)
        upsert_accounts(database, "north", [AccountRow("a2", "Early")], T0)
        assert history.pull_changes(database, warehouse, T0).accounts == 1
        assert names(warehouse) == ["Early"]
    assert history.pull_changes(database, warehouse, T0).accounts == 1
    assert names(warehouse) == ["Early", "Late"]


def test_what_was_queued_row_by_row_moves_over_and_back(empty_database_url: str, tmp_path: Path) -> None:
    """Migration 0003, on a database of the version before it that holds rows."""
    database = AppDatabase(empty_database_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    def to(version: str, go: Any) -> None:
        with database.engine.execution_options(is_write=True).begin() as connection:
            config.attributes["connection"] = connection
            go(config, version)

    to("0002", command.upgrade)
    rows = [{"k": "account", "e": f"a{number}", "at": "2026-03-01 09:30:00.000000"} for number in range(2_345)]
    rows += [{"k": "contact", "e": 'c"ä', "at": "2026-03-01 09:30:00.000000"}]
    rows += [{"k": "account", "e": "a1", "at": "2026-03-02 09:30:00.000000"}]
    insert = "INSERT INTO crm_changes (organization_id, kind, external_id, changed_at) VALUES ('north', :k, :e, :at)"
    with database.write() as session:
        session.execute(text("SET TIME ZONE 'UTC'" if not database.is_sqlite else "SELECT 1"))
        session.execute(text(insert), rows)
    to("0003", command.upgrade)
    with database.read() as session:
        found = session.execute(text("SELECT * FROM crm_change_batches WHERE organization_id = 'north' ORDER BY id")).all()
    assert [(row.kind, row.rows) for row in found] == [
        ("account", 1_000), ("account", 1_000), ("account", 345), ("contact", 1), ("account", 1),
    ]  # fmt: skip
    moved = [external_id for row in found[:3] for external_id in json.loads(row.external_ids_json)]
    assert sorted(moved) == sorted(row["e"] for row in rows[:2_345])
    assert json.loads(found[3].external_ids_json) == ['c"ä']
    assert str(found[4].changed_at).startswith("2026-03-02 09:30:00")
    to("0002", command.downgrade)
    with database.read() as session:
        back = session.execute(text("SELECT kind, external_id FROM crm_changes ORDER BY id")).all()
    assert sorted(map(tuple, back)) == sorted((row["k"], row["e"]) for row in rows)
    database.close()


def test_a_restored_warehouse_is_brought_the_rows_it_has_missed(app_database: AppDatabase, tmp_path: Path) -> None:
    """What it took after the backup is in no queue any more; without this those rows would never match again."""
    organization(app_database)
    path, backup = tmp_path / "w.duckdb", tmp_path / "backup.duckdb"
    upsert_accounts(app_database, "north", [AccountRow("kept", "Kept"), AccountRow("gone", "Gone")], T0)
    history.pull_changes(app_database, Warehouse(path), T0)
    shutil.copyfile(path, backup)
    later = T0 + timedelta(days=1)
    upsert_accounts(app_database, "north", [AccountRow("late", "Late")], later)
    delete_account(app_database, "north", "gone", later)
    history.pull_changes(app_database, Warehouse(path), later)

    restored = Warehouse(backup)
    assert history.pull_changes(app_database, restored, later).accounts == 0
    assert queue_all(app_database, restored, later) == 3
    report = history.pull_changes(app_database, restored, later)
    assert (report.accounts, report.deleted) == (2, 1)  # the one that is as it was is not written
    assert names(restored) == ["Kept", "Late"]
    with restored.open() as connection:
        versions = connection.execute(
            "SELECT external_id, valid_to IS NULL FROM core.crm_account_history ORDER BY 1"
        ).fetchall()
    assert versions == [("gone", False), ("kept", True), ("late", True)]

"""Changed CRM rows into the warehouse and through time, on real SQLite, PostgreSQL and DuckDB."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from pipeline.crm import history
from pipeline.crm.rows import AccountRow, ContactRow
from pipeline.crm.upsert import delete_account, delete_contact, upsert_accounts, upsert_contacts
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.crm import CrmChangeBatch
from pipeline.store.tables.organizations import Organization
from pipeline.store.warehouse import Warehouse

T0 = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "warehouse.duckdb")


@pytest.fixture
def database(app_database: AppDatabase) -> AppDatabase:
    with app_database.write() as session:
        for slug in ("north", "south"):
            session.add(Organization(id=slug, slug=slug, name=slug.title(), plan="pro", created_at=T0))
    return app_database


def rows(warehouse: Warehouse, query: str) -> list[Any]:
    with warehouse.open() as connection:
        return connection.execute(query).fetchall()


def queue_length(database: AppDatabase) -> int:
    with database.read() as session:
        return session.scalar(select(func.sum(CrmChangeBatch.rows))) or 0


def test_changed_rows_arrive_with_the_keys_they_are_matched_by(database: AppDatabase, warehouse: Warehouse) -> None:
    upsert_accounts(
        database, "north", [AccountRow("a1", "Brightloom, Inc.", "https://www.brightloom.ai/x", '{"b":1,"a":2}')], T0
    )
    upsert_contacts(
        database, "north", [ContactRow("c1", "jo@brightloom.ai", "Jo", None, "a1"), ContactRow("c2", "x@gmail.com")], T0
    )
    report = history.pull_changes(database, warehouse, T0)
    assert (report.accounts, report.contacts, report.deleted) == (1, 2, 0)
    assert rows(warehouse, "SELECT external_id, domain_key, name_key, metadata_json, change_seq FROM core.crm_accounts") == [
        ("a1", "brightloom.ai", "brightloom", '{"b":1,"a":2}', 1)
    ]
    assert rows(warehouse, "SELECT external_id, email_domain_key, account_external_id FROM core.crm_contacts ORDER BY 1") == [
        ("c1", "brightloom.ai", "a1"),
        ("c2", None, None),
    ]
    assert rows(warehouse, "SELECT * FROM core.organizations ORDER BY 1") == [
        ("north", "north", "North", False),
        ("south", "south", "South", False),
    ]
    assert queue_length(database) == 0


def test_history_answers_what_the_crm_looked_like_on_a_day(database: AppDatabase, warehouse: Warehouse) -> None:
    upsert_accounts(database, "north", [AccountRow("a1", "Old Name"), AccountRow("a2", "Stays")], T0)
    history.pull_changes(database, warehouse, T0)
    upsert_accounts(database, "north", [AccountRow("a1", "New Name"), AccountRow("a2", "Stays")], T0 + 2 * DAY)
    history.pull_changes(database, warehouse, T0 + 2 * DAY)
    assert delete_account(database, "north", "a2", T0 + 4 * DAY)
    history.pull_changes(database, warehouse, T0 + 4 * DAY)

    def names_on(day: date) -> list[str]:
        with warehouse.open() as connection:
            view = history.accounts_on(connection, day)
            return [name for (name,) in connection.execute(f"SELECT name FROM {view} ORDER BY external_id").fetchall()]

    first = T0.date()
    assert names_on(first - DAY) == []
    assert names_on(first) == ["Old Name", "Stays"]
    assert names_on(first + DAY) == ["Old Name", "Stays"]
    assert names_on(first + 2 * DAY) == ["New Name", "Stays"]
    assert names_on(first + 4 * DAY) == ["New Name"]


def test_a_pull_killed_before_the_queue_is_emptied_changes_nothing_when_done_again(
    database: AppDatabase, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    upsert_accounts(database, "north", [AccountRow("a1", "One"), AccountRow("a2", "Two")], T0)
    upsert_contacts(database, "south", [ContactRow("c1", "a@brightloom.ai")], T0)
    with monkeypatch.context() as patch:
        patch.setattr(history, "_settle", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            history.pull_changes(database, warehouse, T0)
    assert queue_length(database) == 3
    before = everything(warehouse)
    report = history.pull_changes(database, warehouse, T0 + DAY)
    assert (report.accounts, report.contacts) == (0, 0)
    assert everything(warehouse) == before
    assert queue_length(database) == 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def everything(warehouse: Warehouse) -> list[Any]:
    tables = ("crm_accounts", "crm_contacts", "crm_account_history", "crm_contact_history")
    return [rows(warehouse, f"SELECT * FROM core.{table} ORDER BY ALL") for table in tables]


def test_the_size_of_the_batches_leaves_no_trace(make_app_database: Any, tmp_path: Path) -> None:
    states = []
    for size in (1, 3, 50_000):
        database = make_app_database("sqlite")
        with database.write() as session:
            session.add(Organization(id="north", slug="north", name="North", plan="pro", created_at=T0))
        upsert_accounts(database, "north", [AccountRow(f"a{n}", f"Name {n}") for n in range(10)], T0)
        warehouse = Warehouse(tmp_path / f"w{size}.duckdb")
        history.pull_changes(database, warehouse, T0, limit=size)
        states.append(everything(warehouse))
    assert states[0] == states[1] == states[2]


def test_a_number_once_given_is_never_given_again(database: AppDatabase, warehouse: Warehouse) -> None:
    upsert_accounts(database, "north", [AccountRow("a1", "One")], T0)
    history.pull_changes(database, warehouse, T0)
    delete_account(database, "north", "a1", T0)
    history.pull_changes(database, warehouse, T0)
    upsert_accounts(database, "north", [AccountRow("a2", "Two")], T0)
    history.pull_changes(database, warehouse, T0)
    assert rows(warehouse, "SELECT external_id, change_seq FROM core.crm_accounts") == [("a2", 2)]


def test_a_row_deleted_and_made_again_is_one_row_with_two_versions(database: AppDatabase, warehouse: Warehouse) -> None:
    upsert_contacts(database, "north", [ContactRow("c1", "jo@brightloom.ai")], T0)
    history.pull_changes(database, warehouse, T0)
    assert delete_contact(database, "north", "c1", T0 + DAY)
    upsert_contacts(database, "north", [ContactRow("c1", "jo@brightloom.ai")], T0 + 2 * DAY)
    report = history.pull_changes(database, warehouse, T0 + 2 * DAY)
    assert (report.contacts, report.deleted) == (1, 0)
    assert len(rows(warehouse, "SELECT * FROM core.crm_contact_history")) == 2
    assert len(rows(warehouse, "SELECT * FROM core.crm_contact_history WHERE valid_to IS NULL")) == 1


def test_fsv_6_a_deleted_contact_s_person_is_forgotten_and_the_day_before_matched_all_the_same(
    database: AppDatabase, warehouse: Warehouse
) -> None:
    jo = ContactRow("c1", "jo@brightloom.ai", "Jo", "Ray", "a1", '{"owner":"jo"}')
    upsert_contacts(database, "north", [jo, ContactRow("c2", "al@brightloom.ai")], T0)
    upsert_contacts(database, "south", [jo], T0)
    history.pull_changes(database, warehouse, T0)
    upsert_contacts(database, "north", [ContactRow("c1", "joanna@brightloom.ai", "Joanna")], T0 + DAY)
    history.pull_changes(database, warehouse, T0 + DAY)
    assert delete_contact(database, "north", "c1", T0 + 2 * DAY)
    history.pull_changes(database, warehouse, T0 + 2 * DAY)
    columns = "email, first_name, last_name, metadata_json, account_external_id, email_domain_key"
    kept = rows(
        warehouse, f"SELECT {columns} FROM core.crm_contact_history WHERE external_id = 'c1' AND organization_id = 'north'"
    )
    assert sorted(kept, key=str) == [
        (None, None, None, None, "a1", "brightloom.ai"), (None, None, None, None, None, "brightloom.ai"),
    ]  # fmt: skip
    others = rows(warehouse, "SELECT email FROM core.crm_contact_history WHERE email IS NOT NULL ORDER BY 1")
    assert others == [("al@brightloom.ai",), ("jo@brightloom.ai",)]


def test_snapshot_counts_what_was_held_and_what_changed_on_the_day(database: AppDatabase, warehouse: Warehouse) -> None:
    upsert_accounts(
        database, "north", [AccountRow("a1", "One", "brightloom.ai"), AccountRow("a2", "Two"), AccountRow("a3", "Three")], T0
    )
    upsert_contacts(database, "north", [ContactRow("c1", "jo@brightloom.ai"), ContactRow("c2", "jo@gmail.com")], T0)
    history.pull_changes(database, warehouse, T0)
    later = T0 + DAY
    upsert_accounts(database, "north", [AccountRow("a1", "Renamed"), AccountRow("a4", "Four")], later)
    delete_account(database, "north", "a3", later)
    history.pull_changes(database, warehouse, later)
    for _ in range(2):  # a second counting replaces the first
        assert history.snapshot_day(warehouse, T0.date()) == 1
        assert history.snapshot_day(warehouse, later.date()) == 1
    assert rows(warehouse, "SELECT * FROM core.crm_snapshots ORDER BY 1") == [
        (T0.date(), "north", 3, 1, 2, 1, 3, 0, 0, 2, 0, 0),
        (later.date(), "north", 3, 0, 2, 1, 1, 1, 1, 0, 0, 0),
    ]


def test_a_clock_ahead_of_ours_opens_no_version_in_the_future(database: AppDatabase, warehouse: Warehouse) -> None:
    upsert_accounts(database, "north", [AccountRow("a1", "One")], T0 + DAY)
    history.pull_changes(database, warehouse, T0)
    assert rows(warehouse, "SELECT valid_from FROM core.crm_account_history") == [(T0.replace(tzinfo=None),)]

"""Columns as the schema files state them; held against the tables that those files make."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline.store.warehouse import SCHEMA, Warehouse
from pipeline.store.warehouse_columns import Column, read_columns, warehouse_columns


def test_columns_of_a_table_carry_the_comment_that_ends_their_line() -> None:
    made = read_columns(["CREATE TABLE core.cups (\n  cup_id VARCHAR, size DECIMAL(4, 1),  -- inches\n  full BOOLEAN\n);"])
    assert made == {
        "core.cups": (Column("cup_id", "VARCHAR"), Column("size", "DECIMAL(4, 1)", "inches"), Column("full", "BOOLEAN"))
    }


def test_added_columns_and_later_comments_are_read_in_order() -> None:
    first = "CREATE TABLE core.cups (cup_id VARCHAR);"
    second = "-- Who drank\n-- from it.\nALTER TABLE core.cups ADD COLUMN drinker VARCHAR;\n"
    third = "COMMENT ON COLUMN core.cups.cup_id IS 'The cup''s own id.';"
    assert read_columns([first, second, third])["core.cups"] == (
        Column("cup_id", "VARCHAR", "The cup's own id."),
        Column("drinker", "VARCHAR", "Who drank from it."),
    )


def test_a_column_of_another_type_keeps_its_comment() -> None:
    first = "CREATE TABLE core.cups (\n  size BIGINT,  -- inches\n  full BOOLEAN\n);"
    for using in ("", " USING NULL"):
        made = read_columns([first, f"ALTER TABLE core.cups ALTER size TYPE DECIMAL(4, 1){using};"])
        assert made == {"core.cups": (Column("size", "DECIMAL(4, 1)", "inches"), Column("full", "BOOLEAN"))}


def test_dropped_tables_are_gone() -> None:
    assert read_columns(["CREATE TABLE core.cups (cup_id VARCHAR);", "DROP TABLE core.cups;"]) == {}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str, str | None]]:
    with Warehouse(tmp_path_factory.mktemp("warehouse") / "w.duckdb").open() as connection:
        return connection.execute(
            "SELECT schema_name || '.' || table_name, column_name, data_type, comment FROM duckdb_columns() "
            "WHERE schema_name IN ('raw', 'core', 'recovery') ORDER BY table_oid, column_index"
        ).fetchall()


def test_what_is_read_is_what_the_warehouse_has(live: list[tuple[str, str, str, str | None]]) -> None:
    read = {(table, column.name): column.type for table, columns in warehouse_columns().items() for column in columns}
    same = {"DECIMAL(20, 2)": "DECIMAL(20,2)"}
    assert {key: same.get(kind, kind) for key, kind in read.items()} == {(t, c): kind for t, c, kind, _ in live}


def test_every_column_says_what_it_is() -> None:
    silent = [
        f"{table}.{column.name}"
        for table, columns in warehouse_columns().items()
        for column in columns
        if not column.description
    ]
    assert silent == []


def test_comments_are_in_the_warehouse_too(live: list[tuple[str, str, str, str | None]]) -> None:
    said = {(table, column): comment for table, column, _, comment in live}
    assert said["core.matches", "match_type"] == "account_domain, email_domain or account_name."


def test_comments_reach_a_warehouse_of_the_version_before_and_leave_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE main.schema_version (version INTEGER, applied_at TIMESTAMP)")
        for file in sorted(SCHEMA.glob("000[1-5]*.sql")):
            connection.execute(file.read_text())
            connection.execute("INSERT INTO main.schema_version VALUES (?, now()::TIMESTAMP)", [int(file.name[:4])])
        connection.execute("INSERT INTO core.matches (match_id, score) VALUES ('m1', 0.9)")
    for _ in range(2):
        with Warehouse(path).open() as connection:
            assert connection.execute("SELECT match_id, score FROM core.matches").fetchall() == [("m1", 0.9)]
            said = connection.execute(
                "SELECT comment FROM duckdb_columns() WHERE table_name = 'matches' AND column_name = 'match_id'"
            ).fetchall()
    assert said == [("Key of the match; the same whenever it is found.",)]

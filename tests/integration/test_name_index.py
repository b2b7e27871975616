"""The stored index over names: whatever came, changed and went, in whatever order, it equals one built anew."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pipeline.matching import name_index
from pipeline.matching.engine import MatchedRow, MatchOptions, find_all
from pipeline.matching.name_index import STORED, NameIndex
from pipeline.matching.names import normal_form
from pipeline.store import warehouse as store
from pipeline.store.warehouse import Warehouse

WORDS = [
    "Quorvexa",
    "Zantriq",
    "Bioleva",
    "Mistralume",
    "Software",
    "Labs",
    "Health",
    "Go",
    "Vogt",
    "Clear",
    "Clearme",
    "First",
]
ROUNDS = ["Quorvexa", "Zantriq Bioleva", "Mistralume Labs", "Go Vogt", "Clear", "First Health", "QuorvexaSoftware"]


@pytest.fixture
def connection(tmp_path: Path):  # type: ignore[no-untyped-def]
    with Warehouse(tmp_path / "warehouse.duckdb").open() as connection:
        names = ", ".join(f"('r{n}', '{name}', '{normal_form(name)}')" for n, name in enumerate(ROUNDS))
        connection.execute(f"""
            CREATE TEMP TABLE rounds AS
            SELECT *, NULL::VARCHAR AS domain_key, NULL::VARCHAR AS email_domain_key
            FROM (VALUES {names}) v(id, company_name, name_key)
        """)
        yield connection


class Crm:
    """Accounts that come, change and go."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.seq = 0

    def put(self, external_id: str, name: str) -> None:
        self.drop(external_id)
        self.seq += 1
        self.connection.execute(
            "INSERT INTO core.crm_accounts (organization_id, external_id, name, name_key, created_at, change_seq) "
            "VALUES ('north', ?, ?, ?, TIMESTAMP '2026-01-01', ?)",
            [external_id, name, normal_form(name), self.seq],
        )

    def drop(self, external_id: str) -> None:
        self.connection.execute("DELETE FROM core.crm_accounts WHERE external_id = ?", [external_id])


def contents(connection: duckdb.DuckDBPyConnection, index: NameIndex) -> list[list[tuple[object, ...]]]:
    """What an index says, without its internal numbers."""
    return [
        connection.execute(query).fetchall()
        for query in (
            f"SELECT name_key FROM {index.names} ORDER BY ALL",
            f"SELECT name_key, key FROM {index.keys} JOIN {index.names} USING (name_no) ORDER BY ALL",
            f"SELECT word, names FROM {index.words} ORDER BY ALL",
        )
    ]


def matched(connection: duckdb.DuckDBPyConnection, index: NameIndex | None) -> list[MatchedRow]:
    return find_all(connection, "rounds", "core.crm_accounts", "core.crm_contacts", MatchOptions(0.01), index=index)


@pytest.mark.parametrize("seed", range(2))
def test_the_stored_index_equals_one_built_anew(connection: duckdb.DuckDBPyConnection, seed: int) -> None:
    pick = random.Random(seed)
    crm = Crm(connection)
    for _ in range(8):
        for _ in range(pick.randint(1, 25)):
            external_id = f"a{pick.randint(1, 40)}"
            if pick.random() < 0.3:
                crm.drop(external_id)
            else:
                crm.put(external_id, " ".join(pick.choices(WORDS, k=pick.randint(1, 3))))
        connection.begin()
        name_index.refresh(connection)
        # A run that is killed leaves nothing; the next one does all of it.
        connection.rollback() if pick.random() < 0.3 else connection.commit()
    name_index.refresh(connection)
    fresh = name_index.build(connection, "core.crm_accounts")
    assert contents(connection, STORED) == contents(connection, fresh)
    numbered = (
        "SELECT change_seq, CASE WHEN name_key <> '' THEN hash(name_key) END AS name_no FROM core.crm_accounts ORDER BY ALL"
    )
    rows = connection.execute(f"SELECT change_seq, name_no FROM {STORED.rows} ORDER BY ALL").fetchall()
    assert rows == connection.execute(numbered).fetchall()
    found = matched(connection, STORED)
    assert found == matched(connection, None)
    assert len(found) > 3


@pytest.mark.parametrize("seed", range(2))
def test_a_row_is_matched_alike_before_and_after_the_round(connection: duckdb.DuckDBPyConnection, seed: int) -> None:
    """What changed rows find among rounds is what rounds find among all rows, of these rows."""
    pick = random.Random(seed)
    crm = Crm(connection)
    for n in range(120):
        crm.put(f"a{n}", " ".join(pick.choices(WORDS, k=pick.randint(1, 3))))
    name_index.refresh(connection)
    connection.execute("CREATE TEMP TABLE changed AS SELECT * FROM core.crm_accounts WHERE hash(external_id) % 3 = 0")
    every = {(row.round_id, row.account_external_id, row.score) for row in matched(connection, STORED)}
    changed = {name for (name,) in connection.execute("SELECT external_id FROM changed").fetchall()}
    part = find_all(
        connection, "rounds", "changed", "core.crm_contacts", MatchOptions(0.01), all_accounts="core.crm_accounts", index=STORED
    )
    assert {(row.round_id, row.account_external_id, row.score) for row in part} == {row for row in every if row[1] in changed}
    assert len(part) > 3


def test_an_index_of_another_version_is_built_anew(connection: duckdb.DuckDBPyConnection) -> None:
    crm = Crm(connection)
    crm.put("a1", "Quorvexa Labs")
    name_index.refresh(connection)
    connection.execute("UPDATE core.progress SET step = replace(step, 'match_index/', 'match_index/0')")
    connection.execute("INSERT INTO core.match_keys VALUES (7, 99)")
    name_index.refresh(connection)
    assert contents(connection, STORED) == contents(connection, name_index.build(connection, "core.crm_accounts"))
    steps = [step for (step,) in connection.execute("SELECT step FROM core.progress").fetchall()]
    assert sorted(steps) == [name_index.STORED_STEP, f"{name_index.STORED_STEP}/rows"]


REBUILD_AND_DIE = """
import os, signal, sys
from pathlib import Path
from pipeline.matching import name_index, steps
from pipeline.store.warehouse import Warehouse

def dies(*arguments):
    counted(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

counted, name_index._count = name_index._count, dies
with Warehouse(Path(sys.argv[1])).open() as connection:
    steps._stored_index(connection)
"""


def test_a_rebuild_for_another_version_that_is_killed_is_done_again(tmp_path: Path) -> None:
    """SIGKILL with names, keys and counts written and the version not: what was there stays, and the next run builds all of it."""
    file = tmp_path / "warehouse.duckdb"
    with Warehouse(file).open() as connection:
        crm = Crm(connection)
        for n in range(50):
            crm.put(f"a{n}", f"{WORDS[n % 12]} {WORDS[n % 7]}")
        name_index.refresh(connection)
        expected = contents(connection, STORED)
        connection.execute("UPDATE core.progress SET step = replace(step, 'match_index/', 'match_index/0')")
        connection.execute("INSERT INTO core.match_keys VALUES (7, 99)")  # what the other version had made
        before = contents(connection, STORED)
    killed = subprocess.run([sys.executable, "-c", REBUILD_AND_DIE, file], check=False)
    assert killed.returncode == -signal.SIGKILL
    with Warehouse(file).open() as connection:
        assert contents(connection, STORED) == before
        assert connection.execute("SELECT count(*) FROM core.match_keys WHERE key = 7").fetchall() == [(1,)]
        marks = "SELECT step FROM core.progress WHERE starts_with(step, ?)"
        assert connection.execute(marks, [name_index.STORED_STEP]).fetchall() == []
        name_index.refresh(connection)
        assert contents(connection, STORED) == expected
        assert connection.execute("SELECT count(*) FROM core.match_keys WHERE key = 7").fetchall() == [(0,)]
        assert len(connection.execute(marks, ["match_index/"]).fetchall()) == 2


def test_an_unchanged_crm_touches_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    crm = Crm(connection)
    crm.put("a1", "Quorvexa Labs")
    name_index.refresh(connection)
    connection.execute("DELETE FROM core.match_keys")  # a build would bring them back
    name_index.refresh(connection)
    assert connection.execute("SELECT count(*) FROM core.match_keys").fetchall() == [(0,)]


def test_a_warehouse_of_the_version_before_gets_its_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tmp_path / "schema"
    before.mkdir()
    for file in sorted(store.SCHEMA.glob("*.sql")):
        if file.name.endswith("_name_index.sql"):
            break
        (before / file.name).write_text(file.read_text())
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    schema = store.SCHEMA
    monkeypatch.setattr(store, "SCHEMA", before)
    with warehouse.open() as connection:
        Crm(connection).put("a1", "Quorvexa Labs")
    monkeypatch.setattr(store, "SCHEMA", schema)
    with warehouse.open() as connection:
        name_index.refresh(connection)
        assert connection.execute("SELECT name_key FROM core.match_names").fetchall() == [("quorvexa labs",)]

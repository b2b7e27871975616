"""`fundingscout sql` over a published build."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from pipeline.commands.sql import sql
from pipeline.store.marts import Mart
from pipeline.store.published import publish
from pipeline.store.warehouse import Warehouse


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose only mart, ``numbers``, holds 1 to 300 and an awkward text."""
    home = tmp_path / "home"
    home.mkdir()
    warehouse = Warehouse(home / "warehouse.duckdb")
    with warehouse.open() as connection:
        connection.execute("CREATE SCHEMA marts")
        connection.execute("""CREATE TABLE marts.numbers AS SELECT range AS n, 'a "b", é' AS word FROM range(1, 301)""")
    publish(warehouse, home / "published", [Mart("numbers", "One row per number. More.")], datetime(2026, 11, 2, tzinfo=UTC))
    monkeypatch.setenv("FUNDINGSCOUT_HOME", str(home))
    return home


def ask(*words: str) -> Result:
    return CliRunner().invoke(sql, words)


def test_tables_are_listed_with_what_a_row_is(home: Path) -> None:
    assert "numbers" in ask().output
    assert json.loads(ask("--json").output)[0]["rows"] == 300


def test_an_answer_is_cut_on_the_screen_and_says_so(home: Path) -> None:
    result = ask("SELECT n FROM numbers ORDER BY n", "--limit", "3")
    assert result.output.split()[:4] == ["n", "1", "2", "3"]
    assert "--limit 0" in result.stderr
    assert "more rows" not in ask("SELECT n FROM numbers", "--limit", "0").stderr


def test_json_and_csv_hold_every_row_exactly(home: Path) -> None:
    assert json.loads(ask("SELECT * FROM numbers WHERE n = 7", "--json").output) == [{"n": 7, "word": 'a "b", é'}]
    assert len(ask("SELECT n FROM numbers", "--csv").output.splitlines()) == 301
    assert ask("SELECT word FROM numbers LIMIT 1", "--csv").output.splitlines()[1] == '"a ""b"", é"'


def test_columns_of_json_come_as_what_they_hold(home: Path) -> None:
    """An article's sentence is not to be read through two layers of quotes."""
    query = """SELECT '[{"text": "Acme raises"}]' AS evidence_json, NULL AS features_json, '[1' AS word FROM numbers LIMIT 1"""
    assert json.loads(ask(query, "--json").output) == [
        {"evidence_json": [{"text": "Acme raises"}], "features_json": None, "word": "[1"}
    ]


@pytest.mark.parametrize("name", ["week.csv", "week.parquet"])
def test_an_answer_can_go_to_a_file(home: Path, tmp_path: Path, name: str) -> None:
    result = ask("SELECT * FROM numbers", "--out", str(tmp_path / name))
    assert "300 rows" in result.stderr
    assert duckdb.sql(f"SELECT count(*), sum(n) FROM '{tmp_path / name}'").fetchall() == [(300, 45150)]


def test_text_from_outside_is_no_formula_in_a_spreadsheet(home: Path, tmp_path: Path) -> None:
    query = "SELECT unnest(['=1+1', '@sum', '-2', '+3', chr(9) || '=4', 'a=b', '']) AS t, -5 AS n"
    ask(query, "--out", str(tmp_path / "week.csv"))
    with (tmp_path / "week.csv").open(newline="", encoding="utf-8") as file:
        written = list(csv.reader(file))[1:]
    assert [row[0] for row in written] == ["'=1+1", "'@sum", "'-2", "'+3", "'\t=4", "a=b", ""]
    assert {row[1] for row in written} == {"-5"}
    assert ask(query, "--csv").output.splitlines()[1] == "=1+1,-5"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("SELECT missing FROM numbers",), "missing"),
        (("SELEC 1",), "syntax"),
        (("DROP VIEW numbers",), "read-only"),
        (("SELECT 1", "--out", "rows.xlsx"), ".csv or .parquet"),
    ],
)
def test_what_can_not_be_done_is_one_clear_error(home: Path, words: tuple[str, ...], says: str) -> None:
    result = ask(*words)
    assert result.exit_code == 2
    assert says in result.stderr

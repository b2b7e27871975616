"""Marts that are made anew row by row come out as if they had been made whole, whatever happened in between."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.store.marts import MartsProject, marts_of
from pipeline.store.published import publish
from pipeline.store.warehouse import Warehouse
from tests.integration.test_marts_build import account, attempt, document, funding_round, insert, match, mention

NOON = datetime(2026, 11, 5, 12, 0, tzinfo=UTC)
# The marts that are made row by row with the tables they go by; views are made once, with all they read.
TABLES = [
    "int_match_outcomes",
    "int_matched_rows",
    "int_round_fingerprints",
    "int_match_fingerprints",
    "funding_rounds_mart",
    "match_explanations",
    "deliveries",
]
ORGANIZATIONS = ["o1", "o2", "o3"]


class History:
    """A world that things happen to, in an order drawn from ``seed``. Half of them leave no mark but the change itself."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.news = 0
        self.attempts = 0
        self.now = NOON.replace(tzinfo=None)

    def begin(self, connection: duckdb.DuckDBPyConnection) -> None:
        insert(connection, "core.organizations", [
            {"organization_id": key, "slug": f"slug-{key}", "name": key, "has_webhook": True} for key in ORGANIZATIONS
        ])  # fmt: skip
        insert(connection, "core.crm_accounts", [
            account(key, f"a{n}", f"name{n}", f"name{n}.example", self.now - timedelta(days=300), n)
            for key in ORGANIZATIONS for n in range(4)
        ])  # fmt: skip
        for _ in range(40):
            self.announce(connection)

    def go_on(self, connection: duckdb.DuckDBPyConnection, changes: int) -> None:
        ways = [
            self.announce, self.report_again, self.revise_text, self.read_otherwise, self.expire, self.correct_round, self.merge,
            self.attempt_again, self.set_right, self.rename, self.forget, self.match_late, self.rewrite_match,
        ]  # fmt: skip
        for way in [*ways, *self.rng.choices(ways, k=changes)]:
            way(connection)

    def pick(self, connection: duckdb.DuckDBPyConnection, query: str) -> Any:
        rows = sorted(connection.execute(query).fetchall())
        return self.rng.choice(rows)[0] if rows else None

    def announce(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.news += 1
        key, name = f"r{self.news}", f"name{self.rng.randrange(6)}"
        # Up to a year and a half ago: some matches leave the 400 days that are explained as time goes on.
        seen = self.now - timedelta(days=self.rng.choice([0, 1, 20, 100, 398, 399, 399.5, 450]))
        insert(connection, "core.funding_rounds", [funding_round(key, self.news, name, f"{name}.example", seen)])
        self._document(connection, key, seen)
        for org in self.rng.sample(ORGANIZATIONS, self.rng.randrange(3)):
            self._match(connection, org, key, seen)

    def report_again(self, connection: duckdb.DuckDBPyConnection) -> None:
        key = self.pick(connection, "SELECT round_id FROM core.funding_rounds")
        self._document(connection, key, self.now)

    def revise_text(self, connection: duckdb.DuckDBPyConnection) -> None:
        key = self.pick(connection, "SELECT document_id FROM raw.documents")
        connection.execute("UPDATE raw.documents SET title = title || '!' WHERE document_id = ?", [key])

    def read_otherwise(self, connection: duckdb.DuckDBPyConnection) -> None:
        key = self.pick(connection, "SELECT document_id FROM core.mentions")
        evidence = json.dumps([{"field": "amount", "value": "7", "text": f"seven {self.rng.random()}"}])
        connection.execute("UPDATE core.mentions SET evidence = ? WHERE document_id = ?", [evidence, key])

    def expire(self, connection: duckdb.DuckDBPyConnection) -> None:
        for key in [self.pick(connection, "SELECT document_id FROM core.mentions WHERE evidence <> '[]'") for _ in range(2)]:
            connection.execute("UPDATE core.mentions SET evidence = '[]' WHERE document_id = ?", [key])

    def correct_round(self, connection: duckdb.DuckDBPyConnection) -> None:
        key = self.pick(connection, "SELECT round_id FROM core.funding_rounds")
        connection.execute("UPDATE core.funding_rounds SET amount_usd = amount_usd + 1 WHERE round_id = ?", [key])

    def merge(self, connection: duckdb.DuckDBPyConnection) -> None:
        one, other = (self.pick(connection, "SELECT round_id FROM core.funding_rounds") for _ in range(2))
        if one != other:
            connection.execute("UPDATE core.funding_rounds SET status = 'merged' WHERE round_id = ?", [one])
            connection.execute("UPDATE core.round_mentions SET round_id = ? WHERE round_id = ?", [other, one])

    def attempt_again(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._attempt(connection, self.pick(connection, "SELECT match_id FROM core.matches"))

    def set_right(self, connection: duckdb.DuckDBPyConnection) -> None:
        key = self.pick(connection, "SELECT attempt_id FROM core.webhook_deliveries")
        connection.execute("UPDATE core.webhook_deliveries SET status = 'delivered' WHERE attempt_id = ?", [key])

    def rename(self, connection: duckdb.DuckDBPyConnection) -> None:
        if self.rng.random() < 0.3:
            connection.execute("UPDATE core.organizations SET slug = slug || 'x' WHERE organization_id = 'o2'")

    def forget(self, connection: duckdb.DuckDBPyConnection) -> None:
        key = self.pick(connection, "SELECT round_id FROM core.funding_rounds")
        connection.execute(
            "DELETE FROM core.mentions WHERE document_id IN (SELECT document_id FROM core.round_mentions WHERE round_id = ?)",
            [key],
        )
        for table in ("matches", "webhook_deliveries", "round_mentions", "funding_rounds"):
            connection.execute(f"DELETE FROM core.{table} WHERE round_id = ?", [key])

    def match_late(self, connection: duckdb.DuckDBPyConnection) -> None:
        key = self.pick(connection, "SELECT round_id FROM core.funding_rounds")
        org = self.rng.choice(ORGANIZATIONS)
        known = "SELECT * FROM core.matches WHERE round_id = ? AND organization_id = ?"
        if not connection.execute(known, [key, org]).fetchall():
            self._match(connection, org, key, self.now)

    def rewrite_match(self, connection: duckdb.DuckDBPyConnection) -> None:
        key = self.pick(connection, "SELECT match_id FROM core.matches")
        connection.execute("UPDATE core.matches SET all_matches = '[]', score = 0.5 WHERE match_id = ?", [key])

    def _document(self, connection: duckdb.DuckDBPyConnection, round_id: str, landed: datetime) -> None:
        seq = connection.execute("SELECT coalesce(max(document_seq), 0) + 1 FROM raw.documents").fetchall()[0][0]
        key = f"d{seq}"
        insert(
            connection, "raw.documents", [document(key, seq, "wire", landed) | {"title": key, "url": f"https://{key}.example/"}]
        )
        insert(connection, "core.mentions", [mention(key)])
        insert(connection, "core.round_mentions", [{"round_id": round_id, "document_id": key}])

    def _match(self, connection: duckdb.DuckDBPyConnection, org: str, round_id: str, at: datetime) -> None:
        found = match(f"{org}-{round_id}", org, round_id, "account_domain", "a1", at, also=self.rng.choice([None, "c1"]))
        insert(connection, "core.matches", [found])
        if self.rng.random() < 0.8:
            self._attempt(connection, found["match_id"])

    def _attempt(self, connection: duckdb.DuckDBPyConnection, match_id: str) -> None:
        self.attempts += 1
        org, round_id = match_id.split("-")
        made = attempt(self.attempts, {"match_id": match_id, "organization_id": org, "round_id": round_id}, self.now,
                       self.rng.choice(["delivered", "failed", "no_webhook"]), endpoint_url=f"https://{org}.example/in",
                       error_class="timeout", duration_ms=5.0, document_landed_at=self.now)  # fmt: skip
        insert(connection, "core.webhook_deliveries", [made])


@pytest.fixture(scope="module")
def lived(marts_home: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[History, Warehouse]:
    """A history that has begun, and the warehouse of its first whole build."""
    history = History(1)
    marts_home.clear()
    with marts_home.warehouse.write() as connection:
        history.begin(connection)
    models = [f"+{name},resource_type:model" for name in TABLES]
    assert {outcome.status for outcome in marts_home.project.build(models, as_of=NOON, whole=True)} == {"success"}
    return history, marts_home.kept_in(tmp_path_factory.mktemp("lived"))


@pytest.fixture
def project(lived: tuple[History, Warehouse], marts_home: Any) -> MartsProject:
    """The project over a copy of that warehouse."""
    marts_home.put(lived[1])
    project: MartsProject = marts_home.project
    return project


def build(project: MartsProject, at: datetime, *, whole: bool | None = False) -> None:
    outcomes = project.build(TABLES, as_of=at, whole=whole)
    assert {outcome.status for outcome in outcomes} == {"success"}, outcomes


def tables(project: MartsProject) -> dict[str, list[str]]:
    """All rows of all tables that dbt has made."""
    with project.warehouse.open() as connection:
        names = connection.execute(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE schema_name IN ('marts', 'intermediate') ORDER BY 1"
        ).fetchall()
        return {name: sorted(str(row) for row in connection.execute(f"SELECT * FROM {name}").fetchall()) for (name,) in names}


def in_order_of_making(project: MartsProject) -> list[list[str]]:
    """The keys of the marts and of the outcomes as their rows lie: what is made anew lies last."""
    with project.warehouse.open() as connection:
        queries = (
            "SELECT round_id FROM marts.funding_rounds_mart",
            "SELECT match_id FROM marts.match_explanations",
            "SELECT match_id FROM marts.deliveries",
            "SELECT match_id FROM intermediate.int_match_outcomes",
        )
        return [[key for (key,) in connection.execute(f"{query} ORDER BY rowid").fetchall()] for query in queries]


def test_after_any_history_the_marts_are_what_a_whole_build_makes(
    project: MartsProject, lived: tuple[History, Warehouse]
) -> None:
    for days in (0.2, 1.5):
        with project.warehouse.write() as connection:
            lived[0].go_on(connection, 80)
        build(project, NOON + timedelta(days=days))
    row_by_row = tables(project)
    assert min(len(row_by_row[f"marts.{name}"]) for name in ("match_explanations", "funding_rounds_mart", "deliveries")) > 10
    build(project, NOON + timedelta(days=1.5), whole=True)
    assert tables(project) == row_by_row


def test_only_what_was_touched_is_made_anew_and_expired_sentences_are_gone(project: MartsProject, tmp_path: Path) -> None:
    with project.warehouse.write() as connection:
        for table in ("core.matches", "core.funding_rounds", "core.round_mentions", "raw.documents", "core.mentions"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute("DELETE FROM core.webhook_deliveries")
        history = History(3)
        for number in range(8):
            seen = history.now - timedelta(days=40 * number)
            key = f"q{number}"
            insert(connection, "core.funding_rounds", [funding_round(key, number, "name1", None, seen)])
            history._document(connection, key, seen)
            insert(connection, "core.matches", [match(f"o1-{key}", "o1", key, "account_domain", "a1", seen)])
            secret = json.dumps([{"field": "amount", "value": "5", "text": f"sentence of {key}"}])
            connection.execute(
                "UPDATE core.mentions SET evidence = ? "
                "WHERE document_id IN (SELECT document_id FROM core.round_mentions WHERE round_id = ?)",
                [secret, key],
            )
    build(project, NOON)
    marts = [mart for mart in marts_of(project.manifest()) if mart.name == "match_explanations"]
    first = publish(project.warehouse, tmp_path, marts, NOON)
    before = in_order_of_making(project)
    build(project, NOON)
    assert in_order_of_making(project) == before, "without a change no row is made anew"
    touched = before[0][2]
    with project.warehouse.write() as connection:
        connection.execute(f"UPDATE core.mentions SET evidence = '[]' WHERE evidence LIKE '%sentence of {touched}%'")
    build(project, NOON + timedelta(hours=1))
    rounds, *marts_of_matches, outcomes = before
    last = [[key for key in rounds if key != touched] + [touched]]
    last += [[key for key in keys if key != f"o1-{touched}"] + [f"o1-{touched}"] for keys in marts_of_matches]
    assert in_order_of_making(project) == [*last, outcomes], "a sentence is nothing to the outcome of a match"
    second = publish(project.warehouse, tmp_path, marts, NOON + timedelta(hours=1))
    with duckdb.connect(str(second.views), read_only=True) as reader:
        quoted = "SELECT count(*) FROM match_explanations WHERE evidence_json LIKE '%sentence of ' || round_id || '%'"
        assert reader.execute(quoted).fetchall() == [(7,)]
    same = [file.name for file in sorted(second.build.rglob("*.parquet"))
            if file.samefile(first.build / file.relative_to(second.build))]  # fmt: skip
    assert (len(same), len(list(first.build.rglob("*.parquet")))) == (7, 8), "the month of that sentence alone is written anew"


def test_all_is_made_whole_weekly_and_after_a_change_of_the_project(
    project: MartsProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    class Said:
        result = None

    def remembers(arguments: list[str], environment: dict[str, str]) -> Said:
        asked.append(arguments)
        return Said()

    def is_whole(project: MartsProject, at: datetime) -> bool:
        project.build(as_of=at)
        return "--full-refresh" in asked[-1]

    own = MartsProject(Warehouse(tmp_path / "warehouse.duckdb"), tmp_path / "dbt")
    monkeypatch.setattr(own, "_invoke", remembers)
    days = [is_whole(own, NOON + timedelta(days=day)) for day in (0, 1, 6.9, 7, 8, -1)]
    assert days == [True, False, False, True, False, True]
    own.build(["fqn:fundingscout.marts.deliveries"], as_of=NOON)
    assert "--full-refresh" not in asked[-1]
    monkeypatch.setattr(own, "_fingerprint", lambda: "of another state of the project")
    own.build(["fqn:fundingscout.marts.deliveries"], as_of=NOON)
    assert "--full-refresh" in asked[-1], "a part of it, too, is made as it is now"
    assert is_whole(own, NOON), "which does not stand for the rest"
    assert not is_whole(own, NOON)

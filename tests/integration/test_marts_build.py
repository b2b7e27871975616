"""The dbt project, built for real: over a few days of a small world, and over a fresh installation."""

from __future__ import annotations

import itertools
import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from pipeline.store.marts import marts_of
from pipeline.store.warehouse import Warehouse, set_progress
from pipeline.webhooks.logical_rounds import LogicalRound, is_same_round

AS_OF = datetime(2026, 11, 5, 12, 0, tzinfo=UTC)
MARTS = [
    "crm_coverage",
    "deliveries",
    "delivery_health",
    "funding_rounds_mart",
    "match_explanations",
    "match_funnel_daily",
    "missed_matches",
    "partner_earnings",
    "partner_funnel",
    "review_decisions",
    "review_precision",
    "source_health",
]


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """UTC, naive as the warehouse keeps it."""
    return datetime(2026, 11, day, hour, minute, second)  # noqa: DTZ001


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    names = {name for row in rows for name in row}
    given = pa.Table.from_pylist([{name: row.get(name) for name in sorted(names)} for row in rows])
    connection.register("given", given)
    connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM given")
    connection.unregister("given")


def document(key: str, seq: int, source: str, landed: datetime, kind: str = "article") -> dict[str, Any]:
    return {"document_id": key, "document_seq": seq, "revision": 1, "source_id": source, "kind": kind, "landed_at": landed,
            "is_catch_up": source == "edgar"}  # fmt: skip


def mention(key: str, signal: str = "funding_round", set_aside: str | None = None) -> dict[str, Any]:
    evidence = json.dumps([{"field": "company_name", "text": "…"}, {"field": "amount", "text": "…"}])
    return {"document_id": key, "signal_type": signal, "is_funding": signal == "funding_round", "set_aside_reason": set_aside,
            "evidence": evidence}  # fmt: skip


def funding_round(key: str, seq: int, name: str, domain: str | None, seen: datetime, tells: bool = True) -> dict[str, Any]:
    return {"round_id": key, "round_seq": seq, "company_name": name.title(), "company_key": name, "domain_key": domain,
            "amount_usd": 5_000_000, "published_date": seen.date(), "tells": tells, "status": "active", "first_seen_at": seen,
            "updated_at": seen, "confidence_score": 0.9, "conflicts": "{}",
            "investors": '[{"name": "Harbour Capital"}]'}  # fmt: skip


def account(org: str, key: str, name: str, domain: str | None, since: datetime, seq: int) -> dict[str, Any]:
    return {"organization_id": org, "external_id": key, "name": name.title(), "name_key": name, "domain": domain,
            "domain_key": domain, "created_at": since, "updated_at": since, "change_seq": seq}  # fmt: skip


def match(key: str, org: str, round_id: str, path: str, row: str, matched: datetime, also: str | None = None) -> dict[str, Any]:
    listed = [{"match_type": path, "account_external_id": row, "contact_external_id": None}]
    if also:
        listed.append({"match_type": "email_domain", "account_external_id": row, "contact_external_id": also})
    return {"match_id": key, "organization_id": org, "round_id": round_id, "match_type": path, "account_external_id": row,
            "all_matches": json.dumps(listed), "origin": "live", "matched_at": matched, "score": 1.0}  # fmt: skip


def attempt(number: int, match_row: dict[str, Any], started: datetime, status: str, **more: Any) -> dict[str, Any]:
    return {"attempt_id": number, "delivery_id": f"delivery-{match_row['match_id']}", "match_id": match_row["match_id"],
            "attempt_number": 0 if status == "no_webhook" else 1, "trigger": "live", "status": status, "started_at": started,
            "organization_id": match_row["organization_id"], "round_id": match_row["round_id"], **more}  # fmt: skip


def fill(warehouse: Warehouse) -> None:
    """Two organizations, three sources, four rounds, three matches."""
    m1 = match("m1", "o1", "r1", "account_domain", "a1", at(2, 10, 0, 8), also="c1")
    m2 = match("m2", "o2", "r1", "account_name", "b1", at(2, 10, 0, 8))
    m3 = match("m3", "o1", "r3", "account_name", "a3", at(4, 9, 0, 10))
    with warehouse.write() as connection:
        insert(connection, "raw.documents", [
            document("d1", 1, "wire", at(2, 10)), document("d2", 2, "media", at(2, 10, 30)), document("d3", 3, "wire", at(2, 11)),
            document("d4", 4, "edgar", at(3, 8), "form_d"), document("d5", 5, "wire", at(4, 9)),
            document("d6", 6, "media", at(5, 11)),
        ])  # fmt: skip
        insert(connection, "raw.rejected_documents", [
            {"landing_id": 9, "landing_sha256": "00", "source_id": "wire", "entry": "", "reason": "empty_body",
             "rejected_at": at(3)},
        ])  # fmt: skip
        insert(connection, "raw.source_hours", [
            {"source_id": "wire", "hour_at": at(2, 10), "polls": 60, "not_modified": 58, "landed": 2, "failures": 0},
            {"source_id": "wire", "hour_at": at(3, 10), "polls": 5, "not_modified": 0, "landed": 0, "failures": 5,
             "last_error": "timeout"},
            {"source_id": "wire", "hour_at": at(4, 9), "polls": 60, "not_modified": 59, "landed": 1, "failures": 0},
        ])  # fmt: skip
        insert(connection, "core.mentions", [
            mention("d1"), mention("d2"), mention("d3", "acquisition", "not_funding"), mention("d4"), mention("d5"),
            mention("d6"),
        ])  # fmt: skip
        insert(connection, "core.funding_rounds", [
            funding_round("r1", 1, "lumen", "lumen.example", at(2, 10, 0, 5)),
            funding_round("r2", 2, "orrery", None, at(3, 8, 0, 5), tells=False),
            funding_round("r3", 3, "tarn", None, at(4, 9, 0, 5)),
            funding_round("r4", 4, "skerry", "skerry.example", at(5, 11)),
        ])  # fmt: skip
        insert(connection, "core.round_mentions", [
            {"round_id": "r1", "document_id": "d1"}, {"round_id": "r1", "document_id": "d2"},
            {"round_id": "r2", "document_id": "d4"}, {"round_id": "r3", "document_id": "d5"},
            {"round_id": "r4", "document_id": "d6"},
        ])  # fmt: skip
        insert(connection, "core.organizations", [
            {"organization_id": "o1", "slug": "acme", "name": "Acme", "has_webhook": True},
            {"organization_id": "o2", "slug": "borealis", "name": "Borealis", "has_webhook": False},
        ])  # fmt: skip
        insert(connection, "core.crm_accounts", [
            account("o1", "a1", "lumen", "lumen.example", at(1), 1), account("o1", "a2", "orrery", None, at(1), 2),
            account("o1", "a3", "tarn", None, at(1), 3), account("o1", "a4", "skerry", "skerry.example", at(1), 4),
            account("o2", "b1", "lumen", None, at(1), 5), account("o2", "b2", "tarn", None, at(4, 20), 6),
        ])  # fmt: skip
        insert(connection, "core.crm_contacts", [
            {"organization_id": "o1", "external_id": "c1", "email": "ann@lumen.example", "email_domain_key": "lumen.example",
             "account_external_id": "a1", "created_at": at(1), "change_seq": 1},
            {"organization_id": "o1", "external_id": "c2", "email": "bea@mail.example", "email_domain_key": None,
             "account_external_id": "a2", "created_at": at(1), "change_seq": 2},
        ])  # fmt: skip
        insert(connection, "core.crm_snapshots", [
            {"snapshot_date": date(2026, 11, 4), "organization_id": "o2", "accounts": 2, "accounts_added": 1, "contacts_added": 0},
        ])  # fmt: skip
        insert(connection, "core.matches", [m1, m2, m3])
        insert(connection, "core.webhook_deliveries", [
            attempt(1, m1, at(2, 10, 0, 12), "delivered", endpoint_url="https://hooks.acme.example/in/s3cret",
                    duration_ms=120.0, response_code=200, document_landed_at=at(2, 10)),
            attempt(2, m2, at(2, 10, 0, 9), "no_webhook"),
            attempt(3, m3, at(4, 9, 0, 12), "failed", endpoint_url="https://hooks.acme.example/in/s3cret",
                    duration_ms=5000.0, error_class="timeout", document_landed_at=at(4, 9)),
        ])  # fmt: skip
        set_progress(connection, "match_rounds", 3)
        set_progress(connection, "match_crm", 6)


@pytest.fixture(scope="module")
def built(marts_home: Any, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A warehouse with a few days in it, its marts built and tested once. Tests only read it, or have a copy."""
    marts_home.clear()
    fill(marts_home.warehouse)
    outcomes = marts_home.project.build(unit_tests=True, as_of=AS_OF)
    assert [outcome for outcome in outcomes if outcome.status not in {"success", "pass"}] == []
    assert sum(outcome.unique_id.startswith("unit_test.") for outcome in outcomes) >= 15
    return marts_home.kept_in(tmp_path_factory.mktemp("built"))


def read(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    with warehouse.open() as connection:
        return connection.execute(query).fetchall()


def test_the_funnel_counts_documents_once_and_matches_by_path_and_state(built: Warehouse) -> None:
    rows = read(built, """
        SELECT day, organization_slug, documents, funding_mentions, rounds, rounds_telling, matches, matches_account_domain,
            matches_account_name, deliveries_delivered, deliveries_failed, deliveries_no_webhook
        FROM marts.match_funnel_daily ORDER BY day, organization_slug""")  # fmt: skip
    assert rows == [
        (date(2026, 11, 2), "acme", 3, 2, 1, 1, 1, 1, 0, 1, 0, 0),
        (date(2026, 11, 2), "borealis", 3, 2, 1, 1, 1, 0, 1, 0, 0, 1),
        (date(2026, 11, 3), "acme", 1, 1, 1, 0, 0, 0, 0, 0, 0, 0),
        (date(2026, 11, 3), "borealis", 1, 1, 1, 0, 0, 0, 0, 0, 0, 0),
        (date(2026, 11, 4), "acme", 1, 1, 1, 1, 1, 0, 1, 0, 1, 0),
        (date(2026, 11, 4), "borealis", 1, 1, 1, 1, 0, 0, 0, 0, 0, 0),
        (date(2026, 11, 5), "acme", 1, 1, 1, 1, 0, 0, 0, 0, 0, 0),
        (date(2026, 11, 5), "borealis", 1, 1, 1, 1, 0, 0, 0, 0, 0, 0),
    ]


def test_delivery_health_shows_the_host_and_no_more_of_the_address(built: Warehouse) -> None:
    rows = read(built, """
        SELECT day, endpoint_host, attempts, delivered, failed, failed_timeout, share_delivered, duration_p50_ms,
            landed_to_sent_p50_seconds
        FROM marts.delivery_health ORDER BY day""")  # fmt: skip
    assert rows == [
        (date(2026, 11, 2), "hooks.acme.example", 1, 1, 0, 0, 1.0, 120.0, 12.0),
        (date(2026, 11, 4), "hooks.acme.example", 1, 0, 1, 1, 0.0, 5000.0, 12.0),
    ]


def test_a_source_has_a_row_for_each_day_up_to_now(built: Warehouse) -> None:
    rows = read(built, """
        SELECT day, polls, failures, documents, documents_rejected, rounds, rounds_first_reported, share_set_aside,
            last_success_hour_at, last_error, silence_hours
        FROM marts.source_health WHERE source_id = 'wire' ORDER BY day""")  # fmt: skip
    assert rows == [
        (date(2026, 11, 2), 60, 0, 2, 0, 1, 1, 0.5, at(2, 10), None, 13.0),
        (date(2026, 11, 3), 5, 5, 0, 1, 0, 0, None, at(2, 10), "timeout", 37.0),
        (date(2026, 11, 4), 60, 0, 1, 0, 1, 1, 0.0, at(4, 9), None, 15.0),
        (date(2026, 11, 5), 0, 0, 0, 0, 0, 0, None, at(4, 9), None, 27.0),
    ]
    seconds = read(
        built,
        "SELECT rounds, rounds_first_reported FROM marts.source_health WHERE source_id = 'media' AND documents > 0 ORDER BY day",
    )
    assert seconds == [(1, 0), (1, 1)]


def test_coverage_counts_each_row_under_one_path(built: Warehouse) -> None:
    rows = read(built, """
        SELECT organization_slug, has_webhook, accounts, accounts_with_domain, accounts_matchable_by_domain,
            accounts_matchable_by_name, accounts_ever_matched, contacts_with_work_email, contacts_covered_by_account,
            contacts_ever_matched, accounts_added_last_7_days, matches
        FROM marts.crm_coverage ORDER BY organization_slug""")  # fmt: skip
    assert rows == [("acme", True, 4, 2, 2, 2, 2, 1, 1, 1, 0, 2), ("borealis", False, 2, 0, 0, 2, 1, 0, 0, 0, 1, 1)]


def test_missed_matches_leave_out_what_was_told_and_what_is_still_to_be_matched(built: Warehouse) -> None:
    """r4 lies beyond the match step's progress; r1 was delivered to o1, its contact included (A-FS-4)."""
    rows = read(built, """
        SELECT organization_slug, round_id, row_external_id, match_type, reason, error_class, backfill_date, recovery
        FROM marts.missed_matches ORDER BY organization_slug, round_id""")  # fmt: skip
    assert rows == [
        ("acme", "r2", "a2", "account_name", "source_late", None, date(2026, 11, 3), "backfill"),
        ("acme", "r3", "a3", "account_name", "endpoint_failed", "timeout", date(2026, 11, 4), "pull"),
        ("borealis", "r1", "b1", "account_name", "no_webhook", None, date(2026, 11, 2), "pull"),
        ("borealis", "r3", "b2", "account_name", "row_added_later", None, date(2026, 11, 4), "backfill"),
    ]


def test_a_round_shows_what_stands_behind_it(built: Warehouse) -> None:
    rows = read(built, """
        SELECT round_id, documents, articles, filings, sources, evidence_texts, evidence_fields, conflicts, investor_count,
            organizations_matched, organizations_told, first_document_landed_at
        FROM marts.funding_rounds_mart ORDER BY round_id""")  # fmt: skip
    assert rows == [
        ("r1", 2, 2, 0, 2, 4, 2, 0, 1, 2, 1, at(2, 10)),
        ("r2", 1, 0, 1, 1, 2, 2, 0, 1, 0, 0, at(3, 8)),
        ("r3", 1, 1, 0, 1, 2, 2, 0, 1, 1, 0, at(4, 9)),
        ("r4", 1, 1, 0, 1, 2, 2, 0, 1, 0, 0, at(5, 11)),
    ]


def test_a_match_is_explained_by_one_row_with_its_sentences_and_its_fate(built: Warehouse) -> None:
    rows = read(built, """
        SELECT match_id, organization_slug, company_name, match_type, matched_rows, json_array_length(articles_json),
            json_array_length(evidence_json), delivery_status, delivery_reason, landed_to_sent_seconds
        FROM marts.match_explanations ORDER BY match_id""")  # fmt: skip
    no_webhook = "the organization has registered no webhook; its match feed shows it"
    assert rows == [
        ("m1", "acme", "Lumen", "account_domain", 2, 2, 4, "delivered", None, 12.0),
        ("m2", "borealis", "Lumen", "account_name", 1, 2, 4, "no_webhook", no_webhook, None),
        ("m3", "acme", "Tarn", "account_name", 1, 1, 2, "failed", "timeout", 12.0),
    ]
    assert read(built, "SELECT match_id, endpoint_host FROM marts.deliveries WHERE delivery_status = 'failed'") == [
        ("m3", "hooks.acme.example")
    ]


def test_the_documentation_is_one_page_with_every_mart_in_it(built: Warehouse, marts_home: Any, tmp_path: Path) -> None:
    marts_home.put(built)
    page = marts_home.project.write_docs(tmp_path / "out" / "docs.html").read_text()
    assert all(f"model.fundingscout.{name}" in page for name in MARTS)


def test_a_broken_key_stops_what_depends_on_it_and_says_so(built: Warehouse, marts_home: Any) -> None:
    marts_home.put(built)
    with marts_home.warehouse.write() as connection:
        connection.execute("INSERT INTO core.matches SELECT * FROM core.matches WHERE match_id = 'm1'")
    tests = ["unique_stg_matches_match_id", "unique_together_stg_matches_organization_id__round_id"]
    selected = [*tests, "missed_matches", "delivery_health"]
    outcomes = {outcome.unique_id: outcome for outcome in marts_home.project.build(selected, as_of=AS_OF)}
    assert len(outcomes) == len(selected)
    broken = sorted(outcome.unique_id.split(".")[2] for outcome in outcomes.values() if outcome.is_broken)
    assert broken == tests
    assert outcomes["model.fundingscout.missed_matches"].status == "skipped"
    assert outcomes["model.fundingscout.delivery_health"].status == "success"


def test_a_fresh_installation_gets_empty_marts(marts_home: Any) -> None:
    """That the tests hold of them, too, is seen where Dagster builds them (test_marts_definitions)."""
    marts_home.clear()
    environment, folder = dict(os.environ), Path.cwd()
    outcomes = marts_home.project.build(["resource_type:model"])
    assert {outcome.status for outcome in outcomes} == {"success"}
    assert [mart.name for mart in marts_of(marts_home.project.manifest())] == MARTS
    counts = read(marts_home.warehouse, " UNION ALL ".join(f"SELECT count(*) FROM marts.{mart}" for mart in MARTS))
    assert counts == [(0,)] * len(MARTS)
    assert (dict(os.environ), Path.cwd()) == (environment, folder), "dbt's surroundings leaked"
    with duckdb.connect(str(marts_home.warehouse.path)) as connection:  # dbt has let go of the file
        assert connection.execute("SELECT 1").fetchall() == [(1,)]


@pytest.mark.parametrize("whole", [False, True])
def test_building_again_changes_nothing(built: Warehouse, marts_home: Any, whole: bool) -> None:
    marts_home.put(built)
    everything = " UNION ALL ".join(f"SELECT '{mart}', md5(string_agg(t::VARCHAR, '|' ORDER BY t::VARCHAR)) FROM marts.{mart} t"
                                    for mart in MARTS)  # fmt: skip
    tables = ["config.materialized:table", "config.materialized:incremental"]
    assert len(marts_home.project.build(tables, as_of=AS_OF, whole=whole)) > len(MARTS)
    assert read(marts_home.warehouse, everything) == read(built, everything)


def test_a_logical_round_is_the_same_here_as_where_partners_are_told(built: Warehouse) -> None:
    """The mart's SQL and the outbox's rule, over every pair of a grid (A-FS-24)."""
    grid = itertools.product(
        (2, 16, 17), (None, "growth", "pre-seed", "seed", "series-a", "series-a1"), (None, 8_000_000, 10_000_000)
    )
    rounds = {f"g{number}": LogicalRound("grid", date(2026, 11, day), kind, amount)
              for number, (day, kind, amount) in enumerate(grid)}  # fmt: skip
    with built.open() as connection:
        connection.begin()
        insert(connection, "core.funding_rounds", [
            {"round_id": key, "company_key": "grid", "published_date": given.day, "funding_type": given.funding_type,
             "amount_usd": given.amount_usd, "status": "active", "first_seen_at": AS_OF}
            for key, given in rounds.items()
        ])  # fmt: skip
        found = set(connection.execute("SELECT * FROM intermediate.int_logical_rounds WHERE round_id LIKE 'g%'").fetchall())
        connection.rollback()
    assert found == {(a, b) for a, b in itertools.permutations(rounds, 2) if is_same_round(rounds[a], rounds[b])}
    assert 100 < len(found) < len(rounds) ** 2


def test_the_manifest_is_made_once_for_one_state_of_the_project(marts_home: Any) -> None:
    project = marts_home.project
    project.manifest()
    [kept] = project.state.glob("manifest-*.json")
    written = kept.stat().st_mtime_ns
    assert project.manifest()["metadata"]["project_name"] == "fundingscout"
    # It was made on an empty warehouse of another folder, and speaks of the real one.
    assert project.manifest()["nodes"]["model.fundingscout.deliveries"]["relation_name"] == '"warehouse"."marts"."deliveries"'
    assert [path.stat().st_mtime_ns for path in project.state.glob("manifest-*.json")] == [written]
    assert not list(project.state.glob(".compile-*"))


@pytest.mark.usefixtures("built")
def test_dbt_writes_nothing_into_the_checkout(marts_home: Any) -> None:
    project = marts_home.project
    project.manifest()
    assert {path.name for path in project.folder.iterdir()} >= {"dbt_project.yml", "models"}
    assert not (project.folder / ".user.yml").exists()
    assert (project.state / "target" / "partial_parse.msgpack").exists()

"""Retention on real stores: what is old goes, what a promise rests on stays, and a second call finds nothing to do."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from pipeline.defs.checks import RULES
from pipeline.documents.document_table import write_documents
from pipeline.documents.landing import Landing
from pipeline.documents.model import Document
from pipeline.matching import steps
from pipeline.settings import Settings
from pipeline.signals import mention_table
from pipeline.store.app_database import AppDatabase
from pipeline.store.closed_days import DaysClosed, require_open
from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt
from pipeline.store.tables.documents import FollowUp, SourceHour
from pipeline.store.tables.documents import Landing as LandingRow
from pipeline.store.tables.matches import Match, Round
from pipeline.store.tables.organizations import ApiKey, ContactReveal, Organization
from pipeline.store.warehouse import Warehouse
from pipeline.upkeep.retention import RetentionPolicy, apply_retention
from pipeline.webhooks import published_rounds

NOW = datetime(2026, 11, 20, 3, 30, tzinfo=UTC)
POLICY = RetentionPolicy(text_days=180, landing_days=90, attempt_days=180, history_days=400)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def landing_row(sha256: str, days: float, status: str = "parsed") -> LandingRow:
    return LandingRow(
        source_id="wire", kind="feed", url="https://wire.example/rss", sha256=sha256, size=3, is_catch_up=False, context={},
        fetched_at=ago(days), status=status, settled_at=None if status == "landed" else ago(days),
    )  # fmt: skip


def put(landing: Landing, body: bytes, days: float) -> str:
    sha256 = landing.put(body)
    os.utime(landing._path(sha256), (ago(days).timestamp(),) * 2)
    return sha256


def count(database: AppDatabase, table: Any) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def database(tmp_path: Path) -> AppDatabase:
    database = AppDatabase(f"sqlite:///{tmp_path / 'app.db'}")
    database.migrate()
    return database


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "warehouse.duckdb")


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def test_bodies_go_with_their_rows_unless_needed_and_the_newest_number_is_never_given_again(
    database: AppDatabase, warehouse: Warehouse, landing: Landing
) -> None:
    gone, shared, waiting, last = (put(landing, text, 100) for text in (b"old", b"two", b"not read", b"end"))
    with database.write() as session:
        session.add_all(
            [landing_row(gone, 100), landing_row(shared, 100), landing_row(shared, 10), landing_row(waiting, 100, "landed")]
        )
        session.flush()
        session.add(landing_row(last, 100))
    done = apply_retention(database, warehouse, landing, POLICY, NOW)
    assert (done["landings"], done["landed_files"]) == (2, 1)
    assert [landing._path(sha).exists() for sha in (gone, shared, waiting, last)] == [False, True, True, True]
    assert count(database, LandingRow) == 3
    assert not any(apply_retention(database, warehouse, landing, POLICY, NOW).values())


def test_a_body_that_came_again_today_stays_though_its_old_row_goes(
    landing: Landing, database: AppDatabase, warehouse: Warehouse
) -> None:
    sha256 = put(landing, b"again", 100)
    with database.write() as session:
        session.add_all([landing_row(sha256, 100), landing_row("0" * 64, 1)])
    landing.put(b"again")  # and its row is not written yet
    assert apply_retention(database, warehouse, landing, POLICY, datetime.now(UTC) + timedelta(seconds=5))["landings"] == 1
    assert landing.get(sha256) == b"again"


def test_deliveries_and_matches_of_open_days_stay_and_lose_their_attempts_and_bodies(
    database: AppDatabase, warehouse: Warehouse, landing: Landing
) -> None:
    """FS-61: at most once rests on rows of matches and deliveries: as long as a day is open they stay."""
    with database.write() as session:
        session.add(Organization(id="o1", slug="acme", name="Acme", plan="free", settings={}, created_at=ago(500)))
        session.flush()
        for key, days, status in (("old", 300, "delivered"), ("open", 300, "pending"), ("young", 30, "delivered")):
            session.add(
                Round(id=key, company_name=key, company_key=key, body={}, first_seen_at=ago(days), updated_at=ago(days))
            )
            session.flush()
            session.add(Match(id=key, organization_id="o1", round_id=key, company_key=key, match_type="account_domain", score=1.0,
                              explanation={}, all_matches=[], origin="live", created_at=ago(days)))  # fmt: skip
            session.flush()
            session.add(Delivery(id=key, dedupe_key=key, organization_id="o1", profile="fundingscout", event_type="e", match_id=key,
                                 status=status, body="{}", created_at=ago(days),
                                 finished_at=None if status == "pending" else ago(days)))  # fmt: skip
            session.flush()
            session.add(DeliveryAttempt(delivery_id=key, number=1, trigger="live", started_at=ago(days), finished_at=ago(days),
                                        outcome="failed", error="said", is_request_sent=True, is_mirrored=True))  # fmt: skip
            session.flush()
            if key == "old":
                session.add(DeliveryAttempt(delivery_id="old", number=2, trigger="live", started_at=ago(300), finished_at=ago(300),
                                            outcome="delivered", error="kept", is_mirrored=False))  # fmt: skip
                session.flush()
    done = apply_retention(database, warehouse, landing, POLICY, NOW)
    assert (done["attempt_texts"], done["delivery_bodies"]) == (2, 1)
    assert (count(database, Match), count(database, Delivery), count(database, DeliveryAttempt)) == (3, 3, 4)
    with database.read() as session:
        texts = select(
            DeliveryAttempt.delivery_id, DeliveryAttempt.number, DeliveryAttempt.error, DeliveryAttempt.is_request_sent
        )
        assert sorted(tuple(row) for row in session.execute(texts)) == [
            ("old", 1, None, True), ("old", 2, "kept", None), ("open", 1, None, True), ("young", 1, "said", True),
        ]  # fmt: skip
        bodies = {row.id: row.body for row in session.execute(select(Delivery.id, Delivery.body))}
    assert bodies == {"old": None, "open": "{}", "young": "{}"}
    assert not any(apply_retention(database, warehouse, landing, POLICY, NOW).values())


def test_what_is_about_old_news_goes_as_a_whole_unless_somebody_may_still_ask(
    database: AppDatabase, warehouse: Warehouse, landing: Landing
) -> None:
    """FS-61: a round goes long after its day was closed, with its matches, deliveries and attempts."""
    with database.write() as session:
        session.add(Organization(id="o1", slug="acme", name="Acme", plan="free", settings={}, created_at=ago(900)))
        session.flush()
        session.add(ApiKey(id="k1", organization_id="o1", label="k", token_prefix="p", token_sha256="s",
                           webhook_secret_encrypted=b"", quotas={}, created_at=ago(900)))  # fmt: skip
        session.flush()
        for key, days, status in (
            ("gone", 500, "delivered"), ("unheld", 450, "held"), ("waits", 500, "paused"), ("seen", 500, "failed"),
            ("uncopied", 500, "failed"), ("closed", 410, "delivered"), ("lone", 500, None),
        ):  # fmt: skip
            session.add(
                Round(id=key, company_name=key, company_key=key, body={}, first_seen_at=ago(days), updated_at=ago(days))
            )
            session.flush()
            if status is None:
                continue
            session.add(Match(id=key, organization_id="o1", round_id=key, company_key=key, match_type="account_domain", score=1.0,
                              explanation={}, all_matches=[], origin="live", created_at=ago(days)))  # fmt: skip
            session.flush()
            session.add(Delivery(id=key, dedupe_key=key, organization_id="o1", profile="fundingscout", event_type="e", match_id=key,
                                 status=status, created_at=ago(days)))  # fmt: skip
            session.flush()
            session.add(DeliveryAttempt(delivery_id=key, number=1, trigger="live", started_at=ago(days), finished_at=ago(days),
                                        outcome="failed", is_mirrored=key != "uncopied"))  # fmt: skip
        session.add(ContactReveal(organization_id="o1", key_id="k1", round_id="seen", request_id="r", revealed_at=ago(450)))
        for key, days, status in (("s1", 500, "failed"), ("s2", 500, "pending"), ("s3", 100, "failed")):
            session.add(Delivery(id=key, dedupe_key=key, organization_id="o1", profile="signalbase", event_type="e",
                                 status=status, created_at=ago(days)))  # fmt: skip
    done = apply_retention(database, warehouse, landing, POLICY, NOW)
    assert {name: done[f"old_{name}"] for name in ("rounds", "matches", "deliveries", "attempts")} == {
        "rounds": 3, "matches": 2, "deliveries": 3, "attempts": 2,
    }  # fmt: skip
    with database.read() as session:
        assert set(session.scalars(select(Round.id))) == {"waits", "seen", "uncopied", "closed"}
        assert set(session.scalars(select(Delivery.id))) == {"waits", "seen", "uncopied", "closed", "s2", "s3"}
    assert not any(apply_retention(database, warehouse, landing, POLICY, NOW).values())


NEWS = """
    INSERT INTO raw.documents BY NAME SELECT id AS document_id, n AS document_seq, 1 AS revision, 'wire' AS source_id,
        kind, 'Lumen raises' AS title, '' AS body, 'expired' AS body_origin, 'https://a.example' AS url,
        CAST($now AS TIMESTAMP) - to_days(CAST(days AS INTEGER)) AS landed_at, FALSE AS is_catch_up FROM given;
    INSERT INTO core.mentions BY NAME SELECT id AS document_id, n AS document_seq, n AS mention_seq, round <> '' AS is_funding,
        '[]' AS evidence FROM given;
    INSERT INTO core.round_mentions BY NAME SELECT id AS document_id, round AS round_id FROM given WHERE round <> '';
    INSERT INTO core.funding_rounds BY NAME SELECT round AS round_id, min(n) AS round_seq, 'active' AS status,
        CASE WHEN max(kind) = 'form_d' THEN '0001' END AS cik, TRUE AS tells, min(n) AS tells_from_seq, 'Lumen' AS company_name,
        CAST($now AS TIMESTAMP) - to_days(CAST(max(days) AS INTEGER)) AS first_seen_at FROM given WHERE round <> '' GROUP BY round;
    INSERT INTO core.matches BY NAME SELECT 'm' || round_id AS match_id, 'o1' AS organization_id, round_id FROM core.funding_rounds;
"""


def test_old_documents_leave_their_id_and_old_rounds_but_those_of_filings_go(
    database: AppDatabase, warehouse: Warehouse, landing: Landing
) -> None:
    ids = [str(UUID(int=n)) for n in range(1, 8)]
    given = [
        # kind, days old, its round
        ("article", 500, ""), ("article", 500, "old"), ("form_d", 500, "filed"), ("article", 410, "closed"),
        ("article", 500, "told again"), ("article", 20, "told again"), ("article", 10, "young"),
    ]  # fmt: skip
    with warehouse.open() as connection:
        connection.execute("CREATE TEMP TABLE given (n BIGINT, id VARCHAR, kind VARCHAR, days BIGINT, round VARCHAR)")
        for n, (kind, days, of) in enumerate(given, 1):
            connection.execute("INSERT INTO given VALUES (?, ?, ?, ?, ?)", [n, ids[n - 1], kind, days, of])
        for statement in NEWS.split(";")[:-1]:
            connection.execute(statement, {"now": NOW.replace(tzinfo=None)} if "$now" in statement else {})
    done = apply_retention(database, warehouse, landing, POLICY, NOW)
    assert (done["old_documents"], done["old_rounds_copied"], done["old_matches_copied"]) == (3, 1, 3)
    with warehouse.write() as connection:
        rounds = connection.execute("SELECT round_id FROM core.funding_rounds ORDER BY 1").fetchall()
        assert rounds == [("closed",), ("filed",), ("told again",), ("young",)]
        kept = connection.execute("SELECT document_id FROM raw.documents ORDER BY 1").fetchall()
        assert [row[0] for row in kept] == [ids[2], ids[3], ids[5], ids[6]]
        again = Document(ids[0], "wire", "Wire", "article", "https://a.example", None, "Lumen raises", "Lumen raises $5 million",
                         "article", None, None, NOW, 9, "0" * 64, False, None)  # fmt: skip
        assert write_documents(connection, [again]).new == 0  # a feed that shows it still brings no news
    assert not any(apply_retention(database, warehouse, landing, POLICY, NOW).values())


def test_nobody_is_told_of_a_day_that_was_closed_whatever_the_policy_says_later(
    database: AppDatabase, warehouse: Warehouse, landing: Landing
) -> None:
    """FS-61: who was told is forgotten, so such a round is neither published nor matched, and its day can't be worked through."""
    with warehouse.open() as connection:
        for key, days in (("closed", 410), ("open", 390)):
            connection.execute(
                "INSERT INTO core.funding_rounds BY NAME SELECT ? AS round_id, 1 AS round_seq, 'active' AS status, "
                "'L' AS company_name, TRUE AS tells, 1 AS tells_from_seq, ?::TIMESTAMP AS first_seen_at, 'b.example' AS domain_key",
                [key, ago(days).replace(tzinfo=None)],
            )
    apply_retention(database, warehouse, landing, POLICY, NOW)
    longer = RetentionPolicy(text_days=180, landing_days=90, attempt_days=180, history_days=4000)
    apply_retention(database, warehouse, landing, longer, NOW)
    published_rounds.publish_changed(database, warehouse, NOW)
    with database.read() as session:
        assert list(session.scalars(select(Round.id))) == ["open"]
    found = steps.find_for_days(warehouse, ago(420).date(), ago(380).date(), "today", 0.8, "ours")
    assert found.rounds == 1
    with pytest.raises(DaysClosed, match=f"open from {ago(400).date() + timedelta(days=1)} on"):
        require_open(warehouse, ago(400).date())
    require_open(warehouse, ago(399).date())


def test_settled_follow_ups_and_old_hours_go_and_waiting_ones_stay(
    database: AppDatabase, warehouse: Warehouse, landing: Landing
) -> None:
    with database.write() as session:
        for n, (status, days) in enumerate([("done", 100), ("waiting", 100), ("given_up", 10), ("done", 100)]):
            session.add(FollowUp(source_id="wire", kind="article", url=f"https://a.example/{n}", context={}, is_catch_up=False,
                                 next_attempt_at=NOW, status=status, created_at=ago(days)))  # fmt: skip
            session.flush()
        session.add_all([SourceHour(source_id="wire", hour_at=ago(100)), SourceHour(source_id="wire", hour_at=ago(1))])
    done = apply_retention(database, warehouse, landing, POLICY, NOW)
    assert (done["follow_ups"], done["source_hours"]) == (1, 1)
    assert (count(database, FollowUp), count(database, SourceHour)) == (3, 1)


FILL = """
    INSERT INTO raw.documents BY NAME SELECT 'd' || n AS document_id, n AS document_seq, 1 AS revision, 'wire' AS source_id,
        'article' AS kind, 'Lumen raises' AS title, repeat('Lumen raises $5 million. ', 40) AS body, 'article' AS body_origin,
        CAST($now AS TIMESTAMP) - to_days(CAST(n * 100 AS INTEGER)) AS landed_at, FALSE AS is_catch_up FROM range(1, 4) AS t(n);
    INSERT INTO core.mentions BY NAME SELECT document_id, document_seq, document_seq AS mention_seq, TRUE AS is_funding,
        'Lumen' AS company_name,
        '[{"field": "amount", "text": "Lumen raises"}]' AS evidence FROM raw.documents;
    INSERT INTO core.progress VALUES ('mentions', 3, CAST($now AS TIMESTAMP));
    INSERT INTO core.crm_account_history BY NAME SELECT 'o1' AS organization_id, 'a' || n AS external_id,
        CASE n WHEN 1 THEN NULL ELSE CAST($now AS TIMESTAMP) - to_days(CAST(n * 200 AS INTEGER)) END AS valid_to
        FROM range(1, 4) AS t(n);
"""


def test_texts_and_quoted_sentences_expire_and_are_not_read_again_as_nothing(
    database: AppDatabase, warehouse: Warehouse, landing: Landing
) -> None:
    with warehouse.open() as connection:
        for statement in FILL.split(";")[:-1]:
            connection.execute(statement, {"now": NOW.replace(tzinfo=None)} if "$now" in statement else {})
    done = apply_retention(database, warehouse, landing, POLICY, NOW)
    assert (done["document_texts"], done["evidence"], done["crm_account_versions"]) == (2, 2, 1)
    with warehouse.open() as connection:
        rows = connection.execute("SELECT document_id, body <> '', body_origin FROM raw.documents ORDER BY 1").fetchall()
        assert rows == [("d1", True, "article"), ("d2", False, "expired"), ("d3", False, "expired")]
        rows = connection.execute("SELECT document_id, evidence FROM core.mentions ORDER BY 1").fetchall()
        assert [row[1] == "[]" for row in rows] == [False, True, True]
    again = mention_table.re_extract(warehouse, ago(400).date(), ago(200).date(), NOW)
    assert (again.documents, again.changed) == (0, 0)
    assert not any(apply_retention(database, warehouse, landing, POLICY, NOW).values())


def test_the_check_of_evidence_that_holds_up_deliveries_passes_over_texts_that_expired(
    database: AppDatabase, warehouse: Warehouse, landing: Landing
) -> None:
    rule = next(rule for rule in RULES if rule.name == "every_funding_mention_has_evidence")
    with warehouse.open() as connection:
        for statement in FILL.split(";")[:-1]:
            connection.execute(statement, {"now": NOW.replace(tzinfo=None)} if "$now" in statement else {})
    assert apply_retention(database, warehouse, landing, POLICY, NOW)["evidence"] == 2
    with warehouse.open() as connection:
        assert rule.blocking
        assert connection.execute(rule.broken).fetchall() == []
        connection.execute("UPDATE core.mentions SET evidence = '[]'")
        assert connection.execute(rule.broken).fetchall() == [("d1", "Lumen")]  # whose text is still there


def test_the_settings_are_the_policy() -> None:
    policy = RetentionPolicy.of(Settings(retention_text_days=7, retention_history_days=9))
    assert (policy.text_days, policy.landing_days, policy.attempt_days, policy.history_days) == (7, 90, 180, 9)


def test_a_clock_that_is_years_ahead_deletes_nothing_and_closes_no_day(
    database: AppDatabase, warehouse: Warehouse, landing: Landing
) -> None:
    """What news says of its day is others' clocks' word."""
    sha256 = put(landing, b"young", 1)
    with database.write() as session:
        session.add_all([landing_row(sha256, 1), landing_row("0" * 64, 0)])
    with warehouse.write() as connection:
        connection.execute(
            "INSERT INTO raw.documents BY NAME SELECT 'd1' AS document_id, 1 AS document_seq, 'article' AS kind, 'text' AS body, "
            "'feed' AS body_origin, ?::TIMESTAMP AS published_at, ?::TIMESTAMP AS landed_at",
            [ago(1).replace(tzinfo=None)] * 2,
        )
    said: list[str] = []
    done = apply_retention(database, warehouse, landing, POLICY, NOW + timedelta(days=800), said.append)
    assert not any(done.values())
    assert landing.get(sha256) == b"young"
    assert "Is the clock right?" in said[0]
    require_open(warehouse, ago(300).date())

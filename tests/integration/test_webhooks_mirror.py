"""The copy of delivery attempts in the warehouse equals the ledger, whatever dies in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from pipeline.store.tables.deliveries import DeliveryAttempt
from pipeline.store.warehouse import Warehouse
from pipeline.webhooks import mirror as mirror_module
from pipeline.webhooks.attempts import Outcome
from pipeline.webhooks.claims import claim, expire, finish
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.mirror import mirror
from pipeline.webhooks.outbox import record_matches

URL = "https://hooks.example.com/a"


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "warehouse.duckdb")


def rows(warehouse: Warehouse, columns: str) -> list[tuple[Any, ...]]:
    with warehouse.open() as connection:
        return connection.execute(f"SELECT {columns} FROM core.webhook_deliveries ORDER BY attempt_id").fetchall()


@pytest.fixture
def told(partners: Any) -> Callable[[int], str]:
    def tell(count: int) -> str:
        organization = partners.add("acme", URL)
        found = [partners.found(organization, partners.round(f"r{number}")) for number in range(count)]
        record_matches(partners.database, found, partners.now)
        return organization

    return tell


def settle_all(partners: Any, **fields: Any) -> None:
    for item in claim(partners.database, 100, partners.now, "me", fundingscout_profile(), per_endpoint=100):
        finish(partners.database, item, Outcome(**{"is_delivered": True, "response_code": 204} | fields))


def test_finished_attempts_are_copied_with_all_an_operator_asks(
    partners: Any, warehouse: Warehouse, told: Callable[[int], str], now: datetime
) -> None:
    organization = told(1)
    settle_all(
        partners,
        finished_at=now + timedelta(seconds=1),
        duration_ms=812.5,
        is_delivered=False,
        response_code=500,
        response_excerpt="é",
        resolved_address="8.8.8.8",
        error_class="http_5xx",
        error="answered 500",
    )
    assert mirror(partners.database, warehouse, now + timedelta(minutes=1)).attempts == 1
    columns = (
        "organization_id, round_id, status, response_code, response_excerpt, duration_ms, error_class, endpoint_url, "
        "resolved_address, attempt_number, trigger, matched_at, started_at, finished_at"
    )
    naive = now.replace(tzinfo=None)
    assert rows(warehouse, columns) == [
        (
            organization, "r0", "failed", 500, "é", 812.5, "http_5xx", URL,
            "8.8.8.8", 1, "live", naive, naive, naive + timedelta(seconds=1),
        )
    ]  # fmt: skip


def test_copying_again_copies_nothing(partners: Any, warehouse: Warehouse, told: Callable[[int], str], now: datetime) -> None:
    told(3)
    settle_all(partners, finished_at=now, duration_ms=1.0)
    assert mirror(partners.database, warehouse, now).attempts == 3
    assert mirror(partners.database, warehouse, now).attempts == 0
    assert len(rows(warehouse, "*")) == 3


def test_unfinished_attempts_wait(partners: Any, warehouse: Warehouse, told: Callable[[int], str], now: datetime) -> None:
    told(2)
    claim(partners.database, 1, now, "me", fundingscout_profile())
    assert mirror(partners.database, warehouse, now).attempts == 0
    expire(partners.database, now + timedelta(minutes=1), 5.0)
    assert mirror(partners.database, warehouse, now + timedelta(minutes=2)).attempts == 1
    assert rows(warehouse, "error_class") == [("unknown_outcome",)]


def test_no_webhook_is_in_the_history(partners: Any, warehouse: Warehouse, now: datetime) -> None:
    organization = partners.add("acme")
    record_matches(partners.database, [partners.found(organization, partners.round("r1"))], now)
    mirror(partners.database, warehouse, now)
    assert rows(warehouse, "attempt_number, status, round_id") == [(0, "no_webhook", "r1")]


def test_crash_between_copy_and_note_copies_to_the_same_rows(
    partners: Any, warehouse: Warehouse, told: Callable[[int], str], now: datetime
) -> None:
    told(4)
    settle_all(partners, finished_at=now, duration_ms=1.0)
    mirror(partners.database, warehouse, now)
    before = rows(warehouse, "*")
    with partners.database.write() as session:
        session.execute(update(DeliveryAttempt).values(is_mirrored=False))
    assert mirror(partners.database, warehouse, now).attempts == 4
    assert rows(warehouse, "*") == before


def test_outcome_set_right_later_is_copied_again(
    partners: Any, warehouse: Warehouse, told: Callable[[int], str], now: datetime
) -> None:
    told(1)
    (claimed,) = claim(partners.database, 1, now, "me", fundingscout_profile())
    expire(partners.database, now + timedelta(minutes=1), 5.0)
    mirror(partners.database, warehouse, now + timedelta(minutes=2))
    finish(partners.database, claimed, Outcome(True, now + timedelta(minutes=3), 9.0, response_code=200))
    mirror(partners.database, warehouse, now + timedelta(minutes=4))
    assert rows(warehouse, "status, error_class, response_code") == [("delivered", None, 200)]


def test_batches_and_limit(
    partners: Any, warehouse: Warehouse, told: Callable[[int], str], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_module, "BATCH", 2)
    told(5)
    settle_all(partners, finished_at=now, duration_ms=1.0)
    assert mirror(partners.database, warehouse, now, limit=3).attempts == 3
    assert mirror(partners.database, warehouse, now).attempts == 2
    assert len(rows(warehouse, "DISTINCT attempt_id")) == 5


def test_the_way_begins_with_the_rounds_first_document(
    partners: Any, warehouse: Warehouse, told: Callable[[int], str], now: datetime
) -> None:
    told(2)
    settle_all(partners, finished_at=now, duration_ms=1.0)
    seen = datetime(2026, 5, 12, 1, 53, 50, tzinfo=UTC).replace(tzinfo=None)
    with warehouse.write() as connection:
        connection.execute("INSERT INTO core.funding_rounds (round_id, first_seen_at) VALUES ('r0', ?)", [seen])
        for document, seconds in (("d1", -7), ("d2", 40)):
            landed = seen + timedelta(seconds=seconds)
            connection.execute("INSERT INTO raw.documents (document_id, landed_at) VALUES (?, ?)", [document, landed])
            connection.execute("INSERT INTO core.round_mentions (round_id, document_id) VALUES ('r0', ?)", [document])
    mirror(partners.database, warehouse, now)
    by_round = dict(rows(warehouse, "round_id, document_landed_at"))
    assert by_round == {"r0": seen - timedelta(seconds=7), "r1": None}

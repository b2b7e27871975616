"""The sending loop when its own side fails, and rounds on their way to the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.store.tables.matches import Round
from pipeline.store.warehouse import Warehouse
from pipeline.webhooks import sender
from pipeline.webhooks.outbox import record_matches
from pipeline.webhooks.published_rounds import publish_changed
from pipeline.webhooks.receiver import Receiver, throwaway_certificate
from pipeline.webhooks.sender import DeliveryReport, deliver_pending


def test_outcomes_are_recorded_though_the_ledger_failed_once_while_sending(
    partners: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger that goes away for a moment costs the run, not what is known of deliveries on their way."""
    certificate = throwaway_certificate("127.0.0.1", tmp_path / "ca.pem")
    calls = 0
    turn = sender.turn

    def failing_turn(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise ConnectionError("the ledger is away")
        return turn(*arguments, **named)

    monkeypatch.setattr(sender, "turn", failing_turn)
    with Receiver([], certificate) as receiver:
        organization = partners.add("acme", receiver.url)
        receiver.secrets.append(partners.secret(organization))
        found = [partners.found(organization, partners.round(f"r{number}")) for number in range(6)]
        record_matches(partners.database, found, partners.now)
        settings = partners.settings(webhook_ca_file=tmp_path / "ca.pem", webhook_max_in_flight=4)
        with pytest.raises(ConnectionError):
            deliver_pending(partners.database, partners.box, settings, lambda: partners.now)
        assert sorted(delivery.status for delivery in partners.deliveries()) == ["delivered"] * 4 + ["pending"] * 2
        assert deliver_pending(partners.database, partners.box, settings, lambda: partners.now).delivered == 2
        assert len(receiver.received) == 6
        assert receiver.duplicates == []


def test_second_sender_beside_the_first_shares_the_work(partners: Any, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    certificate = throwaway_certificate("127.0.0.1", tmp_path / "ca.pem")
    with Receiver([], certificate) as receiver:
        organizations = [partners.add(f"p{number}", receiver.url) for number in range(4)]
        receiver.secrets += [partners.secret(organization) for organization in organizations]
        rounds = [partners.round(f"r{number}") for number in range(15)]
        record_matches(partners.database, [partners.found(of, name) for of in organizations for name in rounds], partners.now)
        settings = partners.settings(webhook_ca_file=tmp_path / "ca.pem", webhook_max_in_flight=6, webhook_timeout_seconds=5.0)

        def send(_number: int) -> DeliveryReport:
            return deliver_pending(partners.database, partners.box, settings, lambda: partners.now)

        with ThreadPoolExecutor(3) as pool:
            reports = list(pool.map(send, range(3)))
        assert sum(report.delivered for report in reports) == 60
        assert (len(receiver.received), receiver.duplicates) == (60, [])


def test_report_knows_its_quantiles() -> None:
    report = DeliveryReport(durations_ms=[5.0, 1.0, 3.0, 2.0, 4.0])
    assert (report.duration_ms(0.5), report.duration_ms(0.95), report.duration_ms(0.0)) == (3.0, 5.0, 1.0)
    assert DeliveryReport().duration_ms(0.5) is None


def test_changed_rounds_are_published_once(partners: Any, tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    seen = datetime(2026, 5, 12, 1, 53, tzinfo=UTC).replace(tzinfo=None)

    def write(sequence: int, amount: int) -> None:
        with warehouse.write() as connection:
            connection.execute("DELETE FROM core.funding_rounds").fetchall()
            connection.execute(
                """INSERT INTO core.funding_rounds (round_id, round_seq, company_name, company_key, amount_usd, investors, status,
                tells, first_seen_at, updated_at, published_date) VALUES ('r1', ?, 'Brightloom', 'brightloom', ?,
                '[{"name": "Oak Harbor"}]', 'active', true, ?, ?, DATE '2026-05-11')""",
                [sequence, amount, seen, seen],
            ).fetchall()

    write(1, 5_000_000)
    assert publish_changed(partners.database, warehouse, partners.now) == 1
    assert publish_changed(partners.database, warehouse, partners.now) == 0
    write(2, 6_000_000)
    assert publish_changed(partners.database, warehouse, partners.now + timedelta(hours=1)) == 1
    with partners.database.read() as session:
        row = session.get_one(Round, "r1")
    assert (row.amount_usd, row.published_date, row.first_seen_at) == (6_000_000, "2026-05-11", seen.replace(tzinfo=UTC))
    assert row.body["investors"] == ["Oak Harbor"]

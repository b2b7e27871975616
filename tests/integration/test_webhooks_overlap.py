"""Two backfills and a live run at once: whoever finds a round, and however often, it is told once (FS-61, A-FS-24)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from pipeline.store.app_database import AppDatabase
from pipeline.webhooks.outbox import record_matches, release_held
from pipeline.webhooks.receiver import Receiver, throwaway_certificate
from pipeline.webhooks.sender import deliver_pending


def test_two_backfills_and_a_live_run_tell_each_round_once(partners: Any, tmp_path: Path) -> None:
    certificate = throwaway_certificate("127.0.0.1", tmp_path / "ca.pem")
    settings = partners.settings(webhook_ca_file=tmp_path / "ca.pem", webhook_max_in_flight=8, webhook_timeout_seconds=5.0)
    with Receiver([], certificate) as receiver:
        organizations = [partners.add(f"p{number}", receiver.url) for number in range(3)]
        receiver.secrets += [partners.secret(organization) for organization in organizations]
        # Each real round stands under two ids, as two outlets gave it; the ways below meet them in other orders.
        names = [partners.round(f"r{number}-{copy}", company_key=f"c{number}") for number in range(12) for copy in "ab"]
        found = [partners.found(organization, name) for organization in organizations for name in names]
        url = partners.database.url.render_as_string(hide_password=False)
        start = threading.Barrier(4)

        def with_own(work: Callable[[AppDatabase], None]) -> None:
            database = AppDatabase(url)
            try:
                start.wait(10)
                work(database)
            finally:
                database.close()

        def send(database: AppDatabase) -> None:
            deliver_pending(database, partners.box, settings, lambda: partners.now)

        def live(database: AppDatabase) -> None:
            for begin in range(0, len(found), 9):
                record_matches(database, found[begin : begin + 9], partners.now)
                send(database)

        def backfill_that_delivers(database: AppDatabase) -> None:
            record_matches(database, found[::-1], partners.now, origin="backfill")
            send(database)

        def backfill_that_holds(database: AppDatabase) -> None:
            for begin in range(0, len(found), 20):
                record_matches(database, found[begin : begin + 20], partners.now, origin="backfill", hold=True)
            release_held(database, partners.now, days=(partners.now.date(), partners.now.date() + timedelta(days=1)))
            send(database)

        with ThreadPoolExecutor(4) as pool:
            ways = [live, backfill_that_delivers, backfill_that_holds, send]
            for end in [pool.submit(with_own, way) for way in ways]:
                end.result(60)
        send(partners.database)

        assert receiver.duplicates == []
        told = Counter(
            (item.payload["match_id"], item.payload["funding_round"]["id"]) for item in receiver.received if item.payload
        )
        assert set(told.values()) == {1}
        # Twelve real rounds, three partners: each told once, under one of its two ids.
        assert len(receiver.received) == 36
        assert {delivery.status for delivery in partners.deliveries()} == {"delivered"}
        assert all(attempt.number == 1 for attempt in partners.attempts())

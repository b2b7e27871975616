"""Custom headers, test events, notices to operators, and senders whose ledger goes away: over HTTPS to a real receiver."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

from pipeline.store.tables.deliveries import OperatorNotice
from pipeline.webhooks import notices, sender
from pipeline.webhooks.attempts import Outcome
from pipeline.webhooks.claims import finish, turn
from pipeline.webhooks.controls import pause, set_headers, set_policy
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.outbox import record_matches
from pipeline.webhooks.receiver import Received, Receiver, throwaway_certificate
from pipeline.webhooks.sender import deliver_pending
from pipeline.webhooks.signing import standard_headers
from pipeline.webhooks.trials import add_test_event, send_test_event

PROFILE = fundingscout_profile()
OPERATOR_SECRET = "whsec_" + "b3BlcmF0b3JzIHJlYWQgdGhpcyBvbmU="


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    return throwaway_certificate("127.0.0.1", ca_file), ca_file


@pytest.fixture
def receiver(authority: tuple[ssl.SSLContext, Path]) -> Iterator[Receiver]:
    with Receiver([], authority[0]) as listening:
        yield listening


def tell(partners: Any, receiver: Receiver, count: int = 1) -> str:
    organization: str = partners.add("acme", receiver.url)
    receiver.secrets.append(partners.secret(organization))
    rounds = [partners.round(f"r{number}") for number in range(count)]
    record_matches(partners.database, [partners.found(organization, name) for name in rounds], partners.now)
    return organization


@pytest.mark.parametrize("app_database", ["sqlite"], indirect=True)
class TestOverHttps:
    """On SQLite alone: what is tested here stands above the ledger."""

    @pytest.fixture
    def settings(self, partners: Any, authority: tuple[ssl.SSLContext, Path]) -> Any:
        return partners.settings(webhook_ca_file=authority[1])

    def test_custom_headers_go_with_every_delivery_beside_ours(self, partners: Any, receiver: Receiver, settings: Any) -> None:
        organization = tell(partners, receiver)
        set_headers(partners.database, partners.box, organization, {"Authorization": "Bearer for-the-gateway"})
        assert deliver_pending(partners.database, partners.box, settings, lambda: partners.now).delivered == 1
        (got,) = receiver.received
        assert got.headers["Authorization"] == "Bearer for-the-gateway"
        assert got.headers["User-Agent"] == "FundingScout-Webhook/1.0"

    def test_headers_sealed_with_a_lost_key_fail_the_delivery_before_it_is_sent(
        self, partners: Any, receiver: Receiver, settings: Any
    ) -> None:
        organization = tell(partners, receiver)
        set_headers(partners.database, type(partners)(partners.database, partners.now).box, organization, {"X-Tenant": "n"})
        report = deliver_pending(partners.database, partners.box, settings, lambda: partners.now)
        assert dict(report.failed_by_class) == {"no_signing_key": 1}
        assert receiver.received == []
        assert partners.attempts()[0].is_request_sent is False

    def test_test_event_arrives_signed_though_the_webhook_is_paused_and_nothing_else_does(
        self, partners: Any, receiver: Receiver, settings: Any
    ) -> None:
        organization = tell(partners, receiver)
        pause(partners.database, organization, "-", partners.now)
        delivery_id = add_test_event(partners.database, organization, PROFILE, partners.now)
        result = send_test_event(partners.database, partners.box, settings, lambda: partners.now, delivery_id)
        assert (result.status, result.response_code, result.resolved_address) == ("delivered", 200, "127.0.0.1")
        (got,) = receiver.received
        assert got.is_verified
        assert got.payload is not None
        assert (got.payload["event"], got.payload["match_id"]) == ("test", delivery_id)
        assert set(got.payload) == {"event", "match_id", "match_type", "matched", "funding_round", "timestamp"}
        assert got.headers["webhook-id"] == delivery_id
        assert [attempt.trigger for attempt in partners.attempts()] == ["test"]

    def test_operators_are_told_of_a_disabled_webhook_over_their_own_signed_one(
        self, partners: Any, authority: tuple[ssl.SSLContext, Path], now: datetime
    ) -> None:
        organization = partners.add("acme", "https://127.0.0.1:9/")
        set_policy(partners.database, organization, {"disable_after": {"failures": 1}})
        record_matches(partners.database, [partners.found(organization, partners.round("r1"))], now)
        with Receiver([], authority[0]) as operators:
            settings = partners.settings(
                webhook_ca_file=authority[1],
                operator_webhook_url=operators.url,
                operator_webhook_secret=SecretStr(OPERATOR_SECRET),
            )
            # The receiver knows no secret of ours and answers 401: not told yet, tried again later.
            deliver_pending(partners.database, partners.box, settings, lambda: now)
            assert notice(partners).status == "open"
            assert notices.tell(partners.database, settings, lambda: now) == 0
            assert len(operators.received) == 1
            operators.secrets.append("fs_" + OPERATOR_SECRET)
            notices.tell(partners.database, settings, lambda: now + timedelta(minutes=1))
            first, second = operators.received
            assert first.headers["webhook-id"] == second.headers["webhook-id"] == f"notice_{notice(partners).id}"
            expected = standard_headers(
                ["fs_" + OPERATOR_SECRET], first.headers["webhook-id"], int(first.headers["webhook-timestamp"]), first.body
            )
            assert first.headers["webhook-signature"] == expected["webhook-signature"]
            assert b"The webhook https://127.0.0.1:9/ of acme was disabled" in first.body

    def test_without_an_operator_webhook_the_log_is_the_channel(
        self, partners: Any, now: datetime, caplog: pytest.LogCaptureFixture
    ) -> None:
        organization = partners.add("acme", "https://127.0.0.1:9/")
        set_policy(partners.database, organization, {"disable_after": {"failures": 1}})
        record_matches(partners.database, [partners.found(organization, partners.round("r1"))], now)
        deliver_pending(partners.database, partners.box, partners.settings(), lambda: now)
        (record,) = [record for record in caplog.records if hasattr(record, "notice")]
        assert record.notice == "endpoint_disabled"
        assert notice(partners).status == "told"

    def test_unsigned_notice_is_not_sent(self, partners: Any, now: datetime) -> None:
        with partners.database.write() as session:
            session.add(OperatorNotice(kind="k", message="m", details={}, created_at=now, status="open", attempts=0))
        settings = partners.settings(operator_webhook_url="https://127.0.0.1:9/")
        assert notices.tell(partners.database, settings, lambda: now) == 0
        assert "OPERATOR_WEBHOOK_SECRET" in (notice(partners).last_error or "")

    def test_notices_are_told_at_once_so_that_a_hanging_receiver_takes_one_budget(
        self, partners: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        notice = {"kind": "k", "details": {}, "created_at": now, "status": "open", "attempts": 0}
        with partners.database.write() as session:
            session.add_all(OperatorNotice(message=f"m{number}", **notice) for number in range(3))
        all_there = asyncio.Barrier(3)

        async def post(*_: Any) -> Outcome:
            async with asyncio.timeout(10), all_there:
                return Outcome(True, now, 1.0)

        monkeypatch.setattr(notices.HttpSender, "post", post)
        settings = partners.settings(
            operator_webhook_url="https://127.0.0.1:9/", operator_webhook_secret=SecretStr(OPERATOR_SECRET)
        )
        assert notices.tell(partners.database, settings, lambda: now) == 3
        assert {one.status for one in notices.recent_notices(partners.database)} == {"told"}

    def test_ledger_away_for_a_moment_loses_no_outcome_and_sends_nothing_twice(
        self, partners: Any, receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A database that restarts, or a disk that is full for a while: outcomes are kept until it can be written."""
        monkeypatch.setattr(sender, "LEDGER_PAUSE_SECONDS", 0.05)
        tell(partners, receiver, 6)
        real, calls = sender.turn, 0

        def away(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if 2 <= calls <= 4:
                raise OperationalError("COMMIT", {}, Exception("database or disk is full"))
            return real(*arguments, **named)

        monkeypatch.setattr(sender, "turn", away)
        settings = settings.model_copy(update={"webhook_max_in_flight": 4})
        with pytest.raises(OperationalError):
            deliver_pending(partners.database, partners.box, settings, lambda: partners.now)
        assert sorted(delivery.status for delivery in partners.deliveries()) == ["delivered"] * 4 + ["pending"] * 2
        assert deliver_pending(partners.database, partners.box, settings, lambda: partners.now).delivered == 2
        assert (len(receiver.received), receiver.duplicates) == (6, [])

    def test_commit_that_was_kept_though_the_ledger_said_no_is_no_second_send(
        self, partners: Any, receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The connection breaks after the commit: claims that nobody knows of end as unknown."""
        tell(partners, receiver, 6)
        real, calls = sender.turn, 0

        def broken(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            found = real(*arguments, **named)
            if calls == 2:
                raise OperationalError("COMMIT", {}, Exception("server closed the connection"))
            return found

        monkeypatch.setattr(sender, "turn", broken)
        monkeypatch.setattr(sender, "LEDGER_PAUSE_SECONDS", 0.01)
        settings = settings.model_copy(update={"webhook_max_in_flight": 4})
        with pytest.raises(OperationalError):
            deliver_pending(partners.database, partners.box, settings, lambda: partners.now)
        later = partners.now + timedelta(minutes=2)
        unknown = deliver_pending(partners.database, partners.box, settings, lambda: later).unknown_outcome
        assert unknown in (1, 2)  # whatever places were free at that turn
        assert (len(receiver.received), receiver.duplicates) == (6 - unknown, [])
        reasons = sorted((delivery.status, delivery.reason or "") for delivery in partners.deliveries())
        assert reasons == [("delivered", "")] * (6 - unknown) + [("failed", "unknown_outcome")] * unknown

    def test_run_with_patience_leaves_a_slow_endpoints_rest_to_another(
        self, partners: Any, authority: tuple[ssl.SSLContext, Path], settings: Any
    ) -> None:
        def linger(_item: Received) -> None:
            time.sleep(0.7)

        with Receiver([], authority[0], on_delivery=linger) as slow:
            tell(partners, slow, 30)
            settings = settings.model_copy(update={"webhook_timeout_seconds": 5.0})
            report = deliver_pending(partners.database, partners.box, settings, lambda: partners.now, patience_seconds=0.1)
            assert 8 <= report.delivered + report.failed < 30

    def test_rate_limit_whose_next_turn_is_near_is_waited_for(self, partners: Any, receiver: Receiver, settings: Any) -> None:
        organization = tell(partners, receiver, 4)
        set_policy(partners.database, organization, {"rate_limit": {"per_minute": 600}})
        began = time.monotonic()
        start = partners.now

        def clock() -> datetime:
            return start + timedelta(seconds=time.monotonic() - began)

        assert deliver_pending(partners.database, partners.box, settings, clock).delivered == 4
        assert time.monotonic() - began >= 0.3

    def test_report_names_the_slowest_endpoints(self, partners: Any, now: datetime) -> None:
        report = sender.DeliveryReport()
        for ms in (1.0, 2.0, 300.0):
            report.add(Outcome(ms < 100, now, ms, error_class=None if ms < 100 else "timeout"), "https://slow.example/hook")
        report.add(Outcome(True, now, 5.0), "https://quick.example/", number=2)
        assert [(f.host, f.sent, f.failed, f.p95_ms) for f in report.slowest_endpoints()] == [
            ("slow.example", 3, 1, 300.0),
            ("quick.example", 1, 0, 5.0),
        ]
        assert (report.retries, report.delivered, report.failed) == (1, 3, 1)


def test_outcome_of_a_sender_whose_clock_jumped_is_recorded(partners: Any, now: datetime) -> None:
    """Budgets are measured on the clock that nobody sets; the wall clock is for records alone."""
    organization = partners.add("acme", "https://hooks.example.com/")
    record_matches(partners.database, [partners.found(organization, partners.round("r1"))], now)
    (claimed,) = turn(partners.database, [], 1, now, "me", PROFILE).claims
    finish(partners.database, claimed, Outcome(True, now - timedelta(days=1), 12.5, response_code=200))
    (delivery,), (attempt,) = partners.deliveries(), partners.attempts()
    assert (delivery.status, attempt.duration_ms) == ("delivered", 12.5)


def notice(partners: Any) -> OperatorNotice:
    found: OperatorNotice = notices.recent_notices(partners.database)[0]
    return found

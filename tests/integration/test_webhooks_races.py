"""What two processes do to one endpoint in the same moment: nothing is forgotten, no bound is passed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest

from pipeline.webhooks import choosing, claims
from pipeline.webhooks.claims import turn
from pipeline.webhooks.controls import pause, resume, set_policy
from pipeline.webhooks.endpoints import set_webhook
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.outbox import record_matches

PROFILE = fundingscout_profile()
URL = "https://hooks.example.com/"
MOMENT = 0.3  # what goes wrong does so within it; what is right waits for longer


def visit(partners: Any, limit: int = 10, by: str = "me", **more: Any) -> claims.Turn:
    return turn(partners.database, [], limit, partners.now, by, PROFILE, **more)


def tell(partners: Any, slug: str, count: int, **policy: Any) -> str:
    organization: str = partners.add(slug, URL)
    set_policy(partners.database, organization, policy)
    rounds = [partners.round(f"{slug}-{number}") for number in range(count)]
    record_matches(partners.database, [partners.found(organization, name) for name in rounds], partners.now)
    return organization


@pytest.fixture
def beside_a_visit(partners: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Does something else while a sender has looked at what waits, and has not committed what it made of it."""
    looked, go_on = Event(), Event()
    write = claims._claim

    def slowly(*arguments: Any) -> claims.Turn:
        looked.set()
        assert go_on.wait(30)
        return write(*arguments)

    @contextmanager
    def beside(act: Callable[[], Any]) -> Iterator[Future[Any]]:
        monkeypatch.setattr(claims, "_claim", slowly)
        with ThreadPoolExecutor(2) as pool:
            visiting = pool.submit(visit, partners)
            assert looked.wait(30)
            acting = pool.submit(act)
            wait([acting], timeout=MOMENT)
            go_on.set()
            visiting.result(30)
            acting.result(30)
            yield acting
        monkeypatch.setattr(claims, "_claim", write)

    return beside


def test_what_a_sender_sets_aside_while_its_webhook_is_resumed_is_sent(
    partners: Any, beside_a_visit: Any, now: datetime
) -> None:
    organization = tell(partners, "acme", 2)
    pause(partners.database, organization, "-", now)
    with beside_a_visit(lambda: resume(partners.database, organization, now)):
        assert [delivery.status for delivery in partners.deliveries()] == ["pending"] * 2
    assert len(visit(partners).claims) == 2


def test_what_a_sender_sets_aside_while_its_webhook_is_removed_is_not_forgotten(
    partners: Any, beside_a_visit: Any, now: datetime
) -> None:
    organization = tell(partners, "acme", 1)
    pause(partners.database, organization, "-", now)
    with beside_a_visit(lambda: set_webhook(partners.database, organization, None, None, now)):
        assert visit(partners).no_webhook == 1
    assert [delivery.status for delivery in partners.deliveries()] == ["no_webhook"]


def test_concurrency_holds_though_another_sender_claims_between_two_looks(
    partners: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was counted for one endpoint says nothing of another that was not ours yet."""
    if partners.database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    tell(partners, "first", 3, max_concurrency=1)
    partners.now += timedelta(seconds=1)
    second = tell(partners, "second", 2, max_concurrency=1)
    look = choosing._lanes

    def another_was_faster(*arguments: Any) -> list[str]:
        monkeypatch.setattr(choosing, "_lanes", look)
        theirs = [delivery.id for delivery in partners.deliveries() if delivery.organization_id == second][:1]
        assert len(visit(partners, by="another", only=theirs).claims) == 1
        return look(*arguments)

    monkeypatch.setattr(choosing, "_lanes", another_was_faster)
    assert {claimed.organization_id for claimed in visit(partners, limit=2).claims}.isdisjoint({second})


def test_delivery_whose_body_cannot_be_made_fails_alone(partners: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would end each visit to the ledger, and so every delivery of everybody."""
    tell(partners, "broken", 1)
    well = tell(partners, "well", 1)
    write = claims._begin

    def unless_broken(row: Any, *rest: Any) -> Any:
        if row.organization_id != well:
            raise ValueError("nan is no JSON number")
        return write(row, *rest)

    monkeypatch.setattr(claims, "_begin", unless_broken)
    found = visit(partners)
    assert ([claimed.organization_id for claimed in found.claims], found.set_aside) == ([well], 1)
    assert {(one.status, one.reason) for one in partners.deliveries()} == {("failed", "no_body"), ("sending", None)}
    attempt = next(one for one in partners.attempts() if one.number == 0)
    assert (attempt.error_class, attempt.is_request_sent) == ("no_body", False)

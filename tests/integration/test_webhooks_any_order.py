"""Whatever happens in whatever order, a strict webhook is sent nothing twice, and nothing is lost from sight (FS-61, A-FS-8)."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from pipeline.webhooks.attempts import Claim, Outcome
from pipeline.webhooks.claims import expire, turn
from pipeline.webhooks.controls import pause, resume, set_policy
from pipeline.webhooks.endpoints import get_webhook, set_webhook
from pipeline.webhooks.feed import feed_page
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.outbox import record_matches, release_held
from pipeline.webhooks.replays import Wanted, replay

PROFILE = fundingscout_profile()
URL = "https://hooks.example.com/"
FAILURES = [
    ("dns", False),
    ("connect", False),
    ("tls", False),
    ("timeout", True),
    ("http_5xx", True),
    ("protocol", True),
    ("redirect", None),
    ("no_signing_key", None),
]


class World:
    """One organization, its ledger, and a chance that decides what comes next."""

    def __init__(self, partners: Any, seed: int) -> None:
        self.partners, self.database, self.chance = partners, partners.database, Random(seed)
        self.clock: datetime = partners.now
        self.organization = partners.add("acme", URL)
        self.under_way: list[Claim] = []
        self.arrived: defaultdict[str, list[bytes]] = defaultdict(list)  # what a receiver may have seen, by message id
        self.rounds = 0

    def step(self) -> None:
        self.clock += timedelta(seconds=self.chance.choice([0, 1, 30, 3_600, -600]))
        self.chance.choice(
            [self.find, self.claim, self.claim, self.settle, self.settle, self.die, self.expire, self.replay, self.pause,
             self.resume, self.release, self.clear, self.register, self.configure]
        )()  # fmt: skip

    def find(self) -> None:
        found = []
        for _ in range(self.chance.randint(1, 3)):
            self.rounds += 1
            found.append(self.partners.found(self.organization, self.partners.round(f"r{self.rounds}")))
        hold = self.chance.random() < 0.2
        record_matches(self.database, found, self.clock, origin="backfill" if hold else "live", hold=hold)

    def claim(self) -> None:
        claims = turn(
            self.database, [], self.chance.randint(1, 4), self.clock, f"sender {self.chance.random()}", PROFILE
        ).claims
        self.under_way += claims

    def settle(self) -> None:
        finished = []
        for claim in self.chance.sample(self.under_way, min(2, len(self.under_way))):
            self.under_way.remove(claim)
            if self.chance.random() < 0.5:
                finished.append((claim, Outcome(True, self.clock, 1.0, response_code=200, is_request_sent=True)))
                self.arrived[claim.message_id].append(claim.body)
                continue
            error_class, is_sent = self.chance.choice(FAILURES)
            if is_sent or (is_sent is None and error_class == "redirect"):
                self.arrived[claim.message_id].append(claim.body)
            finished.append((claim, Outcome(False, self.clock, 1.0, error_class=error_class, is_request_sent=is_sent)))
        for _ in range(self.chance.choice([1, 1, 2])):  # written once, or again after a broken connection
            turn(self.database, finished, 0, self.clock, "me", PROFILE)

    def die(self) -> None:
        """A sender ends between its claim and its outcome; its message may have arrived."""
        if self.under_way:
            claim = self.under_way.pop()
            self.arrived[claim.message_id].append(claim.body)

    def expire(self) -> None:
        expire(self.database, self.clock + timedelta(minutes=self.chance.choice([0, 2])), 5.0)

    def replay(self) -> None:
        statuses = ("failed", "no_webhook", "delivered")
        replay(self.database, Wanted(organization_id=self.organization, first=self.partners.now, statuses=statuses), PROFILE)

    def pause(self) -> None:
        if self.has_webhook():
            pause(self.database, self.organization, "-", self.clock)

    def resume(self) -> None:
        if self.has_webhook():
            older_than = self.chance.choice([None, timedelta(hours=1)])
            resume(self.database, self.organization, self.clock, older_than)

    def release(self) -> None:
        release_held(self.database, self.clock, days=(self.partners.now.date(), self.partners.now.date() + timedelta(days=9)))

    def clear(self) -> None:
        if self.chance.random() < 0.3:
            set_webhook(self.database, self.organization, None, None, self.clock)

    def register(self) -> None:
        set_webhook(self.database, self.organization, URL, self.partners.keys[self.organization].id, self.clock)

    def configure(self) -> None:
        """All but a second send may be opted into and taken back at any time."""
        if self.has_webhook():
            policy: dict[str, Any] = self.chance.choice(
                [{}, {"max_concurrency": 2}, {"rate_limit": {"per_minute": 30}}, {"disable_after": {"failures": 2}}]
            )
            set_policy(self.database, self.organization, policy)

    def has_webhook(self) -> bool:
        return get_webhook(self.database, self.organization) is not None

    def finish(self) -> None:
        """Everybody who is under way dies, and an operator sees to what waits."""
        while self.under_way:
            self.die()
        self.register()
        set_policy(self.database, self.organization, {})
        self.clock += timedelta(days=1)
        expire(self.database, self.clock, 5.0)
        self.release()
        resume(self.database, self.organization, self.clock)
        while claims := turn(self.database, [], 9, self.clock, "last", PROFILE).claims:
            outcomes = [Outcome(True, self.clock, 1.0, response_code=200, is_request_sent=True) for _ in claims]
            for claim in claims:
                self.arrived[claim.message_id].append(claim.body)
            turn(self.database, list(zip(claims, outcomes, strict=True)), 0, self.clock, "last", PROFILE)


@pytest.mark.parametrize("app_database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seed", range(8))
def test_strict_webhook_gets_nothing_twice_and_loses_nothing_in_any_order(partners: Any, seed: int) -> None:
    world = World(partners, seed)
    for _ in range(60):
        world.step()
    world.finish()
    twice = {name: bodies for name, bodies in world.arrived.items() if len(bodies) > 1}
    assert twice == {}
    deliveries = partners.deliveries()
    assert len(deliveries) == world.rounds
    assert {delivery.status for delivery in deliveries} <= {"delivered", "failed", "no_webhook"}
    # What is called delivered arrived; what did not arrive is in the feed as something to fetch.
    shown = {item.match_id: item.status for item in feed_page(partners.database, world.organization, 1_000).items}
    assert set(shown) == {delivery.match_id for delivery in deliveries}
    assert all(name in world.arrived for name, status in shown.items() if status == "delivered")
    assert {name for name in shown if name not in world.arrived} <= {
        n for n, s in shown.items() if s in ("failed", "no_webhook")
    }

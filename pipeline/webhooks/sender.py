"""Sending what is pending: claims, signs, posts, records, until nothing is left.

What belongs here: the loop and its bounds. What does not: the ledger's rules (webhooks.claims), HTTP (webhooks.transport).
Only as many deliveries are claimed as can be sent at once, so a crash leaves few of unknown outcome; each endpoint
has a bounded share, so one that hangs holds up nobody else.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import uuid4

from pipeline.organizations.secrets import SecretBox, SecretUnreadable
from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase
from pipeline.webhooks import outbox
from pipeline.webhooks.claims import Claim, Outcome, Turn, expire, turn
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.profiles import Profile
from pipeline.webhooks.transport import HttpSender

log = logging.getLogger(__name__)

PER_ENDPOINT = 8
# While sends are under way, new deliveries are looked for this often.
LOOK_SECONDS = 0.5
# Outcomes that arrive together are written together.
GATHER_SECONDS = 0.005

T = TypeVar("T")
Now = Callable[[], datetime]


@dataclass(slots=True)
class DeliveryReport:
    """What one sending run did. ``durations_ms``: of every attempt that was sent, to the response head or the failure."""

    delivered: int = 0
    failed: int = 0
    no_webhook: int = 0
    unknown_outcome: int = 0
    failed_by_class: Counter[str] = field(default_factory=Counter)
    durations_ms: list[float] = field(default_factory=list)

    def duration_ms(self, quantile: float) -> float | None:
        """The duration that this share of attempts (0..1) did not exceed; None without attempts."""
        ordered = sorted(self.durations_ms)
        return ordered[min(int(quantile * len(ordered)), len(ordered) - 1)] if ordered else None

    def add(self, outcome: Outcome) -> None:
        self.durations_ms.append(outcome.duration_ms)
        if outcome.is_delivered:
            self.delivered += 1
        else:
            self.failed += 1
            self.failed_by_class[outcome.error_class or "unknown"] += 1


def deliver_pending(db: AppDatabase, box: SecretBox, settings: Settings, now: Now) -> DeliveryReport:
    """Send all that is pending, and give up claims whose sender died; returns when nothing is left.

    Safe to run in several processes at once. Takes what it needs from ``settings``: budget, bounds, allowed networks,
    extra certificate authority, whether `all_matches` is told.
    """
    report = DeliveryReport(unknown_outcome=expire(db, now(), settings.webhook_timeout_seconds))
    if outbox.has_pending(db):
        asyncio.run(_Run(db, box, settings, now, report).run())
    return report


class _Run:
    def __init__(self, db: AppDatabase, box: SecretBox, settings: Settings, now: Now, report: DeliveryReport) -> None:
        self._db = db
        self._box = box
        self._settings = settings
        self._now = now
        self._report = report
        self._profile: Profile = fundingscout_profile(settings.webhook_all_matches)
        self._name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._under_way: dict[asyncio.Task[Outcome], Claim] = {}
        self._finished: list[tuple[Claim, Outcome]] = []
        self._ledger: ThreadPoolExecutor

    async def run(self) -> None:
        settings = self._settings
        transport = HttpSender(
            settings.webhook_timeout_seconds, self._now, settings.webhook_allowed_networks, settings.webhook_ca_file
        )
        # One thread for the ledger: the loop goes on while the disk works.
        with ThreadPoolExecutor(1, thread_name_prefix="ledger") as ledger:
            self._ledger = ledger
            async with transport:
                try:
                    await self._send_all(transport)
                except BaseException:
                    # What is on its way arrives or not all the same: what comes of it is worth one more try to record.
                    await self._gather(settings.webhook_timeout_seconds + 1, asyncio.ALL_COMPLETED)
                    await self._turn(0)
                    raise

    async def _send_all(self, transport: HttpSender) -> None:
        while True:
            free = self._settings.webhook_max_in_flight - len(self._under_way)
            if self._finished or (free and await self._in_ledger(partial(outbox.has_pending, self._db))):
                found = await self._turn(free)
                for claim in found.claims:
                    self._under_way[asyncio.create_task(self._send(transport, claim))] = claim
                if found.no_webhook:
                    continue
            if not self._under_way:
                return
            await self._gather(LOOK_SECONDS, asyncio.FIRST_COMPLETED)
            if self._finished and self._under_way:
                await self._gather(GATHER_SECONDS, asyncio.ALL_COMPLETED)

    async def _gather(self, seconds: float, until: str) -> None:
        """Collect what is sent by then."""
        if self._under_way:
            done, _ = await asyncio.wait(self._under_way, timeout=seconds, return_when=until)
            self._finished += [(self._under_way.pop(task), task.result()) for task in done]

    async def _turn(self, free: int) -> Turn:
        busy = Counter(claim.organization_id for claim in self._under_way.values())
        found = await self._in_ledger(
            partial(turn, self._db, list(self._finished), free, self._now(), self._name, self._profile, busy, PER_ENDPOINT)
        )
        for _, outcome in self._finished:
            self._report.add(outcome)
        self._finished.clear()
        self._report.no_webhook += found.no_webhook
        return found

    async def _in_ledger(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._ledger, work)

    async def _send(self, transport: HttpSender, claim: Claim) -> Outcome:
        instant = self._now()
        try:
            if not claim.secrets_encrypted:
                raise SecretUnreadable("the organization has no active key to sign with; create one or register the URL again")
            secrets = [self._box.decrypt(secret) for secret in claim.secrets_encrypted]
            headers = self._profile.headers(secrets, claim.match_id, int(instant.timestamp()), claim.body)
        except (SecretUnreadable, ValueError) as error:
            # Never unsigned (A-FS-5).
            return Outcome(False, self._now(), 0.0, error_class="no_signing_key", error=str(error))
        outcome = await transport.post(claim.url, claim.body, headers)
        if not outcome.is_delivered:
            log.info("delivery %s failed: %s", claim.delivery_id, outcome.error_class)
        return outcome

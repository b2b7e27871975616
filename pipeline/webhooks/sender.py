"""Sending what is pending: claims, signs, posts, records, until nothing is left.

What belongs here: the loop and its bounds. What does not: the ledger's rules (webhooks.claims), HTTP (webhooks.transport).
Only as many deliveries are claimed as can be sent at once, so a crash leaves few of unknown outcome; each endpoint
has a bounded share, and one that lets its sender wait gets less, so one that hangs holds up nobody else. A lower
`webhook_max_in_flight` buys fewer unknown outcomes of a crash for fewer sends a second.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import uuid4

from sqlalchemy.exc import InterfaceError, OperationalError

from pipeline.organizations.secrets import SecretBox, SecretUnreadable
from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase
from pipeline.webhooks import notices, outbox
from pipeline.webhooks.attempts import NO_SIGNING_KEY, Claim, Outcome
from pipeline.webhooks.claims import PER_ENDPOINT, Turn, expire, turn
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.profiles import Profile
from pipeline.webhooks.reports import DeliveryReport
from pipeline.webhooks.signalbase import signalbase_profile
from pipeline.webhooks.startcap import startcap_profile
from pipeline.webhooks.static_headers import HeaderRefused, Opens, redact, unseal
from pipeline.webhooks.transport import ERROR_CHARACTERS, EXCERPT_CHARACTERS, HttpSender

log = logging.getLogger(__name__)

# While sends are under way, new deliveries are looked for this often.
LOOK_SECONDS = 0.1
# Outcomes that arrive together are written together.
GATHER_SECONDS = 0.005
# A send that takes longer costs a socket and no work: it no longer counts as in flight, up to so many times that bound.
SLOW_SECONDS = 0.5
SLOW_FACTOR = 8
# Sockets, which systems commonly count to 1,024 for a process; a higher bound that was asked for stands.
MOST_UNDER_WAY = 512
# Secrets in clear that a run keeps, so that each is decrypted once. Which one signs is asked of the ledger at every visit.
MOST_SECRETS = 10_000
# What an endpoint gets at once while it lets a sender wait.
SLOW_SHARE = 2
# A rate limit's next turn that is so near is waited for; a later one is another run's.
LINGER_SECONDS = 2.0
# A ledger that is away: how long outcomes are kept for it, and how often it is asked.
LEDGER_PATIENCE_SECONDS = 30.0
LEDGER_PAUSE_SECONDS = 0.5
LEDGER_AWAY = (OperationalError, InterfaceError)

T = TypeVar("T")
Now = Callable[[], datetime]


def deliver_pending(
    db: AppDatabase,
    box: SecretBox,
    settings: Settings,
    now: Now,
    patience_seconds: float | None = None,
    only: Collection[str] | None = None,
) -> DeliveryReport:
    """Send all that is pending, and give up claims whose sender died; returns when nothing is left that may go now.

    Safe to run in several processes at once. Takes what it needs from ``settings``: budget, bounds, allowed networks,
    extra certificate authority, whether `all_matches` is told. With ``patience_seconds``, what is left after that time for
    endpoints that are slow or held back is another run's. ``only``: none but these deliveries (ids).
    """
    report = DeliveryReport(unknown_outcome=expire(db, now(), settings.webhook_timeout_seconds))
    profiles: list[Profile] = []
    if outbox.has_pending(db, now()):
        profiles = profiles_to_send(db, settings)
    if profiles:
        asyncio.run(_all([_Run(db, box, settings, now, profile, report, patience_seconds, only) for profile in profiles]))
    notices.tell(db, settings, now)
    return report


def profiles_to_send(db: AppDatabase, settings: Settings) -> list[Profile]:
    """The profiles that deliveries may be waiting for. FundingScout always: what is scheduled there may be due."""
    waiting = outbox.pending_profiles(db)
    others = [profile for profile in (signalbase_profile(), startcap_profile()) if profile.name in waiting]
    return [fundingscout_profile(settings.webhook_all_matches), *others]


class _Run:
    def __init__(
        self,
        db: AppDatabase,
        box: SecretBox,
        settings: Settings,
        now: Now,
        profile: Profile,
        report: DeliveryReport,
        patience_seconds: float | None,
        only: Collection[str] | None,
    ) -> None:
        self._db = db
        self._box = _OpenedOnce(box)
        self._settings = settings
        self._now = now
        self._report = report
        self._only = only
        self._profile = profile
        self._name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        # Budgets are measured on the clock that nobody sets.
        self._leaves_at = float("inf") if patience_seconds is None else time.monotonic() + patience_seconds
        # While it leaves, slow endpoints get nothing more, and the others are not made to wait for their last sends.
        self._is_leaving = False
        self._ends_at = float("inf")
        self._under_way: dict[asyncio.Task[Outcome], tuple[Claim, float]] = {}
        self._ended: list[asyncio.Task[Outcome]] = []  # of those under way
        self._wanted = 1  # so many ended ones are waited for
        self._enough = asyncio.Event()
        self._finished: list[tuple[Claim, Outcome]] = []
        self._slow: set[str] = set()  # endpoints whose last send let us wait
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
                    # What is on its way arrives or not all the same: what comes of it is worth more tries to record.
                    await self._gather(settings.webhook_timeout_seconds + 1, len(self._under_way))
                    await self._turn(0)
                    raise

    async def _send_all(self, transport: HttpSender) -> None:
        while True:
            free = self._free() if time.monotonic() < self._ends_at else 0
            found = None
            if self._finished or (free and await self._in_ledger(partial(outbox.has_pending, self._db, self._now()))):
                found = await self._turn(free)
                self._begin(transport, found.claims)
                # Nothing but what slow endpoints have left: that is another run's.
                if not self._is_leaving and len(found.claims) < free and time.monotonic() > self._leaves_at:
                    self._is_leaving = True
                    self._ends_at = time.monotonic() + self._settings.webhook_timeout_seconds
                if found.no_webhook or found.set_aside:
                    continue
            if not self._under_way:
                pause = self._pause_until(found.next_at) if found and not self._is_leaving else None
                if pause is None:
                    return
                await asyncio.sleep(min(pause, LOOK_SECONDS))  # others may have got something meanwhile
                continue
            await self._gather(LOOK_SECONDS, 1)
            if self._finished and self._under_way:
                await self._gather(GATHER_SECONDS, len(self._under_way))

    def _begin(self, transport: HttpSender, claims: Sequence[Claim]) -> None:
        for claim in claims:
            task = asyncio.create_task(self._send(transport, claim))
            task.add_done_callback(self._note_end)
            self._under_way[task] = (claim, time.monotonic())

    def _note_end(self, task: asyncio.Task[Outcome]) -> None:
        self._ended.append(task)
        if len(self._ended) >= self._wanted:
            self._enough.set()

    def _free(self) -> int:
        most = self._settings.webhook_max_in_flight
        began = time.monotonic() - SLOW_SECONDS
        quick = sum(1 for _, at in self._under_way.values() if at > began)
        with_slow = max(most, min(SLOW_FACTOR * most, MOST_UNDER_WAY))
        return max(0, min(most - quick, with_slow - len(self._under_way)))

    def _pause_until(self, instant: datetime | None) -> float | None:
        """Seconds until a rate limit lets the next one through; None: nothing to wait for here."""
        if instant is None:
            return None
        seconds = (instant - self._now()).total_seconds()
        return max(seconds, 0.001) if seconds <= LINGER_SECONDS else None

    async def _gather(self, seconds: float, count: int) -> None:
        """Collect what is sent by then, or as soon as it is so many."""
        self._wanted = count
        if len(self._ended) < count:
            self._enough.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._enough.wait()
        done, self._ended = self._ended, []
        for task in done:
            claim, began = self._under_way.pop(task)
            if time.monotonic() - began > SLOW_SECONDS:
                self._slow.add(claim.endpoint_id)
            else:
                self._slow.discard(claim.endpoint_id)
            self._finished.append((claim, task.result()))

    def _busy(self) -> Counter[str]:
        """Sends under way by endpoint; a slow endpoint's as if it had so many more that its share is small."""
        began = time.monotonic() - SLOW_SECONDS
        busy = Counter(claim.endpoint_id for claim, _ in self._under_way.values())
        slow = self._slow | {claim.endpoint_id for claim, at in self._under_way.values() if at <= began}
        busy.update(dict.fromkeys(slow, PER_ENDPOINT if self._is_leaving else PER_ENDPOINT - SLOW_SHARE))
        return busy

    async def _turn(self, free: int) -> Turn:
        settled = list(self._finished)
        call = partial(
            turn,
            self._db,
            settled,
            free,
            self._now(),
            self._name,
            self._profile,
            self._busy(),
            PER_ENDPOINT,
            self._settings.webhook_timeout_seconds + 1,
            self._only,
        )
        try:
            found = await self._in_ledger(call)
        except LEDGER_AWAY:
            if not settled:
                raise
            # The ledger is away, or its disk full. Nothing more is claimed, and what is known is kept for it: a claim of
            # this call that was committed unseen ends as unknown.
            await self._settle_when_back(settled)
            raise
        for claim, outcome in settled:
            self._report.add(outcome, claim.url, claim.number)
        self._finished.clear()
        self._report.no_webhook += found.no_webhook
        self._report.set_aside += found.set_aside
        return found

    async def _settle_when_back(self, settled: list[tuple[Claim, Outcome]]) -> None:
        until = time.monotonic() + LEDGER_PATIENCE_SECONDS
        while time.monotonic() < until:
            await asyncio.sleep(LEDGER_PAUSE_SECONDS)
            try:
                await self._in_ledger(partial(turn, self._db, settled, 0, self._now(), self._name, self._profile))
            except LEDGER_AWAY:
                continue
            for claim, outcome in settled:
                self._report.add(outcome, claim.url, claim.number)
            self._finished.clear()
            return

    async def _in_ledger(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._ledger, work)

    async def _send(self, transport: HttpSender, claim: Claim) -> Outcome:
        return await send_claim(transport, claim, self._box, self._profile, self._now)


class _OpenedOnce:
    """Secrets in clear by what they are encrypted as, for as long as a run takes."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box
        self._known: dict[bytes, str] = {}

    def decrypt(self, encrypted: bytes) -> str:
        known = self._known.get(encrypted)
        if known is None:
            known = self._box.decrypt(encrypted)
            if len(self._known) >= MOST_SECRETS:
                self._known.clear()
            self._known[encrypted] = known
        return known


async def send_claim(transport: HttpSender, claim: Claim, box: Opens, profile: Profile, now: Now) -> Outcome:
    """Sign and post one claim; total, and never unsigned (A-FS-5)."""
    instant = now()
    try:
        if not claim.secrets_encrypted:
            raise SecretUnreadable("the organization has no active key to sign with; create one or register the URL again")
        secrets = [box.decrypt(secret) for secret in claim.secrets_encrypted]
        own = unseal(box, claim.headers_encrypted)
        headers = own | profile.headers(secrets, claim.message_id, int(instant.timestamp()), claim.body)
    except (SecretUnreadable, HeaderRefused, ValueError) as error:
        return Outcome(False, now(), 0.0, error_class=NO_SIGNING_KEY, error=str(error), is_request_sent=False)
    outcome = await transport.post(claim.url, claim.body, headers)
    if own:
        outcome = _redacted(outcome, own)
    if not outcome.is_delivered:
        log.info("delivery %s failed: %s", claim.delivery_id, outcome.error_class)
    return outcome


def _redacted(outcome: Outcome, headers: Mapping[str, str]) -> Outcome:
    """``outcome`` without the values of these headers, which a receiver may have repeated."""
    excerpt, error = outcome.response_excerpt, outcome.error
    if excerpt is not None:
        excerpt = redact(excerpt, headers, is_cut=len(excerpt) >= EXCERPT_CHARACTERS)[:EXCERPT_CHARACTERS]
    if error is not None:
        error = redact(error, headers, is_cut=len(error) >= ERROR_CHARACTERS)
    return replace(outcome, response_excerpt=excerpt, error=error)


async def _all(runs: Sequence[_Run]) -> None:
    """All runs to their ends, whatever becomes of one; then its error."""
    for end in await asyncio.gather(*(run.run() for run in runs), return_exceptions=True):
        if isinstance(end, BaseException):
            raise end

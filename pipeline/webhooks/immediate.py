"""Sending one delivery now, for somebody who waits for what comes of it: through the same ledger as all others."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

from pipeline.organizations.secrets import SecretBox
from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery
from pipeline.webhooks.claims import PER_ENDPOINT, turn
from pipeline.webhooks.profiles import Profile
from pipeline.webhooks.sender import send_claim
from pipeline.webhooks.transport import HttpSender

# A service that runs beside may have been faster: its outcome takes a moment to be written.
PATIENCE_SECONDS = 3.0
LOOK_SECONDS = 0.1


class RunBlocking(Protocol):
    """Does blocking work in a thread."""

    def __call__(self, work: Callable[..., Any], *args: Any) -> Awaitable[Any]: ...


async def send_now(
    db: AppDatabase,
    box: SecretBox,
    settings: Settings,
    now: Callable[[], datetime],
    profile: Profile,
    delivery_id: str,
    run: RunBlocking,
) -> None:
    """Send one pending delivery, or wait while another process does; returns when it has an outcome, or time is up.

    Takes a thread for the moments of the ledger alone, none while the receiver takes its time.
    """
    name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
    budget = settings.webhook_timeout_seconds
    claim = partial(turn, db, [], 1, now(), name, profile, None, PER_ENDPOINT, budget + 1, [delivery_id])
    claims = (await run(claim)).claims
    if claims:
        async with HttpSender(budget, now, settings.webhook_allowed_networks, settings.webhook_ca_file) as transport:
            outcome = await send_claim(transport, claims[0], box, profile, now)
        # The caller may be gone by now; what is known is recorded all the same.
        await asyncio.shield(run(partial(turn, db, [(claims[0], outcome)], 0, now(), name, profile)))
        return
    ends = time.monotonic() + budget + PATIENCE_SECONDS
    while await run(partial(_is_open, db, delivery_id)) and time.monotonic() < ends:
        await asyncio.sleep(LOOK_SECONDS)


def _is_open(db: AppDatabase, delivery_id: str) -> bool:
    with db.read() as session:
        return session.get_one(Delivery, delivery_id).status in ("pending", "sending")

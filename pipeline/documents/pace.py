"""How often one host may be asked, over all processes of an installation.

What belongs here: which hosts share a pace, and taking the next slot of one. What does not: fetching.
Source of the SEC's limit: its fair-access rule allows ten requests a second in all; we stay at eight.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import ip_address

from sqlalchemy import case

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.documents import HostPace

SEC_GAP_SECONDS = 1 / 8
DEFAULT_GAP_SECONDS = 0.5
# A slot further ahead than this was not given by a queue but by a clock that has since been set back.
LONGEST_QUEUE_SECONDS = 600.0


def pace_of(host: str, gap_seconds: float | None = None) -> tuple[str, float]:
    """(who shares the pace, seconds between two requests). A host of one's own machine has no pace: 0 seconds."""
    name = host.lower().rstrip(".")
    if name == "sec.gov" or name.endswith(".sec.gov"):
        return "sec.gov", max(SEC_GAP_SECONDS, gap_seconds or 0.0)
    if _is_loopback(name):
        return name, 0.0
    return name, DEFAULT_GAP_SECONDS if gap_seconds is None else gap_seconds


class HostPaces:
    """Slots per host, kept in the app database. ``clock`` gives Unix seconds and is the same in all processes."""

    def __init__(self, database: AppDatabase, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def reserve(self, host: str, longest_wait: float, gap_seconds: float | None = None) -> float | None:
        """Seconds to wait before the next request to ``host`` may start; that slot is then taken.

        None when the next slot is later than ``longest_wait`` seconds from now; nothing is taken then.
        """
        name, gap = pace_of(host, gap_seconds)
        if gap <= 0:
            return 0.0
        now = self._clock()
        stored = HostPace.next_at_epoch
        start = case((stored < now, now), (stored > now + LONGEST_QUEUE_SECONDS, now), else_=stored)
        statement = (
            self._database.insert(HostPace)
            .values(host=name, next_at_epoch=now + gap)
            .on_conflict_do_update(
                index_elements=[HostPace.host], set_={"next_at_epoch": start + gap}, where=start <= now + longest_wait
            )
            .returning(HostPace.next_at_epoch)
        )
        with self._database.write() as session:
            following = session.execute(statement).scalar_one_or_none()
        return None if following is None else max(0.0, following - gap - now)


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False

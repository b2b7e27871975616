"""How often one address may call where nobody shows a key: so many times a minute of the clock, in each process."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

SECONDS = 60
# Beyond so many in a minute, new addresses pass uncounted: a bound by address stops nobody who has that many.
MOST_ADDRESSES = 50_000


class Pace:
    """Counts the running minute, in memory alone: nothing of an address outlives it. For one thread: the event loop's."""

    def __init__(self, most: int, addresses: int = MOST_ADDRESSES) -> None:
        """``most``: calls of one address in a minute."""
        self._most = most
        self._addresses = addresses
        self._minute = 0
        self._calls: Counter[str] = Counter()

    def seconds_to_wait(self, address: str, now: datetime) -> int:
        """0: it may call, and is counted. Else the seconds until it may."""
        minute, second = divmod(int(now.timestamp()), SECONDS)
        if minute != self._minute:
            self._minute, self._calls = minute, Counter()
        if self._calls[address] >= self._most:
            return SECONDS - second
        if address in self._calls or len(self._calls) < self._addresses:
            self._calls[address] += 1
        return 0

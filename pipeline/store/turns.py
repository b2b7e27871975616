"""Taking turns: a lock whose waiters are served in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """One holder at a time, first come, first served. Python's own lock lets whoever asks at the right moment pass by."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._is_taken = False

    @contextmanager
    def turn(self, patience_seconds: float) -> Iterator[bool]:
        """Wait for one's turn and have it. False: it did not come in time, and the caller goes on without."""
        is_mine = self._take(patience_seconds)
        try:
            yield is_mine
        finally:
            if is_mine:
                self._pass_on()

    def _take(self, patience_seconds: float) -> bool:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return True
            called = threading.Event()
            self._waiting.append(called)
        if called.wait(patience_seconds):
            return True
        with self._guard:
            if called.is_set():  # just now
                return True
            self._waiting.remove(called)
            return False

    def _pass_on(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._is_taken = False

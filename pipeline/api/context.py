"""What a request is handled with: the stores, the clock, the bounds; and what is noted of it on its way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread
from fastapi import Request

from pipeline.api.errors import ApiError
from pipeline.api.metrics import Metrics
from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase

P = ParamSpec("P")
T = TypeVar("T")

# Below the size of SQLAlchemy's connection pool (15), so that no thread waits for a connection.
THREADS = 8
SLOW_THREADS = 2
# Bodies in memory at once, in the size of the largest that is accepted. Parsed, a body takes several times its bytes.
BODIES_AT_ONCE = 4
BODY_WAIT_SECONDS = 15.0


class ByteBudget:
    """So many bytes of request bodies at once; the next waits, and gives up rather than fill the memory."""

    def __init__(self, total: int, wait_seconds: float = BODY_WAIT_SECONDS) -> None:
        self._free = total
        self._total = total
        self._wait_seconds = wait_seconds
        self._condition = asyncio.Condition()

    @asynccontextmanager
    async def hold(self, size: int) -> AsyncIterator[None]:
        """Have room for ``size`` bytes. Raises ApiError (503) when there is none for too long."""
        size = min(size, self._total)
        try:
            async with asyncio.timeout(self._wait_seconds), self._condition:
                await self._condition.wait_for(lambda: self._free >= size)
                self._free -= size
        except TimeoutError:
            raise overloaded() from None
        try:
            yield
        finally:
            self._free += size
            async with self._condition:
                self._condition.notify_all()


def overloaded() -> ApiError:
    """More is asked at once than can be handled."""
    return ApiError(503, "overloaded", "The service has more requests than it can handle; try again.", {"Retry-After": "2"})


@dataclass(slots=True)
class Exchange:
    """What is noted of one request: for its log line, its metrics and the headers of its answer."""

    request_id: str
    headers: dict[str, str] = field(default_factory=dict)
    organization_id: str | None = None
    key_prefix: str | None = None
    is_logged: bool = True  # False: its face promises that such requests leave no line


class Service:
    """What the endpoints share."""

    def __init__(self, database: AppDatabase, settings: Settings, now: Callable[[], datetime]) -> None:
        self.database = database
        self.settings = settings
        self.now = now
        self.metrics = Metrics()
        self.bodies = ByteBudget(BODIES_AT_ONCE * settings.api_max_body_bytes)
        self._threads = anyio.CapacityLimiter(THREADS)
        self._slow_threads = anyio.CapacityLimiter(SLOW_THREADS)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do blocking work in one of a few threads."""
        return await anyio.to_thread.run_sync(partial(work, *args, **kwargs), limiter=self._threads)

    async def run_slow(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do work that waits for somebody else's server: beside the other threads, which partners' calls need."""
        return await anyio.to_thread.run_sync(partial(work, *args, **kwargs), limiter=self._slow_threads)


def service_of(request: Request) -> Service:
    """What the app was built with."""
    service: Service = request.app.state.service
    return service


def exchange_of(request: Request) -> Exchange:
    """What is noted of this request."""
    exchange: Exchange = request.scope["state"]["exchange"]
    return exchange

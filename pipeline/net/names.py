"""Resolving names for sending: every address vetted, and the connection pinned to what was vetted.

What belongs here: name to vetted addresses, for aiohttp. What does not: the judgement (net.addresses), HTTP.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from ipaddress import ip_address

from aiohttp.abc import AbstractResolver, ResolveResult

from pipeline.net.addresses import Network, refusal

# An answer is good for this long; a vetted address stays vetted, so this only saves look-ups.
KEEP_SECONDS = 5.0
MAX_ADDRESSES = 16
# A thread each; one that hangs costs its stack alone. So many different names would have to hang at once to hold up another.
MAX_LOOKUPS = 1_024

Resolve = Callable[[str, int], list[str]]


class NameNotFound(Exception):
    """The name has no address, or nobody could say."""


class AddressRefused(Exception):
    """The name (or literal) leads to an address that may not be connected to."""


def system_resolve(host: str, port: int) -> list[str]:
    """The addresses of ``host`` as this machine resolves it, in its order. Blocks. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class VettingResolver(AbstractResolver):
    """aiohttp's way to addresses: refuses a name as soon as one of its addresses is refused.

    Look-ups run in threads of their own, one at a time per name: names that hang hold up no others, nor the process's end.
    """

    def __init__(
        self, allowed: Sequence[Network] = (), resolve: Resolve = system_resolve, max_lookups: int = MAX_LOOKUPS
    ) -> None:
        self._allowed = tuple(allowed)
        self._resolve = resolve
        self._max_lookups = max_lookups
        self._known: dict[tuple[str, int], tuple[float, asyncio.Future[list[str]]]] = {}

    async def addresses(self, host: str, port: int) -> list[str]:
        """The vetted addresses of ``host``, a name or a literal. Raises NameNotFound, AddressRefused."""
        try:
            literal = ip_address(host.strip("[]"))
        except ValueError:
            return self._vet(host, await self._look_up(host, port))
        return self._vet(host, [str(literal)])

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """For aiohttp's connector: vetted addresses only, so that it can connect nowhere else."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in await self.addresses(host, port)
        ]

    async def close(self) -> None:
        """Forget what is known; a thread that hangs in a look-up ends by itself, or with the process."""
        self._known = {}

    async def _look_up(self, host: str, port: int) -> list[str]:
        now = time.monotonic()
        known = self._known.get((host, port))
        if known is None or (known[1].done() and (known[0] < now or known[1].exception() is not None)):
            self._known = {key: value for key, value in self._known.items() if value[0] >= now or not value[1].done()}
            if sum(not future.done() for _, future in self._known.values()) >= self._max_lookups:
                raise NameNotFound(f"{host}: {self._max_lookups} names are being looked up and have no answer yet")
            known = self._known[host, port] = (now + KEEP_SECONDS, self._start(host, port))
        try:
            # Shielded: one sender's budget ends, the look-up goes on for the next.
            return await asyncio.shield(known[1])
        except (OSError, UnicodeError) as error:
            raise NameNotFound(f"{host}: {error}") from None

    def _start(self, host: str, port: int) -> asyncio.Future[list[str]]:
        """A look-up under way. Its thread is nobody's to wait for: the system's resolver can take minutes."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[str]] = loop.create_future()
        future.add_done_callback(_mark_retrieved)

        def look_up() -> None:
            try:
                answer: list[str] | Exception = self._resolve(host, port)
            except Exception as error:  # noqa: BLE001 - whoever waits for the name gets it
                answer = error
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_settle, future, answer)

        try:
            threading.Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
        except RuntimeError as error:
            raise NameNotFound(f"{host}: {error}") from None  # this machine has no more threads
        return future

    def _vet(self, host: str, addresses: list[str]) -> list[str]:
        if not addresses:
            raise NameNotFound(f"{host}: no address")
        for text in addresses:
            reason = _refusal(text, self._allowed)
            if reason:
                raise AddressRefused(f"{host} leads to {text}: {reason}")
        return addresses[:MAX_ADDRESSES]


@lru_cache(maxsize=4096)
def _refusal(address: str, allowed: tuple[Network, ...]) -> str | None:
    return refusal(ip_address(address), allowed)


def _settle(future: asyncio.Future[list[str]], answer: list[str] | Exception) -> None:
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _mark_retrieved(future: asyncio.Future[list[str]]) -> None:
    if not future.cancelled():
        future.exception()

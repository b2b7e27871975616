"""Where the time of one attempt goes: resolving, connecting, TLS, the answer's head.

What belongs here: the marks and how aiohttp sets them. What does not: what an outcome means (webhooks.transport).
TLS begins when the context is asked for its side of a handshake: aiohttp's own events don't tell it from connecting.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import aiohttp

RESOLVE, CONNECT, TLS, FIRST_BYTE = "resolve_ms", "connect_ms", "tls_ms", "first_byte_ms"

_current: ContextVar[Phases | None] = ContextVar("phases of the attempt that this task makes", default=None)


class Phases:
    """The phases of one attempt, from when it was made. ``spent`` in milliseconds, by the outcome's field.

    A phase that the attempt ended in stands with the time until then; one not come to, or not needed on a connection that
    was there already, is absent.
    """

    __slots__ = ("_at", "_began", "_phase", "is_ready", "is_reused", "peer", "spent")

    def __init__(self) -> None:
        self._began = self._at = time.monotonic()
        self._phase: str | None = RESOLVE
        self.spent: dict[str, float] = {}
        self.is_reused: bool | None = None
        self.peer: str | None = None  # the address at the other end of the connection
        self.is_ready = False  # there is a connection: from here on bytes of the request may leave
        _current.set(self)

    def enter(self, phase: str | None) -> None:
        """End the present phase and begin ``phase``; None: nothing more is timed."""
        now = time.monotonic()
        if self._phase is not None:
            self.spent[self._phase] = self.spent.get(self._phase, 0.0) + (now - self._at) * 1000
        self._phase, self._at = phase, now

    def ready(self, is_reused: bool) -> None:
        """There is a connection; what comes next is the request and its answer."""
        self.is_reused, self.is_ready = is_reused, True
        self.enter(FIRST_BYTE)

    def elapsed_ms(self) -> float:
        """Since the attempt began."""
        return (time.monotonic() - self._began) * 1000


def note_peer(transport: asyncio.BaseTransport | None) -> None:
    """The attempt that this task makes goes over ``transport``."""
    phases, peer = _current.get(), transport.get_extra_info("peername") if transport is not None else None
    if phases is not None and peer:
        phases.peer = str(peer[0])


class TimedTlsContext(ssl.SSLContext):
    """A client's context that marks where TLS begins. Made with ``tls_context``."""

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        phases = _current.get()
        if phases is not None:
            phases.enter(TLS)
        return super().wrap_bio(*arguments, **named)


def tls_context() -> TimedTlsContext:
    """Verifies certificate and host name against the system's authorities, as ``ssl.create_default_context`` does."""
    context = TimedTlsContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


def trace_config() -> aiohttp.TraceConfig:
    """aiohttp's events for requests made with ``trace_request_ctx`` being their Phases."""
    config = aiohttp.TraceConfig()
    config.on_connection_create_start.append(_connecting)
    config.on_connection_create_end.append(_created)
    config.on_connection_reuseconn.append(_reused)
    return config


async def _connecting(_session: aiohttp.ClientSession, context: SimpleNamespace, _event: Any) -> None:
    _phases(context).enter(CONNECT)


async def _created(_session: aiohttp.ClientSession, context: SimpleNamespace, _event: Any) -> None:
    _phases(context).ready(is_reused=False)


async def _reused(_session: aiohttp.ClientSession, context: SimpleNamespace, _event: Any) -> None:
    _phases(context).ready(is_reused=True)


def _phases(context: SimpleNamespace) -> Phases:
    phases: Phases = context.trace_request_ctx
    return phases

"""Where an attempt's time went, as its outcome says it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest

from pipeline.webhooks.attempts import Outcome
from pipeline.webhooks.receiver import throwaway_certificate
from pipeline.webhooks.transport import HttpSender

LOOPBACK = [ip_network("127.0.0.0/8")]
PAUSE = 0.15
NAME = "hooks.partner.example"


@pytest.fixture
def authority(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    return throwaway_certificate(NAME, tmp_path / "ca.pem"), tmp_path / "ca.pem"


@asynccontextmanager
async def answering(tls: ssl.SSLContext, pause: float, head: bytes) -> AsyncIterator[int]:
    """A server that answers every request on a connection, each after ``pause`` seconds."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"}"):
                await asyncio.sleep(pause)
                writer.write(head)
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


def slow_name(_host: str, _port: int) -> list[str]:
    time.sleep(PAUSE)
    return ["127.0.0.1"]


def test_slow_name_and_slow_answer_are_told_apart_and_a_kept_connection_needs_neither_connecting_nor_tls(
    authority: tuple[ssl.SSLContext, Path],
) -> None:
    async def run() -> list[Outcome]:
        head = b"HTTP/1.1 429 Slow Down\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n"
        sender = HttpSender(5.0, lambda: datetime.now(UTC), LOOPBACK, authority[1], slow_name)
        async with answering(authority[0], PAUSE, head) as port, sender:
            return [await sender.post(f"https://{NAME}:{port}/", b"{}", {}) for _ in range(2)]

    first, second = asyncio.run(run())
    assert first.resolve_ms is not None
    assert first.first_byte_ms is not None
    assert second.first_byte_ms is not None
    assert first.resolve_ms >= PAUSE * 1000
    assert first.first_byte_ms >= PAUSE * 1000
    assert 0 < (first.connect_ms or 0) < PAUSE * 1000
    assert 0 < (first.tls_ms or 0) < PAUSE * 1000
    parts = [first.resolve_ms, first.connect_ms, first.tls_ms, first.first_byte_ms]
    assert sum(part or 0 for part in parts) == pytest.approx(first.duration_ms, abs=5)
    assert (first.is_reused_connection, second.is_reused_connection) == (False, True)
    assert (second.connect_ms, second.tls_ms) == (None, None)
    assert (second.resolve_ms or 0) < PAUSE * 1000  # known from just before
    assert (first.retry_after, first.is_request_sent) == ("17", True)


def test_attempt_that_ends_in_a_phase_says_how_long_it_was_in_it() -> None:
    """A handshake that never ends: the budget went into TLS, and no byte of the request left."""

    async def run() -> Outcome:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            async with HttpSender(0.3, lambda: datetime.now(UTC), LOOPBACK) as sender:
                return await sender.post(f"https://127.0.0.1:{silent.getsockname()[1]}/", b"{}", {})

    outcome = asyncio.run(run())
    assert outcome.error_class == "timeout"
    assert outcome.tls_ms == pytest.approx(300, abs=100)
    assert (outcome.first_byte_ms, outcome.is_reused_connection, outcome.is_request_sent) == (None, None, False)


@pytest.mark.parametrize(
    ("answer", "slug"), [(["10.0.0.1"], "refused_address"), ([], "dns"), (["127.0.0.1"], "connect")], ids=lambda v: str(v)
)
def test_nothing_was_sent_where_nobody_was_reached(answer: list[str], slug: str) -> None:
    async def run() -> Outcome:
        async with HttpSender(2.0, lambda: datetime.now(UTC), LOOPBACK, resolve=lambda _h, _p: answer) as sender:
            return await sender.post(f"https://{NAME}:1/", b"{}", {})

    outcome = asyncio.run(run())
    assert (outcome.error_class, outcome.is_request_sent, outcome.tls_ms) == (slug, False, None)
    assert outcome.resolve_ms is not None

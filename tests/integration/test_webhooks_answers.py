"""One answer to each request: what nobody asked for is no answer, and what never ends is cut off (A-FS-6, FS-57, FS-59)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.webhooks.answers import MAX_ANSWER_BYTES, AnswerRefused, Exchange
from pipeline.webhooks.attempts import Outcome
from pipeline.webhooks.receiver import throwaway_certificate
from pipeline.webhooks.transport import HttpSender

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    return throwaway_certificate("127.0.0.1", ca_file), ca_file


def two_posts(authority: tuple[ssl.SSLContext, Path], answers: list[bytes], unasked: bytes) -> tuple[list[Outcome], list[str]]:
    """Two POSTs, one after the other; after the first answer ``unasked`` comes on the idle connection. And the paths seen."""
    seen: list[str] = []
    is_said = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(2)
                seen.append(head.split()[1].decode())
                writer.write(answers[len(seen) - 1])
                await writer.drain()
                if len(seen) == 1:
                    await asyncio.sleep(0.05)  # the first answer is taken
                    writer.write(unasked)
                    await writer.drain()
                    is_said.set()
        except (OSError, asyncio.IncompleteReadError):
            writer.transport.abort()

    async def run() -> list[Outcome]:
        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=authority[0])
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        sender = HttpSender(5.0, lambda: datetime.now(UTC), [ip_network("127.0.0.0/8")], authority[1])
        async with server, sender:
            first = await sender.post(f"{url}/first", b"{}", {})
            await is_said.wait()
            await asyncio.sleep(0.05)  # it has come
            return [first, await sender.post(f"{url}/second", b"{}", {})]

    return asyncio.run(run()), seen


@pytest.mark.parametrize("unasked", [OK, BUSY, TIMED_OUT, b"\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"nonsense"])
def test_what_comes_on_an_idle_connection_is_not_the_answer_to_the_next_delivery(
    unasked: bytes, authority: tuple[ssl.SSLContext, Path]
) -> None:
    """A stale 200 would be a delivery that never was, a stale 408 (proxies send it to idle connections) a failure."""
    for answer, code in ((OK, 200), (BUSY, 503)):
        outcomes, seen = two_posts(authority, [OK, answer], unasked)
        assert [outcome.response_code for outcome in outcomes] == [200, code]
        assert [outcome.is_delivered for outcome in outcomes] == [True, code == 200]
        assert outcomes[1].is_reused_connection is False
        assert seen == ["/first", "/second"]  # each once


def test_an_error_says_nothing_of_the_path_and_query_which_may_hold_a_secret(
    authority: tuple[ssl.SSLContext, Path],
) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 fine\r\n\r\n")
        await writer.drain()
        writer.close()

    async def run() -> Outcome:
        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=authority[0])
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/T0/secret-path?token=secret-token"
        sender = HttpSender(5.0, lambda: datetime.now(UTC), [ip_network("127.0.0.0/8")], authority[1])
        async with server, sender:
            return await sender.post(url, b"{}", {})

    outcome = asyncio.run(run())
    assert outcome.error_class == "protocol"
    assert (outcome.error or "").startswith("no HTTP answer: Bad status line")
    assert "secret" not in repr(outcome)
    assert "\n" not in (outcome.error or "")


def test_a_body_of_megabytes_goes_whole_and_one_that_nobody_reads_ends_with_the_budget(
    authority: tuple[ssl.SSLContext, Path],
) -> None:
    body = b'{"a":"' + b"x" * 5_000_000 + b'"}'
    got: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if b"/reads" in head:
                assert b"Content-Length: %d\r\n" % len(body) in head
                got.append(await reader.readexactly(len(body)))
                writer.write(OK)
                await writer.drain()
            else:
                await asyncio.sleep(30)
        finally:
            writer.transport.abort()

    async def run() -> list[Outcome]:
        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=authority[0])
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        sender = HttpSender(3.0, lambda: datetime.now(UTC), [ip_network("127.0.0.0/8")], authority[1])
        async with server, sender:
            return list(await asyncio.gather(sender.post(f"{url}/reads", body, {}), sender.post(f"{url}/hangs", body, {})))

    read, hung = asyncio.run(run())
    assert (read.is_delivered, got == [body]) == (True, True)
    assert (hung.error_class, hung.is_request_sent) == ("timeout", True)


@contextmanager
def never_accepting(address: str) -> Iterator[int]:
    """A port whose queue of connections is full: who connects hears nothing."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind((address, 0))
        server.listen(0)
        for _ in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]


@pytest.mark.parametrize("is_silent", [True, False])
def test_a_name_with_a_dead_address_is_reached_at_its_next(is_silent: bool, tmp_path: Path) -> None:
    """All were vetted; the one that answered is on record. One request is made."""
    heads: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)
        await writer.drain()
        writer.close()

    async def run(port: int) -> Outcome:
        tls = throwaway_certificate("hooks.example.com", tmp_path / "ca.pem")
        server = await asyncio.start_server(handle, "127.0.0.1", port, ssl=tls)
        sender = HttpSender(
            5.0, lambda: datetime.now(UTC), [ip_network("127.0.0.0/8")], tmp_path / "ca.pem",
            lambda _host, _port: ["127.0.0.9", "127.0.0.1"],
        )  # fmt: skip
        async with server, sender:
            return await sender.post(f"https://hooks.example.com:{server.sockets[0].getsockname()[1]}/", b"{}", {})

    if is_silent:
        with never_accepting("127.0.0.9") as port:
            outcome = asyncio.run(run(port))
    else:
        outcome = asyncio.run(run(0))
    assert (outcome.is_delivered, outcome.resolved_address, len(heads)) == (True, "127.0.0.1", 1)


class Wire(asyncio.Transport):
    """A transport that only knows whether it was ended."""

    is_aborted = False

    def abort(self) -> None:
        self.is_aborted = True

    def close(self) -> None:
        """aiohttp's polite end, which may take long."""

    def pause_reading(self) -> None:
        """Nothing comes but what the test says."""


def exchanging(pieces: list[bytes]) -> tuple[Exchange, Wire]:
    """A connection with one request under way, and these pieces come back on it."""

    async def run() -> tuple[Exchange, Wire]:
        exchange, wire = Exchange(asyncio.get_running_loop()), Wire()
        exchange.connection_made(wire)
        exchange.set_response_params()
        for piece in pieces:
            exchange.data_received(piece)
        return exchange, wire

    return asyncio.run(run())


@pytest.mark.parametrize("size", [13, 4096, 10**7])
def test_an_answer_is_read_to_its_bound_and_no_further_whatever_the_pieces(size: int) -> None:
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    flood = hint * (MAX_ANSWER_BYTES // len(hint) + 2)
    exchange, wire = exchanging([flood[begin : begin + size] for begin in range(0, len(flood), size)])
    assert isinstance(exchange.exception(), AnswerRefused)
    assert wire.is_aborted
    assert len(exchange) == MAX_ANSWER_BYTES // len(hint)


def test_a_head_counts_wherever_a_body_that_is_no_http_is_cut_in_two() -> None:
    """A-FS-6: the head came in time."""
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno chunk at all\r\n"
    for cut in range(1, len(answer)):
        exchange, wire = exchanging([answer[:cut], answer[cut:]])
        assert [message.code for (message, _), _ in exchange._buffer] == [200], cut
        assert wire.is_aborted


def test_a_whole_answer_leaves_the_connection_as_it_is() -> None:
    exchange, wire = exchanging([b"HTTP/1.1 103 E\r\n\r\n", OK[:10], OK[10:]])
    assert (len(exchange), exchange.exception(), wire.is_aborted) == (2, None, False)


# Pieces that answers are made of, and pieces that break them.
PIECES = [
    b"HTTP/1.1 ", b"HTTP/1.0 ", b"200 OK", b"103 E", b"101 S", b"204 N", b"999", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b": ",
    b"\x00", b"\xff",
    b"Content-Length: 2", b"Content-Length: -1", b"Transfer-Encoding: chunked", b"Connection: close", b"Upgrade: websocket",
    b"2\r\nok\r\n", b"0\r\n\r\n", b"0\r\n", b"5;a=b\r\n", b"X" * 9_000, b"ok", b"Content-Encoding: gzip", b"\x1f\x8b\x08",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=25))
def test_whatever_comes_back_raises_nothing_where_it_is_read(pieces: list[bytes]) -> None:
    """It is an answer, a failure of the connection, or not yet whole."""
    exchange, wire = exchanging(pieces)
    assert wire.is_aborted or exchange.exception() is None
    whole, _ = exchanging([b"".join(pieces)])
    assert [message.code for (message, _), _ in whole._buffer] == [message.code for (message, _), _ in exchange._buffer]


def test_an_error_of_our_own_ends_one_delivery_and_is_logged_without_its_path(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> Outcome:
        sender = HttpSender(5.0, lambda: datetime.now(UTC), [ip_network("127.0.0.0/8")])
        async with sender:
            monkeypatch.setattr(sender, "_post", lambda *_: 1 / 0)
            return await sender.post("https://127.0.0.1/secret-path", b"{}", {})

    outcome = asyncio.run(run())
    assert (outcome.is_delivered, outcome.error_class, outcome.error) == (False, "protocol", "ZeroDivisionError")
    assert "ended in an error that is ours to mend" in caplog.text
    assert "secret" not in caplog.messages[-1]

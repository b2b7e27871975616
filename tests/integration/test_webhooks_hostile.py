"""Receivers that misbehave: each ends as a recorded failure inside the budget, and holds up nobody else (FS-58, A-FS-6, A-FS-9)."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import trustme

from pipeline.webhooks.attempts import Outcome
from pipeline.webhooks.receiver import throwaway_certificate
from pipeline.webhooks.transport import HttpSender

LOOPBACK = [ip_network("127.0.0.0/8")]
BUDGET = 0.6
# All at once share the processor, so each gets more. What ends by itself has a budget that it must not come near.
TOGETHER, AMPLE = 3.0, 60.0
Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    return throwaway_certificate("127.0.0.1", ca_file), ca_file


@asynccontextmanager
async def listening(behaviour: Behaviour, tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            await behaviour(reader, writer)
        except (OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def post(behaviour: Behaviour, authority: tuple[ssl.SSLContext, Path], plain: bool = False) -> tuple[Outcome, float]:
    """One attempt against ``behaviour``, and the seconds it took."""

    async def run() -> tuple[Outcome, float]:
        async with (
            listening(behaviour, None if plain else authority[0]) as port,
            HttpSender(BUDGET, lambda: datetime.now(UTC), LOOPBACK, authority[1]) as sender,
        ):
            began = time.monotonic()
            outcome = await sender.post(f"https://127.0.0.1:{port}/hook", b'{"a":1}', {"Content-Type": "application/json"})
            return outcome, time.monotonic() - began

    return asyncio.run(run())


def answering(*parts: bytes, pause: float = 0.0, forever: bytes | None = None) -> Behaviour:
    async def behaviour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        while forever is not None:
            writer.write(forever)
            await writer.drain()
            await asyncio.sleep(pause)

    return behaviour


OK = b"HTTP/1.1 200 OK\r\n"
FAILING = {
    "silent after the request": (answering(pause=10, forever=b""), "timeout"),
    # After the status line a header that never ends: a receiver that stops dripping would close, which is another failure.
    "drips its head": (answering(*(bytes([byte]) for byte in OK), pause=0.1, forever=b"X"), "timeout"),
    "drips headers for ever": (answering(OK, forever=b"X-A: b\r\n", pause=0.01), "timeout protocol"),
    "closes without an answer": (answering(), "protocol"),
    "talks nonsense": (answering(b"\x00\xff\x00 nonsense\r\n\r\n"), "protocol"),
    "one endless header": (answering(OK + b"X-A: ", forever=b"a" * 65536), "protocol"),
    "ten thousand headers": (answering(OK + b"".join(b"X-%d: a\r\n" % n for n in range(10_000)) + b"\r\n"), "protocol"),
    "endless status line": (answering(b"HTTP/1.1 200 ", forever=b"a" * 65536), "protocol"),
    "a storm of 103": (answering(forever=b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", pause=0.001), "timeout"),
    # What never ends but comes fast: cut off by its length, long before the budget ends.
    "a flood of 103": (answering(forever=b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 1000), "protocol"),
    "a flood of 100": (answering(forever=b"HTTP/1.1 100 Continue\r\n\r\n" * 1000), "protocol"),
    "a flood of fat 103": (
        answering(forever=b"HTTP/1.1 103 E\r\n" + b"X-A: %s\r\n" % (b"a" * 8000) * 90 + b"\r\n"),
        "protocol",
    ),
    "a flood of blank lines": (answering(forever=b"\r\n" * 10_000), "protocol"),
    "a header folded for ever": (answering(OK + b"X-A: a\r\n", forever=b" a\r\n" * 10_000), "protocol"),
    "a header name without end": (answering(OK, forever=b"a" * 65536), "protocol"),
    "HTTP/0.9": (answering(b"<html>hello</html>\n"), "protocol"),
    "HTTP/2": (answering(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\x00" * 18), "protocol"),
    "HTTP/3.7": (answering(b"HTTP/3.7 200 OK\r\nContent-Length: 0\r\n\r\n"), "protocol"),
    "a length that is a word": (answering(OK + b"Content-Length: two\r\n\r\nok"), "protocol"),
    "a negative length": (answering(OK + b"Content-Length: -1\r\n\r\nok"), "protocol"),
    "a length beyond all bounds": (answering(OK + b"Content-Length: 1%s\r\n\r\nok" % (b"0" * 30)), "protocol"),
    "two lengths": (answering(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok"), "protocol"),
    "a length and chunks": (
        answering(OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
        "protocol",
    ),
    "status 20": (answering(b"HTTP/1.1 20 What\r\nContent-Length: 0\r\n\r\n"), "protocol"),
    "status 2000": (answering(b"HTTP/1.1 2000 What\r\nContent-Length: 0\r\n\r\n"), "protocol"),
    "a status in words": (answering(b"HTTP/1.1 fine\r\n\r\n"), "protocol"),
    "a header with NUL": (answering(OK + b"X-A: a\x00b\r\nContent-Length: 0\r\n\r\n"), "protocol"),
    "a header with a bare CR": (answering(OK + b"X-A: a\rb\r\nContent-Length: 0\r\n\r\n"), "protocol"),
    "a header without a name": (answering(OK + b": b\r\nContent-Length: 0\r\n\r\n"), "protocol"),
    "switches protocols": (answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"), "protocol"),
    "status 999": (answering(b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"), "protocol"),
    "301 to itself": (answering(b"HTTP/1.1 301 Moved\r\nLocation: /hook\r\nContent-Length: 0\r\n\r\n"), "redirect"),
    "302 to the metadata service": (
        answering(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"),
        "redirect",
    ),
    "307": (answering(b"HTTP/1.1 307 T\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), "redirect"),
    "304": (answering(b"HTTP/1.1 304 Not Modified\r\n\r\n"), "redirect"),
    "410": (answering(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"), "http_4xx"),
    "503": (answering(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), "http_5xx"),
}
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(bytes(30_000_000))
SUCCEEDING = {
    "200": (answering(OK + b"Content-Length: 2\r\n\r\nok"), "ok"),
    "201": (answering(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"), ""),
    "204": (answering(b"HTTP/1.1 204 No Content\r\n\r\n"), ""),
    "299": (answering(b"HTTP/1.1 299 Fine\r\nContent-Length: 0\r\n\r\n"), ""),
    "a 4 GB body": (answering(OK + b"Content-Length: 4294967296\r\n\r\n", forever=b"a" * 65536), "a" * 1000),
    "a body that drips": (answering(OK + b"Content-Length: 100\r\n\r\n", forever=b"x", pause=0.5), None),
    "a body that breaks off": (answering(OK + b"Content-Length: 100\r\n\r\nhalf"), "half"),
    "a body of NULs and broken UTF-8": (answering(OK + b"Content-Length: 3\r\n\r\na\x00\xff"), "a\ufffd\ufffd"),
    "103 before 200": (answering(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n"), ""),
    "a body that is no HTTP": (answering(OK + CHUNKED + b"-5\r\nhello\r\n"), ""),
    "a chunk's length without end": (answering(OK + CHUNKED, forever=b"0" * 65536), ""),
    "a chunk's extension without end": (answering(OK + CHUNKED + b"5;", forever=b"a" * 65536), ""),
    "chunks of one byte in much wrapping": (answering(OK + CHUNKED, forever=b"1;%s\r\nx\r\n" % (b"a" * 4000)), "x" * 65),
    "trailers for ever": (answering(OK + CHUNKED + b"2\r\nok\r\n0\r\n", forever=b"X-A: b\r\n" * 1000), "ok"),
    "a trailer without end": (answering(OK + CHUNKED + b"2\r\nok\r\n0\r\nX-A: ", forever=b"a" * 65536), "ok"),
    "204 with a body": (answering(b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"), ""),
    "more than its length": (answering(OK + b"Content-Length: 2\r\n\r\nok and more"), "ok"),
    "two answers": (answering(OK + b"Content-Length: 2\r\n\r\nok" + OK + b"Content-Length: 0\r\n\r\n"), "ok"),
    "a body without length or end": (answering(OK + b"\r\n", forever=b"a" * 65536), "a" * 1000),
    "a gzip bomb": (answering(OK + b"Content-Encoding: gzip\r\n\r\n" + BOMB), None),
    "a compressed body": (answering(OK + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08"), None),
}


async def drips_its_handshake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The head of a TLS record, and then a byte of it now and then."""
    await reader.read(1)
    for byte in b"\x16\x03\x03\x40\x00" + b"\x02" * 1000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def answers_with_garbage_for_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"\x16\x03\x03\x00\x04\xff\xff\xff\xff" * 10)
    await writer.drain()
    await asyncio.sleep(0.2)


async def closes_before_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)


def presenting(**how: Any) -> Callable[[trustme.CA], ssl.SSLContext]:
    """A server's context with a certificate that must not be trusted for 127.0.0.1."""

    def make(authority: trustme.CA) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issuer = trustme.CA() if how.get("is_unknown") else authority
        dates = {name: how[name] for name in ("not_before", "not_after") if name in how}
        issuer.issue_cert(how.get("name", "127.0.0.1"), **dates).configure_cert(context)
        if how.get("wants_ours"):
            context.verify_mode = ssl.CERT_REQUIRED
            authority.configure_trust(context)
        return context

    return make


YEARS_AGO, YEARS_AHEAD = datetime(2001, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)
WITHOUT_TLS = {
    "handshake that drips": (drips_its_handshake, "timeout"),
    "handshake of garbage": (answers_with_garbage_for_tls, "tls connect"),
    "closes before the handshake": (closes_before_tls, "connect tls"),
}
CERTIFICATES = {
    "of another name": (presenting(name="other.example"), "tls"),
    "of another address": (presenting(name="127.0.0.2"), "tls"),
    "of a wildcard": (presenting(name="*.0.0.1.example"), "tls"),
    "expired": (presenting(not_before=YEARS_AGO, not_after=YEARS_AGO.replace(year=2002)), "tls"),
    "not yet valid": (presenting(not_before=YEARS_AHEAD, not_after=YEARS_AHEAD.replace(year=3000)), "tls"),
    "of an unknown authority": (presenting(is_unknown=True), "tls"),
    "that asks for ours": (presenting(wants_ours=True), "tls protocol"),
}


Server = tuple[Behaviour, ssl.SSLContext | None]
# These, and only these, are ended by the budget.
HANGING = [
    *(name for name, (_, expected) in (FAILING | WITHOUT_TLS).items() if "timeout" in expected),
    *(name for name, (_, excerpt) in SUCCEEDING.items() if excerpt is None),
]


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    """By name: the outcome of one attempt at each of them; all that hang at once, and before them all others."""
    authority = trustme.CA()
    good = presenting()(authority)
    servers: dict[str, Server] = {
        **{name: (behaviour, good) for name, (behaviour, _) in (FAILING | SUCCEEDING).items()},
        **{name: (behaviour, None) for name, (behaviour, _) in WITHOUT_TLS.items()},
        **{name: (SUCCEEDING["200"][0], make(authority)) for name, (make, _) in CERTIFICATES.items()},
    }
    hanging = {name: servers.pop(name) for name in HANGING}

    async def attempt(sender: HttpSender, behaviour: Behaviour, tls: ssl.SSLContext | None) -> Outcome:
        async with listening(behaviour, tls) as port:
            url = f"https://127.0.0.1:{port}/hook"
            return await sender.post(url, b'{"a":1}', {"Content-Type": "application/json"})

    async def all_of(some: dict[str, Server], budget: float, ca_file: str) -> dict[str, Outcome]:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)  # of the servers' broken handshakes
        async with HttpSender(budget, lambda: datetime.now(UTC), LOOPBACK, Path(ca_file)) as sender:
            found = await asyncio.gather(*(attempt(sender, *server) for server in some.values()))
        return dict(zip(some, found, strict=True))

    with authority.cert_pem.tempfile() as ca_file:
        return asyncio.run(all_of(servers, AMPLE, ca_file)) | asyncio.run(all_of(hanging, TOGETHER, ca_file))


@pytest.mark.parametrize("name", [*FAILING, *WITHOUT_TLS, *CERTIFICATES])
def test_receiver_that_does_not_acknowledge_is_a_failure_inside_the_budget(name: str, outcomes: dict[str, Outcome]) -> None:
    expected = {**FAILING, **WITHOUT_TLS, **CERTIFICATES}[name][1]
    outcome = outcomes[name]
    assert not outcome.is_delivered
    assert outcome.error_class in expected.split(), outcome.error
    assert outcome.duration_ms < 1000 * (AMPLE / 2 if name not in HANGING else TOGETHER + 5)
    # A request goes to nobody who has not proved who it is.
    assert outcome.is_request_sent is (name in FAILING or name == "that asks for ours")


@pytest.mark.parametrize("name", SUCCEEDING)
def test_any_2xx_head_in_time_is_a_success_whatever_its_body_does(name: str, outcomes: dict[str, Outcome]) -> None:
    """FS-56, FS-57, A-FS-6."""
    excerpt = SUCCEEDING[name][1]
    outcome = outcomes[name]
    assert (outcome.is_delivered, outcome.error_class) == (True, None)
    if excerpt is not None:
        assert outcome.response_excerpt == excerpt


def test_tls_handshake_that_never_ends_is_a_timeout(authority: tuple[ssl.SSLContext, Path]) -> None:
    outcome, seconds = post(answering(pause=10, forever=b""), authority, plain=True)
    assert outcome.error_class == "timeout"
    assert seconds < 8  # the server would go on for ten seconds


def test_receiver_without_tls_is_a_tls_failure(authority: tuple[ssl.SSLContext, Path]) -> None:
    async def plain_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    assert post(plain_http, authority, plain=True)[0].error_class in {"tls", "connect"}


def test_nobody_listening_is_a_connect_failure(authority: tuple[ssl.SSLContext, Path]) -> None:
    async def run() -> Outcome:
        async with HttpSender(BUDGET, lambda: datetime.now(UTC), LOOPBACK, authority[1]) as sender:
            return await sender.post("https://127.0.0.1:1/", b"{}", {})

    assert asyncio.run(run()).error_class == "connect"


def resolving(answer: Callable[[], list[str]]) -> tuple[Outcome, float]:
    async def run() -> tuple[Outcome, float]:
        sender = HttpSender(BUDGET, lambda: datetime.now(UTC), resolve=lambda _host, _port: answer())
        async with sender:
            began = time.monotonic()
            return await sender.post("https://hooks.example.com/", b"{}", {}), time.monotonic() - began

    return asyncio.run(run())


@pytest.mark.parametrize(
    "addresses",
    [["10.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["169.254.169.254"], ["::ffff:127.0.0.1"], ["2606:4700::1", "fe80::1"]],
)
def test_one_bad_address_refuses_the_name(addresses: list[str]) -> None:
    assert resolving(lambda: addresses)[0].error_class == "refused_address"


def test_name_that_does_not_exist_is_a_dns_failure() -> None:
    def fail() -> list[str]:
        raise OSError("no such name")

    assert resolving(fail)[0].error_class == "dns"
    assert resolving(list)[0].error_class == "dns"


def test_slow_resolver_is_a_timeout() -> None:
    release = threading.Event()

    def hang() -> list[str]:
        release.wait(60)
        return ["10.0.0.1"]

    outcome, seconds = resolving(hang)
    assert (outcome.error_class, outcome.is_request_sent) == ("timeout", False)
    assert seconds < 30  # it still hangs
    release.set()


def test_rebinding_name_is_connected_only_to_what_was_vetted(authority: tuple[ssl.SSLContext, Path]) -> None:
    """The second answer leads elsewhere; the connection goes where the first, vetted one led."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"], ["10.0.0.1"]])

    async def run() -> Outcome:
        tls = throwaway_certificate("rebinding.example", authority[1].with_name("rebinding.pem"))
        sender = HttpSender(
            BUDGET, lambda: datetime.now(UTC), LOOPBACK, authority[1].with_name("rebinding.pem"), lambda _h, _p: next(answers)
        )
        async with listening(answering(OK + b"Content-Length: 0\r\n\r\n"), tls) as port, sender:
            return await sender.post(f"https://rebinding.example:{port}/", b"{}", {})

    outcome = asyncio.run(run())
    assert (outcome.is_delivered, outcome.resolved_address) == (True, "127.0.0.1")


def test_environment_proxies_are_not_used(authority: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    assert post(SUCCEEDING["200"][0], authority)[0].is_delivered

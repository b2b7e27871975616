"""Clients that take their time: each costs a connection for a while, and nobody else is kept waiting."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from pipeline.api import bodies
from pipeline.api.patience import PatientProtocol

SLOW = 40
HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Padding: "
pytestmark = pytest.mark.parametrize("app_database", ["sqlite"], indirect=True)


@pytest.fixture
def connect(api: Any) -> Iterator[Any]:
    """Opens connections to the service; all are closed in the end."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(socket.create_connection(("127.0.0.1", api.port), timeout=10))


def answer(connection: socket.socket) -> bytes:
    """All that comes until the service closes the connection."""
    received = b""
    try:
        while chunk := connection.recv(4_096):
            received += chunk
    except ConnectionResetError:
        pass  # it closed while we were still sending
    return received


def push_head(api: Any, size: int) -> bytes:
    """The head of a push whose body is to have so many bytes."""
    lines = ["POST /api/v1/accounts HTTP/1.1", "Host: x", f"Authorization: Bearer {api.key.token}", f"Content-Length: {size}"]
    return "\r\n".join([*lines, "", ""]).encode()


def is_closed(connection: socket.socket) -> bool:
    """Of a connection whose request is not whole: the service has said no, or nothing, and left."""
    connection.settimeout(0.001)
    try:
        return connection.recv(4_096)[:13] in (b"", b"HTTP/1.1 503 ")
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


def served_among(slow: list[socket.socket], piece: bytes, ask: Callable[[], Any]) -> None:
    """Asks between the pieces of the slow ones are answered while these are still being waited for."""
    for _ in range(5):
        for connection in slow:
            connection.sendall(piece)
        assert ask().status_code == 200
    assert select.select(slow, [], [], 0)[0] == [], "the slow ones were let go first, which proves nothing of the others"


def given_up(slow: list[socket.socket], piece: bytes) -> list[bytes]:
    """What each of the slow ones is told, though its pieces keep coming: a clock that each of them starts anew never ends."""
    until = time.monotonic() + 30
    while select.select(slow, [], [], 0.1)[0] == []:
        assert time.monotonic() < until, "they are waited for without end"
        for connection in slow:
            with suppress(ConnectionError):  # let go between the look and the piece
                connection.sendall(piece)
    return [answer(connection) for connection in slow]


def test_heads_that_come_byte_by_byte_are_given_up_and_others_served(
    api: Any, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientProtocol, "head_seconds", 3.0)
    slow = [connect() for _ in range(SLOW)]
    for connection in slow:
        connection.sendall(HEAD)
    served_among(slow, b"x", lambda: api.get("/webhooks"))
    for text in given_up(slow, b"x"):
        head, _, body = text.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 ")
        assert b"connection: close" in head.lower()
        assert json.loads(body)["error"]["code"] == "request_timeout"


def test_who_connects_and_says_nothing_is_let_go(api: Any, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "head_seconds", 0.2)
    assert answer(connect()) == b""


def test_a_head_in_pieces_is_served_also_on_a_kept_connection(api: Any, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "head_seconds", 2.0)
    connection = connect()
    for _ in range(3):
        connection.sendall(HEAD)
        time.sleep(0.8)  # thrice this is more than one head may take
        connection.sendall(b"x\r\n\r\n")
        received = b""
        while not received.endswith(b"}"):
            received += connection.recv(4_096)
        assert received.startswith(b"HTTP/1.1 200 ")


def test_bodies_that_come_byte_by_byte_keep_nobody_out(make_api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """More of them, by what they announce, than all bodies together may take; the head of each is fine."""
    monkeypatch.setattr(bodies, "BODY_SECONDS", 3.0)
    rows = {"accounts": [{"external_id": "a", "name": "A", "metadata": {"x": "y" * 60_000}}] * 3}
    with make_api() as api, ExitStack() as opened:
        slow = [opened.enter_context(socket.create_connection(("127.0.0.1", api.port), timeout=10)) for _ in range(SLOW)]
        for connection in slow:
            connection.sendall(push_head(api, 8_000_000))
        served_among(slow, b" ", lambda: api.post("/contacts", {"contacts": [], "padding": rows}))
        assert all(text.startswith(b"HTTP/1.1 408 ") for text in given_up(slow, b" "))


def test_a_body_that_pauses_is_given_up(api: Any, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "GAP_SECONDS", 0.2)
    connection = connect()
    connection.sendall(push_head(api, 20) + b" ")
    assert answer(connection).startswith(b"HTTP/1.1 408 ")


def test_where_connections_run_short_the_longest_waiting_goes(api: Any, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    api.raw("/healthz")  # the test's own client keeps its connection
    monkeypatch.setattr(PatientProtocol, "most_connections", 6)
    waiting = []
    for _ in range(20):
        waiting.append(connect())
        waiting[-1].sendall(HEAD)
        time.sleep(0.01)
    for _ in range(5):
        fresh = connect()
        fresh.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert answer(fresh).startswith(b"HTTP/1.1 200 ")
    states = [is_closed(connection) for connection in waiting]
    assert states == sorted(states, reverse=True)  # the first came first
    assert states.count(False) <= 6


def test_what_is_no_http_is_told_in_the_envelope(api: Any, connect: Any) -> None:
    connection = connect()
    connection.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    head, _, body = answer(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"]["code"] == "invalid_request"


def test_a_request_whose_end_two_readers_would_see_differently_is_refused_and_nothing_read_behind_it(
    connect: Any, api: Any
) -> None:
    """RFC 9112, 6.1 and 11.2: a second request hides behind the end that Content-Length would give."""
    hidden = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    head = push_head(api, 3).removesuffix(b"\r\n") + b"Transfer-Encoding: chunked\r\n\r\n"
    smuggling = connect()
    smuggling.sendall(head + b"0\r\n\r\n" + hidden)
    received = answer(smuggling)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.count(b"HTTP/1.1") == 1
    assert b'"code":"invalid_request"' in received

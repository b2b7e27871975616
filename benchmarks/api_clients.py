"""Clients of the API under load: what they send, what they fetch, and how long each call took."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

ROWS = 1_000
PAGE = 200
PAGES = 150


@contextlib.contextmanager
def closing_client(port: int) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        yield connection
    finally:
        connection.close()


def batch(number: int, version: str = "v") -> bytes:
    """The body of one call with 1,000 accounts; the same number and version, the same bytes."""
    rows = [
        {
            "external_id": f"c{n % 7}-{n:08d}",
            "name": f"Company {n} Industries",
            "domain": f"company-{n}.example",
            "metadata": {"partner_customer_id": f"vc_{n % 7}", "owner_email": f"owner{n % 50}@partner.example", "v": version},
        }
        for n in range(number * ROWS, (number + 1) * ROWS)
    ]
    return json.dumps({"accounts": rows}).encode()


def push(port: int, token: str, bodies: Any, clients: int) -> tuple[float, list[float]]:
    """(seconds in all, milliseconds of each call); every client keeps one connection and takes the next body."""
    waiting = iter(bodies)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def client() -> list[float]:
        times = []
        with closing_client(port) as connection:
            while (body := next(waiting, None)) is not None:
                started = time.perf_counter()
                connection.request("POST", "/api/v1/accounts", body, headers)
                answer = connection.getresponse()
                content = answer.read()
                times.append((time.perf_counter() - started) * 1000)
                assert (answer.status, json.loads(content)["upserted"]) == (200, ROWS), content[:300]
        return times

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        done = [future.result() for future in [pool.submit(client) for _ in range(clients)]]
    return time.perf_counter() - started, [milliseconds for times in done for milliseconds in times]


def pages(
    client: http.client.HTTPConnection,
    token: str,
    query: str,
    is_walk: bool,
    count: int = PAGES,
    cursor: str | None = None,
) -> tuple[list[float], str | None]:
    """Milliseconds of each of ``count`` pages, bytes read included: the newest again and again, or one after another from
    ``cursor``; and the cursor where the walk goes on."""
    times: list[float] = []
    for _ in range(count):
        since = f"&since={quote(cursor)}" if cursor and is_walk else ""
        started = time.perf_counter()
        client.request("GET", f"/api/v1/matches?limit={PAGE}{query}{since}", headers={"Authorization": f"Bearer {token}"})
        answer = client.getresponse()
        content = answer.read()
        times.append((time.perf_counter() - started) * 1000)
        assert answer.status == 200, content[:300]
        cursor = json.loads(content)["next_cursor"]
        if is_walk and cursor is None:
            break
    return times, cursor


def quantile(times: Sequence[float], share: float) -> float:
    """The time that this share of ``times`` did not exceed."""
    if len(times) == 1:
        return times[0]
    return statistics.quantiles(times, n=100, method="inclusive")[round(share * 100) - 1]

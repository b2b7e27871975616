"""What hostile answers cost the sender: seconds, processor time and memory of one attempt at each, in a process of its own.

    .venv/bin/python benchmarks/hostile.py

Every attempt must end within the budget and be judged; whether it is, tests/integration/test_webhooks_hostile.py says of many
more. This prints what it takes: a receiver must not be able to keep a processor busy, or fill the memory.
"""

from __future__ import annotations

import asyncio
import gzip
import multiprocessing
import resource
import socket
import ssl
import tempfile
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from pipeline.webhooks.attempts import Outcome
from pipeline.webhooks.receiver import throwaway_certificate
from pipeline.webhooks.transport import HttpSender

BUDGET = 5.0
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(bytes(200_000_000))
# What is answered first, and what then without end, as fast as it goes.
ANSWERS: dict[str, tuple[bytes, bytes]] = {
    "a flood of 103": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 1_000),
    "a flood of fat 103": (b"", b"HTTP/1.1 103 E\r\n" + b"X-A: %s\r\n" % (b"a" * 8_000) * 90 + b"\r\n"),
    "a flood of blank lines": (b"", b"\r\n" * 10_000),
    "a header without end": (OK + b"X-A: ", b"a" * 65_536),
    "headers without end": (OK, b"X-A: b\r\n" * 10_000),
    "a chunk's extension without end": (CHUNKED + b"5;", b"a" * 65_536),
    "a chunk's length without end": (CHUNKED, b"0" * 65_536),
    "trailers without end": (CHUNKED + b"2\r\nok\r\n0\r\n", b"X-A: b\r\n" * 1_000),
    "a body of 4 GB": (OK + b"Content-Length: 4294967296\r\n\r\n", b"a" * 65_536),
    "200 MB in 200 kB of gzip": (OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB, b""),
    "nothing": (b"", b""),
}


def serve(first: bytes, then: bytes, tls: ssl.SSLContext, server: socket.socket) -> None:
    """Answer one connection so, until it is closed."""
    with suppress(OSError), tls.wrap_socket(server.accept()[0], server_side=True) as connection:
        connection.recv(65_536)
        connection.sendall(first)
        while then:
            connection.sendall(then)
        time.sleep(BUDGET + 1)


def attempt(port: int, ca_file: Path, answer: Any) -> None:
    """One attempt, and what it took."""

    async def post() -> Outcome:
        sender = HttpSender(BUDGET, lambda: datetime.now(UTC), [ip_network("127.0.0.0/8")], ca_file)
        async with sender:
            return await sender.post(f"https://127.0.0.1:{port}/hook", b"{}", {})

    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    outcome = asyncio.run(post())
    after, seconds = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - began
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    answer.send((outcome, seconds, processor, (after.ru_maxrss - before.ru_maxrss) / 1024))


def main() -> None:
    processes = multiprocessing.get_context("spawn")
    print(f"{'answer':<34}{'judged':<12}{'seconds':>8}{'processor':>11}{'MB more':>9}")
    with tempfile.TemporaryDirectory() as folder:
        ca_file = Path(folder) / "ca.pem"
        tls = throwaway_certificate("127.0.0.1", ca_file)
        for name, (first, then) in ANSWERS.items():
            with socket.create_server(("127.0.0.1", 0)) as server:
                threading.Thread(target=serve, args=(first, then, tls, server), daemon=True).start()
                mine, theirs = processes.Pipe()
                process = processes.Process(target=attempt, args=(server.getsockname()[1], ca_file, theirs))
                process.start()
                outcome, seconds, processor, more = mine.recv()
                process.join()
            judged = outcome.error_class or f"delivered {outcome.response_code}"
            print(f"{name:<34}{judged:<12}{seconds:>8.2f}{processor:>11.3f}{more:>9.1f}", flush=True)


if __name__ == "__main__":
    main()

"""An endpoint that hangs holds up nobody else."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from pipeline.webhooks.outbox import record_matches
from pipeline.webhooks.receiver import Receiver, throwaway_certificate
from pipeline.webhooks.sender import deliver_pending

AMPLE = 60.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    return throwaway_certificate("127.0.0.1", ca_file), ca_file


@contextmanager
def hanging_server(until: threading.Event) -> Iterator[int]:
    """Accepts any number of connections and does nothing with them until it is told to close them."""
    server = socket.create_server(("127.0.0.1", 0), backlog=64)

    def serve() -> None:
        with suppress(OSError), ExitStack() as taken:
            while not until.is_set():
                taken.enter_context(server.accept()[0])

    def close() -> None:
        until.wait()
        server.shutdown(socket.SHUT_RDWR)

    threads = [threading.Thread(target=work, daemon=True) for work in (serve, close)]
    for thread in threads:
        thread.start()
    yield server.getsockname()[1]
    until.set()
    for thread in threads:
        thread.join(10)
    server.close()


def test_hanging_endpoint_holds_up_nobody_else(partners: Any, authority: tuple[ssl.SSLContext, Path]) -> None:
    """The others are all answered while it still hangs: it is let go by the last of them, long before its budget ends."""
    are_served = threading.Event()
    left = iter(range(19, -1, -1))
    receiver = Receiver([], authority[0], lambda _item: None if next(left) else are_served.set())
    with receiver, hanging_server(are_served) as port:
        slow = partners.add("slow", f"https://127.0.0.1:{port}/")
        healthy = partners.add("healthy", receiver.url)
        receiver.secrets.append(partners.secret(healthy))
        # The hanging partner's deliveries are the oldest, and more than its share of slots.
        found = [partners.found(slow, partners.round(f"s{n}")) for n in range(9)]
        record_matches(partners.database, found, partners.now)
        found = [partners.found(healthy, partners.round(f"h{n}")) for n in range(20)]
        record_matches(partners.database, found, partners.now)
        settings = partners.settings(webhook_ca_file=authority[1], webhook_timeout_seconds=AMPLE, webhook_max_in_flight=16)
        report = deliver_pending(partners.database, partners.box, settings, lambda: partners.now)
    assert (report.delivered, report.failed) == (20, 9)
    assert "timeout" not in report.failed_by_class

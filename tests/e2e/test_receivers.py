"""Receivers in five more languages, as our page prints them, behind a proxy that ends TLS.

A language is tested where it is installed (Debian: php-cli, ruby and ruby-webrick, golang-go, default-jdk-headless).
"""

from __future__ import annotations

import asyncio
import re
import shutil
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.settings import PROJECT_ROOT
from pipeline.store.app_database import AppDatabase
from pipeline.webhooks.endpoints import set_webhook
from pipeline.webhooks.outbox import record_matches
from pipeline.webhooks.receiver import throwaway_certificate
from pipeline.webhooks.sender import deliver_pending
from pipeline.webhooks.signing import fundingscout_signature

OUR_PAGE = PROJECT_ROOT / "docs" / "partners" / "receivers.md"
HOOK = "/hooks/fundingscout"
# By heading: the file, what must be installed, the command ({port}), and what it prints once for a match.
RECEIVERS = {
    "Python (Flask)": ("receiver.py", None, [sys.executable, "-m", "flask", "--app", "receiver", "run", "--port", "{port}"]),
    "PHP": ("receiver.php", "php", ["php", "-S", "127.0.0.1:{port}", "receiver.php"]),
    "Ruby": ("receiver.rb", "ruby", ["ruby", "receiver.rb"]),
    "Go": ("receiver.go", "go", ["go", "run", "receiver.go"]),
    "Java": ("Receiver.java", "java", ["java", "Receiver.java"]),
}
HANDLED = {"Java": 'match: {"all_matches"'}


@pytest.fixture
def app_database(make_app_database: Callable[[str], AppDatabase]) -> AppDatabase:
    """What receivers see does not depend on the backend: one is enough."""
    return make_app_database("sqlite")


def printed(heading: str) -> str:
    """The first program under this heading of our page."""
    found = re.search(rf"## {re.escape(heading)}\n.*?```\w+\n(.*?)```", OUR_PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found, heading
    return found[1]


def needs(program: str | None) -> None:
    if program and not shutil.which(program):
        pytest.skip(f"needs {program}")


def wait_for_line(log: Path, words: str) -> None:
    until = time.monotonic() + 30
    while words not in log.read_text():
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.02)


@contextmanager
def proxy(port: int, tls: ssl.SSLContext) -> Iterator[int]:
    """Ends TLS in front of ``port``, as a partner's proxy does; gives its own port."""
    ready: list[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = []
    is_ready = threading.Event()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, behind[1]), copy(behind[0], writer))

    async def serve() -> None:
        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
        stopping = asyncio.Event()
        ready.append((server.sockets[0].getsockname()[1], asyncio.get_running_loop(), stopping))
        is_ready.set()
        async with server:
            await stopping.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert is_ready.wait(10)
    own, loop, stopping = ready[0]
    yield own
    loop.call_soon_threadsafe(stopping.set)
    thread.join(10)


@pytest.mark.parametrize("heading", RECEIVERS)
def test_our_page_s_receiver_runs_as_printed(
    heading: str, partners: Any, tmp_path: Path, running: Any, request: pytest.FixtureRequest
) -> None:
    """Our sender's delivery is acknowledged and handled once; the same with one byte changed, or signed by another, refused."""
    file, program, command = RECEIVERS[heading]
    needs(program)
    (tmp_path / file).write_text(printed(heading), encoding="utf-8")
    library = {} if program else {"PYTHONPATH": str(request.getfixturevalue("python_library"))}
    organization = partners.add("acme")
    secret = partners.secret(organization)
    ca_file = tmp_path / "ca.pem"
    with (
        running(command, tmp_path, FS_WEBHOOK_SECRET=secret, **library) as port,
        proxy(port, throwaway_certificate("127.0.0.1", ca_file)) as front,
    ):
        set_webhook(
            partners.database, organization, f"https://127.0.0.1:{front}{HOOK}", partners.keys[organization].id, partners.now,
            [ip_network("127.0.0.0/8")],
        )  # fmt: skip
        partners.account(organization, "a1", '{"partner_customer_id": "vc_42"}')
        record_matches(partners.database, [partners.found(organization, partners.round("r1"))], partners.now)
        settings = partners.settings(webhook_ca_file=ca_file, webhook_timeout_seconds=5.0)
        deliver_pending(partners.database, partners.box, settings, lambda: datetime.now(UTC))
        [sent] = partners.deliveries()
        assert (sent.status, sent.reason) == ("delivered", None)
        body = sent.body.encode()
        genuine = fundingscout_signature(secret, body)
        answer = asking(f"http://127.0.0.1:{port}{HOOK}", "X-FundingScout-Signature")
        assert answer(body, genuine) in (200, 204)
        assert answer(body.replace(b"20000000", b"90000000"), genuine) == 401
        assert answer(body + b" ", genuine) == 401
        assert answer(body, fundingscout_signature("fs_whsec_of_another", body)) == 401
        assert answer(body, genuine.removeprefix("sha256=")) == 401
        assert answer(body, None) == 401
        handled = HANDLED.get(heading, "for vc_42: r1 Robotics")
        wait_for_line(tmp_path / "receiver.log", handled)  # it is handed on after the answer
    assert (tmp_path / "receiver.log").read_text().count(handled) == 1


def asking(url: str, header: str) -> Callable[[bytes, str | None], int]:
    """Posts a body with a signature in ``header``, or without one; gives the status."""

    def ask(content: bytes, signature: str | None) -> int:
        headers = {"Content-Type": "application/json"} | ({header: signature} if signature else {})
        return httpx.post(url, content=content, headers=headers, trust_env=False).status_code

    return ask

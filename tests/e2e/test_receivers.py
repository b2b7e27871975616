"""Receivers in five more languages, as our page prints them, behind a proxy that ends TLS; and two of a later face's page.

A language is tested where it is installed (Debian: php-cli, ruby and ruby-webrick, golang-go, default-jdk-headless). The page of
the face that is to come is read where it is; its programs are not kept here.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import ssl
import subprocess
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
from pipeline.webhooks.signing import fundingscout_signature, hmac_hex

OUR_PAGE = PROJECT_ROOT / "docs" / "partners" / "receivers.md"
STARTCAP_PAGE = PROJECT_ROOT.parent / "shared" / "spec" / "seeds" / "startcap-partners-api.txt"
HOOK = "/hooks/fundingscout"
START_SECONDS = 90.0  # Go compiles first
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


@contextmanager
def running(command: list[str], folder: Path, **environment: str) -> Iterator[int]:
    """The port of a receiver that speaks plain HTTP; its output goes to receiver.log."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [word.replace("{port}", str(port)) for word in command]
    # Marks of known matches go to TMPDIR.
    more = {"PORT": str(port), "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1", **environment}
    with (folder / "receiver.log").open("wb") as log:
        process = subprocess.Popen(
            words, cwd=folder, env={**os.environ, **more}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        until = time.monotonic() + START_SECONDS
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None, (folder / "receiver.log").read_text()
            assert time.monotonic() < until, "it did not start"
            time.sleep(0.05)
        yield port
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)


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
    heading: str, partners: Any, tmp_path: Path, request: pytest.FixtureRequest
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


# --- the signature of the faces to come: bare hex over the same bytes -------------------------------------------------


def of_startcap(first: str, last: str) -> str:
    """The program on StartCap's page from the line ``first`` to the next that is ``last``, with our secret for its own."""
    if not STARTCAP_PAGE.exists():
        pytest.skip("the source page is not on this machine")
    lines = STARTCAP_PAGE.read_text(encoding="utf-8").splitlines()
    section = next(
        number for number, line in enumerate(lines) if line.startswith("Below are complete, ready-to-use webhook receiver")
    )
    begin = lines.index(first, section)
    return "\n".join(lines[begin : lines.index(last, begin) + 1]).replace("your_webhook_secret_here", "fs_whsec_of_a_test")


STARTCAP_RECEIVERS = {
    "php": ("receiver.php", "<?php", "?>", ["php", "-S", "127.0.0.1:{port}", "receiver.php"]),
    "node": (
        "receiver.cjs", "const express = require('express');", "const PORT = process.env.PORT || 3000;", ["node", "receiver.cjs"],
    ),
    "ruby": ("receiver.rb", "require 'sinatra'", "{ received: true }.to_json", ["ruby", "receiver.rb", "-p", "{port}", "-q"]),
    "go": ("receiver.go", "package main", 'log.Fatal(http.ListenAndServe(":3000", nil))', ["go", "run", "receiver.go"]),
}  # fmt: skip
# What each is given to listen where we say; and Go, which has no use for a variable of the page, to be a program at all.
STARTCAP_ENDINGS: dict[str, Callable[[str], str]] = {
    "php": lambda source: source,
    "node": lambda source: source + "\napp.listen(PORT, '127.0.0.1')\n",
    "ruby": lambda source: f"set :bind, '127.0.0.1'\n{source}\nend\n".replace("set :bind", "require 'sinatra'\nset :bind", 1),
    "go": lambda source: (
        source.replace('eventType := r.Header.Get("X-Webhook-Event")', "")
        .replace("import (\n", 'import (\n"os"\n', 1)
        .replace('":3000", nil', '"127.0.0.1:"+os.Getenv("PORT"), nil')
        + "\n}\n"
    ),
}


def has_sinatra() -> bool:
    """Whether Ruby finds the library that the page's program is written with (Debian: ruby-sinatra)."""
    return subprocess.run(["ruby", "-e", "require 'sinatra/base'"], capture_output=True, timeout=60).returncode == 0


@pytest.mark.parametrize("language", STARTCAP_RECEIVERS)
def test_startcap_s_receivers_verify_the_bare_hex_signature(
    language: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A-X-1: the same core signs. The page's Flask program has lost its indentation, and its Java needs Spring: neither runs."""
    needs(language)
    file, first, last, command = STARTCAP_RECEIVERS[language]
    source = of_startcap(first, last)
    if language == "node":
        (tmp_path / "node_modules").symlink_to(request.getfixturevalue("node_modules"))
    if language == "ruby" and not has_sinatra():
        pytest.skip("needs ruby-sinatra")
    (tmp_path / file).write_text(STARTCAP_ENDINGS[language](source), encoding="utf-8")
    body = (
        '{"data":{"amount":"125.00","note":"Zürich"},"event":"commission.earned","timestamp":"2026-05-12T01:54:00Z"}'.encode()
    )
    with running(command, tmp_path) as port:
        answer = asking(f"http://127.0.0.1:{port}/webhook", "X-Webhook-Signature")
        assert answer(body, hmac_hex("fs_whsec_of_a_test", body)) == 200
        assert answer(body.replace(b"125", b"925"), hmac_hex("fs_whsec_of_a_test", body)) == 401
        assert answer(body, hmac_hex("fs_whsec_of_another", body)) == 401
        assert answer(body, None) == 401

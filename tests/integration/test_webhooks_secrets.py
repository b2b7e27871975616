"""Secrets stay where they are kept: in no log, no error, no table, no Dagster metadata, whatever a receiver does with them."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import text

from pipeline.defs import delivery
from pipeline.installation import Installation
from pipeline.webhooks.controls import set_headers, set_policy
from pipeline.webhooks.outbox import record_matches
from pipeline.webhooks.receiver import throwaway_certificate

# What a partner gave us for its gateway, and what its URLs hold.
GATEWAY, IN_PATH, IN_QUERY = "gateway-credential-5e1", "path-secret-7c4", "query-secret-9d2"
SECRETS = (GATEWAY, IN_PATH, IN_QUERY)
# The ledger's own note of where an attempt went, which operators look up (`deliveries show`).
KNOWN_PLACES = {"webhook_endpoints.url", "delivery_attempts.endpoint_url", "core.webhook_deliveries.endpoint_url"}

pytestmark = pytest.mark.parametrize("app_database", ["sqlite"], indirect=True)


@pytest.fixture
def echo(tmp_path: Path) -> Iterator[str]:
    """A receiver that repeats all that it is sent; under /bad/ in a status line, so that it is an error's text."""
    tls = throwaway_certificate("127.0.0.1", tmp_path / "ca.pem")
    started: list[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = []
    is_ready = threading.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        credential = (re.search(rb"Authorization: ([^\r]*)", head) or [b"", b""])[1]
        if b" /bad/" in head:
            writer.write(b"HTTP/1.1 " + credential + b"\r\n\r\n")
        else:
            shown = credential + b"\n" + head.partition(b"\r\n")[2]
            writer.write(b"HTTP/1.1 500 No\r\nContent-Length: %d\r\n\r\n" % len(shown) + shown)
        await writer.drain()
        writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
        started.append((server.sockets[0].getsockname()[1], asyncio.get_running_loop(), asyncio.Event()))
        is_ready.set()
        async with server:
            await started[0][2].wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert is_ready.wait(10)
    port, loop, stopping = started[0]
    yield f"https://127.0.0.1:{port}"
    loop.call_soon_threadsafe(stopping.set)
    thread.join(10)


def test_no_secret_is_recorded_or_shown_though_the_receiver_repeats_it(
    partners: Any, tmp_path: Path, echo: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    organizations = {path: partners.add(path, f"{echo}/{path}/{IN_PATH}?token={IN_QUERY}") for path in ("good", "bad")}
    for path, organization in organizations.items():
        set_headers(partners.database, partners.box, organization, {"Authorization": f"Bearer {GATEWAY}"})
        set_policy(partners.database, organization, {"disable_after": {"failures": 1}})
        record_matches(partners.database, [partners.found(organization, partners.round(f"r-{path}"))], partners.now)
    settings = partners.settings(
        home=tmp_path / "home", database_url=str(partners.database.url), webhook_ca_file=tmp_path / "ca.pem"
    )
    installation = Installation(settings, lambda: partners.now)
    object.__setattr__(installation, "secret_box", partners.box)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([delivery.webhook_deliveries], instance=instance, resources={"installation": installation})
        events = [repr(record) for record in instance.all_logs(result.run_id)]
    attempts = partners.attempts()
    assert sorted((attempt.error_class, attempt.response_code) for attempt in attempts) == [
        ("http_5xx", 500),
        ("protocol", None),
    ]
    assert any("[redacted]" in (attempt.response_excerpt or "") for attempt in attempts)
    assert any("no HTTP answer" in (attempt.error or "") for attempt in attempts)

    found = set(_in_app_database(partners.database)) | set(_in_warehouse(installation))
    assert found == KNOWN_PLACES
    secrets = (*SECRETS, *(partners.secret(organization) for organization in organizations.values()))
    said = caplog.text + "".join(repr(vars(record)) for record in caplog.records) + "".join(events)
    assert [secret for secret in secrets if secret in said] == []
    assert "was disabled" in said
    installation.close()


def _in_app_database(database: Any) -> Iterator[str]:
    with database.read() as session:
        tables = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
        for table in tables:
            for row in session.execute(text(f'SELECT * FROM "{table}"')).mappings():
                yield from (f"{table}.{name}" for name, value in row.items() if _holds(value))


def _in_warehouse(installation: Installation) -> Iterator[str]:
    with installation.warehouse.open() as connection:
        tables = connection.execute("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
        for schema, table in tables:
            cursor = connection.execute(f'SELECT * FROM "{schema}"."{table}"')
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                yield from (f"{schema}.{table}.{name}" for name, value in zip(names, row, strict=True) if _holds(value))


def _holds(value: Any) -> bool:
    shown = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return any(secret in shown for secret in SECRETS)

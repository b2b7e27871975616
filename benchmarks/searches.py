"""Searches over published signals: what one costs, and by which plan, among a million (GET /signals/…, /companies).

    python benchmarks/searches.py [--signals 1000000] [--postgresql] [--repeat 20] [--plans]

Two fifths of the signals are rounds, the others acquisitions, job changes and openings alike, over three years; payloads of 1.2 to
2 KB. Each search is asked in this process, without HTTP: its median and 95th percentile, and the processor time, of
PostgreSQL's process too. A plan is `ok` where no table is read whole and rows in the order of their index are not sorted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psutil
from api_world import drop_indexes, postgresql
from sqlalchemy import event, text

from pipeline.store.app_database import AppDatabase
from pipeline.subscriptions import payloads, search_kinds
from pipeline.subscriptions.search import Kind, find, read_search

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SPAN = timedelta(days=3 * 365)
INVESTORS, BLOCKS = 20_000, 2_000
PER_COMPANY = 7  # signals
COUNTRIES = ["US"] * 8 + ["GB", "GB", "DE", "FR", "IN", "CA", "SE", None]
TYPES = ["seed", "series a", "series b", "pre-seed", "growth", None]
LABELS = [("Financial Services", "fintech"), ("Software Development", "ai"), ("Utilities", "energy"), ("Retail", "ecommerce")]
TITLES = ["Senior Engineers", "VP of Sales", "Chief Financial Officer", "Product Manager", "Drivers", "Nurses"]
SIGNAL_COLUMNS = (
    "id", "event_type", "external_id", "logical_key", "is_active", "fan_out", "occurred_at", "discovered_at", "updated_at",
    "company_id", "company_name", "industry", "categories", "country", "round_type", "amount", "currency", "confidence", "data",
)  # fmt: skip
SEARCHES: list[tuple[str, Kind, dict[str, str]]] = [
    ("funding, newest", search_kinds.FUNDING, {}),
    ("funding, page 500", search_kinds.FUNDING, {"page": "500"}),
    ("funding, number alone", search_kinds.FUNDING, {"count": "true"}),
    ("funding, last 30 days, US seed", search_kinds.FUNDING, {"date_preset": "last_30d", "countries": "US", "round": "seed"}),
    ("funding, GB, fintech, 1m to 5m", search_kinds.FUNDING, {
        "countries": "GB", "subcategories": "fintech", "amount_min": "1000000", "amount_max": "5000000"}),
    ("funding, by amount", search_kinds.FUNDING, {"sort_by": "amount"}),
    ("funding, investor's name", search_kinds.FUNDING, {"investor_name": "investor 77"}),
    ("funding, name nobody has", search_kinds.FUNDING, {"search": "zzzz"}),
    ("funding, one company", search_kinds.FUNDING, {"company_domain": "company77.com"}),
    ("funding, fifty companies", search_kinds.FUNDING, {
        "company_domain": ",".join(f"company{number}.com" for number in range(50))}),
    ("acquisitions, buyer's name", search_kinds.ACQUISITIONS, {"acquiring_company": "buyer 77"}),
    ("job changes, departments", search_kinds.JOB_CHANGES, {"departments": "finance,sales"}),
    ("openings, newest", search_kinds.HIRING, {}),
    ("openings, word in the text", search_kinds.HIRING, {"description": "kubernetes"}),
    ("openings, by title, in Berlin", search_kinds.HIRING, {"sort_by": "title", "city": "berlin"}),
    ("investors, by name", search_kinds.INVESTORS, {"sort_by": "name", "type": "vc"}),
    ("companies, by name", search_kinds.COMPANIES, {}),
    ("companies, search", search_kinds.COMPANIES, {"search": "company 77"}),
    ("companies, domain", search_kinds.COMPANIES, {"domain": "company77.com"}),
]  # fmt: skip


def ident(rng: Random) -> str:
    return f"{rng.getrandbits(128):032x}"


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")


def blocks(rng: Random, kind: str) -> list[str]:
    """Payloads of one kind, as text."""
    words = ["kubernetes", "terraform", "market", "growth", "customers", "team", "product", "announced", "today", "company"]
    made = []
    for number in range(BLOCKS):
        body = " ".join(rng.choices(words[1:] if number % 20 else words, k=110))
        source = {"url": f"https://news.test/{number}", "sourceType": "news_article", "title": "A headline", "content": body}
        company = payloads.company_block("Company", "c", "company.com", None, None, body[:200])
        data: dict[str, Any] = {"company": company, "employees": [], "sources": [source]}
        title, city = rng.choice(TITLES), rng.choice(["Berlin", "Austin", "Paris", None])
        if kind == "funding":
            data["fundingRound"] = {"verificationStatus": rng.choice(["verified", "unverified"]), "investors": []}
        elif kind == "acquisition":
            data["acquisition"] = {"acquiringCompany": {"name": f"Buyer {number}"}, "percentage": None}
        elif kind == "job_change":
            data["jobChange"] = {"personName": f"Jordan Miles{number}", "newRole": title}
        else:
            data["hiringDetails"] = [{"title": title, "city": city, "location": city, "country": "DE"}]
        made.append(json.dumps(data))
    return made


def signals(count: int, rng: Random) -> Iterator[tuple[Any, ...]]:
    """Rows of ``signals``, nearly in the order of time, as they come."""
    ids = [payloads.company_id(f"company{of}.com", None) for of in range(count // PER_COMPANY)]
    kinds = ["funding", "funding", "acquisition", "job_change", "hiring"]
    of_kind = {kind: blocks(rng, kind) for kind in set(kinds)}
    for number in range(count):
        kind = kinds[number % 5]
        at = moment(NOW - SPAN * (1 - number / count) - timedelta(days=2) * rng.random())
        of = rng.randrange(count // PER_COMPANY)
        industry, label = rng.choice(LABELS)
        is_funding = kind == "funding"
        amount = rng.randrange(10**5, 10**8) if kind in ("funding", "acquisition") and rng.random() < 0.8 else None
        yield (
            ident(rng), f"{kind}.created", f"x{number}", f"k{number}", True, "done", at, at, at,
            ids[of], f"Company {of}", industry, json.dumps([label]), rng.choice(COUNTRIES),
            rng.choice(TYPES) if is_funding else None, amount, "USD" if amount else None, 0.9, rng.choice(of_kind[kind]),
        )  # fmt: skip


def write(db: AppDatabase, table: str, columns: tuple[str, ...], rows: Iterator[tuple[Any, ...]]) -> None:
    """By the driver's own way for many rows."""
    raw = db.engine.raw_connection()
    try:
        cursor = raw.cursor()
        if db.is_sqlite:
            cursor.execute("PRAGMA synchronous = OFF")
            cursor.execute("BEGIN IMMEDIATE")
            marks = ", ".join("?" for _ in columns)
            cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
        else:
            with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:  # type: ignore[attr-defined]
                for row in rows:
                    copy.write_row(row)
        raw.commit()
    finally:
        raw.close()


def fill(db: AppDatabase, count: int) -> None:
    """The signals, and investors and companies as if they had been published."""
    rng = Random(8)
    indexes = drop_indexes(db, ("signals", "signal_investors", "companies", "investors")) if db.is_sqlite else []
    write(db, "signals", SIGNAL_COLUMNS, signals(count, rng))
    at = moment(NOW)
    profile = json.dumps(payloads.company_block("Company", "c", "company.com", None, None, "What it does."))
    companies = (
        (payloads.company_id(f"company{of}.com", None), f"Company {of}", *rng.choice(LABELS), rng.choice(COUNTRIES),
         moment(NOW - SPAN * rng.random()), at, profile, f"company {of}\nsoftware development\nwhat it does.")
        for of in range(count // PER_COMPANY)
    )  # fmt: skip
    names = ("id", "name", "industry", "subcategory", "country", "created_at", "updated_at", "profile", "searched")
    write(db, "companies", names, companies)
    ids = [payloads.investor_id(f"Investor {number}") for number in range(INVESTORS)]
    investors = ((of_id, f"Investor {number}", rng.choice(["vc", "angel", None]), at, at) for number, of_id in enumerate(ids))
    write(db, "investors", ("id", "name", "type", "created_at", "updated_at"), investors)
    with db.read() as session:
        rounds = [row[0] for row in session.execute(text("SELECT id FROM signals WHERE event_type = 'funding.created'"))]
    links = (
        (ids[number], signal_id, f"Investor {number}", None, at)
        for signal_id in rounds
        for number in rng.sample(range(INVESTORS), 2)
    )
    write(db, "signal_investors", ("investor_id", "signal_id", "name", "type", "discovered_at"), links)
    for statement in indexes:
        with db.write() as session:
            session.execute(text(statement))
    if not db.is_sqlite:
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def plans(db: AppDatabase, kind: Kind, given: dict[str, str]) -> list[str]:
    """The plan of each statement of a search."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    find(db, read_search(kind, given, NOW))
    event.remove(db.engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if db.is_sqlite else "EXPLAIN "
    told = []
    with db.engine.connect() as connection:
        for statement, parameters in seen:
            if statement.startswith("SELECT"):
                rows = connection.exec_driver_sql(explain + statement, parameters)
                told.append("\n".join(str(row[-1] if db.is_sqlite else row[0]) for row in rows))
    return told


def verdict(db: AppDatabase, told: list[str], is_default_order: bool) -> str:
    scans = ("SCAN signals", "SCAN companies", "SCAN investors") if db.is_sqlite else ("Seq Scan on",)
    sorts = ("TEMP B-TREE FOR ORDER BY",) if db.is_sqlite else ("Sort Key",)
    whole = sorted({line.strip() for plan in told for line in plan.splitlines() if any(scan in line for scan in scans)})
    is_sorted = is_default_order and any(sort in plan for plan in told for sort in sorts)
    return "; ".join([*whole, *(["sorted"] if is_sorted else [])]) or "ok"


def processor_time(db: AppDatabase) -> Callable[[], float]:
    """Seconds of this process and of the PostgreSQL process that serves it. All searches take the pool's one connection."""
    if db.is_sqlite:
        return time.process_time
    with db.engine.connect() as connection:
        connection.execute(text("SET SESSION max_parallel_workers_per_gather = 0"))
        connection.commit()
        server = psutil.Process(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
    return lambda: time.process_time() + sum(server.cpu_times()[:2])


def measure(db: AppDatabase, repeat: int, shows_plans: bool) -> None:
    busy = processor_time(db)
    print(f"{'':34}{'rows':>8}{'p50 ms':>9}{'p95 ms':>9}{'processor ms':>14}  plan")
    for name, kind, given in SEARCHES:
        search = read_search(kind, given, NOW)
        found = find(db, search)
        walls, processor = [], busy()
        for _ in range(repeat):
            began = time.perf_counter()
            find(db, search)
            walls.append((time.perf_counter() - began) * 1e3)
        used = (busy() - processor) / repeat * 1e3
        told = plans(db, kind, given)
        is_default = search.sort == next(iter(kind.sorts)) and kind.sorts[search.sort] is kind.newest
        p95 = statistics.quantiles(walls, n=20)[-1]
        print(
            f"{name:34}{found.total:>8}{statistics.median(walls):>9.1f}{p95:>9.1f}{used:>14.1f}  {verdict(db, told, is_default)}"
        )
        if shows_plans:
            print("\n\n".join(told), "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signals", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--plans", action="store_true", help="print every plan")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        url = stack.enter_context(postgresql(folder)) if given.postgresql else f"sqlite:///{folder / 'app.db'}"
        db = AppDatabase(url)
        db.migrate()
        began = time.perf_counter()
        fill(db, given.signals)
        print(f"{given.signals:,} signals written in {time.perf_counter() - began:.0f} s")
        measure(db, given.repeat, given.plans)
        db.close()


if __name__ == "__main__":
    main()

"""The HTTP API under load: batches of accounts, pages of matches, the daily re-push, memory.

    .venv/bin/python benchmarks/api.py [--postgresql] [--batches 100] [--matches 1000000]
        [--many-matches 10000000] [--memory-batches 1000] [--workers 1]

Starts `fundingscout api` as an operator would, over an app database of its own (SQLite; with --postgresql also a PostgreSQL server
started for it, durable as it comes), and calls it on loopback with clients that keep their connections. Prints, for each database:

- rows a second and the time of a batch for full 1,000-row batches of new accounts, by one client and by eight;
- beside it the same rows written straight into the same table, without a server: ready rows, one INSERT … ON CONFLICT and one
  commit per batch (the yardstick), the same handed to the driver as our upsert does it, and by our own upsert, which also
  compares hashes and queues changes for the pipeline;
- the daily push of the same accounts again, and what it queued for the pipeline (nothing);
- the time of a page of 200 matches of a partner with many stored: the newest page, the pages of a walk, a rare
  status (with --many-matches nothing but this, on SQLite, among two numbers of matches in turns);
- the server's memory over many batches of changed rows.

Clients and server share the machine's cores.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
from api_clients import PAGE, PAGES, ROWS, batch, closing_client, pages, push, quantile
from api_world import Partner, fill_matches, make_partner, postgresql, resident_mb, serving
from api_writes import straight_write, tuple_write, upsert_without_server
from sqlalchemy import delete, func, select

from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.crm import CrmChangeBatch

IN_ONE_TURN = 10  # batches
TURNS = 10  # in which few and many matches are asked for alternately


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgresql", action="store_true", help="then also on a PostgreSQL server started for it")
    parser.add_argument("--batches", type=int, default=100, help="batches of 1,000 rows in each measurement")
    parser.add_argument("--matches", type=int, default=1_000_000, help="matches stored when pages are read")
    parser.add_argument(
        "--many-matches",
        type=int,
        default=0,
        help="only pages, among --matches and among so many in turns; ten million take minutes and 30 GB",
    )
    parser.add_argument("--memory-batches", type=int, default=1_000, help="batches over which memory is watched")
    parser.add_argument("--workers", type=int, default=1, help="processes of the server")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fs-api-") as folder:
        if arguments.many_matches:
            bench_scale(Path(folder), (arguments.matches, arguments.many_matches))
            return
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
    partners = {
        slug: make_partner(database, settings, slug) for slug in ("straight", "tuples", "upsert", "one", "eight", "reader")
    }
    with serving(url, folder, arguments.workers) as (port, process):
        bench_batches(database, port, partners, arguments.batches)
        bench_again(database, port, partners["one"], arguments.batches)
        bench_pages(database, port, partners["reader"], arguments.matches)
        bench_memory(port, process, partners["one"], arguments.batches, arguments.memory_batches)
    database.close()


# --- what is measured -------------------------------------------------------------------------------------------------


def bench_batches(database: AppDatabase, port: int, partners: dict[str, Partner], count: int) -> None:
    """New accounts: straight into the table, and by one client and by eight; in turns, so that what else the machine does
    weighs on all alike."""
    ways: dict[str, Callable[[list[bytes]], tuple[float, list[float]]]] = {
        "straight INSERT, no server": lambda some: (straight_write(database, partners["straight"].id, some), []),
        "the same handed over as tuples": lambda some: (tuple_write(database, partners["tuples"].id, some), []),
        "our upsert, no server": lambda some: (upsert_without_server(database, partners["upsert"].id, some), []),
        "1 client": lambda some: push(port, partners["one"].token, some, 1),
        "8 clients": lambda some: push(port, partners["eight"].token, some, 8),
    }
    seconds = dict.fromkeys(ways, 0.0)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for first in range(0, count, IN_ONE_TURN):
        bodies = [batch(number) for number in range(first, min(first + IN_ONE_TURN, count))]
        for name, way in ways.items():
            taken, each = way(bodies)
            seconds[name] += taken
            times[name] += each
    straight = next(iter(seconds.values()))
    for name, taken in seconds.items():
        line = f"  {name:32} {count * ROWS / taken:9,.0f} rows/s = {straight / taken:.2f} of straight"
        if times[name]:
            line += f"; a batch p50 {quantile(times[name], 0.5):.1f} ms, p99 {quantile(times[name], 0.99):.1f} ms"
        print(line, flush=True)


def bench_again(database: AppDatabase, port: int, partner: Partner, count: int) -> None:
    """The daily push of accounts that did not change."""
    with database.write() as session:
        session.execute(delete(CrmChangeBatch))
    seconds, times = push(port, partner.token, [batch(number) for number in range(count)], 1)
    with database.read() as session:
        queued = session.scalar(select(func.coalesce(func.sum(CrmChangeBatch.rows), 0)))
    print(
        f"  {count * ROWS:,} unchanged again, {count} calls: {seconds:.1f} s, p50 {quantile(times, 0.5):.1f} ms; "
        f"rows queued: {queued}",
        flush=True,
    )


KINDS = (("newest page", "", False), ("walk of pages", "", True), ("status=failed, newest page", "&status=failed", False))


def bench_pages(database: AppDatabase, port: int, partner: Partner, matches: int) -> None:
    """Pages of a partner who has all of ``matches``."""
    started = time.perf_counter()
    fill_matches(database, partner.id, matches)
    print(f"  {matches:,} matches stored ({time.perf_counter() - started:.0f} s by bulk SQL); pages of {PAGE}:", flush=True)
    with closing_client(port) as client:
        for name, query, is_walk in KINDS:
            times, _ = pages(client, partner.token, query, is_walk)
            print(f"    {name:27} p50 {quantile(times, 0.5):6.1f} ms, p99 {quantile(times, 0.99):6.1f} ms", flush=True)


def bench_scale(folder: Path, counts: Sequence[int]) -> None:
    """Pages among few matches and among many, in turns, so that what else the machine does weighs on both alike."""
    print("\nSQLite, pages among few matches and among many, in turns; CPU is the server's, for a page", flush=True)
    with contextlib.ExitStack() as running:
        readers = []
        for count in counts:
            home = folder / str(count)
            home.mkdir()
            database = AppDatabase(f"sqlite:///{home}/app.db")
            database.migrate()
            partner = make_partner(database, Settings(home=home), "reader")
            started = time.perf_counter()
            fill_matches(database, partner.id, count)
            database.close()
            print(f"  {count:,} matches stored in {time.perf_counter() - started:.0f} s", flush=True)
            port, process = running.enter_context(serving(str(database.url), home, 1))
            readers.append((count, partner, running.enter_context(closing_client(port)), process))
        for name, query, is_walk in KINDS:
            times: dict[int, list[float]] = {count: [] for count in counts}
            cpu = dict.fromkeys(counts, 0.0)
            cursors: dict[int, str | None] = dict.fromkeys(counts)
            for _ in range(TURNS):
                for count, partner, client, process in readers:
                    client.close()  # the server may have: a connection that waited for its turn was idle
                    client.connect()
                    before = process.cpu_times()
                    some, cursors[count] = pages(client, partner.token, query, is_walk, PAGES // TURNS, cursors[count])
                    after = process.cpu_times()
                    times[count] += some
                    cpu[count] += 1000 * (after.user + after.system - before.user - before.system)
            for count in counts:
                shown = f"p50 {quantile(times[count], 0.5):6.1f} ms, p99 {quantile(times[count], 0.99):6.1f} ms"
                print(f"    {name:27} {count:>10,}: {shown}, CPU {cpu[count] / len(times[count]):5.1f} ms", flush=True)


def bench_memory(port: int, process: psutil.Process, partner: Partner, distinct: int, count: int) -> None:
    """Memory before, on the way and after ``count`` batches in which every row changed."""
    figures = [resident_mb(process)]
    for part in range(4):
        numbers = range(part * count // 4, (part + 1) * count // 4)
        push(port, partner.token, (batch(number % distinct, f"v{number // distinct}") for number in numbers), 1)
        figures.append(resident_mb(process))
    shown = " → ".join(f"{figure:.0f}" for figure in figures)
    print(f"  server memory over {count:,} batches of changed rows, at each quarter: {shown} MB", flush=True)


if __name__ == "__main__":
    main()

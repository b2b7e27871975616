"""A year of days, compressed in time: what a day costs at the end against the beginning, and how much disk there is by then.

    .venv/bin/python benchmarks/year.py --days 365 --rounds 500 --organizations 50 --minutes 28

Each day lands one feed with ``--rounds`` announcements and as many other texts (acquisitions, job changes, openings among them),
changes a part of the CRMs, and goes the way of the daily sync with the day's own clock: documents, mentions, rounds, publishing,
signals, CRM, matching, ledger, sending, mirror, snapshot, retention. In the first and in the last month the marts are built on two
days in a row, three times; the second of two counts, as it has a day's worth of news. Organizations have no webhook, so their
deliveries end at once with an attempt on record; a fifth of them are teams whose webhooks take what they are sent (year_world.py).
Retention is scaled with ``--retention`` so that it has begun to delete long before the end. Prints each month's median day by
step, sizes and rows as it goes. With ``--minutes`` it plans fewer days, each month anew, when the time will not do; Ctrl-C or
SIGTERM end it with the day at hand, and it reports the days it has lived.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import signal
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text
from year_world import World, build_world, take_signals

from pipeline.crm.history import pull_changes, snapshot_day
from pipeline.documents import ingest
from pipeline.installation import Installation
from pipeline.matching import steps
from pipeline.organizations.thresholds import default_thresholds
from pipeline.settings import Settings
from pipeline.signals import mention_table, round_table
from pipeline.store.tables.base import Base
from pipeline.subscriptions.fan_out import fan_out
from pipeline.subscriptions.index import SubscriptionIndex
from pipeline.subscriptions.publishing import publish_changed_signals
from pipeline.upkeep.retention import RetentionPolicy, apply_retention
from pipeline.webhooks import mirror, published_rounds
from pipeline.webhooks.admission import admit, load_levels

START = datetime(2026, 1, 1, 6, 0, tzinfo=UTC)
MONTH = 30
# The first days have an empty ledger and a first CRM to take in.
BEGINNING = 5
BIG = 500  # tables with fewer rows are not printed


@dataclass
class Day:
    """Seconds of one day: by step and of the marts those of the processor, ``wall`` with what the benchmark itself takes."""

    number: int
    wall: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)
    marts: float | None = None

    @property
    def cpu(self) -> float:
        """All steps, without marts."""
        return sum(self.steps.values())


class Stopped(Exception):
    """The time is up, or somebody asked to stop."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--organizations", type=int, default=50)
    parser.add_argument("--retention", type=float, default=1 / 3, help="Of the default periods, this part.")
    parser.add_argument("--minutes", type=float, default=0.0, help="Live no longer than that; 0: as long as it takes.")
    parser.add_argument("--no-marts", action="store_true")
    parser.add_argument("--folder", type=Path, help="Where to work; a temporary one when not given.")
    given = parser.parse_args()
    asked: list[str] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        # Noted, not raised: in the middle of a step it would be taken for the step's failure.
        signal.signal(number, lambda which, _frame: asked.append(signal.Signals(which).name))
    folder = given.folder or Path(tempfile.mkdtemp(prefix="year-"))
    days: list[Day] = []
    try:
        live_through(folder, given, days, asked)
    except Stopped as reason:
        print(f"stopped after day {len(days)}: {reason}")
    finally:
        report(days)
        if given.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


def live_through(folder: Path, given: argparse.Namespace, days: list[Day], asked: Sequence[str]) -> None:
    """Live the days that are asked for; those lived are in ``days``, whatever ends it. ``asked``: signals that ask for the end."""
    began = time.monotonic()
    clock = [START]
    installation = Installation(Settings(home=folder), now=lambda: clock[0])
    world = build_world(installation, given.rounds, given.organizations)
    policy = scaled(RetentionPolicy.of(installation.settings), given.retention)
    print(f"the world was made in {time.monotonic() - began:.0f} s; policy: {policy}", flush=True)
    last = given.days
    for number in range(given.days):
        if number == last:
            raise Stopped(f"{given.minutes:g} minutes are nearly over")
        if asked:
            raise Stopped(asked[0])
        clock[0] = START + timedelta(days=number)
        days.append(live_a_day(world, number, policy, not given.no_marts and builds_marts(number, last)))
        if number % MONTH == MONTH - 1 or number == last - 1:
            show_month(days[-(number % MONTH + 1) :], installation)
            if given.minutes:
                last = min(last, number + 1 + days_left(days[-MONTH:], given.minutes * 60 - (time.monotonic() - began)))


def days_left(month: Sequence[Day], seconds: float) -> int:
    """How many days more there is time for, at the pace of ``month``."""
    return max(0, int(seconds / statistics.fmean(day.wall for day in month)))


def builds_marts(number: int, days: int) -> bool:
    """On two days in a row, three times in the first and in the last month."""
    place = number if number < MONTH else MONTH - (days - number)
    return 0 <= place < MONTH and place % 10 in (8, 9)


def live_a_day(world: World, number: int, policy: RetentionPolicy, is_built: bool) -> Day:
    """What comes from outside, then all steps, timed each."""
    day, installation, began = Day(number), world.installation, time.perf_counter()
    now = installation.now()
    database, warehouse, settings = installation.database, installation.warehouse, installation.settings
    world.news(number)
    world.crms(number)
    found: list[Any] = []

    def match() -> None:
        levels = load_levels(database, default_thresholds(settings))
        found.extend((steps.find_new(warehouse, now, settings.look_back_hours, levels.search), levels))

    def signals() -> None:
        publish_changed_signals(database, warehouse, now, settings.max_article_age_hours)
        fan_out(database, SubscriptionIndex(database), now)

    for name, work in (
        ("documents", lambda: ingest_all(installation)),
        ("mentions", lambda: mention_table.extract_new(warehouse, now)),
        ("rounds", lambda: round_table.resolve_new(warehouse, now, settings.max_article_age_hours)),
        ("publish", lambda: published_rounds.publish_changed(database, warehouse, now)),
        ("signals", signals),
        ("crm", lambda: pull_changes(database, warehouse, now)),
        ("match", match),
        ("ledger", lambda: admit(database, warehouse, *found, now)),
        ("send", lambda: take_signals(installation)),
        ("mirror", lambda: mirror.mirror(database, warehouse, now + timedelta(seconds=1))),
        ("snapshot", lambda: snapshot_day(warehouse, now.date() - timedelta(days=1))),
        ("retention", lambda: apply_retention(database, warehouse, installation.landing, policy, now)),
    ):  # fmt: skip
        with timed(day, name):
            work()
    if is_built:
        day.marts = marts(installation)
    day.wall = time.perf_counter() - began
    return day


@contextmanager
def timed(day: Day, name: str) -> Iterator[None]:
    began = time.process_time()
    yield
    day.steps[name] = time.process_time() - began


def ingest_all(installation: Installation) -> None:
    batch = ingest.read_waiting(installation.database, installation.landing, installation.fetcher, [], installation.now(), 0.0)
    with installation.warehouse.write() as connection:
        ingest.write(connection, batch)
    ingest.settle(installation.database, batch, installation.now())


def marts(installation: Installation) -> float:
    from pipeline.store.marts import MartsProject, marts_of
    from pipeline.store.published import publish

    project = MartsProject(installation.warehouse, installation.settings.home / "dbt")
    manifest = project.manifest()
    began = time.process_time()
    # As on six days of seven: days are left out here, so that by the calendar each build would be the weekly whole one.
    broken = [outcome for outcome in project.build(as_of=installation.now(), whole=False) if outcome.is_broken]
    if broken:
        raise SystemExit(f"the marts broke: {broken[:3]}")
    publish(installation.warehouse, installation.settings.home / "published", marts_of(manifest), installation.now())
    return time.process_time() - began


def scaled(policy: RetentionPolicy, part: float) -> RetentionPolicy:
    """The policy with each period so much shorter."""
    days = {name: max(2, round(getattr(policy, name) * part)) for name in policy.__dataclass_fields__}
    return replace(policy, **days)


def megabytes(home: Path) -> dict[str, float]:
    """What lies on the disk, by store."""

    def size(*paths: Path) -> float:
        files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))]
        return round(sum(file.stat().st_size for file in files if file.is_file() and not file.is_symlink()) / 1e6, 1)

    return {
        "app": size(*home.glob("app.db*")),
        "warehouse": size(*home.glob("warehouse.duckdb*")),
        "landing": size(home / "landing"),
        "published": size(home / "published"),
    }


def rows(installation: Installation) -> dict[str, int]:
    """Rows of every table of both stores."""
    with installation.database.read() as session:
        found = {
            name: session.scalar(select(func.count()).select_from(table)) or 0 for name, table in Base.metadata.tables.items()
        }
        pages = [session.scalar(text(f"PRAGMA {name}")) for name in ("page_count", "freelist_count")]
    found["(app database, free pages of a thousand)"] = 1000 * pages[1] // pages[0]
    with installation.warehouse.open() as connection:
        tables = connection.execute(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE schema_name IN ('raw', 'core') ORDER BY 1"
        ).fetchall()
        for (name,) in tables:
            found[name] = connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
    return found


def median(days: Sequence[Day], of: Callable[[Day], float]) -> float:
    return statistics.median(of(day) for day in days)


def step(name: str) -> Callable[[Day], float]:
    return lambda day: day.steps[name]


def show_month(days: Sequence[Day], installation: Installation) -> None:
    """One month's median day, what lies on the disk at its end, and the tables of many rows."""
    by_step = {name: round(median(days, step(name)), 3) for name in days[0].steps}
    built = [day.marts for before, day in itertools.pairwise(days) if day.marts and before.marts]
    print(
        f"day {days[-1].number + 1}: processor {median(days, lambda day: day.cpu):.2f} s a day, dearest "
        f"{max(day.cpu for day in days):.2f}; wall with the benchmark's own {median(days, lambda day: day.wall):.2f}"
        + (f"; marts {statistics.median(built):.1f}" if built else "")
    )
    print(f"  steps {by_step}")
    print(f"  MB {megabytes(installation.settings.home)}")
    print(f"  rows { {name: count for name, count in rows(installation).items() if count >= BIG or '(' in name} }", flush=True)


def report(days: Sequence[Day]) -> None:
    """The last month's days against the first month's."""
    if len(days) < 2 * MONTH:
        print(f"{len(days)} days are too few to compare months")
        return
    first, last = days[BEGINNING:MONTH], days[-MONTH:]
    print(f"the last {MONTH} of {len(days)} days against days {BEGINNING + 1} to {MONTH}, processor time of the median day")
    for name in days[0].steps:
        before, after = (median(part, step(name)) for part in (first, last))
        print(f"  {name:10} {before:.3f} {after:.3f}  {after / max(before, 1e-9):.2f}")
    before, after = (median(part, lambda day: day.cpu) for part in (first, last))
    print(
        f"  {'all':10} {before:.3f} {after:.3f}  {after / before:.2f}; the dearest day of all took {max(d.cpu for d in days):.2f}"
    )
    builds = [[day for yesterday, day in itertools.pairwise(part) if day.marts and yesterday.marts] for part in (first, last)]
    if all(builds):
        marts_before, marts_after = (statistics.median(day.marts or 0.0 for day in part) for part in builds)
        print(f"  {'marts':10} {marts_before:.3f} {marts_after:.3f}  {marts_after / marts_before:.2f}")
        print(f"  both together {(after + marts_after) / (before + marts_before):.2f}")


if __name__ == "__main__":
    main()

"""A year of days, compressed in time: what a day costs at the end against the beginning, and how much disk there is by then.

    .venv/bin/python benchmarks/year.py --days 365 --rounds 500 --organizations 50

Each day lands one feed with ``--rounds`` announcements and as many other texts, changes a part of the CRMs, and goes the way of
the daily sync with the day's own clock: documents, mentions, rounds, matches, ledger, mirror, retention; on the days that are
compared (the first and the last month) the marts too, every ``--marts-every`` days, since dbt would be most of the running
time. Organizations have no webhook, so that no time goes into a receiver: their deliveries end at once, with an attempt on record.
Retention is scaled with ``--retention`` so that it has begun to delete long before the end. Prints times and sizes by month.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from pipeline.crm.history import pull_changes
from pipeline.documents import ingest
from pipeline.installation import Installation
from pipeline.matching import steps
from pipeline.organizations.organizations import create_organization
from pipeline.organizations.thresholds import default_thresholds
from pipeline.settings import Settings
from pipeline.signals import mention_table, round_table
from pipeline.store.tables.documents import Landing as LandingRow
from pipeline.upkeep.retention import RetentionPolicy, apply_retention
from pipeline.webhooks import mirror, published_rounds
from pipeline.webhooks.admission import admit, load_levels

START = datetime(2026, 1, 1, 6, 0, tzinfo=UTC)
MONTH = 30
COMPANIES = 20_000
ACCOUNTS = 400
ITEM = (
    "<item><title>{title}</title><link>https://wire.example/{day}/{number}</link><guid>{day}-{number}</guid>"
    "<pubDate>{date}</pubDate><description>{text}</description></item>"
)
FILLER = "The company serves customers in forty countries and will grow its team. " * 20
SYLLABLES = [
    "bar",
    "cel",
    "dor",
    "fen",
    "gil",
    "hal",
    "jun",
    "kor",
    "lim",
    "mar",
    "nel",
    "or",
    "pel",
    "quin",
    "ros",
    "sol",
    "ul",
]
KINDS = ["Labs", "Systems", "Health", "Robotics"]


@dataclass
class Day:
    """Seconds of one day by step, of processor and by the wall."""

    number: int
    wall: float = 0.0
    cpu: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)
    marts: float | None = None
    megabytes: dict[str, float] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--organizations", type=int, default=50)
    parser.add_argument("--retention", type=float, default=1 / 3, help="Of the default periods, this part.")
    parser.add_argument("--marts-every", type=int, default=10, help="0: never.")
    parser.add_argument("--folder", type=Path, help="Where to work; a temporary one when not given.")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="year-"))
    try:
        days = live_through(folder, given)
    finally:
        if given.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    report(days)


def live_through(folder: Path, given: argparse.Namespace) -> list[Day]:
    clock = [START]
    installation = Installation(Settings(home=folder), now=lambda: clock[0])
    names = companies(random.Random(1))
    organizations = [
        create_organization(installation.database, f"org-{n}", f"Organization {n}", START) for n in range(given.organizations)
    ]
    ids = [getattr(one, "id", one) for one in organizations]
    rng = random.Random(2)
    fill_crms(installation, ids, names, rng, START)
    policy = scaled(RetentionPolicy.of(installation.settings), given.retention)
    days = []
    for number in range(given.days):
        clock[0] = START + timedelta(days=number)
        is_compared = number < MONTH or number >= given.days - MONTH
        with_marts = bool(given.marts_every) and is_compared and number % given.marts_every == 0
        days.append(live_a_day(installation, number, given.rounds, names, rng, ids, policy, with_marts))
        if number % MONTH == MONTH - 1:
            show_month(days[-MONTH:])
    return days


def live_a_day(
    installation: Installation,
    number: int,
    rounds: int,
    names: list[str],
    rng: random.Random,
    organizations: list[str],
    policy: RetentionPolicy,
    with_marts: bool,
) -> Day:
    day = Day(number)
    now = installation.now()
    land(installation, number, rounds, names, rng)
    touch_crms(installation, organizations, names, rng, number)
    wall, cpu = time.perf_counter(), time.process_time()
    database, warehouse = installation.database, installation.warehouse

    def timed(name: str, work: object) -> object:
        began = time.process_time()
        result = work()  # type: ignore[operator]
        day.steps[name] = day.steps.get(name, 0.0) + time.process_time() - began
        return result

    timed("documents", lambda: ingest_all(installation))
    timed("mentions", lambda: mention_table.extract_new(warehouse, now))
    timed("rounds", lambda: round_table.resolve_new(warehouse, now, installation.settings.max_article_age_hours))
    timed("publish", lambda: published_rounds.publish_changed(database, warehouse, now))
    timed("crm", lambda: pull_changes(database, warehouse, now))
    levels = load_levels(database, default_thresholds(installation.settings))
    found = timed("match", lambda: steps.find_new(warehouse, now, installation.settings.look_back_hours, levels.search))
    timed("ledger", lambda: admit(database, warehouse, found, levels, now))  # type: ignore[arg-type]
    timed("mirror", lambda: mirror.mirror(database, warehouse, now + timedelta(seconds=1)))
    timed("retention", lambda: apply_retention(database, warehouse, installation.landing, policy, now))
    day.wall, day.cpu = time.perf_counter() - wall, time.process_time() - cpu
    if with_marts:
        day.marts = marts(installation)
    if number % MONTH == MONTH - 1:
        day.megabytes = sizes(installation.settings.home)
    return day


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
    broken = [outcome for outcome in project.build(as_of=installation.now()) if outcome.is_broken]
    if broken:
        raise SystemExit(f"the marts broke: {broken[:3]}")
    publish(installation.warehouse, installation.settings.home / "published", marts_of(manifest), installation.now())
    return time.process_time() - began


def companies(rng: random.Random) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < COMPANIES:
        names["".join(rng.choice(SYLLABLES) for _ in range(4)).title() + " " + rng.choice(KINDS)] = None
    return list(names)


def domain(name: str) -> str:
    return name.replace(" ", "").lower() + ".example"


def land(installation: Installation, number: int, rounds: int, names: list[str], rng: random.Random) -> None:
    now = installation.now()
    items = []
    for n in range(rounds * 2):
        name = rng.choice(names)
        if n % 2:
            title, text = f"{name} opens an office in Lisbon", f"{name} today opened an office. {FILLER}"
        else:
            millions = rng.randrange(2, 90)
            title = f"{name} raises ${millions} million Series A"
            text = f"{name} (https://{domain(name)}) today announced that it raised ${millions} million in Series A funding"
            text += f" led by Harbour Capital. {FILLER}"
        date = (now - timedelta(minutes=n % 300)).strftime("%a, %d %b %Y %H:%M:%S +0000")
        items.append(ITEM.format(title=title, day=number, number=n, date=date, text=text))
    body = f"<rss version='2.0'><channel><title>Wire</title>{''.join(items)}</channel></rss>".encode()
    sha256 = installation.landing.put(body)
    # The file is as old as the day that is lived through, not as this minute: retention looks at it.
    os.utime(installation.landing.folder / sha256[:2] / sha256[2:4] / sha256, (now.timestamp(), now.timestamp()))
    with installation.database.write() as session:
        session.execute(
            insert(LandingRow).values(
                source_id="wire", kind="feed", url="https://wire.example/rss", sha256=sha256, size=len(body), is_catch_up=False,
                context={"outlet": "Wire"}, fetched_at=now, status="landed",
            )
        )  # fmt: skip


def fill_crms(
    installation: Installation, organizations: list[str], names: list[str], rng: random.Random, now: datetime
) -> None:
    for organization in organizations:
        push(installation, organization, rng.sample(names, ACCOUNTS), now)


def touch_crms(installation: Installation, organizations: list[str], names: list[str], rng: random.Random, number: int) -> None:
    for organization in organizations[number % 5 :: 5]:
        push(installation, organization, rng.sample(names, 4), installation.now())


def push(installation: Installation, organization: str, names: list[str], now: datetime) -> None:
    from pipeline.crm.rows import AccountRow
    from pipeline.crm.upsert import upsert_accounts

    rows = [AccountRow(external_id=domain(name), name=name, domain=domain(name), metadata_json=None) for name in names]
    upsert_accounts(installation.database, organization, rows, now)


def scaled(policy: RetentionPolicy, part: float) -> RetentionPolicy:
    return RetentionPolicy(
        *(
            max(2, round(days * part))
            for days in (policy.text_days, policy.landing_days, policy.attempt_days, policy.history_days)
        )
    )


def sizes(home: Path) -> dict[str, float]:
    def megabytes(*paths: Path) -> float:
        files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))]
        return round(sum(file.stat().st_size for file in files if file.is_file()) / 1e6, 1)

    return {
        "app": megabytes(*home.glob("app.db*")),
        "warehouse": megabytes(*home.glob("warehouse.duckdb*")),
        "landing": megabytes(home / "landing"),
        "published": megabytes(home / "published"),
    }


def show_month(days: list[Day]) -> None:
    built = [day.marts for day in days if day.marts is not None]
    figures = {
        "day": days[-1].number + 1,
        "cpu_seconds_a_day": round(statistics.median(day.cpu for day in days), 2),
        "wall_seconds_a_day": round(statistics.median(day.wall for day in days), 2),
        "steps": {name: round(statistics.median(day.steps[name] for day in days), 3) for name in days[0].steps},
        "marts_cpu_seconds": round(statistics.median(built), 1) if built else None,
        "megabytes": days[-1].megabytes,
    }
    print(json.dumps(figures), flush=True)


def report(days: list[Day]) -> None:
    # The first days have an empty ledger and a first CRM to take in.
    first, last = days[5:MONTH], days[-MONTH:]
    ratio = statistics.median(day.cpu for day in last) / statistics.median(day.cpu for day in first)
    print(f"last month's days against the first month's, processor time without marts: {ratio:.2f}")
    marts_first, marts_last = ([day.marts for day in part if day.marts is not None] for part in (days[:MONTH], last))
    if marts_first and marts_last:
        print(f"marts, the same: {statistics.median(marts_last) / statistics.median(marts_first):.2f}")
        whole = (statistics.median(day.cpu for day in last) + statistics.median(marts_last)) / (
            statistics.median(day.cpu for day in first) + statistics.median(marts_first)
        )
        print(f"both together: {whole:.2f}")


if __name__ == "__main__":
    main()

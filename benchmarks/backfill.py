"""A backfill over 90 days in one go, and again: how long, how much memory, and whether the second changes anything.

    .venv/bin/python benchmarks/backfill.py --rounds 45000 --accounts 200000 --days 90

The world is made by set-based SQL: documents that announce rounds of invented companies, spread over the days, which nobody has
read yet (the hardest case: every one is read, resolved and matched); CRM rows in the app database and the warehouse, of which one
in ten is such a company. The backfill runs as the job does, without Dagster around it. ``--crm of_that_day`` is slower: each day
has a CRM of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipeline.crm.history import pull_changes
from pipeline.crm.rows import AccountRow
from pipeline.crm.upsert import upsert_accounts
from pipeline.installation import Installation
from pipeline.organizations.organizations import create_organization
from pipeline.organizations.thresholds import default_thresholds
from pipeline.recovery.dry_run import Trial, dry_run
from pipeline.recovery.rematch import Rematching, rematch
from pipeline.recovery.reread import reread
from pipeline.settings import Settings
from pipeline.store.warehouse import set_progress
from pipeline.webhooks import published_rounds

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ORGANIZATIONS = 20
ONE_IN = 10
SYLLABLES = (
    "['bar', 'cel', 'dor', 'fen', 'gil', 'hal', 'jun', 'kor', 'lim', 'mar', 'nel', 'or', 'pel', 'quin', 'ros', 'sol', 'ven']"
)
PER_NAME = 17

COMPANIES = f"""
    CREATE TEMP TABLE companies AS
    SELECT n, name, replace(lower(name), ' ', '') || '.example' AS domain FROM (
        SELECT n, upper(left(word, 1)) || substr(word, 2) || ' '
            || list_extract(['Labs', 'Systems', 'Health', 'Robotics'], 1 + CAST(n % 4 AS INTEGER)) AS name
        FROM (
            SELECT n, array_to_string(list_transform([0, 1, 2, 3], lambda k: list_extract({SYLLABLES},
                1 + CAST(floor(n / pow({PER_NAME}, k)) % {PER_NAME} AS INTEGER))), '') AS word
            FROM range(0, $rounds) AS t(n)
        )
    )
"""
DOCUMENTS = """
    INSERT INTO raw.documents BY NAME
    SELECT 'doc-' || n AS document_id, n + 1 AS document_seq, 1 AS revision, 'wire' AS source_id, 'Wire' AS outlet,
        'article' AS kind, 'https://wire.example/' || n AS url, name || ' raises $' || (2 + n % 90) || ' million Series A' AS title,
        name || ' (https://' || domain || ') today announced that it raised $' || (2 + n % 90)
            || ' million in Series A funding led by Harbour Capital. '
            || repeat('It serves customers in forty countries. ', 20) AS body,
        'article' AS body_origin, arrived_at AS published_at, arrived_at AS landed_at, 1 AS landing_id, '' AS landing_sha256,
        FALSE AS is_catch_up
    FROM (
        SELECT *, CAST($first AS TIMESTAMP) + to_seconds(CAST(floor(n * 86400.0 * $days / $rounds) AS BIGINT)) AS arrived_at
        FROM companies
    )
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=45_000)
    parser.add_argument("--accounts", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--crm", choices=["today", "of_that_day"], default="today")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="backfill-"))
    try:
        installation = Installation(Settings(home=folder), now=lambda: NOW)
        last = NOW.date() - timedelta(days=1)
        first = last - timedelta(days=given.days - 1)
        measured("world", lambda: make_world(installation, given.rounds, given.accounts, first, given.days))
        measured("dry run", lambda: try_it(installation, first, last, given.crm))
        once = measured("backfill", lambda: backfill(installation, first, last, given.crm))
        state = fingerprint(installation)
        again = measured("again", lambda: backfill(installation, first, last, given.crm))
        same = fingerprint(installation) == state
        print(json.dumps({"second run changes nothing": same and again["recovered"] == 0 and again["read_otherwise"] == 0}))
        if not same or not once["recovered"]:
            raise SystemExit("the second run changed something, or the first found nothing")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_world(installation: Installation, rounds: int, accounts: int, first: date, days: int) -> dict[str, int]:
    with installation.warehouse.write() as connection:
        connection.execute(COMPANIES, {"rounds": rounds})
        connection.execute(DOCUMENTS, {"first": first, "days": days, "rounds": rounds})
        set_progress(connection, "mentions", rounds)
        wanted = connection.execute(f"SELECT name, domain FROM companies WHERE n < {accounts // ONE_IN:d}").fetchall()
    for number in range(ORGANIZATIONS):
        organization = create_organization(installation.database, f"org-{number}", f"Organization {number}", NOW)
        upsert_accounts(
            installation.database,
            organization.id,
            rows_of(number, wanted, accounts // ORGANIZATIONS),
            NOW - timedelta(days=days),
        )
    pull_changes(installation.database, installation.warehouse, NOW - timedelta(days=days + 1), limit=accounts + 1)
    return {"rounds": rounds, "accounts": accounts}


def rows_of(number: int, wanted: list[tuple[str, str]], count: int) -> list[AccountRow]:
    mine = wanted[number::ORGANIZATIONS]
    rows = [AccountRow(f"own-{n}", name, domain if n % 3 else None) for n, (name, domain) in enumerate(mine)]
    others = range(count - len(rows))
    return rows + [AccountRow(f"a-{n}", f"Acquaintance {number} {n} Trading", f"acq{number}x{n}.example") for n in others]


def backfill(installation: Installation, first: date, last: date, crm: str) -> dict[str, int]:
    again = reread(
        installation.warehouse,
        first,
        last,
        NOW,
        lambda _line: None,
        max_article_age_hours=72,
        publish=lambda: published_rounds.publish_changed(installation.database, installation.warehouse, NOW),
    )
    report = rematch(
        installation.database, installation.warehouse, first, last, how(installation, crm), NOW, lambda _line: None
    )
    return {"documents": again.documents, "read_otherwise": again.changed, "new_rounds": again.new_rounds,
            "found": report.found, "recovered": report.recovered, "known": report.known, "asked": report.asked}  # fmt: skip


def try_it(installation: Installation, first: date, last: date, crm: str) -> dict[str, int]:
    trial = Trial("benchmark", first, last, how(installation, crm))
    report = dry_run(
        installation.database, installation.warehouse, installation.settings.home / "scratch", trial, NOW, lambda _line: None,
        max_article_age_hours=72,
    )  # fmt: skip
    return dict(report.changes)


def how(installation: Installation, crm: str) -> Rematching:
    return Rematching(crm, default_thresholds(installation.settings), installation.settings.match_rules)


def fingerprint(installation: Installation) -> list[object]:
    tables = ("core.mentions", "core.funding_rounds", "core.round_mentions", "core.matches")
    with installation.warehouse.open() as connection:
        return [connection.execute(f"SELECT count(*), bit_xor(hash(t)) FROM {table} t").fetchall() for table in tables]


def measured(name: str, work: Callable[[], dict[str, int]]) -> dict[str, int]:
    wall, cpu = time.perf_counter(), time.process_time()
    figures = work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    seconds = f"{time.perf_counter() - wall:.1f} s, processor {time.process_time() - cpu:.1f} s"
    print(f"{name}: {seconds}, peak {peak} MB; {json.dumps(figures)}", flush=True)
    return figures


if __name__ == "__main__":
    main()

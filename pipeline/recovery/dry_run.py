"""A backfill tried on a copy: which readings, rounds and matches would change, and who would be told.

Writes nothing to the pipeline's tables or the app database: reading and resolving happen in a scratch warehouse, and what the
ledger would do is asked of it (webhooks.foresight). What it found is kept in recovery.dry_run_changes, for anybody to read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.matching import rekey, steps
from pipeline.matching.tiers import sort_into_tiers
from pipeline.recovery.rematch import Note, Rematching, parts
from pipeline.recovery.reread import reread
from pipeline.recovery.scratch import scratch_copy
from pipeline.signals import round_table
from pipeline.signals.mention_table import Extractor, rows_of
from pipeline.store.app_database import AppDatabase
from pipeline.store.closed_days import require_open
from pipeline.store.tables.matches import Round
from pipeline.store.warehouse import Warehouse
from pipeline.webhooks.admission import load_levels
from pipeline.webhooks.foresight import UNCHANGED, Foreseen, foresee

RUNS_KEPT = 10
COLUMNS = pa.schema(
    [
        ("run_id", pa.string()),
        ("change", pa.string()),
        ("organization_id", pa.string()),
        ("round_id", pa.string()),
        ("company_name", pa.string()),
        ("match_type", pa.string()),
        ("account_external_id", pa.string()),
        ("contact_external_id", pa.string()),
        ("score", pa.float64()),
        ("rule", pa.string()),
        ("crm_value", pa.string()),
        ("round_value", pa.string()),
        ("with_deliver", pa.string()),
        ("before", pa.string()),
        ("first_day", pa.date32()),
        ("last_day", pa.date32()),
        ("crm", pa.string()),
        ("tried_at", pa.timestamp("us")),
    ]
)
_ROUNDS_CHANGED = """
    SELECT r.round_id, r.company_name,
        CASE
            WHEN b.round_id IS NULL THEN 'new_round' WHEN r.status <> 'active' THEN 'ended_round' ELSE 'changed_round'
        END AS change,
        concat_ws(', ', b.company_name, b.funding_type, CAST(b.amount_usd AS VARCHAR), b.status) AS before
    FROM core.funding_rounds r LEFT JOIN main.rounds_before b USING (round_id)
    WHERE r.round_seq > $newest ORDER BY r.round_id
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried: a span of days (UTC, both included), how they are matched, whether documents are read again first."""

    run_id: str
    first: date
    last: date
    how: Rematching
    reextract: bool = True


@dataclass
class DryRunReport:
    """Documents read again and read otherwise; changes by kind; with ``deliver``, how many would be sent."""

    documents: int = 0
    readings_changed: int = 0
    rounds: int = 0
    found: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    would_be_sent: int = 0


def dry_run(
    database: AppDatabase,
    warehouse: Warehouse,
    folder: Path,
    trial: Trial,
    now: datetime,
    note: Note,
    *,
    max_article_age_hours: int,
    extractor: Extractor | None = None,
) -> DryRunReport:
    """Try a backfill and keep what would change under ``trial.run_id``, in place of what that run kept before.

    ``folder`` is where the scratch warehouse lives meanwhile; it needs as much room as the texts of these days and the CRMs.
    Raises ValueError for another ``crm`` than ``today`` or ``of_that_day``, DaysClosed.
    """
    require_open(warehouse, trial.first)
    report = DryRunReport()
    _forget(warehouse, trial.run_id)
    with scratch_copy(warehouse, folder, trial.first, trial.last, with_history=trial.how.crm == "of_that_day") as scratch:
        with scratch.open() as connection:
            newest = int(connection.execute("SELECT coalesce(max(round_seq), 0) FROM core.funding_rounds").fetchall()[0][0])
        if trial.reextract:
            again = reread(
                scratch, trial.first, trial.last, now, note, max_article_age_hours=max_article_age_hours, extractor=extractor
            )
            report.documents, report.readings_changed = again.documents, again.changed
            with scratch.open() as connection:
                changed = rows_of(connection, _ROUNDS_CHANGED, {"newest": newest})
            _keep(warehouse, trial, now, changed)
            report.changes.update(row["change"] for row in changed)
        _try_matches(database, warehouse, scratch, trial, now, note, report)
    return report


def _try_matches(
    database: AppDatabase,
    warehouse: Warehouse,
    scratch: Warehouse,
    trial: Trial,
    now: datetime,
    note: Note,
    report: DryRunReport,
) -> None:
    rekey.bring_up_to_date(scratch)
    levels = load_levels(database, trial.how.default)
    for begin, end in parts(trial.first, trial.last):
        found = steps.find_for_days(scratch, begin, end, trial.how.crm, levels.search, trial.how.rules)
        rounds = _rounds(scratch, begin, end)
        foreseen = foresee(database, sort_into_tiers(found.found, levels.own, levels.default), rounds)
        report.rounds += found.rounds
        report.found += len(found.found)
        report.changes.update(one.change for one in foreseen)
        report.would_be_sent += sum(one.with_deliver == "send" for one in foreseen)
        _keep(warehouse, trial, now, [_row(one, rounds) for one in foreseen if one.change != UNCHANGED or one.with_deliver])
        note(f"{begin} to {end}: {found.rounds:,} rounds, {len(found.found):,} matches found; tried until {end}")


def _rounds(scratch: Warehouse, first: date, last: date) -> dict[str, Round]:
    """The rounds of these days as they would be published."""
    with scratch.open() as connection:
        rows = rows_of(
            connection,
            "SELECT *, CAST(investors AS VARCHAR) AS investors_json FROM core.funding_rounds "
            "WHERE first_seen_at >= $first AND first_seen_at < $end",
            {"first": first, "end": last + timedelta(days=1)},
        )
    published = (round_table.published(row) for row in rows)
    return {row["id"]: Round(**{name: value for name, value in row.items() if name != "round_seq"}) for row in published}


def _row(foreseen: Foreseen, rounds: dict[str, Round]) -> dict[str, Any]:
    found = foreseen.found
    return {
        "change": foreseen.change,
        "organization_id": found.organization_id,
        "round_id": found.round_id,
        "company_name": rounds[found.round_id].company_name,
        "match_type": str(found.match_type),
        "account_external_id": found.account_external_id,
        "contact_external_id": found.contact_external_id,
        "score": found.score,
        "rule": found.rule,
        "crm_value": found.crm_value,
        "round_value": found.round_value,
        "with_deliver": foreseen.with_deliver,
        "before": foreseen.before,
    }


def _keep(warehouse: Warehouse, trial: Trial, now: datetime, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    of_run = {
        "run_id": trial.run_id,
        "first_day": trial.first,
        "last_day": trial.last,
        "crm": trial.how.crm,
        "tried_at": now.astimezone(UTC).replace(tzinfo=None),
    }
    with warehouse.write() as connection:
        connection.register("tried", pa.Table.from_pylist([of_run | row for row in rows], schema=COLUMNS))
        connection.execute("INSERT INTO recovery.dry_run_changes BY NAME SELECT * FROM tried").fetchall()
        connection.unregister("tried")


def _forget(warehouse: Warehouse, run_id: str) -> None:
    """What this run kept when it was begun before, and all but the newest runs."""
    with warehouse.write() as connection:
        connection.execute("DELETE FROM recovery.dry_run_changes WHERE run_id = ?", [run_id]).fetchall()
        connection.execute(f"""
            DELETE FROM recovery.dry_run_changes WHERE run_id NOT IN (
                SELECT run_id FROM recovery.dry_run_changes GROUP BY run_id
                ORDER BY max(tried_at) DESC, run_id LIMIT {RUNS_KEPT - 1:d}
            )
        """).fetchall()  # noqa: S608 - a constant of this module


def changes_of(warehouse: Warehouse, run_id: str, most: int | None = None) -> list[dict[str, Any]]:
    """What a dry run kept, at most ``most`` rows (None: all), organizations by their slug, matches that would be sent first."""
    with warehouse.open() as connection:
        return rows_of(
            connection,
            """
            SELECT change, coalesce(slug, c.organization_id) AS organization, round_id, company_name, match_type,
                account_external_id, contact_external_id, score, rule, crm_value, round_value, with_deliver, before
            FROM recovery.dry_run_changes c LEFT JOIN core.organizations o ON o.organization_id = c.organization_id
            WHERE run_id = $run_id
            ORDER BY with_deliver DESC, change, organization, round_id, account_external_id, contact_external_id
            LIMIT $most
            """,
            {"run_id": run_id, "most": most},
        )

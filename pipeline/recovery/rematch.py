"""The rounds of a span of days matched again, a few days at a time: memory holds one part, whatever the span.

What belongs here: the walk over the days. What does not: finding (matching.steps) and what becomes of it (webhooks.admission).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pipeline.matching import rekey, steps
from pipeline.matching.tiers import Thresholds
from pipeline.store.app_database import AppDatabase
from pipeline.store.closed_days import require_open
from pipeline.store.warehouse import Warehouse
from pipeline.webhooks.admission import admit, load_levels

# So many days meet the CRM at once; each part is recorded before the next begins.
DAYS_AT_ONCE = 7

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Rematching:
    """How days are matched again. ``crm``: ``today`` or ``of_that_day``; ``rules`` as in MatchOptions."""

    crm: str
    default: Thresholds
    rules: str
    deliver: bool = False


@dataclass(slots=True)
class RematchReport:
    """Rounds of the days; matches found, recorded now, known before, and of real rounds told under another id; questions new."""

    rounds: int = 0
    found: int = 0
    recovered: int = 0
    known: int = 0
    same_round: int = 0
    asked: int = 0


def rematch(
    database: AppDatabase, warehouse: Warehouse, first: date, last: date, how: Rematching, now: datetime, note: Note
) -> RematchReport:
    """Match the rounds first seen on these days (UTC, both included) again and record what is found, held unless ``deliver``.

    Idempotent: what is known stays as it is. A kill between two parts leaves the parts before it; the next call finds them known.
    ``note`` is told how far it has come. Raises ValueError for another ``crm``, DaysClosed.
    """
    require_open(warehouse, first)
    rekey.bring_up_to_date(warehouse)
    levels = load_levels(database, how.default)
    report = RematchReport()
    for begin, end in parts(first, last):
        found = steps.find_for_days(warehouse, begin, end, how.crm, levels.search, how.rules)
        admission = admit(database, warehouse, found, levels, now, origin="backfill", hold=not how.deliver)
        report.rounds += found.rounds
        report.found += len(found.found)
        report.recovered += admission.record.new
        report.known += admission.record.known
        report.same_round += admission.record.suppressed
        report.asked += admission.asked
        note(
            f"{begin} to {end}: {found.rounds:,} rounds, {len(found.found):,} matches found, {admission.record.new:,} new; "
            f"{(end - first).days + 1} of {(last - first).days + 1} days done"
        )
    return report


def parts(first: date, last: date, days: int = DAYS_AT_ONCE) -> Iterator[tuple[date, date]]:
    """The days from ``first`` to ``last`` in parts of at most ``days``, in order."""
    begin = first
    while begin <= last:
        end = min(begin + timedelta(days=days - 1), last)
        yield begin, end
        begin = end + timedelta(days=1)

"""The documents of a span of days read again, and their rounds resolved again, a few days at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from pipeline.recovery.rematch import Note, parts
from pipeline.signals import mention_table, round_table
from pipeline.signals.mention_table import Extractor
from pipeline.store.closed_days import require_open
from pipeline.store.warehouse import Warehouse


@dataclass(slots=True)
class RereadReport:
    """Documents read and read otherwise; rounds that are new, enriched or corrected, and taken back."""

    documents: int = 0
    changed: int = 0
    new_rounds: int = 0
    enriched_rounds: int = 0
    retracted_rounds: int = 0


def reread(
    warehouse: Warehouse,
    first: date,
    last: date,
    now: datetime,
    note: Note,
    *,
    max_article_age_hours: int,
    extractor: Extractor | None = None,
    publish: Callable[[], object] = lambda: None,
) -> RereadReport:
    """Read the documents landed on these days (UTC, both included) with today's extractor; ``publish`` is called after each part.

    Idempotent: a document that says the same as before keeps its row. A kill leaves the parts before it done.
    Raises DaysClosed.
    """
    require_open(warehouse, first)
    report = RereadReport()
    for begin, end in parts(first, last):
        again = mention_table.re_extract(warehouse, begin, end, now, extractor=extractor)
        rounds = round_table.resolve_new(warehouse, now, max_article_age_hours)
        publish()
        report.documents += again.documents
        report.changed += again.changed
        report.new_rounds += rounds.new
        report.enriched_rounds += rounds.enriched
        report.retracted_rounds += rounds.retracted
        note(
            f"{begin} to {end}: {again.documents:,} documents read again, {again.changed:,} otherwise; {rounds.new:,} new rounds; "
            f"{(end - first).days + 1} of {(last - first).days + 1} days done"
        )
    return report

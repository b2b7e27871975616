"""Found matches on their way in: by their organization's thresholds into the ledger, the review queue, or the near misses.

What belongs here: the order of these writes. What does not: each of them. All can be done again: a run that is killed between
any two finds the same matches and leads to the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.matching import near_misses, steps
from pipeline.matching.tiers import Thresholds, search_from, sort_into_tiers
from pipeline.organizations.thresholds import all_thresholds
from pipeline.store.app_database import AppDatabase
from pipeline.store.restored import maybe_told_until
from pipeline.store.warehouse import Warehouse
from pipeline.webhooks import outbox, reviews
from pipeline.webhooks.outbox import RecordReport


@dataclass(frozen=True, slots=True)
class Levels:
    """The thresholds of all organizations, and the installation's for those without their own."""

    default: Thresholds
    own: dict[str, Thresholds]

    @property
    def search(self) -> float:
        """The score from which the engine must look."""
        return search_from([self.default, *self.own.values()])


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of found matches. ``asked``: new questions to analysts; ``near``: near misses kept."""

    record: RecordReport
    asked: int
    near: int


def load_levels(db: AppDatabase, default: Thresholds) -> Levels:
    """The thresholds in force now."""
    return Levels(default, all_thresholds(db, default))


def admit(
    db: AppDatabase,
    warehouse: Warehouse,
    found: steps.NewMatches,
    levels: Levels,
    now: datetime,
    origin: str = "live",
    *,
    hold: bool = False,
) -> Admission:
    """Record what is sure, ask about what is not, keep what was near, and note how far matching has come. Raises RoundUnknown."""
    tiers = sort_into_tiers(found.found, levels.own, levels.default)
    maybe_told = maybe_told_until(warehouse) if tiers.send else None
    record = outbox.record_matches(db, tiers.send, now, origin=origin, hold=hold, maybe_told_until=maybe_told)
    asked = reviews.take(db, tiers.review, levels.own, now, origin)
    near = near_misses.write(warehouse, tiers.near, levels.own, levels.default, now)
    steps.write(warehouse, found, record.recorded)
    return Admission(record, asked, near)

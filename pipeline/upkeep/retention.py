"""What is kept how long, and the one call that deletes the rest.

What belongs here: the policy and the order of things. What does not: the statements (app_retention, warehouse_retention).

What at-most-once rests on is never deleted: matches, deliveries, rounds, reviews and the links between them stay for good, and
so does the newest row of every table whose numbers name something (a run key, a mark of progress): SQLite gives a number again
when the row that had the highest is gone. What grows is compacted instead: texts, bodies, excerpts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.documents.landing import Landing
from pipeline.partners.visitors import HASH_KEPT
from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase
from pipeline.store.warehouse import Warehouse
from pipeline.upkeep import app_retention, warehouse_retention


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Days that each kind of data is kept; see the settings of the same names."""

    text_days: int
    landing_days: int
    attempt_days: int
    history_days: int

    @classmethod
    def of(cls, settings: Settings) -> RetentionPolicy:
        """The policy that the settings state."""
        return cls(
            settings.retention_text_days,
            settings.retention_landing_days,
            settings.retention_attempt_days,
            settings.retention_history_days,
        )


def apply_retention(
    database: AppDatabase,
    warehouse: Warehouse,
    landing: Landing,
    policy: RetentionPolicy,
    now: datetime,
    note: Callable[[str], None] = lambda _line: None,
) -> dict[str, int]:
    """Delete or compact what is older than ``policy`` says; gives rows (or files) by what they were.

    In bounded steps, each a transaction of its own: a kill leaves work for the next call, and others wait for one step at most.
    Running it again does nothing. ``note`` is told of each step that did something.
    """
    before = {
        "text": now - timedelta(days=policy.text_days),
        "landing": now - timedelta(days=policy.landing_days),
        "attempt": now - timedelta(days=policy.attempt_days),
        "history": now - timedelta(days=policy.history_days),
    }
    done = app_retention.clear_landings(database, landing, before["landing"])
    done |= app_retention.clear_tables(database, before["landing"], before["attempt"], before["history"])
    done |= app_retention.forget_visitors(database, now - HASH_KEPT)
    done |= warehouse_retention.compact(warehouse, before["text"], before["history"])
    for what, count in done.items():
        if count:
            note(f"{what}: {count:,}")
    return done

"""What is kept how long, and the one call that deletes the rest.

What belongs here: the policy and the order of things. What does not: the statements (app_, ledger_ and warehouse_retention).

At most once rests on rounds, matches, deliveries and the rows of attempts. While a day is open they stay, whatever the policy says
of their texts. A day older than the history is closed for good (store.closed_days): nobody can be told of its news any more, and
a month later its rows go. The newest row of every table whose numbers name something stays: its number must not be given again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipeline.documents.landing import Landing
from pipeline.partners.visitors import HASH_KEPT
from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase
from pipeline.store.closed_days import MARGIN
from pipeline.store.warehouse import Warehouse
from pipeline.upkeep import (
    app_retention,
    click_retention,
    credit_retention,
    ledger_retention,
    signal_retention,
    warehouse_retention,
)

# So long without any news is no installation that works, or a clock that is ahead.
SILENCE = timedelta(days=30)


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
    Running it again does nothing. ``note`` is told of each step that did something. A clock that is far ahead would delete all
    there is, so time is taken to be no later than a month after the newest moment that a document states.
    """
    real_now, now = now, _not_ahead_of_the_news(warehouse, now, note)
    before = {
        "text": now - timedelta(days=policy.text_days),
        "landing": now - timedelta(days=policy.landing_days),
        "attempt": now - timedelta(days=policy.attempt_days),
        "history": now - timedelta(days=policy.history_days),
    }
    done = app_retention.clear_landings(database, landing, before["landing"])
    done |= app_retention.clear_tables(database, before["landing"], before["history"])
    done |= app_retention.forget_visitors(database, real_now - HASH_KEPT)
    done |= ledger_retention.clear_texts(database, warehouse, before["attempt"])
    forgotten = before["history"] - MARGIN
    # The warehouse closes the days; what says who was told goes after.
    done |= warehouse_retention.compact(warehouse, before["text"], before["history"], forgotten)
    done |= ledger_retention.forget_news(database, forgotten)
    done |= signal_retention.forget_signals(database, warehouse, forgotten)
    done |= credit_retention.sum_credits(database, forgotten)
    done |= click_retention.forget_clicks(database, warehouse, forgotten)
    database.forget_log()
    for what, count in done.items():
        if count:
            note(f"{what}: {count:,}")
    return done


def _not_ahead_of_the_news(warehouse: Warehouse, now: datetime, note: Callable[[str], None]) -> datetime:
    """``now``, or a while after the newest document's own date, if that is earlier: others' clocks stand for it."""
    with warehouse.open() as connection:
        newest: datetime | None = connection.execute("SELECT max(published_at) FROM raw.documents").fetchall()[0][0]
    if newest is None or now <= newest.replace(tzinfo=UTC) + SILENCE:
        return now
    note(
        f"the newest document is of {newest:%Y-%m-%d}: kept is what counts from {SILENCE.days} days after it. Is the clock right?"
    )
    return min(now, newest.replace(tzinfo=UTC) + SILENCE)

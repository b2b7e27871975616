"""What a subscription would have been told: its filters over the signals of the last ninety days. Ours, not the vendor's.

Costs at most MOST_SCANNED rows, newest first, however many signals there are; the answer says whether these were all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import load_only

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.subscriptions import Signal
from pipeline.subscriptions.filters import Filter
from pipeline.subscriptions.model import SIGNAL_EVENTS
from pipeline.subscriptions.signals import facts_of

DAYS = 90
EXAMPLES = 10
MOST_SCANNED = 20_000

_FACTS = load_only(
    Signal.id, Signal.event_type, Signal.occurred_at, Signal.company_name, Signal.industry, Signal.categories, Signal.country,
    Signal.employee_count, Signal.round_type, Signal.round_flavor, Signal.amount, Signal.currency, Signal.confidence,
    raiseload=True,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """A signal that would have been delivered."""

    signal_id: str
    event_type: str
    occurred_at: datetime
    company_name: str | None
    country: str | None
    round_type: str | None
    amount: int | None
    currency: str | None


@dataclass(slots=True)
class Preview:
    """``matching`` of ``scanned`` signals by event type; ``examples``: the newest ten. Not ``is_complete``: there were more."""

    matching: Counter[str] = field(default_factory=Counter)
    scanned: int = 0
    is_complete: bool = True
    examples: list[Example] = field(default_factory=list)


def preview(db: AppDatabase, event_types: Sequence[str], wanted: Filter, now: datetime) -> Preview:
    """What ``wanted`` would have let through of these events, by when they occurred."""
    found = Preview()
    since = now - timedelta(days=DAYS)
    events = [event for event in SIGNAL_EVENTS if event in event_types]
    for event in events:
        _look(db, event, wanted, since, MOST_SCANNED // len(events), found)
    found.examples.sort(key=lambda one: (one.occurred_at, one.signal_id), reverse=True)
    del found.examples[EXAMPLES:]
    return found


def _look(db: AppDatabase, event: str, wanted: Filter, since: datetime, most: int, found: Preview) -> None:
    query = select(Signal).options(_FACTS).where(Signal.event_type == event, Signal.occurred_at >= since, Signal.is_active)
    query = query.order_by(Signal.occurred_at.desc(), Signal.id.desc()).limit(most + 1)
    shown = 0
    with db.read() as session:
        for number, row in enumerate(session.scalars(query)):
            if number == most:
                found.is_complete = False
                return
            found.scanned += 1
            if wanted.accepts(facts_of(row)):
                found.matching[event] += 1
                if shown < EXAMPLES:
                    shown += 1
                    found.examples.append(_example(row))


def _example(row: Signal) -> Example:
    return Example(
        row.id, row.event_type, row.occurred_at, row.company_name, row.country, row.round_type, row.amount, row.currency
    )

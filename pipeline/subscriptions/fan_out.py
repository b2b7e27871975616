"""From signals to deliveries: each new signal becomes one delivery per webhook whose subscription it satisfies (SB-37, SB-82).

Level-triggered: what is marked as waiting is done, in one transaction per batch with the mark, under ids that follow from webhook
and signal; so a run that is killed and run again leads to the same deliveries, each once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid5

from sqlalchemy import select

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.subscriptions import Signal
from pipeline.subscriptions.deliveries import NAMESPACE
from pipeline.subscriptions.index import SubscriptionIndex, Target
from pipeline.subscriptions.masking import masked
from pipeline.subscriptions.resolving import Sighting, resolve
from pipeline.subscriptions.signals import DONE, WAITING, facts_of, waiting_signals
from pipeline.subscriptions.watching import sightings
from pipeline.webhooks.canonical import RawJson
from pipeline.webhooks.signalbase import PROFILE_NAME, canonical_data, event_body

SIGNALS_AT_ONCE = 50
ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class FanOutReport:
    """``signals``: fanned out now; ``deliveries``: put into the outbox."""

    signals: int = 0
    deliveries: int = 0


def fan_out(db: AppDatabase, index: SubscriptionIndex, now: datetime) -> FanOutReport:
    """Fan out all signals that wait. Safe to call again at any time, and by several processes at once."""
    signals = deliveries = 0
    while True:
        with db.read() as session:
            waiting = waiting_signals(session, SIGNALS_AT_ONCE)
            seen = sightings(session, waiting)
        if not waiting:
            index.keep()
            return FanOutReport(signals, deliveries)
        index.refresh()
        lists: defaultdict[str, set[str]] = defaultdict(set)
        for sighting in seen:
            lists[sighting.signal_id].add(sighting.monitor_id)
        targets = {signal.id: index.targets(facts_of(signal, frozenset(lists[signal.id]))) for signal in waiting}
        done = _write(db, waiting, targets, seen, now)
        signals += done.signals
        deliveries += done.deliveries


def event_id(endpoint_id: str, signal_id: str) -> str:
    """The id of the event that tells one webhook of one signal (SB-64)."""
    return str(uuid5(NAMESPACE, f"{endpoint_id}:{signal_id}"))


def delivery_rows(signal: Signal, targets: Sequence[Target], now: datetime) -> list[dict[str, Any]]:
    """The deliveries of one signal. Its data are written as text once, and once more where persons are masked."""
    texts: dict[bool, RawJson] = {}
    rows = []
    for target in targets:
        text = texts.get(target.is_strict)
        if text is None:
            text = texts[target.is_strict] = canonical_data(masked(signal.event_type, signal.data, target.is_strict))
        of_event = event_id(target.endpoint_id, signal.id)
        key = f"{PROFILE_NAME}:{target.endpoint_id}:{of_event}"
        rows.append(
            {
                "id": str(uuid5(NAMESPACE, key)),
                "dedupe_key": key,
                "organization_id": target.organization_id,
                "profile": PROFILE_NAME,
                "event_type": signal.event_type,
                "event_id": of_event,
                "endpoint_id": target.endpoint_id,
                "signal_id": signal.id,
                "status": "pending",
                "body": event_body(signal.event_type, of_event, text, now),
                "attempts": 0,
                "prior_attempts": 0,
                "created_at": now,
            }
        )
    return rows


def _write(
    db: AppDatabase, waiting: Sequence[Signal], targets: dict[str, list[Target]], seen: Sequence[Sighting], now: datetime
) -> FanOutReport:
    signals = deliveries = 0
    with db.write() as session:
        resolve(session, seen, now)
        query = select(Signal).where(Signal.id.in_([signal.id for signal in waiting]), Signal.fan_out == WAITING)
        # As they are now: one that was taken back meanwhile no longer waits.
        for signal in session.scalars(query.order_by(Signal.discovered_at, Signal.id).with_for_update()):
            rows = delivery_rows(signal, targets[signal.id], now)
            for start in range(0, len(rows), ROWS_AT_ONCE):
                insert = db.insert(Delivery).on_conflict_do_nothing()
                session.execute(insert, rows[start : start + ROWS_AT_ONCE])
            signal.fan_out = DONE
            signals += 1
            deliveries += len(rows)
    return FanOutReport(signals, deliveries)

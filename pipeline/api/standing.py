"""What Prometheus is told of the ledger as it stands: what is to be sent, and what became of the last day's deliveries; and
whether sources are asked, answer, and find our clock right.

What belongs here: reading it at a bounded cost, in labels of bounded number. What does not: what the service itself counts
(metrics). However large the ledger is and however much waits, a scrape reads at most MOST_ROWS rows of each kind, through
indexes; so the last day's figures are those of its newest MOST_ROWS deliveries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from pipeline.documents.clock import clock_ahead
from pipeline.documents.source_standing import source_standing
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery
from pipeline.webhooks.fundingscout import PROFILE_NAME
from pipeline.webhooks.outbox import OPEN

OPEN_STATUSES = ("pending", "sending")
STATUSES = ("held", *OPEN_STATUSES, "scheduled", "paused", "delivered", "failed", "no_webhook")
DAY = timedelta(days=1)
MOST_ROWS = 50_000
PROFILES = (PROFILE_NAME,)
OTHER = "other"
# What an attempt ended in, for the reasons that the ledger gives (webhooks.transport, webhooks.attempts).
OF_REASON = {
    "redirect": "3xx",
    "http_4xx": "4xx",
    "http_5xx": "5xx",
    "timeout": "timeout",
    "connect": "refused",
    "dns": "unresolved",
    "tls": "tls",
    "refused_address": "vetted_away",
    "unknown_outcome": "unknown",
}
OUTCOMES = ("2xx", *OF_REASON.values(), OTHER)


def outcome_class(status: str, reason: str | None) -> str | None:
    """What a delivery that is over ended in, one of OUTCOMES; None for one that was not tried or is not over."""
    if status == "delivered":
        return "2xx"
    return OF_REASON.get(reason or "", OTHER) if status == "failed" else None


class Standing(Collector):
    """The ledger at one moment; read once per scrape."""

    def __init__(self, database: AppDatabase, now: datetime) -> None:
        self._database = database
        self._now = now

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges."""
        open_now, oldest, last_day = self._read()
        yield _gauge("fundingscout_outbox_deliveries", "Deliveries to be made.", open_now, OPEN_STATUSES)
        age = (self._now - oldest).total_seconds() if oldest else 0.0
        yield GaugeMetricFamily("fundingscout_outbox_oldest_seconds", "Age of the oldest delivery to be made.", value=age)
        by_status: Counter[str] = Counter()
        by_outcome: Counter[tuple[str, str]] = Counter()
        for profile, status, reason, count in last_day:
            by_status[status] += count
            outcome = outcome_class(status, reason)
            if outcome is not None:
                by_outcome[profile if profile in PROFILES else OTHER, outcome] += count
        yield _gauge("fundingscout_deliveries_last_day", "Deliveries of the last 24 hours, by status.", by_status, STATUSES)
        outcomes = GaugeMetricFamily(
            "fundingscout_delivery_outcomes_last_day",
            "Deliveries of the last 24 hours that are over, by what the receiver's end answered.",
            labels=["profile", "outcome"],
        )
        for name in (*PROFILES, OTHER):
            for outcome in OUTCOMES:
                outcomes.add_metric([name, outcome], by_outcome[name, outcome])
        yield outcomes
        sources = source_standing(self._database, self._now)
        if sources.seconds_since_poll is not None:
            yield GaugeMetricFamily(
                "fundingscout_newest_poll_seconds", "Since any source was asked: grows where the daemon is down or hangs.",
                value=sources.seconds_since_poll,
            )  # fmt: skip
            counts = {"failing": len(sources.failing), "unreadable": len(sources.unreadable)}
            of_states = GaugeMetricFamily("fundingscout_sources", "Sources, by how their last poll went.", labels=["state"])
            for state, count in (counts | {"well": sources.polled - sum(counts.values())}).items():
                of_states.add_metric([state], count)
            yield of_states
        ahead = clock_ahead(self._database)
        if ahead is not None:
            yield GaugeMetricFamily("fundingscout_clock_ahead_seconds", "Our clock against most sources'.", value=ahead)

    def _read(self) -> tuple[dict[str, int], datetime | None, list[Any]]:
        waiting = select(Delivery.status).where(OPEN).limit(MOST_ROWS).subquery()
        columns = (Delivery.profile, Delivery.status, Delivery.reason)
        lately = select(*columns).where(Delivery.created_at >= self._now - DAY)
        newest = lately.order_by(Delivery.created_at.desc()).limit(MOST_ROWS).subquery()
        kinds = (newest.c.profile, newest.c.status, newest.c.reason)
        with self._database.read() as session:
            open_rows = session.execute(select(waiting.c.status, func.count()).group_by(waiting.c.status))
            open_now = {row[0]: row[1] for row in open_rows}
            # By status, as the index has it: each first entry is the oldest of its status.
            oldest = [
                session.scalar(
                    select(Delivery.created_at).where(OPEN, Delivery.status == status).order_by(Delivery.created_at).limit(1)
                )
                for status in OPEN_STATUSES
            ]
            last_day = [tuple(row) for row in session.execute(select(*kinds, func.count()).group_by(*kinds))]
        return open_now, min((moment for moment in oldest if moment), default=None), last_day


def _gauge(name: str, text: str, values: dict[str, int], statuses: Iterable[str]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, text, labels=["status"])
    for status in statuses:
        gauge.add_metric([status], values.get(status, 0))
    return gauge

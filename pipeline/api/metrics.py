"""What Prometheus is told: requests, latencies, refusals by quota, rows pushed; the outbox as it stands.

With several workers (``PROMETHEUS_MULTIPROC_DIR`` is set then) a scrape adds up what all of them counted.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from pipeline.store.app_database import AppDatabase
from pipeline.store.models import Delivery
from pipeline.webhooks.outbox import OPEN

SECONDS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
OPEN_STATUSES = ("pending", "sending")
STATUSES = ("held", *OPEN_STATUSES, "delivered", "failed", "no_webhook")
DAY = timedelta(days=1)


class Metrics:
    """The counters of one service, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "fundingscout_http_requests", "Answered requests.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "fundingscout_http_request_seconds",
            "From the request's head to the end of the answer.",
            ["method", "route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.quota_refusals = Counter(
            "fundingscout_quota_refusals", "Calls refused because the day's quota was used up.", ["operation"],
            registry=self.registry,
        )  # fmt: skip
        self.rows = Counter(
            "fundingscout_crm_rows", "CRM rows pushed, by what became of them.", ["kind", "outcome"], registry=self.registry
        )

    def text(self, database: AppDatabase, now: datetime) -> bytes:
        """The exposition: what was counted, and the outbox at this moment."""
        counted = self.registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            counted = CollectorRegistry()
            MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        standing = CollectorRegistry()
        standing.register(_Outbox(database, now))
        return generate_latest(counted) + generate_latest(standing)


class _Outbox(Collector):
    def __init__(self, database: AppDatabase, now: datetime) -> None:
        self._database = database
        self._now = now

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Read once per scrape, through indexes: costs what is open and what the last day brought, not what ever was."""
        waiting = select(Delivery.status, func.count()).where(OPEN).group_by(Delivery.status)
        lately = select(Delivery.status, func.count()).where(Delivery.created_at >= self._now - DAY).group_by(Delivery.status)
        with self._database.read() as session:
            open_now = _counts(session, waiting)
            oldest = session.scalar(select(func.min(Delivery.created_at)).where(OPEN))
            last_day = _counts(session, lately)
        yield _gauge("fundingscout_outbox_deliveries", "Deliveries to be made.", open_now, OPEN_STATUSES)
        age = (self._now - oldest).total_seconds() if oldest else 0.0
        yield GaugeMetricFamily("fundingscout_outbox_oldest_seconds", "Age of the oldest delivery to be made.", value=age)
        yield _gauge("fundingscout_deliveries_last_day", "Deliveries of the last 24 hours, by status.", last_day, STATUSES)


def _counts(session: Session, query: Select[str, int]) -> dict[str, int]:
    return {row[0]: row[1] for row in session.execute(query)}


def _gauge(name: str, text: str, values: dict[str, int], statuses: Iterable[str]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, text, labels=["status"])
    for status in statuses:
        gauge.add_metric([status], values.get(status, 0))
    return gauge

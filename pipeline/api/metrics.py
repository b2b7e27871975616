"""What Prometheus is told: requests, latencies, refusals by quota, rows pushed, clicks; the outbox as it stands.

With several workers (``PROMETHEUS_MULTIPROC_DIR`` is set then) a scrape adds up what all of them counted.
"""

from __future__ import annotations

import os
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from pipeline.api.standing import Standing
from pipeline.organizations.quotas import Usage
from pipeline.store.app_database import AppDatabase

SECONDS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
LAST_TENTH = 10


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
        self.quota_calls = Counter(
            "fundingscout_quota_calls",
            "Counted calls: admitted, admitted out of the last tenth of the key's quota, or refused.",
            ["operation", "outcome"],
            registry=self.registry,
        )
        self.rows = Counter(
            "fundingscout_crm_rows", "CRM rows pushed, by what became of them.", ["kind", "outcome"], registry=self.registry
        )

        self.clicks = Counter(
            "fundingscout_partner_clicks",
            "Visits to partners' links: taken as a click, a double of one, or no click and why.",
            ["outcome"],
            registry=self.registry,
        )

    def count_call(self, usage: Usage) -> None:
        """Note what the quota said to one call."""
        outcome = "admitted"
        if usage.is_refused:
            outcome = "refused"
            self.quota_refusals.labels(usage.operation).inc()
        elif usage.limit is not None and usage.used * LAST_TENTH > usage.limit * (LAST_TENTH - 1):
            outcome = "admitted_last_tenth"
        self.quota_calls.labels(usage.operation, outcome).inc()

    def text(self, database: AppDatabase, now: datetime) -> bytes:
        """The exposition: what was counted, and the outbox at this moment."""
        counted = self.registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            counted = CollectorRegistry()
            MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        standing = CollectorRegistry()
        standing.register(Standing(database, now))
        return generate_latest(counted) + generate_latest(standing)

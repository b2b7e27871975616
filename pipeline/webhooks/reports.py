"""What one sending run did, in figures: for its caller, and for whoever looks at the asset."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pipeline.webhooks.attempts import Outcome


@dataclass(frozen=True, slots=True)
class EndpointFigures:
    """One endpoint's share of a run. ``p95_ms`` over its attempts."""

    host: str
    sent: int
    failed: int
    p95_ms: float


@dataclass(slots=True)
class DeliveryReport:
    """What one sending run did. ``durations_ms``: of every attempt that was sent, to the response head or the failure.

    ``set_aside``: deliveries that were not sent because their endpoint is paused or disabled, or the opt-in taken back.
    ``retries``: how many of the attempts were not the first.
    """

    delivered: int = 0
    failed: int = 0
    no_webhook: int = 0
    unknown_outcome: int = 0
    set_aside: int = 0
    retries: int = 0
    failed_by_class: Counter[str] = field(default_factory=Counter)
    durations_ms: list[float] = field(default_factory=list)
    durations_by_host: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failed_by_host: Counter[str] = field(default_factory=Counter)

    def duration_ms(self, quantile: float) -> float | None:
        """The duration that this share of attempts (0..1) did not exceed; None without attempts."""
        return _quantile(self.durations_ms, quantile)

    def slowest_endpoints(self, most: int = 5) -> list[EndpointFigures]:
        """The endpoints, by host, whose 95th percentile is the highest."""
        found = [
            EndpointFigures(host, len(durations), self.failed_by_host[host], _quantile(durations, 0.95) or 0.0)
            for host, durations in self.durations_by_host.items()
        ]
        return sorted(found, key=lambda figures: (-figures.p95_ms, figures.host))[:most]

    def add(self, outcome: Outcome, url: str = "", number: int = 1) -> None:
        """Count one attempt."""
        host = urlsplit(url).netloc
        self.durations_ms.append(outcome.duration_ms)
        self.durations_by_host[host].append(outcome.duration_ms)
        self.retries += number > 1
        if outcome.is_delivered:
            self.delivered += 1
        else:
            self.failed += 1
            self.failed_by_class[outcome.error_class or "unknown"] += 1
            self.failed_by_host[host] += 1


def _quantile(values: list[float], quantile: float) -> float | None:
    ordered = sorted(values)
    return ordered[min(int(quantile * len(ordered)), len(ordered) - 1)] if ordered else None

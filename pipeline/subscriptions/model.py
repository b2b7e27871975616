"""What subscriptions know of a signal: the events there are, and the facts that filters look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EventType(StrEnum):
    """Events by the names that partners subscribe to (SB-33, SB-34, SB-35, A-SB-38)."""

    FUNDING = "funding.created"
    ACQUISITION = "acquisition.created"
    JOB_CHANGE = "job_change.created"
    HIRING = "hiring.created"
    NEW_COMPANY = "new_company.created"
    INVESTOR = "investor.created"
    TEST = "system.test"
    PUSH = "dashboard.push"


# What signals are told as; each is subscribed to by name and narrowed by filters.
SIGNAL_EVENTS = (
    EventType.FUNDING,
    EventType.ACQUISITION,
    EventType.JOB_CHANGE,
    EventType.HIRING,
    EventType.NEW_COMPANY,
    EventType.INVESTOR,
)
# What `event_types` may name (SB-33, SB-34, A-SB-16, A-SB-38).
SUBSCRIBABLE = (*SIGNAL_EVENTS, EventType.TEST)
# Events of companies by the names that signals have in payloads (`signal.type`), and those of them that monitors listen for.
SIGNAL_TYPES = {
    EventType.FUNDING: "funding_round",
    EventType.ACQUISITION: "acquisition",
    EventType.JOB_CHANGE: "job_change",
    EventType.HIRING: "hiring",
    EventType.NEW_COMPANY: "new_company",
}
WATCHABLE = {kind: event for event, kind in SIGNAL_TYPES.items() if event != EventType.NEW_COMPANY}


@dataclass(frozen=True, slots=True)
class Facts:
    """One signal as filters see it. None: not known, and then no filter that asks for it is satisfied (A-SB-8).

    ``country``: ISO 3166-1 alpha-2 of the company's headquarters, upper case. ``amount``: whole units of the deal's own
    currency (A-SB-9). ``confidence``: 0..1. ``occurred_at``: aware. Of an investor, ``company_name`` is its name, ``industry``
    its type and ``country`` where it invests, if that is one country. ``watch_lists``: monitors that watch the company.
    """

    event_type: str
    occurred_at: datetime
    company_name: str | None = None
    industry: str | None = None
    categories: tuple[str, ...] = ()
    country: str | None = None
    employee_count: int | None = None
    round_type: str | None = None
    round_flavor: str | None = None
    amount: int | None = None
    confidence: float | None = None
    watch_lists: frozenset[str] = frozenset()

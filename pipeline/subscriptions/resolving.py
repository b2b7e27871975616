"""What a target of a monitor learns of its company: from the signals it is met in, and from those there are when it is added.

What belongs here: from a payload's company block to a target that is resolved. What does not: which signals are about which
target (subscriptions.watching).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.matching.domains import company_domain
from pipeline.matching.names import normal_form
from pipeline.store.tables.monitors import MonitorTarget
from pipeline.subscriptions import payloads
from pipeline.subscriptions.identifiers import LINKEDIN_COMPANY, LINKEDIN_PROFILE, name_key

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Sighting:
    """A target whose company a signal is about. ``company``: as the signal states it."""

    signal_id: str
    target_id: str
    monitor_id: str
    company: dict[str, Any]


def resolve(session: Session, seen: Iterable[Sighting], now: datetime) -> None:
    """Let each target know its company by the signals that it was met in: a pending one is resolved, others learn more."""
    by_target = defaultdict(list)
    for sighting in seen:
        by_target[sighting.target_id].append(sighting.company)
    ids = sorted(by_target)
    for start in range(0, len(ids), AT_ONCE):
        query = select(MonitorTarget).where(MonitorTarget.id.in_(ids[start : start + AT_ONCE]))
        for target in session.scalars(query.order_by(MonitorTarget.id).with_for_update()):
            for block in by_target[target.id]:
                learn(target, block, now)


def learn(target: MonitorTarget, block: dict[str, Any], now: datetime) -> None:
    """``target`` is the company that ``block``, of a signal's payload, states.

    A domain stays a domain's whatever is called so, and gives up its label for the name. A person's target goes with the person.
    """
    domain = company_domain(block.get("website"))
    moved = target.kind == LINKEDIN_PROFILE and name_key(block["name"]) != target.name_key
    before = {} if moved or target.company is None else target.company
    stated = {"name": block["name"], "slug": block["slug"], "domain": domain, "industry": block.get("industry")}
    stated["country"] = block.get("headquartersCountry")
    company = before | {key: value for key, value in stated.items() if value is not None or key not in before}
    if target.kind == LINKEDIN_PROFILE:
        target.domain_key = company["domain"]
    elif target.domain_key is not None:
        company["domain"] = target.domain_key
    if target.kind != LINKEDIN_COMPANY:
        target.name, target.name_key = company["name"], name_key(company["name"])
    company["id"] = payloads.company_id(company["domain"], normal_form(company["name"]))
    if company != target.company:
        target.company, target.company_id = company, company["id"]
    if moved or target.resolved_at is None:
        target.resolved_at = now

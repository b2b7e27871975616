"""What sends cost: a credit is set aside before a send and taken once it succeeded; never below zero (SB-54, SB-55, A-SB-23).

Setting aside is part of the claim's transaction. Counting is level-triggered: a hold whose delivery has an outcome is counted
once, whoever comes by, so a sender that dies leaves nothing reserved for ever. What belongs here: holds, and what they come to.
What does not: granting credits (subscriptions.teams).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, delete, select, update
from sqlalchemy.orm import Session

from pipeline.store.app_database import AppDatabase
from pipeline.store.bulk import is_one_of
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.subscriptions import CreditEntry, CreditHold, Team, WebhookSubscription
from pipeline.webhooks.waiting import Endpoint, Waiting

SKIPPED = "skipped"
NO_CREDITS = "no_credits"
COST = 1
SWEEP = 500
# Asked hold by hold, and not as a join: SQLite would begin with all deliveries that there ever were.
HAS_ENDED = select(Delivery.status).where(Delivery.id == CreditHold.delivery_id).scalar_subquery() != "sending"

Chosen = list[tuple[Waiting, Endpoint]]


def admit(session: Session, chosen: Chosen, now: datetime, free_event: str) -> tuple[Chosen, int]:
    """Of deliveries about to be claimed, those that their teams' credits suffice for, each with a hold.

    Where a team has no credit at all, the delivery is recorded as skipped; where all it has is set aside for sends under way,
    the delivery stays pending until one of those ends. ``free_event`` costs nothing. Gives what goes, and how many were skipped.
    """
    by_team: defaultdict[str, Chosen] = defaultdict(list)
    for row, endpoint in chosen:
        by_team[row.organization_id].append((row, endpoint))
    query = select(Team).where(Team.organization_id.in_(sorted(by_team))).order_by(Team.organization_id).with_for_update()
    teams = {team.organization_id: team for team in session.scalars(query.execution_options(populate_existing=True))}
    go: Chosen = []
    skipped = 0
    for organization_id, rows in by_team.items():
        team = teams.get(organization_id)
        for row, endpoint in rows:
            cost = 0 if row.event_type == free_event else COST
            if team is None or (cost and not team.credits):
                row.status, row.reason, row.finished_at = SKIPPED, NO_CREDITS, now
                skipped += 1
            elif not cost or team.credits - team.credits_reserved >= cost:
                team.credits_reserved += cost
                session.add(
                    CreditHold(
                        delivery_id=row.id,
                        organization_id=organization_id,
                        endpoint_id=endpoint.id,
                        amount=cost,
                        created_at=now,
                    )
                )
                go.append((row, endpoint))
    return go, skipped


def settle_holds(session: Session, now: datetime) -> int:
    """Count the holds whose deliveries have an outcome: take or give back their credits, and the webhooks' figures.

    Safe to call by several processes at once; gives how many were counted.
    """
    query = (
        select(CreditHold)
        .where(HAS_ENDED)
        .order_by(CreditHold.organization_id, CreditHold.delivery_id)
        .limit(SWEEP)
        .with_for_update(skip_locked=True)
    )
    holds = session.scalars(query.execution_options(populate_existing=True)).all()
    if not holds:
        return 0
    of_holds = select(Delivery).where(is_one_of(session, Delivery.id, [hold.delivery_id for hold in holds]))
    deliveries = {row.id: row for row in session.scalars(of_holds.execution_options(populate_existing=True))}
    ended = [(hold, deliveries[hold.delivery_id]) for hold in holds]
    teams: defaultdict[str, _TeamSum] = defaultdict(_TeamSum)
    endpoints: defaultdict[str, _EndpointSum] = defaultdict(_EndpointSum)
    for hold, delivery in ended:
        is_delivered = delivery.status == "delivered"
        teams[hold.organization_id].add(hold.amount, is_delivered)
        endpoints[hold.endpoint_id].add(is_delivered, delivery.finished_at or now)
        if is_delivered and hold.amount:
            session.add(
                CreditEntry(
                    organization_id=hold.organization_id,
                    amount=-hold.amount,
                    kind="delivery",
                    delivery_id=hold.delivery_id,
                    created_at=now,
                )
            )
    session.execute(delete(CreditHold).where(CreditHold.delivery_id.in_([hold.delivery_id for hold, _ in ended])))
    for organization_id, sums in sorted(teams.items()):
        session.execute(
            update(Team)
            .where(Team.organization_id == organization_id)
            .values(credits=Team.credits - sums.taken, credits_reserved=Team.credits_reserved - sums.held)
        )
    for endpoint_id, counted in sorted(endpoints.items()):
        session.execute(
            update(WebhookSubscription).where(WebhookSubscription.endpoint_id == endpoint_id).values(counted.values())
        )
    return len(ended)


def settle_all_holds(db: AppDatabase, now: datetime) -> int:
    """Count whatever has an outcome: for those who are about to look at credits or figures. One query when nothing has."""
    counted = 0
    while True:
        with db.read() as session:
            if session.scalar(select(CreditHold.delivery_id).where(HAS_ENDED).limit(1)) is None:
                return counted
        with db.write() as session:
            found = settle_holds(session, now)
        if not found:
            return counted
        counted += found


@dataclass(slots=True)
class _TeamSum:
    held: int = 0
    taken: int = 0

    def add(self, amount: int, is_delivered: bool) -> None:
        self.held += amount
        self.taken += amount if is_delivered else 0


@dataclass(slots=True)
class _EndpointSum:
    successes: int = 0
    failures: int = 0
    last_success: datetime | None = None
    last_failure: datetime | None = None

    def add(self, is_delivered: bool, at: datetime) -> None:
        if is_delivered:
            self.successes += 1
            self.last_success = max(at, self.last_success or at)
        else:
            self.failures += 1
            self.last_failure = max(at, self.last_failure or at)

    def values(self) -> dict[str, Any]:
        of = WebhookSubscription
        values: dict[str, Any] = {
            "successful_deliveries": of.successful_deliveries + self.successes,
            "failed_deliveries": of.failed_deliveries + self.failures,
        }
        for name, column, at in (
            ("last_success_at", of.last_success_at, self.last_success),
            ("last_failure_at", of.last_failure_at, self.last_failure),
        ):
            if at is not None:
                values[name] = case((column > at, column), else_=at)
        return values

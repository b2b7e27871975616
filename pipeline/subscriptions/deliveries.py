"""Deliveries of teams' webhooks: listed, tested, asked for again (SB-17 to SB-20, SB-80 to SB-85, A-SB-18 to A-SB-25, A-SB-35)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import exists, literal, not_, select, tuple_
from sqlalchemy.orm import Session, aliased

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.subscriptions import Team, WebhookSubscription
from pipeline.store.types import UtcDateTime
from pipeline.subscriptions.teams import TeamUnknown
from pipeline.subscriptions.webhooks import OF_PROFILE, WebhookUnknown, locked_active
from pipeline.webhooks.choosing import TEST
from pipeline.webhooks.credits import COST, NO_CREDITS, SKIPPED
from pipeline.webhooks.outbox import AT_REST
from pipeline.webhooks.signalbase import PROFILE_NAME, TEST_EVENT, signalbase_profile

NAMESPACE = UUID("6d2f8f0e-0f58-4a57-9a53-51f1c3c4b7a2")
REPLAY = "replay"
MOST_REPLAYED = 10_000
UNDER_WAY = ("pending", "sending", "scheduled", "paused")
# What is shown, and what it is in the ledger. Skipped ones were never attempted: they are shown when asked for alone.
STORED_STATUSES: dict[str, tuple[str, ...]] = {
    "done": ("delivered",),
    "failed": ("failed",),
    "pending": UNDER_WAY,
    SKIPPED: (SKIPPED,),
}
SHOWN_STATUS = {stored: shown for shown, many in STORED_STATUSES.items() for stored in many}
ATTEMPTED = tuple(stored for shown, many in STORED_STATUSES.items() if shown != SKIPPED for stored in many)

Place = tuple[datetime, str]


class DeliveryUnknown(LookupError):
    """The webhook has no such delivery."""


class AlreadyDelivered(ValueError):
    """An attempt of this event has succeeded: a second send is refused (SB-84, SB-91)."""


class StillUnderWay(ValueError):
    """An attempt of this event has no outcome yet (A-SB-21)."""


class CreditsMissing(ValueError):
    """The team can't pay for a send (A-SB-22)."""


@dataclass(frozen=True, slots=True)
class Record:
    """One delivery as shown (A-SB-35). ``response_status``: 0 where no answer came (SB-81), None while there is no outcome."""

    id: str
    event_type: str
    event_id: str
    status: str
    response_status: int | None
    response_body: str | None
    attempt_count: int
    delivered_at: datetime | None
    failed_at: datetime | None
    created_at: datetime
    reason: str | None
    previous_delivery_id: str | None

    @property
    def place(self) -> Place:
        """Where it stands in the list."""
        return self.created_at, self.id


def list_deliveries(
    db: AppDatabase, team_id: str, webhook_id: str, limit: int, status: str | None = None, after: Place | None = None
) -> tuple[list[Record], bool]:
    """Up to ``limit`` deliveries, newest first, behind the place ``after``; and whether more follow. Raises WebhookUnknown.

    ``status``: one of STORED_STATUSES; None: all that were or will be attempted. A deleted webhook keeps its history.
    """
    stored = STORED_STATUSES[status] if status else ATTEMPTED
    query = select(Delivery).where(OF_PROFILE, Delivery.endpoint_id == webhook_id, Delivery.status.in_(stored))
    if after is not None:
        place = tuple_(literal(after[0], UtcDateTime()), literal(after[1]))
        query = query.where(tuple_(Delivery.created_at, Delivery.id) < place)
    with db.read() as session:
        _check_owner(session, team_id, webhook_id)
        rows = list(session.scalars(query.order_by(Delivery.created_at.desc(), Delivery.id.desc()).limit(limit + 1)))
    return [record_of(row) for row in rows[:limit]], len(rows) > limit


def get_delivery(db: AppDatabase, delivery_id: str) -> Record:
    """One delivery. Raises DeliveryUnknown."""
    with db.read() as session:
        row = session.get(Delivery, delivery_id)
    if row is None:
        raise DeliveryUnknown(delivery_id)
    return record_of(row)


def add_test(db: AppDatabase, team_id: str, webhook_id: str, now: datetime) -> str:
    """Put a system.test event for the webhook into the outbox; gives the delivery's id. Raises WebhookUnknown."""
    event_id = str(UUID(bytes=secrets.token_bytes(16), version=4))
    key = f"{PROFILE_NAME}:{webhook_id}:{event_id}"
    delivery = Delivery(
        id=str(uuid5(NAMESPACE, key)),
        dedupe_key=key,
        organization_id=team_id,
        profile=PROFILE_NAME,
        event_type=TEST_EVENT,
        event_id=event_id,
        endpoint_id=webhook_id,
        status="pending",
        next_trigger=TEST,
        body=signalbase_profile().test_body(event_id, now),
        attempts=0,
        prior_attempts=0,
        created_at=now,
    )
    with db.write() as session:
        locked_active(session, team_id, webhook_id)
        session.add(delivery)
    return delivery.id


def add_retry(db: AppDatabase, team_id: str, webhook_id: str, delivery_id: str, now: datetime) -> str:
    """Put the delivery's event into the outbox again, as a new delivery with the same id and bytes; gives its id.

    Raises WebhookUnknown, DeliveryUnknown, AlreadyDelivered, StillUnderWay, CreditsMissing; then nothing is changed.
    """
    with db.write() as session:
        # The webhook's row is held: of two that ask at the same moment, the second sees the first's.
        locked_active(session, team_id, webhook_id)
        row = session.get(Delivery, delivery_id)
        if row is None or row.endpoint_id != webhook_id or row.profile != PROFILE_NAME:
            raise DeliveryUnknown(delivery_id)
        same = select(Delivery).where(OF_PROFILE, Delivery.endpoint_id == webhook_id, Delivery.event_id == row.event_id)
        rows = session.scalars(same).all()
        _check_may_go(session, team_id, row, rows)
        prior = max(one.prior_attempts + one.attempts for one in rows)
        key = f"{PROFILE_NAME}:{webhook_id}:{row.event_id}:{len(rows)}"
        again = Delivery(
            id=str(uuid5(NAMESPACE, key)),
            dedupe_key=key,
            organization_id=team_id,
            profile=PROFILE_NAME,
            event_type=row.event_type,
            event_id=row.event_id,
            endpoint_id=webhook_id,
            signal_id=row.signal_id,
            status="pending",
            next_trigger=REPLAY,
            body=row.body,
            attempts=0,
            prior_attempts=prior,
            previous_delivery_id=row.id,
            created_at=now,
        )
        session.add(again)
        return again.id


def replay_skipped(db: AppDatabase, team_id: str, since: datetime | None = None) -> int:
    """Put events that had met an empty balance into the outbox after all, oldest first, as many as there are credits for.

    ``since``: none that came about before. Those of webhooks that are switched off, and events that were delivered since by a
    retry, stay as they are. Gives how many wait to be sent now. Raises TeamUnknown.
    """
    other = aliased(Delivery)
    resent = exists().where(
        other.profile == PROFILE_NAME,
        other.endpoint_id == Delivery.endpoint_id,
        other.event_id == Delivery.event_id,
        other.status.in_(("delivered", *UNDER_WAY)),
    )
    with db.write() as session:
        team = session.scalars(select(Team).where(Team.organization_id == team_id).with_for_update()).one_or_none()
        if team is None:
            raise TeamUnknown(f"organization {team_id} is no team; `fundingscout signalbase create` makes it one")
        query = (
            select(Delivery)
            .join(WebhookSubscription, WebhookSubscription.endpoint_id == Delivery.endpoint_id)
            .where(
                AT_REST,
                Delivery.organization_id == team_id,
                Delivery.profile == PROFILE_NAME,
                Delivery.status == SKIPPED,
                Delivery.reason == NO_CREDITS,
                WebhookSubscription.is_active,
                not_(resent),
            )
            .order_by(Delivery.created_at, Delivery.id)
            .limit(max(0, min(team.credits - team.credits_reserved, MOST_REPLAYED)))
        )
        if since is not None:
            query = query.where(Delivery.created_at >= since)
        rows = session.scalars(query).all()
        for row in rows:
            row.status, row.reason, row.finished_at, row.next_trigger = "pending", None, None, REPLAY
        return len(rows)


def record_of(row: Delivery) -> Record:
    """A delivery of the ledger as it is shown."""
    status = SHOWN_STATUS.get(row.status, "failed")
    has_outcome = status in ("done", "failed")
    return Record(
        id=row.id,
        event_type=row.event_type,
        event_id=row.event_id or row.id,
        status=status,
        response_status=(row.response_code or 0) if has_outcome else None,
        response_body=row.response_excerpt if has_outcome else None,
        attempt_count=row.prior_attempts + max(1, row.attempts),
        delivered_at=row.finished_at if status == "done" else None,
        failed_at=row.finished_at if status == "failed" else None,
        created_at=row.created_at,
        reason=row.reason,
        previous_delivery_id=row.previous_delivery_id,
    )


def _check_may_go(session: Session, team_id: str, row: Delivery, rows: Sequence[Delivery]) -> None:
    if any(one.status == "delivered" for one in rows):
        raise AlreadyDelivered("Delivery already succeeded")
    if any(one.status in UNDER_WAY for one in rows):
        raise StillUnderWay("Delivery is still in flight")
    team = session.get_one(Team, team_id)
    if row.event_type != TEST_EVENT and team.credits - team.credits_reserved < COST:
        raise CreditsMissing("Insufficient credits")


def _check_owner(session: Session, team_id: str, webhook_id: str) -> None:
    owner = select(WebhookSubscription.organization_id).where(WebhookSubscription.endpoint_id == webhook_id)
    if session.scalar(owner) != team_id:
        raise WebhookUnknown(webhook_id)

"""The feed of matches: what a partner pulls instead of, or after, being told (FS-64 to FS-71, A-FS-10 to A-FS-13).

What belongs here: one page of an organization's matches, newest first. What does not: parameters and JSON (api). Reading
changes nothing. A page costs what it holds: its rows are found through an index, whatever was skipped before them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.matches import Match, Round
from pipeline.store.types import UtcDateTime
from pipeline.webhooks.events import metadata_of
from pipeline.webhooks.fundingscout import PROFILE_NAME
from pipeline.webhooks.outbox import AT_REST, OPEN
from pipeline.webhooks.profiles import CrmMetadata

# What is shown, and what it is in the ledger: a held match is told nobody, a claimed one has no outcome yet, a scheduled
# or paused one will be sent.
STORED_STATUSES: dict[str, tuple[str, ...]] = {
    "pending": ("pending", "sending", "scheduled", "paused"),
    "delivered": ("delivered",),
    "failed": ("failed",),
    "no_webhook": ("no_webhook", "held"),
}
SHOWN_STATUS = {stored: shown for shown, many in STORED_STATUSES.items() for stored in many}

Place = tuple[datetime, str]
"""A match's place in the feed: when it was recorded, and its id where several were at that moment."""


@dataclass(frozen=True, slots=True)
class FeedItem:
    """A match, its round and the outcome of its delivery. ``metadata`` of the CRM rows is as it is now."""

    match_id: str
    match_type: str
    account_external_id: str | None
    contact_external_id: str | None
    all_matches: list[dict[str, Any]]
    metadata: CrmMetadata
    status: str
    response_code: int | None
    response_excerpt: str | None
    reason: str | None
    delivered_at: datetime | None
    created_at: datetime
    round: dict[str, Any]

    @property
    def place(self) -> Place:
        """Where it stands in the feed."""
        return self.created_at, self.match_id


@dataclass(frozen=True, slots=True)
class FeedPage:
    """``has_more``: older matches of the same kind follow."""

    items: list[FeedItem]
    has_more: bool


def feed_page(
    db: AppDatabase,
    organization_id: str,
    limit: int,
    statuses: Collection[str] = (),
    since: datetime | None = None,
    before: datetime | None = None,
    after: Place | None = None,
) -> FeedPage:
    """Up to ``limit`` matches recorded at or after ``since`` and earlier than ``before``, newest first.

    ``statuses``: as shown (STORED_STATUSES); none means all. ``after``: continue behind this place.
    """
    with db.read() as session:
        if statuses:
            stored = sorted(status for shown in statuses for status in STORED_STATUSES[shown])
            queries = [_of_status(organization_id, status, since, before, after) for status in stored]
        else:
            queries = [_of_all(organization_id, since, before, after)]
        found: list[Any] = [row for query in queries for row in session.execute(query.limit(limit + 1))]
        places: list[Place] = sorted(((at, match_id) for at, match_id in found), reverse=True)
        return FeedPage(_items(session, [match_id for _, match_id in places[:limit]]), len(places) > limit)


def _of_all(
    organization_id: str, since: datetime | None, before: datetime | None, after: Place | None
) -> Select[datetime, Any]:
    """Places of all matches: walks ix_matches_feed."""
    query = select(Match.created_at, Match.id).where(Match.organization_id == organization_id, Match.hidden_at.is_(None))
    return _bounded(query, Match.created_at, Match.id, since, before, after)


def _of_status(
    organization_id: str, status: str, since: datetime | None, before: datetime | None, after: Place | None
) -> Select[datetime, Any]:
    """Places of the matches of one status: walks ix_deliveries_feed. A delivery is made with its match, at the same moment.

    Those on their way are no more than senders have in flight: ix_deliveries_open has them.
    """
    query = select(Delivery.created_at, Delivery.match_id).join(Match, Match.id == Delivery.match_id)
    query = query.where(
        OPEN if status == "sending" else AT_REST,
        Delivery.organization_id == organization_id,
        Delivery.profile == PROFILE_NAME,
        Delivery.status == status,
        Match.hidden_at.is_(None),
    )
    return _bounded(query, Delivery.created_at, Delivery.match_id, since, before, after)


def _bounded(
    query: Select[datetime, Any],
    created_at: InstrumentedAttribute[datetime],
    match_id: InstrumentedAttribute[Any],
    since: datetime | None,
    before: datetime | None,
    after: Place | None,
) -> Select[datetime, Any]:
    bounds: list[ColumnElement[bool]] = []
    if since is not None:
        bounds.append(created_at >= since)
    if before is not None:
        bounds.append(created_at < before)
    if after is not None:
        bounds.append(tuple_(created_at, match_id) < tuple_(literal(after[0], UtcDateTime()), literal(after[1])))
    return query.where(*bounds).order_by(created_at.desc(), match_id.desc())


def _items(session: Session, match_ids: Sequence[str]) -> list[FeedItem]:
    """The matches with these ids, in this order."""
    query = (
        select(
            Match.id,
            Match.organization_id,
            Match.match_type,
            Match.account_external_id,
            Match.contact_external_id,
            Match.all_matches,
            Match.created_at,
            Round.id.label("round_id"),
            Round.body,
            Delivery.status,
            Delivery.response_code,
            Delivery.response_excerpt,
            Delivery.reason,
            Delivery.finished_at,
        )
        .join(Round, Round.id == Match.round_id)
        .join(Delivery, and_(Delivery.match_id == Match.id, Delivery.profile == PROFILE_NAME), isouter=True)
        .where(Match.id.in_(match_ids))
    )
    rows = {row.id: row for row in session.execute(query)}
    metadata = metadata_of(session, rows.values())
    return [_item(rows[match_id], metadata[rows[match_id].organization_id]) for match_id in match_ids]


def _item(row: Any, metadata: CrmMetadata) -> FeedItem:
    status = SHOWN_STATUS[row.status or "no_webhook"]
    return FeedItem(
        match_id=row.id,
        match_type=row.match_type,
        account_external_id=row.account_external_id,
        contact_external_id=row.contact_external_id,
        all_matches=row.all_matches,
        metadata=metadata,
        status=status,
        response_code=row.response_code,
        response_excerpt=row.response_excerpt,
        reason=row.reason,
        delivered_at=row.finished_at if status == "delivered" else None,
        created_at=row.created_at,
        round=row.body | {"id": row.round_id},
    )

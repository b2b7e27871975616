"""Sending again because somebody asks for it: a second send by definition, so only where owner and profile allow one.

A delivery of which no byte ever left this machine may be replayed under any profile: that is its first send. Everything
else is refused, with its reason and the way out. What is replayed keeps its id and its bytes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from pipeline.store.app_database import AppDatabase
from pipeline.store.models import Delivery, DeliveryAttempt, WebhookEndpoint
from pipeline.webhooks.attempts import NEVER_SENT
from pipeline.webhooks.choosing import DISABLED
from pipeline.webhooks.deletions import ROW_DELETED
from pipeline.webhooks.outbox import with_webhook
from pipeline.webhooks.policies import policy_in_force
from pipeline.webhooks.profiles import Profile

CHUNK = 500
REPLAY = "replay"
CLOSED = ("failed", "no_webhook", "delivered")

WAYS_OUT = {
    "strict": "it may have arrived, and its webhook promises at most one send; the partner fetches it from the pull feed "
    "(GET /matches?status=failed), or opts into replays (fundingscout webhooks policy)",
    "delivered": "it was delivered; --delivered sends such ones again",
    "open": "it has not been sent to its end yet",
    "no_webhook": "the organization has no webhook; fundingscout webhooks set",
    "disabled": "its webhook is disabled; fundingscout webhooks resume",
    "row_deleted": "its CRM row was deleted",
    "unknown": "the ledger has no delivery of that id",
}


@dataclass(slots=True)
class ReplayReport:
    """``first_sends``: of the replayed, those of which no byte had left before. ``refused`` by reason (WAYS_OUT)."""

    replayed: int = 0
    first_sends: int = 0
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries: by ids (of deliveries or matches), or one organization's made in a span of time, by status."""

    ids: Collection[str] = ()
    organization_id: str | None = None
    first: datetime | None = None
    last: datetime | None = None  # not included
    statuses: Collection[str] = ("failed", "no_webhook")


def replay(db: AppDatabase, wanted: Wanted, profile: Profile, is_dry_run: bool = False) -> ReplayReport:
    """Make the wanted deliveries pending again where that is allowed; the next sending run sends them.

    Raises ValueError when neither ids nor an organization with a span is given. Safe to call again: what is pending by now
    is refused as ``open``.
    """
    report = ReplayReport()
    for ids in _chunks(db, wanted, profile, report):
        with db.write() as session:
            found = session.scalars(select(Delivery).where(Delivery.id.in_(ids)).order_by(Delivery.id).with_for_update())
            _replay_some(session, list(found), wanted, profile, is_dry_run, report)
    return report


def _chunks(db: AppDatabase, wanted: Wanted, profile: Profile, report: ReplayReport) -> Iterator[list[str]]:
    if wanted.ids:
        yield from _by_ids(db, sorted(set(wanted.ids)), wanted, profile, report)
        return
    if wanted.organization_id is None or wanted.first is None:
        raise ValueError("say which deliveries: by ids, or an organization and a time from which on")
    for status in sorted(set(wanted.statuses) & set(CLOSED)):
        query = select(Delivery.created_at, Delivery.id).where(
            Delivery.organization_id == wanted.organization_id,
            Delivery.profile == profile.name,
            Delivery.status == status,
            Delivery.created_at >= wanted.first,
        )
        if wanted.last is not None:
            query = query.where(Delivery.created_at < wanted.last)
        # Read to the end before any of it changes, or a page would be counted from a list that has become shorter.
        with db.read() as session:
            ids = [row.id for row in session.execute(query.order_by(Delivery.created_at, Delivery.id))]
        for start in range(0, len(ids), CHUNK):
            yield ids[start : start + CHUNK]


def _by_ids(db: AppDatabase, ids: Sequence[str], wanted: Wanted, profile: Profile, report: ReplayReport) -> Iterator[list[str]]:
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        query = select(Delivery.id, Delivery.match_id).where(
            Delivery.profile == profile.name, or_(Delivery.id.in_(some), Delivery.match_id.in_(some))
        )
        if wanted.organization_id is not None:
            query = query.where(Delivery.organization_id == wanted.organization_id)
        with db.read() as session:
            rows = list(session.execute(query))
        known = {row.id for row in rows} | {row.match_id for row in rows}
        report.refused.update({"unknown": missing} if (missing := len(set(some) - known)) else {})
        yield sorted({row.id for row in rows})


def _replay_some(
    session: Session, rows: Sequence[Delivery], wanted: Wanted, profile: Profile, is_dry_run: bool, report: ReplayReport
) -> None:
    endpoints = with_webhook(session, {row.organization_id for row in rows})
    may_have_arrived = _sent(session, [row.id for row in rows])
    for row in rows:
        is_first_send = row.id not in may_have_arrived
        refusal = _refusal(row, endpoints.get(row.organization_id), is_first_send, wanted, profile)
        if refusal is not None:
            report.refused[refusal] += 1
            continue
        report.replayed += 1
        report.first_sends += is_first_send
        if not is_dry_run:
            row.status, row.next_trigger, row.finished_at = "pending", REPLAY, None
            row.endpoint_id = endpoints[row.organization_id].id


def _refusal(
    row: Delivery, endpoint: WebhookEndpoint | None, is_first_send: bool, wanted: Wanted, profile: Profile
) -> str | None:
    """Why the delivery is not replayed (a key of WAYS_OUT); None: it is."""
    if row.status not in CLOSED:
        return "open"
    if row.reason == ROW_DELETED:
        return "row_deleted"
    if endpoint is None:
        return "no_webhook"
    if endpoint.state == DISABLED:
        return "disabled"
    if row.status == "delivered" and "delivered" not in wanted.statuses:
        return "delivered"
    allows_second = profile.allows_second_send or policy_in_force(endpoint.policy).replay
    return None if is_first_send or allows_second else "strict"


def _sent(session: Session, ids: Sequence[str]) -> set[str]:
    """Those of which a byte may have left this machine."""
    query = select(DeliveryAttempt).where(DeliveryAttempt.delivery_id.in_(ids), DeliveryAttempt.number > 0)
    sent: defaultdict[str, bool] = defaultdict(bool)
    for attempt in session.scalars(query):
        known = attempt.is_request_sent
        sent[attempt.delivery_id] |= known if known is not None else attempt.error_class not in NEVER_SENT
    return {name for name, is_sent in sent.items() if is_sent}

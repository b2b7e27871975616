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
from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt, WebhookEndpoint
from pipeline.store.tables.matches import Match, Round
from pipeline.webhooks.attempts import NEVER_SENT
from pipeline.webhooks.choosing import DISABLED, TEST
from pipeline.webhooks.ended_rounds import releasable
from pipeline.webhooks.fundingscout import PROFILE_NAME, fundingscout_profile
from pipeline.webhooks.outbox import AT_REST, lock_matches, with_webhook
from pipeline.webhooks.policies import policy_in_force
from pipeline.webhooks.profiles import Profile
from pipeline.webhooks.startcap import startcap_profile

CHUNK = 500
MOST_LISTED = 1_000
REPLAY = "replay"
FIRST_SEND, SECOND_SEND = "first_send", "second_send"
CLOSED = ("failed", "no_webhook", "delivered")

WAYS_OUT = {
    "strict": "it may have arrived, and its webhook promises at most one send; the partner fetches it from the pull feed "
    "(GET /matches?status=failed), or opts into replays (fundingscout webhooks policy)",
    "delivered": "it was delivered; --delivered sends such ones again",
    "open": "it has not been sent to its end yet",
    "no_webhook": "the organization has no webhook; fundingscout webhooks set",
    "disabled": "its webhook was removed, or is disabled; fundingscout webhooks resume",
    "row_deleted": "its CRM row was deleted",
    "round_ended": "its round was taken back, or is part of another that its organization was told of",
    "test": "it is a test; fundingscout webhooks test sends another",
    "body_gone": "it was sent so long ago that its bytes are no longer kept, and others under its id would be another message",
    "unknown": "this face's ledger has no delivery of that id; --face says which face",
}


@dataclass(frozen=True, slots=True)
class Decided:
    """One delivery as it stood, and what was decided: FIRST_SEND, SECOND_SEND, or why not (a key of WAYS_OUT)."""

    delivery_id: str
    match_id: str | None
    event_type: str
    company_name: str | None
    created_at: datetime
    status: str
    reason: str | None
    decision: str


@dataclass(slots=True)
class ReplayReport:
    """``first_sends``: of the replayed, those of which no byte had left before. ``refused`` by reason (WAYS_OUT).

    ``decided``: the first MOST_LISTED, one by one.
    """

    replayed: int = 0
    first_sends: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    decided: list[Decided] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries: by ids (of deliveries or matches), or one organization's made in a span of time, by status."""

    ids: Collection[str] = ()
    organization_id: str | None = None
    first: datetime | None = None
    last: datetime | None = None  # not included
    statuses: Collection[str] = ("failed", "no_webhook")


def faces(all_matches: bool = True) -> dict[str, Profile]:
    """The profiles whose deliveries are sent again as they are. (Signalbase makes another of each: subscriptions.deliveries.)"""
    return {profile.name: profile for profile in (fundingscout_profile(all_matches), startcap_profile())}


def replay(db: AppDatabase, wanted: Wanted, profile: Profile, is_dry_run: bool = False) -> ReplayReport:
    """Make the wanted deliveries of the profile pending again where that is allowed; the next sending run sends them.

    Raises ValueError when neither ids nor an organization with a span is given. Safe to call again: what is pending by now
    is refused as ``open``.
    """
    report = ReplayReport()
    for ids in _chunks(db, wanted, profile, report):
        with db.write() as session:
            lock_matches(db, session)  # of two that are one real round, only one may go
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
            AT_REST,
            Delivery.organization_id == wanted.organization_id,
            Delivery.profile == profile.name,
            Delivery.status == status,
            Delivery.created_at >= wanted.first,
            Delivery.event_type != TEST,
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
    endpoints = _endpoints(session, rows, profile)
    past = _past(session, rows)
    companies = _companies(session, rows) if len(report.decided) < MOST_LISTED else {}
    for row in rows:
        endpoint, before = endpoints.get(row.id), past[row.id]
        decision = _refusal(row, endpoint, before, wanted, profile) or (SECOND_SEND if before.may_have_left else FIRST_SEND)
        if len(report.decided) < MOST_LISTED:
            report.decided.append(_decided(row, companies.get(row.match_id or ""), decision))
        if decision in WAYS_OUT:
            report.refused[decision] += 1
            continue
        report.replayed += 1
        report.first_sends += decision == FIRST_SEND
        if not is_dry_run:
            assert endpoint is not None
            row.status, row.next_trigger, row.finished_at = "pending", REPLAY, None
            row.endpoint_id = endpoint.id


@dataclass(slots=True)
class _Past:
    """What became of a delivery so far: may a byte of it have left this machine; was it a test; is its CRM row deleted; was its
    round taken back, or told under another id."""

    may_have_left: bool = False
    is_test: bool = False
    is_row_deleted: bool = False
    is_round_ended: bool = False


def _refusal(row: Delivery, endpoint: WebhookEndpoint | None, past: _Past, wanted: Wanted, profile: Profile) -> str | None:
    """Why the delivery is not replayed (a key of WAYS_OUT); None: it is."""
    if row.status not in CLOSED:
        return "open"
    if past.is_test or row.event_type == TEST:
        return "test"
    if past.is_row_deleted:
        return "row_deleted"
    if past.is_round_ended and not past.may_have_left:
        return "round_ended"
    if endpoint is None:
        return "no_webhook"
    if endpoint.state == DISABLED:
        return "disabled"
    if row.status == "delivered" and "delivered" not in wanted.statuses:
        return "delivered"
    if past.may_have_left and not (profile.allows_second_send or policy_in_force(endpoint.policy).replay):
        return "strict"
    if row.body is None and (past.may_have_left or row.match_id is None):
        return "body_gone"
    return None


def _endpoints(session: Session, rows: Sequence[Delivery], profile: Profile) -> dict[str, WebhookEndpoint]:
    """Where each delivery would go now, by its id: to its own endpoint; FundingScout's to the one its organization has."""
    if profile.name == PROFILE_NAME:
        by_organization = with_webhook(session, {row.organization_id for row in rows})
        found = {row.id: by_organization.get(row.organization_id) for row in rows}
    else:
        ids = sorted({row.endpoint_id for row in rows if row.endpoint_id})
        by_id = {one.id: one for one in session.scalars(select(WebhookEndpoint).where(WebhookEndpoint.id.in_(ids)))}
        found = {row.id: by_id.get(row.endpoint_id or "") for row in rows}
    return {name: endpoint for name, endpoint in found.items() if endpoint is not None}


def _past(session: Session, rows: Sequence[Delivery]) -> defaultdict[str, _Past]:
    """By delivery id, what became of it."""
    of_match = {row.match_id: row.id for row in rows if row.match_id}
    past: defaultdict[str, _Past] = defaultdict(_Past)
    for match_id in session.scalars(select(Match.id).where(Match.id.in_(sorted(of_match)), Match.hidden_at.is_not(None))):
        past[of_match[match_id]].is_row_deleted = True
    for delivery_id in set(of_match.values()).difference(releasable(session, list(of_match.values()))):
        past[delivery_id].is_round_ended = True
    ids = [row.id for row in rows]
    query = select(DeliveryAttempt).where(DeliveryAttempt.delivery_id.in_(ids), DeliveryAttempt.number > 0)
    for attempt in session.scalars(query):
        known = attempt.is_request_sent
        before = past[attempt.delivery_id]
        before.may_have_left |= known if known is not None else attempt.error_class not in NEVER_SENT
        before.is_test |= attempt.trigger == TEST
    return past


def _companies(session: Session, rows: Sequence[Delivery]) -> dict[str, str]:
    """Names of the rounds' companies, by match id."""
    ids = sorted({row.match_id for row in rows if row.match_id})
    query = select(Match.id, Round.company_name).join(Round, Round.id == Match.round_id).where(Match.id.in_(ids))
    return {row.id: row.company_name for row in session.execute(query)}


def _decided(row: Delivery, company: str | None, decision: str) -> Decided:
    return Decided(row.id, row.match_id, row.event_type, company, row.created_at, row.status, row.reason, decision)

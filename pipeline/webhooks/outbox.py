"""The ledger of matches, and what each puts into the outbox: at most one match per organization and round (FS-61).

What belongs here: recording matches with their deliveries, letting held ones go, asking what waits. What does not:
claiming and settling (webhooks.claims), sending (webhooks.sender).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, text
from sqlalchemy.orm import Session

from pipeline.matching.model import FoundMatch
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt, WebhookEndpoint
from pipeline.store.tables.matches import Match, Round
from pipeline.webhooks.ended_rounds import ACTIVE, hold_back, releasable
from pipeline.webhooks.fundingscout import PROFILE_NAME
from pipeline.webhooks.match_rows import delivery_row, match_id, match_row
from pipeline.webhooks.review_rows import supersede
from pipeline.webhooks.verdicts import KNOWN, Recorded, judge

CHUNK = 500
# What may change as later reports enrich a round; its id and first_seen_at never do.
ROUND_FIELDS = ("company_name", "company_key", "funding_type", "amount_usd", "published_date", "location_country", "body")
STANDING: dict[str, Any] = {"status": ACTIVE, "merged_into": None}  # unless the row says otherwise
# Why a delivery is held: the ledger was put back from a backup, and it may have been told since that backup was made.
RESTORED = "restored"
# Two matchers must not both find that a real round is untold yet; any number, the same in every process.
MATCH_LOCK = 814_722_302

# Beyond a send's budget: clocks of several machines differ, and the outcome takes a moment to be written.
MARGIN = timedelta(seconds=30)

# Said word for word as the partial index has it, so that the planner sees that it may use it: what waits is found in the
# same time however many deliveries were made.
OPEN = text("deliveries.status IN ('pending', 'sending')")
SCHEDULED = text("deliveries.status = 'scheduled'")
AT_REST = text("deliveries.status <> 'sending'")  # so that ix_deliveries_feed finds them
# No delay of a policy is longer: what is due later was scheduled while a clock was wrong.
FURTHEST = timedelta(hours=49)


class RoundUnknown(LookupError):
    """A match with a round that is not in the app database: rounds are published before they are matched."""


@dataclass(slots=True)
class RecordReport:
    """What became of found matches. ``recorded`` holds the new and the known ones, as the ledger has them."""

    recorded: list[Recorded] = field(default_factory=list)
    new: int = 0
    known: int = 0
    suppressed: int = 0
    rejected: int = 0  # a person has said that the round is not about any of the accounts


@dataclass(frozen=True, slots=True)
class ReleaseReport:
    """Held deliveries let go: how many are pending now, how many had no webhook to go to."""

    pending: int
    no_webhook: int


def publish_rounds(db: AppDatabase, rows: Iterable[dict[str, Any]], now: datetime) -> int:
    """Write the rounds; gives how many were new or changed. The same rows again write nothing.

    Each row: id, company_name, company_key, funding_type, amount_usd, published_date (YYYY-MM-DD or None),
    location_country, body (the 17 keys of FS-48), first_seen_at (aware); status (active, retracted, merged) and merged_into
    where it ended: what waits for such a round is held (ended_rounds). ``updated_at`` becomes ``now``.
    """
    waiting = [STANDING | row for row in rows]
    return sum(_publish(db, waiting[start : start + CHUNK], now) for start in range(0, len(waiting), CHUNK))


def record_matches(
    db: AppDatabase,
    found: Sequence[FoundMatch],
    now: datetime,
    origin: str = "live",
    hold: bool = False,
    maybe_told_until: date | None = None,
) -> RecordReport:
    """Take matches into the ledger, each new one with one delivery: pending, held, or no_webhook where there is no URL.

    A match of the same organization and round that is known stays as it is and is given back as recorded. A match
    whose organization was told of the same real round under another id is suppressed (A-FS-24). ``origin``: live or
    backfill. A known match that is held is let go unless ``hold``: what a backfill found, and news report now, is told.
    New ones about news of ``maybe_told_until`` or before are held as RESTORED, which only ``release_held`` lets go: the ledger was
    put back from a backup that day, and may have forgotten them (store.restored).
    Safe to call again with the same matches, and from several processes at once. Raises RoundUnknown.
    """
    rounds = _load_rounds(db, {match.round_id for match in found})
    missing = next((match.round_id for match in found if match.round_id not in rounds), None)
    if missing is not None:
        raise RoundUnknown(f"round {missing} is not published; publish_changed_rounds comes before record_matches")
    ordered = sorted(found, key=lambda m: (rounds[m.round_id].first_seen_at, m.round_id, m.organization_id))
    report = RecordReport()
    for start in range(0, len(ordered), CHUNK):
        with db.write() as session:
            lock_matches(db, session)
            _record(db, session, ordered[start : start + CHUNK], rounds, now, origin, hold, report, maybe_told_until)
    return report


def record_one(db: AppDatabase, session: Session, found: FoundMatch, of: Round, now: datetime, origin: str) -> RecordReport:
    """As record_matches, for one match within a transaction that began with lock_matches. ``of`` is its round."""
    report = RecordReport()
    _record(db, session, [found], {found.round_id: of}, now, origin, False, report)
    return report


def lock_matches(db: AppDatabase, session: Session) -> None:
    """Take the turn of whoever records matches, until the transaction ends. (On SQLite every writer has it.)"""
    if not db.is_sqlite:
        session.execute(text(f"SELECT pg_advisory_xact_lock({MATCH_LOCK:d})"))


def release_held(
    db: AppDatabase,
    now: datetime,
    match_ids: Collection[str] | None = None,
    days: tuple[date, date] | None = None,
    organization_id: str | None = None,
) -> ReleaseReport:
    """Let held deliveries go: those of these matches, or of rounds first seen on these days (UTC, both included).

    Raises ValueError when neither is given.
    """
    if match_ids is None and days is None:
        raise ValueError("say which held deliveries: by match ids or by days")
    query = select(Delivery.id).where(AT_REST, Delivery.status == "held")
    if organization_id is not None:
        query = query.where(Delivery.organization_id == organization_id)
    if days is not None:
        first, last = (datetime.combine(day, time(), UTC) for day in days)
        of_days = select(Match.id).join(Round, Round.id == Match.round_id)
        of_days = of_days.where(Round.first_seen_at >= first, Round.first_seen_at < last + timedelta(days=1))
        query = query.where(Delivery.match_id.in_(of_days))
    with db.read() as session:
        if match_ids is None:
            ids = list(session.scalars(query))
        else:
            wanted = sorted(match_ids)
            chunks = [wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)]
            ids = [row for chunk in chunks for row in session.scalars(query.where(Delivery.match_id.in_(chunk)))]
    pending = no_webhook = 0
    for start in range(0, len(ids), CHUNK):
        with db.write() as session:
            lock_matches(db, session)  # of two that are one real round, only one may go
            counts = _release(session, ids[start : start + CHUNK], now)
        pending += counts[0]
        no_webhook += counts[1]
    return ReleaseReport(pending, no_webhook)


def pending_count(db: AppDatabase) -> int:
    """How many deliveries wait to be sent."""
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(Delivery).where(OPEN, Delivery.status == "pending")) or 0


def has_pending(db: AppDatabase, now: datetime | None = None) -> bool:
    """Does anything wait to be sent? With ``now``, scheduled deliveries whose time has come count too."""
    with db.read() as session:
        if session.scalar(select(Delivery.id).where(OPEN, Delivery.status == "pending").limit(1)) is not None:
            return True
        return now is not None and session.scalar(_scheduled(is_due(now))) is not None


def pending_profiles(db: AppDatabase) -> set[str]:
    """The delivery profiles that anything waits for to be sent."""
    with db.read() as session:
        return set(session.scalars(select(Delivery.profile).where(OPEN, Delivery.status == "pending").distinct()))


def is_due(now: datetime) -> ColumnElement[bool]:
    """The condition that a scheduled delivery's time has come."""
    return Delivery.next_attempt_at <= now


def is_beyond_all_delays(now: datetime) -> ColumnElement[bool]:
    """The condition that a delivery was scheduled by a clock that was ahead of time."""
    return Delivery.next_attempt_at > now + FURTHEST


def _scheduled(condition: ColumnElement[bool]) -> Select[str]:
    return select(Delivery.id).where(SCHEDULED, condition).order_by(Delivery.next_attempt_at, Delivery.id).limit(1)


def waiting(db: AppDatabase, now: datetime, budget_seconds: float = 30.0) -> str | None:
    """Names what waits for a sender: the newest delivery, one that is due again, a claim to be given up; None: nothing."""
    newest = select(Delivery.created_at, Delivery.id).where(OPEN, Delivery.status == "pending")
    with db.read() as session:
        row = session.execute(newest.order_by(Delivery.created_at.desc(), Delivery.id.desc()).limit(1)).one_or_none()
        stale = session.scalar(stale_claims(now, budget_seconds).limit(1))
        due = session.scalar(_scheduled(is_due(now))) or session.scalar(_scheduled(is_beyond_all_delays(now)))
    if row is None and stale is None and due is None:
        return None
    return f"pending-{row.id if row else 'none'}-stale-{stale or 'none'}" + (f"-due-{due}" if due else "")


def stale_claims(now: datetime, budget_seconds: float) -> Select[str]:
    """Ids of claims so old that their sender must be dead; and of those made while a clock was ahead of time."""
    oldest = now - timedelta(seconds=budget_seconds) - MARGIN
    is_stale = or_(Delivery.claimed_at < oldest, Delivery.claimed_at > now + MARGIN)
    return select(Delivery.id).where(OPEN, Delivery.status == "sending", is_stale).order_by(Delivery.id)


def add_no_webhook_attempt(session: Session, delivery_id: str, trigger: str, now: datetime) -> None:
    """Attempt 0: there was nowhere to send to. So that the history of deliveries shows the match too."""
    session.add(
        DeliveryAttempt(
            delivery_id=delivery_id, number=0, trigger=trigger, started_at=now, finished_at=now, outcome="no_webhook"
        )
    )


def with_webhook(session: Session, organization_ids: Collection[str]) -> dict[str, WebhookEndpoint]:
    """The FundingScout endpoints of these organizations, by organization."""
    query = select(WebhookEndpoint).where(
        WebhookEndpoint.profile == PROFILE_NAME, WebhookEndpoint.organization_id.in_(sorted(organization_ids))
    )
    return {row.organization_id: row for row in session.scalars(query)}


def _publish(db: AppDatabase, rows: Sequence[dict[str, Any]], now: datetime) -> int:
    with db.write() as session:
        known = {row.id: row for row in session.scalars(select(Round).where(Round.id.in_([row["id"] for row in rows])))}
        changed = 0
        new: list[dict[str, Any]] = []
        for row in rows:
            present = known.get(row["id"])
            if present is None:
                new.append(
                    {name: row[name] for name in ("id", *ROUND_FIELDS, *STANDING, "first_seen_at")} | {"updated_at": now}
                )
            elif any(getattr(present, name) != row[name] for name in (*ROUND_FIELDS, *STANDING)):
                for name in (*ROUND_FIELDS, *STANDING):
                    setattr(present, name, row[name])
                present.updated_at = now
            else:
                continue
            changed += 1
        session.flush()
        if new:
            session.execute(db.insert(Round).on_conflict_do_nothing(), new)
        if ended := [known[row["id"]] for row in rows if row["status"] != ACTIVE and row["id"] in known]:
            lock_matches(db, session)
            hold_back(session, ended)
    return changed


def _load_rounds(db: AppDatabase, ids: Collection[str]) -> dict[str, Round]:
    wanted = sorted(ids)
    rounds: dict[str, Round] = {}
    with db.read() as session:
        for start in range(0, len(wanted), CHUNK):
            for row in session.scalars(select(Round).where(Round.id.in_(wanted[start : start + CHUNK]))):
                rounds[row.id] = row
    return rounds


def _record(
    db: AppDatabase,
    session: Session,
    chunk: Sequence[FoundMatch],
    rounds: dict[str, Round],
    now: datetime,
    origin: str,
    hold: bool,
    report: RecordReport,
    maybe_told_until: date | None = None,
) -> None:
    judged = judge(session, chunk, rounds)
    known = dict(judged.known)
    report.rejected += judged.rejected
    endpoints = with_webhook(session, {verdict.found.organization_id for verdict in judged.verdicts})
    if not hold and known:
        # Held by a backfill, and now found as news: the partner is told after all, once.
        held = select(Delivery.id).where(Delivery.match_id.in_([row[0] for row in known.values()]), Delivery.status == "held")
        held = held.where(func.coalesce(Delivery.reason, "") != RESTORED)
        _release(session, list(session.scalars(held)), now)
    matches: list[dict[str, Any]] = []
    deliveries: list[dict[str, Any]] = []
    for verdict in judged.verdicts:
        found = verdict.found
        key = (found.organization_id, found.round_id)
        if verdict.kind == KNOWN:
            report.known += 1
            report.recorded.append(known[key])
            continue
        if verdict.logical is None:
            report.suppressed += 1
            continue
        endpoint = endpoints.get(found.organization_id)
        is_maybe_told = maybe_told_until is not None and verdict.logical.day <= maybe_told_until
        status = "held" if hold or is_maybe_told else "pending" if endpoint else "no_webhook"
        matches.append(match_row(found, verdict.logical, origin, now))
        delivery = delivery_row(found, status, now, endpoint.id if endpoint else None)
        deliveries.append(delivery | {"reason": RESTORED if is_maybe_told else None})
        recorded = (match_id(*key), found, origin, now)
        known[key] = recorded
        report.recorded.append(recorded)
        report.new += 1
    if matches:
        session.execute(db.insert(Match).on_conflict_do_nothing(), matches)
        session.execute(db.insert(Delivery).on_conflict_do_nothing(), deliveries)
        for delivery in deliveries:
            if delivery["status"] == "no_webhook":
                add_no_webhook_attempt(session, delivery["id"], origin, now)
        supersede(session, [verdict.found for verdict in judged.verdicts], now)


def _release(session: Session, ids: Sequence[str], now: datetime) -> tuple[int, int]:
    query = select(Delivery, Match.origin).join(Match, Match.id == Delivery.match_id)
    query = query.where(Delivery.id.in_(releasable(session, ids)), Delivery.status == "held").with_for_update(of=Delivery)
    rows = session.execute(query).all()
    endpoints = with_webhook(session, {delivery.organization_id for delivery, _ in rows})
    pending = 0
    for delivery, origin in rows:
        endpoint = endpoints.get(delivery.organization_id)
        if endpoint is not None:
            delivery.status, delivery.reason, delivery.endpoint_id = "pending", None, endpoint.id
            pending += 1
        else:
            delivery.status, delivery.reason, delivery.finished_at = "no_webhook", None, now
            add_no_webhook_attempt(session, delivery.id, origin, now)
    return pending, len(rows) - pending

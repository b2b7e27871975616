"""The review queue: name matches that are too unsure to be told, until a person says yes or no.

A question is kept beside the ledger, not in it: nobody is told, and no feed shows it. A yes takes the match into the ledger in
the same transaction, where the constraints that make "at most once" true hold for it as for any other. What belongs here:
asking, deciding, growing old. What does not: which matches are unsure (matching.tiers), showing (commands, defs).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from pipeline.matching.model import FoundMatch, MatchType
from pipeline.matching.tiers import Thresholds, with_rows
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.crm import Account
from pipeline.store.tables.matches import Match, MatchReview, Round
from pipeline.webhooks.outbox import lock_matches, record_one, with_webhook
from pipeline.webhooks.review_rows import review_id

log = logging.getLogger(__name__)

CHUNK = 500
ORIGIN = "review"  # what brought the match about, as its attempts' trigger says
# Said word for word as the partial index has it, so that the planner sees that it may use it.
WAITING = text("match_reviews.status = 'waiting'")
STATUSES = ("waiting", "approved", "rejected", "superseded", "expired", "withdrawn")


class ReviewUnknown(LookupError):
    """No question has this id."""


class AlreadyDecided(ValueError):
    """Somebody, or time, was quicker. Says who and when."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A question after it was decided. ``outcome`` of an approval: ``told`` (a delivery is pending), ``no_webhook`` (the feed
    shows it), ``known`` (the ledger has a match of this round already), ``same_round`` (the organization was told of the same
    real round under another id); None of a rejection.
    """

    review: MatchReview
    outcome: str | None


def take(
    db: AppDatabase, unsure: Sequence[FoundMatch], thresholds: dict[str, Thresholds], now: datetime, origin: str = "live"
) -> int:
    """Ask about these matches (as matching.tiers gives them); gives how many questions are new.

    A question that was asked before stays as it is, whatever became of it; nothing is asked about rounds that the organization
    has a match of. Safe to call again and from several processes.
    """
    new = 0
    for start in range(0, len(unsure), CHUNK):
        chunk = unsure[start : start + CHUNK]
        with db.write() as session:
            lock_matches(db, session)
            matched = _matched(session, chunk)
            rows = [
                _row(found, thresholds.get(found.organization_id), origin, now)
                for found in chunk
                if (found.organization_id, found.round_id) not in matched
            ]
            if rows:
                statement = db.insert(MatchReview).values(rows).on_conflict_do_nothing().returning(MatchReview.id)
                new += len(session.execute(statement).all())
    return new


def find(
    db: AppDatabase, status: str | None = "waiting", organization_id: str | None = None, limit: int = 100
) -> list[MatchReview]:
    """Questions of one status (None: of all), newest first."""
    query = select(MatchReview)
    if status is not None:
        query = query.where(MatchReview.status == status)
    if status == "waiting":
        query = query.where(WAITING)
    if organization_id is not None:
        query = query.where(MatchReview.organization_id == organization_id)
    with db.read() as session:
        return list(session.scalars(query.order_by(MatchReview.created_at.desc(), MatchReview.id).limit(limit)))


def get(db: AppDatabase, id_or_beginning: str) -> MatchReview:
    """The question with this id, or whose id alone begins so (8 characters at least). Raises ReviewUnknown."""
    with db.read() as session:
        found = session.get(MatchReview, id_or_beginning)
        if found is None and len(id_or_beginning) >= 8:
            beginning = MatchReview.id.startswith(id_or_beginning, autoescape=True)
            several = list(session.scalars(select(MatchReview).where(beginning).limit(2)))
            found = several[0] if len(several) == 1 else None
    if found is None:
        raise ReviewUnknown(f"no review {id_or_beginning!r}; `fundingscout review list` shows what waits")
    return found


def approve(
    db: AppDatabase, review_id: str, by: str, now: datetime, note: str | None = None, *, overrule: bool = False
) -> Decision:
    """The round is about this account: take the match into the ledger, once, and owe its delivery.

    ``overrule``: also where somebody has rejected it. Rows that have left the CRM meanwhile, or have another name now, are not
    told; where none is left, or the round is gone, the question is withdrawn.
    Raises ReviewUnknown, AlreadyDecided, ValueError for an empty ``by``.
    """
    by = _named(by)
    with db.write() as session:
        row = _locked(db, session, review_id)
        if not (row.status == "waiting" or (overrule and row.status == "rejected")):
            raise AlreadyDecided(_decided(row))
        found = _still_there(session, row)
        of = session.get(Round, row.round_id)
        if found is None or of is None:
            _settle(
                row,
                "withdrawn",
                by,
                now,
                note,
                "the CRM row is gone or has another name" if of is not None else "the round is gone",
            )
            return Decision(row, row.outcome)
        _settle(row, "approved", by, now, note, None)
        session.flush()
        record = record_one(db, session, found, of, now, ORIGIN)
        row.match_id = record.recorded[0][0] if record.recorded else None
        row.outcome = _outcome(session, record.new, record.suppressed, found)
        log.info("review %s approved by %s: %s", row.id, by, row.outcome)
        return Decision(row, row.outcome)


def reject(db: AppDatabase, review_id: str, by: str, now: datetime, note: str | None = None) -> Decision:
    """The round is not about this account: kept as a label, and never told. Raises as approve does."""
    by = _named(by)
    with db.write() as session:
        row = _locked(db, session, review_id)
        if row.status != "waiting":
            raise AlreadyDecided(_decided(row))
        _settle(row, "rejected", by, now, note, None)
        return Decision(row, None)


def expire(db: AppDatabase, now: datetime, days: int) -> int:
    """Questions that have waited for more than ``days`` are no news any more; gives how many grew old."""
    is_old = (WAITING, MatchReview.status == "waiting", MatchReview.created_at < now - timedelta(days=days))
    with db.read() as session:
        if session.scalar(select(MatchReview.id).where(*is_old).limit(1)) is None:
            return 0
    old = update(MatchReview).where(*is_old).values(status="expired", updated_at=now, is_mirrored=False)
    with db.write() as session:
        return len(session.execute(old.returning(MatchReview.id)).all())


def found_match(row: MatchReview) -> FoundMatch:
    """The match that a question is about."""
    why = row.explanation
    head = FoundMatch(
        organization_id=row.organization_id,
        round_id=row.round_id,
        match_type=MatchType.ACCOUNT_NAME,
        account_external_id=row.account_external_id,
        contact_external_id=None,
        score=row.score,
        rule=why["rule"],
        crm_value=row.crm_value,
        round_value=row.round_value,
        matcher_version=why["matcher_version"],
    )
    return with_rows(head, row.rows)


def _locked(db: AppDatabase, session: Session, review_id: str) -> MatchReview:
    # The matchers' turn first, then the row: in the other order two transactions could wait for each other.
    lock_matches(db, session)
    row = session.scalars(select(MatchReview).where(MatchReview.id == review_id).with_for_update()).one_or_none()
    if row is None:
        raise ReviewUnknown(f"no review {review_id!r}; `fundingscout review list` shows what waits")
    return row


def _still_there(session: Session, row: MatchReview) -> FoundMatch | None:
    """The match with the rows whose accounts the CRM still holds, under the name that was asked about."""
    names = [one["account_external_id"] for one in row.rows]
    query = select(Account.external_id).where(Account.organization_id == row.organization_id, Account.external_id.in_(names))
    query = query.where(Account.name == row.crm_value)
    there = set(session.scalars(query))
    rows = [one for one in row.rows if one["account_external_id"] in there]
    return with_rows(found_match(row), rows) if rows else None


def _settle(row: MatchReview, status: str, by: str, now: datetime, note: str | None, outcome: str | None) -> None:
    row.status, row.decided_by, row.decided_at, row.note, row.outcome = status, by, now, note, outcome
    row.updated_at, row.is_mirrored = now, False


def _outcome(session: Session, new: int, suppressed: int, found: FoundMatch) -> str:
    if suppressed:
        return "same_round"
    if not new:
        return "known"
    return "told" if with_webhook(session, [found.organization_id]) else "no_webhook"


def _matched(session: Session, chunk: Sequence[FoundMatch]) -> set[tuple[str, str]]:
    query = select(Match.organization_id, Match.round_id).where(
        Match.organization_id.in_(sorted({match.organization_id for match in chunk})),
        Match.round_id.in_(sorted({match.round_id for match in chunk})),
    )
    return {(row.organization_id, row.round_id) for row in session.execute(query)}


def _row(found: FoundMatch, thresholds: Thresholds | None, origin: str, now: datetime) -> dict[str, Any]:
    explanation: dict[str, Any] = {"rule": found.rule, "matcher_version": found.matcher_version}
    if thresholds is not None:
        explanation |= {"send": thresholds.send, "review": thresholds.review}
    return {
        "id": review_id(found),
        "organization_id": found.organization_id,
        "round_id": found.round_id,
        "crm_value": found.crm_value,
        "round_value": found.round_value,
        "account_external_id": found.account_external_id,
        "score": found.score,
        "explanation": explanation,
        "rows": found.all_matches,
        "origin": origin,
        "status": "waiting",
        "created_at": now,
        "updated_at": now,
        "is_mirrored": False,
    }


def _named(by: str) -> str:
    if not by.strip():
        raise ValueError("a decision needs the name of who took it")
    return by.strip()


def _decided(row: MatchReview) -> str:
    who = f" by {row.decided_by}" if row.decided_by else ""
    when = row.decided_at or row.updated_at
    return f"review {row.id} is {row.status}{who} since {when:%Y-%m-%d %H:%M} UTC"

"""Reviews as the ledger meets them: what a person has rejected is never recorded, what is recorded needs no review.

Called within the ledger's own transactions. What belongs here: these two meetings. What does not: deciding (reviews).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pipeline.matching.model import FoundMatch
from pipeline.matching.tiers import with_rows
from pipeline.store.tables.matches import MatchReview

NAMESPACE = UUID("b0f6f4a4-6a0c-4a57-9f0e-8f7d8b8c2d31")


def review_id(found: FoundMatch) -> str:
    """The id of the one question that a round, an organization and a name of its CRM raise."""
    return str(uuid5(NAMESPACE, f"{found.organization_id}:{found.round_id}:{found.crm_value}"))


def without_rejected(session: Session, found: Sequence[FoundMatch]) -> list[FoundMatch]:
    """The matches without the accounts that somebody said the round is not about; matches left with no row are left out.

    A rejection holds for the round and the account, by whichever path they meet again.
    """
    rejected: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in _reviews(session, found, "rejected"):
        rejected[row.organization_id, row.round_id].update(one["account_external_id"] for one in row.rows)
    kept: list[FoundMatch] = []
    for match in found:
        barred = rejected.get((match.organization_id, match.round_id))
        rows = [row for row in match.all_matches if not barred or row["account_external_id"] not in barred]
        if len(rows) == len(match.all_matches):
            kept.append(match)
        elif rows:
            kept.append(with_rows(match, rows))
    return kept


def supersede(session: Session, found: Sequence[FoundMatch], now: datetime) -> None:
    """Questions that wait about these organizations and rounds need no answer any more: the ledger has a match."""
    ids = [row.id for row in _reviews(session, found, "waiting")]
    if ids:
        session.execute(
            update(MatchReview)
            .where(MatchReview.id.in_(ids), MatchReview.status == "waiting")
            .values(status="superseded", updated_at=now, is_mirrored=False)
        )


def withdraw(session: Session, organization_id: str, account_external_id: str, now: datetime) -> None:
    """Questions that wait for a word on this account are not asked any more: it is gone. (One about several goes on.)"""
    waiting = select(MatchReview).where(
        MatchReview.organization_id == organization_id,
        MatchReview.account_external_id == account_external_id,
        MatchReview.status == "waiting",
    )
    for row in session.scalars(waiting):
        if len(row.rows) == 1:
            row.status, row.outcome, row.updated_at, row.is_mirrored = "withdrawn", "the CRM row is gone", now, False


def _reviews(session: Session, found: Sequence[FoundMatch], status: str) -> list[MatchReview]:
    pairs = {(match.organization_id, match.round_id) for match in found}
    # Two lists, not pairs: SQLite would read the whole table for pairs.
    query = select(MatchReview).where(
        MatchReview.organization_id.in_(sorted({organization for organization, _ in pairs})),
        MatchReview.round_id.in_(sorted({round_id for _, round_id in pairs})),
        MatchReview.status == status,
    )
    return [row for row in session.scalars(query) if (row.organization_id, row.round_id) in pairs]

"""What the ledger would do with found matches: each is new, known, or of a real round that the organization knows already.

What belongs here: reading and judging. What does not: writing what follows (outbox), or saying it beforehand (foresight).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from pipeline.matching.model import FoundMatch
from pipeline.store.tables.matches import Match, Round
from pipeline.webhooks.ended_rounds import told_under_another_id
from pipeline.webhooks.gone_rows import without_gone_rows
from pipeline.webhooks.logical_rounds import WINDOW, LogicalRound, is_same_round
from pipeline.webhooks.match_rows import found_match, logical_round, match_id
from pipeline.webhooks.review_rows import without_rejected

log = logging.getLogger(__name__)

# (match id, the match as recorded, its origin, when it was recorded)
Recorded = tuple[str, FoundMatch, str, datetime]
DAY = timedelta(days=1)
NEW, KNOWN, SAME_ROUND = "new", "known", "same_round"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``kind``: new; known (the ledger has a match of this organization and round, or this chunk an earlier one); same_round
    (the organization has a match of the real round under another id). ``logical``: the real round, of new ones."""

    found: FoundMatch
    kind: str
    logical: LogicalRound | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Verdicts in the order given, the ledger's matches among them, and how many were left out: a person had said no."""

    verdicts: list[Verdict]
    known: dict[tuple[str, str], Recorded]
    rejected: int


def judge(session: Session, chunk: Sequence[FoundMatch], rounds: Mapping[str, Round]) -> Judgement:
    """Judge matches against the ledger as ``session`` sees it. ``rounds`` holds each match's round. Writes nothing."""
    kept = without_rejected(session, chunk)
    rejected = len(chunk) - len(kept)
    known = _known(session, kept)
    kept = without_gone_rows(session, kept, known)
    told = _told(session, kept, rounds)
    told_as_another = told_under_another_id(session, [(match.organization_id, rounds[match.round_id]) for match in kept])
    seen = set(known)
    verdicts: list[Verdict] = []
    for found in kept:
        key = (found.organization_id, found.round_id)
        if key in seen:
            verdicts.append(Verdict(found, KNOWN))
            continue
        if key in told_as_another:
            verdicts.append(Verdict(found, SAME_ROUND))
            continue
        logical = logical_round(rounds[found.round_id])
        of_company = told[found.organization_id, logical.company_key]
        same = next((of for other, of in of_company if is_same_round(logical, other)), None)
        if same is not None:
            log.info("round %s is round %s, which organization %s has a match of: not told again", found.round_id, same, key[0])
            verdicts.append(Verdict(found, SAME_ROUND))
            continue
        of_company.append((logical, found.round_id))
        seen.add(key)
        verdicts.append(Verdict(found, NEW, logical))
    return Judgement(verdicts, known, rejected)


def _known(session: Session, chunk: Sequence[FoundMatch]) -> dict[tuple[str, str], Recorded]:
    rows = session.scalars(select(Match).where(Match.id.in_([match_id(m.organization_id, m.round_id) for m in chunk])))
    return {(row.organization_id, row.round_id): (row.id, found_match(row), row.origin, row.created_at) for row in rows}


def _told(
    session: Session, chunk: Sequence[FoundMatch], rounds: Mapping[str, Round]
) -> defaultdict[tuple[str, str], list[tuple[LogicalRound, str]]]:
    """The rounds near in time that the chunk's organizations have matches of, by organization and company."""
    days = [logical_round(rounds[match.round_id]).day for match in chunk]
    told: defaultdict[tuple[str, str], list[tuple[LogicalRound, str]]] = defaultdict(list)
    if not days:
        return told
    first, last = min(days) - WINDOW, max(days) + WINDOW
    # Two lists, not pairs: SQLite would read the whole table for pairs.
    query = (
        select(
            Match.organization_id, Match.company_key, Match.round_id, Round.published_date, Round.first_seen_at,
            Round.funding_type, Round.amount_usd,
        )
        .join(Round, Round.id == Match.round_id)
        .where(
            Match.organization_id.in_(sorted({match.organization_id for match in chunk})),
            Match.company_key.in_(sorted({rounds[match.round_id].company_key for match in chunk})),
            # What logical_round takes for its day.
            or_(
                Round.published_date.between(first.isoformat(), last.isoformat()),
                and_(Round.published_date.is_(None), Round.first_seen_at.between(_midnight(first), _midnight(last + DAY))),
            ),
        )
    )  # fmt: skip
    for row in session.execute(query.order_by(Match.created_at, Match.id)):
        told[row.organization_id, row.company_key].append(
            (replace(logical_round(row), company_key=row.company_key), row.round_id)
        )
    return told


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)

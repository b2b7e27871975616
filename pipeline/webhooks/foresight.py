"""What the ledger and the review queue would make of found matches, said beforehand: reads, and writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from pipeline.matching.model import FoundMatch
from pipeline.matching.tiers import Tiers
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.matches import Match, MatchReview, Round
from pipeline.webhooks.outbox import with_webhook
from pipeline.webhooks.review_rows import review_id
from pipeline.webhooks.verdicts import NEW, SAME_ROUND, judge

CHUNK = 500
# What a match would be, and what would become of it with `deliver`.
NEW_MATCH, CHANGED_MATCH, UNCHANGED, TOLD_OTHERWISE, TO_REVIEW = (
    "new_match", "changed_match", "unchanged", "same_round", "to_review",
)  # fmt: skip
SEND, NO_WEBHOOK, NOTHING = "send", "no_webhook", ""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One found match. ``change``: new_match; changed_match (the ledger keeps what it has, ``before`` says what); unchanged;
    same_round (told under another id); to_review. ``with_deliver``: send, no_webhook or nothing, if the backfill delivered.
    """

    found: FoundMatch
    change: str
    with_deliver: str
    before: str = ""


def foresee(db: AppDatabase, tiers: Tiers, rounds: Mapping[str, Round]) -> list[Foreseen]:
    """What recording ``tiers`` would do, in their order. ``rounds`` holds each match's round, published or not."""
    told = [one for start in range(0, len(tiers.send), CHUNK) for one in _told(db, tiers.send[start : start + CHUNK], rounds)]
    asked = [one for start in range(0, len(tiers.review), CHUNK) for one in _asked(db, tiers.review[start : start + CHUNK])]
    return told + asked


def _told(db: AppDatabase, chunk: Sequence[FoundMatch], rounds: Mapping[str, Round]) -> list[Foreseen]:
    foreseen: list[Foreseen] = []
    with db.read() as session:
        judged = judge(session, chunk, rounds)
        reachable = with_webhook(session, {match.organization_id for match in chunk})
        known_ids = [recorded[0] for recorded in judged.known.values()]
        held = set(
            session.scalars(select(Delivery.match_id).where(Delivery.match_id.in_(known_ids), Delivery.status == "held"))
        )
    for verdict in judged.verdicts:
        found = verdict.found
        where = SEND if found.organization_id in reachable else NO_WEBHOOK
        if verdict.kind == NEW:
            foreseen.append(Foreseen(found, NEW_MATCH, where))
        elif verdict.kind == SAME_ROUND:
            foreseen.append(Foreseen(found, TOLD_OTHERWISE, NOTHING))
        elif (recorded := judged.known.get((found.organization_id, found.round_id))) is not None:
            before = "" if _head(recorded[1]) == _head(found) else _said(recorded[1])
            deliver = where if recorded[0] in held else NOTHING
            foreseen.append(Foreseen(found, CHANGED_MATCH if before else UNCHANGED, deliver, before))
    return foreseen


def _asked(db: AppDatabase, chunk: Sequence[FoundMatch]) -> list[Foreseen]:
    """Questions that would be new: nobody asks twice, or about a round that the organization has a match of."""
    with db.read() as session:
        known = set(session.scalars(select(MatchReview.id).where(MatchReview.id.in_([review_id(match) for match in chunk]))))
        pairs = select(Match.organization_id, Match.round_id).where(
            Match.organization_id.in_(sorted({match.organization_id for match in chunk})),
            Match.round_id.in_(sorted({match.round_id for match in chunk})),
        )
        matched = {(row.organization_id, row.round_id) for row in session.execute(pairs)}
    return [
        Foreseen(match, TO_REVIEW, NOTHING)
        for match in chunk
        if review_id(match) not in known and (match.organization_id, match.round_id) not in matched
    ]


def _head(match: FoundMatch) -> tuple[object, ...]:
    return (
        match.match_type,
        match.account_external_id,
        match.contact_external_id,
        match.rule,
        match.crm_value,
        match.round_value,
        round(match.score, 6),
    )


def _said(match: FoundMatch) -> str:
    row = match.contact_external_id or match.account_external_id
    return f"{match.match_type} {row} by {match.rule}, score {match.score:.3f}: {match.crm_value} and {match.round_value}"

"""Rounds that stand no longer: taken back, or found to be part of another. What is told of them, and what no longer is (A-FS-24).

A real round is told once, whatever ids it had. What waits for a round that ended is held: it goes out if the round comes back,
never beside another delivery of the same real round. What was claimed or sent stays as it is. What belongs here: rules over the
ledger, inside the caller's transaction. What does not: how rounds are found to be one (signals), recording (outbox).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.matches import Match, Round

ACTIVE, RETRACTED, MERGED = "active", "retracted", "merged"
# Nothing of these has left yet, as long as no attempt was made.
WAITING = ("pending", "scheduled", "paused")


def real_round(of: Round) -> str:
    """The id under which the real round goes on."""
    return of.merged_into or of.id


def hold_back(session: Session, ended: Collection[Round]) -> int:
    """Hold what waits for rounds that were just taken back or merged; gives how many deliveries.

    Of a merged round only where the organization has a match with the same real round under another id, too: one delivery
    stays, the one that went furthest, else the one of the round that goes on, else the older.
    """
    gone = [row.id for row in ended if row.status == RETRACTED]
    waiting = select(Delivery.id).join(Match, Match.id == Delivery.match_id)
    held = set(session.scalars(waiting.where(Match.round_id.in_(gone), Delivery.status.in_(WAITING), Delivery.attempts == 0)))
    held |= _second_tellings(session, {real_round(row) for row in ended if row.status == MERGED})
    if held:
        # Asked again in the statement itself: a sender may have claimed one meanwhile.
        unsent = update(Delivery).where(Delivery.id.in_(sorted(held)), Delivery.status.in_(WAITING), Delivery.attempts == 0)
        session.execute(unsent.values(status="held", next_attempt_at=None))
    return len(held)


def told_under_another_id(session: Session, wanted: Iterable[tuple[str, Round]]) -> set[tuple[str, str]]:
    """Of pairs (organization, round): (organization id, round id) where it has a match with the real round under another id."""
    pairs = list(wanted)
    matches = _matches_of(session, {real_round(of) for _, of in pairs}, {organization for organization, _ in pairs})
    return {
        (organization, of.id)
        for organization, of in pairs
        if any(round_id != of.id for round_id, _ in matches.get((organization, real_round(of)), ()))
    }


def releasable(session: Session, delivery_ids: Collection[str]) -> list[str]:
    """Of held deliveries those that may go: their round was not taken back, and nothing else of the same real round was let go."""
    query = select(Delivery, Match, Round).join(Match, Match.id == Delivery.match_id).join(Round, Round.id == Match.round_id)
    rows = session.execute(query.where(Delivery.id.in_(sorted(delivery_ids))).order_by(Match.created_at, Delivery.id)).all()
    merged = {real_round(of) for _, _, of in rows if of.status == MERGED or _absorbs(session, of.id)}
    others = _matches_of(session, merged, {delivery.organization_id for delivery, _, _ in rows})
    free: list[str] = []
    spoken_for: set[tuple[str, str]] = set()
    for delivery, match, of in rows:
        place = (delivery.organization_id, real_round(of))
        rivals = [status for round_id, status in others.get(place, ()) if round_id != match.round_id]
        if of.status == RETRACTED or place in spoken_for or any(status != "held" for status in rivals):
            continue
        spoken_for.add(place)
        free.append(delivery.id)
    return free


def _absorbs(session: Session, round_id: str) -> bool:
    return session.scalar(select(Round.id).where(Round.merged_into == round_id).limit(1)) is not None


def _second_tellings(session: Session, roots: Collection[str]) -> set[str]:
    query = select(Delivery, Match, Round).join(Match, Match.id == Delivery.match_id).join(Round, Round.id == Match.round_id)
    by_place: defaultdict[tuple[str, str, str], list[tuple[Delivery, Match, Round]]] = defaultdict(list)
    for delivery, match, of in session.execute(query.where(_in_group(roots))):
        by_place[delivery.organization_id, delivery.profile, real_round(of)].append((delivery, match, of))
    held: set[str] = set()
    for rows in by_place.values():
        waits = {delivery.id: delivery.status in WAITING and delivery.attempts == 0 for delivery, _, _ in rows}
        first = min(
            rows,
            key=lambda row: (
                row[0].status == "held", waits[row[0].id], row[2].merged_into is not None, row[1].created_at, row[0].id,
            ),
        )  # fmt: skip
        held |= {delivery.id for delivery, _, _ in rows if waits[delivery.id] and delivery.id != first[0].id}
    return held


def _matches_of(
    session: Session, roots: Collection[str], organization_ids: Collection[str]
) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """By (organization, real round): (round id, status of its delivery) of each match."""
    found: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    # In two steps: joined in one, SQLite would read all matches that the organizations ever had.
    of_roots = select(Round.id, Round.merged_into).where(_in_group(roots))
    group = {row.id: row.merged_into or row.id for row in session.execute(of_roots)}
    query = select(Match.organization_id, Match.round_id, Delivery.status)
    query = query.join(Delivery, Delivery.match_id == Match.id, isouter=True)
    query = query.where(Match.round_id.in_(sorted(group)), Match.organization_id.in_(sorted(organization_ids)))
    for organization, round_id, status in session.execute(query):
        found[organization, group[round_id]].append((round_id, status or ""))
    return found


def _in_group(roots: Collection[str]) -> ColumnElement[bool]:
    wanted = sorted(roots)
    return or_(Round.id.in_(wanted), Round.merged_into.in_(wanted))

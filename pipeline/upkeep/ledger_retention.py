"""Retention of the ledger: attempts lose their texts, deliveries their bodies, and at last old news goes as a whole.

A round goes with its matches, their deliveries and attempts, in one transaction, long after its day was closed (store.closed_days):
from then on nobody can be told of it, so nothing that says who was told is needed. What somebody may still ask about stays: rounds
of which a delivery still waits, whose contact was revealed, or about which a question is open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from sqlalchemy import Delete, Update, delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from pipeline.store.app_database import AppDatabase
from pipeline.store.bulk import is_one_of
from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt
from pipeline.store.tables.matches import Match, MatchReview, Round
from pipeline.store.tables.organizations import ContactReveal
from pipeline.store.warehouse import Warehouse, progress, set_progress
from pipeline.webhooks.outbox import lock_matches

# One transaction's worth: a partner's request waits for no more than this.
CHUNK = 500
ROUNDS_AT_ONCE = 100
ENDED = ("delivered", "failed", "no_webhook")
WAITS = ("pending", "scheduled", "paused", "sending")
# Questions that nobody answered: no labels.
UNANSWERED = ("superseded", "expired", "withdrawn")
TEXTS_STEP = "attempt_texts"
# A delivery ends a moment after its last attempt began.
MOMENT = timedelta(hours=1)


def clear_texts(database: AppDatabase, warehouse: Warehouse, before: datetime) -> dict[str, int]:
    """Take addresses, answers and errors out of attempts begun before ``before`` that the warehouse has, and the exact bodies out
    of their deliveries that ended before it.

    Goes by the numbers of attempts, which grow with time, each once: the mark of how far it came lies in the warehouse. Bodies
    that can't be made anew from a match (those of other faces) stay as long as their delivery.
    """
    with warehouse.open() as connection:
        mark = reached = progress(connection, TEXTS_STEP)
    done: Counter[str] = Counter(attempt_texts=0, delivery_bodies=0)
    oldest = select(DeliveryAttempt.id, DeliveryAttempt.delivery_id, DeliveryAttempt.started_at).order_by(DeliveryAttempt.id)
    while True:
        with database.read() as session:
            rows = session.execute(oldest.where(DeliveryAttempt.id > reached).limit(CHUNK)).all()
        due = list(takewhile(lambda row: row.started_at < before - MOMENT, rows))
        if due:
            with database.write() as session:
                _clear(session, [row.id for row in due], sorted({row.delivery_id for row in due}), before, done)
            reached = due[-1].id
        if len(due) < CHUNK:
            break
    if reached > mark:
        with warehouse.write() as connection:
            set_progress(connection, TEXTS_STEP, reached)
    return dict(done)


def forget_news(database: AppDatabase, before: datetime) -> dict[str, int]:
    """Delete what is about rounds first seen before ``before``, deliveries that no match stands behind and that were made and
    ended before it, and questions as old that nobody answered. Their days must be closed."""
    done: Counter[str] = Counter()
    beyond: tuple[datetime, str] | None = None
    query = select(Round.first_seen_at, Round.id).where(Round.first_seen_at < before)
    query = query.order_by(Round.first_seen_at, Round.id).limit(ROUNDS_AT_ONCE)
    while True:
        place = tuple_(Round.first_seen_at, Round.id)
        with database.read() as session:
            rows = session.execute(query if beyond is None else query.where(place > tuple_(*beyond))).all()
        if not rows:
            break
        with database.write() as session:
            lock_matches(database, session)
            _forget_rounds(session, {row.id for row in rows}, done)
        beyond = (rows[-1].first_seen_at, rows[-1].id)
    _forget_others(database, before, done)
    return {f"old_{name}": done[name] for name in ("rounds", "matches", "deliveries", "attempts", "questions")}


def _clear(session: Session, attempts: list[int], deliveries: list[str], before: datetime, done: Counter[str]) -> None:
    texts = ("endpoint_url", "resolved_address", "response_excerpt", "error")
    wanted = (DeliveryAttempt.id.in_(attempts), DeliveryAttempt.is_mirrored)
    done["attempt_texts"] += _execute(session, update(DeliveryAttempt).where(*wanted).values(dict.fromkeys(texts)))
    ended = (
        Delivery.id.in_(deliveries), Delivery.status.in_(ENDED), Delivery.finished_at < before, Delivery.match_id.is_not(None),
        Delivery.body.is_not(None),
    )  # fmt: skip
    done["delivery_bodies"] += _execute(session, update(Delivery).where(*ended).values(body=None, response_excerpt=None))


def _forget_rounds(session: Session, rounds: set[str], done: Counter[str]) -> None:
    of_match = {
        row.id: row.round_id for row in session.execute(select(Match.id, Match.round_id).where(Match.round_id.in_(rounds)))
    }
    deliveries = select(Delivery.id, Delivery.match_id, Delivery.status).where(is_one_of(session, Delivery.match_id, of_match))
    of_delivery = {row.id: row for row in session.execute(deliveries)}
    kept = {of_match[row.match_id] for row in of_delivery.values() if row.status in WAITS}
    uncopied = select(DeliveryAttempt.delivery_id).where(
        is_one_of(session, DeliveryAttempt.delivery_id, of_delivery), DeliveryAttempt.is_mirrored.is_(False)
    )
    kept |= {of_match[of_delivery[delivery].match_id] for delivery in session.scalars(uncopied)}
    kept |= set(session.scalars(select(ContactReveal.round_id).where(ContactReveal.round_id.in_(rounds))))
    waiting = select(MatchReview.round_id).where(MatchReview.round_id.in_(rounds), MatchReview.status == "waiting")
    kept |= set(session.scalars(waiting))
    gone = [match for match, of in of_match.items() if of not in kept]
    _delete_deliveries(session, [row.id for row in of_delivery.values() if of_match[row.match_id] not in kept], done)
    _execute(session, delete(Match).where(is_one_of(session, Match.id, gone)))
    _execute(session, delete(Round).where(Round.id.in_(rounds - kept)))
    done.update(matches=len(gone), rounds=len(rounds - kept))


def _forget_others(database: AppDatabase, before: datetime, done: Counter[str]) -> None:
    """Deliveries of other faces, oldest first through the index of creation; questions that ended without an answer."""
    # Said so that the index of matches is not taken for it: most deliveries may be of other faces.
    is_of_none = func.coalesce(Delivery.match_id, "") == ""
    no_match = (Delivery.created_at < before, is_of_none, Delivery.status.not_in((*WAITS, "held")))
    unanswered = (MatchReview.updated_at < before, MatchReview.status.in_(UNANSWERED), MatchReview.is_mirrored)
    while True:
        with database.read() as session:
            old = list(session.scalars(select(Delivery.id).where(*no_match).order_by(Delivery.created_at).limit(CHUNK)))
        if not old:
            break
        with database.write() as session:
            _delete_deliveries(session, old, done)
    with database.write() as session:
        done["questions"] += _execute(session, delete(MatchReview).where(*unanswered))


def _delete_deliveries(session: Session, ids: Sequence[str], done: Counter[str]) -> None:
    done["attempts"] += _execute(session, delete(DeliveryAttempt).where(is_one_of(session, DeliveryAttempt.delivery_id, ids)))
    done["deliveries"] += _execute(session, delete(Delivery).where(is_one_of(session, Delivery.id, ids)))


def _execute(session: Session, statement: Update | Delete) -> int:
    """How many rows it changed. A round may have any number of matches: what names them goes as one parameter."""
    return int(getattr(session.execute(statement.execution_options(synchronize_session=False)), "rowcount", 0))

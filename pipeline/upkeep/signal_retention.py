"""Retention of published signals: what happened and was found long ago goes, with companies and investors that no other speaks of.

A signal goes when nothing can publish it again: a round's day is closed (store.closed_days), or none of its documents is in the
warehouse any more, and those that were never come back (raw.past_documents). `investor.created` stays: that an investor was told of
is known by nothing else, and its next round, years later, must not tell of it as new.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, tuple_
from sqlalchemy.orm import Session

from pipeline.store.app_database import AppDatabase
from pipeline.store.bulk import is_one_of
from pipeline.store.tables.subscriptions import Signal, SignalDocument, SignalInvestor
from pipeline.store.warehouse import Warehouse
from pipeline.subscriptions.model import SIGNAL_EVENTS, EventType
from pipeline.subscriptions.profiles import forget_profiles
from pipeline.subscriptions.signals import WAITING

# One transaction's worth: a partner's request waits for no more than this.
CHUNK = 200
READ_AT_ONCE = 2_000


def forget_signals(database: AppDatabase, warehouse: Warehouse, before: datetime) -> dict[str, int]:
    """Delete signals that happened and were found before ``before``, whose days must be closed, unless they still wait to be told
    or the warehouse has a document of theirs; with their links to documents and investors, and profiles that rest on no other.
    """
    done: Counter[str] = Counter()
    for event_type in SIGNAL_EVENTS:
        if event_type == EventType.INVESTOR:
            continue
        beyond: tuple[datetime, str] | None = None
        while rows := _old(database, event_type, before, beyond):
            beyond = rows[-1]
            ids = [signal_id for _, signal_id in rows]
            if event_type != EventType.FUNDING:
                ids = _without_documents(database, warehouse, ids)
            for start in range(0, len(ids), CHUNK):
                with database.write() as session:
                    _forget(session, ids[start : start + CHUNK], done)
    return {f"old_{name}": done[name] for name in ("signals", "companies", "investors")}


def _old(
    database: AppDatabase, event_type: str, before: datetime, beyond: tuple[datetime, str] | None
) -> list[tuple[datetime, str]]:
    """The next old signals, by the index of what is newest, read from its other end."""
    place = (Signal.occurred_at, Signal.id)
    query = select(*place).where(
        Signal.event_type == event_type, Signal.occurred_at < before, Signal.discovered_at < before, Signal.fan_out != WAITING
    )
    if beyond is not None:
        query = query.where(tuple_(*place) > tuple_(*beyond))
    with database.read() as session:
        return [(row[0], row[1]) for row in session.execute(query.order_by(*place).limit(READ_AT_ONCE))]


def _without_documents(database: AppDatabase, warehouse: Warehouse, ids: Sequence[str]) -> list[str]:
    """Those of the signals none of whose documents the warehouse has: no document can be read to them again."""
    of_signal: defaultdict[str, list[str]] = defaultdict(list)
    with database.read() as session:
        links = select(SignalDocument.signal_id, SignalDocument.document_id)
        for link in session.execute(links.where(is_one_of(session, SignalDocument.signal_id, ids))):
            of_signal[link.signal_id].append(link.document_id)
    documents = [document for found in of_signal.values() for document in found]
    with warehouse.open() as connection:
        present = {
            row[0]
            for row in connection.execute(
                "SELECT document_id FROM raw.documents WHERE document_id IN (SELECT unnest(?))", [documents]
            ).fetchall()
        }
    return [one for one in ids if present.isdisjoint(of_signal[one])]


def _forget(session: Session, ids: Sequence[str], done: Counter[str]) -> None:
    goes = (is_one_of(session, Signal.id, ids), Signal.fan_out != WAITING)
    of_company = {row.id: row.company_id for row in session.execute(select(Signal.id, Signal.company_id).where(*goes))}
    held: ColumnElement[bool] = is_one_of(session, SignalInvestor.signal_id, of_company)
    investors = set(session.scalars(select(SignalInvestor.investor_id).where(held)))
    session.execute(delete(SignalInvestor).where(held))
    session.execute(delete(SignalDocument).where(is_one_of(session, SignalDocument.signal_id, of_company)))
    session.execute(delete(Signal).where(is_one_of(session, Signal.id, of_company)))
    companies, without_rounds = forget_profiles(session, _known(of_company.values()), investors)
    done.update(signals=len(of_company), companies=companies, investors=without_rounds)


def _known(ids: Iterable[str | None]) -> set[str]:
    return {one for one in ids if one is not None}

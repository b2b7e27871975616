"""Retention of teams' credit entries: what deliveries and requests took long ago becomes one entry a team, of the same sum.

A delivery is charged once because its entry is unique; its delivery is gone by then, so nothing can charge it again. Grants stay:
each is somebody's act.
"""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile
from typing import Any

from sqlalchemy import delete, select, update

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.subscriptions import CreditEntry, Team

CHUNK = 500
CARRIED = "carried"
TAKEN = ("delivery", "request", CARRIED)


def sum_credits(database: AppDatabase, before: datetime) -> dict[str, int]:
    """Sum up the entries from before ``before``; gives how many went into a sum. Entries' numbers grow with time."""
    with database.read() as session:
        teams = list(session.scalars(select(Team.organization_id)))
    return {"credit_entries": sum(_sum_up(database, team, before) for team in teams)}


def _sum_up(database: AppDatabase, team: str, before: datetime) -> int:
    entry, place, gone = CreditEntry, 0, 0
    sum_id: int | None = None
    while True:
        query = select(entry.id, entry.kind, entry.created_at).where(entry.organization_id == team, entry.id > place)
        with database.read() as session:
            rows = session.execute(query.order_by(entry.id).limit(CHUNK)).all()
        due = list(takewhile(lambda row: row.created_at < before, rows))
        taken = [row.id for row in due if row.kind in TAKEN]
        if taken and sum_id is None:
            sum_id, *taken = taken
        if taken and sum_id is not None:
            _carry(database, sum_id, taken, due[-1].created_at)
            gone += len(taken)
        if len(due) < CHUNK:
            return gone
        place = due[-1].id


def _carry(database: AppDatabase, sum_id: int, taken: list[int], until: datetime) -> None:
    """Add the entries ``taken`` to the one that stays, and delete them: in one transaction, so the sum is always right."""
    entry = CreditEntry
    with database.write() as session:
        amounts = session.scalars(select(entry.amount).where(entry.id.in_(taken)))
        carried: dict[str, Any] = {
            "kind": CARRIED, "delivery_id": None, "note": "what was taken until then", "created_at": until,
            "amount": entry.amount + sum(amounts),
        }  # fmt: skip
        session.execute(delete(entry).where(entry.id.in_(taken)))
        session.execute(update(entry).where(entry.id == sum_id).values(carried))

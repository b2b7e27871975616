"""Retention of clicks on partners' links: one that no lead came of goes. Leads, and clicks that led to one, stay.

A lead is put down to a click of the last 90 days (partners.clicks), so whether one came of an old click is settled: each is looked
at once, in the order of its number. The mark of how far that came lies in the warehouse.
"""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile

from sqlalchemy import delete, select

from pipeline.partners.stages import CLICK, TRAFFIC
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.partners import Referral, ReferralChange
from pipeline.store.warehouse import Warehouse, progress, set_progress

CHUNK = 500
STEP = "old_clicks"


def forget_clicks(database: AppDatabase, warehouse: Warehouse, before: datetime) -> dict[str, int]:
    """Delete clicks from before ``before`` that no lead came of; gives how many. Their numbers are never given again."""
    with warehouse.open() as connection:
        mark = reached = progress(connection, STEP)
    deleted = 0
    oldest = select(Referral.id, Referral.referral_type, Referral.status, Referral.created_at).order_by(Referral.id)
    while True:
        with database.read() as session:
            rows = session.execute(oldest.where(Referral.id > reached).limit(CHUNK)).all()
        due = list(takewhile(lambda row: row.created_at < before, rows))
        if due:
            deleted += _forget(database, [row.id for row in due if (row.referral_type, row.status) == (TRAFFIC, CLICK)])
            reached = due[-1].id
        if len(due) < CHUNK:
            break
    if reached > mark:
        with warehouse.write() as connection:
            set_progress(connection, STEP, reached)
    return {"old_clicks": deleted}


def _forget(database: AppDatabase, clicks: list[int]) -> int:
    with database.write() as session:
        led = set(session.scalars(select(Referral.click_id).where(Referral.click_id.in_(clicks))))
        gone = [click for click in clicks if click not in led]
        session.execute(delete(ReferralChange).where(ReferralChange.referral_id.in_(gone)))
        session.execute(delete(Referral).where(Referral.id.in_(gone)))
    return len(gone)

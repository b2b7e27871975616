"""Rounds from the warehouse to the app database, where partners' deliveries and requests read them."""

from __future__ import annotations

from datetime import datetime

from pipeline.signals import round_table
from pipeline.store.app_database import AppDatabase
from pipeline.store.warehouse import Warehouse, progress, set_progress
from pipeline.webhooks import outbox

STEP = "publish_rounds"


def publish_changed(db: AppDatabase, warehouse: Warehouse, now: datetime) -> int:
    """Publish the rounds that changed since the last call; gives how many were new or changed for partners.

    The mark moves after the app database has them: a crash in between publishes the same rows again, which writes nothing.
    """
    with warehouse.open() as connection:
        after = progress(connection, STEP)
        rounds = round_table.changed_rounds(connection, after)
    if not rounds:
        return 0
    published = outbox.publish_rounds(db, rounds, now)
    newest = max(row["round_seq"] for row in rounds)
    with warehouse.write() as connection:
        set_progress(connection, STEP, max(newest, progress(connection, STEP)))
    return published

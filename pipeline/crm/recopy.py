"""All rows of all CRMs queued for the warehouse again: for a warehouse that was put back from a backup, or lost.

The queue holds what the warehouse has not taken yet; of what it took and then lost, nothing would remind it.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import select

from pipeline.crm.changes import queue_changes
from pipeline.crm.upsert import MODELS, chunks
from pipeline.store.app_database import AppDatabase
from pipeline.store.warehouse import Warehouse

BATCH_ROWS = 10_000


def queue_all(database: AppDatabase, warehouse: Warehouse, now: datetime) -> int:
    """Queue each row of the CRMs, and each that the warehouse alone has (it was deleted since); how many.

    What the warehouse holds as it is opens no new version there. Raises WarehouseBusy.
    """
    queued = 0
    with warehouse.open() as connection:
        known = {
            kind: connection.execute(f"SELECT organization_id, external_id FROM core.crm_{kind}s").fetchall() for kind in MODELS
        }
    with database.write() as session:
        for kind, model in MODELS.items():
            rows: defaultdict[str, set[str]] = defaultdict(set)
            for organization_id, external_id in known[kind]:
                rows[organization_id].add(external_id)
            for organization_id, external_id in session.execute(select(model.organization_id, model.external_id)):
                rows[organization_id].add(external_id)
            for organization_id, ids in sorted(rows.items()):
                for some in chunks(sorted(ids), BATCH_ROWS):
                    queue_changes(session, kind, organization_id, some, now)
                queued += len(ids)
    return queued

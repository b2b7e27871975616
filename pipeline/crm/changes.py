"""The queue of CRM changes, as a sensor sees it."""

from __future__ import annotations

from sqlalchemy import select

from pipeline.store.app_database import AppDatabase
from pipeline.store.models import CrmChange


def newest_change(db: AppDatabase) -> int | None:
    """Number of the newest CRM change that the warehouse has not taken yet, or None. One look at an index."""
    with db.read() as session:
        return session.scalar(select(CrmChange.id).order_by(CrmChange.id.desc()).limit(1))

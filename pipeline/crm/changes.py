"""The queue of CRM changes: what was changed, for the warehouse to fetch, in the transaction that changed it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.json import encode
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.crm import CrmChangeBatch


def queue_changes(session: Session, kind: str, organization_id: str, external_ids: Sequence[str], now: datetime) -> None:
    """One entry for all these rows of one kind (account, contact), in the transaction that changes them."""
    entry = {
        "organization_id": organization_id,
        "kind": kind,
        "external_ids_json": ids_text(external_ids),
        "rows": len(external_ids),
        "changed_at": now,
    }
    session.connection().execute(insert(CrmChangeBatch), entry)


def newest_change(db: AppDatabase) -> int | None:
    """Number of the newest batch of CRM changes that the warehouse has not taken yet, or None. One look at an index."""
    with db.read() as session:
        return session.scalar(select(CrmChangeBatch.id).order_by(CrmChangeBatch.id.desc()).limit(1))


def ids_text(external_ids: Sequence[str]) -> str:
    """External ids as a JSON array."""
    return encode(external_ids).decode()

"""The queue of CRM changes: what was changed, for the warehouse to fetch, in the transaction that changed it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.json import encode
from sqlalchemy import ColumnElement, Text, any_, cast, func, insert, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from pipeline.store.app_database import AppDatabase
from pipeline.store.models import CrmChangeBatch


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


def is_one_of(database: AppDatabase, column: InstrumentedAttribute[str], external_ids: Sequence[str]) -> ColumnElement[bool]:
    """``column`` is one of many ids: bound as one value, so that the statement is the same however many they are."""
    if database.is_sqlite:
        return column.in_(select(func.json_each(ids_text(external_ids)).table_valued("value").c.value))
    return column == any_(cast(literal(list(external_ids), ARRAY(Text)), ARRAY(Text)))

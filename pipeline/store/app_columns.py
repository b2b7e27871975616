"""What a table of the app database holds, column by column, in the same form as the warehouse's tables (warehouse_columns)."""

from __future__ import annotations

from pipeline.store.tables.base import Base
from pipeline.store.warehouse_columns import Column


def columns_of(table: type[Base]) -> tuple[Column, ...]:
    """The columns in order, each with what its ``doc`` says."""
    return tuple(Column(column.name, str(column.type), column.doc or "") for column in table.__table__.columns)

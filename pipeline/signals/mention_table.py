"""Documents to mentions in the warehouse: ``core.mentions``, one row per document.

Read, compute with the warehouse closed, write rows and progress in one transaction. A kill at any moment loses at most
the batch at hand, which the next run reads again to the same rows.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.documents.document_table import TEXT_EXPIRED
from pipeline.documents.model import Document
from pipeline.signals.extract import extract
from pipeline.signals.mention_rows import COLUMNS, DOCUMENT_COLUMNS, document_from_row, mention_row
from pipeline.signals.model import Mention
from pipeline.signals.rates import Rates, reference_rates
from pipeline.store.warehouse import Warehouse, progress, set_progress

Extractor = Callable[[Document, Rates], Mention]

STEP = "mentions"
DEFAULT_BATCH = 500
# Columns that say when and by what a mention was read, not what it claims.
_READING = frozenset({"mention_seq", "is_recovered", "extractor_version", "extracted_at"})
BROKEN = "extractor_failed"

log = logging.getLogger(__name__)


@dataclass
class MentionReport:
    """Documents read, by the signal found and by the reason a funding-like one was set aside; ``changed`` rows written."""

    documents: int = 0
    changed: int = 0
    by_signal_type: Counter[str] = field(default_factory=Counter)
    set_aside: Counter[str] = field(default_factory=Counter)

    def count(self, rows: list[dict[str, Any]]) -> None:
        self.documents += len(rows)
        self.by_signal_type.update(row["signal_type"] for row in rows)
        self.set_aside.update(row["set_aside_reason"] for row in rows if row["set_aside_reason"])


def extract_new(
    warehouse: Warehouse,
    now: datetime,
    batch: int = DEFAULT_BATCH,
    rates: Rates | None = None,
    extractor: Extractor | None = None,
) -> MentionReport:
    """Mentions of the documents that are new or changed since the last call, in the order of ``document_seq``.

    ``extractor`` reads in place of the rules alone (signals.model_backed).
    """
    report = MentionReport()
    table = rates or reference_rates()
    while True:
        with warehouse.open() as connection:
            after = progress(connection, STEP)
            documents = _documents(connection, "document_seq > ?", [after], batch)
        if not documents:
            return report
        rows = _read(documents, table, now, extractor)
        newest = max(row["document_seq"] for row in documents)
        with warehouse.write() as connection:
            if progress(connection, STEP) != after:
                continue  # another process was here meanwhile: its rows stand
            _replace(connection, rows, is_recovered=False)
            set_progress(connection, STEP, newest)
        report.changed += len(rows)
        report.count(rows)


def re_extract(
    warehouse: Warehouse,
    from_day: date,
    to_day: date,
    now: datetime,
    batch: int = DEFAULT_BATCH,
    rates: Rates | None = None,
    extractor: Extractor | None = None,
) -> MentionReport:
    """Read the documents landed on these days (UTC, both included) again. A mention that claims something else gets a new
    ``mention_seq``, by which resolving finds it, and is marked as recovered; one that claims the same keeps its row.

    Documents that extract_new has not come to are left to it; those whose text has expired stay as they were read.
    """
    report = MentionReport()
    table = rates or reference_rates()
    start, end = datetime.combine(from_day, time.min), datetime.combine(to_day + timedelta(days=1), time.min)
    after = 0
    while True:
        with warehouse.open() as connection:
            limit = progress(connection, STEP)
            where = (
                "landed_at >= ? AND landed_at < ? AND document_seq > ? AND document_seq <= ? AND body_origin IS DISTINCT FROM ?"
            )
            documents = _documents(connection, where, [start, end, after, limit, TEXT_EXPIRED], batch)
            before = _stored(connection, [row["document_id"] for row in documents])
        if not documents:
            return report
        rows = _read(documents, table, now, extractor)
        changed = [row for row in rows if _claims(row) != before.get(row["document_id"])]
        if changed:
            with warehouse.write() as connection:
                _replace(connection, changed, is_recovered=True)
        report.changed += len(changed)
        report.count(rows)
        after = max(row["document_seq"] for row in documents)


def _read(documents: list[dict[str, Any]], rates: Rates, now: datetime, extractor: Extractor | None) -> list[dict[str, Any]]:
    reader = extractor or extract
    return [
        mention_row(_claim(document_from_row(row), rates, reader), row["document_seq"], row["revision"], now)
        for row in documents
    ]


def _claim(document: Document, rates: Rates, reader: Extractor) -> Mention:
    """What the document claims. One that breaks the extractor is set aside with the error: it must not hold up the others."""
    try:
        return reader(document, rates)
    except Exception as error:
        log.exception("document %s (%s) broke the extractor", document.document_id, document.url)
        return Mention(document.document_id, set_aside_reason=BROKEN, details={"error": f"{type(error).__name__}: {error}"})


def _documents(connection: duckdb.DuckDBPyConnection, where: str, values: list[Any], limit: int) -> list[dict[str, Any]]:
    return rows_of(
        connection,
        f"SELECT {DOCUMENT_COLUMNS} FROM raw.documents WHERE {where} ORDER BY document_seq LIMIT {limit:d}",  # noqa: S608
        values,
    )


def _stored(connection: duckdb.DuckDBPyConnection, document_ids: list[str]) -> dict[str, dict[str, Any]]:
    names = ", ".join(f"CAST({name} AS VARCHAR) AS {name}" if name in _JSON else name for name in COLUMNS.names)
    stored = rows_of(
        connection,
        f"SELECT {names} FROM core.mentions WHERE document_id IN (SELECT unnest(?))",  # noqa: S608
        [document_ids],
    )
    return {row["document_id"]: _claims(row) for row in stored}


def _claims(row: dict[str, Any]) -> dict[str, Any]:
    # What resolving set aside as stale was set aside by its age, not by its words.
    return {
        name: value
        for name, value in row.items()
        if name not in _READING and not (name == "set_aside_reason" and value in (None, STALE))
    }


def _replace(connection: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], *, is_recovered: bool) -> None:
    """Put rows in place of those of the same documents, numbered on from the highest number, in their order."""
    first = int(connection.execute("SELECT coalesce(max(mention_seq), 0) FROM core.mentions").fetchall()[0][0]) + 1
    numbered = [row | {"mention_seq": first + index, "is_recovered": is_recovered} for index, row in enumerate(rows)]
    with arrow_view(connection, "incoming_mentions", numbered, COLUMNS):
        connection.execute(
            "DELETE FROM core.mentions WHERE document_id IN (SELECT document_id FROM incoming_mentions)"
        ).fetchall()
        connection.execute("INSERT INTO core.mentions BY NAME SELECT * FROM incoming_mentions").fetchall()


@contextmanager
def arrow_view(
    connection: duckdb.DuckDBPyConnection, name: str, rows: Sequence[Mapping[str, Any]], schema: pa.Schema
) -> Iterator[None]:
    """Rows as a view under ``name`` for the statements inside the ``with``."""
    columns = {column.name: pa.array([row.get(column.name) for row in rows], column.type) for column in schema}
    connection.register(name, pa.table(columns, schema=schema))
    try:
        yield
    finally:
        connection.unregister(name)


def rows_of(
    connection: duckdb.DuckDBPyConnection, sql: str, values: list[Any] | dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """All rows of a query as dicts."""
    result = connection.execute(sql, values or [])
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


STALE = "stale"
_JSON = frozenset({"investors", "confidence_reasons", "evidence", "details"})

"""Documents and rejects into the warehouse: ``raw.documents`` and ``raw.rejected_documents``.

What belongs here: rows and their SQL. What does not: which version holds (revisions), transactions (the caller's).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.documents.model import Document, Reject
from pipeline.documents.revisions import is_same, newest, supersede

# A page that was never had belongs to no reading of a body, so that no reading takes it back.
PAGE_NOT_HAD = "page_not_had"
# The body_origin of a document whose text was kept as long as it should be: the row stays, and what it says is not read again.
TEXT_EXPIRED = "expired"

COLUMNS = pa.schema(
    [
        ("document_id", pa.string()),
        ("document_seq", pa.int64()),
        ("revision", pa.int32()),
        ("source_id", pa.string()),
        ("outlet", pa.string()),
        ("kind", pa.string()),
        ("url", pa.string()),
        ("guid", pa.string()),
        ("title", pa.string()),
        ("body", pa.string()),
        ("body_origin", pa.string()),
        ("language", pa.string()),
        ("published_at", pa.timestamp("us")),
        ("landed_at", pa.timestamp("us")),
        ("landing_id", pa.int64()),
        ("landing_sha256", pa.string()),
        ("is_catch_up", pa.bool_()),
        ("form_d", pa.string()),
    ]
)
REJECT_COLUMNS = pa.schema(
    [
        ("landing_id", pa.int64()),
        ("landing_sha256", pa.string()),
        ("source_id", pa.string()),
        ("kind", pa.string()),
        ("url", pa.string()),
        ("entry", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class DocumentCounts:
    new: int = 0
    changed: int = 0
    unchanged: int = 0


def write_documents(connection: duckdb.DuckDBPyConnection, documents: Sequence[Document]) -> DocumentCounts:
    """Merge ``documents`` into raw.documents; a new or changed one gets the next ``document_seq``, in order.

    Writing the same again changes nothing.
    """
    incoming = newest(documents)
    if not incoming:
        return DocumentCounts()
    ids = [document.document_id for document in incoming]
    stored, past = _stored(connection, ids), _past(connection, ids)
    rows: list[dict[str, Any]] = []
    replaced: list[str] = []
    for document in incoming:
        before = stored.get(document.document_id)
        if before is None:
            if document.document_id not in past:
                rows.append(_row(document, 1))
            continue
        old, revision = before
        if old.body_origin == TEXT_EXPIRED:
            continue  # a feed that shows it still brings no news
        held = supersede(old, document)
        if not is_same(old, held):
            rows.append(_row(held, revision + 1))
            replaced.append(document.document_id)
    if rows:
        _replace(connection, rows, replaced)
    return DocumentCounts(len(rows) - len(replaced), len(replaced), len(incoming) - len(rows))


def _past(connection: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> set[str]:
    """Those whose row was deleted when it was old: a feed that shows one still brings no news."""
    found = connection.execute(
        "SELECT CAST(document_id AS VARCHAR) FROM raw.past_documents WHERE document_id IN (SELECT unnest(TRY_CAST(? AS UUID[])))",
        [ids],
    )
    return {row[0] for row in found.fetchall()}


def write_rejects(
    connection: duckdb.DuckDBPyConnection, rejects: Sequence[Reject], landing_ids: Sequence[int], now: datetime
) -> int:
    """Make the rejects of these landings what this reading found; how many are new.

    An entry that its feed repeats poll after poll is noted once per source.
    """
    _register(connection, "incoming_rejects", [asdict(item) for item in dict.fromkeys(rejects)], REJECT_COLUMNS)
    _register(
        connection, "read_landings", [{"landing_id": key} for key in landing_ids], pa.schema([("landing_id", pa.int64())])
    )
    same = """r.source_id = i.source_id AND r.kind = i.kind AND r.entry = i.entry AND r.reason = i.reason
        AND (r.landing_id = i.landing_id OR i.entry <> '')"""
    connection.execute(
        f"""DELETE FROM raw.rejected_documents r WHERE r.landing_id IN (SELECT landing_id FROM read_landings)
            AND r.reason <> ? AND NOT EXISTS (SELECT 1 FROM incoming_rejects i WHERE {same})""",  # noqa: S608
        [PAGE_NOT_HAD],
    ).fetchall()
    added = connection.execute(
        f"""INSERT INTO raw.rejected_documents BY NAME
            SELECT i.*, ?::TIMESTAMP AS rejected_at FROM incoming_rejects i
            WHERE NOT EXISTS (SELECT 1 FROM raw.rejected_documents r WHERE {same})
            QUALIFY row_number() OVER (
                PARTITION BY source_id, kind, entry, reason, CASE WHEN entry = '' THEN landing_id END ORDER BY landing_id
            ) = 1""",  # noqa: S608
        [_naive(now)],
    ).fetchall()
    for name in ("incoming_rejects", "read_landings"):
        connection.unregister(name)
    return int(added[0][0])


def _stored(connection: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> dict[str, tuple[Document, int]]:
    _register(connection, "asked_documents", [{"document_id": key} for key in ids], pa.schema([("document_id", pa.string())]))
    found = connection.execute("SELECT * FROM raw.documents WHERE document_id IN (SELECT document_id FROM asked_documents)")
    names = [column[0] for column in found.description or []]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    connection.unregister("asked_documents")
    return {row["document_id"]: (_document(row), row["revision"]) for row in rows}


def _replace(connection: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], replaced: Sequence[str]) -> None:
    last = connection.execute("SELECT coalesce(max(document_seq), 0) FROM raw.documents").fetchall()[0][0]
    for number, row in enumerate(rows, start=int(last) + 1):
        row["document_seq"] = number
    if replaced:
        connection.execute("DELETE FROM raw.documents WHERE document_id IN (SELECT unnest(?))", [list(replaced)]).fetchall()
    _register(connection, "incoming_documents", rows, COLUMNS)
    connection.execute("INSERT INTO raw.documents BY NAME SELECT * FROM incoming_documents").fetchall()
    connection.unregister("incoming_documents")


def _register(connection: duckdb.DuckDBPyConnection, name: str, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    connection.register(name, pa.Table.from_pylist(rows, schema=schema))


def _row(document: Document, revision: int) -> dict[str, Any]:
    fields = {name: getattr(document, name) for name in COLUMNS.names if name not in {"document_seq", "revision"}}
    return fields | {
        "revision": revision,
        "published_at": _naive(document.published_at),
        "landed_at": _naive(document.landed_at),
        "form_d": json.dumps(document.form_d, ensure_ascii=False, sort_keys=True) if document.form_d is not None else None,
    }


def _document(row: dict[str, Any]) -> Document:
    fields = {name: value for name, value in row.items() if name not in {"document_seq", "revision"}}
    document = Document(**fields)
    return replace(
        document,
        published_at=_aware(row["published_at"]),
        landed_at=row["landed_at"].replace(tzinfo=UTC),
        form_d=json.loads(row["form_d"]) if row["form_d"] is not None else None,
    )


def _naive(instant: datetime | None) -> datetime | None:
    return instant.astimezone(UTC).replace(tzinfo=None) if instant else None


def _aware(instant: datetime | None) -> datetime | None:
    return instant.replace(tzinfo=UTC) if instant else None

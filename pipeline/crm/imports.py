"""A CRM file into the app database, with a record of what was taken and what was not.

What belongs here: the order of reading, checking and writing. What does not: each of them (files, rows, upsert).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert

from pipeline.crm.files import CrmFile, FileRow, open_file
from pipeline.crm.rows import PARSERS, Row, text_problem
from pipeline.crm.upsert import CHUNK, chunks, upsert_chunk
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.crm import CrmImport, CrmReject

IMPORTS = uuid.UUID("6c8a3b52-0a44-5c0e-9d0e-6b1f6d4f6f10")
LONGEST_SOURCE = 10_000  # characters of a rejected row that are kept
REJECTS_TOLD = 20


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken."""

    line: int
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. ``rows`` = ``upserted`` + ``rejected``; ``unchanged`` of the upserted said what was there.

    ``rejects`` are the first 20; all of them are in crm_rejects under ``import_id``.
    """

    import_id: str
    kind: str
    layout: str
    rows: int
    upserted: int
    unchanged: int
    rejected: int
    rejects: tuple[Rejected, ...]


def import_file(
    database: AppDatabase,
    organization_id: str,
    path: Path,
    now: datetime,
    kind: str | None = None,
    mapping: Mapping[str, str] | None = None,
    keep_rest: bool | None = None,
) -> ImportReport:
    """Upsert the rows of a CSV, JSON Lines or Parquet file; rows that are not valid are set aside with their reasons.

    Rows are committed in chunks of 1,000: an import that is broken off is completed by running it again, and what was
    already written then counts as unchanged. Rows absent from the file stay (A-FS-18). ``kind``, ``mapping`` and ``keep_rest``
    as in files.open_file, whose errors it raises.
    """
    file = open_file(path, kind, mapping, keep_rest)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    rejects: list[Rejected] = []
    upserted = unchanged = 0
    for rows in chunks(_valid(file, rejects), CHUNK):
        with database.write() as session:
            report = upsert_chunk(database, session, file.layout.kind, organization_id, rows, now)
        upserted += report.upserted
        unchanged += report.unchanged
    done = ImportReport(
        import_id=str(uuid.uuid5(IMPORTS, f"{organization_id} {sha256} {now.isoformat()}")),
        kind=file.layout.kind,
        layout=file.layout.name,
        rows=upserted + len(rejects),
        upserted=upserted,
        unchanged=unchanged,
        rejected=len(rejects),
        rejects=tuple(rejects[:REJECTS_TOLD]),
    )
    _record(database, organization_id, path.name, sha256, done, rejects, now)
    return done


def _valid(file: CrmFile, rejects: list[Rejected]) -> Iterator[Row]:
    for row in file.rows:
        parsed = _parsed(file.layout.kind, row)
        if isinstance(parsed, list):
            rejects.append(Rejected(row.line, "; ".join(parsed), row.source))
        else:
            yield parsed


def _parsed(kind: str, row: FileRow) -> Row | list[str]:
    if row.problem is not None:
        return [row.problem]
    return PARSERS[kind](row.values, row.metadata_text)


def _record(
    database: AppDatabase,
    organization_id: str,
    file_name: str,
    sha256: str,
    done: ImportReport,
    rejects: list[Rejected],
    now: datetime,
) -> None:
    imported = {
        "id": done.import_id,
        "organization_id": organization_id,
        "file_name": _storable(file_name),
        "sha256": sha256,
        "kind": done.kind,
        "layout": done.layout,
        "rows": done.rows,
        "unchanged": done.unchanged,
        "upserted": done.upserted,
        "rejected": done.rejected,
        "imported_at": now,
    }
    with database.write() as session:
        statement = database.insert(CrmImport).values(imported).on_conflict_do_nothing()
        is_new = session.execute(statement.returning(CrmImport.id)).all()
        if is_new and rejects:
            session.execute(insert(CrmReject), [_reject(organization_id, done.import_id, reject) for reject in rejects])


def _reject(organization_id: str, import_id: str, reject: Rejected) -> dict[str, object]:
    return {
        "import_id": import_id,
        "organization_id": organization_id,
        "line": reject.line,
        "reason": reject.reason,
        "row_json": _storable(reject.source[:LONGEST_SOURCE]),
    }


def _storable(text: str) -> str:
    """The text, or what of it a database takes."""
    if text_problem(text) is None:
        return text
    return text.encode("utf-8", errors="replace").decode("utf-8").replace("\0", "\ufffd")

"""The review queue for analysts: changed questions copied to core.match_reviews, approved matches to core.matches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
from sqlalchemy import bindparam, select, text, update

from pipeline.matching import steps
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.matches import Match, MatchReview
from pipeline.store.warehouse import Warehouse
from pipeline.webhooks.match_rows import found_match

BATCH = 2_000
UNMIRRORED = {True: text("match_reviews.is_mirrored = 0"), False: text("NOT match_reviews.is_mirrored")}


def mirror(db: AppDatabase, warehouse: Warehouse) -> int:
    """Copy every question that changed since the last call, in batches; gives how many.

    Rows first, the note that they are there after: a crash between the two writes the same rows again. Raises WarehouseBusy.
    """
    copied = 0
    while rows := _unmirrored(db):
        matches = _approved(db, rows)
        steps.write(
            warehouse, steps.NewMatches([]), [(row.id, found_match(row), row.origin, row.created_at) for row in matches]
        )
        with warehouse.write() as connection:
            _write(connection, rows)
        with db.write() as session:
            session.connection().execute(
                # The same state only: what was decided meanwhile is copied again.
                update(MatchReview)
                .where(MatchReview.id == bindparam("of_id"), MatchReview.updated_at == bindparam("at"))
                .values(is_mirrored=True),
                [{"of_id": row.id, "at": row.updated_at} for row in rows],
            )
        copied += len(rows)
    return copied


def _unmirrored(db: AppDatabase) -> list[MatchReview]:
    with db.read() as session:
        return list(session.scalars(select(MatchReview).where(UNMIRRORED[db.is_sqlite]).order_by(MatchReview.id).limit(BATCH)))


def _approved(db: AppDatabase, rows: Sequence[MatchReview]) -> list[Match]:
    """The ledger's matches that came of these questions."""
    ids = [row.match_id for row in rows if row.status == "approved" and row.match_id]
    with db.read() as session:
        found: list[Match] = []
        for start in range(0, len(ids), 500):
            found += session.scalars(select(Match).where(Match.id.in_(ids[start : start + 500])))
    return found


def _write(connection: duckdb.DuckDBPyConnection, rows: Sequence[MatchReview]) -> None:
    texts = {
        "review_id": [row.id for row in rows],
        "organization_id": [row.organization_id for row in rows],
        "round_id": [row.round_id for row in rows],
        "round_value": [row.round_value for row in rows],
        "crm_value": [row.crm_value for row in rows],
        "account_external_id": [row.account_external_id for row in rows],
        "rule": [row.explanation.get("rule") for row in rows],
        "matcher_version": [row.explanation.get("matcher_version") for row in rows],
        "origin": [row.origin for row in rows],
        "status": [row.status for row in rows],
        "decided_by": [row.decided_by for row in rows],
        "note": [row.note for row in rows],
        "outcome": [row.outcome for row in rows],
        "match_id": [row.match_id for row in rows],
    }
    numbers = {
        "score": [row.score for row in rows],
        "send_threshold": [row.explanation.get("send") for row in rows],
        "review_threshold": [row.explanation.get("review") for row in rows],
    }
    times = {
        "decided_at": [_naive(row.decided_at) for row in rows],
        "asked_at": [_naive(row.created_at) for row in rows],
        "updated_at": [_naive(row.updated_at) for row in rows],
    }
    columns = {name: pa.array(values, pa.string()) for name, values in texts.items()}
    columns |= {name: pa.array(values, pa.float64()) for name, values in numbers.items()}
    columns |= {name: pa.array(values, pa.timestamp("us")) for name, values in times.items()}
    columns["rows_matched"] = pa.array([len(row.rows) for row in rows], pa.int32())
    connection.register("reviews_now", pa.table(columns))
    connection.execute("DELETE FROM core.match_reviews WHERE review_id IN (SELECT review_id FROM reviews_now)")
    connection.execute("INSERT INTO core.match_reviews BY NAME SELECT * FROM reviews_now")
    connection.unregister("reviews_now")


def _naive(instant: datetime | None) -> datetime | None:
    return instant.astimezone(UTC).replace(tzinfo=None) if instant else None

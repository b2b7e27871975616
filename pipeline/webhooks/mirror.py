"""The history of deliveries for analysts: finished attempts of the ledger, copied to core.webhook_deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import bindparam, case, not_, select, update

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt
from pipeline.store.tables.matches import Match
from pipeline.store.warehouse import Warehouse
from pipeline.webhooks.startcap import PROFILE_NAME as STARTCAP

BATCH = 5_000

COLUMNS: dict[str, pa.DataType] = {
    "attempt_id": pa.int64(),
    "delivery_id": pa.string(),
    "attempt_number": pa.int32(),
    "trigger": pa.string(),
    "organization_id": pa.string(),
    "round_id": pa.string(),
    "match_id": pa.string(),
    "profile": pa.string(),
    "event_type": pa.string(),
    "endpoint_url": pa.string(),
    "resolved_address": pa.string(),
    "body_sha256": pa.string(),
    "status": pa.string(),
    "response_code": pa.int32(),
    "response_excerpt": pa.string(),
    "duration_ms": pa.float64(),
    "resolve_ms": pa.float64(),
    "connect_ms": pa.float64(),
    "tls_ms": pa.float64(),
    "first_byte_ms": pa.float64(),
    "is_reused_connection": pa.bool_(),
    "is_request_sent": pa.bool_(),
    "error_class": pa.string(),
    "error": pa.string(),
    "matched_at": pa.timestamp("us"),
    "started_at": pa.timestamp("us"),
    "finished_at": pa.timestamp("us"),
}
TIMES = [name for name, kind in COLUMNS.items() if pa.types.is_timestamp(kind)]

# A round's documents, the first of them landed: where the way to this delivery began. A later revision of a document
# has a later landing, and then first_seen_at is nearer.
INSERT = """
    INSERT INTO core.webhook_deliveries BY NAME
    WITH landed AS (
        SELECT round_id, min(landed_at) AS landed_at
        FROM core.round_mentions JOIN raw.documents USING (document_id)
        WHERE round_id IN (SELECT round_id FROM attempts)
        GROUP BY round_id
    )
    SELECT attempts.*, least(landed.landed_at, funding_rounds.first_seen_at) AS document_landed_at
    FROM attempts
    LEFT JOIN core.funding_rounds USING (round_id)
    LEFT JOIN landed USING (round_id)
    ORDER BY attempt_id
"""


@dataclass(frozen=True, slots=True)
class MirrorReport:
    """``attempts``: how many rows were written to the warehouse."""

    attempts: int


def mirror(db: AppDatabase, warehouse: Warehouse, now: datetime, limit: int = 1_000_000) -> MirrorReport:
    """Copy up to ``limit`` finished attempts that the warehouse lacks, in batches.

    Rows first, the note that they are there after: a crash between the two writes the same rows again. ``now`` bounds
    what is read: attempts that finished after it wait for the next call. Raises WarehouseBusy.
    """
    copied = 0
    while copied < limit:
        rows = _unmirrored(db, now, min(BATCH, limit - copied))
        if not rows:
            break
        with warehouse.write() as connection:
            _write(connection, rows)
        with db.write() as session:
            session.connection().execute(
                # The same state only: an outcome set right meanwhile is copied again.
                update(DeliveryAttempt)
                .where(
                    DeliveryAttempt.id == bindparam("of_id"),
                    DeliveryAttempt.outcome == bindparam("as_outcome"),
                    DeliveryAttempt.finished_at == bindparam("at"),
                )
                .values(is_mirrored=True),
                [{"of_id": row.attempt_id, "as_outcome": row.status, "at": row.finished_at} for row in rows],
            )
        copied += len(rows)
    return MirrorReport(copied)


def _unmirrored(db: AppDatabase, now: datetime, limit: int) -> list[Any]:
    attempt = DeliveryAttempt
    query = (
        select(
            attempt.id.label("attempt_id"),
            attempt.delivery_id,
            attempt.number.label("attempt_number"),
            attempt.trigger,
            Delivery.organization_id,
            Match.round_id,
            Delivery.match_id,
            Delivery.profile,
            Delivery.event_type,
            attempt.endpoint_url,
            attempt.resolved_address,
            attempt.body_sha256,
            attempt.outcome.label("status"),
            attempt.response_code,
            # Receivers may echo what they were sent, and these bodies hold persons: nothing of that goes into the warehouse.
            case((Delivery.profile == STARTCAP, None), else_=attempt.response_excerpt).label("response_excerpt"),
            attempt.duration_ms,
            attempt.resolve_ms,
            attempt.connect_ms,
            attempt.tls_ms,
            attempt.first_byte_ms,
            attempt.is_reused_connection,
            attempt.is_request_sent,
            attempt.error_class,
            attempt.error,
            Match.created_at.label("matched_at"),
            attempt.started_at,
            attempt.finished_at,
        )
        .join(Delivery, Delivery.id == attempt.delivery_id)
        .join(Match, Match.id == Delivery.match_id, isouter=True)
        .where(not_(attempt.is_mirrored), attempt.outcome != "sending", attempt.finished_at <= now)
        .order_by(attempt.id)
        .limit(limit)
    )
    with db.read() as session:
        return [*session.execute(query)]


def _write(connection: duckdb.DuckDBPyConnection, rows: Sequence[Any]) -> None:
    columns = {name: [_naive(getattr(row, name)) if name in TIMES else getattr(row, name) for row in rows] for name in COLUMNS}
    table = pa.table({name: pa.array(values, COLUMNS[name]) for name, values in columns.items()})
    connection.register("attempts", table)
    # Bounds first: attempt ids only grow, so old row groups are not read.
    first, last = rows[0].attempt_id, rows[-1].attempt_id
    connection.execute(
        "DELETE FROM core.webhook_deliveries "
        "WHERE attempt_id BETWEEN ? AND ? AND attempt_id IN (SELECT attempt_id FROM attempts)",
        [first, last],
    ).fetchall()
    connection.execute(INSERT).fetchall()
    connection.unregister("attempts")


def _naive(instant: datetime | None) -> datetime | None:
    return instant.astimezone(UTC).replace(tzinfo=None) if instant else None

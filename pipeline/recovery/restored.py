"""What has to happen after a store was put back from a backup, before the service starts again.

The two stores were copied at different moments, and one may be whole while the other is older. What the warehouse has lost is read
again from the landed bodies; what the ledger has lost is recalled from the warehouse, and what may have been told all the same is
held. What belongs here: the order of it, and seeing that it is due. What does not: each step's rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb
from sqlalchemy import func, select, update

from pipeline.crm.recopy import queue_all
from pipeline.documents import ingest
from pipeline.documents.landing import Landing
from pipeline.recovery.recall import CHUNK, MARGIN, TOLD, RecallReport, recall
from pipeline.store.app_database import AppDatabase
from pipeline.store.closed_days import closed_before
from pipeline.store.restored import note_restore
from pipeline.store.tables import documents as tables
from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt
from pipeline.store.tables.matches import Round
from pipeline.store.warehouse import Warehouse, progress, set_progress
from pipeline.subscriptions import publishing, reports
from pipeline.webhooks import published_rounds
from pipeline.webhooks.ended_rounds import WAITING
from pipeline.webhooks.fundingscout import PROFILE_NAME
from pipeline.webhooks.outbox import RESTORED


class LedgerForgot(RuntimeError):
    """The warehouse remembers sends that the ledger does not: the app database is older. Says what to do."""


@dataclass(slots=True)
class RestoreReport:
    """What was done. ``bodies``: landed bodies to be read again; ``rounds``, ``signals``: published again; ``rows``: CRM rows
    queued; ``held``: deliveries that wait for somebody's word now."""

    bodies: int = 0
    rounds: int = 0
    signals: int = 0
    rows: int = 0
    held: int = 0
    recalled: RecallReport = field(default_factory=RecallReport)


def bring_together(
    database: AppDatabase, warehouse: Warehouse, landing: Landing, now: datetime, *, is_ledger_whole: bool
) -> RestoreReport:
    """Make the stores fit each other again. Idempotent; the service must not run.

    ``is_ledger_whole``: the app database was not put back, so nothing is recalled or held. Raises LedgerForgot where the
    warehouse knows better, WarehouseBusy.
    """
    report = RestoreReport()
    if is_ledger_whole:
        require_memory(database, warehouse)
    else:
        # First of all: whatever happens from here on, nobody is told of old news by itself.
        with warehouse.write() as connection:
            note_restore(connection, now)
        hold_all(database)
        report.rounds, report.signals = _publish_again(database, warehouse, now)
        report.recalled = recall(database, warehouse)
        report.held = held_since_restore(database)
    report.bodies = _read_again(database, warehouse, landing)
    report.rows = queue_all(database, warehouse, now)
    return report


def require_memory(database: AppDatabase, warehouse: Warehouse) -> None:
    """Raises LedgerForgot where the newest FundingScout attempt that the warehouse has is not in the ledger."""
    with warehouse.open() as connection:
        newest = connection.execute(
            f"SELECT delivery_id, attempt_number, started_at FROM core.webhook_deliveries WHERE {TOLD} "  # noqa: S608
            "AND matched_at >= ? ORDER BY attempt_id DESC LIMIT 1",
            [closed_before(connection)],
        ).fetchone()
    if newest is None:
        return
    of_newest = (DeliveryAttempt.delivery_id == newest[0], DeliveryAttempt.number == newest[1])
    with database.read() as session:
        if session.scalar(select(DeliveryAttempt.id).where(*of_newest).limit(1)) is not None:
            return
    raise LedgerForgot(
        f"the ledger (app database) is older than the warehouse, which remembers a send of {newest[2]:%Y-%m-%d %H:%M} UTC: was a "
        "backup put back? Partners would be told again. `fundingscout restored` brings back what the warehouse remembers, and "
        "holds the rest (docs/operators, Restore)"
    )


def hold_all(database: AppDatabase) -> None:
    """Hold all FundingScout deliveries that wait, or that a backfill holds, until somebody releases them."""
    waiting = update(Delivery).where(Delivery.profile == PROFILE_NAME, Delivery.match_id.is_not(None))
    waiting = waiting.where(Delivery.status.in_((*WAITING, "held")), func.coalesce(Delivery.reason, "") != RESTORED)
    with database.write() as session:
        session.execute(waiting.values(status="held", reason=RESTORED, next_attempt_at=None))


def held_since_restore(database: AppDatabase) -> int:
    """How many deliveries are held because the ledger was put back."""
    with database.read() as session:
        return session.scalar(select(func.count()).where(Delivery.status == "held", Delivery.reason == RESTORED)) or 0


def _publish_again(database: AppDatabase, warehouse: Warehouse, now: datetime) -> tuple[int, int]:
    """Rounds and signals that the app database lacks; nobody is told of them by this."""
    with database.read() as session:
        newest = session.scalar(select(func.max(Round.updated_at)))
    since = (newest - MARGIN).astimezone(UTC).replace(tzinfo=None) if newest else None
    with warehouse.write() as connection:
        position = _rounds_before(connection, since)
        _go_back(connection, published_rounds.STEP, position)
        _go_back(connection, publishing.ROUNDS_STEP, position)
        _go_back(connection, reports.STEP, _mentions_before(connection, since))
    rounds = published_rounds.publish_changed(database, warehouse, now)
    signals = publishing.publish_changed_signals(database, warehouse, now, max_age_hours=0)
    return rounds, signals.new + signals.changed


def _rounds_before(connection: duckdb.DuckDBPyConnection, since: datetime | None) -> int:
    newest = "SELECT coalesce(max(round_seq), 0) FROM core.funding_rounds WHERE updated_at < ?"
    return int(connection.execute(newest, [since]).fetchall()[0][0]) if since else 0


def _mentions_before(connection: duckdb.DuckDBPyConnection, since: datetime | None) -> int:
    newest = (
        "SELECT coalesce(max(mention_seq), 0) FROM core.mentions JOIN raw.documents USING (document_id) WHERE landed_at < ?"
    )
    return int(connection.execute(newest, [since]).fetchall()[0][0]) if since else 0


def _go_back(connection: duckdb.DuckDBPyConnection, step: str, position: int) -> None:
    if position < progress(connection, step):
        set_progress(connection, step, position)


def _read_again(database: AppDatabase, warehouse: Warehouse, landing: Landing) -> int:
    """Bodies that were read since the warehouse's backup and are in the landing still: the next run reads them again."""
    with warehouse.open() as connection:
        last = progress(connection, ingest.STEP)
    query = select(tables.Landing.id, tables.Landing.sha256).where(tables.Landing.id > last, tables.Landing.status == "parsed")
    with database.read() as session:
        ids = [row.id for row in session.execute(query.order_by(tables.Landing.id)) if landing.has(row.sha256)]
    for start in range(0, len(ids), CHUNK):
        again = update(tables.Landing).where(tables.Landing.id.in_(ids[start : start + CHUNK]))
        with database.write() as session:
            session.execute(again.values(status="landed", settled_at=None))
    return len(ids)

"""What the ledger has forgotten, brought back from the warehouse: for an app database that was put back from a backup.

The warehouse has each match that the ledger took and each attempt that ended (core.matches, core.webhook_deliveries). What became
of FundingScout deliveries since the backup is written into the ledger again under the same ids, so that nobody is told of it a
second time. What belongs here: reading both and writing what is missing. What does not: what else a restore asks for
(recovery.restored). Other faces' deliveries can't be made again from the warehouse: what they said is not in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from pipeline.matching.model import FoundMatch, MatchType
from pipeline.signals.mention_table import rows_of
from pipeline.store.app_database import AppDatabase
from pipeline.store.closed_days import closed_before
from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt
from pipeline.store.tables.matches import Match, Round
from pipeline.store.tables.organizations import Organization
from pipeline.store.warehouse import Warehouse
from pipeline.webhooks.fundingscout import PROFILE_NAME
from pipeline.webhooks.match_rows import delivery_row, logical_round, match_row
from pipeline.webhooks.outbox import RESTORED, lock_matches

CHUNK = 500
# A backup holds what was begun a while before it was made.
MARGIN = timedelta(days=1)
# Tests have no match, and are nobody's news.
TOLD = f"profile = '{PROFILE_NAME}' AND match_id IS NOT NULL"
OF_ATTEMPT = (
    "trigger", "endpoint_url", "resolved_address", "body_sha256", "response_code", "response_excerpt", "duration_ms", "resolve_ms",
    "connect_ms", "tls_ms", "first_byte_ms", "is_reused_connection", "is_request_sent", "error_class", "error",
)  # fmt: skip


@dataclass(slots=True)
class RecallReport:
    """Matches and attempts that the ledger has again; ``lost``: of the warehouse's, those about rounds or organizations that the
    app database lacks."""

    matches: int = 0
    attempts: int = 0
    lost: int = 0


def recall(database: AppDatabase, warehouse: Warehouse) -> RecallReport:
    """Write into the ledger what the warehouse remembers and it does not: matches, deliveries, attempts, outcomes.

    Rounds must be published before. A match of which no attempt is known was perhaps about to be sent: it is held. Idempotent.
    """
    report = RecallReport()
    since = _last_known(database)
    with warehouse.open() as connection:
        oldest = max(closed_before(connection), since) if since else closed_before(connection)
        matches = list(_chunks(connection, "SELECT * FROM core.matches WHERE matched_at >= ? ORDER BY match_id", oldest))
        attempts = list(
            _chunks(
                connection,
                f"SELECT * FROM core.webhook_deliveries WHERE {TOLD} AND finished_at >= ? ORDER BY attempt_id",  # noqa: S608
                oldest,
            )
        )
    for chunk in matches:
        with database.write() as session:
            lock_matches(database, session)
            _recall_matches(database, session, chunk, report)
    for chunk in attempts:
        with database.write() as session:
            _recall_attempts(session, chunk, report)
    _count_on(database)
    return report


def _last_known(database: AppDatabase) -> datetime | None:
    """From when on the ledger may lack something (naive UTC): a day before the last it knows; None where it knows nothing."""
    with database.read() as session:
        newest = session.scalar(select(func.max(Match.created_at)))
    return (newest - MARGIN).astimezone(UTC).replace(tzinfo=None) if newest else None


def _chunks(connection: duckdb.DuckDBPyConnection, query: str, oldest: datetime) -> Iterator[list[dict[str, Any]]]:
    rows = rows_of(connection, query, [oldest])
    return (rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK))


def _recall_matches(database: AppDatabase, session: Session, rows: Sequence[dict[str, Any]], report: RecallReport) -> None:
    known = set(session.scalars(select(Match.id).where(Match.id.in_([row["match_id"] for row in rows]))))
    missing = [row for row in rows if row["match_id"] not in known]
    if not missing:
        return
    rounds = {of.id: of for of in session.scalars(select(Round).where(Round.id.in_({row["round_id"] for row in missing})))}
    organizations = set(
        session.scalars(select(Organization.id).where(Organization.id.in_({row["organization_id"] for row in missing})))
    )
    here = [row for row in missing if row["round_id"] in rounds and row["organization_id"] in organizations]
    report.lost += len(missing) - len(here)
    found = [(_found(row), row["origin"], row["matched_at"].replace(tzinfo=UTC)) for row in here]
    if not found:
        return
    matches = [match_row(match, logical_round(rounds[match.round_id]), origin, at) for match, origin, at in found]
    deliveries = [delivery_row(match, "held", at, None) | {"reason": RESTORED} for match, _, at in found]
    session.execute(database.insert(Match).on_conflict_do_nothing(), matches)
    session.execute(database.insert(Delivery).on_conflict_do_nothing(), deliveries)
    report.matches += len(matches)


def _found(row: dict[str, Any]) -> FoundMatch:
    fields = ("organization_id", "round_id", "account_external_id", "contact_external_id", "score", "rule", "crm_value")
    return FoundMatch(
        **{name: row[name] for name in (*fields, "round_value", "matcher_version")},
        match_type=MatchType(row["match_type"]),
        all_matches=json.loads(row["all_matches"]),
    )


def _recall_attempts(session: Session, rows: Sequence[dict[str, Any]], report: RecallReport) -> None:
    ids = {row["delivery_id"] for row in rows}
    places = select(DeliveryAttempt.delivery_id, DeliveryAttempt.number).where(DeliveryAttempt.delivery_id.in_(ids))
    known = {(row.delivery_id, row.number) for row in session.execute(places)}
    missing = [row for row in rows if (row["delivery_id"], row["attempt_number"]) not in known]
    if not missing:
        return
    deliveries = {row.id: row for row in session.scalars(select(Delivery).where(Delivery.id.in_(ids)).with_for_update())}
    taken = set(
        session.scalars(select(DeliveryAttempt.id).where(DeliveryAttempt.id.in_([row["attempt_id"] for row in missing])))
    )
    for row in missing:
        delivery = deliveries.get(row["delivery_id"])
        if delivery is None:
            continue  # its match is counted as lost
        is_free = row["attempt_id"] not in taken
        # Under its own number where that is free: then the warehouse has it as it is.
        session.add(
            DeliveryAttempt(
                **{name: row[name] for name in OF_ATTEMPT},
                **({"id": row["attempt_id"]} if is_free else {}),
                delivery_id=delivery.id,
                number=row["attempt_number"],
                outcome=row["status"],
                started_at=row["started_at"].replace(tzinfo=UTC),
                finished_at=row["finished_at"].replace(tzinfo=UTC),
                is_mirrored=is_free,
            )
        )
        report.attempts += 1
        if row["attempt_number"] >= delivery.attempts:
            _settle(delivery, row)
    session.flush()


def _settle(delivery: Delivery, row: dict[str, Any]) -> None:
    """The delivery as its last attempt left it. Its exact body is not in the warehouse, so it is never sent again."""
    delivery.status, delivery.attempts = row["status"], row["attempt_number"]
    delivery.reason = row["error_class"] if row["status"] == "failed" else None
    delivery.response_code, delivery.response_excerpt = row["response_code"], row["response_excerpt"]
    delivery.finished_at = row["finished_at"].replace(tzinfo=UTC)
    delivery.next_attempt_at = delivery.next_trigger = None


def _count_on(database: AppDatabase) -> None:
    """PostgreSQL's numbers go on behind those that were given by hand; SQLite's do by themselves."""
    if database.is_sqlite:
        return
    with database.write() as session:
        session.execute(
            text(
                "SELECT setval(pg_get_serial_sequence('delivery_attempts', 'id'), "
                "greatest((SELECT max(id) FROM delivery_attempts), nextval(pg_get_serial_sequence('delivery_attempts', 'id'))))"
            )
        )

"""Signals from the warehouse to the app database: changed rounds and changed mentions become published signals.

Level-triggered: what a signal says is made anew from all documents that report it, whenever one of them is read otherwise. The
mark moves after the app database has the signals: a crash in between publishes the same again, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb

from pipeline.signals.mention_table import rows_of
from pipeline.store.app_database import AppDatabase
from pipeline.store.closed_days import closed_before
from pipeline.store.warehouse import Warehouse, progress, set_progress
from pipeline.subscriptions import payloads
from pipeline.subscriptions.model import EventType
from pipeline.subscriptions.new_investors import publish_new_investors
from pipeline.subscriptions.profiles import fill_profiles
from pipeline.subscriptions.reports import publish_mentions
from pipeline.subscriptions.signals import PublishedSignal, publish_signals

ROUNDS_STEP = "publish_round_signals"
BATCH = 500

_SOURCES = """
    SELECT l.round_id, d.url, d.kind, d.title, d.body, d.published_at, m.confidence_score, m.description,
        CAST(m.confidence_reasons AS VARCHAR) AS confidence_reasons
    FROM core.round_mentions l JOIN core.mentions m USING (document_id) JOIN raw.documents d USING (document_id)
    WHERE l.round_id IN (SELECT unnest(?))
    ORDER BY m.mention_seq, d.document_id
"""


@dataclass(frozen=True, slots=True)
class SignalReport:
    """What one pass published: signals new and changed, and how many of them subscriptions are told of."""

    new: int = 0
    changed: int = 0
    waiting: int = 0


def publish_changed_signals(db: AppDatabase, warehouse: Warehouse, now: datetime, max_age_hours: int) -> SignalReport:
    """Publish what changed since the last call. Nothing older than ``max_age_hours`` tells (A-FS-24)."""
    fill_profiles(db, now)
    rounds = _publish_rounds(db, warehouse, now, max_age_hours)
    others = publish_mentions(db, warehouse, now, max_age_hours)
    return SignalReport(rounds.new + others.new, rounds.changed + others.changed, rounds.waiting + others.waiting)


def _publish_rounds(db: AppDatabase, warehouse: Warehouse, now: datetime, max_age_hours: int) -> SignalReport:
    new = changed = waiting = 0
    merged: dict[str, str] = {}  # over all batches: part and whole may be in different ones
    while True:
        with warehouse.open() as connection:
            rows = _changed_rounds(connection)
            sources = _sources(connection, [row["round_id"] for row in rows])
        if not rows:
            return SignalReport(new, changed, waiting)
        fresh_from = now - timedelta(hours=max_age_hours)
        signals = [round_signal(row, sources.get(row["round_id"], []), fresh_from) for row in rows]
        merged |= {row["round_id"]: row["merged_into"] for row in rows if row["merged_into"]}
        report = publish_signals(db, signals, now, merged)
        investors = publish_new_investors(db, signals, now)
        with warehouse.write() as connection:
            set_progress(connection, ROUNDS_STEP, max(rows[-1]["round_seq"], progress(connection, ROUNDS_STEP)))
        new, changed = new + report.new + investors.new, changed + report.changed
        waiting += report.waiting + investors.waiting


def round_signal(row: dict[str, Any], sources: Sequence[dict[str, Any]], fresh_from: datetime) -> PublishedSignal:
    """A row of core.funding_rounds, with the documents that report it, as a signal."""
    discovered = payloads.aware(row["first_seen_at"])
    day = row["announced_date"] or row["published_date"] or discovered.date()
    is_active = row["status"] == "active"
    country = payloads.face_country(row["location_country"])
    of_company = payloads.company_id(row["domain_key"], row["company_key"])
    description = next((source["description"] for source in sources if source["description"]), None)
    company = payloads.company_block(row["company_name"], of_company, row["website"], row["industry"], country, description)
    block = payloads.round_block(row)
    external_id = f"fund_{row['round_id'].replace('-', '')[:16]}"
    occurred = payloads.midnight(day)
    industry, subcategory = payloads.face_industry(row["industry"])
    return PublishedSignal(
        id=row["round_id"],
        event_type=EventType.FUNDING,
        external_id=external_id,
        logical_key=row["round_id"],
        is_active=is_active,
        tells=bool(row["tells"]) and is_active and payloads.aware(row["updated_at"]) >= fresh_from,
        occurred_at=occurred,
        discovered_at=discovered,
        company_id=of_company,
        company_name=row["company_name"],
        industry=industry,
        categories=[subcategory] if subcategory else [],
        country=country,
        employee_count=None,
        round_type=block["roundType"],
        round_flavor=block["roundFlavor"],
        amount=block["amount"],
        currency=block["currency"],
        confidence=block["confidenceScore"],
        data={
            "signal": payloads.signal_block(row["round_id"], "funding_round", external_id, occurred, discovered, is_active),
            "company": company,
            "employees": payloads.employee_block(row["ceo_name"], "CEO", row["ceo_linkedin_url"], row["ceo_email"]),
            "sources": payloads.source_blocks(sources),
            "fundingRound": block,
        },
    )


def _changed_rounds(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The next that changed and are open: who was told of a closed one is forgotten."""
    after = progress(connection, ROUNDS_STEP)
    return rows_of(
        connection,
        "SELECT *, CAST(investors AS VARCHAR) AS investors_json FROM core.funding_rounds "
        "WHERE round_seq > ? AND first_seen_at >= ? ORDER BY round_seq LIMIT ?",
        [after, closed_before(connection), BATCH],
    )


def _sources(connection: duckdb.DuckDBPyConnection, round_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    if round_ids:
        for row in rows_of(connection, _SOURCES, [list(round_ids)]):
            found.setdefault(row["round_id"], []).append(row)
    return found

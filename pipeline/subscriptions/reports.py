"""Acquisitions, job changes, hiring and new companies: mentions of one real event become one signal.

Reports are one event's where type, company and counterpart are the same and the days at most thirty apart. The first report
names the signal, so its id never changes; the others are its sources.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid5

import duckdb
from sqlalchemy import delete, select

from pipeline.matching.names import normal_form
from pipeline.signals.mention_table import rows_of
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.subscriptions import Signal, SignalDocument
from pipeline.store.warehouse import Warehouse, progress, set_progress
from pipeline.subscriptions import payloads
from pipeline.subscriptions.model import EventType
from pipeline.subscriptions.signals import PublishedSignal, PublishReport, publish_signals

STEP = "publish_mention_signals"
BATCH = 500
SAME_EVENT = timedelta(days=30)
KINDS = {
    "acquisition": (EventType.ACQUISITION, "acq"),
    "job_change": (EventType.JOB_CHANGE, "job"),
    "hiring": (EventType.HIRING, "hire"),
    "new_company": (EventType.NEW_COMPANY, "comp"),
}
_MENTIONS = """
    SELECT m.document_id, m.mention_seq, m.is_recovered, m.signal_type, m.company_name, m.company_key, m.domain_key,
        m.amount, m.currency, m.website, m.city, m.country, m.industry, m.description, m.confidence_score,
        CAST(m.confidence_reasons AS VARCHAR) AS confidence_reasons, CAST(m.details AS VARCHAR) AS details_json,
        d.url, d.kind, d.title, d.body, d.published_at, d.landed_at, d.is_catch_up
    FROM core.mentions m JOIN raw.documents d USING (document_id)
"""


@dataclass(frozen=True, slots=True)
class _Report:
    """One mention of one of the four kinds, with what tells its event from others."""

    row: dict[str, Any]
    event_type: EventType
    prefix: str
    logical_key: str
    details: dict[str, Any]
    occurred_at: datetime

    @property
    def document_id(self) -> str:
        return str(self.row["document_id"])


def publish_mentions(db: AppDatabase, warehouse: Warehouse, now: datetime, max_age_hours: int) -> PublishReport:
    """Publish the signals of mentions that changed since the last call, in the order of ``mention_seq``."""
    new = changed = waiting = 0
    while True:
        with warehouse.open() as connection:
            rows = rows_of(
                connection,
                f"{_MENTIONS} WHERE m.mention_seq > ? ORDER BY m.mention_seq LIMIT {BATCH:d}",
                [progress(connection, STEP)],
            )
        if not rows:
            return PublishReport(new, changed, waiting)
        report = _publish(db, warehouse, rows, now, now - timedelta(hours=max_age_hours))
        with warehouse.write() as connection:
            set_progress(connection, STEP, max(rows[-1]["mention_seq"], progress(connection, STEP)))
        new, changed, waiting = new + report.new, changed + report.changed, waiting + report.waiting


def _publish(
    db: AppDatabase, warehouse: Warehouse, rows: Sequence[dict[str, Any]], now: datetime, fresh_from: datetime
) -> PublishReport:
    reports = {report.document_id: report for row in rows if (report := _report(row)) is not None}
    before = _linked(db, [row["document_id"] for row in rows])
    if not reports and not before:
        return PublishReport()
    links = _placed(db, reports.values(), before)
    touched = {*links.values(), *before.values()}
    documents = _documents_of(db, touched, links, set(before))
    with warehouse.open() as connection:
        stated = _stated(connection, [document for of_signal in documents.values() for document in of_signal])
    known = _known(db, touched)
    signals = []
    for signal_id in sorted(touched):
        own = sorted(
            (stated[document] for document in documents[signal_id] if document in stated),
            key=lambda one: one.row["mention_seq"],
        )
        if own:
            signals.append(_signal(signal_id, own, fresh_from, is_active=True))
        elif signal_id in known:
            signals.append(_retracted(known[signal_id]))
    published = publish_signals(db, signals, now)
    _write_links(db, {row["document_id"] for row in rows}, links)
    return published


def _report(row: dict[str, Any]) -> _Report | None:
    kind = KINDS.get(row["signal_type"])
    company = row["company_key"] or normal_form(row["company_name"])
    if kind is None or not row["company_name"] or not company:
        return None
    details = json.loads(row["details_json"] or "{}")
    counterpart = {
        "acquisition": details.get("acquiring_company"),
        "job_change": details.get("person_name"),
        "hiring": ((details.get("hiring_details") or [{}])[0] or {}).get("title"),
    }.get(row["signal_type"])
    occurred = row["published_at"] or row["landed_at"]
    return _Report(row, *kind, f"{company}|{normal_form(counterpart)}", details, payloads.aware(occurred))


def _placed(db: AppDatabase, reports: Iterable[_Report], before: dict[str, str]) -> dict[str, str]:
    """The signal of each document: the one it has, another report's of the same event, or one of its own."""
    ordered = list(reports)
    events: defaultdict[tuple[str, str], list[tuple[datetime, str]]] = defaultdict(list)
    keys = sorted({report.logical_key for report in ordered})
    with db.read() as session:
        query = select(Signal.id, Signal.event_type, Signal.logical_key, Signal.occurred_at)
        kinds = [event_type for event_type, _ in KINDS.values()]
        for found in session.execute(query.where(Signal.event_type.in_(kinds), Signal.logical_key.in_(keys))):
            events[found.event_type, found.logical_key].append((found.occurred_at, found.id))
    links: dict[str, str] = {}
    for report in ordered:
        same = [
            (abs(report.occurred_at - at), signal_id)
            for at, signal_id in events[report.event_type, report.logical_key]
            if abs(report.occurred_at - at) <= SAME_EVENT
        ]
        own = before.get(report.document_id)
        if own is not None and any(signal_id == own for _, signal_id in same):
            links[report.document_id] = own
        elif same:
            links[report.document_id] = min(same)[1]
        else:
            made = str(uuid5(payloads.NAMESPACE, f"{report.event_type}:{report.document_id}"))
            links[report.document_id] = made
            events[report.event_type, report.logical_key].append((report.occurred_at, made))
    return links


def _signal(signal_id: str, reports: Sequence[_Report], fresh_from: datetime, is_active: bool) -> PublishedSignal:
    first = reports[0]
    row = first.row
    discovered = min(payloads.aware(report.row["landed_at"]) for report in reports)
    country = next((code for report in reports if (code := payloads.face_country(report.row["country"]))), None)
    website = next((report.row["website"] for report in reports if report.row["website"]), None)
    industry = next((report.row["industry"] for report in reports if report.row["industry"]), None)
    description = next((report.row["description"] for report in reports if report.row["description"]), None)
    of_company = payloads.company_id(row["domain_key"], row["company_key"] or normal_form(row["company_name"]))
    amount = next((whole for report in reports if (whole := payloads.whole_amount(report.row["amount"])) is not None), None)
    currency = next((report.row["currency"] for report in reports if report.row["amount"] is not None), None)
    external_id = f"{first.prefix}_{signal_id.replace('-', '')[:16]}"
    label, subcategory = payloads.face_industry(industry)
    data: dict[str, Any] = {
        "signal": payloads.signal_block(signal_id, row["signal_type"], external_id, first.occurred_at, discovered, is_active),
        "company": payloads.company_block(row["company_name"], of_company, website, industry, country, description),
        "employees": [],
        "sources": payloads.source_blocks([report.row for report in reports]),
    }
    return PublishedSignal(
        id=signal_id,
        event_type=first.event_type,
        external_id=external_id,
        logical_key=first.logical_key,
        is_active=is_active,
        tells=any(_tells(report, fresh_from) for report in reports),
        occurred_at=first.occurred_at,
        discovered_at=discovered,
        company_id=of_company,
        company_name=row["company_name"],
        industry=label,
        categories=[subcategory] if subcategory else [],
        country=country,
        employee_count=None,
        round_type=None,
        round_flavor=None,
        amount=amount,
        currency=currency if amount is not None else None,
        confidence=max((report.row["confidence_score"] or 0.0) for report in reports),
        data=data | _block(first, amount, currency),
    )


def _block(first: _Report, amount: int | None, currency: str | None) -> dict[str, Any]:
    day = first.occurred_at.date()
    match first.event_type:
        case EventType.ACQUISITION:
            buyer = normal_form(first.details.get("acquiring_company"))
            return {"acquisition": payloads.acquisition_block(first.details, buyer, amount, currency, day)}
        case EventType.JOB_CHANGE:
            return {"jobChange": payloads.job_change_block(first.details)}
        case EventType.HIRING:
            return {"hiringDetails": payloads.hiring_block(first.details, first.row["url"] or None, day)}
        case _:
            return {}


def _tells(report: _Report, fresh_from: datetime) -> bool:
    """Read as news: not while catching up or in a backfill, landed lately, and not old when it landed."""
    row = report.row
    is_live = not row["is_catch_up"] and not row["is_recovered"]
    return is_live and payloads.aware(row["landed_at"]) >= fresh_from and report.occurred_at >= fresh_from


def _retracted(row: Signal) -> PublishedSignal:
    """The signal as it was, no longer so."""
    block = row.data["signal"] | {"active": False}
    values = {name: getattr(row, name) for name in PublishedSignal.__dataclass_fields__ if name not in ("tells", "data")}
    return PublishedSignal(**(values | {"is_active": False, "tells": False, "data": row.data | {"signal": block}}))


def _stated(connection: duckdb.DuckDBPyConnection, documents: Sequence[str]) -> dict[str, _Report]:
    rows = (
        rows_of(connection, f"{_MENTIONS} WHERE m.document_id IN (SELECT unnest(?))", [sorted(documents)]) if documents else []
    )
    return {report.document_id: report for row in rows if (report := _report(row)) is not None}


def _linked(db: AppDatabase, documents: Sequence[str]) -> dict[str, str]:
    query = select(SignalDocument.document_id, SignalDocument.signal_id).where(SignalDocument.document_id.in_(documents))
    with db.read() as session:
        return {row.document_id: row.signal_id for row in session.execute(query)}


def _documents_of(
    db: AppDatabase, signal_ids: set[str], links: dict[str, str], changed: set[str]
) -> defaultdict[str, set[str]]:
    """Every document of these signals, as it will be."""
    documents: defaultdict[str, set[str]] = defaultdict(set)
    query = select(SignalDocument).where(SignalDocument.signal_id.in_(sorted(signal_ids)))
    with db.read() as session:
        for row in session.scalars(query):
            if row.document_id not in changed:
                documents[row.signal_id].add(row.document_id)
    for document, signal_id in links.items():
        documents[signal_id].add(document)
    return documents


def _known(db: AppDatabase, signal_ids: set[str]) -> dict[str, Signal]:
    with db.read() as session:
        return {row.id: row for row in session.scalars(select(Signal).where(Signal.id.in_(sorted(signal_ids))))}


def _write_links(db: AppDatabase, changed: set[str], links: dict[str, str]) -> None:
    with db.write() as session:
        session.execute(delete(SignalDocument).where(SignalDocument.document_id.in_(sorted(changed))))
        if links:
            rows = [{"document_id": document, "signal_id": signal_id} for document, signal_id in sorted(links.items())]
            session.execute(db.insert(SignalDocument).on_conflict_do_nothing(), rows)

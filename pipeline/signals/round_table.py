"""Mentions to rounds in the warehouse: ``core.funding_rounds`` and ``core.round_mentions``.

Level-triggered: a round's row is always what its linked reports amount to (merge), so a report read again corrects the
round in place. Links, rows and progress are written in one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb

from pipeline.signals.grouping import Rounds
from pipeline.signals.mention_table import STALE, arrow_view, rows_of
from pipeline.signals.merge import merge
from pipeline.signals.resolve import Report, block_keys, gate, round_id_of
from pipeline.signals.round_rows import LINK_COLUMNS, ROUND_COLUMNS, known_row, report_from_row, round_row
from pipeline.store.closed_days import closed_before
from pipeline.store.warehouse import Warehouse, progress, set_progress

STEP = "rounds"
BATCH = 1_000

# Long texts that a report has no use for are not read: in a wide join that would mean those of all mentions.
_REPORTS = """
    SELECT m.* EXCLUDE (evidence, details, confidence_reasons, description, investors),
        CAST(m.investors AS VARCHAR) AS investors_json, d.kind, d.source_id, d.outlet, d.url, d.title, d.landed_at,
        d.published_at, d.is_catch_up, l.round_id
    FROM core.mentions m JOIN raw.documents d USING (document_id) LEFT JOIN core.round_mentions l USING (document_id)
"""


@dataclass
class RoundReport:
    """New rounds, rounds that a further report enriched or corrected, reports set aside as stale, rounds retracted, and
    rounds that were found to be part of another."""

    new: int = 0
    enriched: int = 0
    stale: int = 0
    retracted: int = 0
    merged: int = 0


@dataclass
class _State:
    """What one batch works on: the rounds at hand, rounds as stored, and what is to be written."""

    rounds: Rounds = field(default_factory=Rounds)
    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    touched: dict[str, bool] = field(default_factory=dict)  # round id → a live report tells of it
    links: dict[str, dict[str, Any]] = field(default_factory=dict)  # by document
    unlinked: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    fresh: list[str] = field(default_factory=list)


def resolve_new(warehouse: Warehouse, now: datetime, max_article_age_hours: int) -> RoundReport:
    """Bring the mentions that are new or read otherwise into their rounds, in the order of ``mention_seq``."""
    report = RoundReport()
    while True:
        with warehouse.write() as connection:
            mentions = _new_mentions(connection)
            if not mentions:
                return report
            state = _load(connection, mentions)
            for row in mentions:
                _place(state, report_from_row(row), now, max_article_age_hours)
            _write(connection, state, now, report)
            set_progress(connection, STEP, max(row["mention_seq"] for row in mentions))


def changed_rounds(connection: duckdb.DuckDBPyConnection, after_round_seq: int) -> list[dict[str, Any]]:
    """Rounds with a ``round_seq`` above the given one, in its order, as outbox.publish_rounds takes them, with ``round_seq``
    and ``status``. ``body`` has the keys of FS-48. Closed rounds are left out: who was told of them is forgotten."""
    rows = rows_of(
        connection,
        "SELECT *, CAST(investors AS VARCHAR) AS investors_json FROM core.funding_rounds "
        "WHERE round_seq > ? AND first_seen_at >= ? ORDER BY round_seq",
        [after_round_seq, closed_before(connection)],
    )
    return [published(row) for row in rows]


def published(row: dict[str, Any]) -> dict[str, Any]:
    """One row of core.funding_rounds as it is published."""
    body = partner_body(row)
    return {
        "id": row["round_id"],
        "round_seq": row["round_seq"],
        "status": row["status"],
        "merged_into": row["merged_into"],
        "company_name": row["company_name"],
        "company_key": row["company_key"] or "",
        "funding_type": row["funding_type"],
        "amount_usd": row["amount_usd"],
        "published_date": body["published_date"],
        "location_country": row["location_country"],
        "body": body,
        "first_seen_at": row["first_seen_at"].replace(tzinfo=UTC),
    }


def partner_body(row: dict[str, Any]) -> dict[str, Any]:
    """The ``funding_round`` of a FundingScout payload: the 17 keys of FS-48 in that order, null where unknown."""
    investors = json.loads(row["investors_json"]) if row.get("investors_json") else []
    return {
        "id": row["round_id"],
        "company_name": row["company_name"],
        "amount_usd": row["amount_usd"],
        "funding_type": row["funding_type"],
        "website": f"https://{row['website']}" if row["website"] else None,
        "article_url": row["article_url"],
        "article_title": row["article_title"],
        "published_date": row["published_date"].isoformat() if isinstance(row["published_date"], date) else None,
        "ceo_name": row["ceo_name"],
        "ceo_email": row["ceo_email"],
        "ceo_linkedin_url": row["ceo_linkedin_url"],
        "industry": row["industry"],
        "location": row["location"],
        "location_country": row["location_country"],
        "lead_investor": row["lead_investor"],
        "investors": [investor["name"] for investor in investors],
        "confidence_score": row["confidence_score"],
    }


# --- one batch ----------------------------------------------------------------------------------------------------------


def _new_mentions(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    after = progress(connection, STEP)
    return rows_of(connection, f"{_REPORTS} WHERE m.mention_seq > ? ORDER BY m.mention_seq LIMIT {BATCH:d}", [after])


def _load(connection: duckdb.DuckDBPyConnection, mentions: list[dict[str, Any]]) -> _State:
    """The rounds that the mentions may belong to, with all their reports."""
    state = _State()
    funding = [row for row in mentions if row["is_funding"]]
    ids = {row["round_id"] for row in mentions if row["round_id"]}
    ids |= {round_id_of(row["document_id"]) for row in funding}
    if funding:
        ids |= _candidate_ids(connection, funding)
    if not ids:
        return state
    _load_stored(connection, state, ids)
    ids |= set(state.rounds.merged_into.values())
    # What was merged into a round goes with it, should that be merged too.
    _load_stored(connection, state, ids)
    for row in rows_of(connection, f"{_REPORTS} WHERE l.round_id IN (SELECT unnest(?))", [sorted(ids)]):
        state.rounds.add(row["round_id"], report_from_row(row))
    return state


def _load_stored(connection: duckdb.DuckDBPyConnection, state: _State, ids: set[str]) -> None:
    stored = """SELECT *, CAST(investors AS VARCHAR) AS investors_json FROM core.funding_rounds WHERE rowid IN (
                    SELECT rowid FROM core.funding_rounds WHERE round_id IN (SELECT unnest($ids))
                    UNION ALL SELECT rowid FROM core.funding_rounds WHERE merged_into IN (SELECT unnest($ids))
                )"""
    for row in rows_of(connection, stored, {"ids": sorted(ids)}):
        state.stored[row["round_id"]] = row
        state.rounds.first_seen[row["round_id"]] = row["first_seen_at"].replace(tzinfo=UTC)
        if row["merged_into"]:
            state.rounds.merged_into[row["round_id"]] = row["merged_into"]


def _candidate_ids(connection: duckdb.DuckDBPyConnection, funding: list[dict[str, Any]]) -> set[str]:
    reports = [report_from_row(row) for row in funding]
    keys: dict[str, set[str]] = {kind: set() for kind in ("name", "word", "domain", "cik", "accession")}
    for report in reports:
        for kind, value in block_keys(report):
            keys[kind].add(value)
    rows = connection.execute(
        # Each key is a look of its own: asked in one, every mention would be read with all its keys.
        """WITH named AS (
               SELECT document_id, domain_key, replace(company_key, ' ', '') AS name, split_part(company_key, ' ', 1) AS word
               FROM core.mentions WHERE is_funding AND coalesce(announced_date, CAST(extracted_at AS DATE)) >= $oldest
           ),
           met AS (
               SELECT document_id FROM core.mentions WHERE accession IN (SELECT unnest($accession))
               UNION ALL SELECT document_id FROM core.mentions WHERE previous_accession IN (SELECT unnest($accession))
               UNION ALL SELECT document_id FROM core.mentions WHERE cik IN (SELECT unnest($cik))
               UNION ALL SELECT document_id FROM named WHERE domain_key IN (SELECT unnest($domain))
                   OR (name <> '' AND (name IN (SELECT unnest($name)) OR word IN (SELECT unnest($word))))
           )
           SELECT DISTINCT round_id FROM core.round_mentions SEMI JOIN met USING (document_id)""",
        {kind: sorted(values) for kind, values in keys.items()}
        | {"oldest": min(report.day for report in reports) - timedelta(days=LOOKUP_DAYS)},
    ).fetchall()
    return {row[0] for row in rows}


def _place(state: _State, report: Report, now: datetime, max_article_age_hours: int) -> None:
    """Link, found, correct or set aside one report."""
    present = state.rounds.linked.get(report.document_id)
    if not report.is_funding or not report.company_key:
        if present:
            state.rounds.take_out(report.document_id)
            state.links.pop(report.document_id, None)
            state.unlinked.append(report.document_id)
            state.touched.setdefault(present, False)
        return
    if present:
        state.rounds.add(present, report)
        state.touched.setdefault(present, False)
        return
    age = gate(report, max_article_age_hours)
    found = state.rounds.find(report)
    if not found and age:
        state.stale.append(report.document_id)
        return
    placed = state.rounds.place(report, found)
    _link(state, report.document_id, placed.round_id, placed.linked_by, now)
    state.fresh.append(report.document_id)
    is_telling = age is None and _is_live(report, now, max_article_age_hours)
    for document_id in placed.moved:
        _link(state, document_id, placed.round_id, "merged", now)
    for gone in placed.absorbed:
        # Whom the round that ends has told is known to the ledger (webhooks.outbox); the one that stays tells the others.
        is_telling |= state.touched.pop(gone, False) or bool(state.stored.get(gone, {}).get("tells"))
    for gone, into in state.rounds.merged_into.items():
        if into == placed.round_id:
            state.touched.setdefault(gone, False)
    state.touched[placed.round_id] = state.touched.get(placed.round_id, False) or is_telling


def _link(state: _State, document_id: str, round_id: str, linked_by: str, now: datetime) -> None:
    state.links[document_id] = {
        "round_id": round_id, "document_id": document_id, "linked_by": linked_by, "linked_at": _naive(now),
    }  # fmt: skip


def _is_live(report: Report, now: datetime, max_article_age_hours: int) -> bool:
    """Read as news: not while catching up, not in a backfill, and not first understood long after it landed."""
    return (
        not report.is_catch_up and not report.is_recovered and now - report.landed_at <= timedelta(hours=max_article_age_hours)
    )


def _write(connection: duckdb.DuckDBPyConnection, state: _State, now: datetime, report: RoundReport) -> None:
    sequence = int(connection.execute("SELECT coalesce(max(round_seq), 0) FROM core.funding_rounds").fetchall()[0][0])
    rows: list[dict[str, Any]] = []
    for round_id, is_live in state.touched.items():
        row = _round(state, round_id, is_live, now)
        if row is None or known_row(row) == known_row(state.stored.get(round_id)):
            continue
        sequence += 1
        row["round_seq"] = sequence
        if row["tells"] and row["tells_from_seq"] is None:
            row["tells_from_seq"] = sequence
        rows.append(row)
        _count(report, row, state.stored.get(round_id))
    report.stale += len(state.stale)
    if rows:
        with arrow_view(connection, "incoming_rounds", rows, ROUND_COLUMNS):
            connection.execute(
                "DELETE FROM core.funding_rounds WHERE round_id IN (SELECT round_id FROM incoming_rounds)"
            ).fetchall()
            connection.execute("INSERT INTO core.funding_rounds BY NAME SELECT * FROM incoming_rounds").fetchall()
    _write_links(connection, state)
    _write_stale(connection, state.stale, state.fresh)


def _round(state: _State, round_id: str, is_live: bool, now: datetime) -> dict[str, Any] | None:
    before = state.stored.get(round_id)
    reports = tuple(state.rounds.reports.get(round_id, {}).values())
    if not reports:
        if before is None:
            return None
        into = state.rounds.merged_into.get(round_id)
        return before | {
            "status": "merged" if into else "retracted",
            "merged_into": into,
            "mention_count": 0,
            "source_count": 0,
            "investors": before["investors_json"],
            "updated_at": _naive(now),
        }
    return round_row(round_id, merge(reports), reports, before, is_live, _naive(now))


def _count(report: RoundReport, row: dict[str, Any], before: dict[str, Any] | None) -> None:
    if before is None:
        report.new += 1
    elif row["status"] == "retracted":
        report.retracted += 1
    elif row["status"] == "merged":
        report.merged += before["status"] != "merged"
    else:
        report.enriched += 1


def _write_links(connection: duckdb.DuckDBPyConnection, state: _State) -> None:
    gone = [*state.unlinked, *state.links]
    if gone:
        connection.execute("DELETE FROM core.round_mentions WHERE document_id IN (SELECT unnest(?))", [gone]).fetchall()
    kept = [link for link in state.links.values() if state.rounds.linked.get(link["document_id"]) == link["round_id"]]
    if kept:
        with arrow_view(connection, "incoming_links", kept, LINK_COLUMNS):
            connection.execute("INSERT INTO core.round_mentions BY NAME SELECT * FROM incoming_links").fetchall()


def _write_stale(connection: duckdb.DuckDBPyConnection, stale: Iterable[str], fresh: Iterable[str]) -> None:
    for ids, reason in ((sorted(stale), STALE), (sorted(fresh), None)):
        if ids:
            connection.execute(
                "UPDATE core.mentions SET set_aside_reason = ? WHERE document_id IN (SELECT unnest(?)) AND is_funding "
                "AND set_aside_reason IS DISTINCT FROM ?",
                [reason, ids, reason],
            ).fetchall()


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)


# Rounds whose reports are older than the longest window before the oldest new report can't be met by name.
LOOKUP_DAYS = 60

"""Extracted lines in, rounds out: resolving for measuring and for other programs (`fundingscout resolve`).

What belongs here: reading lines, putting them in the order of their days on disk, writing rounds. What does not: which lines are
one round (grouping, resolve) and what it says (merge). Memory holds the rounds of one window of days, not the input.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipeline.matching.domains import registrable_domain
from pipeline.matching.names import normal_form
from pipeline.signals.grouping import Rounds
from pipeline.signals.jsonl import sound
from pipeline.signals.merge import merge
from pipeline.signals.resolve import LONGEST_DAYS, Report

# Filings of one offering follow each other for longer than articles: an amendment is due every year.
FILING_DAYS = 400
_TEXTS = (
    "company_name", "currency", "funding_type", "round_flavor", "website", "city", "country", "industry", "ceo_name",
    "published_date", "title", "url", "outlet", "kind", "cik", "accession", "previous_accession",
)  # fmt: skip
_NUMBERS = ("amount", "amount_usd", "confidence_score")
_LISTS = ("lead_investors", "investors", "angels")
_INSERT = "INSERT OR IGNORE INTO lines (id, day, number, line) VALUES (?, ?, ?, ?)"


@dataclass
class ResolveReport:
    """Lines read, of them funding news, rounds written, and lines that could not be read: (line number, why)."""

    lines: int = 0
    funding: int = 0
    rounds: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)


def resolve_lines(lines_in: Iterable[str], write: Callable[[str], Any], folder: Path | None = None) -> ResolveReport:
    """Read what `extract` wrote and write one line per round: {round_id, ids, the merged fields, conflicts, …}.

    Lines may come in any order: they are taken by day, and a line without a date with the day of the line before it. Rounds
    are written in the order of their first reports, as soon as nothing more can come to them. A line that is no JSON object
    with an ``id`` of its own and an ``is_funding``, or has a field of another type, is reported with its number (from 1) and
    skipped. ``folder`` is where the input is sorted (default: the system's temporary folder).
    """
    report = ResolveReport()
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        store = sqlite3.connect(Path(scratch) / "lines.db", isolation_level=None)
        try:
            store.execute("PRAGMA journal_mode = OFF")
            store.execute("PRAGMA synchronous = OFF")
            store.execute("CREATE TABLE lines (id TEXT PRIMARY KEY, day TEXT, number INTEGER, line TEXT) WITHOUT ROWID")
            store.execute("BEGIN")
            _take_in(lines_in, store, report)
            for record in _resolved(store):
                report.rounds += 1
                write(sound(json.dumps(record, ensure_ascii=False)) + "\n")
        finally:
            store.close()
    return report


def _take_in(lines_in: Iterable[str], store: sqlite3.Connection, report: ResolveReport) -> None:
    day = date(1970, 1, 1)
    for number, line in enumerate(lines_in, 1):
        if not line.strip():
            continue
        report.lines += 1
        try:
            line = sound(line)
            row = _row(line)
            day = _day(row) or day
            if not row["is_funding"]:
                continue
            if not normal_form(row.get("company_name")):
                raise ValueError("funding news without a company_name")
            if not store.execute(_INSERT, (str(row["id"]), day.isoformat(), number, json.dumps(row))).rowcount:
                raise ValueError(f"the id {row['id']!r} has come before")
        except ValueError as error:
            report.bad.append((number, str(error)))
            continue
        report.funding += 1


def _row(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(row, dict):
        raise ValueError(f"a JSON {type(row).__name__}, not an object")
    if not isinstance(row.get("id"), str | int) or row["id"] == "":
        raise ValueError("no id")
    if not isinstance(row.get("is_funding"), bool):
        raise ValueError("is_funding is neither true nor false")
    for name in _TEXTS:
        if not isinstance(row.get(name), str | None):
            raise ValueError(f"{name} is neither text nor null")
    for name in _NUMBERS:
        value = row.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float | None) or not _is_sane(value):
            raise ValueError(f"{name} is neither a number from 0 to 10^15 nor null")
    for name in _LISTS:
        if not isinstance(row.get(name) or [], list) or not all(isinstance(item, str) for item in row.get(name) or []):
            raise ValueError(f"{name} is no list of texts")
    return row


def _is_sane(value: float | None) -> bool:
    return value is None or 0 <= value <= 1e15


def _day(row: dict[str, Any]) -> date | None:
    try:
        return date.fromisoformat((row.get("published_date") or "")[:10])
    except ValueError:
        return None


def _resolved(store: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    rounds = Rounds()
    links: dict[str, str] = {}
    newest: dict[str, date] = {}
    at: date | None = None
    for number, day, line in store.execute("SELECT number, day, line FROM lines ORDER BY day, number"):
        report = report_of_line(json.loads(line), number, date.fromisoformat(day))
        if report.day != at:
            at = report.day
            yield from _finished(rounds, links, newest, at)
        placed = rounds.place(report, rounds.find(report))
        links[report.document_id] = placed.linked_by
        newest[placed.round_id] = report.day
        for gone in placed.absorbed:
            newest.pop(gone, None)
            rounds.forget(gone)
    yield from _finished(rounds, links, newest, None)


def _finished(rounds: Rounds, links: dict[str, str], newest: dict[str, date], at: date | None) -> Iterator[dict[str, Any]]:
    """The rounds to which nothing from ``at`` on can come (None: all), in the order of their first reports."""
    while newest:
        round_id = next(iter(newest))
        reports = list(rounds.reports[round_id].values())
        days = FILING_DAYS if any(report.accession for report in reports) else LONGEST_DAYS
        if at is not None and newest[round_id] >= at - timedelta(days=days):
            return
        yield _record(round_id, reports, {report.document_id: links.pop(report.document_id) for report in reports})
        newest.pop(round_id)
        rounds.forget(round_id)


def report_of_line(row: dict[str, Any], number: int, day: date) -> Report:
    """A Report of one extracted line; the outlet, where it isn't given, is the link's domain."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    leads = {name.casefold() for name in row.get("lead_investors") or ()}
    investors = [{"name": name, "is_lead": name.casefold() in leads, "type": None} for name in row.get("investors") or ()]
    investors += [{"name": name, "is_lead": False, "type": "angel"} for name in row.get("angels") or ()]
    amount = row.get("amount")
    return Report(
        document_id=str(row["id"]),
        mention_seq=number,
        kind=row.get("kind") or "article",
        source_id=str(row["id"]),
        outlet=row.get("outlet") or registrable_domain(row.get("url")) or "unknown",
        url=row.get("url") or "",
        title=row.get("title") or "",
        landed_at=at,
        published_at=at,
        is_catch_up=False,
        is_funding=True,
        company_name=row["company_name"],
        company_key=normal_form(row["company_name"]),
        domain_key=registrable_domain(row.get("website")),
        cik=row.get("cik"),
        amount=None if amount is None else Decimal(str(amount)),
        currency=row.get("currency"),
        amount_usd=None if row.get("amount_usd") is None else int(row["amount_usd"]),
        funding_type=row.get("funding_type"),
        round_flavor=row.get("round_flavor"),
        website=row.get("website"),
        city=row.get("city"),
        country=row.get("country"),
        industry=row.get("industry"),
        ceo_name=row.get("ceo_name"),
        investors=tuple(investors),
        announced_date=day,
        accession=row.get("accession"),
        previous_accession=row.get("previous_accession"),
        confidence_score=float(row.get("confidence_score") or 0.0),
    )


def _record(round_id: str, reports: list[Report], linked_by: dict[str, str]) -> dict[str, Any]:
    merged = merge(reports)
    values = merged.values
    ordered = sorted(reports, key=lambda report: report.mention_seq)
    return {
        "round_id": round_id,
        "ids": [report.document_id for report in ordered],
        "company_name": values["company_name"],
        "amount": None if values["amount"] is None else _plain(values["amount"]),
        "currency": values["currency"],
        "amount_usd": values["amount_usd"],
        "funding_type": values["funding_type"],
        "round_flavor": values["round_flavor"],
        "lead_investors": [each["name"] for each in merged.investors if each["is_lead"]],
        "investors": [each["name"] for each in merged.investors if each["type"] != "angel"],
        "angels": [each["name"] for each in merged.investors if each["type"] == "angel"],
        "website": values["website"],
        "city": values["city"],
        "country": values["country"],
        "ceo_name": values["ceo_name"],
        "published_date": values["announced_date"].isoformat() if values["announced_date"].year > 1970 else None,
        "confidence_score": merged.confidence,
        "confidence_reasons": merged.reasons,
        "sources": merged.sources,
        "conflicts": merged.conflicts,
        "linked_by": linked_by,
    }


def _plain(amount: Decimal) -> int | float:
    return int(amount) if amount == int(amount) else float(amount)

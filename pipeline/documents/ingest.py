"""From landed bytes to rows of documents, in three steps: read, write, settle.

What belongs here: the order of things, so that a crash at any moment and another run give the same rows. What does
not: reading one body (reading), the rows (document_table), fetching pages (follow_ups).

``read_waiting`` reads landed bodies and fetches the pages they point to; ``write`` puts the result into the warehouse
in one transaction; ``settle`` marks the bodies as read, after that transaction is on disk. What was not settled is read
again, to the same rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
from sqlalchemy import case, func, select, update

from pipeline.documents import follow_ups, shared_links
from pipeline.documents.document_table import PAGE_NOT_HAD, write_documents, write_rejects
from pipeline.documents.fetch import Fetcher
from pipeline.documents.landing import SHA256, Landing, NotLanded
from pipeline.documents.model import Batch, LandingOutcome, Reject
from pipeline.documents.reading import Reading, WantedPage, read_landing, unreadable
from pipeline.documents.revisions import newest
from pipeline.documents.robots import Robots
from pipeline.documents.sources import Source
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables import documents as tables
from pipeline.store.tables.documents import FollowUp
from pipeline.store.warehouse import progress, set_progress

STEP = "documents"
MOST_PER_BATCH = 300


@dataclass(frozen=True, slots=True)
class WriteReport:
    """Rows of ``raw.documents`` by what happened to them; ``rejected`` counts new rows of raw.rejected_documents."""

    new: int
    changed: int
    unchanged: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a run would find to do: landed bodies not read yet, and pages due to be fetched."""

    landings: int
    follow_ups_due: int
    newest_landing_id: int | None


def read_waiting(
    database: AppDatabase,
    landing: Landing,
    fetcher: Fetcher,
    sources: Sequence[Source],
    now: datetime,
    budget_seconds: float,
    robots: Robots | None = None,
) -> Batch:
    """Read what waits, oldest first, at most 300 bodies, and spend up to ``budget_seconds`` on the pages they point to.

    Each entry gives one document: with its page's text if that could be had, else with the feed's own; the page then
    comes as a later revision. Writes follow-ups and landings of fetched pages to the app database, nothing else.
    """
    batch = Batch(read_at=now)
    last = _read(database, landing, batch, 0, now)
    gaps = {source.id: source.min_gap_seconds for source in sources}
    fetched = follow_ups.fetch_due(database, landing, fetcher, gaps, robots or Robots(fetcher, database), now, budget_seconds)
    if fetched:
        _read(database, landing, batch, last, now)
    _give_up(database, batch)
    batch.documents = newest(batch.documents)
    return batch


def write(connection: duckdb.DuckDBPyConnection, batch: Batch) -> WriteReport:
    """Put ``batch`` into the warehouse. Call it in one transaction (``Warehouse.write``). Writing it again changes nothing.

    A changed title or text is a new revision and gets a new ``document_seq``; see revisions for which version holds.
    """
    if batch.read_at is None:
        raise ValueError("this batch does not say when it was read; take it from read_waiting")
    counts = write_documents(connection, batch.documents)
    read = [outcome.landing_id for outcome in batch.outcomes]
    rejected = write_rejects(connection, batch.rejects, read, batch.read_at) if read or batch.rejects else 0
    if read:
        set_progress(connection, STEP, max(*read, progress(connection, STEP)))
    return WriteReport(counts.new, counts.changed, counts.unchanged, rejected)


def settle(database: AppDatabase, batch: Batch, now: datetime) -> None:
    """Mark what ``batch`` read as parsed or quarantined. Call it after the warehouse has committed."""
    if not batch.outcomes and not batch.given_up:
        return
    with database.write() as session:
        for outcome in batch.outcomes:
            session.execute(
                update(tables.Landing)
                .where(tables.Landing.id == outcome.landing_id)
                .values(status="quarantined" if outcome.reason else "parsed", reason=outcome.reason, settled_at=now)
            )
        if batch.given_up:
            session.execute(update(FollowUp).where(FollowUp.id.in_(batch.given_up)).values(status="given_up"))
        # With the bodies and not before: until then they are read again, by what was known before them.
        shared_links.remember(database, session, batch.shared_links)


def replay(database: AppDatabase, which: int | str) -> int:
    """Put quarantined bodies back in the queue; how many.

    ``which`` is a landing's id, a SHA-256, or a reason such as ``html_instead_of_feed``.
    """
    text = str(which).strip()
    chosen = tables.Landing.reason == text
    if re.fullmatch(r"\d{1,18}", text):
        chosen = tables.Landing.id == int(text)
    elif SHA256.fullmatch(text):
        chosen = tables.Landing.sha256 == text
    with database.write() as session:
        query = (
            update(tables.Landing)
            .where(chosen, tables.Landing.status == "quarantined")
            .values(status="landed", reason=None, settled_at=None)
            .returning(tables.Landing.id)
        )
        return len(session.scalars(query).all())


def waiting(database: AppDatabase, now: datetime) -> Waiting:
    """What waits. Costs two look-ups in indexes that hold only what waits."""
    with database.read() as session:
        landings, newest_id = session.execute(
            select(func.count(), func.max(tables.Landing.id)).where(tables.Landing.status == "landed")
        ).one()
        # Pages asked for in vain as often as they may are settled by the next run, whenever it is.
        is_due = case((FollowUp.attempts >= follow_ups.MAX_ATTEMPTS, True), else_=follow_ups.is_due(now))
        due = session.scalar(select(func.count()).select_from(FollowUp).where(FollowUp.status == "waiting", is_due))
    return Waiting(landings, due or 0, newest_id)


def _read(database: AppDatabase, landing: Landing, batch: Batch, after: int, now: datetime) -> int:
    """Read the bodies that wait with an id above ``after`` into ``batch``; the last id read."""
    with database.read() as session:
        query = (
            select(tables.Landing)
            .where(tables.Landing.status == "landed", tables.Landing.id > after)
            .order_by(tables.Landing.id)
            .limit(MOST_PER_BATCH)
        )
        rows = list(session.scalars(query))
    shared = shared_links.known(database, {row.source_id for row in rows if row.kind == "feed"})
    wanted: list[WantedPage] = []
    for row in rows:
        met = batch.shared_links.setdefault(row.source_id, {})
        reading = _reading(landing, row, shared.get(row.source_id, set()) | met.keys())
        met |= dict.fromkeys(reading.shared_links, row.id)
        batch.documents += reading.documents
        batch.rejects += reading.rejects
        batch.outcomes.append(LandingOutcome(row.id, reading.reason))
        wanted += reading.wanted
    if wanted:
        follow_ups.register(database, wanted, now)
    return rows[-1].id if rows else after


def _reading(landing: Landing, row: tables.Landing, shared_before: set[str]) -> Reading:
    try:
        body = landing.get(row.sha256)
    except NotLanded as error:
        return unreadable(row, "bytes_missing", str(error))
    return read_landing(row, body, shared_before)


def _give_up(database: AppDatabase, batch: Batch) -> None:
    """Name the pages that were asked for in vain. A filing without its page is lost, an article has its teaser."""
    with database.read() as session:
        rows = list(session.scalars(follow_ups.exhausted()))
    for row in rows:
        batch.given_up.append(row.id)
        if row.kind == "form_d":
            batch.rejects.append(_never_had(row))


def _never_had(row: FollowUp) -> Reject:
    return Reject(
        landing_id=row.context["landing_id"],
        landing_sha256=row.context["landing_sha256"],
        source_id=row.source_id,
        kind=row.kind,
        url=row.url,
        entry=row.context["accession"],
        reason=PAGE_NOT_HAD,
        detail=row.last_error or "",
    )

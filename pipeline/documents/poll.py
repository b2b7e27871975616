"""Polling the sources that are due, landing what is new, and remembering what the next poll needs.

What belongs here: tables ``source_states``, ``source_hours`` and the landing of feeds. What does not: reading what was
landed (ingest). A sensor calls it: it returns within about 40 s whatever the sources do.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.documents import clock
from pipeline.documents.edgar_walk import Walk, walk
from pipeline.documents.fetch import Fetcher, FetchFailed, FetchResult
from pipeline.documents.landing import Landing
from pipeline.documents.reading import source_context
from pipeline.documents.sources import Source
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables import documents as tables
from pipeline.store.tables.documents import SourceHour, SourceState

AT_ONCE = 16
BUDGET_SECONDS = 30.0
MOST_NAMED = 3  # sources that a complaint names
GRACE_SECONDS = 5.0
LONGEST_BACKOFF_SECONDS = 3600.0
# We are called every five seconds or so: a poll due within this is made now, not a turn late.
SLACK = timedelta(seconds=2)
CLOCK_SLACK = timedelta(minutes=1)  # clocks of several machines differ
FEED_TYPES = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
FIRST_ENTRY = re.compile(rb"<(?:[a-zA-Z0-9]+:)?(?:item|entry)[\s>]")
LAST_ENTRY = re.compile(rb"</(?:[a-zA-Z0-9]+:)?(?:item|entry)\s*>")


@dataclass(slots=True)
class PollReport:
    """What a round of polls did. ``failures`` holds (source id, error)."""

    polled: int = 0
    unchanged: int = 0
    landing_ids: list[int] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)

    @property
    def landed(self) -> int:
        return len(self.landing_ids)

    def complaint(self) -> str:
        """What failed, in one line whatever the number of sources; empty when nothing did."""
        if not self.failures:
            return ""
        named = [source for source, _ in self.failures[:MOST_NAMED]]
        more = f" and {len(self.failures) - len(named)} more" if len(self.failures) > len(named) else ""
        reasons = {error.partition(":")[0] for _, error in self.failures}
        line = f"{len(self.failures)} of {self.polled} polled sources failed ({', '.join(named)}{more}): {self.failures[0][1]}"
        if len(self.failures) > 1 and reasons == {"name_not_found"}:
            line += ". None of their names is found: is this machine online?"
        if len(self.failures) > 1 and reasons == {"tls"}:
            line += ". No certificate of theirs is accepted: is this machine's clock right?"
        return line + ". They are asked again, ever more rarely, down to once an hour; asset raw/source_hours counts it"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one source said: bodies that may be new, or a failure."""

    bodies: list[FetchResult] = field(default_factory=list)
    etag: str | None = None
    last_modified: str | None = None
    bytes_read: int = 0
    walk: Walk | None = None
    failure: FetchFailed | None = None
    clock_ahead: float | None = None


def poll_due(database: AppDatabase, sources: Sequence[Source], fetcher: Fetcher, landing: Landing, now: datetime) -> PollReport:
    """Poll the sources whose time has come, side by side; land in the order of ``sources``.

    Bytes that bring no new entry land nothing. A failing source is asked ever more rarely, down to once an hour, or
    when its Retry-After says. Costs one query when nothing is due.
    """
    report = PollReport()
    with database.read() as session:
        rows = session.scalars(select(SourceState).where(SourceState.source_id.in_([source.id for source in sources])))
        states = {row.source_id: row for row in rows}
    due = [source for source in sources if _is_due(states.get(source.id), now)]
    if not due:
        return report
    answers = _ask_all(due, states, fetcher)
    kept = {
        source_id: [landing.put(body.body) for body in answer.bodies] for source_id, answer in answers.items() if answer.bodies
    }
    with database.write() as session:
        for source in due:
            if source.id in answers:
                _record(database, session, source, answers[source.id], kept.get(source.id, []), now, report)
    return report


def fingerprint(body: bytes) -> str:
    """A SHA-256 over a feed's entries alone: many feeds print the time of the request around unchanged entries."""
    first = FIRST_ENTRY.search(body)
    last = max((match.end() for match in LAST_ENTRY.finditer(body)), default=None)
    part = body[first.start() : last] if first and last else body
    return hashlib.sha256(part).hexdigest()


def _is_due(state: SourceState | None, now: datetime) -> bool:
    if state is None or state.next_poll_at is None or state.next_poll_at <= now + SLACK:
        return True
    # Polled later than now: the clock was ahead of time then, and what it planned may be years away.
    return state.last_polled_at is not None and state.last_polled_at > now + CLOCK_SLACK


def _ask_all(due: Sequence[Source], states: Mapping[str, SourceState], fetcher: Fetcher) -> dict[str, Answer]:
    """Answers by source, in the order of ``due``. A source that was never asked for want of time is left out."""
    deadline = fetcher.clock() + BUDGET_SECONDS
    pool = ThreadPoolExecutor(min(AT_ONCE, len(due)), "poll")
    asked: dict[str, Future[Answer]] = {}
    try:
        for source in due:
            asked[source.id] = pool.submit(_ask, source, states.get(source.id), fetcher, deadline)
        wait(asked.values(), timeout=BUDGET_SECONDS + GRACE_SECONDS)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    answers: dict[str, Answer] = {}
    for source in due:
        future = asked[source.id]
        if future.done() and not future.cancelled():
            answer = future.result()
        elif future.running():
            answer = Answer(failure=FetchFailed("timeout", f"no answer within {BUDGET_SECONDS:g} s", source.url))
        else:
            continue
        if answer.failure is None or answer.failure.reason != "pace":
            answers[source.id] = answer
    return answers


def _ask(source: Source, state: SourceState | None, fetcher: Fetcher, deadline: float) -> Answer:
    try:
        if source.kind == "edgar_current":
            return _ask_edgar(source, state, fetcher, deadline)
        # What the last answer said of its freshness holds for the address it came from only.
        is_same = state is not None and state.memory.get("url") == source.url
        result = fetcher.fetch(
            source.url,
            etag=state.etag if state and is_same else None,
            last_modified=state.last_modified if state and is_same else None,
            accept=FEED_TYPES,
            gap_seconds=source.min_gap_seconds,
            deadline=deadline,
        )
    except FetchFailed as failure:
        return Answer(failure=failure)
    bodies = [] if result.is_not_modified else [result]
    return Answer(bodies, result.etag, result.last_modified, len(result.body), clock_ahead=result.clock_ahead)


def _ask_edgar(source: Source, state: SourceState | None, fetcher: Fetcher, deadline: float) -> Answer:
    def ask(url: str, start: int) -> FetchResult:
        # One try past the first page: the end of the feed looks like an outage.
        tries = 2 if start == 0 else 1
        return fetcher.fetch(url, accept=FEED_TYPES, gap_seconds=source.min_gap_seconds, deadline=deadline, tries=tries)

    found = walk(source.url, state.memory if state else {}, ask)
    said = [page.clock_ahead for page in found.pages if page.clock_ahead is not None]
    return Answer(found.pages, bytes_read=found.bytes_read, walk=found, clock_ahead=said[-1] if said else None)


def _record(
    database: AppDatabase,
    session: Session,
    source: Source,
    answer: Answer,
    kept: Sequence[str],
    now: datetime,
    report: PollReport,
) -> None:
    state = _state(database, session, source)
    is_first_poll = state.last_success_at is None
    state.first_polled_at = state.first_polled_at or now
    state.last_polled_at = now
    report.polled += 1
    landed: list[tables.Landing] = []
    if answer.failure is None:
        landed = _land(session, source, state, answer, kept, is_first_poll)
        _note_success(source, state, answer, now)
        if answer.clock_ahead is not None:
            state.memory = state.memory | {clock.MEMORY: round(answer.clock_ahead)}
        report.landing_ids += [row.id for row in landed]
        report.unchanged += not landed
    else:
        _note_failure(source, state, answer.failure, now)
        report.failures.append((source.id, f"{answer.failure.reason}: {answer.failure.detail}"))
    _count(database, session, source, answer, len(landed), now)


def _state(database: AppDatabase, session: Session, source: Source) -> SourceState:
    statement = database.insert(SourceState).on_conflict_do_nothing(index_elements=["source_id"])
    session.execute(statement, [{"source_id": source.id, "consecutive_failures": 0, "memory": {}}])
    return session.get_one(SourceState, source.id, with_for_update=True)


def _land(
    session: Session, source: Source, state: SourceState, answer: Answer, kept: Sequence[str], is_first_poll: bool
) -> list[tables.Landing]:
    # Judged by the state as it is now: another process may have polled since we asked.
    landed: list[tables.Landing] = []
    known = set(state.memory.get("accessions", []))
    for number, (body, sha256) in enumerate(zip(answer.bodies, kept, strict=True)):
        if answer.walk is not None:
            accessions = answer.walk.accessions[number]
            is_known = accessions <= known if accessions else sha256 == state.last_sha256
        else:
            mark = fingerprint(body.body)
            is_known = sha256 == state.last_sha256 or mark == state.memory.get("fingerprint")
            state.memory = {"url": source.url, "fingerprint": mark}
        if not is_known:
            row = _landing(source, body, sha256, is_first_poll)
            session.add(row)
            session.flush()
            landed.append(row)
        state.last_sha256 = sha256
    if answer.walk is not None and answer.walk.memory != state.memory:
        state.memory = answer.walk.memory
    return landed


def _landing(source: Source, body: FetchResult, sha256: str, is_first_poll: bool) -> tables.Landing:
    return tables.Landing(
        source_id=source.id,
        kind="edgar_page" if source.kind == "edgar_current" else "feed",
        url=body.url,
        sha256=sha256,
        size=len(body.body),
        content_type=body.content_type,
        is_catch_up=not source.tells,
        context=source_context(source.model_dump(), is_first_poll),
        fetched_at=body.fetched_at,
        status="landed",
        reason=None,
        settled_at=None,
    )


def _note_success(source: Source, state: SourceState, answer: Answer, now: datetime) -> None:
    if answer.bodies and answer.walk is None:
        state.etag = answer.etag
        state.last_modified = answer.last_modified
    cut_short_by = answer.walk.cut_short_by if answer.walk else None
    state.last_success_at = now
    state.consecutive_failures = 0
    state.last_error = f"walk cut short by {cut_short_by.reason}: {cut_short_by.detail}"[:500] if cut_short_by else None
    state.next_poll_at = now + timedelta(seconds=source.poll_seconds)


def _note_failure(source: Source, state: SourceState, failure: FetchFailed, now: datetime) -> None:
    state.consecutive_failures += 1
    state.last_error = f"{failure.reason}: {failure.detail}"[:500]
    doublings = min(state.consecutive_failures, 20)
    backoff = max(source.poll_seconds, min(LONGEST_BACKOFF_SECONDS, source.poll_seconds * 2.0**doublings))
    state.next_poll_at = now + timedelta(seconds=max(backoff, failure.retry_after or 0.0))


def _count(database: AppDatabase, session: Session, source: Source, answer: Answer, landed: int, now: datetime) -> None:
    hour_at = now.replace(minute=0, second=0, microsecond=0)
    counts: dict[str, Any] = {
        "polls": 1,
        "not_modified": int(answer.failure is None and not landed),
        "landed": landed,
        "failures": int(answer.failure is not None),
        "bytes_read": answer.bytes_read,
    }
    last_error = f"{answer.failure.reason}: {answer.failure.detail}"[:500] if answer.failure else None
    statement = database.insert(SourceHour).values(source_id=source.id, hour_at=hour_at, last_error=last_error, **counts)
    changes: dict[str, Any] = {name: getattr(SourceHour, name) + value for name, value in counts.items()}
    if last_error is not None:
        changes["last_error"] = last_error
    session.execute(statement.on_conflict_do_update(index_elements=["source_id", "hour_at"], set_=changes))

"""Pages that entries point to: noted once, fetched when due, landed like everything else.

What belongs here: table ``follow_ups``. What does not: what the pages say (reading).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.exc import SQLAlchemyError

from pipeline.documents.fetch import Fetcher, FetchFailed, FetchResult
from pipeline.documents.landing import Landing
from pipeline.documents.pace import pace_of
from pipeline.documents.reading import WantedPage
from pipeline.documents.robots import Robots
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables import documents as tables
from pipeline.store.tables.documents import FollowUp

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 30.0
PAUSE_FACTOR = 10.0  # 30 s, then 5 minutes
# No pause is longer, whatever a server asks for.
FURTHEST = timedelta(days=2)
MOST_PER_CALL = 200
HOSTS_AT_ONCE = 12
ARTICLE_MAX_BYTES = 5_000_000
GRACE_SECONDS = 1.0
# Asking again would give the same. A filing's data may lag its line in the feed, so 404 is no last word there.
LASTING = {"address_refused", "bad_url", "too_large", "too_many_redirects", "bad_encoding", "robots_disallowed"}
PASSING_STATUS = {408, 425, 429}
# Nothing was sent: no attempt.
UNASKED = {"pace"}


def register(database: AppDatabase, wanted: Iterable[WantedPage], now: datetime) -> int:
    """Note pages to fetch, each address once, and return how many were new. A waiting one learns a changed title."""
    first: dict[tuple[str, str], WantedPage] = {}
    # A filing whose filers stand on two pages of the feed is pointed to by two addresses.
    addresses: dict[str, str] = {}
    for page in wanted:
        if addresses.setdefault(page.context["document_id"], page.url) == page.url:
            first.setdefault((page.kind, page.url), page)
    known = _known(database, first)
    new = [page for key, page in first.items() if key not in known]
    renamed = [(known[key], page) for key, page in first.items() if key in known and _is_renamed(known[key], page)]
    if not new and not renamed:
        return 0
    with database.write() as session:
        if new:
            statement = database.insert(FollowUp).on_conflict_do_nothing(index_elements=["kind", "url"])
            session.execute(statement, [_row(page, now) for page in new])
        for follow_up, page in renamed:
            stored = session.get_one(FollowUp, follow_up.id)
            stored.context = stored.context | {"title": page.context["title"]}
    return len(new)


def is_due(now: datetime) -> ColumnElement[bool]:
    """The condition that a page's time has come; or that it was planned by a clock that was ahead of time."""
    return or_(FollowUp.next_attempt_at <= now, FollowUp.next_attempt_at > now + FURTHEST)


def due(now: datetime) -> Select[FollowUp]:
    """The follow-ups to fetch now."""
    return select(FollowUp).where(FollowUp.status == "waiting", is_due(now), FollowUp.attempts < MAX_ATTEMPTS)


def exhausted() -> Select[FollowUp]:
    """The follow-ups that were asked for in vain as often as they may, and are not settled yet."""
    return select(FollowUp).where(FollowUp.status == "waiting", FollowUp.attempts >= MAX_ATTEMPTS).order_by(FollowUp.id)


def fetch_due(
    database: AppDatabase,
    landing: Landing,
    fetcher: Fetcher,
    gaps: Mapping[str, float | None],
    robots: Robots,
    now: datetime,
    budget_seconds: float,
) -> int:
    """Fetch due follow-ups, hosts side by side and each host one page after another, and land what came.

    Newest first, so that today's news does not queue behind a first poll's backlog; landed in the order of their ids.
    What the budget leaves out stays due; what it cuts off was an attempt. Returns how many bodies were landed.
    """
    if budget_seconds <= 0:
        return 0
    with database.read() as session:
        query = due(now).order_by(FollowUp.is_catch_up, FollowUp.id.desc()).limit(MOST_PER_CALL)
        follow_ups = list(session.scalars(query))
    if not follow_ups:
        return 0
    answers = _ask(fetcher, robots, gaps, follow_ups, fetcher.clock() + budget_seconds, budget_seconds)
    return _record(database, landing, answers, now)


def _ask(
    fetcher: Fetcher,
    robots: Robots,
    gaps: Mapping[str, float | None],
    follow_ups: Sequence[FollowUp],
    deadline: float,
    budget_seconds: float,
) -> dict[int, FetchResult | FetchFailed]:
    by_host: defaultdict[str, list[FollowUp]] = defaultdict(list)
    for follow_up in follow_ups:
        by_host[_host(follow_up.url)].append(follow_up)
    waiting = deque(by_host.values())
    begun: dict[int, FollowUp] = {}
    answers: dict[int, FetchResult | FetchFailed] = {}
    broken: list[SQLAlchemyError] = []

    def ask_hosts() -> None:
        while waiting:
            try:
                of_host = waiting.popleft()
            except IndexError:
                return  # another thread was quicker
            for follow_up in of_host:
                if fetcher.clock() >= deadline:
                    return
                begun[follow_up.id] = follow_up
                try:
                    answers[follow_up.id] = _answer(fetcher, robots, follow_up, gaps.get(follow_up.source_id), deadline)
                except SQLAlchemyError as error:
                    broken.append(error)
                    return

    _side_by_side(ask_hosts, min(HOSTS_AT_ONCE, len(by_host)), budget_seconds + GRACE_SECONDS)
    if broken:
        raise broken[0]
    given = dict(answers)
    for key, follow_up in dict(begun).items():
        given.setdefault(key, FetchFailed("timeout", f"no answer within {budget_seconds:g} s", follow_up.url))
    return given


def _side_by_side(work: Callable[[], None], at_once: int, longest_seconds: float) -> None:
    """Run ``work`` in that many threads, and wait for them that long.

    Daemons, and no executor: a thread that hangs in a name look-up, which nothing can cut off, would hold up the end of the
    process.
    """
    end = time.monotonic() + longest_seconds
    threads = [threading.Thread(target=work, name=f"follow-up-{number}", daemon=True) for number in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))


def _host(url: str) -> str:
    """Who is asked one page at a time; an address that can't be read is nobody's."""
    try:
        return pace_of(urlsplit(url).hostname or "")[0]
    except ValueError:
        return ""


def _answer(
    fetcher: Fetcher, robots: Robots, follow_up: FollowUp, gap_seconds: float | None, deadline: float
) -> FetchResult | FetchFailed:
    try:
        return _fetch(fetcher, robots, follow_up, gap_seconds, deadline)
    except FetchFailed as failure:
        return failure
    except SQLAlchemyError:
        raise  # our own store, not this page
    except Exception as error:  # one page must not keep all others from being fetched
        log.exception("fetching %s failed in an unforeseen way", follow_up.url)
        return FetchFailed("fetcher_failed", f"{type(error).__name__}: {error}", follow_up.url)


def _fetch(fetcher: Fetcher, robots: Robots, follow_up: FollowUp, gap_seconds: float | None, deadline: float) -> FetchResult:
    if follow_up.kind == "form_d":
        return fetcher.fetch(follow_up.url, accept="application/xml, text/xml", gap_seconds=gap_seconds, deadline=deadline)
    delay = robots.check(follow_up.url, deadline)
    gap = max(delay or 0.0, gap_seconds or 0.0) or None
    accept = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"
    return fetcher.fetch(follow_up.url, accept=accept, max_bytes=ARTICLE_MAX_BYTES, gap_seconds=gap, deadline=deadline)


def _record(database: AppDatabase, landing: Landing, answers: Mapping[int, FetchResult | FetchFailed], now: datetime) -> int:
    kept = {key: landing.put(answer.body) for key, answer in sorted(answers.items()) if isinstance(answer, FetchResult)}
    landed = 0
    with database.write() as session:
        for key, answer in sorted(answers.items()):
            follow_up = session.get_one(FollowUp, key, with_for_update=True)
            if follow_up.status != "waiting":
                continue
            if isinstance(answer, FetchResult):
                session.add(_landing(follow_up, answer, kept[key]))
                session.flush()
                follow_up.status = "done"
                follow_up.last_error = None
                landed += 1
            elif answer.reason not in UNASKED:
                _note_failure(follow_up, answer, now)
    return landed


def _note_failure(follow_up: FollowUp, failure: FetchFailed, now: datetime) -> None:
    follow_up.attempts = MAX_ATTEMPTS if _is_lasting(follow_up, failure) else follow_up.attempts + 1
    pause = FIRST_PAUSE_SECONDS * PAUSE_FACTOR ** (follow_up.attempts - 1)
    follow_up.next_attempt_at = now + timedelta(seconds=max(pause, failure.retry_after or 0.0))
    follow_up.last_error = f"{failure.reason}: {failure.detail}"[:500]


def _is_lasting(follow_up: FollowUp, failure: FetchFailed) -> bool:
    if failure.reason in LASTING:
        return True
    status = failure.status or 0
    return follow_up.kind == "article" and 400 <= status < 500 and status not in PASSING_STATUS


def _landing(follow_up: FollowUp, answer: FetchResult, sha256: str) -> tables.Landing:
    return tables.Landing(
        source_id=follow_up.source_id,
        kind=follow_up.kind,
        url=follow_up.url,
        sha256=sha256,
        size=len(answer.body),
        content_type=answer.content_type,
        is_catch_up=follow_up.is_catch_up,
        context=follow_up.context,
        fetched_at=answer.fetched_at,
        status="landed",
        reason=None,
        settled_at=None,
    )


def _known(database: AppDatabase, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], FollowUp]:
    by_kind: defaultdict[str, list[str]] = defaultdict(list)
    for kind, url in keys:
        by_kind[kind].append(url)
    found: dict[tuple[str, str], FollowUp] = {}
    with database.read() as session:
        for kind, urls in by_kind.items():
            for begin in range(0, len(urls), 1000):
                query = select(FollowUp).where(FollowUp.kind == kind, FollowUp.url.in_(urls[begin : begin + 1000]))
                found |= {(row.kind, row.url): row for row in session.scalars(query)}
    return found


def _is_renamed(follow_up: FollowUp, page: WantedPage) -> bool:
    return (
        follow_up.status == "waiting"
        and follow_up.source_id == page.source_id
        and follow_up.context.get("title") != page.context.get("title")
    )


def _row(page: WantedPage, now: datetime) -> dict[str, object]:
    return {
        "source_id": page.source_id,
        "kind": page.kind,
        "url": page.url,
        "context": page.context,
        "is_catch_up": page.is_catch_up,
        "attempts": 0,
        "next_attempt_at": now,
        "status": "waiting",
        "last_error": None,
        "created_at": now,
    }

"""Whether a site lets us read a page: its robots.txt, asked once a day for all processes of an installation.

What belongs here: robots.txt and table ``robots_rules``. What does not: fetching the page (follow_ups).
Source of the rules: RFC 9309. It lets an answer be kept for a day (2.4), a missing file allows everything (2.3.1.3), and
a site that can't say allows nothing (2.3.1.4).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from urllib.parse import urlsplit

from protego import Protego
from sqlalchemy import delete, or_, select

from pipeline.documents.fetch import Fetcher, FetchFailed
from pipeline.documents.text import decode
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.documents import RobotsRules

TTL = timedelta(days=1)
FAILURE_TTL = timedelta(hours=1)
# Runs count from their beginning: one that asks again too early would hear the old answer.
SLACK = timedelta(minutes=1)
MAX_BYTES = 500 * 1024  # RFC 9309, 2.5
MOST_SITES = 2000
LONGEST_CRAWL_DELAY_SECONDS = 10.0
# A site that was given less than this and did not answer is not held to it for an hour.
FAIR_HEARING_SECONDS = 5.0


@dataclass(frozen=True)
class _Answer:
    """What a site said: the text of its robots.txt, empty where it has none, or None with the reason why it can't say."""

    text: str | None
    error: str | None
    expires_at: datetime

    @cached_property
    def rules(self) -> Protego:
        return Protego.parse(self.text or "")

    def holds(self, now: datetime) -> bool:
        # One that would hold for longer than any does was given by a clock that has since been set back.
        return now < self.expires_at <= now + TTL


class Robots:
    """What each site's robots.txt allows us. Safe to share between threads; a site is asked by one of them.

    Answers are kept in ``database``, of 2000 sites at most, so that a run does not ask again what an earlier one was told;
    without a database only here.
    """

    def __init__(self, fetcher: Fetcher, database: AppDatabase | None = None) -> None:
        self._fetcher = fetcher
        self._database = database
        self._known: dict[str, _Answer] = {}
        self._lock = threading.Lock()
        self._site_locks: dict[str, threading.Lock] = {}
        self._is_tidy = False

    def check(self, url: str, deadline: float | None = None) -> float | None:
        """Seconds between two requests that the site asks for, or None.

        Raises FetchFailed: robots_disallowed; robots_unknown while the site can't say, with when to ask again.
        """
        answer = self._answer(_site(url), deadline)
        if answer.text is None:
            wait = answer.expires_at - self._fetcher.utc_now() + SLACK
            raise FetchFailed("robots_unknown", f"robots.txt: {answer.error}", url, retry_after=wait.total_seconds())
        if not answer.rules.can_fetch(url, self._fetcher.user_agent):
            raise FetchFailed("robots_disallowed", "the site's robots.txt keeps this page from us", url)
        delay = answer.rules.crawl_delay(self._fetcher.user_agent)
        return min(float(delay), LONGEST_CRAWL_DELAY_SECONDS) if delay else None

    def _answer(self, site: str, deadline: float | None) -> _Answer:
        with self._lock:
            site_lock = self._site_locks.setdefault(site, threading.Lock())
        with site_lock:
            known = self._known.get(site) or self._stored(site)
            if known is None or not known.holds(self._fetcher.utc_now()):
                known = self._ask(site, deadline)
                self._store(site, known)
            self._known[site] = known
        return known

    def _ask(self, site: str, deadline: float | None) -> _Answer:
        """What the site says now. Raises FetchFailed when it was not, or hardly, asked."""
        began = self._fetcher.clock()
        try:
            text = self._fetch(site, deadline)
        except FetchFailed as failure:
            is_hasty = failure.reason == "timeout" and self._fetcher.clock() - began < FAIR_HEARING_SECONDS
            if failure.reason == "pace" or (is_hasty and deadline is not None):
                raise
            error = f"{failure.reason}: {failure.detail}"[:500]
            return _Answer(None, error, self._fetcher.utc_now() + FAILURE_TTL)
        return _Answer(text, None, self._fetcher.utc_now() + TTL)

    def _fetch(self, site: str, deadline: float | None) -> str:
        try:
            answer = self._fetcher.fetch(f"{site}/robots.txt", accept="text/plain", max_bytes=MAX_BYTES, deadline=deadline)
        except FetchFailed as failure:
            if failure.status is not None and 400 <= failure.status < 500 and failure.status != 429:
                return ""
            if failure.reason in {"too_large", "too_many_redirects"}:
                return ""
            raise
        text = decode(answer.body, answer.content_type)
        return "" if text.lstrip()[:1] == "<" else text

    def _stored(self, site: str) -> _Answer | None:
        if self._database is None:
            return None
        with self._database.read() as session:
            row = session.get(RobotsRules, site)
        return _Answer(row.rules, row.error, row.expires_at) if row else None

    def _store(self, site: str, answer: _Answer) -> None:
        if self._database is None:
            return
        values = {"rules": answer.text, "error": answer.error, "expires_at": answer.expires_at}
        statement = self._database.insert(RobotsRules).values(site=site, **values)
        with self._database.write() as session:
            session.execute(statement.on_conflict_do_update(index_elements=["site"], set_=values))
        with self._lock:
            if not self._is_tidy:
                self._is_tidy = True
                _tidy(self._database, self._fetcher.utc_now())


def _tidy(database: AppDatabase, now: datetime) -> None:
    """Drop what no longer holds, and the oldest of what are too many."""
    newest = select(RobotsRules.site).order_by(RobotsRules.expires_at.desc(), RobotsRules.site).limit(MOST_SITES)
    surplus = or_(RobotsRules.expires_at <= now, RobotsRules.site.not_in(newest))
    # Not waiting for rows that another process is writing: each may hold what the other waits for.
    free = select(RobotsRules.site).where(surplus).with_for_update(skip_locked=True)
    with database.write() as session:
        session.execute(delete(RobotsRules).where(RobotsRules.site.in_(free)))


def _site(url: str) -> str:
    """scheme://host:port of an address, without what may stand before an @. Raises FetchFailed: bad_url."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise FetchFailed("bad_url", str(error), url) from None
    if not host:
        raise FetchFailed("bad_url", "names no host", url)
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}" + (f":{port}" if port is not None else "")

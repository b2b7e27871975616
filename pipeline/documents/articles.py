"""Article pages: their text and date, and whether their site lets us read them.

What belongs here: one page's text, and robots.txt. What does not: when a page is fetched (follow_ups).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from lxml import etree
from lxml.html import HTMLParser, document_fromstring
from protego import Protego

from pipeline.documents.fetch import Fetcher, FetchFailed
from pipeline.documents.model import Unreadable
from pipeline.documents.text import decode

ROBOTS_TTL_SECONDS = 3600.0
ROBOTS_FAILURE_TTL_SECONDS = 60.0
ROBOTS_MAX_BYTES = 500 * 1024  # RFC 9309, 2.5
LONGEST_CRAWL_DELAY_SECONDS = 10.0
SHORTEST_ARTICLE_CHARACTERS = 200
DATE_PROPERTIES = (
    "article:published_time",
    "og:article:published_time",
    "datepublished",
    "publish-date",
    "parsely-pub-date",
    "date",
)
DATE_KEY = "datePublished"


@dataclass(frozen=True, slots=True)
class Article:
    """The text of a page, a line per paragraph, and when the page says it was published (aware UTC)."""

    text: str
    published_at: datetime | None


def read_article(body: bytes, content_type: str | None, url: str) -> Article:
    """The article on a page. Raises Unreadable: empty_body, not_html, no_article_text."""
    # Heavy, and needed only where pages are read.
    from trafilatura import extract

    if content_type and not re.search(r"html|xml|text/plain", content_type, re.I):
        raise Unreadable("not_html", f"it is {content_type}")
    markup = decode(body, content_type)
    if not markup.strip():
        raise Unreadable("empty_body", f"{len(body)} bytes without text")
    text = extract(markup, url=url, include_comments=False, include_tables=False, include_formatting=False) or ""
    text = "\n".join(" ".join(line.split()) for line in text.split("\n") if line.strip())
    if len(text) < SHORTEST_ARTICLE_CHARACTERS:
        raise Unreadable("no_article_text", f"{len(text)} characters of running text in {len(body):,} bytes")
    return Article(text, published_at(markup))


def published_at(markup: str) -> datetime | None:
    """When a page says, for machines, that it was published: its metadata, its JSON-LD, its ``time`` element."""
    parser = HTMLParser(huge_tree=False, no_network=True, encoding="utf-8")
    try:
        root = document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None
    for value in _stated_dates(root):
        instant = _instant(value)
        if instant is not None:
            return instant
    return None


class Robots:
    """What each site's robots.txt allows us, asked once an hour and site in this process."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._known: dict[str, tuple[float, Protego | FetchFailed | None]] = {}
        self._lock = threading.Lock()
        self._site_locks: dict[str, threading.Lock] = {}

    def check(self, url: str, deadline: float | None = None) -> float | None:
        """Seconds between two requests that the site asks for, or None.

        Raises FetchFailed: robots_disallowed; robots_unknown while the site can't say (RFC 9309, 2.3.1.4).
        """
        rules = self._rules(url, deadline)
        if rules is None:
            return None
        if not rules.can_fetch(url, self._fetcher.user_agent):
            raise FetchFailed("robots_disallowed", "the site's robots.txt keeps this page from us", url)
        delay = rules.crawl_delay(self._fetcher.user_agent)
        return min(float(delay), LONGEST_CRAWL_DELAY_SECONDS) if delay else None

    def _rules(self, url: str, deadline: float | None) -> Protego | None:
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            site_lock = self._site_locks.setdefault(site, threading.Lock())
        with site_lock:
            now = self._fetcher.clock()
            known = self._known.get(site)
            if known is None or known[0] <= now:
                known = self._ask(site, deadline)
                self._known[site] = known
        if isinstance(known[1], FetchFailed):
            raise known[1]
        return known[1]

    def _ask(self, site: str, deadline: float | None) -> tuple[float, Protego | FetchFailed | None]:
        """(until when the answer holds, the rules)."""
        try:
            rules = self._fetch_rules(site, deadline)
        except FetchFailed as failure:
            if failure.reason == "pace":
                raise
            return self._fetcher.clock() + ROBOTS_FAILURE_TTL_SECONDS, failure
        return self._fetcher.clock() + ROBOTS_TTL_SECONDS, rules

    def _fetch_rules(self, site: str, deadline: float | None) -> Protego | None:
        parts = urlsplit(site)
        url = urlunsplit((parts.scheme, parts.netloc, "/robots.txt", "", ""))
        try:
            answer = self._fetcher.fetch(url, accept="text/plain", max_bytes=ROBOTS_MAX_BYTES, deadline=deadline)
        except FetchFailed as failure:
            if failure.reason == "pace":
                raise
            if failure.status is not None and 400 <= failure.status < 500 and failure.status != 429:
                return None
            if failure.reason in {"too_large", "too_many_redirects"}:
                return None
            raise FetchFailed("robots_unknown", f"robots.txt: {failure.reason}: {failure.detail}", url) from None
        text = decode(answer.body, answer.content_type)
        return None if text.lstrip()[:1] == "<" else Protego.parse(text)


def _stated_dates(root: Any) -> Iterator[str]:
    stated: dict[str, str] = {}
    for node in root.iter("meta"):
        name = (node.get("property") or node.get("name") or node.get("itemprop") or "").lower()
        if node.get("content"):
            stated.setdefault(name, node.get("content"))
    yield from (stated[name] for name in DATE_PROPERTIES[:2] if name in stated)
    for node in root.iter("script"):
        if (node.get("type") or "").lower() == "application/ld+json":
            yield from _json_dates(node.text or "")
    yield from (stated[name] for name in DATE_PROPERTIES[2:] if name in stated)
    for node in root.iter("time"):
        if (node.get("itemprop") or "").lower() == "datepublished" or node.get("pubdate") is not None:
            yield node.get("datetime") or ""


def _json_dates(text: str) -> Iterator[str]:
    try:
        waiting = [json.loads(text)]
    except (ValueError, RecursionError):
        return
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, dict):
            if isinstance(value.get(DATE_KEY), str):
                yield value[DATE_KEY]
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text.strip())
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None

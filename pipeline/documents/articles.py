"""Article pages: their text and date.

What belongs here: one page's text. What does not: when a page is fetched (follow_ups), whether it may be (robots).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lxml import etree
from lxml.html import HTMLParser, document_fromstring

from pipeline.documents.model import Unreadable
from pipeline.documents.text import decode

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

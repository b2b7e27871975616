"""RSS and Atom as they are found: one entry per item, with its link, title, text and date.

What belongs here: reading one landed feed. What does not: which document an entry is (identity), articles (articles).
"""

from __future__ import annotations

import calendar
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

import feedparser

from pipeline.documents.model import Unreadable
from pipeline.documents.plain_feeds import read_plain
from pipeline.documents.text import decode, html_to_text, looks_like_html, one_line

XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
# What marks a text as the beginning of one: an ellipsis or an invitation at its very end.
CUT_OFF = re.compile(
    r"(\[?(…|\.\.\.)\]?|(continue|keep) reading\b.{0,80}|read (more|the full|on)\b.{0,80})\s*[→»>.]*\s*$", re.I
)
# WordPress' signature under each entry.
SIGNATURE = re.compile(r"\s*The post .{1,400} (?:appeared first|first appeared) on .{1,120}\s*$")
FULL_TEXT_CHARACTERS = 1200
EARLIEST_YEAR = 1995  # before the first feed; a date like 1970-01-01 is none


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One item, in the order of the feed. ``published_at`` is aware UTC, as stated, or None."""

    position: int
    link: str | None
    guid: str | None
    title: str
    text: str
    published_at: datetime | None
    has_content: bool = False  # the item carries a text beside its summary

    @property
    def is_teaser(self) -> bool:
        """Whether the feed gives only the beginning of the text."""
        is_short = not self.has_content and len(self.text) < FULL_TEXT_CHARACTERS
        return is_short or CUT_OFF.search(self.text[-200:]) is not None


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed's entries and the language it states (ISO 639-1), if any."""

    entries: list[FeedEntry]
    language: str | None


def parse_feed(body: bytes, content_type: str | None, url: str) -> Feed:
    """Read a feed. ``url`` is where it was fetched, for relative links.

    Raises Unreadable with empty_body, html_instead_of_feed or not_a_feed. A feed without entries is a feed.
    """
    text = decode(body, content_type).strip("\ufeff \t\r\n")
    if not text:
        raise Unreadable("empty_body", f"{len(body)} bytes without text")
    if looks_like_html(text):
        raise Unreadable("html_instead_of_feed", one_line(text)[:200])
    bare = XML_DECLARATION.sub("", text, count=1)
    plain = read_plain(bare)
    if plain is not None:
        entries = [_entry(position, item, url) for position, item in enumerate(plain.entries)]
        return Feed(entries, _language(plain.language))
    return _parse_any(bare, text, url)


def _parse_any(bare: str, text: str, url: str) -> Feed:
    # Never text or a path, which feedparser would open or fetch.
    try:
        parsed = feedparser.parse(
            io.BytesIO(bare.encode("utf-8")),
            response_headers={"content-type": "application/xml; charset=utf-8"},
            # Links are joined to the feed's address here, GUIDs are left as they are, and HTML becomes text.
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except (LookupError, AttributeError, TypeError, ValueError) as error:
        # feedparser trips over some damage itself.
        raise Unreadable("not_a_feed", f"feedparser failed on it ({error!r}); it begins {text[:80]!r}") from None
    if not parsed.version and not parsed.entries:
        raise Unreadable("not_a_feed", f"{parsed.get('bozo_exception') or 'no feed element'}; it begins {text[:80]!r}")
    entries = [_entry(position, item, url) for position, item in enumerate(parsed.entries)]
    return Feed(entries, _language(_plain(parsed.feed, "language")))


def _entry(position: int, item: Mapping[str, Any], url: str) -> FeedEntry:
    text, has_content = _text(item)
    return FeedEntry(
        position=position,
        link=_link(item, url),
        guid=(_plain(item, "id") or "").strip() or None,
        title=one_line(_plain(item, "title") or ""),
        text=text,
        published_at=_date(item),
        has_content=has_content,
    )


def _plain(item: Mapping[str, Any], name: str) -> Any:
    # feedparser's own look-up puts other fields under a missing name and warns about it.
    return dict.get(item, name) if isinstance(item, dict) else None


def _link(item: Mapping[str, Any], url: str) -> str | None:
    for name in ("feedburner_origlink", "link"):
        value = _plain(item, name)
        if isinstance(value, str) and value.strip():
            try:
                link = urljoin(url, value.strip())
            except ValueError:
                continue
            if link.lower().startswith(("http://", "https://")):
                return link
    return None


def _text(item: Mapping[str, Any]) -> tuple[str, bool]:
    """(the longest of what the item carries as text, whether that is more than its summary)."""
    summary = _clean(_plain(item, "summary") or "")
    contents = (_clean(part.get("value") or "") for part in _plain(item, "content") or [])
    longest = max(contents, key=len, default="")
    return (longest, True) if len(longest) > len(summary) else (summary, False)


def _clean(markup: str) -> str:
    return SIGNATURE.sub("", html_to_text(markup))


def _date(item: Mapping[str, Any]) -> datetime | None:
    for name in ("published_parsed", "updated_parsed", "created_parsed"):
        value = _plain(item, name)
        if value is None or value.tm_year < EARLIEST_YEAR:
            continue
        try:
            return datetime.fromtimestamp(calendar.timegm(value), UTC)
        except (ValueError, OverflowError, OSError):
            continue
    return None


def _language(stated_language: Any) -> str | None:
    stated = str(stated_language or "").strip().lower()[:2]
    return stated if re.fullmatch(r"[a-z]{2}", stated) else None

"""The quick way through plain feeds: what feedparser would say of them, read with lxml. Anything unusual is left to feedparser.

What belongs here: RSS 2.0 and Atom made of elements whose meaning leaves no doubt. What does not: repair, guessing, other
formats. ``read_plain`` gives None wherever it isn't sure to give what feedparser gives; tests hold the two against each other.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import struct_time
from typing import Any

from lxml import etree

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DC = "http://purl.org/dc/elements/1.1/"
FEEDBURNER = "http://rssnamespace.org/feedburner/ext/1.0"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_MEDIA = ("http://search.yahoo.com/mrss/", "http://search.yahoo.com/mrss")

Entry = dict[str, Any]


class _Unsure(Exception):
    """Something that feedparser must judge."""


@dataclass(frozen=True, slots=True)
class PlainFeed:
    """Entries under feedparser's keys (title, link, id, summary, content, …_parsed), and the feed's ``language``."""

    entries: list[Entry]
    language: str | None


def read_plain(text: str) -> PlainFeed | None:
    """``text`` (a feed without its XML declaration) as feedparser reads it, or None where feedparser must read it itself."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text or "xml:base" in text:
        return None
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True,
        encoding="utf-8",
    )  # fmt: skip
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
        if root.tag == "rss":
            return _rss(root)
        return _atom(root) if root.tag == f"{{{ATOM}}}feed" else None
    except (etree.XMLSyntaxError, ValueError, _Unsure):
        return None


def _rss(root: etree._Element) -> PlainFeed:
    if set(root.attrib) - {"version"} or not (root.get("version") or "").startswith("2."):
        raise _Unsure
    channels = list(root)
    if len(channels) != 1 or channels[0].tag != "channel" or channels[0].attrib:
        raise _Unsure
    entries: list[Entry] = []
    language: str | None = None
    for element in channels[0]:
        if element.tag == "item":
            entries.append(_item(element))
        elif element.tag == "language" and language is None and not element.attrib:
            language = _leaf(element)
        elif element.tag == "image":
            _only(element, _IMAGE_PARTS)
        elif element.tag not in _CHANNEL_PARTS or len(element):
            raise _Unsure
    return PlainFeed(entries, language)


def _item(item: etree._Element) -> Entry:
    if item.attrib:
        raise _Unsure
    entry: Entry = {}
    seen: dict[Any, str] = {}
    is_permalink = False
    for element in item:
        tag = element.tag
        if tag in _ITEM_READ:
            if tag in seen or (element.attrib and tag != "guid"):
                raise _Unsure
            seen[tag] = _leaf(element)
            if tag == "guid":
                if set(element.attrib) - {"isPermaLink"}:
                    raise _Unsure
                is_permalink = element.get("isPermaLink", "true") == "true"
        elif tag in _MEDIA_CONTENT and seen.get("title"):
            # A picture's title counts for nothing once the item has its own.
            _only(element, _MEDIA_TITLE)
        elif tag not in _ITEM_PASSED or len(element):
            raise _Unsure
    for tag, name in _PLAIN_FIELDS:
        if tag in seen:
            entry[name] = seen[tag]
    _set_texts(entry, seen.get("description"), seen.get(f"{{{CONTENT}}}encoded"))
    if "guid" in seen:
        entry["id"] = _address(seen["guid"]) if is_permalink else seen["guid"]
        if is_permalink:
            entry["link"] = entry["id"]
    if "link" in seen:
        entry["link"] = _BROKEN_QUERY.sub(r"&\g<1>", _address(seen["link"]).replace("&amp;", "&"))
    for tag, name in (("pubDate", "published_parsed"), (f"{{{DC}}}date", "updated_parsed")):
        if seen.get(tag):
            entry[name] = _date(seen[tag])
    return entry


def _atom(root: etree._Element) -> PlainFeed:
    if set(root.attrib) - {LANG}:
        raise _Unsure
    entries: list[Entry] = []
    for element in root:
        if element.tag == _atom_name("entry"):
            entries.append(_atom_entry(element))
        elif element.tag in _ATOM_PERSONS:
            _only(element, _ATOM_PERSON_PARTS)
        elif element.tag not in _ATOM_FEED_PARTS or len(element):
            raise _Unsure
    return PlainFeed(entries, (root.get(LANG) or "").replace("_", "-") or None)


def _atom_entry(element: etree._Element) -> Entry:
    if element.attrib:
        raise _Unsure
    entry: Entry = {}
    seen: dict[Any, str] = {}
    link: str | None = None
    for part in element:
        tag = part.tag
        if tag == _atom_name("link"):
            link = _atom_link(part) or link
        elif tag in _ATOM_READ:
            if tag in seen or _kind(part) not in _ATOM_TYPES:
                raise _Unsure
            seen[tag] = _leaf(part)
        elif tag in _ATOM_PERSONS:
            _only(part, _ATOM_PERSON_PARTS)
        elif tag not in _ATOM_PASSED or len(part):
            raise _Unsure
    if _atom_name("title") in seen:
        entry["title"] = seen[_atom_name("title")]
    _set_texts(entry, seen.get(_atom_name("summary")), seen.get(_atom_name("content")))
    if _atom_name("id") in seen:
        entry["id"] = entry["link"] = _address(seen[_atom_name("id")])
    if link:
        entry["link"] = link
    for name in ("published", "updated"):
        if seen.get(_atom_name(name)):
            entry[f"{name}_parsed"] = _date(seen[_atom_name(name)])
    return entry


def _atom_link(link: etree._Element) -> str | None:
    if len(link) or not link.get("href") or set(link.attrib) - _ATOM_LINK_ATTRIBUTES:
        raise _Unsure
    is_page = link.get("rel", "alternate").lower() == "alternate" and link.get("type", "text/html").lower() == "text/html"
    return _address(link.get("href", "")) if is_page else None


def _kind(part: etree._Element) -> str:
    if set(part.attrib) - {"type", LANG}:
        raise _Unsure
    return part.get("type", "text").lower()


def _set_texts(entry: Entry, summary: str | None, content: str | None) -> None:
    """As feedparser: a content stands in for a summary that is not there."""
    if content is not None:
        entry["content"] = [{"value": content}]
    if summary is not None or content is not None:
        entry["summary"] = content if summary is None else summary


def _leaf(element: etree._Element) -> str:
    if len(element):
        raise _Unsure
    return _repaired((element.text or "").strip())


def _repaired(text: str) -> str:
    """UTF-8 that was read as Latin-1 and encoded again is set right, and so are code points of windows-1252."""
    if text.isascii():
        return text
    if not _BEYOND_LATIN.search(text):
        with contextlib.suppress(UnicodeDecodeError):
            text = text.encode("iso-8859-1").decode("utf-8")
    return text.translate(_WINDOWS)


def _only(element: etree._Element, allowed: frozenset[str]) -> None:
    if any(part.tag not in allowed or len(part) for part in element):
        raise _Unsure


def _address(text: str) -> str:
    if _MANY_SLASHES.match(text):
        raise _Unsure
    return text


def _date(text: str) -> struct_time:
    for pattern, read in _DATES:
        if match := pattern.fullmatch(text):
            return read(match).utctimetuple()
    raise _Unsure


def _rfc822(match: re.Match[str]) -> datetime:
    local = datetime(
        int(match["year"]), _MONTHS[match["month"].lower()], int(match["day"]), *_clock(match), tzinfo=UTC
    )  # fmt: skip
    zone = match["zone"].upper()
    return local - (_offset(zone) if zone[0] in "+-" else timedelta(hours=_ZONES[zone]))


def _w3c(match: re.Match[str]) -> datetime:
    local = datetime(int(match["year"]), int(match["month"]), int(match["day"]), *_clock(match), tzinfo=UTC)
    return local if match["zone"] in "Zz" else local - _offset(match["zone"].replace(":", ""))


def _clock(match: re.Match[str]) -> tuple[int, int, int]:
    return int(match["hour"]), int(match["minute"]), int(match["second"])


def _offset(zone: str) -> timedelta:
    size = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
    return -size if zone[0] == "-" else size


def _atom_name(name: str) -> str:
    return f"{{{ATOM}}}{name}"


_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_ZONES = {"GMT": 0, "UT": 0, "UTC": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "PST": -8, "PDT": -7}
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_DATES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], datetime]], ...] = (
    (
        re.compile(
            r"(?:(?:mon|tue|wed|thu|fri|sat|sun), )?(?P<day>[0-9]{1,2}) (?P<month>" + "|".join(_MONTHS) + r") "
            rf"(?P<year>[0-9]{{4}}) {_CLOCK} (?P<zone>[+-][0-9]{{4}}|" + "|".join(_ZONES) + ")",
            re.I | re.A,
        ),
        _rfc822,
    ),
    (
        re.compile(
            rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)T{_CLOCK}(?:\.\d+)?(?P<zone>[Zz]|[+-]\d\d:\d\d)", re.A
        ),
        _w3c,
    ),
)  # fmt: skip
_MANY_SLASHES = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*:///")
_BROKEN_QUERY = re.compile(r"&([A-Za-z0-9_]+);")
_BEYOND_LATIN = re.compile("[^\x00-\xff]")
_WINDOWS = {
    code: character
    for code in range(0x80, 0xA0)
    if (character := bytes([code]).decode("windows-1252", "replace")) != "\ufffd"
}  # fmt: skip
_PLAIN_FIELDS = (("title", "title"), (f"{{{FEEDBURNER}}}origLink", "feedburner_origlink"))
_ITEM_READ = frozenset(
    {"title", "link", "guid", "pubDate", "description", f"{{{CONTENT}}}encoded", f"{{{DC}}}date", f"{{{FEEDBURNER}}}origLink"}
)
_ITEM_PASSED = frozenset(
    {
        *("category", "author", "comments", "enclosure", "source"),
        *(f"{{{DC}}}{name}" for name in ("creator", "subject")),
        *(f"{{http://wellformedweb.org/CommentAPI/}}{name}" for name in ("comment", "commentRss")),
        "{http://purl.org/rss/1.0/modules/slash/}comments",
        "{http://purl.org/syndication/thread/1.0}total",
        *(f"{{{media}}}{name}" for media in _MEDIA for name in ("content", "thumbnail", "credit", "keywords")),
    }
)
_MEDIA_CONTENT = frozenset(f"{{{media}}}content" for media in _MEDIA)
_MEDIA_TITLE = frozenset(f"{{{media}}}title" for media in _MEDIA)
_CHANNEL_PARTS = frozenset(
    {
        *("title", "link", "description", "copyright", "managingEditor", "webMaster", "pubDate", "lastBuildDate", "category"),
        *("generator", "docs", "ttl", "cloud"),
        _atom_name("link"),
        *(f"{{http://purl.org/rss/1.0/modules/syndication/}}{name}" for name in ("updatePeriod", "updateFrequency")),
        *(
            f"{{{FEEDBURNER}}}{name}"
            for name in ("info", "feedburnerHostname", "emailServiceId", "feedFlare", "browserFriendly")
        ),
    }
)
_IMAGE_PARTS = frozenset({"url", "title", "link", "width", "height", "description"})
_ATOM_TYPES = frozenset({"text", "html", "text/plain", "text/html"})
_ATOM_LINK_ATTRIBUTES = frozenset({"rel", "type", "href", "title", "hreflang", "length"})
_ATOM_READ = frozenset(map(_atom_name, ("title", "id", "summary", "content", "published", "updated")))
_ATOM_PASSED = frozenset(map(_atom_name, ("category", "rights")))
_ATOM_PERSONS = frozenset(map(_atom_name, ("author", "contributor")))
_ATOM_PERSON_PARTS = frozenset(map(_atom_name, ("name", "uri", "email")))
_ATOM_FEED_PARTS = frozenset(
    map(_atom_name, ("title", "subtitle", "link", "id", "updated", "generator", "logo", "icon", "rights", "category"))
)

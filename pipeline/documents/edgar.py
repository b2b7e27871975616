"""EDGAR's feed of latest filings: its pages, and where a filing's data are.

What belongs here: reading one page, and the addresses of further pages and of a filing's XML. What does not: walking
the pages (edgar_walk), the filing itself (form_d).
The feed drifts (a filing that arrives moves the others down), lists a filing once per filer, and its ``type=D`` is a
prefix: proxy material (DEF 14A, DEFA14A) comes along. All of that is normal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from lxml import etree

from pipeline.documents.model import Unreadable
from pipeline.documents.text import looks_like_html, one_line
from pipeline.documents.xml import parse_xml

ATOM = "{http://www.w3.org/2005/Atom}"
ID, LINK, TITLE_TAG, CATEGORY, SUMMARY, UPDATED = (
    f"{ATOM}{name}" for name in ("id", "link", "title", "category", "summary", "updated")
)  # fmt: skip
ITEM = re.compile(r"\bItem ([0-9A-Za-z.]+?)(?=[:\s]|$)")
ACCESSION = re.compile(r"\b(\d{10}-\d{2}-\d{6})\b")
TITLE = re.compile(r"^(?P<form>.+?) - (?P<name>.*) \((?P<cik>\d{1,10})\) \((?P<role>[^()]*)\)$")
FORM_D = ("D", "D/A")
DEFAULT_COUNT = 100


@dataclass(frozen=True, slots=True)
class FilingEntry:
    """One line of the feed: a filing under one of its filers. ``accepted_at`` is aware UTC."""

    accession: str
    form_type: str
    company: str
    cik: str | None
    role: str
    index_url: str
    accepted_at: datetime | None
    items: tuple[str, ...]  # exemptions claimed, as "3C.7", where the feed states them


def parse_page(body: bytes, url: str) -> list[FilingEntry]:
    """All lines of one page, in its order. ``url`` is where it was fetched, for relative links.

    Raises Unreadable: empty_body, html_instead_of_feed, not_xml, doctype_refused, not_a_feed. A line without accession
    number or link is left out.
    """
    if looks_like_html(body[:2000].decode("latin-1")):
        raise Unreadable("html_instead_of_feed", one_line(body.decode("latin-1"))[:200])
    root = parse_xml(body)
    if root.tag != f"{ATOM}feed":
        raise Unreadable("not_a_feed", f"the root element is {root.tag}")
    entries = (_entry(element, url) for element in root.iterfind(f"{ATOM}entry"))
    return [entry for entry in entries if entry is not None]


def form_d_filings(entries: Iterable[FilingEntry]) -> list[FilingEntry]:
    """The Form D and D/A filings, each once (under its first filer), in order."""
    found: dict[str, FilingEntry] = {}
    for entry in entries:
        if entry.form_type in FORM_D and (entry.accession not in found or _is_better(entry, found[entry.accession])):
            found[entry.accession] = entry
    return list(found.values())


def primary_document_url(entry: FilingEntry) -> str:
    """Where the XML of a Form D lies: beside its index page."""
    return urljoin(entry.index_url, "primary_doc.xml")


def page_url(url: str, start: int) -> str:
    """The address of the page that begins with entry ``start`` (from 0)."""
    parts = urlsplit(url)
    pairs = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "start"]
    return urlunsplit(parts._replace(query=urlencode([*pairs, ("start", str(start))])))


def page_size(url: str) -> int:
    """Entries per page that ``url`` asks for."""
    for name, value in parse_qsl(urlsplit(url).query):
        if name == "count" and value.isdigit() and int(value) > 0:
            return int(value)
    return DEFAULT_COUNT


def _entry(element: etree._Element, url: str) -> FilingEntry | None:
    # One pass over the children: a page has a hundred lines, a day thousands of them.
    link = form_type = ""
    texts: dict[str, str] = {}
    for node in element:
        if node.tag == LINK:
            if not link and node.get("rel", "alternate") == "alternate":
                link = node.get("href", "")
        elif node.tag == CATEGORY:
            form_type = form_type or node.get("term", "")
        elif isinstance(node.tag, str):
            texts.setdefault(node.tag, node.text or "")
    found = ACCESSION.search(texts.get(ID, "")) or ACCESSION.search(link)
    if not link or found is None:
        return None
    title = " ".join(texts.get(TITLE_TAG, "").split())
    parts = TITLE.match(title)
    summary = texts.get(SUMMARY, "")
    items = ITEM.findall(one_line(summary)) if "Item" in summary else ()
    return FilingEntry(
        accession=found[1],
        form_type=form_type or (parts["form"] if parts else ""),
        company=parts["name"] if parts else title,
        cik=parts["cik"].zfill(10) if parts else None,
        role=parts["role"] if parts else "",
        index_url=urljoin(url, link),
        accepted_at=_instant(texts.get(UPDATED, "")),
        items=tuple(items),
    )


def _is_better(entry: FilingEntry, other: FilingEntry) -> bool:
    # The filer with the lowest number, so that the address does not depend on the order of the lines.
    return (entry.cik or "~") < (other.cik or "~")


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant.tzinfo else None

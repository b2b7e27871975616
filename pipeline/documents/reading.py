"""One landed body read: its documents, what of it could not be read, and the pages it points to.

What belongs here: from bytes and the context they were landed with to documents; no store, no network. What does not:
fetching follow-ups (follow_ups), which revision of a document wins (revisions).
All that reading needs of a source lies in the landing's context and in the links that its earlier bodies shared, which
are settled together with the body, so that reading again gives the same.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipeline.documents.articles import read_article
from pipeline.documents.edgar import FilingEntry, form_d_filings, parse_page, primary_document_url
from pipeline.documents.feeds import FeedEntry, parse_feed
from pipeline.documents.filing_text import filing_text, filing_title
from pipeline.documents.form_d import parse_form_d
from pipeline.documents.identity import canonical_url, document_id, filing_id, is_page, link_id
from pipeline.documents.model import Document, Reject, Unreadable
from pipeline.documents.shared_links import shared_links
from pipeline.store.tables.documents import Landing

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WantedPage:
    """A page that an entry points to: an ``article`` or a ``form_d``, with what is known of the entry."""

    source_id: str
    kind: str
    url: str
    context: dict[str, Any]
    is_catch_up: bool


@dataclass(slots=True)
class Reading:
    """What one landed body gave. ``reason`` is set when nothing of it could be read.

    ``shared_links`` are the ids of the links in it that don't name a document by themselves.
    """

    documents: list[Document] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    wanted: list[WantedPage] = field(default_factory=list)
    reason: str | None = None
    shared_links: set[str] = field(default_factory=set)


def read_landing(row: Landing, body: bytes, shared_before: Collection[str] = ()) -> Reading:
    """Read ``body``, which was landed as ``row``. Total: what can't be read is in ``rejects``, with its reason.

    ``shared_before`` holds the ids of the links that earlier bodies of the source shared.
    """
    readers = {"edgar_page": _read_edgar_page, "form_d": _read_form_d, "article": _read_article}
    try:
        if row.kind == "feed":
            return _read_feed(row, body, shared_before)
        if row.kind not in readers:
            raise Unreadable("unknown_kind", f"{row.kind!r} is none of feed, {', '.join(readers)}")
        return readers[row.kind](row, body)
    except Unreadable as error:
        return unreadable(row, error.reason, error.detail)
    except Exception as error:  # one body must not keep all others from being read
        log.exception("landing %d (%s) made its reader fail", row.id, row.url)
        return unreadable(row, "reader_failed", f"{type(error).__name__}: {error}")


def unreadable(row: Landing, reason: str, detail: str) -> Reading:
    """The reading of a body that can't be read."""
    return Reading(rejects=[reject(row, "", reason, detail)], reason=reason)


def reject(row: Landing, entry: str, reason: str, detail: str) -> Reject:
    return Reject(row.id, row.sha256, row.source_id, row.kind, row.url, entry, reason, detail[:1000])


def _read_feed(row: Landing, body: bytes, shared_before: Collection[str]) -> Reading:
    feed = parse_feed(body, row.content_type, row.url)
    links = [canonical_url(entry.link) if entry.link else "" for entry in feed.entries]
    shared = shared_links(zip(links, (entry.title for entry in feed.entries), strict=True), shared_before)
    reading = Reading(shared_links={link_id(link) for link in shared})
    seen: set[str] = set()
    for entry, canonical in zip(feed.entries, links, strict=True):
        dated = entry.published_at.isoformat() if entry.published_at else ""
        identifier = document_id(row.source_id, entry.link, entry.guid, entry.title, dated, canonical in shared)
        if identifier is None or not (entry.title or entry.text):
            reason = "entry_without_identity" if identifier is None else "entry_without_text"
            name = entry.guid or entry.link or entry.text[:80] or "empty entry"
            reading.rejects.append(reject(row, name, reason, f"entry {entry.position + 1} of the feed"))
            continue
        if identifier in seen:
            continue
        seen.add(identifier)
        document = _document(row, entry, identifier, row.context.get("language") or feed.language)
        reading.documents.append(document)
        if row.context.get("fetch_articles") and entry.is_teaser and is_page(canonical) and canonical not in shared:
            reading.wanted.append(_wanted_article(row, document))
    return reading


def _document(row: Landing, entry: FeedEntry, identifier: str, language: str | None) -> Document:
    # Nobody can tell how old an undated entry of a first poll is: it is known, and told to nobody.
    is_undated_first = bool(row.context.get("is_first_poll")) and entry.published_at is None
    return Document(
        document_id=identifier,
        source_id=row.source_id,
        outlet=row.context.get("outlet") or row.source_id,
        kind="article",
        url=entry.link or "",
        title=entry.title,
        body=entry.text,
        body_origin="feed",
        landed_at=row.fetched_at,
        landing_id=row.id,
        landing_sha256=row.sha256,
        published_at=_not_later(entry.published_at, row.fetched_at),
        guid=entry.guid,
        language=language,
        is_catch_up=row.is_catch_up or is_undated_first,
    )


def _wanted_article(row: Landing, document: Document) -> WantedPage:
    context = {
        "document_id": document.document_id,
        "outlet": document.outlet,
        "title": document.title,
        "guid": document.guid,
        "language": document.language,
        "published_at": document.published_at.isoformat() if document.published_at else None,
        "landed_at": document.landed_at.isoformat(),
        "is_first_poll": bool(row.context.get("is_first_poll")),
        "teaser_characters": len(document.body),
        "landing_id": row.id,
        "landing_sha256": row.sha256,
    }
    return WantedPage(row.source_id, "article", document.url, context, row.is_catch_up)


def _read_article(row: Landing, body: bytes) -> Reading:
    context = row.context
    article = read_article(body, row.content_type, row.url)
    if len(article.text) < context["teaser_characters"]:
        raise Unreadable("no_article_text", f"the page's {len(article.text)} characters are fewer than the feed's own")
    landed_at = _instant(context["landed_at"]) or row.fetched_at
    published_at = _not_later(_instant(context["published_at"]) or article.published_at, landed_at)
    document = Document(
        document_id=context["document_id"],
        source_id=row.source_id,
        outlet=context["outlet"],
        kind="article",
        url=row.url,
        title=context["title"],
        body=article.text,
        body_origin="article",
        landed_at=landed_at,
        landing_id=row.id,
        landing_sha256=row.sha256,
        published_at=published_at,
        guid=context["guid"],
        language=context["language"],
        is_catch_up=row.is_catch_up or (context["is_first_poll"] and published_at is None),
    )
    return Reading(documents=[document])


def _read_edgar_page(row: Landing, body: bytes) -> Reading:
    entries = parse_page(body, row.url)
    filers = Counter(entry.accession for entry in entries)
    wanted = [_wanted_filing(row, entry, filers[entry.accession]) for entry in form_d_filings(entries)]
    return Reading(wanted=wanted)


def _wanted_filing(row: Landing, entry: FilingEntry, filers: int) -> WantedPage:
    context = {
        "document_id": filing_id(entry.accession),
        "outlet": row.context.get("outlet") or row.source_id,
        "accession": entry.accession,
        "form_type": entry.form_type,
        "company": entry.company,
        "cik": entry.cik,
        "filers": filers,
        "index_url": entry.index_url,
        "filed_at": entry.accepted_at.isoformat() if entry.accepted_at else None,
        "language": row.context.get("language"),
        "landed_at": row.fetched_at.isoformat(),
        "is_first_poll": bool(row.context.get("is_first_poll")),
        "landing_id": row.id,
        "landing_sha256": row.sha256,
    }
    return WantedPage(row.source_id, "form_d", primary_document_url(entry), context, row.is_catch_up)


def _read_form_d(row: Landing, body: bytes) -> Reading:
    context = row.context
    fields = parse_form_d(body) | {"accession": context["accession"], "filed_at": context["filed_at"]}
    landed_at = _instant(context["landed_at"]) or row.fetched_at
    filed_at = _not_later(_instant(context["filed_at"]), landed_at)
    document = Document(
        document_id=context["document_id"],
        source_id=row.source_id,
        outlet=context["outlet"],
        kind="form_d",
        url=context["index_url"],
        title=filing_title(fields),
        body=filing_text(fields),
        body_origin="form_d",
        landed_at=landed_at,
        landing_id=row.id,
        landing_sha256=row.sha256,
        published_at=filed_at,
        guid=context["accession"],
        language=context["language"],
        is_catch_up=row.is_catch_up or (context["is_first_poll"] and filed_at is None),
        form_d=fields,
    )
    return Reading(documents=[document])


def _not_later(stated: datetime | None, landed_at: datetime) -> datetime | None:
    """A stated date, but never in the future: nothing is published after it was read."""
    return None if stated is None else min(stated, landed_at)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def source_context(source: Mapping[str, Any], is_first_poll: bool) -> dict[str, Any]:
    """What a landing keeps of its source, given the source's fields."""
    return {name: source[name] for name in ("outlet", "language", "fetch_articles")} | {"is_first_poll": is_first_poll}

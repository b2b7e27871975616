"""One document from a file's or an answer's bytes: an article page, a Form D, a JSON record, or plain text.

What belongs here: telling which of these the bytes are. What does not: fetching them, what the document claims.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from pipeline.documents.articles import read_article
from pipeline.documents.filing_text import filing_text, filing_title
from pipeline.documents.form_d import parse_form_d
from pipeline.documents.model import Document, Unreadable
from pipeline.documents.text import decode, looks_like_html, one_line

_TITLE = re.compile(r"<meta[^>]+property=[\"']og:title[\"'][^>]+content=[\"']([^\"']+)|<title[^>]*>(.*?)</title>", re.I | re.S)
_FIELDS = ("title", "body", "url", "outlet")


def document_of_bytes(body: bytes, content_type: str | None, url: str, now: datetime) -> Document:
    """The one document that ``body`` is; of JSON Lines the first record. ``now`` (aware) stands in for a date it lacks.

    Plain text: its first line is the title. Raises Unreadable with the reason of the reader that was tried, or not_a_record.
    """
    text = decode(body, content_type).lstrip("\ufeff \t\r\n")
    if not text:
        raise Unreadable("empty_body", f"{len(body)} bytes without text")
    if text.startswith("{"):
        return _record(text, url, now)
    if "<edgarSubmission" in text[:2000]:
        fields = parse_form_d(body)
        return _document(filing_title(fields), filing_text(fields), url, now, kind="form_d", form_d=fields)
    if looks_like_html(text):
        article = read_article(body, content_type, url)
        found = _TITLE.search(text)
        title = one_line((found[1] or found[2] or "") if found else "")
        return _document(title, article.text, url, now, published_at=article.published_at)
    return document_of_text(text, url, now)


def document_of_text(text: str, url: str, now: datetime) -> Document:
    """A document whose title is the first line of ``text``."""
    title, _, rest = text.strip().partition("\n")
    return _document(title.strip(), rest.strip(), url, now)


def _record(text: str, url: str, now: datetime) -> Document:
    try:
        record, _ = json.JSONDecoder().raw_decode(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise Unreadable("not_a_record", f"not JSON: {error}") from None
    values = {name: record.get(name) or "" for name in _FIELDS} if isinstance(record, dict) else {}
    if not values or not all(isinstance(value, str) for value in values.values()) or not (values["title"] or values["body"]):
        raise Unreadable("not_a_record", "a record has a title or a body, both texts")
    return _document(values["title"], values["body"], values["url"] or url, now, outlet=values["outlet"])


def _document(title: str, body: str, url: str, now: datetime, **fields: Any) -> Document:
    return Document(
        document_id="explained",
        source_id="explain",
        outlet=fields.pop("outlet", ""),
        kind=fields.pop("kind", "article"),
        url=url,
        title=title,
        body=body,
        body_origin="article",
        landed_at=now,
        landing_id=0,
        landing_sha256="",
        **fields,
    )

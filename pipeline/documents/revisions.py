"""Which version of a document holds when it is read again: a pure rule, the same in a batch and against the warehouse.

- More of the text wins: an article's page over the feed's teaser, whoever brings it.
- Of equal standing, the newest landing of the same source wins; another source's copy changes nothing.
- A teaser never replaces an article, but a title that its feed has changed since is taken over.
- When it first landed and was first published stays; a document once read to catch up stays so, unless it had no date
  and has one now.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pipeline.documents.model import Document

STANDING = {"feed": 0, "article": 1, "form_d": 1}


def supersede(old: Document, new: Document) -> Document:
    """The version that holds after ``new`` was read on top of ``old``. Both have the same id."""
    text = _text(old, new)
    if text is old:
        return old
    dates = [date for date in (old.published_at, new.published_at) if date is not None]
    is_newly_dated = old.published_at is None and new.published_at is not None
    return replace(
        text,
        source_id=old.source_id,
        outlet=old.outlet,
        landed_at=min(old.landed_at, new.landed_at),
        published_at=min(dates, default=None),
        is_catch_up=new.is_catch_up if is_newly_dated else old.is_catch_up,
    )


def newest(documents: Iterable[Document]) -> list[Document]:
    """One version per document, in the order of (landing, first seen in it) of the version that holds."""
    held: dict[str, Document] = {}
    for document in documents:
        before = held.get(document.document_id)
        after = document if before is None else supersede(before, document)
        if before is not None and after.landing_id != before.landing_id:
            # It takes its place among the documents of the landing that its text came with.
            del held[document.document_id]
        held[document.document_id] = after
    return sorted(held.values(), key=lambda document: document.landing_id)


def is_same(old: Document, new: Document) -> bool:
    """Whether nothing that a reader or the extractor sees has changed."""
    return (old.title, old.body, old.form_d) == (new.title, new.body, new.form_d)


def _text(old: Document, new: Document) -> Document:
    standing = STANDING.get(new.body_origin, 0) - STANDING.get(old.body_origin, 0)
    if standing > 0:
        return new
    if new.source_id != old.source_id or new.landing_id < old.landing_id:
        return old
    if standing == 0:
        return new
    return replace(old, title=new.title) if new.title and new.title != old.title else old

"""What a document is, and what is said when something landed is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Document:
    """One published text about which a claim can be made, in its newest revision.

    ``document_id`` stays the same whatever the feed does to GUID, date or title. All times are aware UTC.
    ``form_d`` holds the fields of a filing (see documents.form_d) and is None for articles.
    """

    document_id: str
    source_id: str
    outlet: str
    kind: str  # article, form_d
    url: str
    title: str
    body: str
    body_origin: str  # feed, article, form_d
    landed_at: datetime
    landing_id: int
    landing_sha256: str
    published_at: datetime | None = None  # as stated; a date in the future becomes landed_at
    guid: str | None = None
    language: str | None = None
    is_catch_up: bool = False
    form_d: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """A landed body, or one entry of it, that could not be read."""

    landing_id: int
    landing_sha256: str
    source_id: str
    kind: str
    url: str
    entry: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class LandingOutcome:
    """What becomes of a landed body once the warehouse has what was in it. ``reason`` is set when it could not be read."""

    landing_id: int
    reason: str | None = None


@dataclass(slots=True)
class Batch:
    """What reading some landed bodies gave, and what is settled by it (``ingest.settle``).

    ``given_up`` names the follow-ups that will not be asked for again. ``shared_links`` holds, by source, the ids of the
    shared links that were met, each with the newest landing that held it (see shared_links).
    """

    documents: list[Document] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    outcomes: list[LandingOutcome] = field(default_factory=list)
    given_up: list[int] = field(default_factory=list)
    shared_links: dict[str, dict[str, int]] = field(default_factory=dict)
    read_at: datetime | None = None


class Unreadable(ValueError):
    """A landed body that can't be read. ``reason`` is a short slug, the text says what was found."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

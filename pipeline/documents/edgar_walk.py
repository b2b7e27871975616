"""Walking EDGAR's latest filings: page after page until nothing on a page is new.

What belongs here: when to go on and when to stop, and what to remember for the next walk. What does not: reading
filings (reading), landing pages (poll).

The feed has no end that could be told from an outage: past its last page it answers 503 with a page of HTML. So a walk
that ended that way, or was broken off, goes once more to where it stopped, past pages it knows, before it rests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pipeline.documents.edgar import page_size, page_url, parse_page
from pipeline.documents.fetch import FetchFailed, FetchResult
from pipeline.documents.model import Unreadable

# Some days' worth of filings; more than a walk meets before it comes to a page it knows.
REMEMBERED = 5_000
MOST_PAGES = 80
MOST_RETURNS = 2
END_STATUS = {404, 500, 502, 503, 504}

Ask = Callable[[str, int], FetchResult]  # address, number of its first entry


@dataclass(slots=True)
class Walk:
    """What one walk gave: the pages that hold something new, in order, and what the next walk must know."""

    pages: list[FetchResult] = field(default_factory=list)
    accessions: list[set[str]] = field(default_factory=list)  # of each page in ``pages``
    memory: dict[str, Any] = field(default_factory=dict)
    bytes_read: int = 0
    cut_short_by: FetchFailed | None = None


def walk(url: str, memory: dict[str, Any], ask: Ask) -> Walk:
    """Walk the feed at ``url``. ``ask`` fetches one page.

    ``memory`` is what the last walk left (``Walk.memory``), or empty. Raises FetchFailed when the first page fails;
    later failures end the walk. A first page that is no feed is kept, so that it is landed and quarantined.
    """
    known: dict[str, None] = dict.fromkeys(memory.get("accessions", []))
    met: dict[str, None] = {}
    return_to = int(memory.get("return_to", 0))
    returns = int(memory.get("returns", 0))
    size = page_size(url)
    found = Walk()
    start = 0
    is_complete = False
    for _page in range(MOST_PAGES):
        try:
            answer = ask(page_url(url, start), start)
        except FetchFailed as failure:
            if start == 0:
                raise
            found.cut_short_by = None if failure.status in END_STATUS else failure
            break
        found.bytes_read += len(answer.body)
        try:
            entries = parse_page(answer.body, answer.url)
        except Unreadable:
            if start > 0:
                break
            found.pages.append(answer)
            found.accessions.append(set())
            break
        on_page = dict.fromkeys(entry.accession for entry in entries)
        is_new = any(accession not in known and accession not in met for accession in on_page)
        met |= on_page
        if is_new:
            found.pages.append(answer)
            found.accessions.append(set(on_page))
        if len(entries) < size or (not is_new and start >= return_to):
            is_complete = True
            break
        start += size
    else:
        is_complete = True  # deeper than any day is long
    found.memory = _remember(known, met, start, is_complete or returns >= MOST_RETURNS, returns)
    return found


def _remember(known: dict[str, None], met: dict[str, None], start: int, may_rest: bool, returns: int) -> dict[str, Any]:
    accessions = [*met, *(accession for accession in known if accession not in met)][:REMEMBERED]
    if may_rest:
        return {"accessions": accessions, "return_to": 0, "returns": 0}
    return {"accessions": accessions, "return_to": start, "returns": returns + 1}

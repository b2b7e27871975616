from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.documents.edgar import form_d_filings, page_size, page_url, parse_page, primary_document_url
from pipeline.documents.edgar_walk import walk
from pipeline.documents.fetch import FetchFailed, FetchResult
from pipeline.documents.model import Unreadable

URL = "https://filings.example/current?action=getcurrent&type=D&count=3"


def accession(number: int) -> str:
    return f"0001000001-26-{number:06d}"


def entry(number: int, form: str = "D", company: str = "Lumen Robotics, Inc.", cik: int = 1234567, role: str = "Filer") -> str:
    return (
        f"<entry><title>{form} - {company} ({cik:010d}) ({role})</title>"
        f'<link rel="alternate" href="/data/{cik}/{number}/{accession(number)}-index.htm"/>'
        f"<summary>&lt;b&gt;Filed:&lt;/b&gt; 2026-11-03 &lt;br&gt;Item 06b: Rule 506(b) &lt;br&gt;Item 3C.7: Section</summary>"
        f'<updated>2026-11-03T10:00:00-05:00</updated><category term="{form}"/>'
        f"<id>urn:tag:filings.example,2008:accession-number={accession(number)}</id></entry>"
    )


def page(*entries: str) -> bytes:
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Latest</title>{"".join(entries)}</feed>'
    return f'<?xml version="1.0" encoding="ISO-8859-1" ?>\n{feed}'.encode("iso-8859-1")


def test_fields_of_a_line() -> None:
    [line] = parse_page(page(entry(1, company="Société (Lumen) - Two")), URL)
    assert (line.accession, line.form_type, line.company) == (accession(1), "D", "Société (Lumen) - Two")
    assert (line.cik, line.role, line.items) == ("0001234567", "Filer", ("06b", "3C.7"))
    assert line.accepted_at == datetime(2026, 11, 3, 15, tzinfo=UTC)
    assert primary_document_url(line) == "https://filings.example/data/1234567/1/primary_doc.xml"


def test_type_filter_is_a_prefix_so_other_forms_are_left_out() -> None:
    lines = parse_page(page(entry(1), entry(2, "DEFA14A"), entry(3, "D/A"), entry(4, "DEF 14A")), URL)
    assert [line.form_type for line in form_d_filings(lines)] == ["D", "D/A"]


def test_filing_under_several_filers_is_one_filing_whatever_their_order() -> None:
    one, two = entry(1, cik=20), entry(1, cik=10)
    urls = {primary_document_url(*form_d_filings(parse_page(page(*lines), URL))) for lines in ([one, two], [two, one])}
    assert urls == {"https://filings.example/data/10/1/primary_doc.xml"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty_body"),
        (b"<!DOCTYPE html><html></html>", "html_instead_of_feed"),
        (b"<feed", "not_xml"),
        (b"<rss/>", "not_a_feed"),
        (b'<!DOCTYPE feed [<!ENTITY a "b">]><feed>&a;</feed>', "doctype_refused"),
    ],
)
def test_what_is_no_page_is_named(body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        parse_page(body, URL)
    assert error.value.reason == reason


def test_address_of_a_page() -> None:
    assert (
        page_url("https://f.example/c?type=D&start=0&count=3&owner=", 3) == "https://f.example/c?type=D&count=3&owner=&start=3"
    )
    assert page_size(URL) == 3
    assert page_size("https://f.example/c") == 100


class Feed:
    """EDGAR as it is: newest first, pages by number, HTML with 503 past the end."""

    def __init__(self, numbers: list[int], drift: dict[int, list[int]] | None = None, broken_at: int | None = None) -> None:
        self.numbers = numbers
        self.drift = drift or {}
        self.broken_at = broken_at
        self.asked: list[int] = []

    def __call__(self, url: str, start: int) -> FetchResult:
        self.asked.append(start)
        if start == self.broken_at:
            raise FetchFailed("timeout", "slow", url)
        lines = self.numbers[start : start + 3]
        self.numbers = self.drift.pop(start, []) + self.numbers
        if not lines:
            raise FetchFailed("http_503", "File Unavailable", url, 503)
        body = page(*(entry(number) for number in lines))
        return FetchResult(url, url, 200, body, None, None, None, datetime(2026, 11, 3, tzinfo=UTC))


def numbers_of(pages: list[FetchResult]) -> list[list[int]]:
    return [[int(line.accession[-6:]) for line in parse_page(found.body, URL)] for found in pages]


def test_walk_goes_on_until_a_page_holds_only_known_filings() -> None:
    first = walk(URL, {}, Feed([5, 4, 3, 2, 1]))
    feed = Feed([7, 6, 5, 4, 3, 2, 1])
    second = walk(URL, first.memory, feed)
    assert numbers_of(first.pages) == [[5, 4, 3], [2, 1]]
    assert numbers_of(second.pages) == [[7, 6, 5]]
    assert feed.asked == [0, 3]


def test_nothing_new_costs_one_page_and_lands_none() -> None:
    feed = Feed([3, 2, 1, 0])
    memory = walk(URL, {}, feed).memory
    feed.asked.clear()
    again = walk(URL, memory, feed)
    assert (again.pages, feed.asked, again.memory) == ([], [0], memory)


def test_drifting_pages_lose_nothing() -> None:
    found = walk(URL, {}, Feed([6, 5, 4, 3, 2, 1], drift={0: [8, 7]}))
    met = {number for on_page in numbers_of(found.pages) for number in on_page}
    assert met == {6, 5, 4, 3, 2, 1}
    later = walk(URL, found.memory, Feed([8, 7, 6, 5, 4, 3, 2, 1]))
    assert numbers_of(later.pages) == [[8, 7, 6]]


def test_end_that_looks_like_an_outage_is_walked_to_again_and_then_believed() -> None:
    memory: dict[str, Any] = {}
    depths = []
    for _ in range(4):
        feed = Feed([6, 5, 4, 3, 2, 1])
        memory = walk(URL, memory, feed).memory
        depths.append(max(feed.asked))
    assert depths == [6, 6, 6, 0]


def test_walk_that_was_broken_off_goes_on_behind_known_pages() -> None:
    broken = walk(URL, {}, Feed([9, 8, 7, 6, 5, 4, 3, 2], broken_at=3))
    assert numbers_of(broken.pages) == [[9, 8, 7]]
    assert broken.cut_short_by is not None
    mended = walk(URL, broken.memory, Feed([9, 8, 7, 6, 5, 4, 3, 2]))
    assert numbers_of(mended.pages) == [[6, 5, 4], [3, 2]]


def test_first_page_that_fails_fails_the_poll() -> None:
    with pytest.raises(FetchFailed, match="timeout"):
        walk(URL, {}, Feed([1], broken_at=0))

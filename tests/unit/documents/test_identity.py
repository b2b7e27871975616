from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.documents.identity import canonical_url, document_id, is_page

URL_PARTS = st.builds(
    lambda scheme, host, path, query, fragment: f"{scheme}://{host}/{path}?{query}#{fragment}",
    st.sampled_from(["http", "https", "HTTP"]),
    st.sampled_from(
        ["www.Example.com", "example.com:443", "www.www.a.example.", "bücher.example", "[::1]:8080", "u@x.example"]
    ),
    st.text(max_size=20),
    st.text(max_size=20),
    st.text(max_size=5),
)


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("http://www.example.com/a/", "https://example.com/a"),
        ("HTTPS://Example.com:443/A?utm_source=rss&utm_medium=feed#top", "https://example.com/A"),
        ("http://example.com:80/a?b=2&a=1", "https://example.com/a?a=1&b=2"),
        ("https://example.com:8443/a", "https://example.com:8443/a"),
        ("https://example.com/a?source=rss----1234", "https://example.com/a"),
        ("https://example.com/a?source=annual-report", "https://example.com/a?source=annual-report"),
        ("https://example.com/%7Ejo/%c3%a9", "https://example.com/~jo/%C3%A9"),
        ("https://example.com/é", "https://example.com/%C3%A9"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("https://example.com/?p=12", "https://example.com?p=12"),
        ("  https://example.com/a\n", "https://example.com/a"),
        ("mailto:a@example.com", "mailto:a@example.com"),
    ],
)
def test_links_to_one_page_are_equal(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


@given(URL_PARTS | st.text(max_size=60))
def test_canonical_form_is_total_and_idempotent(url: str) -> None:
    once = canonical_url(url)
    assert canonical_url(once) == once


@pytest.mark.parametrize(("url", "expected"), [("https://a.example", False), ("https://a.example/x", True), ("", False)])
def test_front_page_names_no_document(url: str, expected: bool) -> None:
    assert is_page(url) is expected


def test_document_stays_the_same_whatever_guid_title_and_date_do() -> None:
    one = document_id("a", "http://x.example/p/?utm_source=a", "guid-1", "Title", "2026-01-01", False)
    two = document_id("b", "https://www.x.example/p#c", None, "Other title", "", False)
    assert one == two


def test_link_shared_by_entries_is_told_apart_by_title() -> None:
    ids = {document_id("a", "https://x.example/list", None, title, "", True) for title in ("One", "Two", "One")}
    assert len(ids) == 2


def test_without_link_the_guid_holds_within_its_source() -> None:
    one = document_id("a", None, "17", "Title", "", False)
    assert one == document_id("a", None, "17", "Changed title", "2026-01-01", False)
    assert one != document_id("b", None, "17", "Title", "", False)


def test_front_page_as_link_gives_way_to_guid_then_title_and_date() -> None:
    assert document_id("a", "https://x.example/", "1", "T", "", False) != document_id(
        "a", "https://x.example/", "2", "T", "", False
    )
    assert document_id("a", None, None, "T", "d1", False) != document_id("a", None, None, "T", "d2", False)
    assert document_id("a", None, None, "", "d1", False) is None


def test_title_of_a_shared_link_counts_without_html_case_and_white_space() -> None:
    titles = ["Lumen raises $5M", "LUMEN  raises <b>$5M</b>", "Lumen\u00a0raises &#36;5M"]
    assert len({document_id("a", "https://x.example/list", None, title, "", True) for title in titles}) == 1

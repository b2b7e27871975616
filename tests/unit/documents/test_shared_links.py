from __future__ import annotations

from pipeline.documents.identity import canonical_url, link_id
from pipeline.documents.shared_links import shared_links

LIST = canonical_url("https://x.example/news")


def test_link_is_shared_by_different_titles_and_not_by_one_listed_twice() -> None:
    assert shared_links([(LIST, "Lumen raises $5M"), (LIST, "LUMEN raises <i>$5M</i> ")]) == set()
    assert shared_links([(LIST, "Lumen raises $5M"), (LIST, "Umbra buys Lumen")]) == {LIST}


def test_link_that_was_shared_stays_shared_when_it_comes_alone() -> None:
    assert shared_links([(LIST, "Lumen raises $5M")], {link_id(LIST)}) == {LIST}
    assert shared_links([("https://x.example/other", "T")], {link_id(LIST)}) == set()


def test_front_page_and_missing_link_name_no_document_and_so_are_not_shared() -> None:
    front = canonical_url("https://x.example/")
    assert shared_links([(front, "One"), (front, "Two"), ("", "One"), ("", "Two")]) == set()

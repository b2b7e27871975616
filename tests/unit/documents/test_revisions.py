from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.documents.model import Document
from pipeline.documents.revisions import is_same, newest, supersede

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
TEASER = Document(
    "d1", "wire", "The Wire", "article", "https://x.example/1", "Lumen raises", "Short.", "feed", NOON, 10, "aa", NOON
)
ARTICLE = replace(TEASER, body="The whole text.", body_origin="article", landing_id=11, landing_sha256="bb")


def test_article_replaces_teaser_and_teaser_never_replaces_article() -> None:
    assert supersede(TEASER, ARTICLE).body == "The whole text."
    assert supersede(ARTICLE, replace(TEASER, landing_id=12)) is ARTICLE


def test_title_that_the_feed_changed_is_taken_over_with_the_article_kept() -> None:
    held = supersede(ARTICLE, replace(TEASER, landing_id=12, title="Lumen raises $5M"))
    assert (held.title, held.body) == ("Lumen raises $5M", "The whole text.")


def test_copy_of_another_source_changes_nothing() -> None:
    assert supersede(TEASER, replace(TEASER, source_id="other", body="Other words.", landing_id=12)) is TEASER


def test_article_found_by_another_source_keeps_the_first_source() -> None:
    held = supersede(TEASER, replace(ARTICLE, source_id="other", outlet="Other"))
    assert (held.source_id, held.outlet, held.body) == ("wire", "The Wire", "The whole text.")


def test_old_landing_read_again_does_not_take_back_a_newer_text() -> None:
    newer = replace(TEASER, landing_id=12, body="Corrected.")
    assert supersede(newer, TEASER) is newer


def test_first_landing_and_first_publication_stay() -> None:
    later = replace(
        TEASER, landing_id=12, body="New.", landed_at=NOON + timedelta(days=2), published_at=NOON + timedelta(days=1)
    )
    held = supersede(TEASER, later)
    assert (held.landed_at, held.published_at) == (NOON, NOON)


def test_read_to_catch_up_stays_so_unless_a_date_becomes_known() -> None:
    """A-FS-24: what was read in order to catch up tells nobody."""
    dated = replace(TEASER, is_catch_up=True)
    undated = replace(dated, published_at=None)
    later = replace(TEASER, landing_id=12, body="New.", is_catch_up=False)
    assert supersede(dated, later).is_catch_up is True
    assert supersede(undated, replace(later, published_at=None)).is_catch_up is True
    assert supersede(undated, later).is_catch_up is False


VERSIONS = st.builds(
    lambda origin, source, landing, body: replace(TEASER, body_origin=origin, source_id=source, landing_id=landing, body=body),
    st.sampled_from(["feed", "article"]),
    st.sampled_from(["wire", "other"]),
    st.integers(1, 5),
    st.sampled_from(["a", "b"]),
)


@given(st.lists(VERSIONS, min_size=1, max_size=6))
def test_reading_the_same_again_changes_nothing(versions: list[Document]) -> None:
    ordered = sorted(versions, key=lambda version: version.landing_id)
    [held] = newest(ordered)
    [again] = newest([held, *[version for version in ordered if version.landing_id == held.landing_id][-1:]])
    assert again.body_origin == held.body_origin
    assert is_same(supersede(held, held), held)


def test_order_is_by_landing_then_by_place_in_it() -> None:
    other = replace(TEASER, document_id="d2", landing_id=10)
    assert [item.document_id for item in newest([TEASER, other, ARTICLE])] == ["d2", "d1"]

"""Round types named in texts (FS-50)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.signals.round_types import find_round_types


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("closes Series A round", "series-a"),
        ("a Series A+ financing", "series-a"),
        ("in Series A1 round", "series-a"),
        ("SERIES-C funding", "series-c"),
        ("in pre-Series A round", "pre-series-a"),
        ("raises $9M seed", "seed"),
        ("seed funding of $2M", "seed"),
        ("pre-seed round", "pre-seed"),
        ("a Pre Seed investment", "pre-seed"),
        ("bridge round of $1M", "bridge"),
        ("strategic investment from Oldmoor", "strategic"),
        ("growth equity round", "growth"),
        ("an angel round", "angel"),
        ("convertible note", "convertible-note"),
    ],
)
def test_a_type_is_read_as_a_slug(text: str, slug: str) -> None:
    assert [kind.slug for kind in find_round_types(text)] == [slug]


@pytest.mark.parametrize(
    "text",
    [
        "Series A investors",
        "a seed-stage fund",
        "sunflower seed oil",
        "seed phrase",
        "after its seed round",
        "since its Series A",
        "previous Series B",
    ],
)
def test_the_type_of_something_else_is_no_type(text: str) -> None:
    assert find_round_types(text) == []


def test_an_extension_is_a_flavor() -> None:
    assert find_round_types("closes a Series A extension round")[0].flavor == "extension"


@given(st.text())
def test_slugs_are_lower_case_with_hyphens_whatever_the_text(text: str) -> None:
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.slug) for kind in find_round_types(text))

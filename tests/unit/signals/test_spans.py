"""Where a name stands in a text, without a pattern for each name."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from pipeline.signals.spans import ends_of, stands_in, starts_of


def test_a_name_ends_where_its_word_ends() -> None:
    assert list(ends_of("Acme", "Acme, Acmeworks and MyAcme met Acme")) == [4, 35]


def test_what_stands_before_a_start_does_not_matter() -> None:
    assert list(starts_of("Acme", "MyAcme and Acme")) == [2, 11]


def test_an_empty_name_stands_nowhere() -> None:
    assert not stands_in("", "Acme")


@given(st.text(alphabet="aÄ_1 .", min_size=1, max_size=4), st.text(alphabet="aÄ_1 .", max_size=30))
def test_places_are_those_of_the_pattern(name: str, text: str) -> None:
    places = [end - len(name) for end in ends_of(name, text)]
    pattern = re.compile(rf"(?=(?<!\w){re.escape(name)}(?!\w))")
    assert places == [match.start() for match in pattern.finditer(text)]

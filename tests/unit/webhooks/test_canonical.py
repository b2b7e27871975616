"""The one way a body is written (A-X-9, A-FS-3)."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.webhooks.canonical import RawJson, canonical_part, canonical_text, canonical_word

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def test_keys_are_sorted_at_every_level_without_blanks() -> None:
    assert canonical_text({"b": {"z": 1, "a": [True, None]}, "a": "é"}) == '{"a":"é","b":{"a":[true,null],"z":1}}'


def test_source_text_is_spliced_in_exactly() -> None:
    text = '{ "z":1.10, "a" : 123456789012345678901234567890,\n"dup":1,"dup":2 }'
    assert canonical_text({"m": RawJson(text)}) == '{"m":' + text + "}"


@pytest.mark.parametrize("text", ["", "{", "{}}", "{},{}", '{"a":NaN}', "Infinity", "'a'", "nul", '{"a":1,}', "[" * 100_000])
def test_what_is_not_one_json_value_is_no_raw_json(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any message will do
        RawJson(text)


def test_a_number_of_a_million_digits_passes_through() -> None:
    assert RawJson("1" * 1_000_000).text == "1" * 1_000_000


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), {"a": [float("-inf")]}])
def test_nan_and_infinity_are_refused(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any message will do
        canonical_text(value)


def test_keys_that_are_no_text_are_refused() -> None:
    with pytest.raises(TypeError):
        canonical_text({1: 2})


def test_decimals_keep_their_digits() -> None:
    assert canonical_text([Decimal("10.10"), Decimal("1E+3")]) == "[10.10,1000]"


@given(VALUES)
def test_it_is_json_with_the_same_value_and_stable(value: object) -> None:
    body = canonical_text(value).encode()
    assert json.loads(body) == value
    assert canonical_text(json.loads(body)).encode() == body


@given(VALUES, st.text(st.characters(categories=["Cs", "Ll"]), max_size=3))
def test_a_part_written_once_stands_in_a_body_as_if_it_were_written_there(value: object, beside: str) -> None:
    whole = {"a": beside, "part": {"x": value, "y": beside}}
    assert canonical_text(whole | {"part": canonical_part(whole["part"])}) == canonical_text(whole)


@given(VALUES)
def test_what_is_spliced_into_changes_nothing_of_what_stands_beside_it(value: object) -> None:
    """Beside a spliced text each value is written by itself; without one, all at once by the library."""
    assert canonical_text({"a": value, "b": RawJson("0")}) == canonical_text({"a": value, "b": 0})


def test_lone_surrogates_become_escapes() -> None:
    assert canonical_text({"a": "\ud800"}).encode() == b'{"a":"\\ud800"}'


@given(st.none() | st.text())
def test_a_word_by_itself_is_what_stands_in_a_body(word: str | None) -> None:
    assert canonical_word(word) == canonical_text(word)

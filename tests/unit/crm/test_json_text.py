"""The text of metadata is cut out of the JSON it came in: A-FS-3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crm.json_text import JsonRow, row_of_text, rows_of_member

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def test_metadata_text_is_the_slice_as_sent() -> None:
    row = row_of_text(' { "external_id":"a" , "metadata" : { "b" : 1.0 , "b":2 } , "name":"x" } ')
    assert isinstance(row, JsonRow)
    assert row.metadata_text == '{ "b" : 1.0 , "b":2 }'
    assert row["external_id"] == "a"


@pytest.mark.parametrize("text", ['{"name":"x"}', '{"metadata":null}', "{}"])
def test_absent_or_null_metadata_has_no_text(text: str) -> None:
    assert row_of_text(text).metadata_text is None


def test_of_a_repeated_member_the_last_counts() -> None:
    assert row_of_text('{"metadata":{"a":1},"metadata":{"a":2}}').metadata_text == '{"a":2}'
    assert rows_of_member('{"accounts":[1],"accounts":[2]}', "accounts") == [2]


def test_a_number_is_never_taken_for_text() -> None:
    assert not isinstance(row_of_text('{"external_id":12345678901234567890}')["external_id"], str)


@pytest.mark.parametrize(
    "text", ["", "{", '{"a":}', '{"a":1,}', "{'a':1}", '{"a":NaN}', "{} {}", "[" * 100_000, "nope", '{"a" 1}']
)
def test_what_is_no_json_raises(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text is that of Python's reader
        row_of_text(text)
    with pytest.raises(ValueError):  # noqa: PT011
        rows_of_member(text, "accounts")


@pytest.mark.parametrize("text", ["[]", "5", '"x"', "{}", '{"accounts":{}}', '{"accounts":null}'])
def test_a_body_without_the_array_has_no_rows(text: str) -> None:
    assert rows_of_member(text, "accounts") is None


def test_rows_of_a_body_keep_their_texts() -> None:
    body = '{"accounts": [ {"external_id":"a","metadata":{"x": 1}}, 5, {"metadata":{"y":2.50}} ] , "other":{}}'
    rows = rows_of_member(body, "accounts")
    assert rows is not None
    assert [row.metadata_text if isinstance(row, JsonRow) else row for row in rows] == ['{"x": 1}', 5, '{"y":2.50}']


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=5), VALUES, st.sampled_from([None, 1, "\t"]))
def test_reading_agrees_with_json_for_any_text(members: dict[str, Any], metadata: Any, indent: Any) -> None:
    members = members | {"metadata": metadata}
    text = json.dumps({"accounts": [members]}, indent=indent)
    rows = rows_of_member(text, "accounts")
    assert rows == json.loads(text)["accounts"]
    if metadata is not None:
        assert json.loads(rows[0].metadata_text) == metadata


NAMES = st.sampled_from(["metadata", "name", 'x"metadata', "metadata ", "Metadata", "é"]) | st.text(max_size=5)
TRICKY = st.recursive(
    st.none() | st.booleans() | st.integers() | NAMES,
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, TRICKY), TRICKY, st.booleans(), st.sampled_from([None, 1]))
def test_metadata_found_at_once_is_what_reading_every_member_finds(
    others: dict[str, object], metadata: object, is_ascii: bool, indent: int | None
) -> None:
    row = row_of_text(json.dumps(others | {"metadata": metadata}, ensure_ascii=is_ascii, indent=indent))
    assert row.metadata_text == (None if metadata is None else row.texts["metadata"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"m\\u0065tadata": {"metadata": 1}}', '{"metadata": 1}'),
        ('{"x": {"metadata": 1}, "me\\u0074adata": [2]}', "[2]"),
        ('{"x": {"metadata": 1}, "metadata": [2]}', "[2]"),
        ('{"name": "metadata", "metadata" : [2]}', "[2]"),
        ('{"x\\"metadata": 1, "metadata": [2]}', "[2]"),
        ('{"name": "caf\\u00e9", "metadata": {"a": 1.10}}', '{"a": 1.10}'),
    ],
)
def test_metadata_is_the_member_of_the_row_itself_however_it_is_written(text: str, expected: str) -> None:
    assert row_of_text(text).metadata_text == expected

"""The quick way into a batch: what it accepts, it reads as the exact way does; all else it leaves alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crm.batches import plain_rows
from pipeline.crm.json_text import JsonRow, rows_of_member
from pipeline.crm.rows import PARSERS, Row

MEMBERS = {"account": "accounts", "contact": "contacts"}
TEXTS = st.one_of(st.none(), st.text(max_size=6), st.sampled_from(["", " ", "\u2003", "x" * 300, "a\0b", "\ud800", "💶"]))
VALUES = st.recursive(
    st.one_of(TEXTS, st.booleans(), st.integers(), st.floats()), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)
)
NAMES = ["external_id", "name", "domain", "email", "first_name", "last_name", "account_external_id", "other"]
ROWS = st.one_of(
    VALUES,
    st.fixed_dictionaries(
        {"external_id": TEXTS},
        optional=dict.fromkeys(NAMES[1:], TEXTS) | {"metadata": st.one_of(VALUES, st.dictionaries(TEXTS, VALUES))},
    ),
)


def exactly(kind: str, text: str) -> list[Row] | None:
    """The rows by the exact way, None where it finds anything wrong."""
    try:
        found = rows_of_member(text, MEMBERS[kind])
    except ValueError:
        return None
    if found is None:
        return None
    parsed = [PARSERS[kind](raw, raw.metadata_text if isinstance(raw, JsonRow) else None) for raw in found]
    return None if any(isinstance(row, list) for row in parsed) else parsed  # type: ignore[return-value]


@given(st.sampled_from(["account", "contact"]), st.lists(ROWS, max_size=3), st.booleans(), st.sampled_from([None, 1]))
def test_a_fs_3_what_the_quick_way_accepts_it_reads_as_the_exact_way(
    kind: str, rows: list[Any], is_ascii: bool, indent: int | None
) -> None:
    text = json.dumps({MEMBERS[kind]: rows}, ensure_ascii=is_ascii, indent=indent)
    assert plain_rows(kind, text) in (None, exactly(kind, text))


@given(st.text(alphabet='{}[]",:\\u0d8aeE+-.19 \tnultrfas'), st.booleans())
def test_metadata_that_the_quick_way_accepts_is_json(metadata: str, is_object: bool) -> None:
    text = f'{{"accounts":[{{"external_id":"a","name":"n","metadata":{"{" if is_object else ""}{metadata}}}]}}'
    assert plain_rows("account", text) in (None, exactly("account", text))


METADATA = [
    '{"b":1,"a":2}',
    '{ "spaced" :\t[ 1 , 2 ] }',
    '{"big":123456789012345678901234567890,"decimal":1.10,"exponent":1E400,"minus_zero":-0.0}',
    '{"a":1,"a":2}',
    '{"text":"Zürich 東京 💶","escaped":"\\u00e9\\/\\ud83d\\ude00","nul":"\\u0000"}',
    "{}",
    '{"digits":' + "9" * 5_000 + "}",
]


@pytest.mark.parametrize("metadata", METADATA)
def test_a_fs_3_usual_metadata_goes_the_quick_way_as_its_exact_text(metadata: str) -> None:
    text = f'{{"accounts":[{{"external_id":"a","metadata": {metadata} ,"name":"n","extra":1}}]}}'
    rows = plain_rows("account", text)
    assert rows is not None
    assert rows == exactly("account", text)
    assert rows[0].metadata_json == metadata


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"accounts":{}}',
        '{"accounts":[1]}',
        '{"accounts":[{"external_id":"a"}]}',
        '{"accounts":[{"external_id":7,"name":"n"}]}',
        '{"accounts":[{"external_id":"a","name":"n","metadata":"{}"}]}',
        '{"accounts":[{"external_id":"a","name":"n","metadata":[1]}]}',
        '{"accounts":[{"external_id":"a","name":"n","metadata":{"x":NaN}}]}',
        '{"accounts":[{"external_id":"a\\u0000","name":"n"}]}',
        '{"accounts":[{"external_id":"a","name":" "}]}',
        '{"accounts":[{"external_id":"a","name":"n","metadata":' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}]}",
        '{"accounts":[{"external_id":"a","name":"n","metadata":{"a":' + "[" * 300 + "]" * 300 + "}}]}",
        '{"accounts":[{"external_id":"a","name":"n","metadata":{"x":"' + "y" * 65_536 + '"}}]}',
    ],
)
def test_the_least_doubt_is_left_to_the_exact_way(text: str) -> None:
    assert plain_rows("account", text) is None

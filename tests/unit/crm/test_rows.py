"""What a CRM row is: FS-9, FS-15, FSV-3 to FSV-5, A-FS-3."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crm.rows import AccountRow, ContactRow, parse_account, parse_contact

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def test_account_with_all_fields() -> None:
    """FS-9"""
    raw = {"external_id": "a1", "name": "Brightloom", "domain": "brightloom.ai", "metadata": {"b": 1, "a": "ä"}, "extra": 1}
    assert parse_account(raw) == AccountRow("a1", "Brightloom", "brightloom.ai", '{"b":1,"a":"ä"}')


def test_contact_with_all_fields_and_with_the_least() -> None:
    """FSV-5"""
    raw = {
        "external_id": "c1",
        "email": "jo@brightloom.ai",
        "first_name": "Jo",
        "last_name": "Vogt",
        "account_external_id": "a1",
        "metadata": {},
    }
    assert parse_contact(raw) == ContactRow("c1", "jo@brightloom.ai", "Jo", "Vogt", "a1", "{}")
    assert parse_contact({"external_id": "c1", "email": "", "metadata": None}) == ContactRow("c1")


@pytest.mark.parametrize("external_id", [None, "", "  ", 5, ["a"], {}, True])
def test_external_id_must_be_a_non_empty_string(external_id: Any) -> None:
    """FSV-3"""
    assert parse_account({"external_id": external_id, "name": "x"}) == [
        "external_id is required and must be a non-empty string"
    ]


@pytest.mark.parametrize("metadata", ["text", 5, [1], True, "[1]", '{"a":NaN}', '{"a":1', "{}x", ""])
def test_metadata_must_be_a_json_object(metadata: Any) -> None:
    """FSV-3"""
    assert parse_account({"external_id": "a", "name": "x", "metadata": metadata}) == ["metadata must be a JSON object"]


def test_all_reasons_of_a_row_are_given() -> None:
    assert parse_account({"domain": 5, "metadata": 1}) == [
        "external_id is required and must be a non-empty string",
        "name is required and must be a non-empty string",
        "domain must be a string or null",
        "metadata must be a JSON object",
    ]


@pytest.mark.parametrize("row", [None, 5, "text", ["list"]])
def test_what_is_no_object_is_no_row(row: Any) -> None:
    assert parse_account(row) == ["row must be a JSON object"]
    assert parse_contact(row) == ["row must be a JSON object"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a\0b", "name must not contain the NUL character"),
        ("a\ud800b", "name must be valid Unicode (it holds a lone surrogate)"),
        ("x" * 1_001, "name must have at most 1000 characters (it has 1001)"),
    ],
)
def test_text_no_database_takes_is_refused_with_the_reason(name: str, reason: str) -> None:
    assert parse_account({"external_id": "a", "name": name}) == [reason]


def test_metadata_sent_as_text_is_kept_to_the_byte() -> None:
    """A-FS-3"""
    text = '{ "b":1.10, "b": 1e400, "n": 123456789012345678901234567890, "z": "\\u0000\\ud800" }'
    row = parse_account({"external_id": "a", "name": "x", "metadata": {"b": 1}}, text)
    assert isinstance(row, AccountRow)
    assert row.metadata_json == text


def test_a_number_of_any_length_and_deep_nesting_break_nothing() -> None:
    assert isinstance(parse_account({"external_id": "a", "name": "x"}, '{"n":' + "9" * 9_000 + "}"), AccountRow)
    deep = '{"n":' * 10_000 + "1" + "}" * 10_000
    assert parse_account({"external_id": "a", "name": "x"}, deep) == ["metadata must be a JSON object"]


def test_content_hash_tells_absent_from_empty_and_fields_apart() -> None:
    rows = [
        AccountRow("a", "x", "y"),
        AccountRow("a", "xy", None),
        AccountRow("a", "x", None, "{}"),
        AccountRow("a", "x", None),
    ]
    assert len({row.content_hash for row in rows}) == 4
    assert AccountRow("a", "x").content_hash == AccountRow("b", "x").content_hash


@given(st.dictionaries(st.sampled_from(["external_id", "name", "domain", "email", "account_external_id", "metadata"]), JSON))
def test_parsing_is_total(raw: dict[str, Any]) -> None:
    for parse, kind in ((parse_account, AccountRow), (parse_contact, ContactRow)):
        parsed = parse(raw)
        assert isinstance(parsed, kind) or (isinstance(parsed, list) and parsed)


@given(*[st.one_of(st.none(), st.text())] * 2)
def test_a_row_s_hash_is_that_of_its_values_as_json(domain: str | None, metadata_json: str | None) -> None:
    """Stored with every row: another text would make every row look changed."""
    expected = hashlib.sha256(json.dumps(["account", "n", domain, metadata_json]).encode()).hexdigest()[:32]
    assert AccountRow("id", "n", domain, metadata_json).content_hash == expected
    expected = hashlib.sha256(json.dumps(["contact", domain, None, None, "a", metadata_json]).encode()).hexdigest()[:32]
    assert ContactRow("id", domain, None, None, "a", metadata_json).content_hash == expected

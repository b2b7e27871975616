"""Cursors: what goes in comes out, and nothing else is one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.api.cursors import Cursor, cursor_text, parse_cursor, sealed

instants = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
filters = st.dictionaries(st.text(max_size=10), st.none() | st.lists(st.text(max_size=10)), max_size=3)


@given(instants, st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60), filters)
def test_a_cursor_comes_back_as_it_went(at: datetime, row_id: str, held: dict[str, object]) -> None:
    text = cursor_text("matches", Cursor(at, row_id, held))
    assert text.isascii()
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert parse_cursor("matches", text) == Cursor(at, row_id, held)
    assert parse_cursor("rounds", text) is None


@given(st.text())
def test_any_other_text_is_none(text: str) -> None:
    assert parse_cursor("matches", text) is None
    assert parse_cursor("matches", f"c1_{text}") is None


def test_a_cursor_that_was_cut_or_changed_is_none() -> None:
    text = cursor_text("matches", Cursor(datetime(2026, 5, 12, tzinfo=UTC), "m1", {"status": ["failed"]}))
    assert all(parse_cursor("matches", text[:end]) is None for end in range(len(text)))
    changed = [text[:at] + ("B" if text[at] == "A" else "A") + text[at + 1 :] for at in range(3, len(text) - 1)]
    assert all(parse_cursor("matches", other) is None for other in changed)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{}", b"[1]", b'["2026-05-12T00:00:00Z",7,{}]', b'[5,"m1",{}]', b'["2026-05-12T00:00:00Z","m1",[]]',
        b'["2026-05-12T00:00:00Z","\\ud800",{}]', b'["2026-05-12T00:00:00Z","a\\u0000",{}]', b"\xff", b"[" * 2_500,
    ],
)  # fmt: skip
def test_a_fs_10_a_forged_cursor_with_a_right_check_sum_is_none(content: bytes) -> None:
    assert parse_cursor("matches", sealed("matches", content)) is None

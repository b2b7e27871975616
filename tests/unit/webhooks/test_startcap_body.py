"""Bodies of StartCap events: canonical, and in ASCII, whatever a person is called (SC-77, SC-86)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from pipeline.webhooks.startcap import event_body

AT = datetime(2026, 5, 12, 3, 54, tzinfo=timezone(timedelta(hours=2)))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def test_sc_77_a_body_has_three_keys_and_says_when_in_utc() -> None:
    assert event_body("lead.status_changed", {"b": "Zoë 🚣", "a": None}, AT) == (
        '{"data":{"a":null,"b":"Zo\\u00eb \\ud83d\\udea3"},"event":"lead.status_changed","timestamp":"2026-05-12T01:54:00Z"}'
    )


@given(st.dictionaries(TEXT, TEXT, max_size=4))
def test_sc_86_any_text_comes_back_and_the_bytes_mean_the_same_in_any_charset(data: dict[str, str]) -> None:
    body = event_body("lead.status_changed", data, AT.astimezone(UTC)).encode()
    assert body.isascii()
    assert json.loads(body.decode("latin-1"))["data"] == data

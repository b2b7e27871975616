"""Instants as callers write them (A-FS-10)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.api.times import instant_text, parse_instant, seconds_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-15T00:00:00Z", datetime(2026, 5, 15, tzinfo=UTC)),
        ("2026-05-15t00:00:00z", datetime(2026, 5, 15, tzinfo=UTC)),
        ("2026-05-15 00:00:00Z", datetime(2026, 5, 15, tzinfo=UTC)),
        ("2026-05-15", datetime(2026, 5, 15, tzinfo=UTC)),
        ("2026-05-15T02:00:00+02:00", datetime(2026, 5, 15, tzinfo=UTC)),
        ("2026-05-15T02:00:00 02:00", datetime(2026, 5, 15, tzinfo=UTC)),
        ("2026-05-14T19:30:00-04:30", datetime(2026, 5, 15, tzinfo=UTC)),
        ("2026-05-15T00:00:00.5Z", datetime(2026, 5, 15, 0, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-05-15T00:00:00.123456789Z", datetime(2026, 5, 15, 0, 0, 0, 123_456, tzinfo=UTC)),
    ],
)
def test_rfc_3339(text: str, expected: datetime) -> None:
    assert parse_instant(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026",
        "2026-05",
        "20260515",
        "2026-05-15T00:00:00",
        "2026-05-15T00:00Z",
        "2026-02-30",
        "2026-05-15T24:00:01Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "0000-01-01",
        "2026-05-15T00:00:00.Z",
        "２０２６-05-15",
        "1747267200",
    ],
)
def test_what_is_no_instant(text: str) -> None:
    assert parse_instant(text) is None


@given(st.text())
def test_any_text_is_an_instant_or_none(text: str) -> None:
    parsed = parse_instant(text)
    assert parsed is None or parsed.tzinfo is UTC


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_instants_come_back(instant: datetime) -> None:
    assert parse_instant(instant_text(instant)) == instant


def test_instants_are_told_in_utc() -> None:
    east = datetime(2026, 5, 15, 2, 0, 0, 7, tzinfo=timezone(timedelta(hours=2)))
    assert instant_text(east) == "2026-05-15T00:00:00.000007Z"
    assert seconds_text(east) == "2026-05-15T00:00:00Z"

"""Whether the machine's clock is right, by what sources say, and what is done about a wrong one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.documents import clock
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.documents import SourceState

NOW = datetime(2026, 5, 12, 1, 54, 0, tzinfo=UTC)
DATE = "Tue, 12 May 2026 01:50:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Date": DATE}, 240),
        ({"Date": "Tue, 12 May 2026 03:54:00 +0200"}, 0),
        ({"Date": "Tue, 12 May 2026 01:56:00 GMT"}, -120),
        ({"Date": DATE, "Age": "230"}, 10),
        ({"Date": "now"}, None),
        ({"Date": DATE, "Age": "old"}, None),
        ({}, None),
    ],
)
def test_an_answer_says_what_time_it_was_when_it_was_made(headers: dict[str, str], seconds: float | None) -> None:
    assert clock.seconds_ahead(headers, NOW) == seconds


def polled(database: AppDatabase, *said: tuple[str, float | None, float]) -> None:
    """States of sources: by how many seconds they found our clock ahead, and how many minutes before NOW."""
    with database.write() as session:
        for source, ahead, minutes in said:
            memory = {"fingerprint": "-"} if ahead is None else {clock.MEMORY: ahead}
            session.add(SourceState(source_id=source, last_polled_at=NOW - timedelta(minutes=minutes), memory=memory))


def test_most_sources_are_believed_and_a_single_one_is_not(app_database: AppDatabase) -> None:
    polled(app_database, ("right", 1, 0), ("wrong", 90_000, 1), ("silent", None, 0))
    assert clock.clock_ahead(app_database) is None
    assert clock.complaint(app_database) == ""
    polled(app_database, ("also_right", 3, 2), ("long_ago", 90_000, 61))
    assert clock.clock_ahead(app_database) == 3
    assert clock.complaint(app_database) == ""


@pytest.mark.parametrize(
    ("ahead", "words"), [(600, "10 minutes ahead of"), (-10_800, "3 hours behind"), (63_072_000, "730 days ahead of")]
)
def test_a_wrong_clock_is_said_with_its_size_and_its_direction(app_database: AppDatabase, ahead: float, words: str) -> None:
    polled(app_database, ("a", ahead, 0), ("b", ahead + 1, 0), ("c", ahead - 1, 0))
    assert f"clock is some {words} what most sources say: nothing is sent" in clock.complaint(app_database)

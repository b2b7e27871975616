"""Which days a daily sync does."""

from __future__ import annotations

from datetime import date, timedelta

import dagster as dg
import pytest

from pipeline.defs.jobs import day_tags, first_day_to_do

LAST = date(2026, 5, 12)


@pytest.mark.parametrize(
    ("done", "first"),
    [
        (set(), LAST),
        ({"2026-05-11"}, LAST),
        ({"2026-05-12"}, LAST),  # asked for again: the same day, with the same result
        ({"2026-05-09"}, date(2026, 5, 10)),
        ({"2026-05-01", "2026-05-08"}, date(2026, 5, 9)),
        ({"2026-05-09", "2026-05-12", "2026-05-13"}, date(2026, 5, 10)),
        ({"2025-01-01"}, LAST - timedelta(days=30)),
    ],
)
def test_days_missed_since_the_newest_done_are_made_up_for(done: set[str], first: date) -> None:
    assert first_day_to_do(LAST, done) == first


def test_run_is_found_by_its_day() -> None:
    tags = day_tags(date(2026, 5, 10), LAST)
    assert tags["fundingscout/day"] == "2026-05-12"
    assert dg.DailyPartitionsDefinition("2026-01-01").get_partition_keys_in_range(
        dg.PartitionKeyRange(tags["dagster/asset_partition_range_start"], tags["dagster/asset_partition_range_end"])
    ) == ["2026-05-10", "2026-05-11", "2026-05-12"]

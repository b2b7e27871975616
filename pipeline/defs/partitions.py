"""The one partitioning of this pipeline: days, in UTC."""

from datetime import UTC, date, datetime

import dagster as dg


def daily_partitions(first_day: date) -> dg.DailyPartitionsDefinition:
    """Days from ``first_day`` up to and including the running one: what was missed this morning can be recovered today."""
    return dg.DailyPartitionsDefinition(
        start_date=datetime(first_day.year, first_day.month, first_day.day, tzinfo=UTC), end_offset=1
    )

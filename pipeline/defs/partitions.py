"""The one partitioning of this pipeline: days, in UTC."""

import warnings
from datetime import UTC, date, datetime

import dagster as dg

# One run for any number of days. Dagster calls the setting beta, on every start of every process.
warnings.filterwarnings("ignore", message="Parameter `backfill_policy`", category=dg.BetaWarning)
ONE_RUN = dg.BackfillPolicy.single_run()


def daily_partitions(first_day: date) -> dg.DailyPartitionsDefinition:
    """Days from ``first_day`` up to and including the running one: what was missed this morning can be recovered today."""
    return dg.DailyPartitionsDefinition(
        start_date=datetime(first_day.year, first_day.month, first_day.day, tzinfo=UTC), end_offset=1
    )

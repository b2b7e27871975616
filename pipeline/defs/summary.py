"""The asset of daily summaries: each day in words, as a file, and where operators read, if they want it there."""

from datetime import date

import dagster as dg

from pipeline.defs import common
from pipeline.defs.common import InstallationParam
from pipeline.defs.partitions import ONE_RUN, daily_partitions
from pipeline.upkeep.daily_summary import DailySummary, daily_summary
from pipeline.webhooks import notices

NOTICE = "daily_summary"
# Days of one run that are shown in the UI; the files are all there.
MOST_SHOWN = 7


def build_summary_asset(first_day: date) -> dg.AssetsDefinition:
    """The asset ``core/daily_summary``, with partitions from ``first_day`` on."""

    @dg.asset(
        key=common.DAILY_SUMMARY,
        deps=[common.FUNDING_ROUNDS, common.MATCH_REVIEWS, common.WEBHOOK_DELIVERIES, common.SOURCE_HOURS],
        partitions_def=daily_partitions(first_day),
        backfill_policy=ONE_RUN,
        group_name=common.OVERVIEW,
        pool=common.WAREHOUSE_POOL,
        owners=common.PARTNER_OWNERS,
        kinds={"python", "markdown"},
        tags={"layer": "overview"},
    )
    def daily_summary_text(context: dg.AssetExecutionContext, installation: InstallationParam) -> dg.MaterializeResult:
        """One text per day (UTC): what came in, the rounds, who was told, what failed, what waits for a word, and which
        sources are late.

        Written by the daily sync for the day before to `summaries/DAY.md` in this installation's home, and shown here. With
        `FUNDINGSCOUT_DAILY_SUMMARY_WEBHOOK` on it goes to the operators' webhook too, once for each day. Materialise any day again
        at any time: the file is written anew from what the warehouse holds now, and is not sent again. If it fails, nothing is
        held up.
        """
        days = [date.fromisoformat(key) for key in sorted(context.partition_keys)]
        with installation.warehouse.open() as connection:
            summaries = [daily_summary(connection, day, installation.now()) for day in days]
        folder = installation.settings.home.absolute() / "summaries"
        folder.mkdir(parents=True, exist_ok=True)
        for summary in summaries:
            fresh = folder / f".{summary.day}.new"
            fresh.write_text(summary.markdown, encoding="utf-8")
            fresh.replace(folder / f"{summary.day}.md")
        # The newest day alone: after a week's silence, or in a backfill, a chat shall not be flooded.
        is_sent = installation.settings.daily_summary_webhook and _send(installation, summaries[-1])
        shown = "\n\n".join(summary.markdown for summary in reversed(summaries[-MOST_SHOWN:]))
        return dg.MaterializeResult(
            metadata={
                "summary": dg.MetadataValue.md(shown),
                "file": dg.MetadataValue.path(folder / f"{summaries[-1].day}.md"),
                "days": len(days),
                "days_with_trouble": sum(summary.is_trouble for summary in summaries),
                "sent": is_sent,
            }
        )

    return daily_summary_text


def _send(installation: InstallationParam, summary: DailySummary) -> bool:
    """Note it for the operators' webhook, unless that day was noted before; sent with whatever else waits to be told."""
    details = {"day": summary.day.isoformat(), "markdown": summary.markdown, "is_trouble": summary.is_trouble}
    message = f"Summary of {summary.day}"
    return notices.record(installation.database, NOTICE, message, details, installation.now())

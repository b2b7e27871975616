"""Jobs and schedules."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import dagster as dg

from pipeline.defs import common
from pipeline.defs.delivery import replay_job
from pipeline.defs.housekeeping import housekeeping_job
from pipeline.defs.partners import KEYS as PARTNER_TABLES
from pipeline.defs.partners import PARTNER_LEADS_JOB
from pipeline.defs.recovery import REEXTRACTED_DAYS, REMATCHED_DAYS, TRIED_DAYS
from pipeline.defs.reviews import decide_reviews

SYNC, DELIVER, DAILY_SYNC, BACKFILL, SOURCE_HEALTH = "sync", "deliver", "daily_sync", "backfill", "source_health"
BACKFILL_DRY_RUN = "backfill_dry_run"

IN_ONE_HOP = [
    common.DOCUMENTS,
    common.REJECTED_DOCUMENTS,
    common.MENTIONS,
    common.FUNDING_ROUNDS,
    common.CRM_ACCOUNTS,
    common.CRM_CONTACTS,
    common.MATCHES,
    common.NEAR_MISSES,
    common.SIGNALS_PUBLISHED,
    common.WEBHOOK_DELIVERIES,
    common.MATCH_REVIEWS,
]
ONCE_A_DAY = [common.SOURCE_HOURS, common.CRM_SNAPSHOTS, common.PICTURES, common.DAILY_SUMMARY]
# After a longer silence the newest days are made up for; the others are a backfill of `core/crm_snapshots` by hand.
MOST_DAYS_CAUGHT_UP = 31


def build_jobs() -> list[Any]:
    """The jobs; those whose assets have days are by day themselves."""
    return [
        dg.define_asset_job(
            SYNC,
            # Checks read whole tables; they belong to the daily sync, not into the path to the partner.
            selection=dg.AssetSelection.assets(*IN_ONE_HOP).without_checks(),
            executor_def=dg.in_process_executor,
            description="The main job, in one process: documents, mentions, rounds, CRM changes, matches, deliveries.",
        ),
        dg.define_asset_job(
            DELIVER,
            selection=dg.AssetSelection.assets(common.WEBHOOK_DELIVERIES).without_checks(),
            executor_def=dg.in_process_executor,
            description="Sends whatever is pending in the outbox.",
        ),
        dg.define_asset_job(
            DAILY_SYNC,
            selection=dg.AssetSelection.assets(*IN_ONE_HOP, *ONCE_A_DAY, *PARTNER_TABLES),
            executor_def=dg.in_process_executor,
            description=(
                "Once a day: a full pass of the main job with all checks, then the CRM snapshot of the day before, the pictures "
                "and the summary. Days that were missed are made up for. The marts follow it."
            ),
        ),
        dg.define_asset_job(
            BACKFILL,
            selection=dg.AssetSelection.assets(REEXTRACTED_DAYS, REMATCHED_DAYS),
            executor_def=dg.in_process_executor,
            description=(
                "Works through any range of days again: reads their documents with today's extractor, matches their rounds "
                "with today's CRM (or that day's). Holds what it finds unless `deliver: true`."
            ),
        ),
        dg.define_asset_job(
            BACKFILL_DRY_RUN,
            selection=dg.AssetSelection.assets(TRIED_DAYS),
            executor_def=dg.in_process_executor,
            description="Shows what a backfill of these days would change and send, on a copy: it changes and sends nothing.",
        ),
        dg.define_asset_job(
            SOURCE_HEALTH,
            selection=dg.AssetSelection.assets(common.SOURCE_HOURS),
            executor_def=dg.in_process_executor,
            description="Copies the hourly counts of the sources' polls into the warehouse.",
        ),
        dg.define_asset_job(
            PARTNER_LEADS_JOB,
            selection=dg.AssetSelection.assets(*PARTNER_TABLES),
            executor_def=dg.in_process_executor,
            description="Takes in StartCap's status snapshots, tells partners what changed, copies leads and earnings.",
        ),
        replay_job,
        housekeeping_job,
        decide_reviews,
    ]


def build_schedules(cron: str, time_zone: str) -> list[dg.ScheduleDefinition]:
    """The schedules; the daily sync at ``cron`` in ``time_zone``."""

    @dg.schedule(
        name="daily_sync",
        job_name=DAILY_SYNC,
        cron_schedule=cron,
        execution_timezone=time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="The daily sync, for the day that has just ended.",
    )
    def daily_sync(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        last = context.scheduled_execution_time.date() - timedelta(days=1)
        done = context.instance.get_materialized_partitions(common.CRM_SNAPSHOTS)
        first = first_day_to_do(last, done)
        return dg.RunRequest(run_key=f"daily_sync:{last}", tags=day_tags(first, last))

    return [
        daily_sync,
        dg.ScheduleDefinition(
            name="source_health",
            job_name=SOURCE_HEALTH,
            cron_schedule="7 * * * *",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        ),
        dg.ScheduleDefinition(
            name="partner_leads",
            job_name=PARTNER_LEADS_JOB,
            cron_schedule="37 * * * *",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        ),
        dg.ScheduleDefinition(
            name="housekeeping",
            job_name=housekeeping_job.name,
            cron_schedule="30 3 * * *",
            execution_timezone=time_zone,
            default_status=dg.DefaultScheduleStatus.RUNNING,
        ),
    ]


def first_day_to_do(last: date, done: Collection[str]) -> date:
    """Where a daily sync for ``last`` begins: at the day after the newest that is done, or ``last`` itself.

    The daemon makes up for the newest missed tick alone; the days before it are made up for here, in the same run.
    """
    newest = max((date.fromisoformat(key) for key in done if date.fromisoformat(key) < last), default=None)
    if newest is None:
        return last
    return max(newest + timedelta(days=1), last - timedelta(days=MOST_DAYS_CAUGHT_UP - 1))


def day_tags(first: date, last: date) -> dict[str, str]:
    """Tags of one run for all days from ``first`` to ``last``; `fundingscout/day` is what runs are filtered by."""
    days = {"dagster/asset_partition_range_start": first.isoformat(), "dagster/asset_partition_range_end": last.isoformat()}
    return days | {"fundingscout/day": last.isoformat()}

"""Keeping what grows from growing: retention in both stores and the landing, and Dagster's own history."""

from datetime import datetime, timedelta

import dagster as dg
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_START_TAG, PARTITION_NAME_TAG

from pipeline.defs import common
from pipeline.defs.common import InstallationParam
from pipeline.upkeep.retention import RetentionPolicy, apply_retention

# Deleting a run means deleting its events; so many a night keeps up with a run every half minute.
MOST_RUNS_A_NIGHT = 5_000
FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
OF_DAYS = (PARTITION_NAME_TAG, ASSET_PARTITION_RANGE_START_TAG)


@dg.op(
    description="Deletes or compacts what is older than the RETENTION_ settings say: bodies, texts, attempts, old versions.",
    pool=common.WAREHOUSE_POOL,
)
def apply_retention_policy(context: dg.OpExecutionContext, installation: InstallationParam) -> dict[str, int]:
    """Rows and files that were deleted or compacted, by what they were."""
    done = apply_retention(
        installation.database,
        installation.warehouse,
        installation.landing,
        RetentionPolicy.of(installation.settings),
        installation.now(),
        context.log.info,
    )
    context.add_output_metadata({name: count for name, count in done.items() if count})
    return done


@dg.op(
    description="Deletes runs that ended more than RETENTION_DAYS ago, with their events. Runs of days (snapshots, backfills) are "
    "kept for RETENTION_HISTORY_DAYS: the bar of partitions is made of their events.",
    ins={"after": dg.In(dg.Nothing)},
)
def delete_old_runs(context: dg.OpExecutionContext, installation: InstallationParam) -> None:
    """Deletes the oldest finished runs, at most ``MOST_RUNS_A_NIGHT``, and results of checks as old."""
    settings = installation.settings
    oldest_kept = installation.now() - timedelta(days=settings.retention_days)
    oldest_of_days = installation.now() - timedelta(days=max(settings.retention_days, settings.retention_history_days))
    records = context.instance.get_run_records(
        dg.RunsFilter(statuses=FINISHED, created_before=oldest_kept),
        limit=MOST_RUNS_A_NIGHT + settings.retention_history_days,
        ascending=True,
    )
    old = [
        record.dagster_run.run_id
        for record in records
        if record.create_timestamp < oldest_of_days or not any(tag in record.dagster_run.tags for tag in OF_DAYS)
    ][:MOST_RUNS_A_NIGHT]
    for run_id in old:
        context.instance.delete_run(run_id)
    checks = delete_old_check_results(context.instance, oldest_kept)
    context.log.info("deleted %d runs and %d results of checks from before %s", len(old), checks, oldest_kept.date())


def delete_old_check_results(instance: dg.DagsterInstance, before: datetime) -> int:
    """Results of asset checks from before ``before``; how many. Dagster keeps them when it deletes their run."""
    storage = instance.event_log_storage
    storage = getattr(storage, "_storage", storage) if not isinstance(storage, SqlEventLogStorage) else storage
    if not isinstance(storage, SqlEventLogStorage):
        return 0
    with storage.index_connection() as connection:
        old = AssetCheckExecutionsTable.c.create_timestamp < before.replace(tzinfo=None)
        return int(connection.execute(AssetCheckExecutionsTable.delete().where(old)).rowcount)


@dg.job(
    executor_def=dg.in_process_executor,
    description="Applies the retention policy and deletes old runs, so that a year costs what the first week did.",
)
def housekeeping() -> None:
    """The job of the nightly ``housekeeping`` schedule."""
    delete_old_runs(apply_retention_policy())


housekeeping_job = housekeeping

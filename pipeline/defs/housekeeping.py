"""Keeping what grows from growing: retention in both stores and the landing, and Dagster's own history."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_START_TAG, PARTITION_NAME_TAG

from pipeline.defs import common
from pipeline.defs.common import InstallationParam
from pipeline.upkeep.retention import RetentionPolicy, apply_retention

# Deleting a run means deleting its events; so many a night keeps up with a run every half minute.
MOST_RUNS_A_NIGHT = 5_000
RUNS_AT_ONCE = 500
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
    files = delete_files_of_gone_runs(context.instance, installation.now() - timedelta(days=1))
    checks = delete_old_check_results(context.instance, oldest_kept)
    context.log.info(
        "deleted %d runs, %d results of checks from before %s, %d files of runs that are gone",
        len(old), checks, oldest_kept.date(), files,
    )  # fmt: skip


def delete_files_of_gone_runs(instance: dg.DagsterInstance, before: datetime) -> int:
    """On SQLite Dagster keeps each run's events in a file of its own, and leaves the file (some 130 kB, with nothing in it) when it
    deletes the run. Deletes those last written before ``before`` whose run is not known any more; how many."""
    storage = _events(instance)
    if not isinstance(storage, SqliteEventLogStorage):
        return 0
    folder = Path(storage.path_for_shard(INDEX_SHARD_NAME)).parent
    files = {
        file.stem: file
        for file in folder.glob("*.db")
        if file.stem != INDEX_SHARD_NAME and file.stat().st_mtime < before.timestamp()
    }
    names = sorted(files)
    deleted = 0
    for start in range(0, len(names), RUNS_AT_ONCE):
        asked = names[start : start + RUNS_AT_ONCE]
        known = {run.run_id for run in instance.get_runs(dg.RunsFilter(run_ids=asked))}
        for run_id in asked:
            if run_id not in known:
                for file in (files[run_id], *(files[run_id].with_suffix(f".db{end}") for end in ("-wal", "-shm"))):
                    file.unlink(missing_ok=True)
                deleted += 1
    return deleted


def _events(instance: dg.DagsterInstance) -> object:
    storage: Any = instance.event_log_storage
    return storage if isinstance(storage, SqlEventLogStorage) else getattr(storage, "_storage", storage)


def delete_old_check_results(instance: dg.DagsterInstance, before: datetime) -> int:
    """Results of asset checks from before ``before``; how many. Dagster keeps them when it deletes their run."""
    storage = _events(instance)
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

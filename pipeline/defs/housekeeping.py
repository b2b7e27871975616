"""Keeping Dagster's own history from growing: old runs and their events are deleted."""

from datetime import timedelta

import dagster as dg

from pipeline.defs.common import InstallationParam

# Deleting a run means deleting its events; so many a night keeps up with a run every half minute.
MOST_RUNS_A_NIGHT = 5_000
FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


@dg.op(description="Deletes runs that ended more than RETENTION_DAYS ago, with their events. Materialisations of assets stay.")
def delete_old_runs(context: dg.OpExecutionContext, installation: InstallationParam) -> None:
    """Deletes the oldest finished runs, at most ``MOST_RUNS_A_NIGHT``."""
    oldest_kept = installation.now() - timedelta(days=installation.settings.retention_days)
    records = context.instance.get_run_records(
        dg.RunsFilter(statuses=FINISHED, created_before=oldest_kept), limit=MOST_RUNS_A_NIGHT, ascending=True
    )
    for record in records:
        context.instance.delete_run(record.dagster_run.run_id)
    context.log.info("deleted %d runs from before %s", len(records), oldest_kept.date())


@dg.job(executor_def=dg.in_process_executor, description="Deletes old runs, so that a year costs what the first week did.")
def housekeeping() -> None:
    """The job of the nightly ``housekeeping`` schedule."""
    delete_old_runs()


housekeeping_job = housekeeping

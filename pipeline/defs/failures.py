"""What failed in Dagster itself, told to operators: runs, and ticks of sensors and schedules.

A run-failure sensor would see runs alone. This one looks at both, so that a sensor that can't even decide is not silent.
Each is a notice in the app database: an event in the log, and posted where FUNDINGSCOUT_OPERATOR_WEBHOOK_URL says.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
from dagster._core.scheduler.instigation import TickStatus

from pipeline.defs.common import InstallationParam
from pipeline.documents import clock
from pipeline.webhooks import notices

RUN_FAILED, TICK_FAILED, CLOCK_WRONG = "run_failed", "tick_failed", "clock_wrong"
EVERY_SECONDS = 60
# What a restarted machine may have to tell at once is cut off here; the next look takes the rest.
MOST_AT_ONCE = 20
# A sensor that fails at every tick is said again after so long.
AGAIN_AFTER = timedelta(hours=6)
ERROR_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that failed: of which kind, in words, with what a program may want to know, and when."""

    kind: str
    message: str
    at: datetime
    details: dict[str, Any] = field(default_factory=dict)


@dg.sensor(
    minimum_interval_seconds=EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Notes every run that failed and every sensor or schedule whose tick failed, and tells operators: in the log, and by the "
        "operators' webhook where one is set (`fundingscout webhooks notices` lists them)."
    ),
)
def failures(context: dg.SensorEvaluationContext, installation: InstallationParam) -> dg.SkipReason:
    """Asks for no run. What was seen is kept in the cursor; a notice is written before it moves."""
    now = installation.now()
    # Not later than now: the clock may have been ahead of time.
    since = min(datetime.fromisoformat(context.cursor), now) if context.cursor else now - timedelta(minutes=10)
    found = sorted([*failed_runs(context.instance, since), *failed_ticks(context.instance, since)], key=lambda each: each.at)
    fresh = 0
    for failure in found[:MOST_AT_ONCE]:
        again = AGAIN_AFTER if failure.kind == TICK_FAILED else None
        fresh += notices.record(installation.database, failure.kind, failure.message, failure.details, now, again)
    if wrong := clock.complaint(installation.database):
        notices.record(installation.database, CLOCK_WRONG, wrong, {}, now, AGAIN_AFTER)
    # Whatever waits to be told, which no run may come along for.
    notices.tell(installation.database, installation.settings, installation.now)
    # Up to what was read: a failure that ends up in storage a moment late is found by the overlap, and noted once.
    seen = found[:MOST_AT_ONCE][-1].at if len(found) > MOST_AT_ONCE else now - timedelta(seconds=EVERY_SECONDS)
    context.update_cursor(max(since, seen).isoformat())
    return dg.SkipReason(f"{fresh} new failures told" if fresh else "nothing failed")


def failed_runs(instance: dg.DagsterInstance, since: datetime) -> Iterator[Failure]:
    """Runs that ended in failure after ``since``, the oldest first."""
    wanted = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=since)
    for record in instance.get_run_records(wanted, limit=MOST_AT_ONCE + 1, order_by="update_timestamp", ascending=True):
        run = record.dagster_run
        step, error = _why(instance, run.run_id)
        where = f" in {step}" if step else ""
        yield Failure(
            RUN_FAILED,
            f"Run {run.run_id} of {run.job_name} failed{where}: {error}",
            datetime.fromtimestamp(record.end_time, UTC) if record.end_time else record.update_timestamp.replace(tzinfo=UTC),
            {"run_id": run.run_id, "job": run.job_name, "step": step, "error": error},
        )


def failed_ticks(instance: dg.DagsterInstance, since: datetime) -> Iterator[Failure]:
    """For each sensor and schedule that failed after ``since``, its newest failed tick."""
    for state in instance.all_instigator_state():
        ticks = instance.get_ticks(
            state.instigator_origin_id, state.selector_id, after=since.timestamp(), limit=1, statuses=[TickStatus.FAILURE]
        )
        for tick in ticks:
            error = _short(tick.error.message if tick.error else "")
            kind = state.instigator_type.value.lower()
            yield Failure(
                TICK_FAILED,
                f"The {kind} {state.instigator_name} failed: {error}",
                datetime.fromtimestamp(tick.timestamp, UTC),
                {kind: state.instigator_name, "error": error},
            )


def _why(instance: dg.DagsterInstance, run_id: str) -> tuple[str, str]:
    """The step and error of the first step that failed, else the run's own words."""
    kinds = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    for entry in instance.get_records_for_run(run_id, of_type=kinds, limit=1).records:
        event = entry.event_log_entry.dagster_event
        if event is not None and event.is_step_failure:
            error = event.step_failure_data.error
            inner = error.cause if error is not None and error.cause is not None else error
            return event.step_key or "", _short(inner.message if inner is not None else "")
        return "", _short(event.message or "" if event is not None else entry.event_log_entry.user_message)
    return "", "its log says no more"


def _short(text: str) -> str:
    return " ".join(text.split())[:ERROR_CHARACTERS] or "no text"

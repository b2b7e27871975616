"""The main job run in this process, through Dagster: what ``fundingscout sync`` and the demo do."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg

from pipeline.defs import common, jobs, recovery, sensors
from pipeline.defs.assembly import build_definitions
from pipeline.documents import poll as polling
from pipeline.installation import Installation
from pipeline.service import held, prepare_dagster_home
from pipeline.settings import Settings

# What a pass is summed up by: (asset, metadata name, what it is called).
FIGURES = [
    (common.DOCUMENTS, "new", "documents new"),
    (common.DOCUMENTS, "changed", "documents changed"),
    (common.DOCUMENTS, "rejected", "documents rejected"),
    (common.MENTIONS, "funding_rounds", "funding mentions"),
    (common.FUNDING_ROUNDS, "new", "rounds new"),
    (common.FUNDING_ROUNDS, "enriched", "rounds enriched"),
    (common.CRM_ACCOUNTS, "changed", "accounts changed"),
    (common.CRM_CONTACTS, "changed", "contacts changed"),
    (common.MATCHES, "new", "matches new"),
    (common.MATCHES, "waiting_for_review", "matches to be reviewed"),
    (common.WEBHOOK_DELIVERIES, "delivered", "delivered"),
    (common.WEBHOOK_DELIVERIES, "failed", "failed"),
    (common.WEBHOOK_DELIVERIES, "no_webhook", "no webhook registered"),
]
BACKFILL_FIGURES = [
    (recovery.REEXTRACTED_DAYS, "documents", "documents read again"),
    (recovery.REEXTRACTED_DAYS, "new_rounds", "rounds new"),
    (recovery.REEXTRACTED_DAYS, "enriched_rounds", "rounds enriched"),
    (recovery.REMATCHED_DAYS, "found", "matches found"),
    (recovery.REMATCHED_DAYS, "recovered", "matches recovered"),
    (recovery.REMATCHED_DAYS, "waiting_for_review", "matches to be reviewed"),
]
DRY_RUN_FIGURES = [
    (recovery.TRIED_DAYS, "documents", "documents read again"),
    (recovery.TRIED_DAYS, "read_otherwise", "documents read otherwise"),
    (recovery.TRIED_DAYS, "new_round", "rounds that would be new"),
    (recovery.TRIED_DAYS, "changed_round", "rounds that would change"),
    (recovery.TRIED_DAYS, "ended_round", "rounds that would end"),
    (recovery.TRIED_DAYS, "found", "matches found"),
    (recovery.TRIED_DAYS, "new_match", "matches that would be new"),
    (recovery.TRIED_DAYS, "changed_match", "known, found otherwise now"),
    (recovery.TRIED_DAYS, "same_round", "told under another id"),
    (recovery.TRIED_DAYS, "to_review", "questions that would be new"),
    (recovery.TRIED_DAYS, "would_be_sent", "sent, with --deliver"),
]
STARTED_BY, COMMAND_LINE = "fundingscout/started_by", "command line"
# A living daemon is heard from every half minute.
DAEMON_SILENCE_SECONDS = 90.0
QUIET: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "WARNING"}}}}


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What one pass did. ``failure`` names the failed step and error when it did not succeed."""

    is_success: bool
    figures: dict[str, Any]
    run_id: str
    failure: str = ""
    source_failures: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def open_dagster(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of this installation, for work in this process: what runs here is seen in its UI.

    One process at a time: a second one waits for the first. Runs whose process has died are ended first, so that the pool
    slot they held is free; kill -9 leaves one behind.
    """
    folder = prepare_dagster_home(settings)
    os.environ["DAGSTER_HOME"] = str(folder)
    with held(folder / "command.lock", wait=True), dg.DagsterInstance.get() as instance:
        _end_dead_runs(instance)
        yield instance


def _end_dead_runs(instance: dg.DagsterInstance) -> None:
    """Runs that passes like this one began and that did not end: their process is gone, since we hold the lock.

    Runs that the service began are left to its daemon while that is alive.
    """
    heartbeats = instance.get_daemon_heartbeats().values()
    newest = max((heartbeat.timestamp for heartbeat in heartbeats), default=0.0)
    daemon_is_alive = time.time() - newest < DAEMON_SILENCE_SECONDS
    for run in instance.get_runs(dg.RunsFilter(statuses=sensors.UNDER_WAY)):
        if run.tags.get(STARTED_BY) == COMMAND_LINE or not daemon_is_alive:
            instance.report_run_failed(run, "The process of this run ended before the run did.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def run_sync(installation: Installation, instance: dg.DagsterInstance, *, poll: bool = True) -> SyncResult:
    """Poll the sources that are due, then execute the job ``sync`` in this process, recorded in ``instance``."""
    failures: list[tuple[str, str]] = []
    if poll:
        report = polling.poll_due(
            installation.database, installation.sources, installation.fetcher, installation.landing, installation.now()
        )
        failures = list(report.failures)
    job = build_definitions(installation).resolve_job_def(jobs.SYNC)
    result = job.execute_in_process(
        instance=instance,
        raise_on_error=False,
        run_config=QUIET,
        tags={STARTED_BY: COMMAND_LINE},
    )
    return SyncResult(result.success, _figures(result, FIGURES), result.run_id, _failure(result), failures)


def run_backfill(
    installation: Installation,
    instance: dg.DagsterInstance,
    first: date,
    last: date,
    *,
    deliver: bool,
    crm: str,
    reextract: bool = True,
) -> SyncResult:
    """Work through the days from ``first`` to ``last`` again (both included), as one run of the job ``backfill``.

    Without ``reextract`` documents stay as they were read. With ``deliver``, the outbox is emptied after it.
    """
    definitions = build_definitions(installation)
    result = definitions.resolve_job_def(jobs.BACKFILL).execute_in_process(
        instance=instance,
        raise_on_error=False,
        run_config={"ops": {"recovery__rematched_days": {"config": {"deliver": deliver, "crm": crm}}}} | QUIET,
        tags=_tags_of_days(first, last),
        asset_selection=None if reextract else [recovery.REMATCHED_DAYS],
    )
    figures = _figures(result, BACKFILL_FIGURES)
    if deliver and result.success:
        sent = definitions.resolve_job_def(jobs.DELIVER).execute_in_process(
            instance=instance, raise_on_error=False, run_config=QUIET
        )
        figures |= _figures(sent, FIGURES)
        return SyncResult(sent.success, figures, sent.run_id, _failure(sent))
    return SyncResult(result.success, figures, result.run_id, _failure(result))


def run_dry_run(
    installation: Installation, instance: dg.DagsterInstance, first: date, last: date, *, crm: str, reextract: bool
) -> SyncResult:
    """Try a backfill of these days (both included) as one run of the job ``backfill_dry_run``; nothing is changed or sent."""
    result = (
        build_definitions(installation)
        .resolve_job_def(jobs.BACKFILL_DRY_RUN)
        .execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config={"ops": {"recovery__tried_days": {"config": {"crm": crm, "reextract": reextract}}}} | QUIET,
            tags=_tags_of_days(first, last),
        )
    )
    return SyncResult(result.success, _figures(result, DRY_RUN_FIGURES), result.run_id, _failure(result))


def work_waits(installation: Installation) -> bool:
    """Does anything wait for another pass?"""
    return sensors.waiting_for_sync(installation) is not None


def _tags_of_days(first: date, last: date) -> dict[str, str]:
    return {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
        STARTED_BY: COMMAND_LINE,
    }


def _figures(result: dg.ExecuteInProcessResult, wanted: list[tuple[dg.AssetKey, str, str]]) -> dict[str, Any]:
    metadata = {
        event.asset_key: event.step_materialization_data.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }
    return {
        title: metadata[asset][name].value for asset, name, title in wanted if asset in metadata and name in metadata[asset]
    }


def _failure(result: dg.ExecuteInProcessResult) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            return f"{event.step_key}: {error.cause.message if error and error.cause else error and error.message}".strip()
    return ""

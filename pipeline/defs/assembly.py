"""All definitions of the code location ``fundingscout``, put together explicitly for one installation.

The marts are a location of their own (pipeline.definitions_marts), so that a run that tells partners doesn't import dbt.
"""

from datetime import date

import dagster as dg

from pipeline.defs import (
    checks,
    crm,
    delivery,
    failures,
    ingest,
    jobs,
    matching,
    partners,
    pictures,
    recovery,
    reviews,
    sensors,
    signals,
    subscriptions,
)
from pipeline.defs.stories import with_story
from pipeline.defs.summary import build_summary_asset
from pipeline.installation import Installation


def build_definitions(installation: Installation) -> dg.Definitions:
    """All definitions, working on ``installation``. Tests call it with theirs."""
    settings = installation.settings
    return dg.Definitions(
        assets=[asset.map_asset_specs(with_story) for asset in _assets(settings.first_day)],
        asset_checks=checks.CHECKS,
        jobs=jobs.build_jobs(),
        schedules=jobs.build_schedules(settings.daily_sync_cron, settings.time_zone),
        sensors=[*sensors.build_sensors(jobs.SYNC, jobs.DELIVER, installation), failures.failures],
        resources={"installation": installation},
        executor=dg.in_process_executor,
    )


def _assets(first_day: date) -> list[dg.AssetsDefinition]:
    return [
        *ingest.ASSETS,
        *signals.ASSETS,
        crm.pull_crm_changes,
        crm.build_crm_snapshots(first_day),
        *matching.ASSETS,
        *subscriptions.ASSETS,
        *partners.ASSETS,
        *delivery.ASSETS,
        *reviews.ASSETS,
        *recovery.build_recovery_assets(first_day),
        *pictures.ASSETS,
        build_summary_asset(first_day),
    ]

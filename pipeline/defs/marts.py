"""Assets of the marts: the dbt models with their tests as checks, and the published files; what builds them, and when.

A code location of its own (pipeline.definitions_marts), because importing dbt costs seconds that no run on the way to a
partner should pay. What a model says is in dbt_project, how dbt is called in store.marts.
"""

# No `from __future__ import annotations`: Dagster reads the type of `context` at run time and refuses a string.

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import dbt_assets

from pipeline.defs import common
from pipeline.defs.columns import column_metadata
from pipeline.defs.common import InstallationParam
from pipeline.defs.guides import guide
from pipeline.defs.marts_translation import MARTS, MARTS_GUIDE, OWNERS, Translator, check_key, newest_first, selection
from pipeline.defs.stories import DAILY
from pipeline.installation import Installation
from pipeline.store.marts import MartsProject, Outcome, marts_of
from pipeline.store.published import PUBLISHED_TABLES, publish

PUBLISHED = dg.AssetKey([MARTS, "published"])
# Where the daily sync lives: the other code location, under the name the workspace gives it.
CORE_LOCATION, DAILY_SYNC = "fundingscout", "daily_sync"
MOST_FAILURES_NAMED = 10


def build_marts_definitions(installation: Installation) -> dg.Definitions:
    """All definitions of the marts' code location, working on ``installation``. Tests call it with theirs."""
    project = MartsProject(installation.warehouse, installation.settings.home / "dbt")
    manifest = project.manifest()
    assets = dg.Definitions(
        assets=[build_models_asset(project, manifest), build_published_asset(manifest)],
        resources={"installation": installation},
        executor=dg.in_process_executor,
    )
    return dg.Definitions.merge(assets, build_automation())


def build_automation() -> dg.Definitions:
    """The job that builds and publishes, what starts it after the daily sync, and an hourly schedule for who wants it."""
    job = dg.define_asset_job(
        MARTS,
        selection=dg.AssetSelection.groups(MARTS),
        executor_def=dg.in_process_executor,
        description="Builds and tests all dbt models, then publishes the marts as Parquet with a DuckDB of views.",
    )

    @dg.run_status_sensor(
        name="marts_after_daily_sync",
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[dg.JobSelector(location_name=CORE_LOCATION, job_name=DAILY_SYNC)],
        request_job=job,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Builds and publishes the marts once the daily sync has succeeded.",
    )
    def marts_after_daily_sync(context: dg.RunStatusSensorContext) -> dg.RunRequest:
        return request_after(context.dagster_run)

    hourly = dg.ScheduleDefinition(
        name="marts_hourly",
        job=job,
        cron_schedule="20 * * * *",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Fresh marts every hour, for those who want them more often than once a day.",
    )
    return dg.Definitions(jobs=[job], schedules=[hourly], sensors=[marts_after_daily_sync])


def request_after(run: dg.DagsterRun) -> dg.RunRequest:
    """The run to ask for once ``run`` has succeeded; one run of the daily sync asks for one build of the marts."""
    return dg.RunRequest(run_key=f"{MARTS}:{run.run_id}", tags={"fundingscout/after": run.run_id})


def build_models_asset(project: MartsProject, manifest: dict[str, Any]) -> dg.AssetsDefinition:
    """All dbt models as assets of one op, and their tests as its checks."""
    translator = Translator()

    @dbt_assets(
        manifest=manifest,
        exclude="resource_type:unit_test",
        name="dbt_models",
        dagster_dbt_translator=translator,
        pool=common.WAREHOUSE_POOL,
    )
    def dbt_models(
        context: dg.AssetExecutionContext, installation: InstallationParam
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        select = (
            selection(manifest, set(context.selected_asset_keys), set(context.selected_asset_check_keys))
            if context.is_subset
            else []
        )
        outcomes = project.build(select)
        # Of a selection, what was made on the way is not told: Dagster did not ask for it.
        known = [outcome for outcome in outcomes if outcome.unique_id in manifest["nodes"]]
        # All that needs the warehouse first: it is not held while Dagster writes its events.
        with installation.warehouse.open() as connection:
            shown = {outcome.unique_id: _table(connection, manifest["nodes"][outcome.unique_id], outcome) for outcome in known}
        for outcome in known:
            node = manifest["nodes"][outcome.unique_id]
            if node["resource_type"] == "model" and outcome.status == "success":
                if (asset := translator.get_asset_key(node)) in context.selected_asset_keys:
                    yield dg.MaterializeResult(
                        asset_key=asset, metadata={"seconds": outcome.seconds} | shown[outcome.unique_id]
                    )
            elif node["resource_type"] == "test" and outcome.status in {"pass", "warn", "fail"}:
                key = check_key(manifest, translator, outcome.unique_id)
                if key is not None and key in context.selected_asset_check_keys:
                    yield _check_result(key, outcome)
        fail_on_broken(outcomes)

    return dbt_models


def build_published_asset(manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """The published files as one asset, made after all marts."""
    marts = marts_of(manifest)

    @dg.asset(
        key=PUBLISHED,
        deps=[dg.AssetKey([MARTS, mart.name]) for mart in marts],
        group_name=MARTS,
        owners=OWNERS,
        kinds={"python", "parquet", "duckdb"},
        tags={"layer": MARTS},
        pool=common.WAREHOUSE_POOL,
        freshness_policy=DAILY,
        metadata={**column_metadata(PUBLISHED_TABLES, {}, {}), **guide(MARTS_GUIDE)},
    )
    def published(installation: InstallationParam) -> dg.MaterializeResult[None]:
        """The marts as files, for any tool: `published/latest/<mart>.parquet` in this installation's home, large marts by
        month (`latest/<mart>/2026-11.parquet`), and `published/fundingscout.duckdb`, a small DuckDB file of views over them, to
        be opened read-only.

        One row of the table below is one mart. All of them are swapped in together after each build, so they fit each other; a
        reader is never blocked and blocks nobody. If it fails, the files of the build before stay in place: run job `marts`.
        """
        report = publish(installation.warehouse, installation.settings.home / "published", marts, installation.now())
        lines = [[table.name, table.rows, table.bytes] for table in report.tables]
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": sum(table.rows for table in report.tables),
                "tables": dg.MetadataValue.md(common.markdown_table(["table", "rows", "bytes"], lines)),
                "views": dg.MetadataValue.path(report.views),
                "files": dg.MetadataValue.path(report.build),
                "bytes": sum(table.bytes for table in report.tables),
            }
        )

    return published


def fail_on_broken(outcomes: Sequence[Outcome]) -> None:
    """Raises dagster.Failure naming what broke, if anything did: what it feeds must not be published."""
    broken = [outcome for outcome in outcomes if outcome.is_broken]
    if broken:
        named = "; ".join(f"{outcome.unique_id}: {outcome.message}" for outcome in broken[:MOST_FAILURES_NAMED])
        raise dg.Failure(f"{len(broken)} of {len(outcomes)} dbt nodes broke: {named}", allow_retries=False)


def _table(connection: duckdb.DuckDBPyConnection, node: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
    """Row count and preview of a mart that was built; nothing for views (they are seen through the marts) and tests."""
    if outcome.status != "success" or node["resource_type"] != "model" or node["config"]["schema"] != MARTS:
        return {}
    table = f"{MARTS}.{node['name']}"
    return common.table_metadata(connection, table, newest_first(table, node))


def _check_result(key: dg.AssetCheckKey, outcome: Outcome) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=outcome.status == "pass",
        severity=dg.AssetCheckSeverity.WARN if outcome.status == "warn" else dg.AssetCheckSeverity.ERROR,
        metadata={"rows_that_break_it": outcome.failures or 0, "seconds": outcome.seconds},
    )

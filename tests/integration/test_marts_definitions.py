"""The marts' code location: what an analyst sees in the graph, and its job run for real."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.test_utils import create_run_for_test

from pipeline.defs.marts import CORE_LOCATION, DAILY_SYNC, build_marts_definitions
from pipeline.defs.marts_translation import readable
from pipeline.defs.stories import table_of
from pipeline.installation import Installation
from pipeline.settings import PROJECT_ROOT, Settings

CORE = {
    "raw/documents", "raw/rejected_documents", "raw/source_hours", "core/mentions", "core/funding_rounds", "core/crm_accounts",
    "core/crm_contacts", "core/crm_snapshots", "core/match_reviews", "core/near_misses",
    "core/matches", "core/webhook_deliveries", "core/partner_leads", "core/partner_lead_changes", "core/partner_commissions",
    "core/partner_payouts",
}  # fmt: skip
MARTS = {
    "crm_coverage",
    "deliveries",
    "match_explanations",
    "review_decisions",
    "delivery_health",
    "funding_rounds_mart",
    "match_funnel_daily",
    "missed_matches",
    "partner_earnings",
    "partner_funnel",
    "review_precision",
    "source_health",
}
NOON = datetime(2026, 11, 5, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def installation(marts_home: Any) -> Iterator[Installation]:
    marts_home.clear()
    installation = Installation(Settings(home=marts_home.path), now=lambda: NOON)
    yield installation
    installation.close()


@pytest.fixture(scope="module")
def definitions(installation: Installation) -> dg.Definitions:
    built = build_marts_definitions(installation)
    assert not installation.warehouse.path.exists(), "a code location loads before there is a warehouse, and while a run has it"
    return built


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(definitions: dg.Definitions, instance: dg.DagsterInstance, **options: object) -> dg.ExecuteInProcessResult:
    return definitions.resolve_job_def("marts").execute_in_process(instance=instance, raise_on_error=False, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def whole(definitions: dg.Definitions) -> dg.ExecuteInProcessResult:
    """A run of the whole job on a fresh installation."""
    with dg.DagsterInstance.ephemeral() as instance:
        return run(definitions, instance)


def keys(*names: str) -> list[dg.AssetKey]:
    return [dg.AssetKey(name.split("/")) for name in names]


def test_the_marts_join_the_graph_of_the_other_location(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    foreign = {key.to_user_string() for key in graph.get_all_asset_keys() if not graph.get(key).is_executable}
    assert foreign == CORE
    own = {key.to_user_string() for key in graph.executable_asset_keys}
    assert {f"marts/{mart}" for mart in MARTS} | {"marts/published"} == {key for key in own if key.startswith("marts/")}
    assert graph.get(dg.AssetKey(["marts", "published"])).parent_keys == {dg.AssetKey(["marts", mart]) for mart in MARTS}


def test_every_asset_tells_its_story(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for key in graph.executable_asset_keys:
        node = graph.get(key)
        assert node.group_name == "marts"
        assert node.owners == ["team:analytics"]
        assert 1 <= len(node.kinds) <= 3
        assert node.tags["layer"] == key.path[0]
        assert "row" in (node.description or "")
        assert "If it fails" in " ".join((node.description or "").split())
        assert isinstance(node.metadata["guide"], dg.MarkdownMetadataValue), key
        columns = node.metadata["dagster/column_schema"].columns
        assert columns, key
        if key.path[0] == "marts":
            assert [column.name for column in columns if not (column.description and column.type)] == [], key


def origins(definitions: dg.Definitions, asset: str, column: str) -> set[str]:
    deps = (
        definitions.resolve_asset_graph().get(dg.AssetKey(asset.split("/"))).metadata["dagster/column_lineage"].deps_by_column
    )
    return {f"{dep.asset_key.to_user_string()}.{dep.column_name}" for dep in deps.get(column, [])}


def test_columns_of_every_model_say_which_columns_of_which_assets_they_are_made_from(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()

    def columns(asset: dg.AssetKey) -> set[str]:
        if graph.get(asset).is_executable:
            return {column.name for column in graph.get(asset).metadata["dagster/column_schema"].columns}
        return {column.name for column in table_of(asset)[1]}

    for key in graph.executable_asset_keys - {dg.AssetKey(["marts", "published"])}:
        deps = graph.get(key).metadata["dagster/column_lineage"].deps_by_column
        assert set(deps) <= columns(key)
        for dep in (dep for of_column in deps.values() for dep in of_column):
            assert dep.asset_key in graph.get(key).parent_keys, (key, dep)
            assert dep.column_name in columns(dep.asset_key), (key, dep)
        if key.path[0] == "marts":  # the others are counts of rows
            assert len(deps) >= 0.75 * len(columns(key)), (key, columns(key) - set(deps))


@pytest.mark.parametrize(
    ("asset", "column", "made_from"),
    [  # looked up in the models' SQL by hand
        ("marts/missed_matches", "organization_slug", "intermediate/int_organizations.organization_slug"),  # a join
        (
            "marts/missed_matches", "row_external_id",  # a union of four, two of which call it otherwise
            "intermediate/int_agreeing_rows.row_external_id intermediate/int_matched_rows.row_external_id "
            "staging/stg_match_reviews.account_external_id staging/stg_near_misses.account_external_id",
        ),
        ("marts/funding_rounds_mart", "company_domain", "staging/stg_funding_rounds.domain_key"),  # renamed
        ("marts/funding_rounds_mart", "first_document_landed_at", "staging/stg_documents.landed_at"),  # through two steps
        ("marts/funding_rounds_mart", "organizations_matched", ""),  # rows are counted, no column is read
        (
            "marts/source_health", "share_set_aside",  # a macro
            "staging/stg_mentions.document_id staging/stg_mentions.set_aside_reason",
        ),
        (
            "intermediate/int_matched_rows", "row_external_id",  # partly out of a list in JSON
            "staging/stg_matches.account_external_id staging/stg_matches.all_matches staging/stg_matches.contact_external_id",
        ),
        ("staging/stg_funding_rounds", "round_id", "core/funding_rounds.round_id"),
        ("staging/stg_round_mentions", "document_id", ""),  # of a table that is no asset: told in the column's tag
    ],
)  # fmt: skip
def test_lineage_of_a_column_is_what_its_sql_says(definitions: dg.Definitions, asset: str, column: str, made_from: str) -> None:
    assert origins(definitions, asset, column) == set(made_from.split())


def test_a_column_names_its_origins_in_tags_also_where_the_table_is_no_asset(definitions: dg.Definitions) -> None:
    def tags(asset: str, name: str) -> list[str]:
        schema = definitions.resolve_asset_graph().get(dg.AssetKey(asset.split("/"))).metadata["dagster/column_schema"]
        return next(list(column.tags) for column in schema.columns if column.name == name)

    assert tags("staging/stg_round_mentions", "document_id") == ["from round_mentions: document_id"]
    assert tags("marts/source_health", "share_set_aside") == [
        "from stg_mentions: document_id",
        "from stg_mentions: set_aside_reason",
    ]
    assert tags("marts/funding_rounds_mart", "organizations_matched") == []


def test_every_test_is_a_check_that_says_what_it_holds_to(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    checks = [graph.get_check_spec(key) for key in graph.asset_check_keys]
    assert len(checks) > 100
    assert [check.name for check in checks if not check.description or "dbt test" in check.description] == []


def test_every_step_takes_its_turn_at_the_warehouse(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("marts")
    assert {node.name: node.definition.pool for node in job.nodes} == {
        "dbt_models": "warehouse",
        "marts__published": "warehouse",
    }


def test_the_daily_sync_of_the_other_location_starts_the_marts(definitions: dg.Definitions) -> None:
    sensor = definitions.resolve_sensor_def("marts_after_daily_sync")
    assert isinstance(sensor, dg.RunStatusSensorDefinition)
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert (CORE_LOCATION, DAILY_SYNC) == ("fundingscout", "daily_sync")
    schedule = definitions.resolve_schedule_def("marts_hourly")
    assert (schedule.job_name, schedule.default_status) == ("marts", dg.DefaultScheduleStatus.STOPPED)


def test_only_a_daily_sync_that_succeeded_over_there_asks_for_marts_and_once(
    definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    sensor = definitions.resolve_sensor_def("marts_after_daily_sync")

    def ends(job: str, location: str, event: str) -> str:
        origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(location), "__repository__"), job)
        run = create_run_for_test(instance, job_name=job, status=dg.DagsterRunStatus.STARTED, remote_job_origin=origin)
        instance.report_dagster_event(dg.DagsterEvent(event_type_value=event, job_name=job), run_id=run.run_id)
        return run.run_id

    def turn(cursor: str | None) -> tuple[list[str | None], str | None]:
        context = dg.build_sensor_context(
            instance, cursor=cursor, repository_def=definitions.get_repository_def(), sensor_name=sensor.name
        )
        tick = sensor.evaluate_tick(context)
        return [request.run_key for request in tick.run_requests or []], tick.cursor or context.cursor

    _, cursor = turn(None)
    wanted = ends("daily_sync", "fundingscout", "PIPELINE_SUCCESS")
    ends("sync", "fundingscout", "PIPELINE_SUCCESS")
    ends("daily_sync", "elsewhere", "PIPELINE_SUCCESS")
    ends("daily_sync", "fundingscout", "PIPELINE_FAILURE")
    asked: list[str | None] = []
    for _ in range(5):
        keys, cursor = turn(cursor)
        asked += keys
    assert asked == [f"marts:{wanted}"]


def test_the_job_builds_checks_and_publishes(
    definitions: dg.Definitions, installation: Installation, whole: dg.ExecuteInProcessResult
) -> None:
    assert whole.success
    shown = {event.asset_key.to_user_string(): event.step_materialization_data.materialization.metadata
             for event in whole.get_asset_materialization_events() if event.asset_key}  # fmt: skip
    assert shown.keys() == {key.to_user_string() for key in definitions.resolve_asset_graph().executable_asset_keys}
    assert shown["marts/crm_coverage"]["dagster/row_count"].value == 0
    checks = whole.get_asset_check_evaluations()
    assert len(checks) == len(definitions.resolve_asset_graph().asset_check_keys)
    assert all(check.passed for check in checks)
    with duckdb.connect(str(installation.settings.home / "published" / "fundingscout.duckdb"), read_only=True) as reader:
        assert {row[0] for row in reader.execute("SELECT table_name FROM published_tables").fetchall()} == MARTS


@pytest.mark.usefixtures("whole")
def test_a_broken_check_fails_the_run_and_publishes_nothing(
    definitions: dg.Definitions, installation: Installation, instance: dg.DagsterInstance
) -> None:
    with installation.warehouse.open() as connection:
        connection.execute("INSERT INTO core.organizations VALUES ('o1', 'a', 'A', true), ('o1', 'a', 'A', true)")
    try:
        concerned = keys("staging/stg_organizations", "marts/crm_coverage", "marts/delivery_health", "marts/published")
        result = run(definitions, instance, asset_selection=concerned)
        assert not result.success
        broken = [check for check in result.get_asset_check_evaluations() if not check.passed]
        assert [check.check_name for check in broken] == ["unique_stg_organizations_organization_id"]
        assert broken[0].metadata["rows_that_break_it"].value == 1
        made = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}
        assert made == {"staging/stg_organizations", "marts/delivery_health"}, "what does not depend on it is built"
    finally:
        with installation.warehouse.open() as connection:
            connection.execute("DELETE FROM core.organizations")


@pytest.mark.usefixtures("whole")
def test_one_mart_can_be_made_alone_with_its_checks(definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
    [coverage] = keys("marts/crm_coverage")
    result = run(definitions, instance, asset_selection=[coverage])
    assert result.success
    assert [event.asset_key for event in result.get_asset_materialization_events()] == [coverage]
    checks = result.get_asset_check_evaluations()
    assert {check.asset_key for check in checks} == {coverage}
    assert len(checks) == 5


def test_a_read_only_checkout_loads_from_nothing(
    definitions: dg.Definitions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `dagster dev` does it; dbt writes only below the home."""
    before = {path: path.stat().st_mtime_ns for path in (PROJECT_ROOT / "dbt_project").rglob("*")}
    monkeypatch.setenv("FUNDINGSCOUT_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    loaded = runpy.run_module("pipeline.definitions_marts")["defs"]
    assert loaded.resolve_asset_graph().executable_asset_keys == definitions.resolve_asset_graph().executable_asset_keys
    assert [path.name for path in tmp_path.iterdir()] == ["dbt"]
    assert {path: path.stat().st_mtime_ns for path in (PROJECT_ROOT / "dbt_project").rglob("*")} == before


def test_previews_of_marts_show_what_people_read_and_fit_a_dialog() -> None:
    names = ["match_id", "organization_id", "organization_slug", "account_external_id", "features_json", *map(str, range(12))]
    assert readable(names) == ["organization_slug", "account_external_id", *map(str, range(8))]

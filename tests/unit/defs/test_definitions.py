"""What Dagster loads: all of it named here, so that nothing comes or goes unnoticed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from pipeline.defs.assembly import build_definitions
from pipeline.defs.lineage import SOURCES
from pipeline.defs.stories import table_of
from pipeline.installation import Installation
from pipeline.settings import PROJECT_ROOT, Settings

INVENTORY = Path(__file__).with_name("inventory.txt")
# What is no table: texts, pictures, a page, and days worked through again (their rows are those of other assets).
PAGES = {
    "core/pictures",
    "core/daily_summary",
    "core/extraction_review",
    "recovery/reextracted_days",
    "recovery/rematched_days",
}


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_definitions(Installation(Settings(home=tmp_path_factory.mktemp("home"))))


def specs(definitions: dg.Definitions) -> list[dg.AssetSpec]:
    return sorted(definitions.resolve_all_asset_specs(), key=lambda spec: spec.key)


def test_all_that_is_loaded_is_in_the_inventory(definitions: dg.Definitions) -> None:
    """A readable list of all definitions; `make inventory` writes it anew, and the change is read in review."""
    written = "\n".join(inventory(definitions)) + "\n"
    if os.environ.get("RENEW_INVENTORY"):
        INVENTORY.write_text(written, encoding="utf-8")
    assert written == INVENTORY.read_text(encoding="utf-8"), (
        "definitions have changed: `make inventory`, and look at the difference"
    )


def inventory(definitions: dg.Definitions) -> Iterator[str]:
    repository = definitions.get_repository_def()
    graph = definitions.resolve_asset_graph()
    yield "assets"
    for spec in specs(definitions):
        deps = ", ".join(sorted(dep.asset_key.to_user_string() for dep in spec.deps))
        days = ", by day" if spec.partitions_def else ""
        yield f"  {spec.key.to_user_string()} [{spec.group_name}{days}]" + (f" <- {deps}" if deps else "")
    yield "checks"
    for key in sorted(graph.asset_check_keys, key=lambda key: (key.asset_key, key.name)):
        blocking = " blocking" if graph.get(key).blocking else ""
        yield f"  {key.asset_key.to_user_string()}: {key.name}{blocking}"
    yield "jobs"
    for name in sorted(name for name in repository.job_names if not name.startswith("__")):
        steps = sorted(node.name for node in definitions.resolve_job_def(name).nodes)
        yield f"  {name}: {len(steps)} steps"
    yield "schedules"
    for schedule in sorted(repository.schedule_defs, key=lambda schedule: schedule.name):
        yield f"  {schedule.name}: {schedule.cron_schedule} -> {schedule.job_name}"
    yield "sensors"
    for sensor in sorted(repository.sensor_defs, key=lambda sensor: sensor.name):
        targets = ", ".join(sorted(target.job_name for target in sensor.targets)) or "no job"
        yield f"  {sensor.name}: every {sensor.minimum_interval_seconds} s -> {targets}"


def test_whatever_must_run_runs_without_being_switched_on(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    assert {s.default_status for s in repository.schedule_defs} == {dg.DefaultScheduleStatus.RUNNING}
    assert {s.default_status for s in repository.sensor_defs} == {dg.DefaultSensorStatus.RUNNING}


def test_every_asset_says_what_an_analyst_needs(definitions: dg.Definitions) -> None:
    for spec in specs(definitions):
        assert len(spec.description or "") > 80, spec.key
        assert spec.owners, spec.key
        assert 1 <= len(spec.kinds) <= 3, spec.key
        assert any(not tag.startswith("dagster/") for tag in spec.tags), spec.key


def test_lineage_names_columns_that_exist_of_assets_that_come_before() -> None:
    def columns(asset: dg.AssetKey) -> set[str]:
        return {column.name for column in table_of(asset)[1]}

    for asset, origins in SOURCES.items():
        assert set(origins) <= columns(asset), asset
        for key, name in {origin for several in origins.values() for origin in several}:
            assert name in columns(key), (asset, key, name)


def test_every_table_is_shown_with_its_columns_and_its_promise(definitions: dg.Definitions) -> None:
    for spec in specs(definitions):
        if spec.key.to_user_string() not in PAGES:
            schema = spec.metadata["dagster/column_schema"]
            assert schema.columns, spec.key
            assert [column.name for column in schema.columns if not (column.description and column.type)] == [], spec.key
            assert spec.metadata["dagster/table_name"], spec.key
        is_on_demand = spec.group_name == "recovery" or spec.key.path[-1] == "extraction_review"
        assert (spec.freshness_policy is None) == is_on_demand, spec.key
        assert isinstance(spec.metadata["guide"], dg.MarkdownMetadataValue), spec.key


def test_published_signals_tell_their_columns_as_they_are_in_the_app_database(definitions: dg.Definitions) -> None:
    metadata = definitions.resolve_asset_graph().get(dg.AssetKey(["core", "published_signals"])).metadata
    columns = {column.name: column for column in metadata["dagster/column_schema"].columns}
    assert metadata["dagster/table_name"] == "signals"
    assert (columns["country"].type, columns["amount"].type) == ("VARCHAR(2)", "BIGINT")
    assert columns["company_name"].tags == {"from funding_rounds: company_name": "", "from mentions: company_name": ""}
    rounds, mentions = dg.AssetKey(["core", "funding_rounds"]), dg.AssetKey(["core", "mentions"])
    assert metadata["dagster/column_lineage"].deps_by_column["amount"] == [
        dg.TableColumnDep(rounds, "amount"),
        dg.TableColumnDep(mentions, "amount"),
    ]


def test_sync_carries_no_checks_and_the_daily_sync_all_of_its_assets(definitions: dg.Definitions) -> None:
    sync = definitions.resolve_job_def("sync")
    daily = definitions.resolve_job_def("daily_sync")
    assert sync.asset_layer.selected_asset_keys < daily.asset_layer.selected_asset_keys
    assert not sync.asset_layer.asset_graph.asset_check_keys & set(sync.asset_layer.selected_asset_keys)
    assert "documents__document_id_is_unique" not in {node.name for node in sync.nodes}
    assert any("one_match_per_organization_and_round" in node.name for node in daily.nodes)
    assert not any("one_match_per_organization_and_round" in node.name for node in sync.nodes)


def test_daily_sync_runs_at_two_in_the_time_zone_of_the_settings(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, time_zone="Europe/Zurich", daily_sync_cron="0 3 * * *")
    repository = build_definitions(Installation(settings)).get_repository_def()
    schedule = next(s for s in repository.schedule_defs if s.name == "daily_sync")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 3 * * *", "Europe/Zurich")


def test_importing_the_code_location_is_cheap_and_leaves_no_trace(tmp_path: Path) -> None:
    """No network (a socket that connects fails the import), under 4 s of processor time, and nothing written."""
    script = """
import resource, socket
def refuse(*_): raise SystemExit("the import opened a connection")
socket.socket.connect = refuse
import pipeline.definitions
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime)
"""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "FUNDINGSCOUT_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 4.0
    assert not (tmp_path / "home").exists()

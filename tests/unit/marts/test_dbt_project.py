"""What every model of the dbt project owes its reader, read from the files alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.settings import PROJECT_ROOT
from pipeline.store.warehouse import SCHEMA

FOLDER = PROJECT_ROOT / "dbt_project"
MODELS = sorted((FOLDER / "models").rglob("*.sql"))
MARTS = [path for path in MODELS if path.parent.name == "marts"]
LAYERS = {"staging": "stg_", "intermediate": "int_", "marts": ""}
# What a DuckLake has not, or what would make two builds of one day differ.
NOT_PORTABLE = re.compile(
    r"\b(primary key|foreign key|create\s+(unique\s+)?index|nextval|create sequence|rowid|current_timestamp|current_date|now\(\))",
    re.IGNORECASE,
)


def described(path: Path) -> dict[str, Any]:
    [model] = yaml.safe_load(path.with_suffix(".yml").read_text())["models"]
    assert isinstance(model, dict)
    return model


def data_tests(part: dict[str, Any]) -> set[str]:
    return {test if isinstance(test, str) else next(iter(test)) for test in part.get("data_tests", [])}


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
class TestEveryModel:
    def test_has_its_description_beside_it(self, path: Path) -> None:
        model = described(path)
        assert model["name"] == path.stem
        assert "row" in model["description"], "a description says what one row is"

    def test_describes_each_of_its_columns_once(self, path: Path) -> None:
        columns = [column["name"] for column in described(path)["columns"]]
        assert len(columns) == len(set(columns))
        assert [column["name"] for column in described(path)["columns"] if not column.get("description")] == []

    def test_is_named_after_its_layer(self, path: Path) -> None:
        assert path.stem.startswith(LAYERS[path.parent.name])

    def test_runs_on_a_ducklake_and_gives_the_same_twice(self, path: Path) -> None:
        assert NOT_PORTABLE.findall(path.read_text()) == []

    def test_reads_only_from_the_layer_below(self, path: Path) -> None:
        sql = path.read_text()
        assert bool(re.search(r"\bsource\(", sql)) == (path.parent.name == "staging")
        assert not re.search(r"\b(raw|core)\.[a-z_]+", sql), "tables are named through source() and ref()"


@pytest.mark.parametrize("path", MARTS, ids=lambda path: path.stem)
def test_a_mart_states_its_grain_its_types_and_a_tested_key(path: Path) -> None:
    model = described(path)
    assert model["config"]["contract"] == {"enforced": True}
    assert [column["name"] for column in model["columns"] if "data_type" not in column] == []
    keys = [column for column in model["columns"] if {"unique", "not_null"} <= data_tests(column)]
    assert keys or "unique_together" in data_tests(model)


@pytest.mark.parametrize("path", MARTS, ids=lambda path: path.stem)
def test_a_marts_logic_has_a_unit_test(path: Path) -> None:
    assert yaml.safe_load(path.with_suffix(".yml").read_text()).get("unit_tests")


def test_every_table_of_the_warehouse_is_a_source_with_the_asset_that_writes_it() -> None:
    schema = "".join(file.read_text() for file in sorted(SCHEMA.glob("*.sql")))
    tables = set(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?((?:raw|core)\.\w+)", schema))
    sources = yaml.safe_load((FOLDER / "models" / "sources.yml").read_text())["sources"]
    keys = {f"{source['name']}.{table['name']}": table["config"]["meta"]["dagster"]["asset_key"]
            for source in sources for table in source["tables"]}  # fmt: skip
    assert keys.keys() == tables
    assert all(len(key) == 2 and key[0] == name.split(".")[0] for name, key in keys.items())


def test_no_telemetry_and_no_extension_from_the_network() -> None:
    assert yaml.safe_load((FOLDER / "dbt_project.yml").read_text())["flags"]["send_anonymous_usage_stats"] is False
    target = yaml.safe_load((FOLDER / "profiles.yml").read_text())["fundingscout"]["outputs"]["local"]
    assert "extensions" not in target
    assert target["config_options"] == {"autoinstall_known_extensions": False, "allow_community_extensions": False}
    assert target["threads"] == 1

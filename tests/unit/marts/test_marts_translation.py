"""How dbt's nodes appear in Dagster, on a manifest of three nodes."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from pipeline.defs.marts import fail_on_broken, request_after
from pipeline.defs.marts_translation import Translator, check_description, check_key, newest_first, selection
from pipeline.store.marts import Outcome

MANIFEST: dict[str, Any] = {
    "metadata": {"adapter_type": "duckdb", "project_name": "p"},
    "parent_map": {},
    "sources": {},
    "groups": {},
    "nodes": {
        "model.p.stg_rows": {
            "unique_id": "model.p.stg_rows", "resource_type": "model", "name": "stg_rows", "description": "One row per row.",
            "fqn": ["p", "staging", "stg_rows"], "config": {"schema": "staging", "materialized": "view"}, "columns": {},
            "depends_on": {"nodes": []}, "checksum": {"checksum": "1"}, "tags": [], "meta": {}, "raw_code": "select 1",
        },
        "model.p.totals": {
            "unique_id": "model.p.totals", "resource_type": "model", "name": "totals", "description": "One row per day.",
            "fqn": ["p", "marts", "totals"],
            "config": {"schema": "marts", "materialized": "table", "meta": {"newest_first": "day"}},
            "columns": {}, "depends_on": {"nodes": ["model.p.stg_rows"]}, "checksum": {"checksum": "2"}, "tags": [], "meta": {},
            "raw_code": "select 1",
        },
        "test.p.unique_totals_day.abc": {
            "unique_id": "test.p.unique_totals_day.abc", "resource_type": "test", "name": "unique_totals_day",
            "fqn": ["p", "marts", "unique_totals_day"], "attached_node": "model.p.totals", "column_name": "day",
            "test_metadata": {"name": "unique", "kwargs": {}}, "config": {"severity": "ERROR"},
            "depends_on": {"nodes": ["model.p.totals"]},
        },
        "test.p.of_no_one_model": {
            "unique_id": "test.p.of_no_one_model", "resource_type": "test", "name": "of_no_one_model",
            "fqn": ["p", "of_no_one_model"], "attached_node": None, "config": {}, "depends_on": {"nodes": []},
        },
    },
}  # fmt: skip
TOTALS = dg.AssetKey(["marts", "totals"])


def test_a_model_is_an_asset_of_its_layer_owned_by_analytics() -> None:
    spec = Translator().get_asset_spec(MANIFEST, "model.p.totals", None)
    assert spec.key == TOTALS
    assert [dep.asset_key for dep in spec.deps] == [dg.AssetKey(["staging", "stg_rows"])]
    assert (spec.group_name, spec.owners, spec.kinds) == ("marts", ["team:analytics"], {"dbt", "duckdb", "table"})
    assert spec.tags["layer"] == "marts"
    assert spec.description is not None
    assert spec.description.startswith("One row per day.\n")
    assert "If it fails" in spec.description


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ({"description": "Said by its author.", "name": "t"}, "Said by its author."),
        ({"column_name": "day", "test_metadata": {"name": "unique"}}, "No two rows share a day."),
        ({"column_name": "day", "test_metadata": {"name": "not_null"}}, "day is never NULL."),
        (
            {"column_name": "kind", "test_metadata": {"name": "accepted_values", "kwargs": {"values": ["a", "b"]}}},
            "kind is one of: a, b.",
        ),
        (
            {"column_name": "x", "test_metadata": {"name": "relationships", "kwargs": {"to": "ref('ys')", "field": "y"}}},
            "Every x is found as y in ys.",
        ),
        ({"test_metadata": {"name": "unique_together", "kwargs": {"columns": ["a", "b"]}}}, "No two rows share a, b."),
        (
            {"column_name": "n", "test_metadata": {"name": "adds_up_to", "kwargs": {"parts": ["a", "b"]}}},
            "n is the sum of a, b.",
        ),
        (
            {"column_name": "n", "test_metadata": {"name": "within", "kwargs": {"low": 0, "high": 1}}},
            "n is at least 0 and at most 1.",
        ),
        ({"column_name": "n", "test_metadata": {"name": "within", "kwargs": {"low": 1}}}, "n is at least 1."),
        ({"name": "something_else"}, "The dbt test something_else holds."),
    ],
)
def test_a_check_says_in_words_what_it_holds_to(test: dict[str, Any], words: str) -> None:
    assert check_description(test) == words


def test_dbt_is_told_to_run_exactly_what_was_selected() -> None:
    unique = check_key(MANIFEST, Translator(), "test.p.unique_totals_day.abc")
    assert unique == dg.AssetCheckKey(TOTALS, "unique_totals_day")
    assert selection(MANIFEST, {TOTALS}, set()) == ["fqn:p.marts.totals"]
    assert selection(MANIFEST, set(), {unique}) == ["fqn:p.marts.unique_totals_day"]
    assert selection(MANIFEST, {TOTALS}, {unique}) == ["fqn:p.marts.totals", "fqn:p.marts.unique_totals_day"]


def test_the_tables_that_a_selected_mart_reads_are_made_with_it_and_no_other_mart() -> None:
    def model(schema: str, materialized: str, *reads: str) -> dict[str, Any]:
        return {"resource_type": "model", "config": {"schema": schema, "materialized": materialized},
                "depends_on": {"nodes": [f"model.p.{name}" for name in reads]}}  # fmt: skip

    models = {
        "stg_rows": model("staging", "view"),
        "outcomes": model("intermediate", "table", "stg_rows"),
        "grouped": model("intermediate", "view", "outcomes"),
        "apart": model("intermediate", "table"),
        "other": model("marts", "table", "apart"),
        "totals": model("marts", "incremental", "grouped", "other"),
    }
    nodes = {
        f"model.p.{name}": node | {"unique_id": f"model.p.{name}", "name": name, "fqn": ["p", name]}
        for name, node in models.items()
    }
    assert selection({"nodes": nodes}, {TOTALS}, set()) == ["fqn:p.outcomes", "fqn:p.totals"]


def test_a_test_of_no_one_model_is_no_check() -> None:
    assert check_key(MANIFEST, Translator(), "test.p.of_no_one_model") is None


def test_a_preview_shows_the_newest_rows_where_the_model_says_what_newest_is() -> None:
    assert (
        newest_first("marts.totals", MANIFEST["nodes"]["model.p.totals"])
        == "SELECT * FROM marts.totals ORDER BY day DESC, 1, 2"
    )
    assert (
        newest_first("staging.stg_rows", MANIFEST["nodes"]["model.p.stg_rows"])
        == "SELECT * FROM staging.stg_rows ORDER BY 1, 2"
    )


def test_a_failure_names_what_broke_and_a_warning_breaks_nothing() -> None:
    fine = [Outcome("model.p.a", "success", 0.1, None, "OK"), Outcome("test.p.w", "warn", 0.1, 2, "Got 2 results"),
            Outcome("model.p.s", "skipped", 0.0, None, "")]  # fmt: skip
    fail_on_broken(fine)
    with pytest.raises(dg.Failure, match=r"1 of 4 dbt nodes broke: test\.p\.t: Got 1 result"):
        fail_on_broken([*fine, Outcome("test.p.t", "fail", 0.1, 1, "Got 1 result")])


def test_one_daily_sync_asks_for_one_build() -> None:
    run = dg.DagsterRun(job_name="daily_sync", run_id="0c6f1f3e-0000-4000-8000-000000000000")
    request = request_after(run)
    assert request.run_key == f"marts:{run.run_id}"
    assert request_after(run).run_key == request.run_key

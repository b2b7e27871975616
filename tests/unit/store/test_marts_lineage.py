"""Where models' columns come from, over a manifest of three."""

from __future__ import annotations

from typing import Any

from pipeline.store.marts_lineage import column_origins


def model(name: str, sql: str, *parents: str) -> dict[str, Any]:
    schema = "marts" if name == "totals" else "staging"
    return {
        "unique_id": f"model.p.{name}", "resource_type": "model", "schema": schema, "name": name, "compiled_code": sql,
        "depends_on": {"nodes": [f"model.p.{parent}" for parent in parents]},
    }  # fmt: skip


def test_a_model_is_read_after_those_it_reads_and_told_from_them() -> None:
    nodes = [
        model("totals", 'select day, count(*) as n, max(size) as size from "w"."staging"."cups" group by day', "cups", "days"),
        model("cups", 'select *, matched_at::date as day, score * 2 as size from "w"."core"."matches"'),
        model("days", "select 1 as day"),
    ]
    tests = [{"unique_id": "test.p.x", "resource_type": "test", "depends_on": {"nodes": ["model.p.cups"]}}]
    found = column_origins({"nodes": {node["unique_id"]: node for node in nodes + tests}})
    assert found.keys() == {"model.p.totals", "model.p.cups", "model.p.days"}
    assert found["model.p.totals"] == {"day": (("staging.cups", "day"),), "n": (), "size": (("staging.cups", "size"),)}
    assert found["model.p.cups"]["size"] == (("core.matches", "score"),)
    assert found["model.p.cups"]["crm_value"] == (("core.matches", "crm_value"),)
    assert found["model.p.days"] == {"day": ()}

"""From which columns each column of each dbt model is made, from a manifest with compiled models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.store.query_lineage import Origin, QueryLineage
from pipeline.store.warehouse_columns import warehouse_columns


def column_origins(manifest: Mapping[str, Any]) -> dict[str, dict[str, tuple[Origin, ...]]]:
    """By model, its columns in their order, each with the columns of tables and of other models that it is made from.

    ``manifest``: as `dbt compile` writes it. A column without origins is counted, set, or could not be followed.
    """
    lineage = QueryLineage({table: [column.name for column in columns] for table, columns in warehouse_columns().items()})
    found = {}
    for model in _in_order(manifest):
        found[model["unique_id"]] = lineage.origins(model["compiled_code"])
        lineage.add(f"{model['schema']}.{model['name']}", found[model["unique_id"]])
    return found


def _in_order(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The models, each after those it reads. dbt has seen to it that none reads itself on the way."""
    models = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    done: set[str] = set()

    def visit(key: str) -> Iterator[Mapping[str, Any]]:
        if key in models and key not in done:
            done.add(key)
            for parent in models[key]["depends_on"]["nodes"]:
                yield from visit(parent)
            yield models[key]

    for key in models:
        yield from visit(key)

"""Columns of the marts: what stands in the warehouse after a build, with dbt's words and with where each comes from.

It is read from the SQL that was run, when it was run: so loading the code location costs nothing, and it is never out of date.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import dagster as dg

from pipeline.defs.columns import column_metadata
from pipeline.defs.marts_translation import Translator
from pipeline.store.marts import Outcome
from pipeline.store.query_lineage import QueryLineage
from pipeline.store.warehouse_columns import Column


def column_stories(
    manifest: Mapping[str, Any], translator: Translator, outcomes: Sequence[Outcome], columns: Mapping[str, Sequence[Column]]
) -> dict[str, dict[str, Any]]:
    """Of each model that was made, by its id: the columns that it has in the warehouse, and from which columns each is made.

    ``columns``: those of every table and view, by ``schema.table``.
    """
    lineage = QueryLineage({table: [column.name for column in of] for table, of in columns.items()})
    assets = _assets(manifest, translator)
    stories = {}
    for outcome in outcomes:
        node = manifest["nodes"][outcome.unique_id]
        if node["resource_type"] == "model" and outcome.status == "success":
            described = [
                replace(column, description=" ".join(node["columns"].get(column.name, {}).get("description", "").split()))
                for column in columns.get(f"{node['schema']}.{node['name']}", ())
            ]
            stories[outcome.unique_id] = column_metadata(described, lineage.origins(outcome.sql), assets)
    return stories


def _assets(manifest: Mapping[str, Any], translator: Translator) -> dict[str, dg.AssetKey]:
    """The asset of each table or view, by ``schema.table``. Of an asset that writes several, only the table it is named after."""
    nodes = [*manifest["sources"].values(), *manifest["nodes"].values()]
    keys = {
        f"{node['schema']}.{node['name']}": translator.get_asset_key(node)
        for node in nodes
        if node["resource_type"] in {"source", "model"}
    }
    return {table: key for table, key in keys.items() if ".".join(key.path) == table}

"""What every asset says of itself beyond its description: its table, columns, where each column comes from, and the docs.

What belongs here: static metadata, put on the specs in one place. What does not: descriptions of assets (beside each asset)
and of columns (store/warehouse_schema).
"""

from datetime import timedelta

import dagster as dg

from pipeline.defs import common
from pipeline.defs.lineage import SOURCES
from pipeline.store.warehouse_columns import warehouse_columns

# Where an asset is explained at length.
GUIDES = {
    common.INGEST: "docs/analysts/README.md",
    common.SIGNALS: "docs/analysts/signals.md",
    common.CRM: "docs/analysts/README.md#what-a-crm-looked-like-on-a-day",
    common.MATCHING: "docs/analysts/README.md#how-rows-are-matched",
    common.DELIVERY: "docs/analysts/README.md#why-was-a-partner-not-told",
    common.RECOVERY: "docs/analysts/README.md#recover-missed-matches",
    common.OVERVIEW: "docs/analysts/morning.md",
    common.PARTNERS: "docs/operators/startcap.md",
}


# The daily sync refreshes whatever waits for no day; two hours for a run that waits or is slow.
DAILY = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=26))
HOURLY = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=3), warn_window=timedelta(hours=2))
# Assets whose table has another name.
TABLES = {dg.AssetKey(["recovery", "tried_days"]): "recovery.dry_run_changes"}
ON_DEMAND = {common.EXTRACTION_REVIEW}


def promise(spec: dg.AssetSpec) -> dg.FreshnessPolicy | None:
    """How old the asset may get, where it promises anything; recovery and pages are made when somebody asks."""
    if spec.key == common.SOURCE_HOURS:
        return HOURLY
    return None if spec.group_name == common.RECOVERY or spec.key in ON_DEMAND else DAILY


def with_story(spec: dg.AssetSpec) -> dg.AssetSpec:
    """``spec`` with the schema, the lineage, the table's name and the guide of its asset, where it has them."""
    table = TABLES.get(spec.key) or ".".join(spec.key.path)
    metadata = dict(spec.metadata)
    if table in warehouse_columns():
        metadata |= {
            "dagster/table_name": table,
            "dagster/column_schema": column_schema(spec.key, table),
            "dagster/column_lineage": column_lineage(spec.key),
        }
    if spec.group_name in GUIDES:
        metadata["guide"] = dg.MetadataValue.path(GUIDES[spec.group_name])
    return spec.replace_attributes(metadata=metadata, freshness_policy=promise(spec))


def column_schema(key: dg.AssetKey, table: str) -> dg.TableSchema:
    """The columns of the asset's ``table``, each with its words and, as a tag, what it is made from."""
    origins = SOURCES.get(key, {})
    return dg.TableSchema(
        columns=[
            dg.TableColumn(column.name, column.type, column.description, tags=_tags(origins.get(column.name, ())))
            for column in warehouse_columns()[table]
        ]
    )


def column_lineage(key: dg.AssetKey) -> dg.TableColumnLineage:
    """From which columns of which assets each column is made; columns that come from outside are not named."""
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(asset_key=asset, column_name=of) for asset, of in origins]
            for column, origins in SOURCES.get(key, {}).items()
        }
    )


def _tags(origins: tuple[tuple[dg.AssetKey, str], ...]) -> dict[str, str]:
    return {"from": ", ".join(f"{asset.path[-1]}.{of}" for asset, of in origins)} if origins else {}

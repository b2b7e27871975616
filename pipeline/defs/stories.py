"""What every asset says of itself beyond its description: its table, columns, where each column comes from, and the docs.

What belongs here: static metadata, put on the specs in one place. What does not: descriptions of assets (beside each asset)
and of columns (store/warehouse_schema; store/tables for what the app database holds).
"""

from datetime import timedelta

import dagster as dg

from pipeline.defs import common
from pipeline.defs.columns import column_metadata
from pipeline.defs.guides import guide
from pipeline.defs.lineage import SOURCES
from pipeline.store.app_columns import columns_of
from pipeline.store.tables.subscriptions import Signal
from pipeline.store.warehouse_columns import Column, warehouse_columns

# Where an asset is explained at length.
GUIDES = {
    common.INGEST: "docs/analysts/morning.md#what-went-wrong",
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
# Assets whose table has another name, and those whose table is in the app database.
TABLES = {dg.AssetKey(["recovery", "tried_days"]): "recovery.dry_run_changes"}
APP_TABLES = {common.SIGNALS_PUBLISHED: Signal}
ON_DEMAND = {common.EXTRACTION_REVIEW}


def promise(spec: dg.AssetSpec) -> dg.FreshnessPolicy | None:
    """How old the asset may get, where it promises anything; recovery and pages are made when somebody asks."""
    if spec.key == common.SOURCE_HOURS:
        return HOURLY
    return None if spec.group_name == common.RECOVERY or spec.key in ON_DEMAND else DAILY


def with_story(spec: dg.AssetSpec) -> dg.AssetSpec:
    """``spec`` with the schema, the lineage, the table's name and the guide of its asset, where it has them."""
    metadata = dict(spec.metadata)
    name, columns = table_of(spec.key)
    if columns:
        origins = SOURCES.get(spec.key, {})
        named = {column: [(".".join(asset.path), of) for asset, of in several] for column, several in origins.items()}
        assets = {".".join(asset.path): asset for several in origins.values() for asset, _ in several}
        metadata |= {"dagster/table_name": name} | column_metadata(columns, named, assets)
    if spec.group_name in GUIDES:
        metadata |= guide(GUIDES[spec.group_name])
    return spec.replace_attributes(metadata=metadata, freshness_policy=promise(spec))


def table_of(key: dg.AssetKey) -> tuple[str, tuple[Column, ...]]:
    """The table that the asset is, and its columns; none where it is no table."""
    if key in APP_TABLES:
        return APP_TABLES[key].__tablename__, columns_of(APP_TABLES[key])
    name = TABLES.get(key) or ".".join(key.path)
    return name, warehouse_columns().get(name, ())

"""Columns as Dagster shows them."""

from __future__ import annotations

import dagster as dg

from pipeline.defs.columns import column_metadata
from pipeline.store.warehouse_columns import Column

CUPS, MATCHES = dg.AssetKey(["core", "cups"]), dg.AssetKey(["core", "matches"])


def test_origins_are_told_as_lineage_between_assets_and_in_tags_none_of_which_is_cut_off() -> None:
    origins = {
        "size": [
            ("core.cups", "height"),
            ("core.cups", "width"),
            ("core.cups", "volume_when_it_is_full"),
            ("core.matches", "id"),
        ],
        "drinker": [("core.cups", "drinker"), ("core.people", "name")],
        "n": [],
    }
    columns = [Column("size", "BIGINT", "How large."), Column("drinker", "VARCHAR"), Column("n", "BIGINT")]
    metadata = column_metadata(columns, origins, {"core.cups": CUPS, "core.matches": MATCHES})
    size, drinker, n = metadata["dagster/column_schema"].columns
    assert (size.name, size.type, size.description) == ("size", "BIGINT", "How large.")
    assert list(size.tags) == ["from cups: height, width", "from cups: volume_when_it_is_full", "from matches: id"]
    assert list(drinker.tags) == ["from cups: drinker", "from people: name"]
    assert not n.tags
    # People are no asset: half the truth is not told as lineage.
    assert metadata["dagster/column_lineage"].deps_by_column == {
        "size": [
            dg.TableColumnDep(CUPS, "height"),
            dg.TableColumnDep(CUPS, "volume_when_it_is_full"),
            dg.TableColumnDep(CUPS, "width"),
            dg.TableColumnDep(MATCHES, "id"),
        ]
    }

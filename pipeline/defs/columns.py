"""Columns as Dagster shows them: each with its words, and where it comes from.

The open-source UI draws no column lineage, it keeps it for those who ask by GraphQL; so each column says its origins in tags too.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from pipeline.store.warehouse_columns import Column

# Characters of a tag that the UI shows in its table of columns.
WIDEST_TAG = 40


def column_metadata(
    columns: Iterable[Column],
    origins: Mapping[str, Sequence[tuple[str, str]]],
    assets: Mapping[str, dg.AssetKey],
) -> dict[str, Any]:
    """Schema and lineage of a table with these ``columns``, under the names the Dagster UI knows.

    ``origins``: for each column the (table, column) it is made from; ``assets``: the asset of a table, where the table is an asset.
    What a column is made from that is no asset's is said in its tags only.
    """
    return {
        "dagster/column_schema": dg.TableSchema(
            [
                dg.TableColumn(column.name, column.type, column.description, tags=_tags(origins.get(column.name, ())))
                for column in columns
            ]
        ),
        "dagster/column_lineage": dg.TableColumnLineage(
            {
                column: [dg.TableColumnDep(assets[table], of) for table, of in several]
                for column, several in origins.items()
                if several and all(table in assets for table, _ in several)
            }
        ),
    }


def _tags(origins: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Tags as `from table: column, column`, as many as it takes for none to be cut off; each is a key without a value."""
    tags: list[str] = []
    for table, column in origins:
        beginning = f"from {table.rpartition('.')[2]}: "
        if tags and tags[-1].startswith(beginning) and len(tags[-1]) + len(column) + 2 <= WIDEST_TAG:
            tags[-1] += f", {column}"
        else:
            tags.append(beginning + column)
    return dict.fromkeys(tags, "")

"""Columns as Dagster shows them: each with its words, and where it comes from.

The open-source UI draws no column lineage, it keeps it for those who ask by GraphQL; so each column says its origins in tags
too, one for each table, since a long one is cut off.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from pipeline.store.warehouse_columns import Column


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
    tables: dict[str, list[str]] = {}
    for table, column in origins:
        tables.setdefault(f"from {table.rpartition('.')[2]}", []).append(column)
    return {table: ", ".join(columns) for table, columns in tables.items()}

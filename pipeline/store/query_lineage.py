"""From which columns of which tables each column of a query is made, read from its SQL.

Told is what a value is made of: what stands in its expression, followed through common table expressions, unions, stars,
windows and scalar subqueries down to tables. Not told is what only decides which rows there are (joins, filters, groups). A
column that can't be followed to its end, or is made of no column (a constant, a count of rows), has no origin: none is better
than a wrong one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

Origin = tuple[str, str]  # `schema.table`, column
DIALECT = "duckdb"


class QueryLineage:
    """Reads queries over ``tables``: the names of the columns of each, by ``schema.table``."""

    def __init__(self, tables: Mapping[str, Iterable[str]]) -> None:
        self._columns: dict[str, set[str]] = {}
        self._schema = MappingSchema(dialect=DIALECT)
        for table, columns in tables.items():
            self.add(table, columns)

    def add(self, table: str, columns: Iterable[str]) -> None:
        """One more table, whose columns queries may read from now on."""
        typed = dict.fromkeys(columns, "VARCHAR")  # types don't matter: columns are told by name
        self._columns[table] = set(typed)
        self._schema.add_table(table, typed, dialect=DIALECT)

    def origins(self, sql: str) -> dict[str, tuple[Origin, ...]]:
        """The columns of the query ``sql`` in their order, each with its origins, sorted. Empty for what is no query to follow."""
        try:
            query = parse_one(sql, dialect=DIALECT)
            if any(operation.args.get("by_name") for operation in query.find_all(exp.SetOperation)):
                return {}  # sqlglot would pair the columns by their places
            for table in query.find_all(exp.Table):
                table.set("catalog", None)
            query = qualify(query, dialect=DIALECT, schema=self._schema, validate_qualify_columns=False, identify=False)
            if any(select.is_star for select in query.find_all(exp.Select)):
                return {}  # of an unknown table: whatever stands beside it in a union may have another place
            ways = lineage(None, query, self._schema, dialect=DIALECT, trim_selects=False, copy=False)
        except (SqlglotError, ValueError):  # what sqlglot documents, and a union of unlike branches
            return {}
        return {column: tuple(sorted(self._ends(way))) for column, way in ways.items()}

    def _ends(self, way: Node) -> set[Origin]:
        """The columns of tables at the ends of a way; none at all where one end is unknown."""
        ends: set[Origin] = set()
        for step in way.walk():
            here = step.expression
            # A column that its query does not have, or of nobody knows what.
            if isinstance(here, (exp.Star, exp.Select, exp.SetOperation, exp.Placeholder)):
                return set()
            if isinstance(here, exp.Table) and not step.downstream:
                table, column = f"{here.db}.{here.name}", exp.to_column(step.name).name
                if column not in self._columns.get(table, ()):
                    return set()
                ends.add((table, column))
        return ends

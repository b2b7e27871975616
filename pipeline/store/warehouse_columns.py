"""What the warehouse's tables hold, column by column, read from the schema files that make them.

The files are the one place where a column is described: in the comment at the end of its line, in the one above an
``ADD COLUMN``, or in a ``COMMENT ON COLUMN``. Reading them needs no warehouse, so a code location can show them as it loads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from pipeline.store.warehouse import SCHEMA

_STATEMENT = re.compile(
    r"CREATE TABLE (?:IF NOT EXISTS )?(?P<created>\w+\.\w+) \((?P<body>.*?)\);"
    r"|(?P<above>(?:^--[^\n]*\n)*)^ALTER TABLE (?P<altered>\w+\.\w+) ADD COLUMN (?P<column>\w+) (?P<type>[^;]+);"
    r"|ALTER TABLE (?P<retyped>\w+\.\w+) ALTER (?P<which>\w+) TYPE (?P<as>.+?)(?: USING [^;]+)?;"
    r"|COMMENT ON COLUMN (?P<noted>\w+\.\w+)\.(?P<of>\w+) IS '(?P<text>(?:[^']|'')*)';"
    r"|DROP TABLE (?:IF EXISTS )?(?P<dropped>\w+\.\w+);",
    re.DOTALL | re.MULTILINE,
)
_COMMA = re.compile(r",(?![^(]*\))")  # not the one of DECIMAL(20, 2)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, its SQL type, and what it says ('' where no file does)."""

    name: str
    type: str
    description: str = ""


@cache
def warehouse_columns() -> Mapping[str, tuple[Column, ...]]:
    """The columns of every table, in order, by ``schema.table``."""
    return read_columns(file.read_text(encoding="utf-8") for file in sorted(SCHEMA.glob("*.sql")))


def read_columns(scripts: Iterable[str]) -> dict[str, tuple[Column, ...]]:
    """The tables that running ``scripts`` in order leaves behind."""
    tables: dict[str, dict[str, Column]] = {}
    for script in scripts:
        for found in _STATEMENT.finditer(script):
            if found["created"]:
                tables[found["created"]] = {column.name: column for column in _created(found["body"])}
            elif found["altered"]:
                text = " ".join(line.removeprefix("--").strip() for line in found["above"].splitlines())
                tables[found["altered"]][found["column"]] = Column(found["column"], found["type"].strip(), text)
            elif found["retyped"]:
                columns = tables[found["retyped"]]
                columns[found["which"]] = replace(columns[found["which"]], type=found["as"])
            elif found["noted"]:
                columns = tables[found["noted"]]
                columns[found["of"]] = replace(columns[found["of"]], description=found["text"].replace("''", "'"))
            else:
                tables.pop(found["dropped"], None)
    return {table: tuple(columns.values()) for table, columns in tables.items()}


def _created(body: str) -> Iterable[Column]:
    for line in body.splitlines():
        code, _, comment = line.partition("--")
        parts = [part.strip() for part in _COMMA.split(code) if part.strip()]
        for part in parts:
            name, _, kind = part.partition(" ")
            # A comment speaks of the column that ends its line.
            yield Column(name, kind.strip(), comment.strip() if part is parts[-1] else "")

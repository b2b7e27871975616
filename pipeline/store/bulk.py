"""Many rows of one table handed to the database's own driver: as plain tuples (SQLite) or one JSON text (PostgreSQL).

What belongs here: INSERT and UPDATE of rows that are ready, and asking for many keys at once. What does not: which rows (the
rooms). Tables, columns and types are those of store.tables; only the values are passed around the mapper, which takes several times
as long as the database does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from msgspec.json import encode
from sqlalchemy import JSON, ColumnElement, Connection, Dialect, Table, any_, func, literal, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Session

from pipeline.store.types import UtcDateTime, moment_to_driver

ROWS_AT_ONCE = 5_000
FEW = 3
Rows = Sequence[Sequence[Any]]
Model = type[DeclarativeBase]


def insert_rows(session: Session, model: Model, names: tuple[str, ...], rows: Rows, skips_known: bool = False) -> None:
    """Insert ``rows``, the values of the columns ``names`` in this order. ``skips_known``: leave out what breaks a unique key.

    A column that is not named gets the database's default, not the model's. Columns of bytes are not for PostgreSQL's JSON.
    """
    _write(session, model, names, rows, _insert(model.__table__, names, skips_known))


def update_rows(session: Session, model: Model, names: tuple[str, ...], rows: Rows) -> None:
    """Update by key: the first of ``names`` is the key, the others are set. Rows that are not there are passed over.

    On PostgreSQL the rows are reached in any order: lock them before, in yours, if others update them too.
    """
    _write(session, model, names, rows, _update(model.__table__, names))


def is_one_of(session: Session, column: Any, values: Collection[Any]) -> ColumnElement[bool]:
    """Is ``column`` one of ``values``? Many go as one parameter: an IN would make one of each. Few are cheaper as an IN."""
    if len(values) <= FEW:
        return column.in_(list(values))  # type: ignore[no-any-return]
    if session.connection().dialect.name == "sqlite":
        sent = func.json_each(json.dumps(list(values))).table_valued("value")
        return column.in_(select(sent.c.value))  # type: ignore[no-any-return]
    kind = postgresql.ARRAY(column.type)
    return column == any_(literal(list(values), kind))  # type: ignore[no-any-return]


def sent_records(columns: Iterable[tuple[str, str]]) -> str:
    """PostgreSQL's rows ``sent``, of one JSON text that is the parameter. ``columns``: (name, type).

    The driver takes longer over arrays of texts that hold quotation marks (15 ms for 1,000 rows) than the database over JSON.
    """
    return f"json_to_recordset(%s::json) AS sent ({', '.join(f'{name} {kind}' for name, kind in columns)})"


def _write(session: Session, model: Model, names: tuple[str, ...], rows: Rows, statements: tuple[str, str]) -> None:
    connection = session.connection()
    for some in _parts(rows):
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(statements[0], _tuples(connection, model.__table__, names, some))
        else:
            sent = [dict(zip(names, row, strict=True)) for row in some]
            connection.exec_driver_sql(statements[1], (encode(sent).decode(),))


def _parts(rows: Rows) -> Iterator[Rows]:
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield rows[start : start + ROWS_AT_ONCE]


def _tuples(connection: Connection, table: Any, names: tuple[str, ...], rows: Rows) -> list[tuple[Any, ...]]:
    columns: list[Collection[Any]] = []
    for name, column in zip(names, zip(*rows, strict=True), strict=True):
        to_driver = _to_driver(table.c[name].type, connection.dialect)
        columns.append(column if to_driver is None else list(map(to_driver, column)))
    return list(zip(*columns, strict=True))


def _to_driver(kind: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes the value SQLite stores; None: it is stored as it is."""
    if isinstance(kind, UtcDateTime):
        # One batch says the same few instants many times.
        return cache(moment_to_driver(dialect))
    return json.dumps if isinstance(kind, JSON) else None


@cache
def _insert(table: Table, names: tuple[str, ...], skips_known: bool) -> tuple[str, str]:
    into = f"INSERT INTO {table.name} ({', '.join(names)})"
    end = " ON CONFLICT DO NOTHING" if skips_known else ""
    marks = ", ".join("?" * len(names))
    return (
        f"{into} VALUES ({marks}){end}",
        f"{into} SELECT sent.* FROM {_sent(table, names)}{end}",  # noqa: S608 - names of ours
    )


@cache
def _update(table: Table, names: tuple[str, ...]) -> tuple[str, str]:
    key, *others = names
    # SQLite's parameters by place: the key is ?1 although it stands last.
    numbered = ", ".join(f"{name} = ?{place}" for place, name in enumerate(others, 2))
    named = ", ".join(f"{name} = sent.{name}" for name in others)
    return (
        f"UPDATE {table.name} SET {numbered} WHERE {key} = ?1",  # noqa: S608 - names of ours
        f"UPDATE {table.name} SET {named} FROM {_sent(table, names)} WHERE {table.name}.{key} = sent.{key}",  # noqa: S608
    )


def _sent(table: Table, names: tuple[str, ...]) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return sent_records((name, table.c[name].type.compile(dialect=dialect)) for name in names)

"""What a visit writes, handed to the database's own driver: rows as tuples on SQLite, as one JSON text on PostgreSQL.

What belongs here: the SQL of beginnings and settlements. What does not: what they say (webhooks.claims, webhooks.settling).
The tables and columns are those of the models; only their values are passed around the mapper, which would cost more than
the database itself does. SQLite takes longer over all rows in one statement than over a row at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

from msgspec.json import encode
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from pipeline.store.bulk import sent_records
from pipeline.store.types import moment_to_driver
from pipeline.webhooks.attempts import UNKNOWN_OUTCOME


class Beginning(NamedTuple):
    """An attempt that is about to be made: number ``number`` of its delivery, counted from 1. ``sent``: the body's bytes."""

    delivery_id: str
    endpoint_id: str
    endpoint_url: str
    body: str
    sent: bytes
    body_sha256: str
    number: int
    trigger: str


class Settlement(NamedTuple):
    """What became of an attempt, and of its delivery. Times aware, durations in ms, as attempts.Outcome has them."""

    delivery_id: str
    claimed_by: str
    claimed_at: datetime
    number: int
    attempt_id: int
    to_status: str
    to_outcome: str
    next_attempt_at: datetime | None
    next_trigger: str | None
    ended_at: datetime | None  # the delivery, where no other attempt follows
    finished_at: datetime  # the attempt
    response_code: int | None
    response_excerpt: str | None
    error_class: str | None
    error: str | None
    resolved_address: str | None
    duration_ms: float
    resolve_ms: float | None
    connect_ms: float | None
    tls_ms: float | None
    first_byte_ms: float | None
    is_reused_connection: bool | None
    is_request_sent: bool | None


# Each statement's parameters, in order: (field, PostgreSQL type).
_TEXT, _INT, _BIG, _FLOAT, _BOOL, _TIME = "text", "integer", "bigint", "float8", "boolean", "timestamptz"
_DELIVERY_BEGINS = (
    ("endpoint_id", _TEXT), ("body", _TEXT), ("number", _INT), ("delivery_id", _TEXT),
)  # fmt: skip
_ATTEMPT_BEGINS = (
    ("delivery_id", _TEXT), ("number", _INT), ("trigger", _TEXT), ("endpoint_url", _TEXT), ("body_sha256", _TEXT),
)  # fmt: skip
_DELIVERY_ENDS = (
    ("to_status", _TEXT), ("error_class", _TEXT), ("response_code", _INT), ("response_excerpt", _TEXT), ("ended_at", _TIME),
    ("next_attempt_at", _TIME), ("next_trigger", _TEXT), ("delivery_id", _TEXT), ("claimed_by", _TEXT), ("claimed_at", _TIME),
    ("number", _INT),
)  # fmt: skip
_ATTEMPT_ENDS = (
    ("to_outcome", _TEXT), ("response_code", _INT), ("response_excerpt", _TEXT), ("resolved_address", _TEXT),
    ("duration_ms", _FLOAT), ("resolve_ms", _FLOAT), ("connect_ms", _FLOAT), ("tls_ms", _FLOAT), ("first_byte_ms", _FLOAT),
    ("is_reused_connection", _BOOL), ("is_request_sent", _BOOL), ("error_class", _TEXT), ("error", _TEXT),
    ("finished_at", _TIME), ("attempt_id", _BIG),
)  # fmt: skip
_MOMENTS = frozenset({"ended_at", "next_attempt_at", "claimed_at", "finished_at"})
Fields = tuple[tuple[str, str], ...]

# A claim's own delivery, wherever it stands: on its way, given up meanwhile, or to be tried again because it was given up.
_OF_THIS_CLAIM = (
    "deliveries.id = {delivery_id} AND deliveries.claimed_by = {claimed_by} AND deliveries.claimed_at = {claimed_at}"
    " AND deliveries.attempts = {number}"
    f" AND (deliveries.status IN ('sending', 'scheduled') OR deliveries.reason = '{UNKNOWN_OUTCOME}')"
)
_BEGIN_DELIVERY = (
    "UPDATE deliveries SET status = 'sending', claimed_at = {at}, claimed_by = {by}, next_attempt_at = NULL,"
    " next_trigger = NULL, endpoint_id = {endpoint_id}, body = {body}, attempts = {number}"
)
_END_DELIVERY = (
    "UPDATE deliveries SET status = {to_status}, reason = {error_class}, response_code = {response_code},"
    " response_excerpt = {response_excerpt}, finished_at = {ended_at}, next_attempt_at = {next_attempt_at},"
    " next_trigger = {next_trigger}"
)
_END_ATTEMPT = (
    "UPDATE delivery_attempts SET is_mirrored = {false}, outcome = {to_outcome}, response_code = {response_code},"
    " response_excerpt = {response_excerpt}, resolved_address = {resolved_address}, duration_ms = {duration_ms},"
    " resolve_ms = {resolve_ms}, connect_ms = {connect_ms}, tls_ms = {tls_ms}, first_byte_ms = {first_byte_ms},"
    " is_reused_connection = {is_reused_connection}, is_request_sent = {is_request_sent}, error_class = {error_class},"
    " error = {error}, finished_at = {finished_at}"
)
_INSERT_SQLITE = (
    "INSERT INTO delivery_attempts (id, delivery_id, number, trigger, endpoint_url, body_sha256, started_at, outcome, is_mirrored)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, 'sending', 0)"
)
_INSERT_POSTGRESQL = (
    "INSERT INTO delivery_attempts (delivery_id, number, trigger, endpoint_url, body_sha256, started_at, outcome, is_mirrored)"
    " SELECT sent.delivery_id, sent.number, sent.trigger, sent.endpoint_url, sent.body_sha256, at, 'sending', false"
    " FROM (SELECT %s::timestamptz AS at) AS moment, {sent} RETURNING id, delivery_id"
)


def begin_attempts(session: Session, rows: Sequence[Beginning], now: datetime, claimed_by: str) -> dict[str, int]:
    """Write claims and their attempts; gives each attempt's id by its delivery's. The deliveries are locked by the caller."""
    if not rows:
        return {}
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return _begin_sqlite(connection, rows, now, claimed_by)
    connection.exec_driver_sql(_begin_postgresql(), (now, claimed_by, _json(_DELIVERY_BEGINS, rows)))
    begun: Iterable[Any] = connection.exec_driver_sql(_insert_postgresql(), (now, _json(_ATTEMPT_BEGINS, rows)))
    return {delivery_id: attempt_id for attempt_id, delivery_id in begun}


def end_attempts(session: Session, rows: Sequence[Settlement]) -> None:
    """Write what became of attempts. ``rows`` by delivery id, so that two who write the same ones never wait in a circle."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        to_driver = moment_to_driver(connection.dialect)
        for statement, fields in ((_end_delivery_sqlite(), _DELIVERY_ENDS), (_end_attempt_sqlite(), _ATTEMPT_ENDS)):
            connection.exec_driver_sql(statement, _tuples(fields, rows, to_driver))
        return
    ids = [row.delivery_id for row in rows]
    # The update below may reach the rows in any order: they are locked in ours first.
    connection.exec_driver_sql("SELECT 1 FROM deliveries WHERE id = ANY(%s::text[]) ORDER BY id FOR UPDATE", (ids,))
    connection.exec_driver_sql(_end_delivery_postgresql(), (_json(_DELIVERY_ENDS, rows),))
    connection.exec_driver_sql(_end_attempt_postgresql(), (_json(_ATTEMPT_ENDS, rows),))


def _tuples(fields: Fields, rows: Sequence[Any], to_driver: Any = None) -> list[tuple[Any, ...]]:
    columns = []
    for name, _ in fields:
        column = map(attrgetter(name), rows)
        columns.append(map(to_driver, column) if to_driver and name in _MOMENTS else column)
    return list(zip(*columns, strict=True))


# --- SQLite -----------------------------------------------------------------------------------------------------------


def _begin_sqlite(connection: Connection, rows: Sequence[Beginning], now: datetime, claimed_by: str) -> dict[str, int]:
    at = moment_to_driver(connection.dialect)(now)
    begun = _tuples(_DELIVERY_BEGINS, rows)
    connection.exec_driver_sql(_begin_delivery_sqlite(), [(at, claimed_by, *row) for row in begun])
    # Nobody else writes until this transaction ends, so the next numbers are ours to give.
    last: int = connection.exec_driver_sql("SELECT coalesce(max(id), 0) FROM delivery_attempts").scalar_one()
    attempts = [(last + place, *row, at) for place, row in enumerate(_tuples(_ATTEMPT_BEGINS, rows), 1)]
    connection.exec_driver_sql(_INSERT_SQLITE, attempts)
    return {row.delivery_id: last + place for place, row in enumerate(rows, 1)}


def _marked(statement: str, fields: Fields, **more: str) -> str:
    return statement.format(**{name: "?" for name, _ in fields}, **more)


@cache
def _begin_delivery_sqlite() -> str:
    return _marked(_BEGIN_DELIVERY + " WHERE id = {delivery_id}", _DELIVERY_BEGINS, at="?", by="?")


@cache
def _end_delivery_sqlite() -> str:
    return _marked(f"{_END_DELIVERY} WHERE {_OF_THIS_CLAIM}", _DELIVERY_ENDS)


@cache
def _end_attempt_sqlite() -> str:
    return _marked(_END_ATTEMPT + " WHERE id = {attempt_id}", _ATTEMPT_ENDS, false="0")


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


def _json(fields: Fields, rows: Sequence[Any]) -> str:
    names = [name for name, _ in fields]
    return encode([dict(zip(names, row, strict=True)) for row in _tuples(fields, rows)]).decode()


def _joined(statement: str, condition: str, fields: Fields, **more: str) -> str:
    named = {name: f"sent.{name}" for name, _ in fields}
    sent = f" FROM {sent_records(fields)}"
    return statement.format(**named, **more) + sent + " WHERE " + condition.format(**named)


@cache
def _begin_postgresql() -> str:
    return _joined(_BEGIN_DELIVERY, "deliveries.id = {delivery_id}", _DELIVERY_BEGINS, at="%s::timestamptz", by="%s::text")


@cache
def _insert_postgresql() -> str:
    return _INSERT_POSTGRESQL.format(sent=sent_records(_ATTEMPT_BEGINS))


@cache
def _end_delivery_postgresql() -> str:
    return _joined(_END_DELIVERY, _OF_THIS_CLAIM, _DELIVERY_ENDS)


@cache
def _end_attempt_postgresql() -> str:
    return _joined(_END_ATTEMPT, "delivery_attempts.id = {attempt_id}", _ATTEMPT_ENDS, false="false")

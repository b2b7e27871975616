"""What claimed deliveries tell: their matches, rounds and the metadata of the CRM rows, as they are now."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

from msgspec.json import decode
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from pipeline.store.tables.crm import Account, Contact
from pipeline.webhooks.canonical import RawJson
from pipeline.webhooks.profiles import CrmMetadata, Event
from pipeline.webhooks.waiting import Waiting

# Straight to the driver, with JSON as the text that is stored: making statements and opening JSON took more than reading.
_MATCHES_BY_ID = (
    "SELECT id, organization_id, round_id, match_type, account_external_id, contact_external_id, origin,"
    " CAST(all_matches AS TEXT) FROM matches WHERE id "
)
_ROUNDS_BY_ID = "SELECT id, CAST(body AS TEXT) FROM rounds WHERE id "
_AMONG = {"sqlite": "IN (SELECT value FROM json_each(?))", "postgresql": "= ANY(%s::text[])"}
ROUNDS_KEPT = 256  # with what was written of them; those that many partners are told of stay
# A list of pairs to join with, row by row through the key: for `(a, b) IN (…)`, SQLite reads the whole table.
_METADATA = {
    "sqlite": """
        SELECT organization_id, external_id, metadata_json FROM json_each(:pairs) AS wanted
        CROSS JOIN {table} ON organization_id = wanted.value ->> 0 AND external_id = wanted.value ->> 1
    """,
    "postgresql": """
        SELECT organization_id, external_id, metadata_json FROM json_array_elements(CAST(:pairs AS json)) AS wanted (value)
        JOIN {table} ON organization_id = wanted.value ->> 0 AND external_id = wanted.value ->> 1
    """,
}


class StoredMatch(NamedTuple):
    """A match as its delivery needs it."""

    id: str
    organization_id: str
    round_id: str
    match_type: str
    account_external_id: str | None
    contact_external_id: str | None
    origin: str
    all_matches: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class LoadedEvent:
    """One delivery's event, and what brought its match about (live, backfill)."""

    event: Event
    origin: str


def load_events(session: Session, deliveries: Sequence[Waiting], now: datetime) -> dict[str, LoadedEvent]:
    """The events of ``deliveries``, by delivery id. Metadata of a CRM row deleted meanwhile is absent."""
    wanted = [row.match_id for row in deliveries if row.match_id]
    found = [StoredMatch._make((*row[:-1], decode(row[-1]))) for row in _by_id(session, _MATCHES_BY_ID, wanted)]
    matches = {match.id: match for match in found}
    # Many organizations are told of one round: it is read once.
    round_ids = sorted({match.round_id for match in matches.values()})
    rounds = {round_id: _round(round_id, body) for round_id, body in _by_id(session, _ROUNDS_BY_ID, round_ids)}
    by_organization = metadata_of(session, list(matches.values()))
    events: dict[str, LoadedEvent] = {}
    for row in deliveries:
        if row.match_id:
            match = matches[row.match_id]
            event = _event(match, *rounds[match.round_id], by_organization[row.organization_id], now)
            events[row.id] = LoadedEvent(event, match.origin)
    return events


def _by_id(session: Session, query: str, ids: Sequence[str]) -> Iterable[Any]:
    if not ids:
        return ()
    connection = session.connection()
    dialect = connection.dialect.name
    return connection.exec_driver_sql(query + _AMONG[dialect], (json.dumps(ids) if dialect == "sqlite" else ids,))


@lru_cache(maxsize=ROUNDS_KEPT)
def _round(round_id: str, stored: str) -> tuple[dict[str, Any], dict[str, RawJson]]:
    """The round and what profiles have written of it. By its text, so that one which changed is another."""
    return json.loads(stored) | {"id": round_id}, {}


def metadata_of(session: Session, matches: Collection[Any]) -> dict[str, CrmMetadata]:
    """By organization: the metadata texts of all CRM rows that ``matches`` (rows of that table) name."""
    accounts = _metadata(session, Account, _rows(matches, "account_external_id"))
    contacts = _metadata(session, Contact, _rows(matches, "contact_external_id"))
    return {
        match.organization_id: CrmMetadata(accounts[match.organization_id], contacts[match.organization_id])
        for match in matches
    }


def _event(match: StoredMatch, of: dict[str, Any], written: dict[str, RawJson], metadata: CrmMetadata, now: datetime) -> Event:
    return Event(
        match_id=match.id,
        match_type=match.match_type,
        account_external_id=match.account_external_id,
        contact_external_id=match.contact_external_id,
        all_matches=match.all_matches,
        round=of,
        metadata=metadata,
        occurred_at=now,
        written=written,
    )


def _rows(matches: Iterable[Any], field: str) -> set[tuple[str, str]]:
    """(organization, external id) of all CRM rows that the matches name."""
    found: set[tuple[str, str]] = set()
    for match in matches:
        names = [getattr(match, field), *(row.get(field) for row in match.all_matches)]
        found.update((match.organization_id, name) for name in names if name is not None)
    return found


def _metadata(
    session: Session, table: type[Account] | type[Contact], rows: Iterable[tuple[str, str]]
) -> defaultdict[str, dict[str, str | None]]:
    found: defaultdict[str, dict[str, str | None]] = defaultdict(dict)
    if not (pairs := sorted(rows)):
        return found
    connection = session.connection()
    query = _metadata_query(connection.dialect.name, table.__tablename__)
    answer: Iterable[Any] = connection.execute(query, {"pairs": json.dumps(pairs)})
    for organization_id, external_id, metadata in answer:
        found[organization_id][external_id] = metadata
    return found


@cache
def _metadata_query(dialect: str, table: str) -> TextClause:
    return text(_METADATA[dialect].format(table=table))

"""What claimed deliveries tell: their matches, rounds and the metadata of the CRM rows, as they are now."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from pipeline.store.models import Account, Contact, Match, Round
from pipeline.webhooks.profiles import CrmMetadata, Event
from pipeline.webhooks.waiting import Waiting

_MATCH: tuple[Any, ...] = (
    Match.id, Match.organization_id, Match.round_id, Match.match_type, Match.account_external_id, Match.contact_external_id,
    Match.all_matches, Match.origin,
)  # fmt: skip
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


@dataclass(frozen=True, slots=True)
class LoadedEvent:
    """One delivery's event, and what brought its match about (live, backfill)."""

    event: Event
    origin: str


def load_events(session: Session, deliveries: Sequence[Waiting], now: datetime) -> dict[str, LoadedEvent]:
    """The events of ``deliveries``, by delivery id. Metadata of a CRM row deleted meanwhile is absent."""
    wanted = [row.match_id for row in deliveries if row.match_id]
    found: Iterable[Any] = session.execute(select(*_MATCH).where(Match.id.in_(wanted))) if wanted else ()
    matches = {match.id: match for match in found}
    # Many organizations are told of one round: it is read once.
    round_ids = sorted({match.round_id for match in matches.values()})
    rounds: dict[str, dict[str, Any]] = {}
    if round_ids:
        stored: Iterable[Any] = session.execute(select(Round.id, Round.body).where(Round.id.in_(round_ids)))
        rounds = {round_id: body | {"id": round_id} for round_id, body in stored}
    by_organization = metadata_of(session, list(matches.values()))
    events: dict[str, LoadedEvent] = {}
    for row in deliveries:
        if row.match_id:
            match = matches[row.match_id]
            event = _event(match, rounds[match.round_id], by_organization[row.organization_id], now)
            events[row.id] = LoadedEvent(event, match.origin)
    return events


def metadata_of(session: Session, matches: Collection[Any]) -> dict[str, CrmMetadata]:
    """By organization: the metadata texts of all CRM rows that ``matches`` (rows of that table) name."""
    accounts = _metadata(session, Account, _rows(matches, "account_external_id"))
    contacts = _metadata(session, Contact, _rows(matches, "contact_external_id"))
    return {
        match.organization_id: CrmMetadata(accounts[match.organization_id], contacts[match.organization_id])
        for match in matches
    }


def _event(match: Any, of: dict[str, Any], metadata: CrmMetadata, now: datetime) -> Event:
    return Event(
        match_id=match.id,
        match_type=match.match_type,
        account_external_id=match.account_external_id,
        contact_external_id=match.contact_external_id,
        all_matches=match.all_matches,
        round=of,
        metadata=metadata,
        occurred_at=now,
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
    query = text(_METADATA[session.get_bind().dialect.name].format(table=table.__tablename__))
    answer: Iterable[Any] = session.execute(query, {"pairs": json.dumps(pairs)})
    for organization_id, external_id, metadata in answer:
        found[organization_id][external_id] = metadata
    return found

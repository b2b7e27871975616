"""What waits to be sent, as a visit to the ledger reads it: a delivery and its endpoint as plain rows.

What belongs here: the rows and how they are read. What does not: which of them may go (webhooks.choosing), writing them
(webhooks.ledger_writes). Mapped objects would take as long to make as the whole visit takes, and so would statements built
anew each time: they are made once, of the tables themselves, and run past the mapper. Who has changed mapped objects flushes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, TextClause, bindparam, select
from sqlalchemy.orm import Session

from pipeline.store.tables.deliveries import Delivery, WebhookEndpoint


@dataclass(slots=True)
class Waiting:
    """One pending delivery. What a visit changes of ``status`` to ``next_trigger`` is written at its end."""

    id: str
    organization_id: str
    event_type: str
    match_id: str | None
    event_id: str | None
    body: str | None
    attempts: int
    endpoint_id: str | None
    status: str
    reason: str | None
    finished_at: datetime | None
    next_trigger: str | None
    is_moved: bool = False  # to another endpoint than the one that was stored with it


@dataclass(slots=True)
class Endpoint:
    """Where it goes. ``paced_until`` moves with what its rate limit lets through."""

    id: str
    organization_id: str
    profile: str
    url: str
    key_id: str | None
    state: str
    policy: dict[str, Any]
    headers_encrypted: bytes | None
    secret_encrypted: bytes | None
    consecutive_failures: int
    paced_until: datetime | None


Condition = ColumnElement[bool] | TextClause

_DELIVERIES, _ENDPOINTS = Delivery.__table__.c, WebhookEndpoint.__table__.c
_DELIVERY = [
    _DELIVERIES[name] for name in (
        "id", "organization_id", "event_type", "match_id", "event_id", "body", "attempts", "endpoint_id", "status", "reason",
        "finished_at", "next_trigger",
    )
]  # fmt: skip
_ENDPOINT = [
    _ENDPOINTS[name] for name in (
        "id", "organization_id", "profile", "url", "key_id", "state", "policy", "headers_encrypted", "secret_encrypted",
        "consecutive_failures", "paced_until",
    )
]  # fmt: skip
_BY_ID = _ENDPOINTS.id.in_(bindparam("ids", expanding=True))
_BY_ORGANIZATION = (_ENDPOINTS.profile == bindparam("profile")) & _ENDPOINTS.organization_id.in_(
    bindparam("organizations", expanding=True)
)
_ENDPOINTS_BY_ID: Select[Any] = select(*_ENDPOINT).where(_BY_ID)
_ENDPOINTS_BY_ORGANIZATION: Select[Any] = select(*_ENDPOINT).where(_BY_ORGANIZATION)
_ENDPOINTS_LOCKED: Select[Any] = _ENDPOINTS_BY_ID.order_by(_ENDPOINTS.id).with_for_update(skip_locked=True)


def oldest(*conditions: Condition) -> Select[Any]:
    """The statement for oldest_locked; its parameter ``most`` says how many."""
    query: Select[Any] = select(*_DELIVERY).where(*conditions).order_by(_DELIVERIES.created_at, _DELIVERIES.id)
    return query.limit(bindparam("most", type_=Integer)).with_for_update(skip_locked=True)


def oldest_locked(session: Session, query: Select[Any], **parameters: Any) -> list[Waiting]:
    """The oldest deliveries that ``query`` names, locked; those that somebody else has locked are passed over."""
    found: Sequence[Any] = session.connection().execute(query, parameters).all()
    return [Waiting(*row) for row in found]


def endpoints(session: Session, ids: Sequence[str]) -> list[Endpoint]:
    """The endpoints with these ids."""
    found: Sequence[Any] = session.connection().execute(_ENDPOINTS_BY_ID, {"ids": ids}).all()
    return [Endpoint(*row) for row in found]


def endpoints_of(session: Session, profile: str, organizations: Sequence[str]) -> list[Endpoint]:
    """The endpoints that these organizations have in this profile."""
    wanted = {"profile": profile, "organizations": organizations}
    found: Sequence[Any] = session.connection().execute(_ENDPOINTS_BY_ORGANIZATION, wanted).all()
    return [Endpoint(*row) for row in found]


def endpoints_locked(session: Session, ids: Sequence[str]) -> list[Endpoint]:
    """The same as they are now, by id, locked; those that somebody else has locked are passed over."""
    found: Iterable[Any] = session.connection().execute(_ENDPOINTS_LOCKED, {"ids": ids})
    return [Endpoint(*row) for row in found]

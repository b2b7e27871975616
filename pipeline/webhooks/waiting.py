"""What waits to be sent, as a visit to the ledger reads it: a delivery and its endpoint as plain rows.

What belongs here: the rows and how they are read. What does not: which of them may go (webhooks.choosing), writing them
(webhooks.ledger_writes). Mapped objects would take as long to make as the whole visit takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, TextClause, select
from sqlalchemy.orm import Session

from pipeline.store.models import Delivery, WebhookEndpoint


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

_DELIVERY: tuple[Any, ...] = (
    Delivery.id, Delivery.organization_id, Delivery.event_type, Delivery.match_id, Delivery.event_id, Delivery.body,
    Delivery.attempts, Delivery.endpoint_id, Delivery.status, Delivery.reason, Delivery.finished_at, Delivery.next_trigger,
)  # fmt: skip
_ENDPOINT: tuple[Any, ...] = (
    WebhookEndpoint.id, WebhookEndpoint.organization_id, WebhookEndpoint.profile, WebhookEndpoint.url, WebhookEndpoint.key_id,
    WebhookEndpoint.state, WebhookEndpoint.policy, WebhookEndpoint.headers_encrypted, WebhookEndpoint.secret_encrypted,
    WebhookEndpoint.consecutive_failures, WebhookEndpoint.paced_until,
)  # fmt: skip


def oldest_locked(session: Session, limit: int, *conditions: Condition) -> list[Waiting]:
    """The oldest deliveries of which ``conditions`` hold, locked; those that somebody else has locked are passed over."""
    query: Select[Any] = select(*_DELIVERY).where(*conditions).order_by(Delivery.created_at, Delivery.id).limit(limit)
    found: Iterable[Any] = session.execute(query.with_for_update(skip_locked=True))
    return [Waiting(*row) for row in found]


def endpoints(session: Session, condition: ColumnElement[bool]) -> list[Endpoint]:
    """The endpoints of which ``condition`` holds."""
    query: Select[Any] = select(*_ENDPOINT).where(condition)
    found: Iterable[Any] = session.execute(query)
    return [Endpoint(*row) for row in found]


def endpoints_locked(session: Session, condition: ColumnElement[bool]) -> list[Endpoint]:
    """The same as they are now, by id, locked; those that somebody else has locked are passed over."""
    query: Select[Any] = select(*_ENDPOINT).where(condition).order_by(WebhookEndpoint.id)
    found: Iterable[Any] = session.execute(query.with_for_update(skip_locked=True))
    return [Endpoint(*row) for row in found]

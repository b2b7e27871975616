"""Webhooks of teams: made, listed, changed, soft-deleted, revived (SB-10 to SB-16, SB-21 to SB-36, SB-56 to SB-58).

One code path for whoever changes them; ``via`` says who it was (api, dashboard). A webhook is an endpoint of the ledger with a
subscription beside it. What belongs here: what a webhook may be, and its changes. What does not: names and envelopes (api),
what is sent (subscriptions.events, webhooks).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, text, update
from sqlalchemy.orm import Session

from pipeline.net.addresses import Network
from pipeline.organizations.secrets import SecretBox
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery, WebhookEndpoint
from pipeline.store.tables.subscriptions import SubscriptionCounter, Team, WebhookSubscription
from pipeline.subscriptions.filters import Filter, FilterInvalid, ReadFilters, read_filters, to_json
from pipeline.subscriptions.model import SUBSCRIBABLE
from pipeline.webhooks.choosing import PAUSED
from pipeline.webhooks.credits import SKIPPED
from pipeline.webhooks.signalbase import PROFILE_NAME
from pipeline.webhooks.urls import UrlRefused, check_url

MOST_ACTIVE = 10  # SB-56
MOST_URL_CHARACTERS = 500  # SB-57
TAIL = 4
WEBHOOK_INACTIVE = "webhook_inactive"
NOT_PUBLIC = "Webhook URL must be a public address"
# Said word for word as the partial indexes have it.
OF_PROFILE = text("deliveries.profile = 'signalbase'")
_NOT_PUBLIC_RULES = frozenset({"localhost", "local", "address", "internal_name"})


class WebhookRefused(ValueError):
    """A webhook that can't be. The text says why, for the caller."""


class WebhookUnknown(LookupError):
    """The team has no such webhook."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Who changes a webhook, and through what (SB-27)."""

    by: str | None
    via: str
    now: datetime


@dataclass(frozen=True, slots=True)
class UrlRules:
    """What addresses may be registered: private networks that are allowed all the same, and whether http is (A-SB-1)."""

    allowed_networks: Sequence[Network] = ()
    is_https_only: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What an update says; None: stays as it is."""

    endpoint_url: str | None = None
    event_types: Sequence[str] | None = None
    filters: ReadFilters | None = None
    is_active: bool | None = None
    rotates_secret: bool = False


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook as it stands (SB-22). ``secret`` is there only where it was just made (SB-28)."""

    id: str
    endpoint_url: str
    event_types: tuple[str, ...]
    filters: dict[str, str]
    is_active: bool
    created_at: datetime
    updated_at: datetime
    last_modified_by: str | None
    last_modified_via: str | None
    secret_tail: str
    successful_deliveries: int
    failed_deliveries: int
    last_success_at: datetime | None
    last_failure_at: datetime | None
    consecutive_failures: int
    secret: str | None = field(default=None, repr=False)


def create_webhook(
    db: AppDatabase,
    box: SecretBox,
    team_id: str,
    endpoint_url: str,
    event_types: Sequence[str],
    filters: ReadFilters,
    edit: Edit,
    rules: UrlRules,
    rng: Random | None = None,
) -> Webhook:
    """A new, active webhook with a secret of its own. Raises WebhookRefused."""
    url, events = check_endpoint(endpoint_url, rules), check_events(event_types)
    with db.write() as session:
        check_room(session, team_id)
        return add_webhook(session, box, team_id, url, events, filters.given, filters.filter, edit, rng)


def add_webhook(
    session: Session,
    box: SecretBox,
    team_id: str,
    url: str,
    events: list[str],
    given: dict[str, str],
    wanted: Filter,
    edit: Edit,
    rng: Random | None = None,
) -> Webhook:
    """A new, active webhook in a transaction that the caller holds, who has checked ``url``, ``events`` and the room."""
    webhook_id, secret = new_uuid(rng), new_uuid(rng)
    session.add(
        WebhookEndpoint(
            id=webhook_id,
            organization_id=team_id,
            profile=PROFILE_NAME,
            url=url,
            created_at=edit.now,
            updated_at=edit.now,
            state="active",
            policy={},
            consecutive_failures=0,
            secret_encrypted=box.encrypt(secret),
        )
    )
    session.flush()
    session.add(
        WebhookSubscription(
            endpoint_id=webhook_id,
            organization_id=team_id,
            event_types=events,
            filters=given,
            compiled=to_json(wanted),
            is_active=True,
            secret_tail=secret[-TAIL:],
            last_modified_by=edit.by,
            last_modified_via=edit.via,
            created_at=edit.now,
            updated_at=edit.now,
            change_number=next_change(session),
            successful_deliveries=0,
            failed_deliveries=0,
        )
    )
    session.flush()
    return _one(session, team_id, webhook_id, secret)


def list_webhooks(db: AppDatabase, team_id: str, limit: int, offset: int) -> list[Webhook]:
    """The team's active webhooks, newest first."""
    query = _query(team_id).where(WebhookSubscription.is_active)
    query = query.order_by(WebhookSubscription.created_at.desc(), WebhookSubscription.endpoint_id.desc())
    with db.read() as session:
        return [_webhook(*row) for row in session.execute(query.limit(limit).offset(offset))]


def get_webhook(db: AppDatabase, team_id: str, webhook_id: str) -> Webhook:
    """One active webhook. Raises WebhookUnknown (also for a paused or deleted one, A-SB-2)."""
    with db.read() as session:
        found = _one(session, team_id, webhook_id)
    if not found.is_active:
        raise WebhookUnknown(webhook_id)
    return found


def update_webhook(
    db: AppDatabase,
    box: SecretBox,
    team_id: str,
    webhook_id: str,
    change: Change,
    edit: Edit,
    rules: UrlRules,
    rng: Random | None = None,
) -> Webhook:
    """Change a webhook, active or not; ``is_active`` True revives a deleted one. Raises WebhookUnknown, WebhookRefused."""
    url = None if change.endpoint_url is None else check_endpoint(change.endpoint_url, rules)
    events = None if change.event_types is None else check_events(change.event_types)
    secret = new_uuid(rng) if change.rotates_secret else None
    with db.write() as session:
        subscription, endpoint = locked(session, team_id, webhook_id)
        if (change.event_types, change.filters, change.is_active) != (None, None, None):
            _check_own(subscription)
        if change.is_active and not subscription.is_active:
            check_room(session, team_id)
        if url is not None:
            endpoint.url = url
        if events is not None:
            subscription.event_types = events
        if change.filters is not None:
            subscription.filters, subscription.compiled = change.filters.given, to_json(change.filters.filter)
        if secret is not None:
            endpoint.secret_encrypted, subscription.secret_tail = box.encrypt(secret), secret[-TAIL:]
        if change.is_active is not None:
            switch(session, subscription, endpoint, change.is_active, edit.now)
        note(session, subscription, endpoint, edit)
        session.flush()
        return _one(session, team_id, webhook_id, secret)


def delete_webhook(db: AppDatabase, team_id: str, webhook_id: str, edit: Edit) -> None:
    """Soft-delete: it is no longer told of anything; record and history stay. Raises WebhookUnknown, WebhookRefused."""
    with db.write() as session:
        subscription, endpoint = locked(session, team_id, webhook_id)
        if subscription.deleted_at is not None:
            raise WebhookUnknown(webhook_id)
        _check_own(subscription)
        switch(session, subscription, endpoint, False, edit.now)
        subscription.deleted_at = edit.now
        note(session, subscription, endpoint, edit)


def check_endpoint(url: str, rules: UrlRules, name: str = "endpoint_url") -> str:
    """``url``, which the request has as ``name``, in its one spelling. Raises WebhookRefused (SB-57, SB-58, A-SB-36)."""
    if len(url) > MOST_URL_CHARACTERS:
        raise WebhookRefused(f"{name} has at most {MOST_URL_CHARACTERS} characters")
    try:
        checked = check_url(url, rules.allowed_networks, ("https",) if rules.is_https_only else ("https", "http"))
    except UrlRefused as error:
        if error.rule in _NOT_PUBLIC_RULES:
            raise WebhookRefused(NOT_PUBLIC) from None
        raise WebhookRefused(f"{name} can't be used: {error}") from None
    if len(checked) > MOST_URL_CHARACTERS:
        raise WebhookRefused(f"{name} has at most {MOST_URL_CHARACTERS} characters once escaped")
    return checked


def check_events(event_types: Sequence[str]) -> list[str]:
    """``event_types`` without duplicates, in their order. Raises WebhookRefused (SB-36, A-SB-16, A-SB-17)."""
    events = list(dict.fromkeys(event_types))
    if not events:
        raise WebhookRefused("event_types must name at least one event type")
    for event in events:
        if event not in SUBSCRIBABLE:
            raise WebhookRefused(f"Invalid event type: {event[:60]}. Accepted: {', '.join(SUBSCRIBABLE)}")
    return events


def check_filters(given: Any) -> ReadFilters:
    """The filters of a request. Raises WebhookRefused."""
    try:
        return read_filters(given)
    except FilterInvalid as error:
        raise WebhookRefused(str(error)) from None


def next_change(session: Session) -> int:
    """The number of a change of a subscription: above all before it, in the order in which they are committed."""
    counted = update(SubscriptionCounter).where(SubscriptionCounter.id == 1)
    counted = counted.values(change_number=SubscriptionCounter.change_number + 1)
    return session.execute(counted.returning(SubscriptionCounter.change_number)).scalar_one()


def locked_active(session: Session, team_id: str, webhook_id: str) -> tuple[WebhookSubscription, WebhookEndpoint]:
    """An active webhook, for a transaction that sends to it. Raises WebhookUnknown."""
    found = locked(session, team_id, webhook_id)
    if not found[0].is_active:
        raise WebhookUnknown(webhook_id)
    return found


def hold_team(session: Session, team_id: str) -> None:
    """Hold the team until the transaction ends: of two calls at the same moment, the second counts what the first made."""
    session.scalars(select(Team.organization_id).where(Team.organization_id == team_id).with_for_update()).one()


def check_room(session: Session, team_id: str) -> None:
    """Raises WebhookRefused when the team has ten active webhooks, monitors' among them (SB-56). Holds the team."""
    hold_team(session, team_id)
    query = select(func.count()).select_from(WebhookSubscription)
    active = session.scalar(query.where(WebhookSubscription.organization_id == team_id, WebhookSubscription.is_active)) or 0
    if active >= MOST_ACTIVE:
        raise WebhookRefused(f"Maximum of {MOST_ACTIVE} active webhooks per team reached")


def _check_own(subscription: WebhookSubscription) -> None:
    """Raises WebhookRefused for a monitor's webhook: what it is told, and whether, is the monitor's to say."""
    if monitor := subscription.compiled.get("watch_list"):
        raise WebhookRefused(f"This webhook belongs to a monitor: change it with PUT /monitors/{monitor}")


def switch(
    session: Session, subscription: WebhookSubscription, endpoint: WebhookEndpoint, is_active: bool, now: datetime
) -> None:
    """Active or not. What was still to be sent to a webhook that is switched off, or when it was, is recorded as skipped."""
    if is_active:
        subscription.deleted_at = None
    if is_active == subscription.is_active:
        return
    subscription.is_active = is_active
    endpoint.state, endpoint.state_changed_at = ("active" if is_active else PAUSED), now
    endpoint.disabled_reason = None if is_active else "switched off by its team"
    session.execute(
        update(Delivery)
        .where(OF_PROFILE, Delivery.endpoint_id == endpoint.id, Delivery.status.in_(("pending", "scheduled", PAUSED)))
        .values(status=SKIPPED, reason=WEBHOOK_INACTIVE, finished_at=now, next_attempt_at=None, next_trigger=None)
    )


def note(session: Session, subscription: WebhookSubscription, endpoint: WebhookEndpoint, edit: Edit) -> None:
    """Who changed it, and that it changed: the next fan-out sees it."""
    subscription.last_modified_by, subscription.last_modified_via = edit.by, edit.via
    subscription.updated_at = endpoint.updated_at = edit.now
    subscription.change_number = next_change(session)


def locked(session: Session, team_id: str, webhook_id: str) -> tuple[WebhookSubscription, WebhookEndpoint]:
    """A webhook of the team, active or not, held. Raises WebhookUnknown."""
    query = _query(team_id).where(WebhookSubscription.endpoint_id == webhook_id)
    row = session.execute(query.with_for_update()).one_or_none()
    if row is None:
        raise WebhookUnknown(webhook_id)
    return row[0], row[1]


def _query(team_id: str) -> Select[WebhookSubscription, WebhookEndpoint]:
    query = select(WebhookSubscription, WebhookEndpoint).join(
        WebhookEndpoint, WebhookEndpoint.id == WebhookSubscription.endpoint_id
    )
    return query.where(WebhookSubscription.organization_id == team_id)


def any_webhook(session: Session, team_id: str, webhook_id: str) -> Webhook:
    """A webhook of the team, active or not. Raises WebhookUnknown."""
    return _one(session, team_id, webhook_id)


def _one(session: Session, team_id: str, webhook_id: str, secret: str | None = None) -> Webhook:
    row = session.execute(_query(team_id).where(WebhookSubscription.endpoint_id == webhook_id)).one_or_none()
    if row is None:
        raise WebhookUnknown(webhook_id)
    return _webhook(row[0], row[1], secret)


def _webhook(subscription: WebhookSubscription, endpoint: WebhookEndpoint, secret: str | None = None) -> Webhook:
    return Webhook(
        id=endpoint.id,
        endpoint_url=endpoint.url,
        event_types=tuple(subscription.event_types),
        filters=dict(subscription.filters),
        is_active=subscription.is_active,
        created_at=subscription.created_at,
        updated_at=subscription.updated_at,
        last_modified_by=subscription.last_modified_by,
        last_modified_via=subscription.last_modified_via,
        secret_tail=subscription.secret_tail,
        successful_deliveries=subscription.successful_deliveries,
        failed_deliveries=subscription.failed_deliveries,
        last_success_at=subscription.last_success_at,
        last_failure_at=subscription.last_failure_at,
        consecutive_failures=endpoint.consecutive_failures,
        secret=secret,
    )


def new_uuid(rng: Random | None) -> str:
    """A random UUID (version 4)."""
    return str(UUID(bytes=rng.randbytes(16) if rng else secrets.token_bytes(16), version=4))

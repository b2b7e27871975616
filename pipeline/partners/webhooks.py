"""Webhooks of partners: where they are told, and of what (SC-75, A-SC-26, A-SC-27). An endpoint of the ledger with its events."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from uuid import UUID, uuid5

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pipeline.net.addresses import Network
from pipeline.organizations.secrets import SecretBox, random_token
from pipeline.partners.accounts import Partner
from pipeline.partners.events import NAMESPACE
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery, WebhookEndpoint
from pipeline.store.tables.partners import PartnerWebhook
from pipeline.webhooks.choosing import ACTIVE, DISABLED, PAUSED, TEST
from pipeline.webhooks.controls import reactivate
from pipeline.webhooks.startcap import EVENT_TYPES, ORDERED_POLICY, PROFILE_NAME, STATUS_CHANGED, startcap_profile
from pipeline.webhooks.urls import check_url

MOST_ACTIVE = 10
SECRET_PREFIX = "sc_whsec_"  # noqa: S105 - a form, not a secret


class PartnerWebhookUnknown(LookupError):
    """The partner has no such active webhook."""


class PartnerWebhookRefused(ValueError):
    """A webhook that can't be."""


@dataclass(frozen=True, slots=True)
class PartnerHook:
    """A webhook as it stands. ``secret`` is there only where it was just made."""

    id: str
    url: str
    event_types: tuple[str, ...]
    is_active: bool
    state: str
    created_at: datetime
    secret: str | None = field(default=None, repr=False)


def add_webhook(
    db: AppDatabase,
    box: SecretBox,
    partner: Partner,
    url: str,
    event_types: Sequence[str],
    now: datetime,
    allowed_networks: Sequence[Network] = (),
    rng: Random | None = None,
) -> PartnerHook:
    """A new webhook with a secret of its own; without ``event_types``, told of everything.

    Raises PartnerWebhookRefused, UrlRefused.
    """
    events = list(dict.fromkeys(event_types)) or list(EVENT_TYPES)
    for event in events:
        if event not in EVENT_TYPES:
            raise PartnerWebhookRefused(f"there is no event {event!r}; there are: {', '.join(EVENT_TYPES)}")
    checked = check_url(url, allowed_networks, ("https", "http"))
    secret = new_secret(rng)
    webhook_id = str(UUID(bytes=rng.randbytes(16) if rng else secrets.token_bytes(16), version=4))
    with db.write() as session:
        if len(_active(session, partner.id)) >= MOST_ACTIVE:
            raise PartnerWebhookRefused(f"the partner has {MOST_ACTIVE} active webhooks; remove one first")
        endpoint = WebhookEndpoint(
            id=webhook_id,
            organization_id=partner.organization_id,
            profile=PROFILE_NAME,
            url=checked,
            created_at=now,
            updated_at=now,
            state="active",
            policy=dict(ORDERED_POLICY),
            consecutive_failures=0,
            secret_encrypted=box.encrypt(secret),
        )
        session.add(endpoint)
        session.flush()
        row = PartnerWebhook(
            endpoint_id=webhook_id, partner_id=partner.id, event_types=events, is_active=True, created_at=now, updated_at=now
        )
        session.add(row)
        return _shown(row, endpoint, secret)


def list_webhooks(db: AppDatabase, partner_id: int) -> list[PartnerHook]:
    """The partner's webhooks, oldest first; removed ones stay listed."""
    query = select(PartnerWebhook, WebhookEndpoint).join(WebhookEndpoint, WebhookEndpoint.id == PartnerWebhook.endpoint_id)
    query = query.where(PartnerWebhook.partner_id == partner_id)
    with db.read() as session:
        rows = session.execute(query.order_by(PartnerWebhook.created_at, PartnerWebhook.endpoint_id))
        return [_shown(row, endpoint) for row, endpoint in rows]


def rotate_secret(
    db: AppDatabase, box: SecretBox, partner_id: int, webhook_id: str, now: datetime, rng: Random | None = None
) -> str:
    """A new secret; the old one signs nothing any more. Raises PartnerWebhookUnknown."""
    secret = new_secret(rng)
    with db.write() as session:
        row, endpoint = _one(session, partner_id, webhook_id)
        endpoint.secret_encrypted = box.encrypt(secret)
        endpoint.updated_at = row.updated_at = now
    return secret


def switch_webhook(db: AppDatabase, partner_id: int, webhook_id: str, is_paused: bool, now: datetime) -> None:
    """Pause it: what comes is kept. Or send to it again, paused or disabled: first what was kept, in its order.

    One transaction, so that nothing new goes before what was kept. Raises PartnerWebhookUnknown.
    """
    with db.write() as session:
        row, endpoint = _one(session, partner_id, webhook_id)
        if is_paused:
            if endpoint.state != PAUSED:
                endpoint.state, endpoint.state_changed_at, endpoint.disabled_reason = PAUSED, now, "paused for its partner"
                endpoint.updated_at = row.updated_at = now
            return
        if endpoint.state != ACTIVE:
            reactivate(endpoint, now)
            endpoint.updated_at = row.updated_at = now
        session.flush()
        # By organization and status: that is how the index finds them.
        kept = update(Delivery).where(
            Delivery.organization_id == endpoint.organization_id,
            Delivery.profile == PROFILE_NAME,
            Delivery.status == PAUSED,
            Delivery.endpoint_id == webhook_id,
        )
        session.execute(kept.values(status="pending").execution_options(synchronize_session=False))


def get_webhook(db: AppDatabase, partner_id: int, webhook_id: str) -> PartnerHook:
    """One webhook of the partner, removed or not. Raises PartnerWebhookUnknown."""
    for hook in list_webhooks(db, partner_id):
        if hook.id == webhook_id:
            return hook
    raise PartnerWebhookUnknown(f"no webhook of the partner is {webhook_id!r}")


def remove_webhook(db: AppDatabase, partner_id: int, webhook_id: str, now: datetime) -> None:
    """Tell it of nothing any more; what waits for it fails unsent. Raises PartnerWebhookUnknown."""
    with db.write() as session:
        row, endpoint = _one(session, partner_id, webhook_id)
        row.is_active = False
        endpoint.state, endpoint.state_changed_at, endpoint.disabled_reason = DISABLED, now, "removed by its partner"
        endpoint.updated_at = row.updated_at = now


def add_test(db: AppDatabase, partner: Partner, webhook_id: str, now: datetime) -> str:
    """Put a test event (SC-81) for the webhook into the outbox; gives the delivery's id. Raises PartnerWebhookUnknown."""
    event_id = str(UUID(bytes=secrets.token_bytes(16), version=4))
    key = f"{PROFILE_NAME}:{webhook_id}:{event_id}"
    with db.write() as session:
        _one(session, partner.id, webhook_id)
        delivery = Delivery(
            id=str(uuid5(NAMESPACE, key)),
            dedupe_key=key,
            organization_id=partner.organization_id,
            profile=PROFILE_NAME,
            event_type=STATUS_CHANGED,
            event_id=event_id,
            endpoint_id=webhook_id,
            status="pending",
            next_trigger=TEST,
            body=startcap_profile().test_body(event_id, now),
            attempts=0,
            prior_attempts=0,
            created_at=now,
        )
        session.add(delivery)
        return delivery.id


def new_secret(rng: Random | None = None) -> str:
    """A signing secret: ``sc_whsec_`` and 32 letters and digits (190 bits)."""
    return random_token(SECRET_PREFIX, rng)


def _active(session: Session, partner_id: int) -> list[str]:
    query = select(PartnerWebhook.endpoint_id).where(PartnerWebhook.partner_id == partner_id, PartnerWebhook.is_active)
    return list(session.scalars(query))


def _one(session: Session, partner_id: int, webhook_id: str) -> tuple[PartnerWebhook, WebhookEndpoint]:
    row = session.get(PartnerWebhook, webhook_id, with_for_update=True)
    if row is None or row.partner_id != partner_id or not row.is_active:
        raise PartnerWebhookUnknown(
            f"no active webhook of the partner is {webhook_id!r}; `fundingscout startcap webhooks` lists them"
        )
    return row, session.get_one(WebhookEndpoint, webhook_id, with_for_update=True)


def _shown(row: PartnerWebhook, endpoint: WebhookEndpoint, secret: str | None = None) -> PartnerHook:
    return PartnerHook(endpoint.id, endpoint.url, tuple(row.event_types), row.is_active, endpoint.state, row.created_at, secret)

"""The one webhook URL of an organization under the FundingScout profile (FS-25 to FS-30)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import ColumnElement, delete, select, update

from pipeline.net.addresses import Network
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery, WebhookEndpoint
from pipeline.webhooks.choosing import DISABLED, PAUSED
from pipeline.webhooks.controls import reactivate
from pipeline.webhooks.fundingscout import PROFILE_NAME
from pipeline.webhooks.outbox import AT_REST
from pipeline.webhooks.urls import check_url


def set_webhook(
    db: AppDatabase,
    organization_id: str,
    url: str | None,
    key_id: str | None,
    now: datetime,
    allowed_networks: Sequence[Network] = (),
) -> str | None:
    """Set or replace the URL, or clear it with None or ``""``; gives the URL now in force.

    ``key_id`` is the key that registers: its secret signs from now on (A-FS-5). Raises UrlRefused, and then leaves the
    present URL as it was (FS-34). Policy and headers stay when the URL is replaced, and go when it is cleared. A webhook
    that was disabled is sent to again: its owner has looked at it. One that was paused stays paused.
    """
    if not url:
        with db.write() as session:
            # A sender that is setting deliveries aside with it is waited for: they are let go, too.
            session.execute(select(WebhookEndpoint.id).where(*_of(organization_id)).with_for_update())
            # What a pause had kept has nowhere to go: the next sending run finds that out, and says so in the ledger.
            let_go = update(Delivery).where(
                AT_REST,
                Delivery.organization_id == organization_id,
                Delivery.profile == PROFILE_NAME,
                Delivery.status == PAUSED,
            )
            session.execute(let_go.values(status="pending"))
            session.execute(delete(WebhookEndpoint).where(*_of(organization_id)))
        return None
    checked = check_url(url, allowed_networks)
    row = {
        "id": str(uuid5(NAMESPACE_URL, f"{PROFILE_NAME}:{organization_id}")),
        "organization_id": organization_id,
        "profile": PROFILE_NAME,
        "url": checked,
        "key_id": key_id,
        "created_at": now,
        "updated_at": now,
    }
    insert = db.insert(WebhookEndpoint).values(row)
    replaced = {name: row[name] for name in ("url", "key_id", "updated_at")}
    with db.write() as session:
        session.execute(insert.on_conflict_do_update(index_elements=["id"], set_=replaced))
        endpoint = session.get_one(WebhookEndpoint, row["id"], with_for_update=True)
        if endpoint.state == DISABLED:
            reactivate(endpoint, now)
    return checked


def get_webhook(db: AppDatabase, organization_id: str) -> str | None:
    """The URL in force, or None in pull-only mode."""
    with db.read() as session:
        return session.scalars(select(WebhookEndpoint.url).where(*_of(organization_id))).one_or_none()


def _of(organization_id: str) -> tuple[ColumnElement[bool], ...]:
    return WebhookEndpoint.organization_id == organization_id, WebhookEndpoint.profile == PROFILE_NAME

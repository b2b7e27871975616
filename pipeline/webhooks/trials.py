"""Test events: a message in the shape of a match that says it is a test, sent because somebody wants to see it arrive."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid5

from sqlalchemy import select

from pipeline.organizations.secrets import SecretBox
from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt, WebhookEndpoint
from pipeline.webhooks.choosing import TEST
from pipeline.webhooks.controls import NoWebhook
from pipeline.webhooks.match_rows import NAMESPACE
from pipeline.webhooks.profiles import Profile
from pipeline.webhooks.sender import deliver_pending

# Beyond the budget, for a service that was faster: its outcome takes a moment to be written.
PATIENCE_SECONDS = 3.0


def add_test_event(db: AppDatabase, organization_id: str, profile: Profile, now: datetime) -> str:
    """Put one test event for the organization's webhook into the outbox; gives the delivery's id. Raises NoWebhook.

    It is sent though the webhook is paused or disabled: to see whether it would work is what it is for.
    """
    query = select(WebhookEndpoint).where(
        WebhookEndpoint.organization_id == organization_id, WebhookEndpoint.profile == profile.name
    )
    with db.write() as session:
        endpoint = session.scalars(query).one_or_none()
        if endpoint is None:
            raise NoWebhook("this organization has no webhook; `fundingscout webhooks set` gives it one")
        key = f"{TEST}:{endpoint.id}:{now.astimezone(UTC).isoformat()}"
        delivery_id = str(uuid5(NAMESPACE, key))
        row = {
            "id": delivery_id,
            "dedupe_key": key,
            "organization_id": organization_id,
            "profile": profile.name,
            "event_type": TEST,
            "event_id": delivery_id,
            "endpoint_id": endpoint.id,
            "status": "pending",
            "next_trigger": TEST,
            "body": profile.test_body(delivery_id, now),
            "attempts": 0,
            "created_at": now,
        }
        session.execute(db.insert(Delivery).values(row).on_conflict_do_nothing())
    return delivery_id


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What became of a test event. Durations in ms."""

    delivery_id: str
    status: str
    response_code: int | None
    response_excerpt: str | None
    error: str | None
    duration_ms: float | None
    resolved_address: str | None


def send_test_event(
    db: AppDatabase, box: SecretBox, settings: Settings, now: Callable[[], datetime], delivery_id: str
) -> TrialResult:
    """Send the test event, unless a service that runs beside does first; gives what came back, within about its budget."""
    deliver_pending(db, box, settings, now, only=[delivery_id])
    ends = time.monotonic() + settings.webhook_timeout_seconds + PATIENCE_SECONDS
    while True:
        with db.read() as session:
            row = session.get_one(Delivery, delivery_id)
            query = select(DeliveryAttempt).where(DeliveryAttempt.delivery_id == delivery_id)
            attempt = session.scalars(query.order_by(DeliveryAttempt.number.desc()).limit(1)).one_or_none()
        if row.status not in ("pending", "sending") or time.monotonic() > ends:
            return TrialResult(
                delivery_id,
                row.status,
                row.response_code,
                row.response_excerpt,
                attempt.error if attempt else None,
                attempt.duration_ms if attempt else None,
                attempt.resolved_address if attempt else None,
            )
        time.sleep(0.2)

"""`dashboard.push`: what a member of the team chose to send to a webhook, by hand (SB-35, SB-79, A-SB-15, A-SB-30).

Bypasses subscription and filters, costs a credit as any delivery. Contacts are always masked: first name and last initial, no
private e-mail address. The shape of ``meta`` is ours: its ``version`` goes up when it changes.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.subscriptions import Signal
from pipeline.subscriptions.deliveries import NAMESPACE
from pipeline.subscriptions.masking import masked_name, work_email
from pipeline.subscriptions.model import EventType
from pipeline.subscriptions.webhooks import locked_active
from pipeline.webhooks.signalbase import PROFILE_NAME, canonical_data, event_body, milliseconds

VERSION = 1
MOST_SIGNALS = 500


class SignalUnknown(LookupError):
    """There is no signal with this id."""


def push(db: AppDatabase, team_id: str, webhook_id: str, signal_ids: Sequence[str], by: str | None, now: datetime) -> str:
    """Put one dashboard.push with the companies, investors and contacts of these signals into the outbox; gives the delivery's id.

    Raises WebhookUnknown, SignalUnknown, ValueError for none or more than 500.
    """
    wanted = list(dict.fromkeys(signal_ids))
    if not 1 <= len(wanted) <= MOST_SIGNALS:
        raise ValueError(f"push 1 to {MOST_SIGNALS} signals, not {len(wanted)}")
    with db.read() as session:
        rows = {row.id: row for row in session.scalars(select(Signal).where(Signal.id.in_(wanted), Signal.is_active))}
    missing = next((one for one in wanted if one not in rows), None)
    if missing is not None:
        raise SignalUnknown(f"there is no signal {missing!r}")
    data = push_data([rows[one].data for one in wanted], wanted, by, now)
    event_id = str(UUID(bytes=secrets.token_bytes(16), version=4))
    key = f"{PROFILE_NAME}:{webhook_id}:{event_id}"
    delivery = Delivery(
        id=str(uuid5(NAMESPACE, key)),
        dedupe_key=key,
        organization_id=team_id,
        profile=PROFILE_NAME,
        event_type=EventType.PUSH,
        event_id=event_id,
        endpoint_id=webhook_id,
        status="pending",
        body=event_body(EventType.PUSH, event_id, canonical_data(data), now),
        attempts=0,
        prior_attempts=0,
        created_at=now,
    )
    with db.write() as session:
        locked_active(session, team_id, webhook_id)
        session.add(delivery)
    return delivery.id


def push_data(blocks: Sequence[dict[str, Any]], signal_ids: Sequence[str], by: str | None, now: datetime) -> dict[str, Any]:
    """The event's data: each company, investor and contact once, in the order of the signals (their data, ``blocks``)."""
    companies = _once(block["company"] for block in blocks if block.get("company"))
    investors = _once({"name": one["name"], "type": one["type"]} for block in blocks for one in _investors(block))
    contacts = _once(
        person | {"name": masked_name(person.get("name")), "email": work_email(person.get("email"))}
        for block in blocks
        for person in block.get("employees") or []
    )
    return {
        "companies": companies,
        "investors": investors,
        "contacts": contacts,
        "meta": {"version": VERSION, "pushedBy": by, "pushedAt": milliseconds(now), "signalIds": list(signal_ids)},
    }


def _investors(block: dict[str, Any]) -> list[dict[str, Any]]:
    if "investor" in block:
        return [block["investor"]]
    found: list[dict[str, Any]] = (block.get("fundingRound") or {}).get("investors") or []
    return found


def _once(items: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found

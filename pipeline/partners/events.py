"""What partners are told: each event once, as one delivery per webhook that wants its type (SC-76, SC-77, A-SC-27).

Written in the transaction of what happened. A webhook's deliveries keep the order in which they were written.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pipeline.store.bulk import insert_rows, is_one_of
from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt
from pipeline.store.tables.partners import PartnerEvent, PartnerWebhook, ReferralPartner
from pipeline.webhooks.startcap import PROFILE_NAME, body_text, event_body

NAMESPACE = UUID("0c0a6d0e-4a54-4f0e-8a1b-5d6f3f1d9b27")
ERASED = "[erased]"
PERSONAL = ("email", "first_name", "last_name")
DETAILS = ("lead_details", "referral_details")
STEP = timedelta(microseconds=1)  # between the deliveries of one endpoint, so that they have an order
EVENT = ("id", "dedupe_key", "partner_id", "referral_id", "event_type", "created_at")
DELIVERY = (
    "id", "dedupe_key", "organization_id", "profile", "event_type", "event_id", "endpoint_id", "status", "body", "attempts",
    "prior_attempts", "created_at",
)  # fmt: skip


class NewEvent(NamedTuple):
    """Something to tell one partner. ``dedupe_key``: the same for the same event, whoever finds it. ``data``: made only if told."""

    partner_id: int
    event_type: str
    dedupe_key: str
    data: dict[str, Any] | Callable[[], dict[str, Any]]
    referral_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Target:
    endpoint_id: str
    organization_id: str
    event_types: frozenset[str]


def event_id(dedupe_key: str) -> str:
    """The id of an event: what its deliveries have in ``X-Webhook-ID``."""
    return str(uuid5(NAMESPACE, dedupe_key))


def tell(session: Session, events: Sequence[NewEvent], now: datetime) -> int:
    """Put each event into the outbox of the webhooks that want it; gives how many deliveries came of it.

    Events that were told before are left out. A partner without a webhook for an event is not told of it later.
    """
    targets = _targets(session, {event.partner_id for event in events})
    if not targets:
        return 0
    wanted = [
        (event, [target for target in targets[event.partner_id] if event.event_type in target.event_types]) for event in events
    ]
    wanted = [(event, to) for event, to in wanted if to]
    if not wanted:
        return 0
    ids = {event.dedupe_key: event_id(event.dedupe_key) for event, _ in wanted}
    new = _note(session, {ids[event.dedupe_key]: event for event, _ in wanted}, now)
    at = _first_instants(session, {target.endpoint_id for _, to in wanted for target in to}, now)
    deliveries: list[tuple[Any, ...]] = []
    for event, to in wanted:
        told_as = ids[event.dedupe_key]
        if told_as not in new:
            continue
        new.discard(told_as)
        data = event.data if isinstance(event.data, dict) else event.data()
        body = event_body(event.event_type, data, now)
        for target in to:
            deliveries.append(_delivery(event, told_as, target, body, at[target.endpoint_id]))
            at[target.endpoint_id] += STEP
    insert_rows(session, Delivery, DELIVERY, deliveries, skips_known=True)
    return len(deliveries)


def forget_person(session: Session, referral_id: int) -> int:
    """Take a referral's person out of every body that was or will be sent; gives how many deliveries were rewritten."""
    event_ids = list(session.scalars(select(PartnerEvent.id).where(PartnerEvent.referral_id == referral_id)))
    keys = select(PartnerEvent.dedupe_key, PartnerWebhook.endpoint_id).join(
        PartnerWebhook, PartnerWebhook.partner_id == PartnerEvent.partner_id
    )
    found: Iterable[tuple[str, str]] = (
        (key, endpoint) for key, endpoint in session.execute(keys.where(PartnerEvent.id.in_(event_ids)))
    )
    dedupe_keys = [_dedupe_key(key, endpoint) for key, endpoint in found]
    rows = list(session.scalars(select(Delivery).where(Delivery.dedupe_key.in_(dedupe_keys)).with_for_update()))
    for row in rows:
        row.body = _without_person(row.body)
        row.response_excerpt = None if row.response_excerpt is None else ERASED
    _forget_answers(session, [row.id for row in rows])
    return len(rows)


def _forget_answers(session: Session, delivery_ids: Collection[str]) -> None:
    answered = DeliveryAttempt.delivery_id.in_(delivery_ids) & DeliveryAttempt.response_excerpt.is_not(None)
    session.execute(update(DeliveryAttempt).where(answered).values(response_excerpt=ERASED))


def _without_person(body: str | None) -> str | None:
    if body is None:
        return None
    event = json.loads(body, parse_float=Decimal)
    for details in DETAILS:
        for field in PERSONAL:
            event["data"].get(details, {}).pop(field, None)
    return body_text(event)


def _targets(session: Session, partner_ids: Collection[int]) -> defaultdict[int, list[_Target]]:
    query = select(PartnerWebhook, ReferralPartner.organization_id).join(
        ReferralPartner, ReferralPartner.id == PartnerWebhook.partner_id
    )
    query = query.where(PartnerWebhook.partner_id.in_(sorted(partner_ids)), PartnerWebhook.is_active)
    found: defaultdict[int, list[_Target]] = defaultdict(list)
    for webhook, organization_id in session.execute(query.order_by(PartnerWebhook.endpoint_id)):
        found[webhook.partner_id].append(_Target(webhook.endpoint_id, organization_id, frozenset(webhook.event_types)))
    return found


def _note(session: Session, events: Mapping[str, NewEvent], now: datetime) -> set[str]:
    """The ids of those that are new."""
    asked = select(PartnerEvent.id).where(is_one_of(session, PartnerEvent.id, events))
    known = set(session.scalars(asked))
    rows = [
        (told_as, event.dedupe_key, event.partner_id, event.referral_id, event.event_type, now)
        for told_as, event in events.items()
        if told_as not in known
    ]
    insert_rows(session, PartnerEvent, EVENT, rows, skips_known=True)
    return events.keys() - known


def _first_instants(session: Session, endpoint_ids: Collection[str], now: datetime) -> dict[str, datetime]:
    """Where each endpoint's new deliveries begin: after all that wait, whatever the clock says."""
    query = select(Delivery.endpoint_id, func.max(Delivery.created_at)).where(
        Delivery.status == "pending", Delivery.profile == PROFILE_NAME, Delivery.endpoint_id.in_(sorted(endpoint_ids))
    )
    last = {row[0]: row[1] for row in session.execute(query.group_by(Delivery.endpoint_id))}
    return {endpoint: max(now, last[endpoint] + STEP) if endpoint in last else now for endpoint in endpoint_ids}


def _delivery(event: NewEvent, told_as: str, target: _Target, body: str, at: datetime) -> tuple[Any, ...]:
    key = _dedupe_key(event.dedupe_key, target.endpoint_id)
    of = (target.organization_id, PROFILE_NAME, event.event_type, told_as, target.endpoint_id)
    return (event_id(key), key, *of, "pending", body, 0, 0, at)


def _dedupe_key(event_key: str, endpoint_id: str) -> str:
    return f"{PROFILE_NAME}:{endpoint_id}:{event_key}"

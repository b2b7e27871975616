"""The StartCap delivery profile (SC-76 to SC-85, A-SC-22, A-SC-26, A-SC-27, A-X-1).

A body is made once, when its event comes about (pipeline.partners.events), and is the same bytes in every send of it. The secret
is the webhook's own. One attempt by itself; a second send is somebody's to ask for. One endpoint's events go one at a time in
their order, so a lead's changes arrive as they happened.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.store.tables.deliveries import Delivery
from pipeline.webhooks.canonical import canonical_text
from pipeline.webhooks.choosing import PENDING, TEST
from pipeline.webhooks.profiles import Chosen, Event, Profile
from pipeline.webhooks.signing import hmac_hex, standard_headers

PROFILE_NAME = "startcap"
USER_AGENT = "StartCap-Webhooks/1.0"
STATUS_CHANGED, COMMISSION_EARNED = "lead.status_changed", "commission.earned"
PAYOUT_PROCESSED, ACCOUNT_CHANGED = "payout.processed", "account.status_changed"
EVENT_TYPES = (STATUS_CHANGED, COMMISSION_EARNED, PAYOUT_PROCESSED, ACCOUNT_CHANGED)  # SC-76
# What keeps an endpoint's events in their order: one send at a time, over all processes.
ORDERED_POLICY = {"max_concurrency": 1}

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_EVENT_TYPE = re.compile(rb'"event":"([a-z_.]{1,64})","timestamp":"[^"]*"\}$')


def startcap_profile() -> Profile:
    """The profile."""
    return Profile(
        name=PROFILE_NAME,
        event_type=STATUS_CHANGED,
        url_schemes=("https", "http"),
        allows_second_send=True,
        body=_no_body,
        headers=_headers,
        test_body=_test_body,
        admit=_in_order,
    )


def event_body(event_type: str, data: dict[str, Any], occurred_at: datetime) -> str:
    """The three keys of SC-77 as canonical text."""
    return body_text({"data": data, "event": event_type, "timestamp": iso(occurred_at)})


def body_text(event: dict[str, Any]) -> str:
    """``event`` as canonical text, in ASCII: beyond it, characters go as JSON's escapes.

    A receiver may read the body as text before it verifies, as the printed Java does: Spring before 5.2 takes JSON for Latin 1
    then, and what it would compute the signature of are other bytes than ours (SC-86).
    """
    return _NOT_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], canonical_text(event))


def iso(instant: datetime) -> str:
    """``instant`` in UTC, ISO-8601 in whole seconds with ``Z`` (A-SC-19)."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _no_body(_event: Event) -> str:
    raise LookupError("a StartCap delivery has its body from the beginning")


def _test_body(_event_id: str, now: datetime) -> str:
    reference = f"{now.astimezone(UTC):%Y%m%d}-0"  # no lead has this number
    details = {"reference_id": reference, "email": "test@example.com", "status": "lead", "application_status": None}
    data = {
        "lead_reference_id": reference,
        "old_status": None,
        "new_status": "lead",
        "old_application_status": None,
        "new_application_status": None,
        "lead_details": details,
        "test": True,  # SC-81
    }
    return event_body(STATUS_CHANGED, data, now)


def _headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    event_type = _EVENT_TYPE.search(body)
    if event_type is None:
        raise ValueError("the body does not end as a StartCap event does")
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-Webhook-Event": event_type[1].decode(),  # SC-79
        "X-Webhook-ID": message_id,
        "X-Webhook-Signature": hmac_hex(secrets[0], body),  # SC-78
    } | standard_headers([_standard(secret) for secret in secrets], message_id, timestamp, body)


def _standard(secret: str) -> str:
    """The secret as Standard Webhooks' libraries are given it: base64 of its characters."""
    return base64.b64encode(secret.encode()).decode()


def _in_order(session: Session, chosen: Chosen, _now: datetime) -> tuple[Chosen, int]:
    """Of deliveries about to be claimed, the oldest that waits for its endpoint, and tests.

    A process that finds the oldest one locked by another process must not send the second first.
    """
    go: Chosen = []
    for row, endpoint in chosen:
        oldest = select(Delivery.id).where(PENDING, Delivery.profile == PROFILE_NAME, Delivery.endpoint_id == endpoint.id)
        if row.next_trigger == TEST or session.scalar(oldest.order_by(Delivery.created_at, Delivery.id).limit(1)) == row.id:
            go.append((row, endpoint))
    return go, 0

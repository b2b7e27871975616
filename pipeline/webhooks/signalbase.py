"""The Signalbase delivery profile (SB-62 to SB-70, A-SB-19, A-SB-20, A-X-1).

A body is made once, when its event comes about (pipeline.subscriptions), and is the same bytes in every send of it. The
secret is the webhook's own, signed with at the moment of the send.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from pipeline.webhooks.canonical import RawJson, canonical_text
from pipeline.webhooks.credits import admit, settle_holds
from pipeline.webhooks.profiles import Event, Profile
from pipeline.webhooks.signing import hmac_hex, standard_headers

PROFILE_NAME = "signalbase"
USER_AGENT = "Signalbase-Webhooks/1.0"
TEST_EVENT = "system.test"
TEST_MESSAGE = "This is a test event. Nothing happened; your endpoint was reached."

_EVENT_TYPE = re.compile(rb'"event_type":"([a-z_.]{1,64})","timestamp":"[^"]*"\}$')


def signalbase_profile() -> Profile:
    """The profile. One attempt by itself; a second send is the team's to ask for, as a delivery of its own."""
    return Profile(
        name=PROFILE_NAME,
        event_type=TEST_EVENT,
        url_schemes=("https", "http"),
        allows_second_send=True,
        body=_no_body,
        headers=_headers,
        test_body=_test_body,
        admit=partial(admit, free_event=TEST_EVENT),
        settled=settle_holds,
    )


def event_body(event_type: str, event_id: str, data: Any, occurred_at: datetime) -> str:
    """The four keys of SB-68 as canonical text. ``data``: JSON values, or RawJson that is canonical already."""
    return canonical_text(
        {"data": data, "event_id": event_id, "event_type": event_type, "timestamp": milliseconds(occurred_at)}
    )


def canonical_data(data: dict[str, Any]) -> RawJson:
    """``data`` as text to be put into any number of bodies, numbers as RFC 8785 has them (A-SB-28)."""
    return RawJson(canonical_text(_numbers(data)))


def _numbers(value: Any) -> Any:
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_numbers(item) for item in value]
    return value


def _number(value: float) -> Any:
    """``value`` as ECMAScript writes it (RFC 8785, 3.2.2.3): 1 and not 1.0, 1e-7 and not 1e-07."""
    if value.is_integer() and abs(value) < 1e21:
        return int(Decimal(repr(value)))
    text = re.sub(r"e([+-])0(\d)$", r"e\1\2", repr(value))
    small = re.fullmatch(r"(-?)(\d)(?:\.(\d+))?e-(5|6)", text)
    if small:  # written out down to 1e-6 there, from 1e-5 on with an exponent here
        text = f"{small[1]}0.{'0' * (int(small[4]) - 1)}{small[2]}{small[3] or ''}"
    return RawJson(text) if "e" in text or small else value


def milliseconds(instant: datetime) -> str:
    """``instant`` in UTC, ISO-8601 with three digits of the second and ``Z``, as all times of this face (SB-26)."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def _no_body(_event: Event) -> str:
    raise LookupError("a Signalbase delivery has its body from the beginning")


def _test_body(event_id: str, now: datetime) -> str:
    return event_body(TEST_EVENT, event_id, {"message": TEST_MESSAGE, "version": 1}, now)


def _headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    event_type = _EVENT_TYPE.search(body)
    if event_type is None:
        raise ValueError("the body does not end as a Signalbase event does")
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-Webhook-Event": event_type[1].decode(),
        "X-Webhook-ID": message_id,
        "X-Webhook-Timestamp": str(timestamp),
        "X-Webhook-Signature": hmac_hex(secrets[0], body),
    } | standard_headers([_standard(secret) for secret in secrets], message_id, timestamp, body)


def _standard(secret: str) -> str:
    """The secret as Standard Webhooks' libraries are given it: base64 of its characters."""
    return base64.b64encode(secret.encode()).decode()

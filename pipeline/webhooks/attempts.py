"""One attempt at one delivery: what a sender may send, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.webhooks.policies import STRICT, Policy

UNKNOWN_OUTCOME = "unknown_outcome"
NO_SIGNING_KEY = "no_signing_key"
# Before the first byte of a request: where such an attempt failed, the receiver knows nothing of it.
NEVER_SENT = frozenset({"dns", "connect", "refused_address", NO_SIGNING_KEY, "endpoint_disabled"})


@dataclass(frozen=True, slots=True)
class Claim:
    """One delivery that this process, and no other, may send now. ``body`` is frozen: what is sent and signed."""

    delivery_id: str
    attempt_id: int
    organization_id: str
    match_id: str | None  # None: a test event
    message_id: str  # `webhook-id`: the same in every attempt
    url: str
    body: bytes
    secrets_encrypted: tuple[bytes, ...]  # what signs, newest first; empty where nothing can
    claimed_at: datetime
    claimed_by: str
    endpoint_id: str = ""
    number: int = 1  # of this attempt, from 1
    trigger: str = "live"
    headers_encrypted: bytes | None = None  # custom static headers
    policy: Policy = STRICT
    was_failing: bool = True  # the endpoint, at the claim: a success then ends its row of failures


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt. ``error_class`` is a slug, None when delivered. Times aware, durations in ms.

    The four phases each count from the end of the one before; None where it was not come to, or, on a connection that
    was there already, not needed. ``is_request_sent``: False says that no byte of the request left; None is not known.
    ``retry_after``: the header of that name as it came.
    """

    is_delivered: bool
    finished_at: datetime
    duration_ms: float
    response_code: int | None = None
    response_excerpt: str | None = None
    resolved_address: str | None = None
    error_class: str | None = None
    error: str | None = None
    resolve_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    is_reused_connection: bool | None = None
    is_request_sent: bool | None = None
    retry_after: str | None = None

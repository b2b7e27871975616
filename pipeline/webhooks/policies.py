"""What one webhook's owner has opted into beyond the strict promise. Without a policy: one send, never a second (FS-60).

What belongs here: the policy's form, its bounds, and what it decides about one attempt; all of it pure. What does not:
storing it (webhooks.controls), acting on it (webhooks.choosing, webhooks.settling).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from random import Random
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

log = logging.getLogger(__name__)

LONGEST_DELAY_SECONDS = 86_400.0
# The schedule that Standard Webhooks 1.0 gives as its example, without its last day.
STANDARD_DELAYS = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)

Cause = Literal["dns", "connect", "tls", "timeout", "protocol", "http_5xx", "http_busy", "http_4xx", "unknown_outcome"]
# `http_busy`: the answers 408, 425 and 429, which speak of now and not of the message.
BUSY_CODES = frozenset({408, 425, 429})
DEFAULT_CAUSES: tuple[Cause, ...] = ("dns", "connect", "timeout", "http_5xx", "http_busy")
GONE = 410

Delay = Annotated[float, Field(ge=1, le=LONGEST_DELAY_SECONDS)]


class PolicyInvalid(ValueError):
    """A policy that says what no policy can say."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RetryPolicy(_Part):
    """Sending again by itself: the same id and the same bytes, freshly signed. ``delays``: seconds before each retry."""

    delays: tuple[Delay, ...] = Field(min_length=1, max_length=12)
    jitter: float = Field(0.2, ge=0, le=1)  # each delay grows by up to this share of it
    causes: tuple[Cause, ...] = Field(DEFAULT_CAUSES, min_length=1)
    longest_retry_after: float = Field(LONGEST_DELAY_SECONDS, ge=0, le=LONGEST_DELAY_SECONDS)


class RateLimit(_Part):
    """At most so many sends a minute, spread evenly, ``burst`` of them at once; over all sending processes."""

    per_minute: float = Field(gt=0, le=60_000)
    burst: int = Field(1, ge=1, le=1_000)


class DisableRule(_Part):
    """When the endpoint is disabled by itself: so many failures in a row, over so long. An answer 410 does it at once."""

    failures: int = Field(ge=1, le=1_000_000)
    seconds: float = Field(0.0, ge=0, le=31 * 86_400)


class Policy(_Part):
    """All that may be opted into. Each part stands alone; what is absent stays strict."""

    retry: RetryPolicy | None = None
    rate_limit: RateLimit | None = None
    max_concurrency: int | None = Field(None, ge=1, le=64)  # sends under way at once, over all sending processes
    disable_after: DisableRule | None = None
    replay: bool = False  # a second send that somebody asks for is allowed

    @property
    def is_shared(self) -> bool:
        """Does it bound what all sending processes do together?"""
        return self.rate_limit is not None or self.max_concurrency is not None


STRICT = Policy()


def read_policy(stored: Mapping[str, Any]) -> Policy:
    """The policy of ``stored`` (JSON object; empty: strict). Raises PolicyInvalid, which names the field."""
    if not stored:
        return STRICT
    try:
        return Policy.model_validate(stored)
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(str(part) for part in problem["loc"])
        raise PolicyInvalid(f"policy {name}: {problem['msg']} (got {problem['input']!r})") from None


def policy_in_force(stored: Mapping[str, Any]) -> Policy:
    """As read_policy, but total: what this code can't read counts as nothing opted into, and holds up nobody."""
    try:
        return read_policy(stored)
    except PolicyInvalid as error:
        log.error("a webhook's policy can't be read, and is strict until it is set again: %s", error)
        return STRICT


def cause_of(error_class: str | None, response_code: int | None) -> str | None:
    """The cause, as a retry policy names it; None where nothing may retry it (a redirect, a refused address, 410)."""
    if response_code == GONE:
        return None
    if error_class == "http_4xx" and response_code in BUSY_CODES:
        return "http_busy"
    return error_class


def next_attempt_at(
    policy: Policy,
    number: int,
    error_class: str | None,
    response_code: int | None,
    retry_after: str | None,
    now: datetime,
    rng: Random,
) -> datetime | None:
    """When attempt ``number`` (from 1), which failed at ``now``, is to be followed by another; None: never.

    Never earlier than the ladder says, nor than ``Retry-After`` asks (as far as the policy's bound).
    """
    retry = policy.retry
    if retry is None or number > len(retry.delays) or cause_of(error_class, response_code) not in retry.causes:
        return None
    delay = retry.delays[number - 1] * (1 + retry.jitter * rng.random())
    asked = min(retry_after_seconds(retry_after, now), retry.longest_retry_after)
    return now + timedelta(seconds=max(delay, asked))


def retry_after_seconds(header: str | None, now: datetime) -> float:
    """What a ``Retry-After`` header asks for (RFC 9110, 10.2.3: seconds or a date); 0 where it says nothing readable."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        instant = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return max(0.0, (instant - now).total_seconds())


def sends_allowed(limit: RateLimit, paced_until: datetime | None, now: datetime) -> int:
    """How many sends may begin now. GCRA: ``paced_until`` is when the allowance would be whole again."""
    owed = (_owed_until(limit, paced_until, now) - now).total_seconds()
    return max(0, math.floor(limit.burst - owed / _interval(limit) + 1e-9))


def paced_after(limit: RateLimit, paced_until: datetime | None, now: datetime, sends: int) -> datetime:
    """``paced_until`` once so many more have begun."""
    return _owed_until(limit, paced_until, now) + timedelta(seconds=sends * _interval(limit))


def next_send_at(limit: RateLimit, paced_until: datetime | None, now: datetime) -> datetime:
    """When the next send may begin: ``now`` or later."""
    free = _owed_until(limit, paced_until, now) - timedelta(seconds=(limit.burst - 1) * _interval(limit))
    return max(now, free)


def is_to_be_disabled(rule: DisableRule | None, failures: int, failing_since: datetime | None, now: datetime) -> bool:
    """Has an endpoint failed often and long enough?"""
    if rule is None or failures < rule.failures or failing_since is None:
        return False
    return now - failing_since >= timedelta(seconds=rule.seconds)


def _interval(limit: RateLimit) -> float:
    return 60.0 / limit.per_minute


def _owed_until(limit: RateLimit, paced_until: datetime | None, now: datetime) -> datetime:
    # Never more than a whole burst ahead: a clock that was in the future must not stop an endpoint until then.
    furthest = now + timedelta(seconds=limit.burst * _interval(limit))
    return min(max(paced_until or now, now), furthest)

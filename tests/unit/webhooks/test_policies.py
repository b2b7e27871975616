"""What a policy decides, and what none may say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.webhooks.policies import (
    STRICT,
    DisableRule,
    Policy,
    PolicyInvalid,
    RateLimit,
    is_to_be_disabled,
    next_attempt_at,
    next_send_at,
    paced_after,
    read_policy,
    retry_after_seconds,
    sends_allowed,
)

NOW = datetime(2026, 5, 12, 1, 54, tzinfo=UTC)
LADDER = read_policy({"retry": {"delays": [5, 60], "jitter": 0}})


def after(policy: Policy, number: int, error_class: str, code: int | None = None, asked: str | None = None) -> float | None:
    """Seconds until the next attempt; None: there is none."""
    instant = next_attempt_at(policy, number, error_class, code, asked, NOW, Random(1))
    return (instant - NOW).total_seconds() if instant else None


def test_fs_60_strict_policy_retries_nothing() -> None:
    assert read_policy({}) is STRICT
    for cause in ("timeout", "connect", "dns", "http_5xx", "unknown_outcome", "protocol", "tls"):
        assert after(STRICT, 1, cause, 503, "1") is None


def test_ladder_is_climbed_to_its_end() -> None:
    assert [after(LADDER, number, "http_5xx", 500) for number in (1, 2, 3)] == [5, 60, None]


@pytest.mark.parametrize(
    ("error_class", "code", "is_retried"),
    [
        ("timeout", None, True),
        ("connect", None, True),
        ("dns", None, True),
        ("http_5xx", 503, True),
        ("http_4xx", 429, True),
        ("http_4xx", 408, True),
        ("http_4xx", 404, False),
        ("http_4xx", 410, False),
        ("redirect", 302, False),
        ("refused_address", None, False),
        ("no_signing_key", None, False),
        ("unknown_outcome", None, False),
        ("tls", None, False),
    ],
)
def test_causes_that_are_retried_unless_said_otherwise(error_class: str, code: int | None, is_retried: bool) -> None:
    assert (after(LADDER, 1, error_class, code) is not None) is is_retried


def test_unknown_outcome_is_retried_only_when_the_policy_names_it() -> None:
    named = read_policy({"retry": {"delays": [5], "jitter": 0, "causes": ["unknown_outcome"]}})
    assert after(named, 1, "unknown_outcome") == 5
    assert after(named, 1, "timeout") is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Tue, 12 May 2026 01:55:30 GMT", 90.0),
        ("Tue, 12 May 2026 01:53:30 GMT", 0.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("١٢", 0.0),
        ("", 0.0),
        (None, 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float) -> None:
    assert retry_after_seconds(header, NOW) == seconds


@given(st.text(max_size=40))
def test_retry_after_is_total(header: str) -> None:
    assert retry_after_seconds(header, NOW) >= 0


def test_retry_after_delays_but_never_hastens_and_is_bounded() -> None:
    bounded = read_policy({"retry": {"delays": [60], "jitter": 0, "longest_retry_after": 600}})
    assert after(bounded, 1, "http_5xx", 503, "300") == 300
    assert after(bounded, 1, "http_5xx", 503, "1") == 60
    assert after(bounded, 1, "http_5xx", 503, "999999") == 600


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_jitter_adds_at_most_its_share(seed: int, jitter: float) -> None:
    policy = read_policy({"retry": {"delays": [100], "jitter": jitter}})
    instant = next_attempt_at(policy, 1, "timeout", None, None, NOW, Random(seed))
    assert instant is not None
    assert 100 <= (instant - NOW).total_seconds() <= 100 * (1 + jitter) + 1e-6


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ({"retry": {"delays": []}}, "retry.delays"),
        ({"retry": {"delays": [0]}}, "retry.delays.0"),
        ({"retry": {"delays": [90_000]}}, "retry.delays.0"),
        ({"retry": {"delays": [float("nan")]}}, "retry.delays.0"),
        ({"retry": {"delays": [5], "causes": ["redirect"]}}, "retry.causes.0"),
        ({"retry": {"delays": [5], "causes": []}}, "retry.causes"),
        ({"rate_limit": {"per_minute": 0}}, "rate_limit.per_minute"),
        ({"max_concurrency": 0}, "max_concurrency"),
        ({"disable_after": {"failures": 0}}, "disable_after.failures"),
        ({"retries": 3}, "retries"),
    ],
)
def test_policy_out_of_bounds_is_refused_by_field(policy: dict[str, Any], field: str) -> None:
    with pytest.raises(PolicyInvalid, match=f"^policy {field}:"):
        read_policy(policy)


@given(
    st.floats(0.5, 6_000),
    st.integers(1, 20),
    st.lists(st.floats(0, 30), min_size=1, max_size=60),
)
def test_rate_limit_is_kept_over_any_span(per_minute: float, burst: int, gaps: list[float]) -> None:
    """However a sender comes by, no span sees more sends than its share and one burst."""
    limit, paced, now = RateLimit(per_minute=per_minute, burst=burst), None, NOW
    began: list[datetime] = []
    for gap in gaps:
        now += timedelta(seconds=gap)
        allowed = sends_allowed(limit, paced, now)
        assert 0 <= allowed <= burst
        if allowed == 0:
            assert next_send_at(limit, paced, now) > now
        paced = paced_after(limit, paced, now, allowed)
        began += [now] * allowed
    for index, first in enumerate(began):
        for count, last in enumerate(began[index:], start=1):
            assert count <= (last - first).total_seconds() * per_minute / 60 + burst + 1e-3


def test_rate_limit_written_by_a_clock_from_the_future_holds_up_for_one_burst_at_most() -> None:
    limit = RateLimit(per_minute=60, burst=5)
    assert next_send_at(limit, NOW + timedelta(days=365), NOW) <= NOW + timedelta(seconds=5)


def test_endpoint_is_disabled_after_so_many_failures_over_so_long() -> None:
    rule = DisableRule(failures=3, seconds=3_600)
    hour = timedelta(hours=1)
    assert is_to_be_disabled(rule, 3, NOW - hour, NOW)
    assert not is_to_be_disabled(rule, 2, NOW - hour, NOW)
    assert not is_to_be_disabled(rule, 3, NOW - hour / 2, NOW)
    assert not is_to_be_disabled(None, 10_000, NOW - 100 * hour, NOW)

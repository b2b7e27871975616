from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from pipeline.documents.fetch import Fetcher, FetchFailed
from pipeline.documents.robots import Robots

Web = Any  # see conftest
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def robots(**changes: Any) -> Robots:
    options: dict[str, Any] = {"user_agent": "fundingscout/0.1 (tests)", "allowed_networks": (ip_network("127.0.0.0/8"),)}
    return Robots(Fetcher(**(options | {"timeout_seconds": 2.0, "sleep": lambda _seconds: None} | changes)))


def refusal(of: Robots, url: str) -> str:
    with pytest.raises(FetchFailed) as error:
        of.check(url)
    return error.value.reason


def test_robots_rules_hold_for_us_by_name_and_are_asked_once_per_site(web: Web) -> None:
    web.serve("/robots.txt", b"User-agent: *\nDisallow: /\n\nUser-agent: fundingscout\nDisallow: /private\nCrawl-delay: 3\n")
    rules = robots()
    assert rules.check(f"{web.base}/news") == 3.0
    assert refusal(rules, f"{web.base}/private/1") == "robots_disallowed"
    assert web.asked("/robots.txt") == 1


def test_rules_are_asked_for_again_after_a_day(web: Web) -> None:
    clock = [NOON]
    rules = robots(utc_now=lambda: clock[0])
    assert rules.check(f"{web.base}/news") is None
    web.serve("/robots.txt", b"User-agent: *\nDisallow: /\n")
    clock[0] += timedelta(hours=23)
    assert rules.check(f"{web.base}/news") is None
    clock[0] += timedelta(hours=1)
    assert refusal(rules, f"{web.base}/news") == "robots_disallowed"


def test_answer_dated_by_a_clock_that_was_set_back_since_is_not_believed(web: Web) -> None:
    clock = [NOON]
    rules = robots(utc_now=lambda: clock[0])
    assert rules.check(f"{web.base}/news") is None
    web.serve("/robots.txt", b"User-agent: *\nDisallow: /\n")
    clock[0] -= timedelta(days=30)
    assert refusal(rules, f"{web.base}/news") == "robots_disallowed"


@pytest.mark.parametrize(("status", "body"), [(404, b""), (403, b""), (200, b"<html>nothing here</html>")])
def test_site_without_rules_allows_everything(web: Web, status: int, body: bytes) -> None:
    web.serve("/robots.txt", body, status=status)
    assert robots().check(f"{web.base}/news") is None


def test_site_that_cannot_say_is_left_alone_for_an_hour(web: Web) -> None:
    web.serve("/robots.txt", b"", status=503)
    clock = [NOON]
    rules = robots(utc_now=lambda: clock[0])
    with pytest.raises(FetchFailed, match="http_503") as error:
        rules.check(f"{web.base}/news")
    assert (error.value.reason, error.value.retry_after) == ("robots_unknown", 3660.0)
    assert refusal(rules, f"{web.base}/other") == "robots_unknown"
    assert web.asked("/robots.txt") == 2  # one try and its retry, for both pages
    web.serve("/robots.txt", b"", status=404)
    clock[0] += timedelta(hours=1)
    assert rules.check(f"{web.base}/news") is None


def test_site_that_was_hardly_given_time_is_not_taken_for_one_that_cannot_say(web: Web) -> None:
    web.script("/robots.txt", lambda handler: handler.rfile.read(1))  # until the connection is cut
    rules = robots()
    with pytest.raises(FetchFailed) as error:
        rules.check(f"{web.base}/news", deadline=time.monotonic() + 0.2)
    assert error.value.reason == "timeout"
    web.serve("/robots.txt", b"", status=404)
    assert rules.check(f"{web.base}/news") is None


@pytest.mark.parametrize("url", ["http://[broken/x", "http://host.example:port/x", "http:///x"])
def test_address_that_cannot_be_read_is_refused_by_name(url: str) -> None:
    assert refusal(robots(), url) == "bad_url"

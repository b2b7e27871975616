"""Which visits to a partner's link are clicks, and what is kept of a visitor (SC-65)."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from pipeline.organizations.secrets import SecretBox
from pipeline.partners.visitors import not_a_click, subscriber, visitor_hash

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
PEOPLE = [
    CHROME,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 "
    "Safari/604.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
    "[FBAN/FBIOS;FBAV/470.0.0.0;FBDV/iPhone14,5;FBLC/en_US]",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Linux; Android 15; SM-S931B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
]
OTHERS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "WhatsApp/2.23.20.0",
    "facebookexternalhit/1.1",
    "curl/8.14.1",
    "python-requests/2.34.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36",
    "mozilla/5.0 (compatible; BINGBOT/2.0)",
]


@pytest.mark.parametrize("agent", PEOPLE)
def test_people_s_browsers_click(agent: str) -> None:
    assert not_a_click("GET", {"user-agent": agent}) is None
    told = {"user-agent": agent, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert not_a_click("GET", told) is None


@pytest.mark.parametrize("agent", OTHERS)
def test_programs_do_not(agent: str) -> None:
    assert not_a_click("GET", {"user-agent": agent}) == "crawler"


@pytest.mark.parametrize(
    ("method", "headers", "reason"),
    [
        ("HEAD", {}, "head"),
        ("GET", {"sec-purpose": "prefetch;prerender"}, "prefetch"),
        ("GET", {"purpose": "prefetch"}, "prefetch"),
        ("GET", {"x-moz": "Prefetch"}, "prefetch"),
        ("GET", {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, "embedded"),
        ("GET", {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, "embedded"),
        ("GET", {"user-agent": " "}, "no_user_agent"),
    ],
)
def test_what_nobody_went_to_is_no_click(method: str, headers: dict[str, str], reason: str) -> None:
    assert not_a_click(method, {"user-agent": CHROME} | headers) == reason


def test_a_user_agent_without_end_is_judged_in_no_time() -> None:
    """The list's patterns see a bounded part of it."""
    assert not_a_click("GET", {"user-agent": CHROME + " x" * 30_000 + " Googlebot/2.1"}) is None


def test_a_line_has_one_name_however_its_address_is_written() -> None:
    assert subscriber("203.0.113.7") == subscriber("::ffff:203.0.113.7") == "203.0.113.7"
    assert subscriber("2001:db8:1:2::1") == subscriber("2001:DB8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert subscriber("2001:db8:1:3::1") != subscriber("2001:db8:1:2::1")
    assert subscriber("unknown") == "unknown"


def test_a_visitor_s_hash_tells_nothing_without_the_key_and_is_the_same_for_the_same() -> None:
    box, other = (SecretBox([Fernet.generate_key().decode()]) for _ in range(2))
    mine = visitor_hash(box, "203.0.113.7", CHROME)
    assert len(mine) == 64
    assert visitor_hash(box, "::ffff:203.0.113.7", CHROME) == mine
    assert len({mine, visitor_hash(box, "203.0.113.8", CHROME), visitor_hash(box, "203.0.113.7", "b")}) == 3
    assert visitor_hash(other, "203.0.113.7", CHROME) != mine

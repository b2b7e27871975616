"""POST and GET of the webhook URL over HTTP (FS-25 to FS-34, A-FS-5, A-FS-16). Which hosts: tests/unit/webhooks/test_urls.py."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.organizations.keys import create_key
from pipeline.organizations.quotas import DEFAULT_LIMITS, set_limit, usage_today
from pipeline.settings import Settings
from pipeline.store.tables.deliveries import WebhookEndpoint
from pipeline.webhooks.outbox import pending_count, record_matches

HOOK = "https://yourapp.example.com/hooks/fundingscout"


def test_fs_25_fs_26_fs_29_a_url_is_set_and_read_back(api: Any) -> None:
    assert api.get("/webhooks").json() == {"webhook_url": None}
    answer = api.post("/webhooks", {"url": HOOK})
    assert (answer.status_code, answer.json()) == (200, {"webhook_url": HOOK})
    assert api.get("/webhooks").json() == {"webhook_url": HOOK}


@pytest.mark.parametrize("empty", [None, ""])
def test_fs_27_fs_28_null_and_the_empty_text_clear_it(api: Any, empty: str | None) -> None:
    api.post("/webhooks", {"url": HOOK})
    assert api.post("/webhooks", {"url": empty}).json() == {"webhook_url": None}
    assert api.get("/webhooks").json() == {"webhook_url": None}


def test_fs_30_there_is_one_url_a_second_post_replaces_it(api: Any) -> None:
    api.post("/webhooks", {"url": HOOK})
    assert api.post("/webhooks", {"url": f"{HOOK}/2"}).json() == {"webhook_url": f"{HOOK}/2"}
    with api.database.read() as session:
        assert list(session.scalars(select(WebhookEndpoint.url))) == [f"{HOOK}/2"]


REFUSED = [
    ("http://yourapp.example.com/", "HTTPS"),  # FS-31
    ("ftp://yourapp.example.com/", "HTTPS"),
    ("https://foo.local/", ".local"),  # FS-33
    ("https://FOO.Local./", ".local"),
    ("https://10.0.0.1/", "10.0.0.1"),  # A-FS-16
    ("https://169.254.169.254/latest", "169.254.169.254"),
    ("https://user:pass@yourapp.example.com/", "user name"),
    ("https://yourapp.example.com:99999/", "99999"),
    ("yourapp.example.com/hook", "https://host/path"),
    ("https://", "host"),
    ("https://a b/", "spaces"),
    ("https://x.example/\x00", "control"),
    ("https://x.example/\ud800", "control"),
    ("https://x.example/" + "a" * 2_100, "2048"),
]
LOCAL = ["https://localhost/", "https://LOCALHOST./x", "https://127.0.0.1/", "https://[::1]/", "https://0x7f.1/"]  # FS-32


def test_fs_31_to_34_refused_urls_name_the_rule_and_leave_the_old_one(api: Any, code: Any) -> None:
    api.post("/webhooks", {"url": HOOK})
    for url, named in REFUSED:
        answer = api.post("/webhooks", b'{"url": %s}' % _ascii_json(url))
        assert code(answer) == (400, "invalid_url"), url
        assert named in answer.json()["error"]["message"], url
    assert api.get("/webhooks").json() == {"webhook_url": HOOK}


def test_fs_32_this_machine_is_no_webhook(make_api: Any, code: Any) -> None:
    with make_api(webhook_allowed_networks=()) as api:
        for url in LOCAL:
            assert code(api.post("/webhooks", {"url": url})) == (400, "invalid_url"), url
        assert api.get("/webhooks").json() == {"webhook_url": None}


def _ascii_json(text: str) -> bytes:
    return json.dumps(text).encode("ascii")


@pytest.mark.parametrize("body", [{}, {"URL": HOOK}, {"url": 5}, {"url": [HOOK]}, {"url": {}}, {"url": True}, [HOOK], HOOK])
def test_bodies_without_a_url_text_are_invalid(api: Any, code: Any, body: Any) -> None:
    assert code(api.call("POST", "/webhooks", json=body)) == (400, "invalid_body")


def test_a_url_comes_back_in_its_one_spelling(api: Any) -> None:
    assert api.post("/webhooks", {"url": " HTTPS://YourApp.Example.com.:443/Hook?a=b#c "}).json() == {
        "webhook_url": "https://yourapp.example.com/Hook?a=b"
    }


def test_a_fs_5_the_key_that_registers_signs_from_then_on(api: Any) -> None:
    second = create_key(api.database, api.partners.box, api.organization, "second", api.now)
    for key in (api.key, second):
        api.post("/webhooks", {"url": HOOK}, token=key.token)
        with api.database.read() as session:
            assert list(session.scalars(select(WebhookEndpoint.key_id))) == [key.id]


def test_fs_64_without_a_url_matches_are_recorded_and_pulled(api: Any) -> None:
    record_matches(api.database, [api.partners.found(api.organization, api.partners.round("r1"))], api.now)
    (row,) = api.get("/matches").json()["data"]
    assert (row["webhook_status"], row["webhook_response_code"], row["delivered_at"]) == ("no_webhook", None, None)


def test_fs_58_the_receiver_has_five_seconds_unless_the_operator_says_otherwise() -> None:
    assert Settings.model_fields["webhook_timeout_seconds"].default == 5.0


def test_fs_63_deliveries_are_not_capped(api: Any) -> None:
    """A key whose quotas are all used up is told of everything all the same, and nothing of it is counted."""
    api.post("/webhooks", {"url": HOOK})
    for operation in DEFAULT_LIMITS:
        set_limit(api.database, api.organization, api.key.id, operation, 0)
    assert api.get("/matches").status_code == 429
    found = [api.partners.found(api.organization, api.partners.round(f"r{number}")) for number in range(150)]
    record_matches(api.database, found, api.now)
    assert pending_count(api.database) == 150
    used = {usage.operation: usage.used for usage in usage_today(api.database, api.key.id, {}, api.now) if usage.used}
    assert used == {"webhook_settings": 1}

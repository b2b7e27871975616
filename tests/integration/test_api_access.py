"""Keys, plans and quotas over HTTP (FS-1 to FS-7, FS-18, FS-19, FS-22, FS-69, A-FS-14, A-FS-17)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from sqlalchemy import select

from pipeline.organizations.keys import create_key, revoke_key, rotate_secret
from pipeline.organizations.organizations import set_plan
from pipeline.organizations.quotas import set_limit
from pipeline.store.tables.crm import Account
from pipeline.store.tables.organizations import UsageCounter

ROUTES = [
    ("POST", "/accounts"),
    ("DELETE", "/accounts"),
    ("POST", "/contacts"),
    ("DELETE", "/contacts"),
    ("POST", "/webhooks"),
    ("GET", "/webhooks"),
    ("GET", "/matches"),
    ("GET", "/rounds"),
    ("GET", "/rounds/x"),
    ("POST", "/rounds/x/contact"),
    ("GET", "/companies/search"),
    ("GET", "/whoami"),
]
ONE = {"accounts": [{"external_id": "a", "name": "A"}]}


def test_fs_1_fs_2_fs_6_every_route_under_api_v1_wants_a_bearer_key(api: Any, code: Any) -> None:
    for method, path in ROUTES:
        answer = api.call(method, path, token=None)
        assert code(answer) == (401, "missing_authorization"), (method, path)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_fs_6_tokens_that_open_nothing(api: Any, code: Any) -> None:
    for value, expected in [
        ("", "missing_authorization"),
        ("Bearer", "missing_authorization"),
        (api.key.token, "missing_authorization"),
        (f"Basic {api.key.token}", "missing_authorization"),
        ("Bearer ff_live_" + "a" * 32, "invalid_key_format"),
        ("Bearer " + api.key.webhook_secret, "invalid_key_format"),
        (f"Bearer {api.key.token[8:]}", "invalid_key_format"),
        (f"Bearer FS_LIVE_{api.key.token[8:]}", "invalid_key_format"),
        ("Bearer fs_live_" + "a" * 32, "invalid_or_revoked_key"),
        (f"Bearer {api.key.token}x", "invalid_or_revoked_key"),
        (f"Bearer {api.key.token[:-1]}", "invalid_or_revoked_key"),
        ("Bearer fs_live_ä".encode("latin-1"), "invalid_or_revoked_key"),
    ]:
        assert code(api.get("/webhooks", token=None, headers={"Authorization": value})) == (401, expected), value
    told = api.get("/webhooks", token="fs_live_" + "a" * 32).json()["error"]["message"]
    assert told == "This API key is not recognized or has been revoked."


def test_fs_2_the_scheme_s_case_and_blanks_don_t_matter(api: Any) -> None:
    for value in (f"bearer {api.key.token}", f"BEARER   {api.key.token}"):
        assert api.get("/webhooks", token=None, headers={"Authorization": value}).status_code == 200


def test_fsv_12_a_revoked_key_is_refused_with_the_next_call(api: Any, code: Any) -> None:
    other = create_key(api.database, api.partners.box, api.organization, "other", api.now)
    assert api.get("/webhooks").status_code == 200
    revoke_key(api.database, api.organization, api.key.id, api.now)
    assert code(api.get("/webhooks")) == (401, "invalid_or_revoked_key")
    assert api.get("/webhooks", token=other.token).status_code == 200


def test_fs_5_rotating_the_secret_leaves_the_token_alone(api: Any) -> None:
    rotate_secret(api.database, api.partners.box, api.organization, api.key.id, api.now)
    assert api.get("/webhooks").status_code == 200


def test_fs_3_fs_4_no_answer_holds_token_or_secret(api: Any) -> None:
    for method, path in ROUTES:
        text = api.call(method, path).text
        assert api.key.token not in text
        assert api.key.webhook_secret not in text
    assert api.get("/whoami").json()["key_prefix"] == api.key.token[:12]


def test_fsv_2_pro_required_follows_the_plan_at_once(api: Any, code: Any) -> None:
    for plan in ("basic", "free"):
        set_plan(api.database, "acme", plan)
        assert code(api.post("/accounts", ONE)) == (403, "pro_required")
    with api.database.read() as session:
        assert session.scalars(select(Account)).all() == []
        assert session.scalars(select(UsageCounter)).all() == []
    set_plan(api.database, "acme", "wholesale")
    assert api.post("/accounts", ONE).status_code == 200


def test_fsv_12_keys_of_one_organization_share_its_data_and_others_see_none(api: Any) -> None:
    second = create_key(api.database, api.partners.box, api.organization, "second", api.now)
    stranger = api.partners.keys[api.partners.add("stranger")]
    api.post("/webhooks", {"url": "https://acme.example/hook"})
    assert api.get("/webhooks", token=second.token).json() == {"webhook_url": "https://acme.example/hook"}
    assert api.get("/webhooks", token=stranger.token).json() == {"webhook_url": None}
    api.post("/accounts", ONE)
    assert api.delete("/accounts?external_id=a", token=stranger.token).json() == {"deleted": 0}
    assert api.delete("/accounts?external_id=a", token=second.token).json() == {"deleted": 1}


def test_fs_18_the_hundred_and_first_call_of_a_day_does_no_work(api: Any, code: Any) -> None:
    set_limit(api.database, api.organization, api.key.id, "crm_accounts_upsert", 3)
    answers = [api.post("/accounts", ONE) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0"]
    refused = api.post("/accounts", {"accounts": [{"external_id": "late", "name": "Late"}]})
    assert code(refused) == (429, "quota_exceeded")
    seconds = (datetime(2026, 5, 13, tzinfo=UTC) - api.now).total_seconds()
    assert refused.headers["Retry-After"] == str(int(seconds))
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert refused.headers["X-RateLimit-Limit"] == "3"
    with api.database.read() as session:
        assert [row.external_id for row in session.scalars(select(Account))] == ["a"]
    assert api.post("/contacts", {"contacts": []}).status_code == 200  # each operation has its own
    api.now += timedelta(seconds=seconds)
    assert api.post("/accounts", ONE).status_code == 200


def test_fs_18_fs_22_fs_69_the_pages_defaults_are_in_force(api: Any) -> None:
    for answer in (api.post("/accounts", ONE), api.post("/contacts", {"contacts": []}), api.get("/matches")):
        assert (answer.headers["X-RateLimit-Limit"], answer.headers["X-RateLimit-Remaining"]) == ("100", "99")
        assert answer.headers["X-RateLimit-Reset"] == str(int(datetime(2026, 5, 13, tzinfo=UTC).timestamp()))


def test_rate_headers_stand_on_errors_too(api: Any) -> None:
    answer = api.post("/accounts", b"{")
    assert answer.status_code == 400
    assert answer.headers["X-RateLimit-Remaining"] == "99"


def test_fs_19_caps_are_lifted_by_key_and_at_once(api: Any, code: Any) -> None:
    second = create_key(api.database, api.partners.box, api.organization, "second", api.now)
    set_limit(api.database, api.organization, api.key.id, "crm_matches_list", 0)
    assert code(api.get("/matches")) == (429, "quota_exceeded")
    assert api.get("/matches", token=second.token).headers["X-RateLimit-Limit"] == "100"
    set_limit(api.database, api.organization, api.key.id, "crm_matches_list", None)
    lifted = api.get("/matches")
    assert lifted.headers["X-RateLimit-Limit"] == "unlimited"
    assert "X-RateLimit-Remaining" not in lifted.headers


def test_quotas_hold_when_calls_come_at_once(api: Any) -> None:
    set_limit(api.database, api.organization, api.key.id, "webhook_settings", 10)
    headers = {"Authorization": f"Bearer {api.key.token}"}

    def call(_: int) -> int:
        return requests.get(f"{api.url}/api/v1/webhooks", headers=headers, timeout=30).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = sorted(threads.map(call, range(30)))
    assert statuses == [200] * 10 + [429] * 20


def test_whoami_says_what_is_left(api: Any) -> None:
    api.post("/accounts", ONE)
    told = api.get("/whoami").json()
    assert (told["organization"], told["plan"], told["key_prefix"]) == ("Acme", "pro", api.key.token[:12])
    assert told["quotas"]["crm_accounts_upsert"] == {"limit": 100, "used": 1, "remaining": 99}
    assert told["quotas"]["reveal_contact"] == {"limit": 200, "used": 0, "remaining": 200}
    assert told["quotas_reset_at"] == "2026-05-13T00:00:00Z"


def test_a_x_7_each_face_refuses_in_its_own_envelope_and_never_in_another_s(api: Any) -> None:
    answers = {
        "fundingscout": api.raw("/api/v1/webhooks"),
        "signalbase": api.raw("/api/v2/webhooks"),
        "startcap": api.raw("/app/partners/api/v1/leads/submit", method="POST", json={}),
    }
    assert {answer.status_code for answer in answers.values()} == {401}
    keys = {face: set(answer.json()) for face, answer in answers.items()}
    assert keys["fundingscout"] == {"error"}
    assert set(answers["fundingscout"].json()["error"]) == {"code", "message"}
    assert keys["signalbase"] == {"success", "error", "code"}
    assert answers["signalbase"].json()["success"] is False
    assert keys["startcap"] == {"error"}
    assert isinstance(answers["startcap"].json()["error"], str)

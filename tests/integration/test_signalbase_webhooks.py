"""The Signalbase face over HTTP: webhooks, their secrets, limits and errors (SB-1 to SB-37, SB-56 to SB-61, SB-87 to SB-95)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.organizations.face_keys import revoke_key
from pipeline.subscriptions import teams, webhooks
from pipeline.subscriptions.filters import read_filters
from pipeline.subscriptions.webhooks import Edit, UrlRules

URL = "https://hooks.example.com/signalbase"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
BODY = {"endpoint_url": URL, "event_types": ["funding.created", "hiring.created"], "filters": {"countries": "US,GB"}}


class Team:
    """A team that calls the service with its own key."""

    def __init__(self, api: Any, slug: str) -> None:
        self.api = api
        self.id = api.partners.add(slug) if slug != "acme" else api.organization
        teams.create_team(api.database, self.id, api.now)
        self.key = teams.create_key(api.database, self.id, "test", api.now)

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key.token}"} | more.pop("headers", {})
        if isinstance(body, (str, bytes)):
            more["content"] = body
            headers = {"Content-Type": "application/json"} | headers
        elif body is not None:
            more["json"] = body
        answer: httpx.Response = self.api.raw(f"/api/v2{path}", method=method, headers=headers, **more)
        return answer

    def make(self, **changes: Any) -> dict[str, Any]:
        answer = self.call("POST", "/webhooks", BODY | changes)
        assert answer.status_code == 201, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data


@pytest.fixture
def app_database(make_app_database: Any) -> Any:
    """On SQLite alone: what depends on the database is tested on both in test_signalbase_ledger.py."""
    return make_app_database("sqlite")


@pytest.fixture
def team(make_api: Any, tmp_path: Path) -> Iterator[Team]:
    with make_api(home=tmp_path) as api:
        yield Team(api, "acme")


def failed(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert set(body) - {"retryAfter"} == {"success", "error", "code"}
    assert body["success"] is False
    assert body["error"]
    return answer.status_code, body["code"]


# --- keys and envelope ----------------------------------------------------------------------------------------------------


def test_sb_1_sb_2_sb_88_every_call_carries_a_known_key(team: Team) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer ff_live_unknown"},
        {"Authorization": team.key.token},
        {"Authorization": "Bearer"},
    ):
        answer = team.api.raw("/api/v2/webhooks", headers=headers)
        assert failed(answer) == (401, "invalid_api_key")
        assert answer.json()["error"] == "Invalid API key. No key found."


def test_sb_2_keys_of_one_face_open_nothing_of_the_other(team: Team) -> None:
    answer = team.api.raw("/api/v2/webhooks", headers={"Authorization": f"Bearer {team.api.key.token}"})
    assert failed(answer) == (401, "invalid_api_key")
    assert team.api.get("/whoami", token=team.key.token).status_code == 401


def test_sb_88_a_revoked_key_is_refused_at_once(team: Team) -> None:
    revoke_key(team.api.database, teams.FACE, team.id, team.key.id, team.api.now)
    assert failed(team.call("GET", "/webhooks")) == (401, "invalid_api_key")


def test_sb_3_sb_89_the_subscription_must_be_active_or_trialing(team: Team) -> None:
    for subscription, status in (("expired", 403), ("active", 200), ("canceled", 403), ("trialing", 200)):
        teams.change_team(team.api.database, team.id, team.api.now, subscription=subscription)
        answer = team.call("GET", "/webhooks")
        assert answer.status_code == status
        if status == 403:
            assert failed(answer) == (403, "subscription_expired")


def test_a_sb_37_the_key_is_looked_at_before_the_subscription(team: Team) -> None:
    teams.change_team(team.api.database, team.id, team.api.now, subscription="expired")
    assert failed(team.call("GET", "/webhooks", headers={"Authorization": "Bearer ff_live_x"})) == (401, "invalid_api_key")


def test_sb_4_webhooks_belong_to_the_team_whichever_key_made_them(team: Team) -> None:
    made = team.make()
    second = teams.create_key(team.api.database, team.id, "other", team.api.now)
    answer = team.call("GET", f"/webhooks/{made['id']}", headers={"Authorization": f"Bearer {second.token}"})
    assert answer.json()["data"]["id"] == made["id"]


def test_sb_4_sb_90_another_team_sees_nothing_of_it(team: Team) -> None:
    made = team.make()
    other = Team(team.api, "other")
    for method, path in (
        ("GET", ""), ("PUT", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/test"), ("GET", "/deliveries"),
        ("POST", "/deliveries/x/retry"),
    ):  # fmt: skip
        body = {} if method in ("PUT", "PATCH") else None
        answer = other.call(method, f"/webhooks/{made['id']}{path}", body)
        assert failed(answer) == (404, "not_found"), (method, path)
        assert answer.json()["error"] == "Webhook not found"
    assert other.call("GET", "/webhooks").json()["data"] == []


def test_sb_6_sb_7_sb_8_sb_53_the_envelope_of_success(team: Team) -> None:
    made = team.call("POST", "/webhooks", BODY).json()
    assert list(made) == ["success", "data", "meta"]
    assert made["success"] is True
    assert made["meta"] == {"endpoint": "webhooks.create", "creditsUsed": 0}
    path = f"/webhooks/{made['data']['id']}"
    listed = team.call("GET", "/webhooks").json()
    assert list(listed) == ["success", "data", "pagination", "meta"]
    assert listed["pagination"] == {"limit": 100, "offset": 0, "count": 1}
    metas = {
        "webhooks.list": listed,
        "webhooks.get": team.call("GET", path).json(),
        "webhooks.update": team.call("PUT", path, {}).json(),
        "webhooks.deliveries.list": team.call("GET", f"{path}/deliveries").json(),
        "webhooks.delete": team.call("DELETE", path).json(),
    }
    for name, answer in metas.items():
        assert answer["meta"] == {"endpoint": name, "creditsUsed": 0}
        assert ("pagination" in answer) == name.endswith("list")


def test_sb_9_the_envelope_of_failure(team: Team) -> None:
    answer = team.call("GET", "/webhooks/b1f2c3d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d")
    assert answer.status_code == 404
    assert answer.json() == {"success": False, "error": "Webhook not found", "code": "not_found"}


def test_sb_9_unknown_addresses_and_methods_have_this_face_s_envelope(team: Team) -> None:
    assert failed(team.call("GET", "/nothing")) == (404, "not_found")
    answer = team.call("DELETE", "/webhooks")
    assert failed(answer) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, POST"


def test_sb_9_what_is_refused_before_the_face_is_asked_has_its_envelope_too(team: Team) -> None:
    assert failed(team.call("GET", "/webhooks/a%00b")) == (400, "bad_request")
    assert failed(team.call("GET", "/webhooks/a%0Ab")) == (404, "not_found")
    outside = team.api.raw("/api/v1/rounds/a%00b").json()
    assert set(outside) == {"error"}, "the other face keeps its own"


def test_sb_93_a_mistake_of_ours_has_the_envelope(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(webhooks, "list_webhooks", broken)
    answer = team.call("GET", "/webhooks")
    assert failed(answer) == (500, "internal_error")
    assert "secret detail" not in answer.text


# --- create ---------------------------------------------------------------------------------------------------------------


def test_sb_10_sb_22_to_sb_29_a_new_webhook(team: Team) -> None:
    answer = team.call("POST", "/webhooks", BODY)
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert list(data) == [
        "id", "endpoint_url", "event_types", "filters", "active", "created_at", "updated_at", "last_modified_by",
        "last_modified_via", "secret", "stats",
    ]  # fmt: skip
    assert UUID.fullmatch(data["id"])
    assert UUID.fullmatch(data["secret"])
    assert (data["endpoint_url"], data["event_types"], data["filters"]) == (URL, BODY["event_types"], BODY["filters"])
    assert data["active"] is True
    assert data["created_at"] == data["updated_at"] == "2026-05-12T01:54:00.000Z"
    assert data["last_modified_by"] == team.key.user_id
    assert data["last_modified_by"].startswith("user_")
    assert data["last_modified_via"] == "api"
    assert data["stats"] == {
        "total_deliveries": 0, "successful_deliveries": 0, "failed_deliveries": 0, "last_success_at": None,
        "last_failure_at": None, "consecutive_failures": 0,
    }  # fmt: skip


def test_sb_28_sb_29_sb_30_the_secret_is_shown_once(team: Team) -> None:
    made = team.make()
    path = f"/webhooks/{made['id']}"
    for answer in (team.call("GET", path), team.call("GET", "/webhooks"), team.call("PUT", path, {"filters": {}})):
        assert made["secret"] not in answer.text
        data = answer.json()["data"]
        one = data[0] if isinstance(data, list) else data
        assert "secret" not in one
        assert one["secret_preview"] == "\u2026" + made["secret"][-4:]


def test_sb_5_a_sb_32_camel_case_is_read_and_snake_case_wins(team: Team) -> None:
    made = team.call(
        "POST", "/webhooks", {"endpointUrl": URL, "eventTypes": ["funding.created"], "filters": {"teamSize": "1-10"}}
    )
    assert made.status_code == 201
    data = made.json()["data"]
    assert (data["endpoint_url"], data["event_types"], data["filters"]) == (URL, ["funding.created"], {"teamSize": "1-10"})
    both = {
        "endpoint_url": URL + "/snake",
        "endpointUrl": URL + "/camel",
        "event_types": ["hiring.created"],
        "eventTypes": ["x"],
    }
    assert team.call("POST", "/webhooks", both).json()["data"]["endpoint_url"] == URL + "/snake"
    rotated = team.call("PUT", f"/webhooks/{data['id']}", {"rotateSecret": True}).json()["data"]
    assert "secret" in rotated


def test_a_sb_17_duplicates_of_event_types_are_removed(team: Team) -> None:
    events = ["hiring.created", "funding.created", "hiring.created", "system.test"]
    assert team.make(event_types=events)["event_types"] == ["hiring.created", "funding.created", "system.test"]


def test_sb_33_sb_34_a_sb_38_every_subscribable_event_type_is_taken(team: Team) -> None:
    events = [
        "funding.created", "acquisition.created", "job_change.created", "hiring.created", "new_company.created",
        "investor.created", "system.test",
    ]  # fmt: skip
    assert team.make(event_types=events)["event_types"] == events


def test_a_sb_7_ignored_filters_are_named_in_warnings(team: Team) -> None:
    answer = team.call("POST", "/webhooks", BODY | {"filters": {"round": "seed"}}).json()
    assert answer["data"]["filters"] == {"round": "seed"}
    assert "funding" in answer["meta"]["warnings"][0]
    updated = team.call("PUT", f"/webhooks/{answer['data']['id']}", {"filters": {"rounds": "seed"}}).json()
    assert len(updated["meta"]["warnings"]) == 1
    narrowed = team.call("PUT", f"/webhooks/{answer['data']['id']}", {"filters": {"funding": "seed"}}).json()
    assert narrowed["meta"]["warnings"] == ["A filter for funding.created lets none of these through: hiring.created."]


REFUSED: list[dict[str, Any]] = [
    {"event_types": []},
    {"event_types": ["funding.updated"]},
    {"event_types": ["dashboard.push"]},
    {"event_types": "funding.created"},
    {"event_types": [1]},
    {"event_types": None},
    {"filters": "US"},
    {"filters": []},
    {"filters": {"countries": ["US"]}},
    {"filters": {"countries": "United States"}},
    {"filters": {"healthScore": "high"}},
    {"endpoint_url": None},
    {"endpoint_url": 3},
    {"endpoint_url": ""},
    {"endpoint_url": "ftp://hooks.example.com/x"},
    {"endpoint_url": "hooks.example.com"},
    {"endpoint_url": "https://user:pw@hooks.example.com/"},
    {"endpoint_url": "https://hooks.example.com/" + "x" * 475},
]


def test_sb_36_sb_57_sb_58_sb_87_what_no_webhook_can_be_is_a_bad_request(team: Team) -> None:
    made = team.make()
    for change in REFUSED:
        assert failed(team.call("POST", "/webhooks", BODY | change)) == (400, "bad_request"), change
        assert failed(team.call("PUT", f"/webhooks/{made['id']}", change)) == (400, "bad_request"), change
    assert team.call("GET", "/webhooks").json()["data"] == [team.call("GET", f"/webhooks/{made['id']}").json()["data"]]
    assert team.call("GET", f"/webhooks/{made['id']}").json()["data"]["updated_at"] == made["updated_at"]


def test_a_sb_16_a_sb_17_say_what_is_wrong(team: Team) -> None:
    assert "dashboard.push" in team.call("POST", "/webhooks", BODY | {"event_types": ["dashboard.push"]}).json()["error"]


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "a\\udfffb"])
def test_sb_87_text_that_no_store_takes_is_a_bad_request(team: Team, text: str) -> None:
    filters = f'{{"endpoint_url":"{URL}","event_types":["funding.created"],"filters":'
    for path, body in (
        ("/webhooks", f'{filters}{{"search":"{text}"}}}}'),
        ("/webhooks", f'{filters}{{"{text}":"x"}}}}'),
        ("/monitors", f'{{"name":"{text}","signal_types":["funding_round"]}}'),
    ):
        assert failed(team.call("POST", path, body)) == (400, "bad_request"), body
    assert team.make(filters={"search": "\u00e9\U0001f600"})["filters"] == {"search": "\u00e9\U0001f600"}


def test_sb_9_a_message_names_a_field_as_it_is_written(team: Team) -> None:
    told = [
        team.call("POST", "/webhooks", BODY | change).json()["error"]
        for change in ({"event_types": []}, {"filters": {"teamSize": "x"}}, {"endpoint_url": "ftp://a.example"}, {"filters": 1})
    ]
    assert [text.partition(" ")[0] for text in told] == ["event_types", "filters.teamSize:", "endpoint_url", "Filters"]
    assert "must be HTTPS or HTTP, not ftp://" in told[2]


def test_sb_87_a_body_that_is_none_is_a_bad_request(team: Team) -> None:
    for body in ("", "{", "[]", "null", '"x"', b"\xff", '{"endpoint_url": NaN}', "{}"):
        assert failed(team.call("POST", "/webhooks", body)) == (400, "bad_request"), body


def test_sb_87_another_content_type_is_a_bad_request(team: Team) -> None:
    answer = team.call("POST", "/webhooks", b"a=b", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert failed(answer) == (400, "bad_request")


def test_sb_57_500_characters_are_taken(team: Team) -> None:
    url = "https://hooks.example.com/"
    assert len(team.make(endpoint_url=url + "x" * (500 - len(url)))["endpoint_url"]) == 500


def test_sb_58_a_sb_1_http_is_taken_unless_the_operator_says_no(team: Team) -> None:
    assert team.make(endpoint_url="http://hooks.example.com/x")["endpoint_url"] == "http://hooks.example.com/x"


def test_a_sb_1_https_only_is_an_operator_s_switch(make_api: Any, tmp_path: Path) -> None:
    with make_api(home=tmp_path, signalbase_https_only=True) as api:
        strict = Team(api, "acme")
        assert failed(strict.call("POST", "/webhooks", BODY | {"endpoint_url": "http://a.example.com/"})) == (
            400,
            "bad_request",
        )
        assert strict.make()["endpoint_url"] == URL


PRIVATE = ["localhost", "10.0.0.1", "169.254.169.254", "[::1]", "192.168.1.4", "printer.local", "[::ffff:10.0.0.1]", "0"]


def test_a_sb_36_private_addresses_are_refused(make_api: Any, tmp_path: Path) -> None:
    with make_api(home=tmp_path, webhook_allowed_networks=()) as api:
        team = Team(api, "acme")
        for host in PRIVATE:
            answer = team.call("POST", "/webhooks", BODY | {"endpoint_url": f"https://{host}/x"})
            assert failed(answer) == (400, "bad_request"), host
            assert answer.json()["error"] == "Webhook URL must be a public address", host


def test_sb_56_the_eleventh_active_webhook_is_refused(team: Team) -> None:
    made = [team.make() for _ in range(10)]
    assert failed(team.call("POST", "/webhooks", BODY)) == (400, "bad_request")
    assert len(team.call("GET", "/webhooks").json()["data"]) == 10
    Team(team.api, "other").make()
    team.call("DELETE", f"/webhooks/{made[0]['id']}")
    team.make()
    revived = team.call("PUT", f"/webhooks/{made[0]['id']}", {"active": True})
    assert failed(revived) == (400, "bad_request"), "A-SB-4: reviving counts too"


# --- list, update, delete ---------------------------------------------------------------------------------------------------


def test_sb_11_a_sb_25_the_list_is_of_active_ones_newest_first_by_offset(team: Team) -> None:
    ids = []
    for _ in range(5):
        team.api.now += timedelta(seconds=1)
        ids.append(team.make()["id"])
    team.call("DELETE", f"/webhooks/{ids[2]}")
    team.call("PUT", f"/webhooks/{ids[1]}", {"active": False})
    assert [one["id"] for one in team.call("GET", "/webhooks").json()["data"]] == [ids[4], ids[3], ids[0]]
    page = team.call("GET", "/webhooks?limit=2&offset=1").json()
    assert [one["id"] for one in page["data"]] == [ids[3], ids[0]]
    assert page["pagination"] == {"limit": 2, "offset": 1, "count": 2}


def test_a_sb_25_bounds_of_pages(team: Team) -> None:
    for query in ("limit=0", "limit=101", "limit=x", "offset=-1", "limit="):
        assert failed(team.call("GET", f"/webhooks?{query}")) == (400, "bad_request"), query


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_sb_12_sb_13_sb_15_a_sb_3_an_update_changes_what_it_names_and_keeps_the_secret(team: Team, method: str) -> None:
    made = team.make()
    path = f"/webhooks/{made['id']}"
    team.api.now += timedelta(minutes=5)
    changed = team.call(method, path, {"endpoint_url": URL + "/2"}).json()["data"]
    assert (changed["endpoint_url"], changed["event_types"], changed["filters"]) == (
        URL + "/2",
        made["event_types"],
        made["filters"],
    )
    assert changed["secret_preview"] == "\u2026" + made["secret"][-4:]
    assert changed["updated_at"] == "2026-05-12T01:59:00.000Z"
    assert changed["created_at"] == made["created_at"]
    replaced = team.call(method, path, {"event_types": ["acquisition.created"], "filters": {"search": "kelp"}}).json()["data"]
    assert (replaced["event_types"], replaced["filters"]) == (["acquisition.created"], {"search": "kelp"})
    assert team.call("GET", path).json()["data"] == replaced


def test_sb_14_rotation_makes_a_new_secret_in_place(team: Team) -> None:
    made = team.make()
    rotated = team.call("PUT", f"/webhooks/{made['id']}", {"rotate_secret": True}).json()["data"]
    assert rotated["id"] == made["id"]
    assert UUID.fullmatch(rotated["secret"])
    assert rotated["secret"] != made["secret"]
    assert "secret_preview" not in rotated
    kept = team.call("PUT", f"/webhooks/{made['id']}", {"rotate_secret": False}).json()["data"]
    assert kept["secret_preview"] == "\u2026" + rotated["secret"][-4:]


def test_sb_16_a_sb_2_a_sb_5_deleting_is_soft(team: Team) -> None:
    made = team.make()
    path = f"/webhooks/{made['id']}"
    answer = team.call("DELETE", path)
    assert answer.status_code == 200
    assert answer.json()["data"] == {"success": True, "id": made["id"], "active": False}
    for method, more in (("GET", ""), ("DELETE", ""), ("POST", "/test")):
        assert failed(team.call(method, path + more)) == (404, "not_found")
    assert team.call("GET", f"{path}/deliveries").json()["data"] == []
    revived = team.call("PUT", path, {"active": True}).json()["data"]
    assert revived["active"] is True
    assert revived["secret_preview"] == "\u2026" + made["secret"][-4:]
    assert team.call("GET", path).status_code == 200


def test_sb_25_a_sb_4_a_paused_webhook_is_shown_as_inactive_and_can_be_resumed(team: Team) -> None:
    made = team.make()
    path = f"/webhooks/{made['id']}"
    assert team.call("PUT", path, {"active": False}).json()["data"]["active"] is False
    assert failed(team.call("GET", path)) == (404, "not_found")
    assert team.call("PUT", path, {"active": True}).json()["data"]["active"] is True


def test_sb_87_an_update_that_says_nothing_usable_is_a_bad_request(team: Team) -> None:
    made = team.make()
    for body in ({"active": "yes"}, {"active": None}, {"rotate_secret": 1}, {"filters": None}):
        assert failed(team.call("PUT", f"/webhooks/{made['id']}", body)) == (400, "bad_request"), body


def test_sb_21_sb_27_sb_94_sb_95_what_the_dashboard_made_the_api_manages(team: Team) -> None:
    """Both go through the same code: pipeline.subscriptions.webhooks."""
    edit = Edit("user_dashboard", "dashboard", team.api.now)
    made = webhooks.create_webhook(
        team.api.database, team.api.partners.box, team.id, URL, ["funding.created"], read_filters({}), edit, UrlRules()
    )
    listed = team.call("GET", "/webhooks").json()["data"]
    assert [(one["id"], one["last_modified_by"], one["last_modified_via"]) for one in listed] == [
        (made.id, "user_dashboard", "dashboard")
    ]
    assert listed[0]["secret_preview"] == "\u2026" + str(made.secret)[-4:]
    changed = team.call("PUT", f"/webhooks/{made.id}", {"endpoint_url": URL + "/api"}).json()["data"]
    assert (changed["last_modified_by"], changed["last_modified_via"]) == (team.key.user_id, "api")
    assert webhooks.get_webhook(team.api.database, team.id, made.id).endpoint_url == URL + "/api"


# --- rate limit -------------------------------------------------------------------------------------------------------------


def test_sb_60_sb_61_sb_92_sixty_calls_a_minute_of_one_operation(team: Team) -> None:
    team.api.now += timedelta(seconds=20)
    for number in range(60):
        answer = team.call("GET", "/webhooks")
        assert answer.status_code == 200
        assert answer.headers["X-RateLimit-Limit"] == "60"
        assert answer.headers["X-RateLimit-Remaining"] == str(59 - number)
    refused = team.call("GET", "/webhooks")
    assert failed(refused) == (429, "rate_limited")
    assert refused.json()["error"] == "Too many requests. Please upgrade your plan or slow down."
    assert refused.json()["retryAfter"] == 40
    assert refused.headers["Retry-After"] == "40"
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert int(refused.headers["X-RateLimit-Reset"]) == int(team.api.now.timestamp()) + 40
    assert team.call("POST", "/webhooks", BODY).status_code == 201, "A-SB-26: another operation has its own count"
    assert Team(team.api, "other").call("GET", "/webhooks").status_code == 200, "another team too"
    team.api.now += timedelta(seconds=40)
    assert team.call("GET", "/webhooks").headers["X-RateLimit-Remaining"] == "59"


def test_a_sb_26_all_webhooks_of_a_team_share_an_operation_s_count(team: Team) -> None:
    first, second = team.make()["id"], team.make()["id"]
    team.call("GET", f"/webhooks/{first}")
    assert team.call("GET", f"/webhooks/{second}").headers["X-RateLimit-Remaining"] == "58"


def test_sb_60_the_limit_can_be_lifted_by_contract(team: Team) -> None:
    teams.change_team(team.api.database, team.id, team.api.now, calls_per_minute=100)
    assert team.call("GET", "/webhooks").headers["X-RateLimit-Limit"] == "100"
    teams.change_team(team.api.database, team.id, team.api.now, calls_per_minute=0)
    assert team.call("GET", "/webhooks").headers["X-RateLimit-Limit"] == "60"

"""Monitors over HTTP: names, envelope, limits, errors, whose they are (vendor facts, section 7: Monitors)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.settings import PROJECT_ROOT
from pipeline.subscriptions import teams

URL = "https://hooks.example.com/monitor"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
BODY = {"name": "Key accounts", "signal_types": ["funding_round", "hiring"], "webhook_url": URL}
PAGE = PROJECT_ROOT / "docs" / "partners" / "signalbase" / "monitors.md"


class Team:
    """A team that calls the service with its own key."""

    def __init__(self, api: Any, organization: str) -> None:
        self.api, self.id = api, organization
        teams.create_team(api.database, organization, api.now)
        teams.change_team(api.database, organization, api.now, calls_per_minute=10_000)
        self.token = teams.create_key(api.database, organization, "test", api.now).token

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            more["json"] = body
        answer: httpx.Response = self.api.raw(f"/api/v2{path}", method=method, headers=headers, **more)
        return answer

    def data(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.call(method, path, body)
        assert answer.status_code in (200, 201), answer.text
        assert answer.json()["success"] is True
        assert answer.json()["meta"]["creditsUsed"] == 0
        return answer.json()["data"]

    def make(self, **changes: Any) -> Any:
        return self.data("POST", "/monitors", BODY | changes)

    def add(self, monitor: Any, *texts: str) -> Any:
        return self.data("POST", f"/monitors/{monitor['id']}/targets", {"targets": list(texts)})

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        answer = self.call(method, path, body)
        assert set(answer.json()) == {"success", "error", "code"}, answer.text
        assert answer.json()["success"] is False
        return answer.status_code, answer.json()["error"]


@pytest.fixture
def app_database(make_app_database: Any) -> Any:
    """On SQLite alone: what depends on the database is tested on both in test_signalbase_watching.py."""
    return make_app_database("sqlite")


@pytest.fixture
def team(make_api: Any, tmp_path: Path) -> Iterator[Team]:
    with make_api(home=tmp_path) as api:
        yield Team(api, api.organization)


def test_a_monitor_is_made_with_a_webhook_whose_secret_is_shown_once(team: Team) -> None:
    answer = team.call("POST", "/monitors", BODY)
    assert answer.status_code == 201
    made = answer.json()["data"]
    assert sorted(made) == ["active", "created_at", "id", "name", "signal_types", "stats", "updated_at", "webhook"]
    assert (made["name"], made["signal_types"], made["active"]) == ("Key accounts", ["funding_round", "hiring"], True)
    assert made["stats"] == {"targets": 0, "resolved_targets": 0, "signals_30d": 0, "last_delivery_at": None}
    assert UUID.fullmatch(made["id"])
    assert sorted(made["webhook"]) == ["endpoint_url", "id", "secret"]
    assert UUID.fullmatch(made["webhook"]["secret"])
    assert answer.json()["meta"] == {"endpoint": "monitors.create", "creditsUsed": 0}
    again = team.call("GET", f"/monitors/{made['id']}").json()
    assert again["meta"]["endpoint"] == "monitors.get"
    assert again["data"] == made | {"webhook": {"id": made["webhook"]["id"], "endpoint_url": URL}}
    listed = team.call("GET", "/monitors").json()
    assert listed["data"] == [again["data"]]
    assert sorted(listed) == ["data", "meta", "success"], "a list without pages"


def test_a_monitor_needs_no_webhook_and_names_in_camel_case_are_read(team: Team) -> None:
    assert team.make(webhook_url=None)["webhook"] is None
    made = team.data("POST", "/monitors", {"name": " Tier 1 ", "signalTypes": ["hiring", "hiring"], "webhookUrl": URL})
    assert (made["name"], made["signal_types"], made["webhook"]["endpoint_url"]) == ("Tier 1", ["hiring"], URL)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name must have 1 to 255"),
        ({"name": 3}, "name"),
        ({"signal_types": []}, "signal_types must be a non-empty array of: funding_round, acquisition, job_change, hiring"),
        ({"signal_types": ["new_company"]}, "signal_types must be"),
        ({"signal_types": "hiring"}, "signal_types must be a list"),
        ({"webhook_url": "http://10.0.0.1/x"}, "Webhook URL must be a public address"),
        ({"webhook_url": "https://example.com/" + "x" * 500}, "webhook_url has at most 500"),
        ({"webhook_url": "ftp://example.com/"}, "webhook_url can't be used"),
        ({"webhook_url": 1}, "webhook_url"),
    ],
)
def test_what_no_monitor_can_be_is_400_and_makes_nothing(team: Team, changes: dict[str, Any], words: str) -> None:
    status, error = team.refused("POST", "/monitors", BODY | changes)
    assert status == 400
    assert words.lower() in error.lower()
    assert team.data("GET", "/monitors") == []
    assert team.data("GET", "/webhooks") == []


def test_at_most_twenty_monitors_a_team(team: Team) -> None:
    for _ in range(20):
        team.make(webhook_url=None)
    assert team.refused("POST", "/monitors", BODY) == (400, "Maximum of 20 monitors per team reached")


def test_an_update_changes_what_it_names(team: Team) -> None:
    made = team.make()
    path = f"/monitors/{made['id']}"
    renamed = team.data("PUT", path, {"name": "Tier 1", "signal_types": ["acquisition"]})
    assert (renamed["name"], renamed["signal_types"], renamed["active"]) == ("Tier 1", ["acquisition"], True)
    assert team.data("GET", f"/webhooks/{made['webhook']['id']}")["event_types"] == ["acquisition.created"]
    paused = team.data("PUT", path, {"active": False})
    assert (paused["active"], paused["webhook"]["id"]) == (False, made["webhook"]["id"])
    assert team.data("GET", "/webhooks") == []
    assert team.data("PUT", path, {"active": True})["active"] is True
    assert [one["id"] for one in team.data("GET", "/webhooks")] == [made["webhook"]["id"]]
    for body in ({}, {"other": 1}, {"name": None}, {"active": "yes"}, {"signal_types": []}):
        assert team.refused("PUT", path, body)[0] == 400


def test_another_address_is_another_webhook_and_the_same_changes_nothing(team: Team) -> None:
    made = team.make()
    path = f"/monitors/{made['id']}"
    same = team.data("PUT", path, {"webhook_url": URL})
    assert same["webhook"] == {"id": made["webhook"]["id"], "endpoint_url": URL}
    moved = team.data("PUT", path, {"webhookUrl": URL + "/2"})["webhook"]
    assert moved["endpoint_url"] == URL + "/2"
    assert moved["id"] != made["webhook"]["id"]
    assert moved["secret"] != made["webhook"]["secret"]
    assert [one["id"] for one in team.data("GET", "/webhooks")] == [moved["id"]]
    assert team.call("GET", f"/webhooks/{made['webhook']['id']}/deliveries").status_code == 200, "its history stays"
    assert team.data("PUT", path, {"webhook_url": None})["webhook"] is None
    assert team.data("GET", "/webhooks") == []


def test_a_monitor_s_webhook_is_tested_and_rotated_as_any_and_told_by_the_monitor_alone(team: Team) -> None:
    made = team.make()
    hook = f"/webhooks/{made['webhook']['id']}"
    assert team.data("PUT", hook, {"rotate_secret": True})["secret"] != made["webhook"]["secret"]
    for method, body in (
        ("PUT", {"filters": {}}),
        ("PUT", {"event_types": ["hiring.created"]}),
        ("PUT", {"active": False}),
        ("DELETE", None),
    ):
        status, error = team.refused(method, hook, body)
        assert (status, made["id"] in error) == (400, True)
    assert team.data("GET", f"/monitors/{made['id']}")["webhook"]["id"] == made["webhook"]["id"]
    team.data("DELETE", f"/monitors/{made['id']}")
    assert team.refused("PUT", hook, {"active": True})[0] == 400, "nor is it revived without its monitor"


def test_targets_are_added_once_each_and_what_names_nothing_is_handed_back(team: Team) -> None:
    made = team.make()
    sent = [
        "https://www.ACME.com/about",
        "acme.com",
        "linkedin.com/company/initech/",
        "linkedin.com/in/jane-doe",
        "not a domain",
    ]
    done = team.add(made, *sent)
    assert [(one["type"], one["value"], one["status"]) for one in done["added"]] == [
        ("domain", "acme.com", "pending"),
        ("linkedin_company", "linkedin.com/company/initech", "pending"),
        ("linkedin_profile", "linkedin.com/in/jane-doe", "pending"),
    ]
    assert sorted(done["added"][0]) == sorted([
        "id", "monitor_id", "type", "value", "status", "company", "resolved_at", "last_signal_type", "last_signal_at", "created_at",
    ])  # fmt: skip
    assert (done["skipped_existing"], done["invalid"], done["resolved_companies"]) == (0, ["not a domain"], 0)
    assert done["pending"] == [one["value"] for one in done["added"]]
    again = team.add(made, "acme.com", "kelp.com")
    assert ([one["value"] for one in again["added"]], again["skipped_existing"]) == (["kelp.com"], 1)
    assert team.data("GET", f"/monitors/{made['id']}")["stats"]["targets"] == 4


@pytest.mark.parametrize(
    "body",
    [{}, {"targets": []}, {"targets": "acme.com"}, {"targets": [1]}, {"targets": ["x"] * 501}, {"targets": ["x" * 501]},
     {"targets": [""]}, {"targets": ["not a domain", "nor this"]}],
)  # fmt: skip
def test_targets_none_of_which_can_be_used_are_400(team: Team, body: dict[str, Any]) -> None:
    made = team.make()
    assert team.refused("POST", f"/monitors/{made['id']}/targets", body)[0] == 400
    assert team.data("GET", f"/monitors/{made['id']}/targets") == []


def test_targets_come_in_pages_newest_first_with_their_total(team: Team) -> None:
    made = team.make()
    team.add(made, *[f"company-{number}.com" for number in range(5)])
    path = f"/monitors/{made['id']}/targets"
    seen: list[str] = []
    for offset in (0, 2, 4):
        answer = team.call("GET", path, params={"limit": "2", "offset": str(offset)}).json()
        assert answer["pagination"] == {"limit": 2, "offset": offset, "count": len(answer["data"]), "total": 5}
        assert answer["meta"]["endpoint"] == "monitors.targets.list"
        seen += [one["value"] for one in answer["data"]]
    assert sorted(seen) == [f"company-{number}.com" for number in range(5)]
    assert team.call("GET", path).json()["pagination"]["limit"] == 100
    assert team.call("GET", path, params={"status": "resolved"}).json()["pagination"]["total"] == 0
    assert team.call("GET", path, params={"status": "pending", "limit": "200"}).json()["pagination"]["total"] == 5
    for wrong in ({"limit": "201"}, {"limit": "0"}, {"offset": "-1"}, {"status": "lost"}):
        assert team.call("GET", path, params=wrong).status_code == 400


def test_targets_are_removed_by_id_or_by_what_names_them(team: Team) -> None:
    made = team.make()
    path = f"/monitors/{made['id']}/targets"
    first, second, third = team.add(made, "acme.com", "linkedin.com/company/initech", "kelp.com")["added"]
    assert team.data("DELETE", f"{path}/{first['id']}") == {"id": first["id"], "deleted": True}
    assert team.refused("DELETE", f"{path}/{first['id']}") == (404, "Target not found")
    sent = {"ids": [third["id"], first["id"]], "targets": ["https://LinkedIn.com/company/Initech", "unknown.com", "no domain"]}
    done = team.data("POST", f"{path}/remove", sent)
    assert {one["id"] for one in done["removed"]} == {second["id"], third["id"]}
    assert (done["not_found"], done["invalid"], done["resolved_companies"]) == ([first["id"], "unknown.com"], ["no domain"], 0)
    assert team.data("GET", path) == []
    for body in ({}, {"ids": []}, {"targets": []}, {"ids": "x"}):
        assert team.refused("POST", f"{path}/remove", body)[0] == 400


def test_a_deleted_monitor_is_gone_with_its_targets(team: Team) -> None:
    made = team.make()
    team.add(made, "acme.com")
    path = f"/monitors/{made['id']}"
    assert team.data("DELETE", path) == {"id": made["id"], "deleted": True}
    for method, rest, body in (
        ("GET", "", None), ("DELETE", "", None), ("PUT", "", {"active": True}), ("GET", "/targets", None),
        ("POST", "/targets", {"targets": ["acme.com"]}), ("POST", "/targets/remove", {"ids": ["x"]}),
        ("DELETE", "/targets/x", None),
    ):  # fmt: skip
        assert team.refused(method, path + rest, body) == (404, "Monitor not found")


def test_another_team_sees_none_of_it(team: Team) -> None:
    made = team.make()
    (target,) = team.add(made, "acme.com")["added"]
    other = Team(team.api, team.api.partners.add("other"))
    mine = other.make(webhook_url=None)
    for method, rest, body in (
        ("GET", "", None), ("PUT", "", {"name": "mine"}), ("DELETE", "", None), ("GET", "/targets", None),
        ("POST", "/targets", {"targets": ["kelp.com"]}), ("DELETE", f"/targets/{target['id']}", None),
        ("POST", "/targets/remove", {"ids": [target["id"]]}),
    ):  # fmt: skip
        assert other.refused(method, f"/monitors/{made['id']}{rest}", body) == (404, "Monitor not found")
    assert other.refused("DELETE", f"/monitors/{mine['id']}/targets/{target['id']}") == (404, "Target not found")
    assert other.data("POST", f"/monitors/{mine['id']}/targets/remove", {"ids": [target["id"]]})["removed"] == []
    assert [one["id"] for one in other.data("GET", "/monitors")] == [mine["id"]]
    assert [one["id"] for one in team.data("GET", f"/monitors/{made['id']}/targets")] == [target["id"]]


def test_the_commands_on_the_page_do_what_it_says(team: Team) -> None:
    """Each curl of docs/partners/signalbase/monitors.md, as it is printed, one after the other."""
    page = PAGE.read_text(encoding="utf-8")
    block = re.search(r"```bash\n(.*?)```", page, re.DOTALL)
    assert block
    commands = re.findall(r"^curl .*?(?<!\\)$", block[1], re.DOTALL | re.MULTILINE)
    known: dict[str, str] = {}
    endpoints = []
    for command in commands:
        method = re.search(r"-X (\w+)", command)
        path = re.search(r"\$BASE(/\S*?)[\"'\s]", command)
        body = re.search(r"-d '(.*?)'", command, re.DOTALL)
        assert path
        answer = team.call(
            method[1] if method else "GET",
            re.sub(r"\$(\w+)", lambda name: known[name[1]], path[1]),
            content=body[1] if body else None,
        )
        assert answer.is_success, (command, answer.text)
        found = answer.json()
        endpoints.append(found["meta"]["endpoint"])
        if endpoints[-1] == "monitors.create":
            known["MONITOR"] = found["data"]["id"]
    assert endpoints == [
        "monitors.create", "monitors.targets.add", "monitors.targets.list", "monitors.update", "monitors.targets.remove",
        "monitors.delete",
    ]  # fmt: skip

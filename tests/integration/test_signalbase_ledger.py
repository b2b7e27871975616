"""Signals on their way to teams' webhooks, on SQLite and PostgreSQL: fan-out, sends, credits, retries (SB-17 to SB-20, SB-31,
SB-32, SB-37, SB-53 to SB-55, SB-59, SB-62 to SB-70, SB-80 to SB-86)."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from pipeline.commands.signalbase import signalbase
from pipeline.organizations.secrets import SecretBox
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.subscriptions import CreditEntry, CreditHold
from pipeline.subscriptions import teams, webhooks
from pipeline.subscriptions.deliveries import add_retry, list_deliveries, replay_skipped
from pipeline.subscriptions.fan_out import fan_out
from pipeline.subscriptions.filters import read_filters
from pipeline.subscriptions.index import SubscriptionIndex
from pipeline.subscriptions.push import push
from pipeline.subscriptions.rates import take_call
from pipeline.subscriptions.signals import PublishedSignal, publish_signals
from pipeline.subscriptions.webhooks import Change, Edit, UrlRules
from pipeline.webhooks.claims import claim, expire
from pipeline.webhooks.credits import settle_all_holds
from pipeline.webhooks.sender import deliver_pending
from pipeline.webhooks.signalbase import signalbase_profile

LOOPBACK = UrlRules((ip_network("127.0.0.0/8"),))


class Endpoint:
    """A receiver on loopback that remembers all and answers as it is told."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.status, self.answer, self.delay = 200, b'{"ok":true}', 0.0
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.received.append((dict(self.headers), body))
                time.sleep(endpoint.delay)
                self.send_response(endpoint.status)
                self.send_header("Content-Length", str(len(endpoint.answer)))
                self.end_headers()
                self.wfile.write(endpoint.answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()


class World:
    """Teams with webhooks and signals over one app database."""

    def __init__(self, partners: Any, endpoint: Endpoint, home: Path) -> None:
        self.partners, self.endpoint, self.db = partners, endpoint, partners.database
        self.now: datetime = partners.now
        self.settings = partners.settings(home=home)
        self.box = SecretBox.open(self.settings)
        self.index = SubscriptionIndex(self.db)

    def team(self, slug: str = "acme", credits: int = 100) -> str:
        organization = self.partners.add(slug)
        teams.create_team(self.db, organization, self.now)
        if credits:
            teams.grant_credits(self.db, organization, credits, self.now)
        return str(organization)

    def webhook(self, team: str, events: tuple[str, ...] = ("funding.created",), **filters: str) -> webhooks.Webhook:
        edit = Edit("user_1", "api", self.now)
        return webhooks.create_webhook(
            self.db, self.box, team, self.endpoint.url, events, read_filters(filters), edit, LOOPBACK
        )

    def signal(self, name: str, event_type: str = "funding.created", **changes: Any) -> PublishedSignal:
        fields: dict[str, Any] = {
            "id": f"signal-{name}", "event_type": event_type, "external_id": f"fund_{name}", "logical_key": name,
            "is_active": True, "tells": True, "occurred_at": self.now, "discovered_at": self.now, "company_id": None,
            "company_name": "Brightwater", "industry": None, "categories": [], "country": "US", "employee_count": None,
            "round_type": "seed", "round_flavor": None, "amount": 2_000_000, "currency": "USD", "confidence": 0.9,
            "data": {"signal": {"id": f"signal-{name}"}, "company": {"name": "Brightwater"}, "employees": [], "sources": []},
        }  # fmt: skip
        return PublishedSignal(**(fields | changes))

    def tell(self, *signals: PublishedSignal) -> int:
        """Publish, and fan out; gives how many deliveries came of it."""
        publish_signals(self.db, signals, self.now)
        return fan_out(self.db, self.index, self.now).deliveries

    def send(self) -> Any:
        return deliver_pending(self.db, self.box, self.settings, lambda: self.now)

    def statuses(self) -> list[str]:
        return [row.status for row in self.partners.deliveries()]

    def credits(self, team: str) -> tuple[int, int]:
        found = teams.get_team(self.db, team)
        return found.credits, found.available


@pytest.fixture
def world(partners: Any, endpoint: Endpoint, tmp_path: Path) -> World:
    return World(partners, endpoint, tmp_path)


# --- fan-out and sends --------------------------------------------------------------------------------------------------


def test_sb_37_sb_62_to_sb_70_a_signal_reaches_who_subscribed_to_it_signed(world: World) -> None:
    team = world.team()
    made = world.webhook(team, countries="US")
    world.webhook(team, ("hiring.created",))
    world.webhook(team, countries="GB")
    assert world.tell(world.signal("a")) == 1
    assert world.send().delivered == 1
    ((headers, body),) = world.endpoint.received
    event = json.loads(body)
    assert list(event) == ["data", "event_id", "event_type", "timestamp"]
    assert list(event["data"]) == ["company", "employees", "signal", "sources"]
    assert event["event_type"] == headers["X-Webhook-Event"] == "funding.created"
    assert event["event_id"] == headers["X-Webhook-ID"]
    assert event["timestamp"] == "2026-05-12T01:54:00.000Z"
    assert headers["X-Webhook-Timestamp"] == str(int(world.now.timestamp()))
    assert headers["User-Agent"] == "Signalbase-Webhooks/1.0"
    assert headers["Content-Type"] == "application/json"
    expected = hmac.new(str(made.secret).encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Webhook-Signature"] == expected
    assert world.credits(team) == (99, 99)


def test_a_sb_24_sb_81_a_timeout_and_a_refused_address_are_network_errors(world: World) -> None:
    team = world.team(credits=10)
    made = world.webhook(team)
    world.endpoint.delay = 0.6
    world.settings = world.partners.settings(webhook_timeout_seconds=0.2)
    world.tell(world.signal("a"))
    world.send()
    world.endpoint.delay = 0.0
    world.settings = world.partners.settings(webhook_allowed_networks=())
    world.tell(world.signal("b"))
    world.send()
    records, _ = list_deliveries(world.db, team, made.id, 10)
    assert [(one.status, one.response_status, one.response_body) for one in records] == [("failed", 0, None)] * 2
    assert {one.reason for one in records} == {"timeout", "refused_address"}
    assert world.credits(team) == (10, 10)


def test_sb_82_one_attempt_per_event_however_often_steps_are_repeated(world: World) -> None:
    team = world.team()
    world.webhook(team)
    world.endpoint.status = 500
    signal = world.signal("a")
    assert world.tell(signal) == 1
    assert world.tell(signal) == 0
    world.send()
    with world.db.write() as session:  # as if the mark had been lost with a crash
        session.execute(text("UPDATE signals SET fan_out = 'waiting'"))
    fan_out(world.db, world.index, world.now)
    world.send()
    assert len(world.endpoint.received) == 1
    assert world.statuses() == ["failed"]


def test_sb_37_fan_outs_at_the_same_moment_tell_once(world: World) -> None:
    team = world.team()
    for _ in range(3):
        world.webhook(team)
    publish_signals(world.db, [world.signal(str(number)) for number in range(20)], world.now)
    with ThreadPoolExecutor(4) as threads:
        reports = list(threads.map(lambda _: fan_out(world.db, SubscriptionIndex(world.db), world.now), range(4)))
    assert sum(report.signals for report in reports) == 20
    assert len(world.statuses()) == 60


def test_a_changed_subscription_counts_from_the_next_signal_on(world: World) -> None:
    team = world.team()
    made = world.webhook(team, countries="US")
    edit = Edit("user_1", "api", world.now)
    assert world.tell(world.signal("a")) == 1
    changed = Change(filters=read_filters({"countries": "GB"}))
    webhooks.update_webhook(world.db, world.box, team, made.id, changed, edit, LOOPBACK)
    assert world.tell(world.signal("b")) == 0
    assert world.tell(world.signal("c", country="GB")) == 1
    webhooks.update_webhook(world.db, world.box, team, made.id, Change(is_active=False), edit, LOOPBACK)
    assert world.tell(world.signal("d", country="GB")) == 0
    second = world.webhook(team)
    assert world.tell(world.signal("e")) == 1
    assert {row.endpoint_id for row in world.partners.deliveries()} == {made.id, second.id}


def test_sb_3_teams_without_a_subscription_are_told_nothing(world: World) -> None:
    team = world.team()
    world.webhook(team)
    teams.change_team(world.db, team, world.now, subscription="expired")
    assert world.tell(world.signal("a")) == 0
    teams.change_team(world.db, team, world.now, subscription="active")
    assert world.tell(world.signal("b")) == 1


def test_a_signal_read_while_catching_up_tells_nobody_until_news_report_it(world: World) -> None:
    world.webhook(world.team())
    assert world.tell(world.signal("a", tells=False)) == 0
    assert world.tell(world.signal("a", tells=True, confidence=0.95)) == 1
    assert world.tell(world.signal("a", tells=True, confidence=0.97)) == 0


def test_a_signal_taken_back_is_sent_to_nobody_any_more(world: World) -> None:
    world.webhook(world.team())
    world.tell(world.signal("a"))
    publish_signals(world.db, [world.signal("a", is_active=False)], world.now)
    assert world.send().delivered == 0
    assert world.statuses() == ["skipped"]


def test_a_sb_4_what_waits_for_a_webhook_that_is_switched_off_is_recorded_as_skipped(world: World) -> None:
    team = world.team()
    made = world.webhook(team)
    world.tell(world.signal("a"))
    edit = Edit("user_1", "api", world.now)
    webhooks.delete_webhook(world.db, team, made.id, edit)
    world.send()
    webhooks.update_webhook(world.db, world.box, team, made.id, Change(is_active=True), edit, LOOPBACK)
    world.send()
    assert world.endpoint.received == []
    assert [(row.status, row.reason) for row in world.partners.deliveries()] == [("skipped", "webhook_inactive")]


def test_sb_78_a_sb_31_names_are_masked_in_job_changes_and_everywhere_for_strict_teams(world: World) -> None:
    plain, strict = world.team("plain"), world.team("strict")
    teams.change_team(world.db, strict, world.now, masks_everyone=True)
    for team in (plain, strict):
        world.webhook(team, ("job_change.created", "funding.created"))
    employee = {"id": None, "name": "Ada King", "title": "CEO", "linkedinUrl": None, "email": "ada@gmail.com"}
    world.tell(
        world.signal("a", data={"employees": [employee]}),
        world.signal("b", "job_change.created", data={"employees": [], "jobChange": {"personName": "Jordan Lee Miles"}}),
    )
    world.send()
    told: dict[str, list[Any]] = {"funding.created": [], "job_change.created": []}
    for _, body in world.endpoint.received:
        event = json.loads(body)
        told[event["event_type"]].append(event["data"])
    assert [data["jobChange"]["personName"] for data in told["job_change.created"]] == ["Jordan M.", "Jordan M."]
    people = sorted((data["employees"][0]["name"], data["employees"][0]["email"]) for data in told["funding.created"] if True)
    assert sorted(people, key=str) == [("Ada K.", None), ("Ada King", "ada@gmail.com")]


# --- credits ----------------------------------------------------------------------------------------------------------------


def test_sb_54_only_successful_deliveries_cost(world: World) -> None:
    team = world.team(credits=10)
    world.webhook(team)
    world.tell(world.signal("a"))
    world.send()
    world.endpoint.status = 503
    world.tell(world.signal("b"))
    world.send()
    assert world.credits(team) == (9, 9)
    with world.db.read() as session:
        entries = session.scalars(select(CreditEntry).order_by(CreditEntry.id)).all()
    assert [(entry.kind, entry.amount) for entry in entries] == [("grant", 10), ("delivery", -1)]


def test_sb_55_a_sb_23_at_zero_deliveries_stop_and_are_recorded_as_skipped(world: World) -> None:
    team = world.team(credits=2)
    world.webhook(team)
    world.tell(*(world.signal(str(number)) for number in range(5)))
    world.send()
    assert len(world.endpoint.received) == 2
    assert sorted(world.statuses()) == ["delivered", "delivered", "skipped", "skipped", "skipped"]
    assert {row.reason for row in world.partners.deliveries() if row.status == "skipped"} == {"no_credits"}
    assert world.credits(team) == (0, 0)
    skipped = [row for row in world.partners.attempts() if row.outcome != "delivered"]
    assert skipped == [], "no attempt was made"


def test_a_sb_23_a_failed_send_gives_its_credit_to_the_next(world: World) -> None:
    team = world.team(credits=1)
    world.webhook(team)
    world.endpoint.status = 500
    world.tell(world.signal("a"), world.signal("b"), world.signal("c"))
    world.send()
    assert world.statuses() == ["failed", "failed", "failed"], "one after the other, each with the one credit"
    assert world.credits(team) == (1, 1)


def test_a_sb_23_credits_are_never_below_zero_with_several_senders(world: World) -> None:
    team = world.team(credits=7)
    for _ in range(3):
        world.webhook(team)
    world.tell(*(world.signal(str(number)) for number in range(8)))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: world.send(), range(4)))
    world.send()
    settle_all_holds(world.db, world.now)
    assert len(world.endpoint.received) == 7
    assert world.credits(team) == (0, 0)
    assert sorted(set(world.statuses())) == ["delivered", "skipped"]


def test_a_sender_that_dies_leaves_no_credit_set_aside(world: World) -> None:
    team = world.team(credits=1)
    webhook = world.webhook(team)
    world.tell(world.signal("a"))
    assert len(claim(world.db, 10, world.now, "dead", signalbase_profile())) == 1
    assert world.credits(team) == (1, 0)
    world.now += timedelta(minutes=5)
    expire(world.db, world.now, 5.0)
    assert settle_all_holds(world.db, world.now) == 1
    assert settle_all_holds(world.db, world.now) == 0
    assert world.credits(team) == (1, 1)
    stats = webhooks.get_webhook(world.db, team, webhook.id)
    assert (stats.successful_deliveries, stats.failed_deliveries) == (0, 1)
    with world.db.read() as session:
        assert session.scalars(select(CreditHold)).all() == []


def test_sb_55_what_was_skipped_is_replayed_after_a_top_up_oldest_first_and_once(world: World) -> None:
    team = world.team(credits=1)
    made = world.webhook(team)
    for number in range(4):
        world.tell(world.signal(str(number)))
        world.now += timedelta(seconds=1)
    world.send()
    assert replay_skipped(world.db, team) == 0, "nothing to pay with"
    teams.grant_credits(world.db, team, 2, world.now)
    assert replay_skipped(world.db, team) == 2
    world.send()
    assert world.credits(team) == (0, 0)
    told = [json.loads(body)["data"]["signal"]["id"] for _, body in world.endpoint.received]
    assert told[0] == "signal-0"
    assert sorted(told) == ["signal-0", "signal-1", "signal-2"], "sent side by side"
    teams.grant_credits(world.db, team, 9, world.now)
    skipped = next(row for row in world.partners.deliveries() if row.status == "skipped")
    add_retry(world.db, team, made.id, skipped.id, world.now)
    assert replay_skipped(world.db, team) == 0, "asked for already, by a retry"
    world.send()
    assert replay_skipped(world.db, team) == 0
    assert len(world.endpoint.received) == 4
    with pytest.raises(teams.TeamUnknown):
        replay_skipped(world.db, "nobody")


def test_the_command_line_makes_a_team_and_grants_credits(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUNDINGSCOUT_HOME", str(tmp_path))
    monkeypatch.setenv("FUNDINGSCOUT_DATABASE_URL", world.db.url.render_as_string(hide_password=False))
    team = world.partners.add("kelp")

    def run(*words: str) -> Any:
        result = CliRunner().invoke(signalbase, [*words, "--json"], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.output)

    assert run("create", "kelp")["subscription"] == "active"
    token = run("key", "kelp", "--user", "user_42")["token"]
    found = teams.find_key(world.db, token)
    assert found is not None
    assert (found[0].user_id, found[1].organization_id) == ("user_42", team)
    assert run("credits", "kelp", "50", "--note", "start")["credits"] == 50
    assert run("set", "kelp", "--subscription", "expired", "--calls-per-minute", "90", "--mask-everyone") == {
        "team": "kelp", "subscription": "expired", "credits": 50, "available": 50, "calls_per_minute": 90, "masks_everyone": True,
    }  # fmt: skip
    assert [row["user"] for row in run("keys", "kelp")] == ["user_42"]
    assert token not in json.dumps(run("keys", "kelp"))
    assert run("webhooks", "kelp") == []


@pytest.mark.parametrize("amount", [0, -101, 10**16])
def test_credits_can_t_be_made_impossible(world: World, amount: int) -> None:
    team = world.team()
    with pytest.raises(teams.TeamInvalid):
        teams.grant_credits(world.db, team, amount, world.now)
    assert world.credits(team) == (100, 100)


# --- over HTTP: test, deliveries, retry -------------------------------------------------------------------------------------


class Caller:
    """A team that calls the service."""

    def __init__(self, api: Any, world: World, team: str) -> None:
        self.api, self.world = api, world
        self.token = teams.create_key(world.db, team, "test", world.now).token

    def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        more = {} if body is None else {"json": body}
        answer: httpx.Response = self.api.raw(
            f"/api/v2/webhooks{path}", method=method, headers={"Authorization": f"Bearer {self.token}"}, **more
        )
        return answer


# What HTTP adds does not depend on the database.
ON_SQLITE = pytest.mark.parametrize("app_database", ["sqlite"], indirect=True)


@pytest.fixture
def service(make_api: Any, world: World, tmp_path: Path) -> Iterator[tuple[Caller, str]]:
    """A caller of the service, and its team."""
    with make_api(home=tmp_path) as api:
        api.now = world.now
        team = world.team("subscriber", credits=5)
        yield Caller(api, world, team), team


@ON_SQLITE
def test_sb_17_sb_34_sb_53_a_sb_15_a_sb_18_a_test_event(world: World, service: tuple[Caller, str]) -> None:
    caller, team = service
    made = world.webhook(team, countries="GB")
    world.endpoint.answer = b"y" * 2_000
    answer = caller.call("POST", f"/{made.id}/test")
    assert answer.status_code == 200
    assert answer.json()["meta"] == {"endpoint": "webhooks.test", "creditsUsed": 0}
    data = answer.json()["data"]
    assert list(data) == ["success", "delivery_id", "event_id", "event_type", "response_status", "response_body"]
    assert (data["success"], data["event_type"], data["response_status"]) == (True, "system.test", 200)
    assert data["response_body"] == "y" * 1_000, "SB-59"
    ((headers, body),) = world.endpoint.received
    assert headers["X-Webhook-Event"] == "system.test"
    assert headers["X-Webhook-ID"] == data["event_id"] == json.loads(body)["event_id"]
    assert headers["X-Webhook-Signature"] == hmac.new(str(made.secret).encode(), body, hashlib.sha256).hexdigest()
    listed = caller.call("GET", f"/{made.id}/deliveries").json()["data"]
    assert [row["id"] for row in listed] == [data["delivery_id"]]
    stats = caller.call("GET", f"/{made.id}").json()["data"]["stats"]
    assert (stats["total_deliveries"], stats["successful_deliveries"]) == (1, 1)
    assert world.credits(team) == (5, 5)


@ON_SQLITE
def test_a_sb_18_a_test_that_fails_says_so_inside_a_successful_answer(world: World, service: tuple[Caller, str]) -> None:
    caller, team = service
    made = world.webhook(team)
    world.endpoint.status, world.endpoint.answer = 500, b"broken"
    answer = caller.call("POST", f"/{made.id}/test").json()
    assert answer["success"] is True
    assert (answer["data"]["success"], answer["data"]["response_status"]) == (False, 500)
    assert answer["data"]["response_body"] == "broken"
    world.endpoint.close()
    unreachable = caller.call("POST", f"/{made.id}/test").json()["data"]
    assert (unreachable["success"], unreachable["response_status"], unreachable["response_body"]) == (False, 0, "")


@ON_SQLITE
def test_sb_18_sb_19_sb_31_sb_32_sb_81_sb_85_a_sb_35_deliveries_are_listed_with_what_came_back(
    world: World, service: tuple[Caller, str]
) -> None:
    caller, team = service
    made = world.webhook(team)
    world.tell(world.signal("a"))
    world.send()
    world.now = caller.api.now = world.now + timedelta(seconds=1)
    world.endpoint.status, world.endpoint.answer = 422, b"no"
    world.tell(world.signal("b"))
    world.send()
    world.now = caller.api.now = world.now + timedelta(seconds=1)
    world.tell(world.signal("c"))
    answer = caller.call("GET", f"/{made.id}/deliveries").json()
    assert answer["pagination"] == {"next_cursor": None, "limit": 50}
    pending, failed, done = answer["data"]
    assert list(done) == [
        "id", "event_type", "event_id", "status", "response_status", "response_body", "attempt_count", "delivered_at",
        "failed_at", "created_at",
    ]  # fmt: skip
    assert (done["status"], done["response_status"], done["response_body"], done["attempt_count"]) == (
        "done",
        200,
        '{"ok":true}',
        1,
    )
    assert (done["delivered_at"], done["failed_at"]) == ("2026-05-12T01:54:00.000Z", None)
    assert (failed["status"], failed["response_status"], failed["failed_at"]) == ("failed", 422, "2026-05-12T01:54:01.000Z")
    assert (pending["status"], pending["response_status"], pending["response_body"]) == ("pending", None, None)
    for status, row in (("failed", failed), ("done", done), ("pending", pending)):
        assert caller.call("GET", f"/{made.id}/deliveries?status={status}").json()["data"] == [row]
    stats = caller.call("GET", f"/{made.id}").json()["data"]["stats"]
    assert stats == {
        "total_deliveries": 2, "successful_deliveries": 1, "failed_deliveries": 1, "consecutive_failures": 1,
        "last_success_at": "2026-05-12T01:54:00.000Z", "last_failure_at": "2026-05-12T01:54:01.000Z",
    }  # fmt: skip
    world.endpoint.status, world.endpoint.answer = 204, b""
    world.send()
    stats = caller.call("GET", f"/{made.id}").json()["data"]["stats"]
    assert (stats["successful_deliveries"], stats["consecutive_failures"]) == (2, 0), "SB-80: any 2xx; SB-32"


@ON_SQLITE
def test_a_sb_25_a_walk_over_pages_gives_each_delivery_once(world: World, service: tuple[Caller, str]) -> None:
    caller, team = service
    made = world.webhook(team)
    world.tell(*(world.signal(str(number)) for number in range(7)))  # all at the same moment
    seen, cursor = [], None
    while True:
        query = f"?limit=3&cursor={cursor}" if cursor else "?limit=3"
        page = caller.call("GET", f"/{made.id}/deliveries{query}").json()
        seen += [row["id"] for row in page["data"]]
        cursor = page["pagination"]["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 7
    for bad in ("cursor=x", "status=lost", "limit=0", "limit=101", f"status=done&cursor={'c1_' + 'A' * 40}"):
        refused = caller.call("GET", f"/{made.id}/deliveries?{bad}")
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_request"), bad


@ON_SQLITE
def test_sb_20_sb_83_a_sb_19_to_a_sb_21_a_retry_is_a_new_row_with_the_same_bytes_and_the_current_secret(
    world: World, service: tuple[Caller, str]
) -> None:
    caller, team = service
    made = world.webhook(team)
    world.endpoint.status = 500
    world.tell(world.signal("a"))
    world.send()
    (first,) = caller.call("GET", f"/{made.id}/deliveries?status=failed").json()["data"]
    secret = caller.call("PUT", f"/{made.id}", {"rotate_secret": True}).json()["data"]["secret"]
    caller.api.now += timedelta(minutes=3)
    again = caller.call("POST", f"/{made.id}/deliveries/{first['id']}/retry").json()
    assert again["meta"] == {"endpoint": "webhooks.deliveries.retry", "creditsUsed": 0}
    assert again["data"]["success"] is False
    assert (again["data"]["status"], again["data"]["response_status"], again["data"]["attempt_count"]) == ("failed", 500, 2)
    world.endpoint.status = 200
    third = caller.call("POST", f"/{made.id}/deliveries/{first['id']}/retry").json()
    assert third["meta"]["creditsUsed"] == 1
    assert list(third["data"]) == [
        "delivery_id", "previous_delivery_id", "status", "response_status", "attempt_count", "success",
    ]  # fmt: skip
    assert (third["data"]["success"], third["data"]["attempt_count"]) == (True, 3)
    assert third["data"]["previous_delivery_id"] == first["id"]
    assert len({first["id"], again["data"]["delivery_id"], third["data"]["delivery_id"]}) == 3
    bodies = {body for _, body in world.endpoint.received}
    assert len(bodies) == 1, "A-SB-19: byte for byte the same"
    (body,) = bodies
    headers = [sent for sent, _ in world.endpoint.received]
    assert len({sent["X-Webhook-ID"] for sent in headers}) == 1
    assert int(headers[2]["X-Webhook-Timestamp"]) - int(headers[0]["X-Webhook-Timestamp"]) == 180
    assert headers[0]["X-Webhook-Signature"] == hmac.new(str(made.secret).encode(), body, hashlib.sha256).hexdigest()
    assert headers[2]["X-Webhook-Signature"] == hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert world.credits(team) == (4, 4)
    listed = caller.call("GET", f"/{made.id}/deliveries").json()["data"]
    assert sorted(row["attempt_count"] for row in listed) == [1, 2, 3]
    assert {row["event_id"] for row in listed} == {first["event_id"]}


@ON_SQLITE
def test_sb_84_sb_91_a_sb_21_what_succeeded_or_is_under_way_is_not_sent_again(
    world: World, service: tuple[Caller, str]
) -> None:
    caller, team = service
    made = world.webhook(team)
    world.tell(world.signal("a"))
    (row,) = world.partners.deliveries()
    in_flight = caller.call("POST", f"/{made.id}/deliveries/{row.id}/retry")
    assert (in_flight.status_code, in_flight.json()["code"]) == (409, "conflict")
    world.send()
    refused = caller.call("POST", f"/{made.id}/deliveries/{row.id}/retry")
    assert refused.status_code == 409
    assert refused.json() == {"success": False, "error": "Delivery already succeeded", "code": "conflict"}
    assert len(world.endpoint.received) == 1


@ON_SQLITE
def test_sb_90_a_sb_22_a_retry_of_nothing_or_without_credits_is_refused(world: World, service: tuple[Caller, str]) -> None:
    caller, team = service
    made, other = world.webhook(team), world.webhook(team)
    world.endpoint.status = 500
    world.tell(world.signal("a"))
    world.send()
    row = next(row for row in world.partners.deliveries() if row.endpoint_id == made.id)
    for path in (f"/{made.id}/deliveries/unknown", f"/{other.id}/deliveries/{row.id}"):
        missing = caller.call("POST", f"{path}/retry")
        assert (missing.status_code, missing.json()["error"]) == (404, "Delivery not found")
    teams.grant_credits(world.db, team, -5, world.now)
    poor = caller.call("POST", f"/{made.id}/deliveries/{row.id}/retry")
    assert (poor.status_code, poor.json()["code"], poor.json()["error"]) == (400, "bad_request", "Insufficient credits")
    caller.call("DELETE", f"/{made.id}")
    gone = caller.call("POST", f"/{made.id}/deliveries/{row.id}/retry")
    assert (gone.status_code, gone.json()["error"]) == (404, "Webhook not found")


@ON_SQLITE
def test_a_preview_counts_what_filters_would_have_let_through(world: World, service: tuple[Caller, str]) -> None:
    caller, _ = service
    day = timedelta(days=1)
    rounds = [
        world.signal(str(number), occurred_at=world.now - number * day, country="US" if number % 2 else "GB")
        for number in range(30)
    ]
    old = world.signal("old", occurred_at=world.now - 91 * day, country="US")
    gone = world.signal("gone", is_active=False, country="US")
    hiring = world.signal("h", "hiring.created", country="US")
    publish_signals(world.db, [*rounds, old, gone, hiring], world.now)
    answer = caller.call(
        "POST", "/preview", {"event_types": ["funding.created", "system.test"], "filters": {"countries": "US", "x": "1"}}
    )
    assert answer.status_code == 200
    assert answer.json()["meta"]["endpoint"] == "webhooks.preview"
    assert len(answer.json()["meta"]["warnings"]) == 1
    data = answer.json()["data"]
    assert (data["matching"], data["scanned"], data["complete"], data["days"]) == (15, 30, True, 90)
    assert data["matching_by_event_type"] == {"funding.created": 15}
    assert [one["signal_id"] for one in data["examples"]] == [f"signal-{number}" for number in range(1, 20, 2)]
    both = caller.call("POST", "/preview", {"eventTypes": ["funding.created", "hiring.created"]}).json()["data"]
    assert both["matching_by_event_type"] == {"funding.created": 30, "hiring.created": 1}
    for bad in (
        {},
        {"event_types": []},
        {"event_types": ["x"]},
        {"event_types": ["hiring.created"], "filters": {"countries": "USA"}},
    ):
        assert caller.call("POST", "/preview", bad).status_code == 400
    with world.db.read() as session:
        assert session.scalars(select(Delivery)).all() == []


def test_sb_35_sb_79_a_sb_15_a_push_goes_to_one_webhook_past_its_filters_with_contacts_masked(world: World) -> None:
    team = world.team(credits=1)
    chosen, _other = world.webhook(team, ("hiring.created",), countries="GB"), world.webhook(team)
    people = [
        {"id": "p1", "name": "Ada Lovelace King", "title": "CEO", "linkedinUrl": None, "email": "ada@gmail.com"},
        {"id": "p2", "name": "Grace Miles", "title": "CTO", "linkedinUrl": None, "email": "grace@brightwater-labs.com"},
    ]
    investors = [{"name": "Oldmoor", "type": "vc", "leadInvestor": True}]
    data = {"company": {"name": "Brightwater"}, "employees": people, "sources": [], "fundingRound": {"investors": investors}}
    publish_signals(world.db, [world.signal("a", tells=False, data=data), world.signal("b", tells=False, data=data)], world.now)
    push(world.db, team, chosen.id, ["signal-a", "signal-b"], "user_7", world.now)
    world.send()
    ((headers, body),) = world.endpoint.received
    event = json.loads(body)
    assert headers["X-Webhook-Event"] == event["event_type"] == "dashboard.push"
    assert list(event["data"]) == ["companies", "contacts", "investors", "meta"]
    assert event["data"]["companies"] == [{"name": "Brightwater"}]
    assert event["data"]["investors"] == [{"name": "Oldmoor", "type": "vc"}]
    assert [(one["name"], one["email"]) for one in event["data"]["contacts"]] == [
        ("Ada K.", None),
        ("Grace M.", "grace@brightwater-labs.com"),
    ]
    assert event["data"]["meta"] == {
        "version": 1, "pushedBy": "user_7", "pushedAt": "2026-05-12T01:54:00.000Z", "signalIds": ["signal-a", "signal-b"],
    }  # fmt: skip
    assert world.credits(team) == (0, 0)
    with pytest.raises(LookupError):
        push(world.db, team, chosen.id, ["unknown"], None, world.now)
    with pytest.raises(ValueError, match="1 to 500"):
        push(world.db, team, chosen.id, [], None, world.now)


def test_a_sb_21_of_retries_at_the_same_moment_one_goes(world: World) -> None:
    team = world.team()
    made = world.webhook(team)
    world.endpoint.status = 500
    world.tell(world.signal("a"))
    world.send()
    (row,) = world.partners.deliveries()

    def retry(_: int) -> bool:
        try:
            add_retry(world.db, team, made.id, row.id, world.now)
        except ValueError:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(retry, range(4))) == 1
    with world.db.read() as session:
        assert len(session.scalars(select(Delivery)).all()) == 2


def test_sb_60_calls_at_the_same_moment_can_t_both_be_the_last(world: World) -> None:
    team = world.team()
    with ThreadPoolExecutor(4) as threads:
        calls = list(threads.map(lambda _: take_call(world.db, team, "webhooks.list", 10, world.now), range(16)))
    assert sum(not call.is_refused for call in calls) == 10

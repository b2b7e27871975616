"""Monitors' signals on their way, on SQLite and PostgreSQL: whose list a company is on, what a target learns, who is told
(vendor facts, section 7: Monitors)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from pipeline.documents.document_table import write_documents
from pipeline.documents.model import Document
from pipeline.organizations.secrets import SecretBox
from pipeline.signals.mention_table import extract_new
from pipeline.signals.round_table import resolve_new
from pipeline.store.warehouse import Warehouse
from pipeline.subscriptions import monitors, targets, teams, webhooks
from pipeline.subscriptions.fan_out import fan_out
from pipeline.subscriptions.filters import read_filters
from pipeline.subscriptions.index import SubscriptionIndex
from pipeline.subscriptions.monitors import MonitorChange, MonitorInfo, MonitorRefused
from pipeline.subscriptions.payloads import company_id, slug
from pipeline.subscriptions.publishing import publish_changed_signals
from pipeline.subscriptions.signals import PublishedSignal, publish_signals
from pipeline.subscriptions.targets import TargetInfo
from pipeline.subscriptions.webhooks import Edit, UrlRules, WebhookRefused
from pipeline.webhooks.sender import deliver_pending
from pipeline.webhooks.signing import hmac_hex

LOOPBACK = UrlRules((ip_network("127.0.0.0/8"),))


class Endpoint:
    """A receiver on loopback that remembers all."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.received.append((dict(self.headers), body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class World:
    """Teams with monitors over one app database."""

    def __init__(self, partners: Any, endpoint: Endpoint, home: Path) -> None:
        self.partners, self.endpoint, self.db = partners, endpoint, partners.database
        self.now: datetime = partners.now
        self.settings = partners.settings(home=home)
        self.box = SecretBox.open(self.settings)
        self.team_id = self.team("acme")
        self.count = 0

    def team(self, name: str) -> str:
        organization = self.partners.add(name)
        teams.create_team(self.db, organization, self.now)
        teams.grant_credits(self.db, organization, 100, self.now)
        return str(organization)

    @property
    def edit(self) -> Edit:
        return Edit("user_1", "api", self.now)

    def monitor(self, *watched: str, team: str | None = None, types: tuple[str, ...] = ("funding_round",)) -> MonitorInfo:
        """A monitor with a webhook that watches these."""
        team = team or self.team_id
        made = monitors.create_monitor(self.db, self.box, team, "Key accounts", types, self.endpoint.url, self.edit, LOOPBACK)
        if watched:
            targets.add_targets(self.db, team, made.id, watched, self.now)
        return made

    def targets(self, monitor: MonitorInfo, team: str | None = None) -> list[TargetInfo]:
        return targets.list_targets(self.db, team or self.team_id, monitor.id, 200, 0)[0]

    def signal(self, name: str, website: str | None = None, event: str = "funding.created", **blocks: Any) -> PublishedSignal:
        self.count += 1
        key = f"signal-{self.count}"
        company = {"name": name, "slug": slug(name), "website": website and f"https://{website}", "industry": "Retail"}
        data = {"signal": {"id": key}, "company": company | {"headquartersCountry": "US"}, "employees": [], "sources": []}
        return PublishedSignal(
            key, event, key, key, True, True, self.now, self.now, company_id(website, name.lower()), name, "Retail", [], "US",
            None, "seed", None, 2_000_000, "USD", 0.9, data | blocks,
        )  # fmt: skip

    def tell(self, *signals: PublishedSignal) -> list[str]:
        """Publish, fan out, send; gives the signals that were received, in order of their ids."""
        self.endpoint.received.clear()
        publish_signals(self.db, signals, self.now)
        fan_out(self.db, SubscriptionIndex(self.db), self.now)
        deliver_pending(self.db, self.box, self.settings, lambda: self.now)
        return sorted(json.loads(body)["data"]["signal"]["id"] for _, body in self.endpoint.received)

    def told(self, name: str, website: str | None = None, event: str = "funding.created", **blocks: Any) -> int:
        """How many webhooks are told of a signal of this company."""
        return len(self.tell(self.signal(name, website, event, **blocks)))


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()


@pytest.fixture
def world(partners: Any, endpoint: Endpoint, tmp_path: Path) -> World:
    return World(partners, endpoint, tmp_path)


def test_a_company_on_the_list_reaches_the_monitor_and_another_does_not(world: World) -> None:
    monitor = world.monitor("quernstone.com")
    here, there = world.signal("Quernstone", "quernstone.com"), world.signal("Brightwater", "brightwater.com")
    assert world.tell(here, there) == [here.id]
    ((headers, body),) = world.endpoint.received
    assert monitor.webhook is not None
    assert headers["X-Webhook-Signature"] == hmac_hex(str(monitor.webhook.secret), body)
    assert headers["X-Webhook-Event"] == "funding.created"
    assert teams.get_team(world.db, world.team_id).credits == 99
    assert world.tell() == [], "and once"


def test_a_target_is_resolved_by_the_first_signal_of_its_company(world: World) -> None:
    monitor = world.monitor("quernstone.com", "linkedin.com/company/1441")
    assert [one.status for one in world.targets(monitor)] == ["pending", "pending"]
    world.now += timedelta(hours=1)
    world.told("Quernstone Inc.", "quernstone.com")
    by_value = {one.value: one for one in world.targets(monitor)}
    found = by_value["quernstone.com"]
    assert (found.status, found.resolved_at) == ("resolved", world.now)
    assert (found.last_signal_type, found.last_signal_at) == ("funding_round", world.now)
    assert found.company == {
        "id": company_id("quernstone.com", None), "name": "Quernstone Inc.", "slug": "quernstone-inc", "domain": "quernstone.com",
        "industry": "Retail", "country": "US",
    }  # fmt: skip
    assert by_value["linkedin.com/company/1441"].status == "pending"
    (shown,) = monitors.list_monitors(world.db, world.team_id, world.now)
    assert (shown.stats.targets, shown.stats.resolved_targets, shown.stats.signals_30d) == (2, 1, 1)
    assert shown.stats.last_delivery_at == world.now


def test_the_match_engine_says_whether_a_company_is_a_target(world: World) -> None:
    cases = [
        ("oldmoorlabs.com", "Oldmoor Labs Inc.", None, 1),  # documents seldom state the address
        ("kelplabs.com", "Renamed", "www.kelplabs.com", 1),
        ("moorhenlabs.com", "Moorhen Labs", "moorhenlabs.io", 0),  # a domain means that domain
        ("fernlabs.com", "Fern", None, 0),
        ("linkedin.com/company/sandpiper-foods", "Sandpiper Foods Inc.", "sandpiper.io", 1),
        ("linkedin.com/company/heron-foods", "HeronFoods", None, 1),
        ("linkedin.com/company/curlew-foods", "Curlew Food Works", None, 0),
        ("linkedin.com/company/1441", "1441", None, 0),
    ]
    monitor = world.monitor(*[watched for watched, *_ in cases])
    assert [world.told(name, website) for _, name, website, _ in cases] == [expected for *_, expected in cases]
    resolved = {one.value for one in world.targets(monitor) if one.status == "resolved"}
    assert resolved == {watched for watched, *_, expected in cases if expected}


def test_a_resolved_domain_goes_by_its_company_s_name_too(world: World) -> None:
    world.monitor("getquern.com")
    assert world.told("Quernstone") == 0
    assert world.told("Quernstone", "getquern.com") == 1
    assert world.told("Quernstone") == 1
    assert world.told("Quernstone", "quernstone.de") == 0


def test_who_buys_is_watched_as_who_is_bought(world: World) -> None:
    world.monitor("kelpsystems.com", types=("acquisition",))
    block = {"acquisition": {"acquiringCompany": {"name": "Kelp Systems", "website": None}}}
    assert world.told("Brightwater", None, "acquisition.created", **block) == 1
    assert world.told("Kelp Systems", None, "acquisition.created") == 1
    assert world.told("Moorhen", None, "acquisition.created", acquisition={"acquiringCompany": None}) == 0


def test_a_person_stands_for_the_company_he_or_she_works_at(world: World) -> None:
    monitor = world.monitor("linkedin.com/in/jane-doe", types=("job_change", "funding_round"))
    joins = {"jobChange": {"personName": "Jane Doe", "personLinkedinUrl": "https://www.linkedin.com/in/Jane-Doe/"}}
    assert world.told("Quernstone", "quernstone.com") == 0
    assert world.told("Quernstone", "quernstone.com", "job_change.created", **joins) == 1
    assert world.told("Quernstone", "quernstone.com") == 1
    world.now += timedelta(days=1)
    assert world.told("Brightwater", "brightwater.com", "job_change.created", **joins) == 1
    assert world.told("Brightwater", "brightwater.com") == 1
    assert world.told("Quernstone", "quernstone.com") == 0, "she has left"
    (target,) = world.targets(monitor)
    assert target.company is not None
    assert (target.company["name"], target.resolved_at) == ("Brightwater", world.now)


def test_a_monitor_is_told_of_its_signal_types_alone(world: World) -> None:
    world.monitor("quernstone.com", types=("hiring", "job_change"))
    events = ("funding.created", "hiring.created", "job_change.created", "new_company.created", "acquisition.created")
    assert [world.told("Quernstone", "quernstone.com", event) for event in events] == [0, 1, 1, 0, 0]


def test_nothing_from_before_is_told_and_a_known_company_is_resolved_at_once(world: World) -> None:
    world.told("Quernstone", "quernstone.com")
    world.told("Fernhollow")
    monitor = world.monitor()
    added = targets.add_targets(
        world.db,
        world.team_id,
        monitor.id,
        ["quernstone.com", "linkedin.com/company/fernhollow", "linkedin.com/company/quern-stone", "quernstone.io", "kelp.com"],
        world.now,
    )
    assert [(one.value, one.status, one.last_signal_type) for one in added.added] == [
        ("quernstone.com", "resolved", "funding_round"),
        ("linkedin.com/company/fernhollow", "resolved", "funding_round"),
        ("linkedin.com/company/quern-stone", "resolved", "funding_round"),
        ("quernstone.io", "pending", None),
        ("kelp.com", "pending", None),
    ]
    assert added.resolved_companies == 2
    assert world.tell() == []
    assert world.told("Quernstone") == 1


def test_what_is_removed_paused_or_deleted_is_told_of_nothing(world: World) -> None:
    monitor = world.monitor("quernstone.com", "linkedin.com/company/quernstone")
    first, second = sorted(world.targets(monitor), key=lambda one: one.kind)
    targets.remove_target(world.db, world.team_id, monitor.id, first.id)
    assert world.told("Quernstone", "quernstone.com") == 1, "another target is the same company"
    targets.remove_targets(world.db, world.team_id, monitor.id, [second.id], [])
    assert world.told("Quernstone", "quernstone.com") == 0
    targets.add_targets(world.db, world.team_id, monitor.id, ["quernstone.com"], world.now)

    def change(**changes: Any) -> None:
        asked = MonitorChange(**changes)
        monitors.update_monitor(world.db, world.box, world.team_id, monitor.id, asked, world.edit, LOOPBACK)

    change(is_active=False)
    assert world.told("Quernstone", "quernstone.com") == 0
    change(is_active=True)
    assert world.told("Quernstone", "quernstone.com") == 1
    change(signal_types=("hiring",))
    assert world.told("Quernstone", "quernstone.com") == 0
    change(detaches=True, signal_types=("funding_round",))
    assert world.told("Quernstone", "quernstone.com") == 0
    change(webhook_url=world.endpoint.url)
    assert world.told("Quernstone", "quernstone.com") == 1
    monitors.delete_monitor(world.db, world.team_id, monitor.id, world.edit)
    assert world.told("Quernstone", "quernstone.com") == 0
    assert monitors.list_monitors(world.db, world.team_id, world.now) == []


def test_two_teams_watch_one_company_each_for_itself(world: World) -> None:
    other = world.team("other")
    world.monitor("quernstone.com")
    second = world.monitor("quernstone.com", "brightwater.com", team=other)
    webhooks.create_webhook(
        world.db,
        world.box,
        other,
        world.endpoint.url,
        ["funding.created"],
        read_filters({"countries": "DE"}),
        world.edit,
        LOOPBACK,
    )
    assert world.told("Quernstone", "quernstone.com") == 2
    assert world.told("Brightwater", "brightwater.com") == 1
    assert len(world.targets(second, other)) == 2
    with pytest.raises(monitors.MonitorUnknown):
        world.targets(second, world.team_id)


def test_a_watched_company_is_told_once_over_two_targets_and_again_by_an_ordinary_webhook(world: World) -> None:
    world.monitor("quernstone.com", "linkedin.com/company/quernstone")
    webhooks.create_webhook(
        world.db, world.box, world.team_id, world.endpoint.url, ["funding.created"], read_filters({}), world.edit, LOOPBACK
    )
    assert world.told("Quernstone", "quernstone.com") == 2
    assert world.told("Brightwater") == 1


def test_sb_56_a_monitor_s_active_webhook_is_one_of_ten(world: World) -> None:
    made = world.monitor("quernstone.com")

    def add() -> webhooks.Webhook:
        return webhooks.create_webhook(
            world.db, world.box, world.team_id, world.endpoint.url, ["funding.created"], read_filters({}), world.edit, LOOPBACK
        )

    for _ in range(9):
        add()
    with pytest.raises(WebhookRefused, match="Maximum of 10"):
        add()
    with pytest.raises(WebhookRefused, match="Maximum of 10"):
        world.monitor("kelp.com")
    assert len(monitors.list_monitors(world.db, world.team_id, world.now)) == 1, "and nothing is left of it"
    paused = MonitorChange(is_active=False)
    monitors.update_monitor(world.db, world.box, world.team_id, made.id, paused, world.edit, LOOPBACK)
    add()
    with pytest.raises(WebhookRefused, match="Maximum of 10"):
        monitors.update_monitor(
            world.db, world.box, world.team_id, made.id, MonitorChange(is_active=True), world.edit, LOOPBACK
        )


def test_calls_at_the_same_moment_can_t_pass_the_team_s_limit_of_targets(world: World) -> None:
    lists = [
        monitors.create_monitor(world.db, world.box, world.team_id, f"m{n}", ["hiring"], None, world.edit, LOOPBACK)
        for n in range(4)
    ]

    def add(number: int) -> bool:
        texts = [f"company-{number}-{n}.com" for n in range(300)]
        try:
            targets.add_targets(world.db, world.team_id, lists[number].id, texts, world.now)
        except MonitorRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(add, range(4))) == [False, True, True, True]
    counts = [one.stats.targets for one in monitors.list_monitors(world.db, world.team_id, world.now)]
    assert sorted(counts) == [0, 300, 300, 300], "the refused call added nothing"
    with pytest.raises(MonitorRefused, match="1,000"):
        targets.add_targets(world.db, world.team_id, lists[0].id, [f"more-{n}.com" for n in range(101)], world.now)
    assert (
        len(targets.add_targets(world.db, world.team_id, lists[0].id, [f"more-{n}.com" for n in range(100)], world.now).added)
        == 100
    )


# --- the whole way --------------------------------------------------------------------------------------------------------


def test_from_a_document_to_the_monitor_s_receiver(world: World, tmp_path: Path) -> None:
    """A target is added, a round of that company is read of, and its receiver has one signed POST; another company's has none."""
    landed = datetime(2026, 3, 2, 12, tzinfo=UTC)
    world.now = landed - timedelta(hours=1)
    monitor = world.monitor("quernstone.com")
    world.now = landed
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    texts = [
        (
            "r1",
            "Quernstone raises $4M Series A",
            "BERLIN - Quernstone today announced $4 million. More at https://quernstone.com.",
        ),
        (
            "r2",
            "Brightwater raises $9M Series B",
            "OSLO - Brightwater today announced $9 million. More at https://brightwater.com.",
        ),
    ]
    documents = [
        Document(key, "wire", "Wire", "article", f"https://daily.test/{key}", title, body, "feed", landed, 1, "x", landed)
        for key, title, body in texts
    ]
    with warehouse.write() as connection:
        write_documents(connection, documents)
    for _ in range(2):  # and once alone
        extract_new(warehouse, world.now)
        resolve_new(warehouse, world.now, 72)
        publish_changed_signals(world.db, warehouse, world.now, 72)
        fan_out(world.db, SubscriptionIndex(world.db), world.now)
        deliver_pending(world.db, world.box, world.settings, lambda: world.now)
    ((headers, body),) = world.endpoint.received
    assert monitor.webhook is not None
    assert headers["X-Webhook-Signature"] == hmac_hex(str(monitor.webhook.secret), body)
    assert json.loads(body)["data"]["company"]["name"] == "Quernstone"
    (target,) = world.targets(monitor)
    assert (target.status, target.last_signal_type) == ("resolved", "funding_round")

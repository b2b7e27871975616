"""Clicks on partners' links, and leads that come of them, on SQLite and PostgreSQL (SC-62, SC-65, SC-67 to SC-70, A-SC-25)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from pipeline.api.startcap.clicks import MOST_A_MINUTE
from pipeline.organizations.secrets import SecretBox
from pipeline.partners import accounts, clicks, keys, plans, referrals, snapshots, webhooks
from pipeline.partners.visitors import HASH_KEPT
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.partners import Referral, ReferralChange
from pipeline.upkeep.app_retention import forget_visitors

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
LANDING = "https://apply.example.com/start?a=1"
LEAD = {
    "first_name": "Marta",
    "last_name": "Lindqvist",
    "date_of_birth": "1979-11-02",
    "email": "marta@lindqvist.example",
    "residential_street": "9 Harbor Lane",
    "residential_city": "Tacoma",
    "residential_state": "WA",
    "residential_zip": "98402",
}


class World:
    """A partner with a link, over a running service."""

    def __init__(self, api: Any) -> None:
        self.api, self.db = api, api.database
        accounts.create_partner(self.db, api.organization, "Ada", "ada@p.example", api.now)
        self.partner = accounts.change_partner(self.db, api.organization, api.now, landing_url=LANDING)
        self.token = keys.create_key(self.db, api.organization, "test", api.now).token
        self.box = SecretBox.open(api.app.state.service.settings)

    def visit(
        self,
        query: str = "",
        agent: str = CHROME,
        address: str = "203.0.113.7",
        method: str = "GET",
        code: str = "",
        **more: str,
    ) -> httpx.Response:
        """A visit to the partner's link; ``address`` as a proxy on this machine tells it."""
        headers = {"User-Agent": agent, "X-Forwarded-For": address} | more
        path = f"/app/partners/go/{code or self.partner.click_code}{query}"
        answer: httpx.Response = self.api.raw(path, method=method, headers=headers)
        return answer

    def click(self, **more: Any) -> str:
        """A visit that is a click; gives its reference id."""
        answer = self.visit(**more)
        assert answer.status_code == 302, answer.text
        return httpx.URL(answer.headers["Location"]).params["click_id"]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"X-API-Key": self.token}
        return self.api.raw(f"/app/partners/api/v1{path}", method=method, headers=headers, json=body).json()

    def submit(self, **more: Any) -> str:
        reference: str = self.call("POST", "/leads/submit", LEAD | more)["reference_id"]
        return reference

    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", "/referrals/stats")["stats"]
        return found

    def rows(self) -> list[Referral]:
        with self.db.read() as session:
            return list(session.scalars(select(Referral).order_by(Referral.id)))


@pytest.fixture
def world(make_api: Any, tmp_path: Path) -> Iterator[World]:
    with make_api(home=tmp_path) as api:
        yield World(api)


def test_sc_65_sc_67_a_click_is_a_referral_and_the_visitor_goes_on(world: World) -> None:
    """A-SC-25."""
    answer = world.visit("?utm_source=fair&utm_campaign=q1&to=https://evil.example")
    [row] = world.rows()
    reference = f"20260512-{row.id}"
    assert answer.headers["Location"] == f"{LANDING}&utm_source=fair&utm_campaign=q1&click_id={reference}"
    assert (answer.status_code, answer.content, answer.headers["Cache-Control"]) == (302, b"", "no-store")
    assert row.utm == {"utm_source": "fair", "utm_campaign": "q1"}
    assert world.call("GET", f"/referrals/{reference}")["referral"] == {
        "reference_id": reference,
        "referral_type": "traffic",
        "first_name": "",
        "last_name": "",
        "company_name": "",
        "status": "click",
        "application_status": None,
        "effective_status": "click",
        "created_at": "2026-05-12 01:54:00",
        "updated_at": "2026-05-12 01:54:00",
    }
    assert world.call("GET", f"/leads/{reference}") == {"error": "Lead not found"}
    assert world.call("GET", "/leads")["leads"] == []
    with world.db.read() as session:
        assert session.scalars(select(Delivery)).all() == []  # no lead was submitted: nobody is told


def test_sc_68_bots_and_doubles_go_on_and_count_for_nothing(world: World) -> None:
    first = world.click()
    assert world.click(query="?utm_source=another") == first
    for answer in (
        world.visit(agent="Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", address="203.0.113.8"),
        world.visit(method="HEAD", address="203.0.113.9"),
        world.visit(**{"Sec-Purpose": "prefetch"}, address="203.0.113.10"),
        world.visit(**{"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, address="203.0.113.11"),
        world.visit(agent="", address="203.0.113.12"),
    ):
        assert (answer.status_code, answer.headers["Location"]) == (302, LANDING)
    assert world.stats()["total_clicks"] == world.stats()["total_referrals"] == 1
    assert world.click(agent=FIREFOX) != first
    assert world.click(address="203.0.113.99") != first
    world.api.now += clicks.DOUBLE_WITHIN
    assert world.click() != first
    assert world.stats()["total_clicks"] == 4
    counted = world.api.raw("/metrics").text
    for outcome, count in (("taken", 4), ("double", 1), ("crawler", 1), ("head", 1), ("prefetch", 1), ("embedded", 1)):
        assert f'fundingscout_partner_clicks_total{{outcome="{outcome}"}} {count}.0' in counted


def test_two_clicks_at_the_same_moment_are_one(world: World) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: clicks.take_click(world.db, world.partner, {}, "v" * 64, world.api.now), range(16)))
    assert len({click.reference_id for click in taken}) == 1
    assert sorted(click.is_double for click in taken) == [False] + [True] * 15


@pytest.mark.parametrize("case", ["unknown", "long", "no page", "suspended"])
def test_a_link_that_leads_nowhere_says_so(world: World, case: str) -> None:
    code = {"unknown": "0" * 18, "long": "a" * 5_000}.get(case, world.partner.click_code)
    if case == "no page":
        accounts.change_partner(world.db, world.api.organization, world.api.now, landing_url="unset")
    if case == "suspended":
        accounts.set_status(world.db, world.api.organization, "suspended", world.api.now)
    answer = world.visit(code=code)
    assert (answer.status_code, answer.text) == (404, "This link leads nowhere.\n")
    assert world.rows() == []
    assert world.api.raw(f"/app/partners/go/{code}", method="POST").status_code == 405


def test_a_click_that_can_not_be_noted_keeps_nobody(world: World) -> None:
    with world.db.write() as session:
        session.execute(text("DROP TABLE referral_changes"))
    answer = world.visit("?utm_source=fair")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{LANDING}&utm_source=fair")
    assert world.rows() == []


def test_one_address_has_so_many_visits_a_minute(world: World) -> None:
    asked = [world.visit(method="HEAD", address="2001:db8:1:2::" + f"{number:x}") for number in range(1, MOST_A_MINUTE + 3)]
    assert [answer.status_code for answer in asked] == [302] * MOST_A_MINUTE + [429, 429]
    assert 1 <= int(asked[-1].headers["Retry-After"]) <= 60
    assert world.visit(method="HEAD", address="203.0.113.7").status_code == 302
    world.api.now += timedelta(minutes=1)
    assert world.visit(method="HEAD", address="2001:db8:1:2::1").status_code == 302


def test_sc_69_a_lead_stands_for_the_click_it_came_of(world: World) -> None:
    click = world.click(query="?utm_source=fair")
    world.click(address="203.0.113.8")
    first = world.submit(click_id=click)
    second = world.submit(click_id=click, utm_source="own")
    _, _, one, two = world.rows()
    assert (one.click_id, one.utm) == (1, {"utm_source": "fair"})
    assert (two.click_id, two.utm) == (1, {"utm_source": "own"})
    assert world.stats() == {
        "total_referrals": 3,
        "total_clicks": 1,
        "total_leads": 2,
        "total_applications": 0,
        "total_funded": 0,
        "conversion_rate": 0.0,
    }
    assert world.call("GET", "/referrer/stats")["stats"]["total_referrals"] == 3
    assert world.call("GET", f"/referrals/{click}")["referral"]["status"] == "click"
    assert [lead["reference_id"] for lead in world.call("GET", "/leads")["leads"]] == [second, first]


@pytest.mark.parametrize("case", ["unknown", "foreign", "old", "a lead", "no text", "too long"])
def test_a_click_that_can_not_be_used_costs_no_lead(world: World, case: str) -> None:
    click: Any = world.click()
    if case == "foreign":
        other = accounts.create_partner(world.db, world.api.partners.add("other"), "Bea", "b@p.example", world.api.now)
        click = clicks.take_click(world.db, other, {}, "v" * 64, world.api.now).reference_id
    if case == "old":
        world.api.now += clicks.ATTRIBUTED_WITHIN + timedelta(seconds=1)
    if case == "a lead":
        click = world.submit()
    click = {"unknown": "20260512-99", "no text": {"a": 1}, "too long": "9" * 5_000}.get(case, click)
    assert world.call("POST", "/leads/validate", LEAD | {"click_id": click})["valid"]
    reference = world.submit(click_id=click)
    assert next(row for row in world.rows() if reference.endswith(f"-{row.id}")).click_id is None


def test_sc_65_nothing_of_a_visitor_is_kept_in_clear_or_for_long(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.click(query="?utm_source=fair")
    [row] = world.rows()
    assert row.person_encrypted is None
    assert len(row.visitor_hash or "") == 64
    kept = json.dumps({name: str(value) for name, value in vars(row).items()})
    ours = [record for record in caplog.records if record.name.startswith(("pipeline", "sqlalchemy"))]
    told = json.dumps([(record.getMessage(), getattr(record, "fields", {})) for record in ours], default=str)
    assert "/app/partners/go/{code}" in told
    for word in ("203.0.113.7", "Mozilla", "Chrome"):
        assert word not in kept
        assert word not in told
    assert "fair" not in told
    assert forget_visitors(world.db, world.api.now - HASH_KEPT) == {"visitor_hashes": 0}
    later = world.api.now + HASH_KEPT + timedelta(seconds=1)
    assert forget_visitors(world.db, later - HASH_KEPT) == {"visitor_hashes": 1}
    assert world.rows()[0].visitor_hash is None
    assert world.stats()["total_clicks"] == 1


def test_erasing_a_lead_takes_what_its_click_knows_too(world: World) -> None:
    reference = world.submit(click_id=world.click(query="?utm_content=marta@lindqvist.example"))
    before = world.stats()
    referrals.erase(world.db, reference, world.api.now)
    assert [(row.visitor_hash, row.person_encrypted, row.utm) for row in world.rows()] == [(None, None, {})] * 2
    assert world.stats() == before


def test_sc_62_sc_65_a_click_goes_through_the_pipeline_and_its_person_stays_private(world: World) -> None:
    """Whom traffic turns out to be is StartCap's to know: webhooks tell the partner stages, neither name nor address."""
    hook = webhooks.add_webhook(
        world.db, world.box, world.partner, "http://127.0.0.1:9/x", (), world.api.now, [ip_network("127.0.0.0/8")]
    )
    plans.set_rate(world.db, world.api.organization, 1, Decimal(5), "Direct", world.api.now)
    click = world.click()
    _, known = referrals.submit_lead(world.db, world.box, world.partner, LEAD, world.api.now, referral_type="traffic")
    stages = (("lead", "in_underwriting"), ("in_underwriting", "need_info"), ("funded", "funded"))
    for offset, found in enumerate(stages):
        lines = [
            json.dumps({"reference_id": reference, "application_status": stage, "funded_amount": "1000.00"})
            for reference, stage in zip((click, known), found, strict=True)
        ]
        later = world.api.now + timedelta(days=5)
        snapshots.land(world.db, world.api.now.date() + timedelta(days=offset), "\n".join(lines), later)
        snapshots.sync(world.db, world.box, later)
    shown = world.call("GET", f"/referrals/{known}")["referral"]
    assert (shown["first_name"], shown["last_name"], shown["status"]) == ("Marta", "L.", "funded")
    assert world.stats()["total_funded"] == 2
    with world.db.read() as session:
        bodies = [row.body or "" for row in session.scalars(select(Delivery).where(Delivery.endpoint_id == hook.id))]
        history = session.scalars(select(ReferralChange.new_status).where(ReferralChange.referral_id == 1))
        assert list(history.all()) == ["click", "lead", "application", "funded"]
    assert len(bodies) == 9
    for body in bodies:
        assert "Marta" not in body
        assert "Lindqvist" not in body
        assert "lindqvist.example" not in body

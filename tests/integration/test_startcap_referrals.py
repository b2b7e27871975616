"""Referrals and a partner's own account over HTTP (SC-63 to SC-74), and its document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from pipeline.api.app import utc_now
from pipeline.api.context import Service
from pipeline.api.openapi import text_of
from pipeline.api.startcap.app import build_startcap, openapi_of
from pipeline.cli import main
from pipeline.organizations.secrets import SecretBox
from pipeline.partners import accounts, earnings, keys, plans, referrals, snapshots
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.store.app_database import AppDatabase

BASE = "/app/partners/api/v1"
LEAD = {
    "first_name": "Jane",
    "last_name": "doe",
    "email": "jane@doe.example",
    "phone": "2535550142",
    "residential_street": "9 Harbor Lane",
}


class World:
    """A partner with a downline, calling the service."""

    def __init__(self, api: Any) -> None:
        self.api, self.db = api, api.database
        self.box = SecretBox.open(api.app.state.service.settings)
        self.partner = accounts.create_partner(self.db, api.organization, "Ada", "ada@p.example", api.now)
        self.token = keys.create_key(self.db, api.organization, "test", api.now).token

    def add(self, referral_type: str = "api_lead", partner: Any = None, **lead: str) -> str:
        return referrals.submit_lead(
            self.db, self.box, partner or self.partner, LEAD | lead, self.api.now, referral_type=referral_type
        )[1]

    def get(self, path: str) -> Any:
        return self.api.raw(BASE + path, headers={"X-API-Key": self.token})


@pytest.fixture
def app_database(make_app_database: Any) -> Any:
    return make_app_database("sqlite")


@pytest.fixture
def world(make_api: Any, tmp_path: Path) -> Iterator[World]:
    with make_api(home=tmp_path) as api:
        yield World(api)


@pytest.mark.parametrize("kind", ["api_lead", "manual_lead"])
def test_sc_63_sc_64_sc_66_sc_67_a_partner_s_lead_is_shown_with_contact_details(world: World, kind: str) -> None:
    reference = world.add(kind)
    assert world.get(f"/referrals/{reference}").json() == {
        "success": True,
        "referral": {
            "reference_id": reference,
            "referral_type": kind,
            "first_name": "Jane",
            "last_name": "doe",
            "email": "jane@doe.example",
            "phone": "2535550142",
            "company_name": "",
            "status": "lead",
            "application_status": None,
            "effective_status": "lead",
            "created_at": "2026-05-12 01:54:00",
            "updated_at": "2026-05-12 01:54:00",
        },
    }


def test_sc_65_traffic_shows_an_initial_and_no_contact_details(world: World) -> None:
    """A-SC-25."""
    shown = world.get(f"/referrals/{world.add('traffic')}").json()["referral"]
    assert (shown["first_name"], shown["last_name"], shown["company_name"]) == ("Jane", "D.", "")
    assert not {"email", "phone", "residential_street"} & shown.keys()


def test_a_sc_30_unknown_and_foreign_referrals_are_not_found(world: World) -> None:
    other = accounts.create_partner(world.db, world.api.partners.add("other"), "Bea", "bea@p.example", world.api.now)
    for reference in ("20260512-999", "7", world.add(partner=other)):
        answer = world.get(f"/referrals/{reference}")
        assert (answer.status_code, answer.json()) == (404, {"error": "Referral not found"})


def test_sc_68_sc_69_statistics_count_referrals_by_their_status_now(world: World) -> None:
    """A-SC-23, A-SC-24."""
    empty = world.get("/referrals/stats").json()["stats"]
    assert set(empty.values()) == {0}
    for _ in range(30):
        world.add()
    with world.db.write() as session:
        session.execute(text("UPDATE referrals SET status = 'funded' WHERE id = 1"))
        session.execute(text("UPDATE referrals SET status = 'application' WHERE id IN (2, 3)"))
        session.execute(text("UPDATE referrals SET status = 'click' WHERE id = 4"))
    assert world.get("/referrals/stats").json() == {
        "success": True,
        "stats": {
            "total_referrals": 30,
            "total_clicks": 1,
            "total_leads": 26,
            "total_applications": 2,
            "total_funded": 1,
            "conversion_rate": 0.033,
        },
    }
    assert world.get("/referrals/stats?start_date=2026-05-13").json()["stats"]["total_referrals"] == 0
    assert world.get("/referrals/stats?start_date=x").status_code == 400


def test_sc_70_to_74_what_a_partner_earns_and_whom_it_brought(world: World) -> None:
    """A-SC-22: a payout is completed here, paid in the webhook."""
    plans.set_rate(world.db, world.api.organization, 1, Decimal(5), "Direct referral commission", world.api.now)
    below = accounts.create_partner(
        world.db, world.api.partners.add("below"), "Bea", "bea@p.example", world.api.now, world.partner.id
    )
    world.add(partner=below)
    now = world.api.now + timedelta(days=3)
    for offset, dollars in enumerate(("1000.00", "500.10")):
        line = {"reference_id": world.add(), "application_status": "funded", "funded_amount": dollars}
        snapshots.land(world.db, world.api.now.date() + timedelta(days=offset), json.dumps(line), now)
        snapshots.sync(world.db, world.box, now)
        if not offset:
            earnings.pay_out(world.db, 1, world.api.now)
    assert world.get("/referrer/stats").json() == {
        "success": True,
        "stats": {
            "total_earnings": 75.01,
            "pending_earnings": 25.01,
            "paid_earnings": 50.0,
            "total_referrals": 2,
            "total_funded": 2,
        },
    }
    (rate,) = world.get("/referrer/commissions").json()["commissions"]
    assert rate == {"id": rate["id"], "level": 1, "percentage": 5.0, "description": "Direct referral commission"}
    (payout,) = world.get("/referrer/payouts").json()["payouts"]
    assert payout == {"id": payout["id"], "amount": 50.0, "status": "completed", "processed_at": "2026-05-12 01:54:00"}
    assert world.get("/referrer/downline").json()["downline"] == [
        {"id": below.id, "name": "Bea", "email": "bea@p.example", "status": "active", "total_referrals": 1}
    ]


def test_the_document_in_docs_is_the_code_s() -> None:
    """Renew it with: fundingscout startcap openapi > docs/openapi/startcap.json"""
    app = build_startcap(Service(AppDatabase("sqlite://"), Settings(), utc_now))
    kept = (PROJECT_ROOT / "docs" / "openapi" / "startcap.json").read_text(encoding="utf-8")
    assert kept == text_of(openapi_of(app))
    assert len(openapi_of(app)["paths"]) == 10


def test_sc_6_sc_31_sc_45_sc_75_operators_do_it_all_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNDINGSCOUT_HOME", str(tmp_path / "home"))
    database = AppDatabase(Settings().app_database_url)
    runner = CliRunner()

    def run(*arguments: str) -> str:
        result = runner.invoke(main, list(arguments))
        assert result.exit_code == 0, (arguments, result.output, result.exception)
        return result.output

    run("organizations", "create", "acme", "--name", "Acme")
    run("startcap", "create", "acme", "--name", "Ada", "--email", "ada@p.example")
    assert json.loads(run("startcap", "list", "--json"))[0]["status"] == "active"
    made = json.loads(run("startcap", "key", "acme", "--json"))
    rotated = json.loads(run("startcap", "key", "acme", "--rotate", made["id"], "--json"))
    assert keys.find_key(database, made["token"]) is None
    assert keys.find_key(database, rotated["token"]) is not None
    assert "full_management" in run("startcap", "set", "acme", "--handling", "full_management", "--name-marks", "on")
    assert run("startcap", "funding-types", "--accept", "Term Loan") == "Term Loan\n"
    run("startcap", "rate", "acme", "1", "5")
    hook = re.search(r"webhook +(\S+)", run("startcap", "webhook", "acme", "https://hooks.example.com/x"))
    assert hook
    run("startcap", "webhooks", "acme", "--rotate", hook[1])
    file = tmp_path / "lead.json"
    lead = LEAD | {
        "date_of_birth": "1979-11-02",
        "residential_city": "Tacoma",
        "residential_state": "WA",
        "residential_zip": "98402",
    }
    file.write_text(json.dumps(lead))
    reference = run("startcap", "lead", "acme", str(file)).strip()
    day = utc_now().date().isoformat()
    (tmp_path / f"{day}.jsonl").write_text(
        json.dumps({"reference_id": reference, "application_status": "funded", "funded_amount": "2000"})
    )
    assert "1 changes, 0 of them flagged, 1 leads earn" in run("startcap", "snapshot", str(tmp_path / f"{day}.jsonl"))
    assert "100.00" in run("startcap", "payout")
    assert "erased" in run("startcap", "erase", reference)
    run("startcap", "webhooks", "acme", "--remove", hook[1])
    assert "disabled" in run("startcap", "webhooks", "acme")
    assert "suspended" in run("startcap", "status", "acme", "suspended")
    database.close()

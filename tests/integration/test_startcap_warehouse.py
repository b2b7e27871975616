"""What analysts see of partners' leads: copied to the warehouse without persons, built into marts, by Dagster's assets."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipeline.api.logs import JsonLines
from pipeline.defs.assembly import build_definitions
from pipeline.defs.partners import PARTNER_LEADS_JOB
from pipeline.installation import Installation
from pipeline.organizations.organizations import create_organization
from pipeline.partners import accounts, drop_folder, earnings, plans, referrals, webhooks
from pipeline.partners.mirror import mirror
from pipeline.settings import Settings
from pipeline.store.marts import MartsProject
from pipeline.webhooks.mirror import mirror as mirror_deliveries
from pipeline.webhooks.sender import deliver_pending

START = datetime(2026, 5, 12, 1, 54, tzinfo=UTC)
PERSON = {
    "first_name": "Quillonia",
    "last_name": "Vanderzwaag",
    "date_of_birth": "1979-11-02",
    "email": "quillonia@vanderzwaag.example",
    "phone": "2535550142",
    "company_name": "Vanderzwaag Boats",
    "residential_street": "9 Peculiar Lane",
    "residential_city": "Tacomaville",
    "residential_state": "WA",
    "residential_zip": "98402-7731",
    "notes": "Prefers mornings, says Quillonia",
    "utm_source": "newsletter",
    "utm_term": "quillonia@vanderzwaag.example",
}
OF_PARTNERS = "fqn:*partner*"  # models and tests about them alone: the others have tests of their own
MODELS = "resource_type:model"
SECRETS_OF_A_PERSON = [value for name, value in PERSON.items() if name not in ("residential_state", "utm_source")]


@pytest.fixture
def installation(request: pytest.FixtureRequest, marts_home: Any) -> Iterator[Installation]:
    """On SQLite; where a test asks for ``app_database``, on each backend in turn."""
    marts_home.clear()
    url = None
    if "app_database" in request.fixturenames:
        url = request.getfixturevalue("app_database").url.render_as_string(hide_password=False)
    made = Installation(Settings(home=marts_home.path, database_url=url), now=lambda: START + timedelta(days=3))
    yield made
    made.close()


class World:
    """Three partners in a row, who earn at three levels; the last of them submits."""

    def __init__(self, installation: Installation) -> None:
        self.installation, self.db, self.box = installation, installation.database, installation.secret_box
        self.partners: list[accounts.Partner] = []
        for slug in ("top", "middle", "own"):
            organization = create_organization(self.db, slug, slug.title(), START).id
            upline = self.partners[-1].id if self.partners else None
            self.partners.append(accounts.create_partner(self.db, organization, slug, f"{slug}@p.example", START, upline))
            for level, percentage in ((1, "5"), (2, "1.5"), (3, "0.33")):
                plans.set_rate(self.db, organization, level, Decimal(percentage), f"Level {level}", START)
        self.own = self.partners[-1]

    def submit(self, count: int) -> list[str]:
        return [referrals.submit_lead(self.db, self.box, self.own, PERSON, START)[1] for _ in range(count)]

    def drop(self, day: int, stages: dict[str, str], **more: Any) -> Path:
        """A file in the drop folder, written an hour ago."""
        folder = self.installation.settings.home / drop_folder.FOLDER
        folder.mkdir(exist_ok=True, parents=True)
        file = folder / f"{START.date() + timedelta(days=day)}.jsonl"
        lines = [
            json.dumps({"reference_id": reference, "application_status": stage} | more) for reference, stage in stages.items()
        ]
        file.write_text("\n".join(lines), encoding="utf-8")
        an_hour_ago = self.installation.now().timestamp() - 3600
        os.utime(file, (an_hour_ago, an_hour_ago))
        return file

    @cached_property
    def job(self) -> dg.JobDefinition:
        return build_definitions(self.installation).resolve_job_def(PARTNER_LEADS_JOB)

    def run_job(self) -> dg.ExecuteInProcessResult:
        with dg.DagsterInstance.ephemeral() as instance:
            return self.job.execute_in_process(instance=instance)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.installation.warehouse.open() as connection:
            return connection.execute(query).fetchall()


class EchoingReceiver:
    """Answers each POST with the body it was sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                bodies.append(body)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.networks = (ip_network("127.0.0.0/8"),)


@pytest.fixture
def echoing_receiver() -> Iterator[EchoingReceiver]:
    receiver = EchoingReceiver()
    thread = threading.Thread(target=receiver.server.serve_forever)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    thread.join()
    receiver.server.server_close()


@pytest.fixture
def world(installation: Installation) -> World:
    return World(installation)


@pytest.mark.usefixtures("app_database")
def test_the_job_takes_in_dropped_snapshots_and_shows_what_came_of_them(world: World) -> None:
    first, second = world.submit(2)
    world.drop(0, {first: "in_underwriting", second: "in_underwriting"})
    kept = world.drop(1, {first: "funded", second: "not_approved"}, funded_amount="12345.67")
    bad = world.drop(2, {first: "reviewing"})
    result = world.run_job()
    metadata = result.asset_materializations_for_node("core__status_snapshots")[0].metadata
    shown = {name: metadata[name].value for name in ("files_landed", "files_refused", "days_applied", "changes", "flagged")}
    assert shown == {"files_landed": 2, "files_refused": 1, "days_applied": 2, "changes": 4, "flagged": 1}
    folder = kept.parent
    assert (folder / "taken" / kept.name).exists()
    assert "'reviewing' is no stage" in (folder / "refused" / bad.name).with_suffix(".reason.txt").read_text()
    assert [file.name for file in folder.glob("*.jsonl")] == []
    assert world.rows("SELECT status, funded_cents FROM core.partner_leads ORDER BY lead_id") == [
        ("funded", 1234567),
        ("application", 1234567),
    ]
    assert world.rows("SELECT level, percentage, amount_cents FROM core.partner_commissions ORDER BY level") == [
        (1, Decimal("5.00"), 61728),
        (2, Decimal("1.50"), 18519),
        (3, Decimal("0.33"), 4074),
    ]
    jumped = "SELECT lead_id, old_stage, new_stage FROM core.partner_lead_changes WHERE is_flagged"
    assert world.rows(jumped) == [(1, "in_underwriting", "funded")]
    assert world.rows("SELECT status, leads FROM core.status_snapshots ORDER BY snapshot_date") == [
        ("applied", 2),
        ("applied", 2),
    ]
    assert world.run_job().success
    assert world.rows("SELECT count(*) FROM core.partner_lead_changes") == [(6,)]


def test_a_file_that_may_still_grow_waits(world: World) -> None:
    (reference,) = world.submit(1)
    file = world.drop(0, {reference: "in_underwriting"})
    now = world.installation.now()
    os.utime(file, (now.timestamp(), now.timestamp()))
    assert drop_folder.take_files(world.db, file.parent, now).landed == []
    taken = drop_folder.take_files(world.db, file.parent, now + timedelta(seconds=31))
    assert [landed.rows for landed in taken.landed] == [1]


def test_marts_agree_with_what_partners_are_told_to_the_cent(world: World) -> None:
    """Plans change between the leads: each earns by the rates of its moment, in the ledger and in the model beside it."""
    first, second, third, _ = world.submit(4)
    _, middle, own = (partner.organization_id for partner in world.partners)
    for day, reference in enumerate((first, second, third)):
        world.drop(day, {reference: "funded"}, funded_amount="0.30" if reference == third else "12345.67")
        world.run_job()
        moment = START + timedelta(days=3 + day, hours=1)
        world.installation.now = lambda moment=moment: moment
        plans.set_rate(world.db, own, 1, Decimal("6.25") if reference == first else Decimal(5), "", moment)
        plans.set_rate(world.db, middle, 2, Decimal(0), "", moment)
    earnings.pay_out(world.db, 1_000_00, START + timedelta(days=3))
    mirror(world.db, world.installation.warehouse)
    marts = MartsProject(world.installation.warehouse, world.installation.settings.home / "dbt")
    assert [outcome.unique_id for outcome in marts.build([OF_PARTNERS]) if outcome.is_broken] == []
    earned = world.rows("SELECT lead_id, level, percentage, amount_cents FROM core.partner_commissions ORDER BY ALL")
    assert earned == [
        (1, 1, Decimal("5.00"), 61728),
        (1, 2, Decimal("1.50"), 18519),
        (1, 3, Decimal("0.33"), 4074),
        (2, 1, Decimal("6.25"), 77160),
        (2, 3, Decimal("0.33"), 4074),
        (3, 1, Decimal("5.00"), 2),  # half a cent is rounded up; of level 3 there is a tenth of one, which is nothing
    ]
    due = world.rows("SELECT lead_id, commission_level, due_usd FROM intermediate.int_partner_commissions_due ORDER BY ALL")
    assert due == [(row[0], row[1], earnings.dollars(row[3])) for row in earned]
    found = world.rows("SELECT partner_id, total_usd, paid_usd, balance_usd FROM marts.partner_earnings ORDER BY partner_id")
    told = [earnings.earnings(world.db, partner.id) for partner in world.partners]
    assert found == [
        (partner.id, earnings.dollars(one.total), earnings.dollars(one.paid), earnings.dollars(one.pending))
        for partner, one in zip(world.partners, told, strict=True)
    ]
    assert found[2][1:] == (Decimal("1388.90"), Decimal("1388.90"), Decimal("0.00"))
    funnel = "SELECT referrals, leads, funded, funded_usd, funded_without_commissions, illegal_jumps FROM marts.partner_funnel"
    assert world.rows(funnel) == [(4, 1, 3, Decimal("24691.64"), 0, 2)]


ONCE_MORE = "SELECT * REPLACE (99 AS commission_id) FROM core.partner_commissions WHERE commission_id = 1"
IN_THE_LEDGER = {
    "UPDATE core.partner_commissions SET amount_cents = amount_cents + 1 WHERE lead_id = 1 AND level = 2": "share_to_the_cent",
    "DELETE FROM core.partner_commissions WHERE lead_id = 1 AND level = 3": "is_in_the_ledger",
    "UPDATE core.partner_commissions SET partner_id = 1 WHERE lead_id = 2 AND level = 2": "partner_commission_is_what_is_due",
    f"INSERT INTO core.partner_commissions {ONCE_MORE}": "unique_together_int_partner_commissions_lead_id",
}
IN_THE_ACCOUNTS = {
    "UPDATE core.partner_payouts SET amount_cents = amount_cents + 1 WHERE partner_id = 3": "balance_not_negative",
    "UPDATE core.partner_commissions SET payout_id = NULL WHERE partner_id = 2": "settled_is_paid",
    # As if nobody had asked who earns.
    "UPDATE core.partner_leads SET commissioned_at = NULL WHERE lead_id = 1": "funded_leads_have_commissions",
    "DELETE FROM core.partner_commissions WHERE lead_id = 1": "settled_is_paid",
    "UPDATE core.partner_leads SET status = 'lost' WHERE lead_id = 3": "referrals_by_status",
}


@pytest.mark.parametrize("damage", [IN_THE_LEDGER, IN_THE_ACCOUNTS])
def test_checks_find_cents_that_are_not_right(world: World, damage: dict[str, str]) -> None:
    first, second, _ = world.submit(3)
    world.drop(0, {first: "funded", second: "funded"}, funded_amount="12345.67")
    world.run_job()
    earnings.pay_out(world.db, 1, START + timedelta(days=3))
    mirror(world.db, world.installation.warehouse)
    marts = MartsProject(world.installation.warehouse, world.installation.settings.home / "dbt")
    with world.installation.warehouse.write() as connection:
        for statement in damage:
            connection.execute(statement)
    broken = [outcome.unique_id for outcome in marts.build([OF_PARTNERS]) if outcome.is_broken]
    assert [test for test in damage.values() if not any(test in found for found in broken)] == []


def test_nothing_of_a_person_is_in_the_warehouse_the_logs_or_the_files(
    world: World, echoing_receiver: EchoingReceiver, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Personal data: encrypted at rest, redacted in logs, never in the warehouse. The receiver answers with what it was sent."""
    caplog.set_level(logging.DEBUG)
    settings = world.installation.settings.model_copy(update={"webhook_allowed_networks": echoing_receiver.networks})
    networks = echoing_receiver.networks
    webhooks.add_webhook(world.db, world.box, world.own, echoing_receiver.url, (), START, networks)
    (reference,) = world.submit(1)
    world.drop(0, {reference: "funded"}, funded_amount="12345.67")
    world.run_job()
    for _ in range(4):  # one at a time, in their order
        deliver_pending(world.db, world.box, settings, world.installation.now)
    assert PERSON["email"].encode() in b"".join(echoing_receiver.bodies), "the partner itself is told"
    report = mirror_deliveries(world.db, world.installation.warehouse, world.installation.now())
    assert report.attempts == len(echoing_receiver.bodies) >= 2
    mirror(world.db, world.installation.warehouse)
    MartsProject(world.installation.warehouse, settings.home / "dbt").build([MODELS])
    seen = "".join(JsonLines().format(record) for record in caplog.records) + "".join(capfd.readouterr())
    with world.installation.warehouse.open() as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN ('raw', 'core', 'marts')"
        ).fetchall()
        for schema, table in tables:
            seen += repr(connection.execute(f'SELECT * FROM {schema}."{table}"').fetchall())
    assert [value for value in SECRETS_OF_A_PERSON if value in seen] == []
    # Every file of the installation: warehouse, dbt's state, snapshots taken. In the app database's own, names and
    # the address stand in the bodies that its webhooks are sent, and nothing else of a person does.
    app = world.installation.settings.home / "app.db"
    files = [file for file in settings.home.rglob("*") if file.is_file()]
    assert {app, settings.warehouse_path} <= set(files)
    assert any(file.suffix == ".jsonl" for file in files)
    sent = [PERSON["first_name"], PERSON["last_name"], PERSON["email"]]
    told = {
        (file.name, value)
        for file in files
        for value in SECRETS_OF_A_PERSON
        if value.encode() in file.read_bytes() and not (file.name.startswith(app.name) and value in sent)
    }
    assert told == set()


@pytest.mark.usefixtures("app_database")
def test_erasing_leaves_statistics_and_cents_as_they_were(world: World) -> None:
    first, second = world.submit(2)
    world.drop(0, {first: "funded", second: "in_underwriting"}, funded_amount="12345.67")
    world.run_job()
    before = (
        referrals.count_by_status(world.db, world.own.id),
        earnings.earnings(world.db, world.own.id),
        world.rows("SELECT * EXCLUDE (is_erased) FROM core.partner_leads ORDER BY lead_id"),
        world.rows("SELECT * FROM core.partner_commissions ORDER BY commission_id"),
    )
    referrals.erase(world.db, first, START + timedelta(days=3))
    mirror(world.db, world.installation.warehouse)
    after = (
        referrals.count_by_status(world.db, world.own.id),
        earnings.earnings(world.db, world.own.id),
        world.rows("SELECT * EXCLUDE (is_erased) FROM core.partner_leads ORDER BY lead_id"),
        world.rows("SELECT * FROM core.partner_commissions ORDER BY commission_id"),
    )
    assert after == before
    assert world.rows("SELECT lead_id, is_erased FROM core.partner_leads ORDER BY lead_id") == [(1, True), (2, False)]
    assert referrals.get_lead(world.db, world.box, world.own.id, first).fields["email"] == ""

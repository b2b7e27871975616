"""How fast leads are taken in and a year of status snapshots is compared: ``python benchmarks/startcap.py``.

Prints JSON lines: milliseconds of a submission over HTTP (median, p95); seconds to land and apply 365 daily snapshots of 10,000
leads that each go through the pipeline once, with one webhook that is told of everything and with none; whether the shuffled
replay with the webhook gives exactly the changes, cents and bodies (in their order) of one in the order of days.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from sqlalchemy import select

from pipeline.api.app import build_app
from pipeline.organizations.organizations import create_organization
from pipeline.organizations.secrets import SecretBox
from pipeline.partners import accounts, keys, plans, snapshots, webhooks
from pipeline.partners.persons import seal
from pipeline.partners.references import reference_id
from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.partners import Commission, Referral, ReferralChange

START = datetime(2025, 1, 1, tzinfo=UTC)
PATH = ("lead", "in_underwriting", "offer_ready", "sign_docs", "processing", "in_funding", "funded")
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
    """A partner in a new SQLite database."""

    def __init__(self, home: Path, has_webhook: bool) -> None:
        self.settings = Settings(home=home)
        self.db = AppDatabase(f"sqlite:///{home / 'bench.db'}")
        self.db.migrate()
        self.box = SecretBox.open(self.settings)
        organization = create_organization(self.db, "acme", "Acme", START)
        self.partner = accounts.create_partner(self.db, organization.id, "Ada", "ada@p.example", START)
        plans.set_rate(self.db, organization.id, 1, Decimal(5), "Own leads", START)
        self.token = keys.create_key(self.db, organization.id, "bench", START).token
        if has_webhook:
            networks = [ip_network("127.0.0.0/8")]
            webhooks.add_webhook(self.db, self.box, self.partner, "http://127.0.0.1:9/x", (), START, networks)


def submissions(home: Path, calls: int) -> dict[str, float]:
    """Milliseconds of POST /leads/submit, one after the other."""
    world = World(home, has_webhook=True)
    server = uvicorn.Server(uvicorn.Config(build_app(world.db, world.settings), port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    took = []
    cpu = time.process_time()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/app/partners/api/v1", headers={"X-API-Key": world.token}) as client:
        for _ in range(calls):
            began = time.perf_counter()
            client.post("/leads/submit", json=LEAD).raise_for_status()
            took.append((time.perf_counter() - began) * 1000)
    cpu_ms = (time.process_time() - cpu) * 1000 / calls  # of the client and the service
    server.should_exit = True
    thread.join()
    p95 = statistics.quantiles(took, n=20)[-1]
    return {"median_ms": round(statistics.median(took), 2), "p95_ms": round(p95, 2), "processor_ms": round(cpu_ms, 2)}


def a_year(home: Path, leads: int, days: int, has_webhook: bool, is_shuffled: bool = True) -> dict[str, Any]:
    """Seconds to land and to apply the snapshots, in chunks of thirty days, shuffled or in their order."""
    world = World(home, has_webhook)
    person = seal(world.box, LEAD)
    row = {"organization_id": world.partner.organization_id, "partner_id": world.partner.id, "referral_type": "api_lead"}
    row |= {"person_encrypted": person, "utm": {}, "status": "lead", "quotes": [], "created_at": START, "updated_at": START}
    with world.db.write() as session:
        session.execute(world.db.insert(Referral), [row] * leads)
    rng = random.Random(1)
    contents = _contents(leads, days, rng)
    order = list(range(days))
    if is_shuffled:
        rng.shuffle(order)
    now = START + timedelta(days=days)
    landing = applying = 0.0
    cpu = time.process_time()
    changes = funded = 0
    for chunk in range(0, days, 30):
        began = time.perf_counter()
        for day in order[chunk : chunk + 30]:
            snapshots.land(world.db, (START + timedelta(days=day)).date(), contents[day], now)
        landed = time.perf_counter()
        report = snapshots.sync(world.db, world.box, now)
        applying += time.perf_counter() - landed
        landing += landed - began
        changes, funded = changes + report.applied.changes, funded + report.applied.funded
    return {
        "landing_s": round(landing, 2),
        "applying_s": round(applying, 2),
        "total_s": round(landing + applying, 2),
        "processor_s": round(time.process_time() - cpu, 2),  # of this process: what a busy machine leaves unchanged
        "changes": changes,
        "funded": funded,
        "sha256": _digest(world.db),
    }


def _digest(db: AppDatabase) -> str:
    """Of all changes, commissions, and bodies in the order in which they are sent."""
    of = ReferralChange
    changes = select(
        of.referral_id, of.number, of.old_application_status, of.new_application_status, of.snapshot_day, of.is_flagged
    )
    earned = select(Commission.referral_id, Commission.level, Commission.partner_id, Commission.amount_cents)
    digest = hashlib.sha256()
    with db.read() as session:
        for query in (
            changes.order_by(of.referral_id, of.number),
            earned.order_by(Commission.referral_id, Commission.level),
            select(Delivery.event_type, Delivery.body).order_by(Delivery.endpoint_id, Delivery.created_at, Delivery.id),
        ):
            for row in session.execute(query):
                digest.update(repr(tuple(row)).encode())
    return digest.hexdigest()


def _contents(leads: int, days: int, rng: random.Random) -> list[str]:
    moves: list[list[int]] = [[] for _ in range(days)]
    for number in range(leads):
        for day in sorted(rng.sample(range(days), len(PATH) - 1)):
            moves[day].append(number)
    lines = [_line(number, 0) for number in range(leads)]
    at = [0] * leads
    contents = []
    for moved in moves:
        for number in moved:
            at[number] += 1
            lines[number] = _line(number, at[number])
        contents.append("\n".join(lines))
    return contents


def _line(number: int, step: int) -> str:
    return json.dumps(
        {"reference_id": reference_id(number + 1, START), "application_status": PATH[step], "funded_amount": "25000.00"}
    )


def main() -> None:
    """Run, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--calls", type=int, default=300)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        homes = [Path(folder, name) for name in ("submit", "without", "with", "ordered")]
        for home in homes:
            home.mkdir()
        print(json.dumps({"submit": submissions(homes[0], given.calls)}), flush=True)
        print(json.dumps({"year_without_webhook": a_year(homes[1], given.leads, given.days, has_webhook=False)}), flush=True)
        shuffled = a_year(homes[2], given.leads, given.days, has_webhook=True)
        print(json.dumps({"year_with_webhook": shuffled}), flush=True)
        ordered = a_year(homes[3], given.leads, given.days, has_webhook=True, is_shuffled=False)
        print(json.dumps({"year_in_order": ordered, "is_same": ordered["sha256"] == shuffled["sha256"]}), flush=True)


if __name__ == "__main__":
    main()

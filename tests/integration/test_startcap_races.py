"""Several processes at once, and one that is killed: each day is applied once, each change told once, each cent paid once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from pipeline.organizations.secrets import SecretBox
from pipeline.partners import accounts, earnings, plans, referrals, snapshots, webhooks
from pipeline.partners.snapshots import KNOWN, WAITING
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.partners import Commission, Payout, ReferralChange, StatusSnapshot

AT_ONCE = 6
LEAD = {"first_name": "Marta", "last_name": "Lindqvist", "email": "marta@lindqvist.example"}
# Applies what waits, and stops where all is written and nothing is committed.
KILLED = """
import sys, time
from datetime import datetime
from pathlib import Path
from pipeline.organizations.secrets import SecretBox
from pipeline.partners import snapshots, stage_changes
from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase

told = stage_changes.tell
def tell(*given):
    told(*given)
    print("written", flush=True)
    time.sleep(60)
stage_changes.tell = tell
url, home, now = sys.argv[1:]
box = SecretBox.open(Settings.model_construct(home=Path(home), secret_key=None))
snapshots.sync(AppDatabase(url), box, datetime.fromisoformat(now))
"""


class World:
    """A partner with an upline, both told by webhook, and its leads."""

    def __init__(self, partners: Any, home: Path) -> None:
        self.db: AppDatabase = partners.database
        self.home, self.start = home, partners.now
        self.now = self.start + timedelta(days=60)
        self.box = SecretBox.open(partners.settings(home=home, secret_key=None))
        self.partners: list[accounts.Partner] = []
        for slug, level in (("above", 2), ("own", 1)):
            upline = self.partners[-1].id if self.partners else None
            organization = partners.add(slug)
            made = accounts.create_partner(self.db, organization, slug, f"{slug}@p.example", self.start, upline)
            plans.set_rate(self.db, organization, level, Decimal("2.5"), "", self.start)
            webhooks.add_webhook(self.db, self.box, made, "http://127.0.0.1:9/x", (), self.start, (ip_network("127.0.0.0/8"),))
            self.partners.append(made)
        self.leads = [referrals.submit_lead(self.db, self.box, self.partners[-1], LEAD, self.start)[1] for _ in range(3)]

    def content(self, stage: str) -> str:
        rows = [{"reference_id": lead, "application_status": stage, "funded_amount": "1000.00"} for lead in self.leads]
        return "\n".join(map(json.dumps, rows))

    def land(self, day: int, stage: str, db: AppDatabase | None = None) -> snapshots.Landed:
        return snapshots.land(db or self.db, self.start.date() + timedelta(days=day), self.content(stage), self.now)

    def at_once(self, act: Callable[[int, AppDatabase], Any]) -> list[Any]:
        """What ``act`` gives to each of several that begin together, each with connections of its own as a process has."""
        barrier = Barrier(AT_ONCE)

        def one(number: int) -> Any:
            database = AppDatabase(self.db.url.render_as_string(hide_password=False))
            try:
                barrier.wait()
                return act(number, database)
            finally:
                database.close()

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(one, range(AT_ONCE)))

    def count(self, model: Any) -> int:
        with self.db.read() as session:
            return session.scalar(select(func.count()).select_from(model)) or 0

    def cents(self) -> list[tuple[int, int]]:
        with self.db.read() as session:
            rows = session.execute(select(Commission.level, Commission.amount_cents).order_by(Commission.id))
            return [(row[0], row[1]) for row in rows]


@pytest.fixture
def world(partners: Any, tmp_path: Path) -> World:
    return World(partners, tmp_path)


def test_a_snapshot_that_several_land_at_once_is_there_once(world: World) -> None:
    landed = world.at_once(lambda _, db: world.land(0, "in_underwriting", db).outcome)
    assert sorted(landed) == [KNOWN] * (AT_ONCE - 1) + [WAITING]
    assert world.count(StatusSnapshot) == 1


def test_days_that_several_land_and_apply_at_once_are_told_once_and_in_order(world: World) -> None:
    stages = ("in_underwriting", "offer_ready", "sign_docs", "processing", "in_funding", "funded")

    def act(number: int, db: AppDatabase) -> list[Any]:
        world.land(number, stages[number], db)
        return snapshots.sync(db, world.box, world.now).days

    applied = [day for days in world.at_once(act) for day in days] + snapshots.sync(world.db, world.box, world.now).days
    assert sorted(applied) == [world.start.date() + timedelta(days=day) for day in range(AT_ONCE)]
    with world.db.read() as session:
        rows = session.scalars(select(ReferralChange).order_by(ReferralChange.referral_id, ReferralChange.number))
        changes = [(row.number, row.new_application_status, row.is_flagged) for row in rows]
    assert changes == [(number, stage, False) for number, stage in enumerate((None, *stages), 1)] * len(world.leads)
    assert world.cents() == [(1, 2500), (2, 2500)] * len(world.leads)
    # Of each lead: submitted, six stages, a commission; and the upline's commission.
    assert world.count(Delivery) == len(world.leads) * 9


def test_a_process_that_is_killed_leaves_nothing_and_the_next_one_tells_each_change_once(world: World) -> None:
    for day, stage in enumerate(("in_underwriting", "funded")):
        world.land(day, stage)
    before = world.count(Delivery)
    url = world.db.url.render_as_string(hide_password=False)
    given = [sys.executable, "-c", KILLED, url, str(world.home), world.now.isoformat()]
    process = subprocess.Popen(given, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "written\n"
    finally:
        process.kill()
        process.communicate()
    assert (world.count(ReferralChange), world.cents(), world.count(Delivery)) == (len(world.leads), [], before)
    for expected in (2, 0):
        assert len(snapshots.sync(world.db, world.box, world.now).days) == expected
        assert world.count(ReferralChange) == len(world.leads) * 3
        assert world.cents() == [(1, 2500), (2, 2500)] * len(world.leads)
        assert world.count(Delivery) == before + len(world.leads) * 4


def test_payout_runs_at_once_pay_each_partner_once(world: World) -> None:
    world.land(0, "funded")
    snapshots.sync(world.db, world.box, world.now)
    runs = world.at_once(lambda _, db: earnings.pay_out(db, 1, world.now))
    paid = sorted((partner, payout.amount_cents) for run in runs for partner, payout in run)
    assert paid == [(partner.id, 7500) for partner in world.partners]
    assert world.count(Payout) == 2
    for partner in world.partners:
        found = earnings.earnings(world.db, partner.id)
        assert (found.pending, found.paid) == (0, 7500)


def test_rates_that_several_set_at_once_follow_each_other(world: World) -> None:
    own = world.partners[-1]
    world.at_once(lambda number, db: plans.set_rate(db, own.organization_id, 1, Decimal(number), "", world.now))
    (rate,) = [rate for rate in plans.list_rates(world.db, own.id) if rate.level == 1] or [None]
    with world.db.read() as session:
        later = plans.Plans(session, world.now + timedelta(seconds=1))
        given = {level: hundredths for level, partner, hundredths in later.receivers(own.id) if partner == own.id}
    assert given == ({1: int(rate.percentage * 100)} if rate else {})

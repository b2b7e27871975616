"""Stages from snapshots, commissions and payouts, on SQLite and PostgreSQL (SC-54, SC-60, SC-70, SC-71, SC-80, SC-82, SC-83)."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.organizations.organizations import create_organization
from pipeline.organizations.secrets import SecretBox
from pipeline.partners import accounts, earnings, plans, referrals, snapshots, webhooks
from pipeline.partners.snapshot_file import SnapshotInvalid
from pipeline.partners.snapshots import KNOWN, LATE, WAITING
from pipeline.settings import Settings
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.partners import Commission, CommissionRate, Referral, ReferralChange

LEAD = {"first_name": "Marta", "last_name": "Lindqvist", "email": "marta@lindqvist.example"}
PATH = ("in_underwriting", "offer_ready", "sign_docs", "processing", "in_funding", "funded")


class Partners:
    """As the fixture of this name, over a database of one's own."""

    def __init__(self, database: Any, now: datetime) -> None:
        self.database, self.now = database, now

    def add(self, slug: str) -> str:
        return create_organization(self.database, slug, slug.title(), self.now).id

    def settings(self, home: Path) -> Settings:
        return Settings.model_construct(home=home, secret_key=None)


class World:
    """A partner with an upline of two, each with a webhook, over one app database."""

    def __init__(self, partners: Any, home: Path) -> None:
        self.db, self.now = partners.database, partners.now
        self.start = self.now.date()
        self.box = SecretBox.open(partners.settings(home=home))
        self.chain: list[accounts.Partner] = []
        for slug in ("top", "middle", "own"):
            organization = partners.add(slug)
            upline = self.chain[-1].id if self.chain else None
            made = accounts.create_partner(self.db, organization, slug.title(), f"{slug}@p.example", self.now, upline)
            for level, percentage in ((1, "5"), (2, "1.5"), (3, "0.33")):
                plans.set_rate(self.db, organization, level, Decimal(percentage), f"Level {level}", self.now)
            url = "http://127.0.0.1:9/hook"
            webhooks.add_webhook(self.db, self.box, made, url, (), self.now, (ip_network("127.0.0.0/8"),))
            self.chain.append(made)
        self.top, self.middle, self.own = self.chain

    def submit(self, count: int) -> list[str]:
        return [referrals.submit_lead(self.db, self.box, self.own, LEAD, self.now)[1] for _ in range(count)]

    def land(
        self, offset: int, stages: dict[str, str | None], later: timedelta = timedelta(0), **more: Any
    ) -> snapshots.Landed:
        lines = [
            json.dumps({"reference_id": reference, "application_status": stage} | more) for reference, stage in stages.items()
        ]
        at = self.now + timedelta(days=400) + later
        return snapshots.land(self.db, self.start + timedelta(days=offset), "\n".join(lines), at)

    def sync(self, later: timedelta = timedelta(0), **more: Any) -> snapshots.SyncReport:
        return snapshots.sync(self.db, self.box, self.now + timedelta(days=400) + later, **more)

    def changes(self) -> list[tuple[Any, ...]]:
        with self.db.read() as session:
            rows = session.scalars(select(ReferralChange).order_by(ReferralChange.referral_id, ReferralChange.number))
            return [
                (
                    row.referral_id,
                    row.number,
                    row.old_application_status,
                    row.new_application_status,
                    row.snapshot_day,
                    row.is_flagged,
                )
                for row in rows
            ]

    def commissions(self) -> list[tuple[int, ...]]:
        with self.db.read() as session:
            rows = session.scalars(select(Commission).order_by(Commission.referral_id, Commission.level))
            return [(row.referral_id, row.level, row.partner_id, row.amount_cents) for row in rows]

    def told(self, partner: accounts.Partner, event: str = "lead.status_changed") -> list[dict[str, Any]]:
        query = select(Delivery).where(Delivery.organization_id == partner.organization_id, Delivery.event_type == event)
        with self.db.read() as session:
            return [json.loads(row.body or "")["data"] for row in session.scalars(query.order_by(Delivery.created_at))]


@pytest.fixture
def world(partners: Any, tmp_path: Path) -> World:
    return World(partners, tmp_path)


def test_sc_54_sc_80_each_change_of_stage_is_told_once(world: World) -> None:
    (reference,) = world.submit(1)
    for _ in range(2):
        world.land(0, {reference: "in_underwriting"})
        world.sync()
    world.land(1, {reference: "in_underwriting"})
    world.land(2, {reference: "offer_ready"})
    world.sync()
    first, second, third = world.told(world.own)
    assert first["old_status"] is None
    assert second == {
        "lead_reference_id": reference,
        "old_status": "lead",
        "new_status": "application",
        "old_application_status": None,
        "new_application_status": "in_underwriting",
        "lead_details": {
            "reference_id": reference,
            "email": "marta@lindqvist.example",
            "status": "application",
            "application_status": "in_underwriting",
        },
    }
    assert (third["old_application_status"], third["new_application_status"]) == ("in_underwriting", "offer_ready")
    shown = referrals.get_lead(world.db, world.box, world.own.id, reference)
    assert (shown.status, shown.application_status, shown.effective_status) == ("application", "offer_ready", "offer_ready")


def test_a_snapshot_waits_for_the_day_before_it_and_one_that_is_known_does_nothing(world: World) -> None:
    (reference,) = world.submit(1)
    assert world.land(1, {reference: "offer_ready"}).outcome == WAITING
    assert world.land(1, {reference: "offer_ready"}).outcome == KNOWN
    report = world.sync()
    assert (report.days, report.waits_for) == ([], world.start)
    world.land(0, {reference: "in_underwriting"})
    assert world.sync().days == [world.start, world.start + timedelta(days=1)]
    assert world.land(0, {reference: "in_underwriting"}).outcome == KNOWN
    assert world.land(0, {reference: "need_info"}).outcome == LATE
    assert world.sync().days == []


def test_a_gap_is_given_up_after_a_while_and_its_changes_are_told_at_once(world: World) -> None:
    (reference,) = world.submit(1)
    world.land(0, {reference: "in_underwriting"})
    world.land(3, {reference: "sign_docs"})
    assert world.sync().waits_for == world.start + timedelta(days=1)
    assert world.sync(later=timedelta(hours=49)).days == [world.start + timedelta(days=3)]
    assert world.land(2, {reference: "offer_ready"}).outcome == LATE
    assert [change[3] for change in world.changes()] == [None, "in_underwriting", "sign_docs"]
    assert not any(change[5] for change in world.changes())  # across days that nobody saw, it may have gone step by step


def test_sc_60_jumps_that_the_pipeline_does_not_know_are_told_and_flagged(world: World) -> None:
    (reference,) = world.submit(1)
    for offset, stage in enumerate(("in_underwriting", "in_funding", "in_underwriting")):
        world.land(offset, {reference: stage})
    report = world.sync()
    assert (report.applied.changes, report.applied.flagged) == (3, 2)
    assert [change[5] for change in world.changes()] == [False, False, True, True]
    assert len(world.told(world.own)) == 4


def test_shuffled_chunks_of_a_year_lead_to_what_the_ordered_replay_does(
    make_app_database: Any, now: Any, tmp_path: Path
) -> None:
    outcomes = []
    for seed in (None, 1, 2):
        world = World(Partners(make_app_database("sqlite"), now), tmp_path)
        references = world.submit(12)
        days = _year(references, Random(7))
        order = list(range(len(days)))
        if seed is not None:
            Random(seed).shuffle(order)
        for start in range(0, len(order), 40):
            for offset in [*order[start : start + 40], *order[start // 2 : start // 2 + 3]]:  # some come twice
                world.land(offset, days[offset], funded_amount="12345.67")
            world.sync()
        outcomes.append((world.changes(), world.commissions(), [told(world, one, references) for one in world.chain]))
    assert outcomes[0] == outcomes[1] == outcomes[2]
    changes, commissions, _ = outcomes[0]
    assert len(commissions) == 3 * len({change[0] for change in changes if change[3] == "funded"})
    assert commissions
    assert 0 < sum(change[5] for change in changes) < len(changes) / 2  # some of them are jumps


def told(world: World, partner: accounts.Partner, references: list[str]) -> list[Any]:
    """What a partner was told: by lead in order, and the commissions."""
    changes = world.told(partner)
    earned = world.told(partner, "commission.earned")
    by_lead = [[one for one in changes if one["lead_reference_id"] == reference] for reference in references]
    return [by_lead, sorted(one["commission_id"] for one in earned), sorted(one["amount"] for one in earned)]


def _year(references: list[str], rng: Random) -> list[dict[str, str | None]]:
    """Leads that go down the pipeline, and now and then jump."""
    at: dict[str, str | None] = dict.fromkeys(references)
    days: list[dict[str, str | None]] = []
    for _ in range(120):
        for reference, stage in at.items():
            chance = rng.random()
            if chance < 0.005:
                at[reference] = rng.choice((*PATH, "need_info", "not_approved"))
            elif chance < 0.04 and stage != PATH[-1]:
                at[reference] = PATH[PATH.index(stage) + 1] if stage in PATH else PATH[0]
        days.append(dict(at))
    return days


def test_sc_82_a_funded_lead_earns_once_over_three_levels(world: World) -> None:
    """A-SC-35: a breakdown sums up to its commission."""
    (reference,) = world.submit(1)
    world.land(0, {reference: "funded"})
    world.sync()
    assert world.commissions() == []  # what was funded is not known yet
    world.land(1, {reference: "funded"}, funded_amount="12345.67")
    world.land(2, {reference: "processing"}, funded_amount="99999.00")
    world.land(3, {reference: "funded"}, funded_amount="99999.00")
    world.sync()
    assert [row[1:] for row in world.commissions()] == [
        (1, world.own.id, 61728),
        (2, world.middle.id, 18519),
        (3, world.top.id, 4074),
    ]
    (own,) = world.told(world.own, "commission.earned")
    assert own == {
        "commission_id": f"{reference}_1",
        "referral_reference_id": reference,
        "amount": 617.28,
        "level": 1,
        "breakdown": [{"level": 1, "amount": 617.28, "percentage": 5.0}],
        "referral_details": {"reference_id": reference, "status": "funded", "email": "marta@lindqvist.example"},
    }
    (upline,) = world.told(world.top, "commission.earned")
    assert (upline["level"], upline["amount"]) == (3, 40.74)
    assert "email" not in upline["referral_details"]
    assert world.told(world.top) == []


def test_sc_70_sc_71_sc_83_a_payout_settles_what_is_pending(world: World) -> None:
    """A-SC-22."""
    for offset, reference in enumerate(world.submit(2)):
        world.land(offset, {reference: "funded"}, funded_amount="1000.00")
        world.sync()
        if not offset:
            assert earnings.pay_out(world.db, 5_001, world.now) == []
            ((partner, payout),) = earnings.pay_out(world.db, 5_000, world.now)
            assert (partner, payout.amount_cents, payout.status) == (world.own.id, 5_000, "completed")
            assert earnings.pay_out(world.db, 5_000, world.now) == []
    assert world.told(world.own, "payout.processed") == [
        {"payout_id": payout.id, "amount": 50.0, "status": "paid", "processed_at": "2026-05-12T01:54:00Z"}
    ]
    found = earnings.earnings(world.db, world.own.id)
    assert (found.total, found.pending, found.paid, found.referrals, found.funded) == (10_000, 5_000, 5_000, 2, 2)
    accounts.set_status(world.db, world.own.organization_id, "suspended", world.now)
    assert [partner for partner, _ in earnings.pay_out(world.db, 1, world.now)] == [world.top.id, world.middle.id]


def test_a_lead_of_which_nothing_is_funded_yet_earns_when_something_is(world: World) -> None:
    """An export may say 0 before it knows."""
    (reference,) = world.submit(1)
    world.land(0, {reference: "funded"}, funded_amount="0.00")
    assert world.sync().applied.funded == 0
    world.land(1, {reference: "funded"}, funded_amount="0.01")
    assert (world.sync().applied.funded, world.commissions()) == (1, [])  # no share of a cent is a cent
    world.land(2, {reference: "funded"}, funded_amount="5000.00")
    assert (world.sync().applied.funded, world.commissions()) == (0, [])


def test_a_line_about_a_lead_that_is_not_here_is_looked_at_again(world: World) -> None:
    (first,) = world.submit(1)
    second = f"{first.partition('-')[0]}-2"
    world.land(0, {first: "in_underwriting", second: "in_underwriting"})
    assert world.sync().applied.unknown == 1
    assert world.submit(1) == [second]
    world.land(1, {first: "in_underwriting", second: "in_underwriting"})
    report = world.sync()
    assert (report.applied.changes, report.applied.unknown) == (1, 0)


def test_a_plan_counts_for_leads_that_earn_after_it(world: World) -> None:
    """Whatever its clock says: leads of snapshots that were applied have earned, those of later ones have not."""
    first, second = world.submit(2)
    organization = world.own.organization_id
    world.land(0, {first: "funded"}, funded_amount="1000.00")
    world.sync()
    plans.set_rate(world.db, organization, 1, Decimal(7), "", world.now)
    plans.set_rate(world.db, organization, 1, Decimal(7), "", world.now)
    plans.set_rate(world.db, organization, 1, Decimal(8), "", world.now + timedelta(days=900))
    with world.db.read() as session:
        rates = session.scalars(
            select(CommissionRate).where(CommissionRate.partner_id == world.own.id, CommissionRate.level == 1)
        )
        assert [rate.percentage_hundredths for rate in rates.all()] == [500, 700, 800]
    world.land(1, {first: "funded", second: "funded"}, funded_amount="1000.00")
    world.sync(later=timedelta(seconds=1))
    assert [(row[0], row[3]) for row in world.commissions() if row[1] == 1] == [(1, 5_000), (2, 7_000)]


def test_sc_56_quotes_come_with_snapshots_and_stay_where_none_are_named(world: World) -> None:
    (reference,) = world.submit(1)
    quote = {"quote_type": "Term Loan", "amount": "50000.00", "status": "sent", "quote_group_status": "sent"}
    world.land(0, {reference: "offer_ready"}, quotes=[quote])
    world.land(1, {reference: "sign_docs"})
    world.sync()
    assert referrals.get_lead(world.db, world.box, world.own.id, reference).quotes == (quote | {"amount": 50000.0},)


def test_leads_that_are_not_ours_and_files_that_are_none_change_nothing(world: World) -> None:
    (reference,) = world.submit(1)
    number = reference.partition("-")[2]
    world.land(0, {"20260512-9999": "funded", f"20200101-{number}": "funded"})
    assert world.sync().applied.unknown == 2
    for line in (
        '{"reference_id": "x"}', '{"reference_id": "20260512-1", "application_status": "reviewing"}', "[]", "{",
        '{"reference_id": "20260512-1", "funded_amount": "1.00", "currency": "EUR"}',
        '{"reference_id": "20260512-1", "funded_amount": "1.005"}', '{"reference_id": "20260512-1", "funded_amount": "-1"}',
        '{"reference_id": "20260512-1"}\n{"reference_id": "20260512-1"}', "",
    ):  # fmt: skip
        with pytest.raises(SnapshotInvalid):
            snapshots.land(world.db, date(2026, 5, 13), line, world.now + timedelta(days=2))
    with pytest.raises(SnapshotInvalid, match="to come"):
        snapshots.land(world.db, date(2026, 5, 20), '{"reference_id": "20260512-1"}', world.now)
    with world.db.read() as session:
        assert session.scalars(select(Referral.application_status)).all() == [None]


def test_a_run_that_is_killed_leaves_nothing_half_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (reference,) = world.submit(1)
    world.land(0, {reference: "funded"}, funded_amount="1000")
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.partners.stage_changes.tell", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            world.sync()
    assert len(world.changes()) == 1
    assert world.commissions() == []
    assert len(world.sync().days) == 1
    assert len(world.commissions()) == 3

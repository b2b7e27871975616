"""Retention of what partners clicked and paid: sums stay right, and what led to something stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.partners import Referral, ReferralChange, ReferralPartner
from pipeline.store.tables.subscriptions import CreditEntry
from pipeline.store.warehouse import Warehouse
from pipeline.subscriptions.teams import create_team, grant_credits, take_credit
from pipeline.upkeep.click_retention import forget_clicks
from pipeline.upkeep.credit_retention import sum_credits

NOW = datetime(2026, 11, 20, 3, 30, tzinfo=UTC)


def ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def test_an_old_click_goes_unless_a_lead_came_of_it_and_is_looked_at_once(partners: Any, tmp_path: Path) -> None:
    """SC-62: leads and the clicks that led to them stay, whatever their age."""
    database: AppDatabase = partners.database
    warehouse, acme = Warehouse(tmp_path / "warehouse.duckdb"), partners.add("acme")
    with database.write() as session:
        session.add(ReferralPartner(id=1, organization_id=acme, name="Acme", email="a@acme.example", status="active",
                                    allows_name_marks=False, allows_territories=False, click_code="c",
                                    created_at=ago(900), updated_at=ago(900)))  # fmt: skip
        session.flush()
        for number, kind, status, click, days in (
            (1, "traffic", "click", None, 500), (2, "traffic", "click", None, 490), (3, "api_lead", "lead", 2, 480),
            (4, "traffic", "click", None, 470), (5, "traffic", "click", None, 100),
        ):  # fmt: skip
            session.add(Referral(id=number, organization_id=acme, partner_id=1, referral_type=kind, utm={}, click_id=click,
                                 status=status, quotes=[], created_at=ago(days), updated_at=ago(days)))  # fmt: skip
            session.flush()
            session.add(ReferralChange(referral_id=number, number=1, new_status=status, is_flagged=False, changed_at=ago(days)))
    assert forget_clicks(database, warehouse, ago(430)) == {"old_clicks": 2}
    with database.read() as session:
        assert list(session.scalars(select(Referral.id).order_by(Referral.id))) == [2, 3, 5]
        assert sorted(session.scalars(select(ReferralChange.referral_id))) == [2, 3, 5]
    assert forget_clicks(database, warehouse, ago(430)) == {"old_clicks": 0}
    assert forget_clicks(database, warehouse, ago(50)) == {"old_clicks": 1}


def test_what_was_taken_long_ago_is_one_entry_of_the_same_sum_and_grants_stay(partners: Any) -> None:
    """SB-54: the entries of a team always come to its credits."""
    database, acme, other = partners.database, partners.add("acme"), partners.add("other")
    for team in (acme, other):
        create_team(database, team, ago(900))
        grant_credits(database, team, 100, ago(800))
    for days in (700, 600, 500):
        take_credit(database, acme, 2, ago(days), "search")
    grant_credits(database, acme, 50, ago(450))
    for days in (440, 10, 5):
        take_credit(database, acme, 1, ago(days), "search")
    assert sum_credits(database, ago(430)) == {"credit_entries": 3}
    assert entries(database, acme) == [("grant", 100), ("carried", -7), ("grant", 50), ("request", -1), ("request", -1)]
    assert entries(database, other) == [("grant", 100)]
    assert sum_credits(database, ago(430)) == {"credit_entries": 0}
    assert sum_credits(database, ago(7)) == {"credit_entries": 1}
    assert entries(database, acme) == [("grant", 100), ("carried", -8), ("grant", 50), ("request", -1)]


def entries(database: AppDatabase, team: str) -> list[tuple[str, int]]:
    with database.read() as session:
        query = select(CreditEntry.kind, CreditEntry.amount).where(CreditEntry.organization_id == team)
        return [(row.kind, row.amount) for row in session.execute(query.order_by(CreditEntry.id))]

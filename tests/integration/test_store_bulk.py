"""Rows that go past the mapper are the rows that it would have written, on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from pipeline.organizations.organizations import create_organization
from pipeline.partners import accounts
from pipeline.store import bulk
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.partners import PartnerEvent, Referral, ReferralChange

NOW = datetime(2026, 5, 12, 1, 54, 7, 123456, tzinfo=UTC)
LEAD = ("organization_id", "partner_id", "referral_type", "utm", "status", "quotes", "funded_cents", "created_at", "updated_at")
# What JSON and SQL have to be told apart from: quotes, backslashes, line ends, letters outside ASCII, percent signs.
HARD = 'O\'Neil "x" \\ %s ? :a\n\u2028 ßé\U0001f600'


@pytest.fixture
def partner(app_database: AppDatabase) -> accounts.Partner:
    organization = create_organization(app_database, "acme", "Acme", NOW)
    return accounts.create_partner(app_database, organization.id, "Ada", "ada@p.example", NOW)


def _lead(partner: accounts.Partner, **fields: Any) -> dict[str, Any]:
    row = {
        "organization_id": partner.organization_id, "partner_id": partner.id, "referral_type": "api_lead", "utm": {"a": HARD},
        "status": "lead", "quotes": [{"quote_type": HARD, "amount": 1.1}], "funded_cents": 10**13, "created_at": NOW,
        "updated_at": NOW + timedelta(microseconds=1),
    }  # fmt: skip
    return row | fields


def test_inserted_rows_are_those_of_the_mapper(app_database: AppDatabase, partner: accounts.Partner) -> None:
    row = _lead(partner)
    with app_database.write() as session:
        session.add(Referral(**row))
        session.flush()
        bulk.insert_rows(session, Referral, LEAD, [tuple(row[name] for name in LEAD)] * 2)
    columns = ", ".join(LEAD)
    with app_database.read() as session:
        stored = session.execute(text(f"SELECT {columns}, application_status FROM referrals ORDER BY id")).all()
        read = session.scalars(select(Referral).order_by(Referral.id)).all()
    assert len(stored) == 3
    assert stored[0] == stored[1] == stored[2]
    assert {name: getattr(read[2], name) for name in LEAD} == row


def test_more_rows_than_go_at_once_are_all_written_and_known_keys_left_out(
    app_database: AppDatabase, partner: accounts.Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "ROWS_AT_ONCE", 2)
    names = ("id", "dedupe_key", "partner_id", "referral_id", "event_type", "created_at")
    rows = [(f"id-{number}", f"key {number % 4}", partner.id, None, "x", NOW) for number in range(5)]
    with app_database.write() as session:
        bulk.insert_rows(session, PartnerEvent, names, rows, skips_known=True)
        bulk.insert_rows(session, PartnerEvent, names, [])
        wanted = bulk.is_one_of(session, PartnerEvent.id, ["id-1", "id-3", "id-4", HARD])
        assert sorted(session.scalars(select(PartnerEvent.id).where(wanted))) == ["id-1", "id-3"]
        assert list(session.scalars(select(PartnerEvent.id).where(bulk.is_one_of(session, PartnerEvent.id, [])))) == []
        assert len(list(session.scalars(select(PartnerEvent)))) == 4


def test_updates_reach_the_rows_of_their_keys_alone(app_database: AppDatabase, partner: accounts.Partner) -> None:
    with app_database.write() as session:
        session.add_all([Referral(**_lead(partner)) for _ in range(3)])
        session.flush()
        first, second, third = session.scalars(select(Referral.id).order_by(Referral.id))
        names = ("id", "status", "quotes", "commissioned_at", "funded_cents")
        later = NOW + timedelta(hours=1)
        rows = [(third, "funded", [HARD], later, 5), (first, HARD[:4], [], None, None), (third + 1, "x", [], None, 0)]
        bulk.update_rows(session, Referral, names, rows)
        bulk.insert_rows(
            session,
            ReferralChange,
            ("referral_id", "number", "new_status", "is_flagged", "changed_at"),
            [(second, 1, "lead", True, NOW)],
        )
    with app_database.read() as session:
        found = session.scalars(select(Referral).order_by(Referral.id))
        assert [(row.id, row.status, row.quotes, row.commissioned_at, row.funded_cents) for row in found] == [
            (first, HARD[:4], [], None, None),
            (second, "lead", [{"quote_type": HARD, "amount": 1.1}], None, 10**13),
            (third, "funded", [HARD], later, 5),
        ]
        change = session.scalars(select(ReferralChange)).one()
        assert (change.is_flagged, change.changed_at, change.old_status) == (True, NOW, None)


def test_many_keys_are_one_parameter(app_database: AppDatabase, partner: accounts.Partner) -> None:
    """SQLite takes 32,766 parameters, PostgreSQL 65,535."""
    with app_database.write() as session:
        session.add(Referral(**_lead(partner)))
        session.flush()
        assert len(session.scalars(select(Referral).where(bulk.is_one_of(session, Referral.id, range(100_000)))).all()) == 1

"""Leads, stages, plans, commissions and payouts for analysts: copied to the warehouse, without a word about persons.

Each table is copied whole in one transaction: rows change (a status, a payout), and ids may be committed out of their order, so
no mark says what is new. A year of 10,000 leads is some 100,000 short rows. A click that a lead stands for is left out, as in the
partner's own statistics. What belongs here: the copy, and which columns go. UTM values stay behind: they are free text that
anybody may write a name into.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from pipeline.partners.referrals import counts
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.partners import (
    Commission,
    CommissionRate,
    Payout,
    Referral,
    ReferralChange,
    ReferralPartner,
    StatusSnapshot,
)
from pipeline.store.warehouse import Warehouse

_INT, _TEXT, _FLAG, _TIME, _DAY = pa.int64(), pa.string(), pa.bool_(), pa.timestamp("us"), pa.date32()

COLUMNS: Mapping[str, Mapping[str, pa.DataType]] = {
    "referral_partners": {
        "partner_id": _INT, "organization_id": _TEXT, "upline_id": _INT, "status": _TEXT, "created_at": _TIME,
    },
    "partner_rates": {"partner_id": _INT, "level": _INT, "percentage_hundredths": _INT, "valid_from": _TIME},
    "partner_leads": {
        "lead_id": _INT, "partner_id": _INT, "organization_id": _TEXT, "referral_type": _TEXT, "status": _TEXT,
        "application_status": _TEXT, "funded_cents": _INT, "commissioned_at": _TIME, "is_erased": _FLAG, "created_at": _TIME,
    },
    "partner_lead_changes": {
        "lead_id": _INT, "number": _INT, "partner_id": _INT, "old_stage": _TEXT, "new_stage": _TEXT, "snapshot_date": _DAY,
        "is_flagged": _FLAG, "changed_at": _TIME,
    },
    "partner_commissions": {
        "commission_id": _INT, "lead_id": _INT, "partner_id": _INT, "organization_id": _TEXT, "level": _INT,
        "percentage_hundredths": _INT, "base_cents": _INT, "amount_cents": _INT, "payout_id": _INT, "earned_at": _TIME,
    },
    "partner_payouts": {"payout_id": _INT, "partner_id": _INT, "amount_cents": _INT, "processed_at": _TIME},
    "status_snapshots": {
        "snapshot_date": _DAY, "status": _TEXT, "leads": _INT, "sha256": _TEXT, "received_at": _TIME, "applied_at": _TIME,
    },
}  # fmt: skip


def mirror(db: AppDatabase, warehouse: Warehouse) -> dict[str, int]:
    """Copy the tables as they are now; gives how many rows each has. Raises WarehouseBusy."""
    with db.read() as session:
        found = {name: _table(session, query, COLUMNS[name]) for name, query in _queries().items()}
    with warehouse.write() as connection:
        for name, table in found.items():
            connection.register("copied", table)
            connection.execute(f"DELETE FROM core.{name}").fetchall()  # noqa: S608 - a name of ours
            connection.execute(f"INSERT INTO core.{name} BY NAME SELECT {_shown(name)} FROM copied").fetchall()  # noqa: S608
            connection.unregister("copied")
    return {name: table.num_rows for name, table in found.items()}


def _shown(table: str) -> str:
    """The columns to select: percentages become exact decimals."""
    if "percentage_hundredths" in COLUMNS[table]:
        return "* EXCLUDE (percentage_hundredths), CAST(percentage_hundredths * 0.01 AS DECIMAL(5, 2)) AS percentage"
    return "*"


def _queries() -> dict[str, Select[Any]]:
    lead, change, commission, partner, rate = Referral, ReferralChange, Commission, ReferralPartner, CommissionRate
    return {
        "referral_partners": select(
            partner.id, partner.organization_id, partner.upline_id, partner.status, partner.created_at
        ).order_by(partner.id),
        "partner_rates": select(
            rate.partner_id, rate.level, rate.percentage_hundredths, rate.valid_from
        ).order_by(rate.partner_id, rate.level, rate.valid_from),
        "partner_leads": select(
            lead.id, lead.partner_id, lead.organization_id, lead.referral_type, lead.status, lead.application_status,
            lead.funded_cents, lead.commissioned_at, lead.erased_at.is_not(None), lead.created_at,
        ).where(counts()).order_by(lead.id),
        "partner_lead_changes": select(
            change.referral_id, change.number, lead.partner_id, func.coalesce(change.old_application_status, change.old_status),
            func.coalesce(change.new_application_status, change.new_status), change.snapshot_day, change.is_flagged,
            change.changed_at,
        ).join(lead, lead.id == change.referral_id).where(counts()).order_by(change.referral_id, change.number),
        "partner_commissions": select(
            commission.id, commission.referral_id, commission.partner_id, ReferralPartner.organization_id, commission.level,
            commission.percentage_hundredths, commission.base_cents, commission.amount_cents, commission.payout_id,
            commission.earned_at,
        ).join(ReferralPartner, ReferralPartner.id == commission.partner_id).order_by(commission.id),
        "partner_payouts": select(Payout.id, Payout.partner_id, Payout.amount_cents, Payout.processed_at).order_by(Payout.id),
        "status_snapshots": select(
            StatusSnapshot.day, StatusSnapshot.status, StatusSnapshot.rows, StatusSnapshot.sha256, StatusSnapshot.received_at,
            StatusSnapshot.applied_at,
        ).order_by(StatusSnapshot.day),
    }  # fmt: skip


def _table(session: Session, query: Select[Any], columns: Mapping[str, pa.DataType]) -> pa.Table:
    rows = session.execute(query).all()
    return pa.table(
        {name: pa.array([_plain(row[at], kind) for row in rows], kind) for at, (name, kind) in enumerate(columns.items())}
    )


def _plain(value: Any, kind: pa.DataType) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    if kind == _DAY and isinstance(value, str):
        return date.fromisoformat(value)
    return bool(value) if kind == _FLAG else value

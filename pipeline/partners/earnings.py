"""What partners earn and are paid, in whole cents (SC-70 to SC-74, SC-82, SC-83, A-SC-22, A-SC-35).

A funded lead earns once: for its partner at level 1, for that partner's upline at levels 2 and 3, each by the receiver's own rates
at that moment. Shares are rounded half up to cents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pipeline.partners.accounts import ACTIVE
from pipeline.partners.events import NewEvent, tell
from pipeline.partners.plans import Plans
from pipeline.partners.referrals import counts
from pipeline.partners.stages import FUNDED
from pipeline.store.app_database import AppDatabase
from pipeline.store.bulk import insert_rows
from pipeline.store.tables.partners import Commission, Payout, Referral, ReferralPartner
from pipeline.webhooks.startcap import COMMISSION_EARNED, PAYOUT_PROCESSED, iso

COMPLETED, PAID = "completed", "paid"  # the same state, as the API and as the webhook says it (A-SC-22)
DEFAULT_THRESHOLD_CENTS = 5_000
COMMISSION = ("referral_id", "partner_id", "level", "percentage_hundredths", "base_cents", "amount_cents", "earned_at")


@dataclass(frozen=True, slots=True)
class FundedLead:
    """A lead that earns: its partner and what was funded. ``email`` is asked for only where it is told: to its own partner."""

    number: int
    reference_id: str
    partner_id: int
    cents: int
    email: Callable[[], str | None]


@dataclass(frozen=True, slots=True)
class Earnings:
    """A partner's account, in cents. ``total`` is what is pending and what was paid."""

    pending: int
    paid: int
    referrals: int
    funded: int

    @property
    def total(self) -> int:
        """All that was earned."""
        return self.pending + self.paid


@dataclass(frozen=True, slots=True)
class PayoutInfo:
    """One payout."""

    id: int
    amount_cents: int
    status: str
    processed_at: datetime


@dataclass(frozen=True, slots=True)
class Downline:
    """A partner whom this one brought."""

    id: int
    name: str
    email: str
    status: str
    referrals: int


def share(cents: int, percentage_hundredths: int) -> int:
    """So many hundredths of a percent of ``cents``, rounded half up."""
    return (cents * percentage_hundredths + 5_000) // 10_000


def dollars(cents: int) -> Decimal:
    """``cents`` in dollars, with two decimals."""
    return Decimal(cents).scaleb(-2)


def earn(session: Session, plans: Plans, leads: Sequence[FundedLead], now: datetime) -> list[NewEvent]:
    """Write the commissions of leads that have none yet; gives what is to be told of them."""
    rows: list[tuple[Any, ...]] = []
    events: list[NewEvent] = []
    for lead in leads:
        for level, receiver, rate in plans.receivers(lead.partner_id):
            amount = share(lead.cents, rate)
            if not amount:
                continue
            rows.append((lead.number, receiver, level, rate, lead.cents, amount, now))
            events.append(_earned(lead, level, receiver, rate, amount))
    insert_rows(session, Commission, COMMISSION, rows, skips_known=True)
    return events


def _earned(lead: FundedLead, level: int, receiver: int, rate: int, amount: int) -> NewEvent:
    def data() -> dict[str, Any]:
        details: dict[str, Any] = {"reference_id": lead.reference_id, "status": FUNDED}
        if level == 1 and (email := lead.email()):
            details["email"] = email
        return {
            "commission_id": f"{lead.reference_id}_{level}",
            "referral_reference_id": lead.reference_id,
            "amount": dollars(amount),
            "level": level,
            "breakdown": [{"level": level, "amount": dollars(amount), "percentage": dollars(rate)}],
            "referral_details": details,
        }

    return NewEvent(receiver, COMMISSION_EARNED, f"commission:{lead.number}:{level}", data, lead.number)


def pay_out(db: AppDatabase, threshold_cents: int, now: datetime) -> list[tuple[int, PayoutInfo]]:
    """Pay each active partner all that is pending, where that is at least the threshold; gives (partner, payout).

    Each partner in a transaction of its own: a run that is killed leaves partners paid whole or not at all.
    """
    query = select(Commission.partner_id).where(Commission.payout_id.is_(None)).distinct().order_by(Commission.partner_id)
    with db.read() as session:
        waiting = list(session.scalars(query))
    paid = []
    for partner_id in waiting:
        payout = _pay(db, partner_id, max(threshold_cents, 1), now)
        if payout is not None:
            paid.append((partner_id, payout))
    return paid


def _pay(db: AppDatabase, partner_id: int, threshold_cents: int, now: datetime) -> PayoutInfo | None:
    with db.write() as session:
        partner = session.get_one(ReferralPartner, partner_id, with_for_update=True)
        open_ones = select(Commission.id, Commission.amount_cents).where(
            Commission.partner_id == partner_id, Commission.payout_id.is_(None)
        )
        rows = session.execute(open_ones.with_for_update()).all()
        amount = sum(row.amount_cents for row in rows)
        if partner.status != ACTIVE or amount < threshold_cents:
            return None
        payout = Payout(partner_id=partner_id, amount_cents=amount, status=COMPLETED, processed_at=now)
        session.add(payout)
        session.flush()
        settled = update(Commission).where(Commission.id.in_([row.id for row in rows]))
        session.execute(settled.values(payout_id=payout.id))
        data = {"payout_id": payout.id, "amount": dollars(amount), "status": PAID, "processed_at": iso(now)}
        tell(session, [NewEvent(partner_id, PAYOUT_PROCESSED, f"payout:{payout.id}", data)], now)
        return PayoutInfo(payout.id, amount, COMPLETED, now)


def earnings(db: AppDatabase, partner_id: int) -> Earnings:
    """What the partner earned, and of how many referrals."""
    sums = select(Commission.payout_id.is_(None), func.sum(Commission.amount_cents)).where(Commission.partner_id == partner_id)
    of_partner = select(Referral.status, func.count()).where(Referral.partner_id == partner_id, counts(partner_id))
    with db.read() as session:
        cents = {bool(row[0]): int(row[1]) for row in session.execute(sums.group_by(Commission.payout_id.is_(None)))}
        by_status = {row[0]: row[1] for row in session.execute(of_partner.group_by(Referral.status))}
    return Earnings(cents.get(True, 0), cents.get(False, 0), sum(by_status.values()), by_status.get(FUNDED, 0))


def list_payouts(db: AppDatabase, partner_id: int) -> list[PayoutInfo]:
    """The partner's payouts, newest first."""
    query = select(Payout).where(Payout.partner_id == partner_id).order_by(Payout.id.desc())
    with db.read() as session:
        return [PayoutInfo(row.id, row.amount_cents, row.status, row.processed_at) for row in session.scalars(query)]


def list_downline(db: AppDatabase, partner_id: int) -> list[Downline]:
    """The partners whom this one brought, oldest first."""
    each = select(Referral.partner_id, func.count().label("referrals")).where(counts()).group_by(Referral.partner_id).subquery()
    query = select(ReferralPartner, func.coalesce(each.c.referrals, 0)).outerjoin(each, each.c.partner_id == ReferralPartner.id)
    query = query.where(ReferralPartner.upline_id == partner_id).order_by(ReferralPartner.id)
    with db.read() as session:
        rows: list[tuple[ReferralPartner, int]] = [(row[0], int(row[1])) for row in session.execute(query)]
    return [Downline(row.id, row.name, row.email, row.status, count) for row, count in rows]

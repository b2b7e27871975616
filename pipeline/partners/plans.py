"""What partners earn of what is funded: rates by level, each in force from a moment on (SC-72).

Nothing of a plan is changed afterwards: a new rate is a new row, so what a lead earned can be computed again at any time. What
belongs here: rates and uplines. What does not: commissions (partners.earnings).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.partners.accounts import PartnerInvalid, locked_partner
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.partners import CommissionRate, ReferralPartner, StatusSnapshot

LEVELS = (1, 2, 3)
STAGES_TURN = 814_722_302  # any number: landing and applying snapshots, and changing plans, take turns
STEP = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Rate:
    """What a partner earns at one level, in percent."""

    id: int
    level: int
    percentage: Decimal
    description: str


def set_rate(db: AppDatabase, organization_id: str, level: int, percentage: Decimal, description: str, now: datetime) -> None:
    """What the partner earns at ``level`` of leads that earn from now on, in percent with at most two decimals; 0 ends it.

    The same again changes nothing. Raises PartnerUnknown, PartnerInvalid.
    """
    if level not in LEVELS:
        raise PartnerInvalid(f"there is no level {level}; there are: 1 (own leads), 2 and 3 (the downline's)")
    hundredths = percentage * 100
    if not percentage.is_finite() or hundredths != int(hundredths) or not 0 <= hundredths <= 10_000:
        raise PartnerInvalid(f"{percentage} is no percentage: 0 to 100 with at most two decimals")
    with db.write() as session:
        db.hold(session, STAGES_TURN)
        partner = locked_partner(session, organization_id)
        current = _in_force(session, partner.id).get(level)
        if current and (current.percentage_hundredths, current.description) == (int(hundredths), description):
            return
        session.add(
            CommissionRate(
                partner_id=partner.id,
                level=level,
                percentage_hundredths=int(hundredths),
                description=description,
                valid_from=_moment(session, current, now),
            )
        )


def list_rates(db: AppDatabase, partner_id: int) -> list[Rate]:
    """What the partner earns, by level."""
    with db.read() as session:
        rows = _in_force(session, partner_id)
    return [
        Rate(row.id, level, Decimal(row.percentage_hundredths).scaleb(-2), row.description)
        for level, row in sorted(rows.items())
        if row.percentage_hundredths
    ]


class Plans:
    """Rates and uplines of all partners, as they are in force at one moment."""

    def __init__(self, session: Session, at: datetime) -> None:
        query = select(CommissionRate.partner_id, CommissionRate.level, CommissionRate.percentage_hundredths)
        rows = session.execute(query.where(CommissionRate.valid_from <= at).order_by(CommissionRate.valid_from))
        self._rates = {(row[0], row[1]): row[2] for row in rows}
        self._uplines = {row[0]: row[1] for row in session.execute(select(ReferralPartner.id, ReferralPartner.upline_id))}

    def receivers(self, partner_id: int) -> Iterator[tuple[int, int, int]]:
        """(level, partner, hundredths of a percent) of all who earn of this partner's leads."""
        receiver: int | None = partner_id
        for level in LEVELS:
            if receiver is None:
                return
            if rate := self._rates.get((receiver, level)):
                yield level, receiver, rate
            receiver = self._uplines.get(receiver)


def _in_force(session: Session, partner_id: int) -> dict[int, CommissionRate]:
    """By level, the newest of each."""
    query = select(CommissionRate).where(CommissionRate.partner_id == partner_id).order_by(CommissionRate.valid_from)
    return {row.level: row for row in session.scalars(query)}


def _moment(session: Session, current: CommissionRate | None, now: datetime) -> datetime:
    """When a new rate begins: now, but behind the last snapshots, whose leads have earned, and behind the rate before."""
    earned = session.scalar(select(func.max(StatusSnapshot.applied_at)))
    before = [moment for moment in (earned, current and current.valid_from) if moment]
    return max([now, *(moment + STEP for moment in before)])

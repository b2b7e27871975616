"""Clicks on partners' links: taken once, found again when a lead comes of one (SC-62, SC-65, SC-67, A-SC-25).

A click is a referral of type ``traffic`` that nobody's name is known of. Rows and their rules belong here; judging visitors
(partners.visitors) and addresses (partners.landing) do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.partners.accounts import Partner, partner_of
from pipeline.partners.references import find_by_reference, reference_id
from pipeline.partners.stages import CLICK, TRAFFIC
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.partners import Referral, ReferralChange, ReferralPartner

# The same visitor on links of the same partner within this is one click.
DOUBLE_WITHIN = timedelta(minutes=30)
# A lead is put down to a click that is no older.
ATTRIBUTED_WITHIN = timedelta(days=90)
MOST_CODE_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class TakenClick:
    """A click as it was noted: the reference id of its referral. ``is_double``: it was noted before."""

    reference_id: str
    is_double: bool


def find_link(db: AppDatabase, code: str) -> Partner | None:
    """The partner whose link it is; None where it leads nowhere: unknown, without a landing page, or not active."""
    if len(code) > MOST_CODE_CHARACTERS:
        return None
    with db.read() as session:
        row = session.scalars(select(ReferralPartner).where(ReferralPartner.click_code == code)).one_or_none()
        partner = partner_of(row) if row is not None else None
    return partner if partner is not None and partner.landing_url and partner.is_active else None


def take_click(db: AppDatabase, partner: Partner, utm: Mapping[str, str], visitor: str, now: datetime) -> TakenClick:
    """Note a click, unless ``visitor`` clicked within DOUBLE_WITHIN: then the click of then stands for this one too."""
    same = select(Referral).where(
        Referral.partner_id == partner.id, Referral.visitor_hash == visitor, Referral.created_at > now - DOUBLE_WITHIN
    )
    # One partner's clicks one after the other, so that two at the same moment can't both be the first.
    turn = select(ReferralPartner.id).where(ReferralPartner.id == partner.id).with_for_update(key_share=True)
    with db.write() as session:
        session.execute(turn)
        known = session.scalars(same.order_by(Referral.created_at.desc()).limit(1)).one_or_none()
        if known is not None:
            return TakenClick(reference_id(known.id, known.created_at), is_double=True)
        row = Referral(
            organization_id=partner.organization_id,
            partner_id=partner.id,
            referral_type=TRAFFIC,
            utm=dict(utm),
            visitor_hash=visitor,
            status=CLICK,
            quotes=[],
            created_at=now,
            updated_at=now,
        )
        session.add(row)
        session.flush()
        session.add(ReferralChange(referral_id=row.id, number=1, new_status=CLICK, is_flagged=False, changed_at=now))
        return TakenClick(reference_id(row.id, now), is_double=False)


def find_click(session: Session, partner_id: int, reference: str, now: datetime) -> Referral | None:
    """The partner's click that ``reference`` names, if a lead may be put down to it."""
    row = find_by_reference(session, reference)
    if row is None or (row.partner_id, row.referral_type, row.status) != (partner_id, TRAFFIC, CLICK):
        return None
    return row if now - ATTRIBUTED_WITHIN <= row.created_at <= now else None

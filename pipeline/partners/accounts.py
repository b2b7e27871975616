"""Partners' accounts: who they are, how their leads are handled, whom they were brought by (SC-5, SC-44, SC-45).

All of it is in force with the next call: nothing is remembered between calls. What belongs here: accounts and funding types. What
does not: keys (partners.keys), leads (partners.referrals).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pipeline.organizations.organizations import get_organization
from pipeline.partners.events import NewEvent, tell
from pipeline.partners.landing import check_landing
from pipeline.partners.validation import FULL_MANAGEMENT, FUNDING_ONLY, Rules
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.partners import ActiveFundingType, ReferralPartner
from pipeline.webhooks.startcap import ACCOUNT_CHANGED

ACTIVE = "active"
STATUSES = (ACTIVE, "suspended", "pending")
HANDLINGS = (FULL_MANAGEMENT, FUNDING_ONLY)
UNSET = "unset"
CODE_BYTES = 9


class PartnerUnknown(LookupError):
    """The organization is no referral partner."""


class PartnerInvalid(ValueError):
    """A setting that no partner can have."""


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner as it stands. ``id`` is the API's referrer_id."""

    id: int
    organization_id: str
    name: str
    email: str
    status: str
    handling: str | None
    allows_name_marks: bool
    allows_territories: bool
    upline_id: int | None
    click_code: str
    landing_url: str | None

    @property
    def is_active(self) -> bool:
        """May its keys be used?"""
        return self.status == ACTIVE

    def rules(self, funding_types: Sequence[str]) -> Rules:
        """What its leads are judged by."""
        return Rules(self.handling, frozenset(funding_types), self.allows_name_marks, self.allows_territories)


def create_partner(
    db: AppDatabase,
    slug_or_id: str,
    name: str,
    email: str,
    now: datetime,
    upline_id: int | None = None,
    rng: Random | None = None,
) -> Partner:
    """Make the organization a partner, active; one that is a partner stays as it is. Raises OrganizationUnknown, PartnerUnknown."""
    organization = get_organization(db, slug_or_id)
    code = (rng.randbytes(CODE_BYTES) if rng else secrets.token_bytes(CODE_BYTES)).hex()
    row = {
        "organization_id": organization.id,
        "name": name,
        "email": email,
        "status": ACTIVE,
        "allows_name_marks": False,
        "allows_territories": False,
        "upline_id": upline_id,
        "click_code": code,
        "created_at": now,
        "updated_at": now,
    }
    with db.write() as session:
        if upline_id is not None and session.get(ReferralPartner, upline_id) is None:
            raise PartnerUnknown(f"no partner has the id {upline_id}; `fundingscout startcap list` shows them")
        session.execute(db.insert(ReferralPartner).values(row).on_conflict_do_nothing(index_elements=["organization_id"]))
        return partner_of(_row(session, organization.id))


def get_partner(db: AppDatabase, organization_id: str) -> Partner:
    """The organization's account. Raises PartnerUnknown."""
    with db.read() as session:
        return partner_of(_row(session, organization_id))


def list_partners(db: AppDatabase) -> list[Partner]:
    """All partners, oldest first."""
    with db.read() as session:
        return [partner_of(row) for row in session.scalars(select(ReferralPartner).order_by(ReferralPartner.id))]


def change_partner(db: AppDatabase, organization_id: str, now: datetime, **changes: Any) -> Partner:
    """Change handling, landing_url (of both, UNSET: none), allows_name_marks, allows_territories: what is given.

    Raises PartnerUnknown, PartnerInvalid, LandingRefused.
    """
    handling = changes.get("handling")
    if handling is not None and handling not in (*HANDLINGS, UNSET):
        raise PartnerInvalid(f"there is no handling {handling!r}; there are: {', '.join((*HANDLINGS, UNSET))}")
    if changes.get("landing_url") not in (None, UNSET):
        changes["landing_url"] = check_landing(changes["landing_url"])
    with db.write() as session:
        row = locked_partner(session, organization_id)
        for field, value in changes.items():
            if value is not None:
                setattr(row, field, None if value == UNSET else value)
        row.updated_at = now
        return partner_of(row)


def set_status(db: AppDatabase, organization_id: str, status: str, now: datetime) -> Partner:
    """Activate or suspend, at once; the partner is told (SC-84). The same again changes and tells nothing.

    Raises PartnerUnknown, PartnerInvalid.
    """
    if status not in STATUSES:
        raise PartnerInvalid(f"there is no status {status!r}; there are: {', '.join(STATUSES)}")
    with db.write() as session:
        row = locked_partner(session, organization_id)
        old, row.status = row.status, status
        if old != status:
            row.updated_at = now
            data = {
                "referrer_id": row.id,
                "old_status": old,
                "new_status": status,
                "account_details": {"id": row.id, "email": row.email, "status": status},
            }
            tell(session, [NewEvent(row.id, ACCOUNT_CHANGED, f"account:{row.id}:{status}:{now.isoformat()}", data)], now)
        return partner_of(row)


def funding_types(db: AppDatabase) -> list[str]:
    """The types that leads may name, by name."""
    with db.read() as session:
        return list(session.scalars(select(ActiveFundingType.name).order_by(ActiveFundingType.name)))


def switch_funding_type(db: AppDatabase, name: str, is_active: bool, now: datetime) -> None:
    """Accept ``name`` from now on, or no longer. Raises PartnerInvalid."""
    name = name.strip()
    if not 1 <= len(name) <= 100:
        raise PartnerInvalid("a funding type has 1 to 100 characters")
    with db.write() as session:
        if is_active:
            insert = db.insert(ActiveFundingType).values({"name": name, "created_at": now})
            session.execute(insert.on_conflict_do_nothing())
        else:
            session.execute(delete(ActiveFundingType).where(ActiveFundingType.name == name))


def partner_of(row: ReferralPartner) -> Partner:
    """A row as the rest of the product sees it."""
    return Partner(
        row.id,
        row.organization_id,
        row.name,
        row.email,
        row.status,
        row.handling,
        row.allows_name_marks,
        row.allows_territories,
        row.upline_id,
        row.click_code,
        row.landing_url,
    )


def locked_partner(session: Session, organization_id: str) -> ReferralPartner:
    """The organization's row, for this transaction alone to change. Raises PartnerUnknown."""
    return _row(session, organization_id, locked=True)


def _row(session: Session, organization_id: str, locked: bool = False) -> ReferralPartner:
    query = select(ReferralPartner).where(ReferralPartner.organization_id == organization_id)
    row = session.scalars(query.with_for_update() if locked else query).one_or_none()
    if row is None:
        raise PartnerUnknown(f"organization {organization_id} is no partner; `fundingscout startcap create` makes it one")
    return row

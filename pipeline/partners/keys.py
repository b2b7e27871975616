"""Partners' API keys (SC-2 to SC-6). They open nothing of the other faces, nor theirs this."""

from __future__ import annotations

from datetime import datetime
from random import Random

from sqlalchemy import select

from pipeline.organizations.face_keys import Face, KeyOfFace, NewKeyOfFace, new_key, opened_by, revoke_key
from pipeline.partners.accounts import Partner, get_partner, partner_of
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.organizations import FaceKey
from pipeline.store.tables.partners import ReferralPartner

FACE = Face("startcap", "sc_live_", "fundingscout startcap keys")


def create_key(db: AppDatabase, organization_id: str, label: str, now: datetime, rng: Random | None = None) -> NewKeyOfFace:
    """A new token of the partner. Raises PartnerUnknown."""
    get_partner(db, organization_id)
    return new_key(db, FACE, organization_id, label, now, user_id=organization_id, rng=rng)


def rotate_key(
    db: AppDatabase, organization_id: str, id_or_prefix: str, now: datetime, rng: Random | None = None
) -> NewKeyOfFace:
    """A new token in the place of an old one, which is refused from now on (SC-6). Raises FaceKeyUnknown."""
    old = revoke_key(db, FACE, organization_id, id_or_prefix, now)
    return create_key(db, organization_id, old.label, now, rng)


def find_key(db: AppDatabase, token: str) -> tuple[KeyOfFace, Partner] | None:
    """The key that ``token`` opens with its partner; None where it is unknown or revoked."""
    query = select(FaceKey, ReferralPartner).join(ReferralPartner, ReferralPartner.organization_id == FaceKey.organization_id)
    with db.read() as session:
        row = session.execute(query.where(opened_by(FACE, token))).one_or_none()
        return (KeyOfFace.of(row[0]), partner_of(row[1])) if row else None

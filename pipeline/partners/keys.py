"""Partners' API keys (SC-2 to SC-6). They open nothing of the other faces, nor theirs this. A token is given out once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import or_, select

from pipeline.organizations.secrets import BASE_62, RANDOM_CHARACTERS, SHOWN_PREFIX_LENGTH, token_sha256
from pipeline.partners.accounts import Partner, get_partner, partner_of
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.partners import ReferralPartner
from pipeline.store.tables.subscriptions import FaceKey

FACE = "startcap"
TOKEN_PREFIX = "sc_live_"  # noqa: S105 - a form, not a secret


class PartnerKeyUnknown(LookupError):
    """No key of this partner has this id or prefix."""


@dataclass(frozen=True, slots=True)
class PartnerKey:
    """A key as shown ever after."""

    id: str
    label: str
    token_prefix: str
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewPartnerKey:
    """A key as shown once. Its ``repr`` leaves the token out, so that no log line holds it."""

    id: str
    token_prefix: str
    token: str = field(repr=False)


def create_key(db: AppDatabase, organization_id: str, label: str, now: datetime, rng: Random | None = None) -> NewPartnerKey:
    """A new token of the partner. Raises PartnerUnknown."""
    get_partner(db, organization_id)
    source = rng or secrets.SystemRandom()
    token = TOKEN_PREFIX + "".join(source.choice(BASE_62) for _ in range(RANDOM_CHARACTERS))
    digest = token_sha256(token)
    key_id = str(uuid5(NAMESPACE_URL, digest))
    with db.write() as session:
        session.add(
            FaceKey(
                id=key_id,
                face=FACE,
                organization_id=organization_id,
                label=label,
                user_id=organization_id,
                token_prefix=token[:SHOWN_PREFIX_LENGTH],
                token_sha256=digest,
                created_at=now,
            )
        )
    return NewPartnerKey(key_id, token[:SHOWN_PREFIX_LENGTH], token)


def rotate_key(
    db: AppDatabase, organization_id: str, id_or_prefix: str, now: datetime, rng: Random | None = None
) -> NewPartnerKey:
    """A new token in the place of an old one, which is refused from now on (SC-6). Raises PartnerKeyUnknown."""
    old = revoke_key(db, organization_id, id_or_prefix, now)
    return create_key(db, organization_id, old.label, now, rng)


def find_key(db: AppDatabase, token: str) -> tuple[str, str, Partner] | None:
    """(id, prefix, partner) of the key that ``token`` opens; None where it is unknown or revoked."""
    query = select(FaceKey, ReferralPartner).join(ReferralPartner, ReferralPartner.organization_id == FaceKey.organization_id)
    query = query.where(FaceKey.token_sha256 == token_sha256(token), FaceKey.face == FACE, FaceKey.revoked_at.is_(None))
    with db.read() as session:
        row = session.execute(query).one_or_none()
        return (row[0].id, row[0].token_prefix, partner_of(row[1])) if row else None


def list_keys(db: AppDatabase, organization_id: str) -> list[PartnerKey]:
    """The partner's keys, oldest first; revoked ones stay listed."""
    query = select(FaceKey).where(FaceKey.organization_id == organization_id, FaceKey.face == FACE)
    with db.read() as session:
        return [_key(row) for row in session.scalars(query.order_by(FaceKey.created_at, FaceKey.id))]


def revoke_key(db: AppDatabase, organization_id: str, id_or_prefix: str, now: datetime) -> PartnerKey:
    """Revoke at once; the row stays, with the time of its first revocation. Raises PartnerKeyUnknown."""
    named = or_(FaceKey.id == id_or_prefix, FaceKey.token_prefix == id_or_prefix)
    query = select(FaceKey).where(FaceKey.organization_id == organization_id, FaceKey.face == FACE, named)
    with db.write() as session:
        rows = session.scalars(query.with_for_update()).all()
        if len(rows) != 1:
            raise PartnerKeyUnknown(
                f"{len(rows)} keys of this partner answer to {id_or_prefix!r}; `fundingscout startcap keys` lists them"
            )
        rows[0].revoked_at = rows[0].revoked_at or now
        return _key(rows[0])


def _key(row: FaceKey) -> PartnerKey:
    return PartnerKey(row.id, row.label, row.token_prefix, row.created_at, row.revoked_at)

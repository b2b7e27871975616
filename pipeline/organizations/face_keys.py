"""Keys of the faces beside FundingScout's (SB-2, SC-2 to SC-6): bearer tokens that sign nothing.

A key opens its own face alone. A token is given out once, by the call that makes it; what stays is its SHA-256 with a prefix to
recognise it by. Who may have keys, and what they open, each face says itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import ColumnElement, and_, or_, select

from pipeline.organizations.secrets import SHOWN_PREFIX_LENGTH, random_token, token_sha256
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.organizations import FaceKey


class FaceKeyUnknown(LookupError):
    """No key of this organization and face has this id or prefix."""


@dataclass(frozen=True, slots=True)
class Face:
    """``token_prefix`` begins each of its tokens; ``listing`` is the command that lists an organization's keys."""

    name: str
    token_prefix: str
    listing: str


@dataclass(frozen=True, slots=True)
class KeyOfFace:
    """A key as shown ever after. ``user_id``: who is named as the editor of what is changed with it (SB-27)."""

    id: str
    organization_id: str
    label: str
    user_id: str
    token_prefix: str
    created_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: FaceKey) -> KeyOfFace:
        """The key that ``row`` holds."""
        return cls(row.id, row.organization_id, row.label, row.user_id, row.token_prefix, row.created_at, row.revoked_at)


@dataclass(frozen=True, slots=True)
class NewKeyOfFace:
    """A key as shown once. Its ``repr`` leaves the token out, so that no log line holds it."""

    id: str
    organization_id: str
    user_id: str
    token_prefix: str
    token: str = field(repr=False)


def new_key(
    db: AppDatabase,
    face: Face,
    organization_id: str,
    label: str,
    now: datetime,
    user_id: str | None = None,
    rng: Random | None = None,
) -> NewKeyOfFace:
    """A new token of the organization. Without ``user_id`` the key itself is the editor: ``user_`` and 16 characters of its id."""
    token = random_token(face.token_prefix, rng)
    digest = token_sha256(token)
    key_id = str(uuid5(NAMESPACE_URL, digest))
    made = NewKeyOfFace(
        id=key_id,
        organization_id=organization_id,
        user_id=user_id or "user_" + key_id.replace("-", "")[:16],
        token_prefix=token[:SHOWN_PREFIX_LENGTH],
        token=token,
    )
    with db.write() as session:
        session.add(
            FaceKey(
                id=made.id,
                face=face.name,
                organization_id=organization_id,
                label=label,
                user_id=made.user_id,
                token_prefix=made.token_prefix,
                token_sha256=digest,
                created_at=now,
            )
        )
    return made


def opened_by(face: Face, token: str) -> ColumnElement[bool]:
    """The condition of the key that ``token`` opens: known, of this face, not revoked."""
    return and_(FaceKey.token_sha256 == token_sha256(token), FaceKey.face == face.name, FaceKey.revoked_at.is_(None))


def list_keys(db: AppDatabase, face: Face, organization_id: str) -> list[KeyOfFace]:
    """The organization's keys, oldest first; revoked ones stay listed."""
    query = select(FaceKey).where(FaceKey.organization_id == organization_id, FaceKey.face == face.name)
    with db.read() as session:
        return [KeyOfFace.of(row) for row in session.scalars(query.order_by(FaceKey.created_at, FaceKey.id))]


def revoke_key(db: AppDatabase, face: Face, organization_id: str, id_or_prefix: str, now: datetime) -> KeyOfFace:
    """Revoke at once; the row stays, with the time of its first revocation. Raises FaceKeyUnknown."""
    named = or_(FaceKey.id == id_or_prefix, FaceKey.token_prefix == id_or_prefix)
    query = select(FaceKey).where(FaceKey.organization_id == organization_id, FaceKey.face == face.name, named)
    with db.write() as session:
        rows = session.scalars(query.with_for_update()).all()
        if len(rows) != 1:
            raise FaceKeyUnknown(
                f"{len(rows)} keys of this organization answer to {id_or_prefix!r}; `{face.listing}` lists them"
            )
        rows[0].revoked_at = rows[0].revoked_at or now
        return KeyOfFace.of(rows[0])

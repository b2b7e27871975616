"""API keys: made, listed, revoked; their webhook secrets rotated (FS-3 to FS-5, FSV-12).

Token and secret are given out once, by the call that makes them. What stays is the token's SHA-256 with a prefix to
recognise it by, and the secret encrypted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from pipeline.organizations.secrets import SHOWN_PREFIX_LENGTH, SecretBox, new_token, new_webhook_secret, token_sha256
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.organizations import ApiKey, Organization


class KeyUnknown(LookupError):
    """No key of this organization has this id."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as shown once. Its ``repr`` leaves token and secret out, so that no log line holds them."""

    id: str
    organization_id: str
    label: str
    token_prefix: str
    token: str = field(repr=False)
    webhook_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key as shown ever after."""

    id: str
    organization_id: str
    label: str
    token_prefix: str
    created_at: datetime
    revoked_at: datetime | None
    quotas: dict[str, Any] = field(default_factory=dict)  # calls per day by operation, where not the default; None: no limit


def create_key(
    db: AppDatabase, box: SecretBox, organization_id: str, label: str, now: datetime, rng: Random | None = None
) -> NewKey:
    """A new token with its own webhook secret. Raises LookupError for an unknown organization."""
    token, secret = new_token(rng), new_webhook_secret(rng)
    digest = token_sha256(token)
    key = NewKey(str(uuid5(NAMESPACE_URL, digest)), organization_id, label, token[:SHOWN_PREFIX_LENGTH], token, secret)
    with db.write() as session:
        if session.get(Organization, organization_id) is None:
            raise LookupError(f"no organization has the id {organization_id!r}")
        session.add(
            ApiKey(
                id=key.id,
                organization_id=organization_id,
                label=label,
                token_prefix=key.token_prefix,
                token_sha256=digest,
                webhook_secret_encrypted=box.encrypt(secret),
                quotas={},
                created_at=now,
            )
        )
    return key


def list_keys(db: AppDatabase, organization_id: str | None = None) -> list[KeyInfo]:
    """All keys, or one organization's, oldest first; revoked ones stay listed."""
    query = select(ApiKey).order_by(ApiKey.created_at, ApiKey.id)
    if organization_id is not None:
        query = query.where(ApiKey.organization_id == organization_id)
    with db.read() as session:
        return [_info(row) for row in session.scalars(query)]


def get_key(db: AppDatabase, organization_id: str, id_or_prefix: str) -> KeyInfo:
    """The organization's key with this id or shown prefix. Raises KeyUnknown."""
    with db.read() as session:
        return _info(_one(session.scalars(_named(organization_id, id_or_prefix)).all(), id_or_prefix))


def find_key(db: AppDatabase, token: str) -> KeyInfo | None:
    """The key that ``token`` opens, or None where it is unknown or revoked."""
    query = select(ApiKey).where(ApiKey.token_sha256 == token_sha256(token), ApiKey.revoked_at.is_(None))
    with db.read() as session:
        row = session.scalars(query).one_or_none()
        return _info(row) if row else None


def revoke_key(db: AppDatabase, organization_id: str, id_or_prefix: str, now: datetime) -> KeyInfo:
    """Revoke at once; the row stays. A key revoked before keeps its time. Raises KeyUnknown."""
    with db.write() as session:
        row = _one(session.scalars(_named(organization_id, id_or_prefix)).all(), id_or_prefix)
        if row.revoked_at is None:
            row.revoked_at = now
        return _info(row)


def rotate_secret(
    db: AppDatabase,
    box: SecretBox,
    organization_id: str,
    id_or_prefix: str,
    now: datetime,
    overlap: timedelta = timedelta(0),
    rng: Random | None = None,
) -> str:
    """A new webhook secret for the key. Without ``overlap`` the old one signs nothing any more (FS-5); with one, it signs
    beside the new one until then, for receivers that check Standard Webhooks' list of signatures (A-FS-22).

    The FundingScout signature holds one value and is the new secret's at once. Raises KeyUnknown.
    """
    secret = new_webhook_secret(rng)
    with db.write() as session:
        row = session.get_one(ApiKey, locked_key(session, organization_id, id_or_prefix).id)
        if row.revoked_at is not None:
            raise KeyUnknown(f"the key {row.token_prefix}… is revoked")
        row.previous_secret_encrypted = row.webhook_secret_encrypted if overlap else None
        row.previous_secret_until = now + overlap if overlap else None
        row.webhook_secret_encrypted = box.encrypt(secret)
    return secret


def locked_key(session: Session, organization_id: str, id_or_prefix: str) -> KeyInfo:
    """As get_key, in a transaction that is to change the key. Raises KeyUnknown."""
    return _info(_one(session.scalars(_named(organization_id, id_or_prefix).with_for_update()).all(), id_or_prefix))


def _named(organization_id: str, id_or_prefix: str) -> Select[ApiKey]:
    return select(ApiKey).where(
        ApiKey.organization_id == organization_id,
        or_(ApiKey.id == id_or_prefix, ApiKey.token_prefix == id_or_prefix),
    )


def _one(rows: Sequence[ApiKey], name: str) -> ApiKey:
    if len(rows) != 1:
        found = "no key" if not rows else f"{len(rows)} keys"
        raise KeyUnknown(f"{found} of this organization answer to {name!r}; `fundingscout keys list` shows ids")
    return rows[0]


def _info(row: ApiKey) -> KeyInfo:
    return KeyInfo(row.id, row.organization_id, row.label, row.token_prefix, row.created_at, row.revoked_at, row.quotas)

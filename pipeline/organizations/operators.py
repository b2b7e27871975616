"""Operators: who may manage organizations and keys over HTTP. Their tokens open nothing of the partners' API, nor theirs this.

A token is given out once, by the call that makes it; what stays is its SHA-256 with a prefix to recognise it by.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import or_, select

from pipeline.organizations.secrets import SHOWN_PREFIX_LENGTH, new_operator_token, token_sha256
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.organizations import OperatorToken


class OperatorUnknown(LookupError):
    """No operator has this id, prefix or name."""


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator's token as shown ever after."""

    id: str
    name: str
    token_prefix: str
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewOperator:
    """An operator's token as shown once. Its ``repr`` leaves the token out, so that no log line holds it."""

    id: str
    name: str
    token_prefix: str
    token: str = field(repr=False)


def create_operator(db: AppDatabase, name: str, now: datetime, rng: Random | None = None) -> NewOperator:
    """A new token for ``name``, which the audit log will show. Raises ValueError for an empty name."""
    if not name.strip():
        raise ValueError("an operator needs a name: the audit log shows it")
    token = new_operator_token(rng)
    digest = token_sha256(token)
    made = NewOperator(str(uuid5(NAMESPACE_URL, digest)), name.strip(), token[:SHOWN_PREFIX_LENGTH], token)
    with db.write() as session:
        session.add(
            OperatorToken(id=made.id, name=made.name, token_prefix=made.token_prefix, token_sha256=digest, created_at=now)
        )
    return made


def list_operators(db: AppDatabase) -> list[Operator]:
    """All operators, oldest first; revoked ones stay listed."""
    with db.read() as session:
        rows = session.scalars(select(OperatorToken).order_by(OperatorToken.created_at, OperatorToken.id))
        return [_operator(row) for row in rows]


def find_operator(db: AppDatabase, token: str) -> Operator | None:
    """The operator that ``token`` is of, or None where it is unknown or revoked."""
    query = select(OperatorToken).where(OperatorToken.token_sha256 == token_sha256(token), OperatorToken.revoked_at.is_(None))
    with db.read() as session:
        row = session.scalars(query).one_or_none()
        return _operator(row) if row else None


def has_operators(db: AppDatabase) -> bool:
    """Is there any token in force? Without one the operators' API is off."""
    with db.read() as session:
        return session.scalar(select(OperatorToken.id).where(OperatorToken.revoked_at.is_(None)).limit(1)) is not None


def revoke_operator(db: AppDatabase, name: str, now: datetime) -> list[Operator]:
    """Revoke the token with this id or prefix, or all of the operator with this name; at once. Raises OperatorUnknown."""
    named = or_(OperatorToken.id == name, OperatorToken.token_prefix == name, OperatorToken.name == name)
    with db.write() as session:
        rows = session.scalars(select(OperatorToken).where(named).with_for_update()).all()
        if not rows:
            raise OperatorUnknown(f"no operator answers to {name!r}; `fundingscout operators list` shows them")
        for row in rows:
            row.revoked_at = row.revoked_at or now
        return [_operator(row) for row in rows]


def _operator(row: OperatorToken) -> Operator:
    return Operator(row.id, row.name, row.token_prefix, row.created_at, row.revoked_at)

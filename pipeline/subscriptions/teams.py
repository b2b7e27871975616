"""Teams: organizations that subscribe to signals. Their keys, the state of their subscription, their credits (SB-2 to SB-4).

Keys of this face open nothing of FundingScout's, nor theirs this: they are kept apart (organizations.face_keys).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from random import Random

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pipeline.organizations.face_keys import Face, KeyOfFace, NewKeyOfFace, new_key, opened_by
from pipeline.organizations.organizations import get_organization
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.organizations import FaceKey
from pipeline.store.tables.subscriptions import CreditEntry, Team

FACE = Face("signalbase", "ff_live_", "fundingscout signalbase keys")
SUBSCRIPTIONS = ("active", "trialing", "expired", "canceled")
OPEN_SUBSCRIPTIONS = ("active", "trialing")  # SB-3
MOST_CREDITS = 10**15


class TeamUnknown(LookupError):
    """The organization is no team yet."""


class TeamInvalid(ValueError):
    """A setting that no team can have."""


@dataclass(frozen=True, slots=True)
class TeamInfo:
    """A team as it stands. ``available``: credits less those set aside for sends under way."""

    organization_id: str
    subscription: str
    calls_per_minute: int | None
    masks_everyone: bool
    credits: int
    available: int

    @property
    def is_open(self) -> bool:
        """May its keys be used?"""
        return self.subscription in OPEN_SUBSCRIPTIONS


def create_team(db: AppDatabase, slug_or_id: str, now: datetime, subscription: str = "active") -> TeamInfo:
    """Make the organization a team, without credits; one that is a team stays as it is. Raises OrganizationUnknown, TeamInvalid."""
    _check_subscription(subscription)
    organization = get_organization(db, slug_or_id)
    row = {
        "organization_id": organization.id,
        "subscription": subscription,
        "masks_everyone": False,
        "credits": 0,
        "credits_reserved": 0,
        "created_at": now,
        "updated_at": now,
    }
    with db.write() as session:
        session.execute(db.insert(Team).values(row).on_conflict_do_nothing())
        return _info(session.get_one(Team, organization.id))


def get_team(db: AppDatabase, organization_id: str) -> TeamInfo:
    """The team. Raises TeamUnknown."""
    with db.read() as session:
        row = session.get(Team, organization_id)
    if row is None:
        raise TeamUnknown(f"organization {organization_id} is no team; `fundingscout signalbase create` makes it one")
    return _info(row)


def list_teams(db: AppDatabase) -> list[TeamInfo]:
    """All teams, oldest first."""
    with db.read() as session:
        return [_info(row) for row in session.scalars(select(Team).order_by(Team.created_at, Team.organization_id))]


def change_team(
    db: AppDatabase,
    organization_id: str,
    now: datetime,
    subscription: str | None = None,
    calls_per_minute: int | None = None,
    masks_everyone: bool | None = None,
) -> TeamInfo:
    """Change what is given, in force with the next call. ``calls_per_minute`` 0: the default again.

    Raises TeamUnknown, TeamInvalid.
    """
    if subscription is not None:
        _check_subscription(subscription)
    if calls_per_minute is not None and calls_per_minute < 0:
        raise TeamInvalid(f"{calls_per_minute} calls a minute are none; 0 is the default again")
    with db.write() as session:
        row = _locked(session, organization_id)
        if subscription is not None:
            row.subscription = subscription
        if calls_per_minute is not None:
            row.calls_per_minute = calls_per_minute or None
        if masks_everyone is not None:
            row.masks_everyone = masks_everyone
        row.updated_at = now
        return _info(row)


def grant_credits(db: AppDatabase, organization_id: str, amount: int, now: datetime, note: str | None = None) -> TeamInfo:
    """Add credits, or with a negative ``amount`` take back such as are not set aside. Raises TeamUnknown, TeamInvalid."""
    if not amount:
        raise TeamInvalid("grant at least one credit")
    with db.write() as session:
        row = _locked(session, organization_id)
        if not row.credits_reserved <= row.credits + amount <= MOST_CREDITS:
            raise TeamInvalid(
                f"the team has {row.credits} credits, {row.credits_reserved} of them set aside: {amount} is impossible"
            )
        row.credits += amount
        row.updated_at = now
        session.add(CreditEntry(organization_id=organization_id, amount=amount, kind="grant", note=note, created_at=now))
        return _info(row)


def take_credit(db: AppDatabase, organization_id: str, amount: int, now: datetime, note: str) -> int | None:
    """Take credits for a call; gives how many are left, None where too few are not set aside. Never below zero (A-SB-23)."""
    available = Team.credits - Team.credits_reserved
    taken = update(Team).where(Team.organization_id == organization_id, available >= amount)
    with db.write() as session:
        left = session.execute(taken.values(credits=Team.credits - amount).returning(available)).scalar_one_or_none()
        if left is not None:
            session.add(CreditEntry(organization_id=organization_id, amount=-amount, kind="request", note=note, created_at=now))
    return left


def create_key(
    db: AppDatabase, organization_id: str, label: str, now: datetime, user_id: str | None = None, rng: Random | None = None
) -> NewKeyOfFace:
    """A new token of the team. Raises TeamUnknown."""
    get_team(db, organization_id)
    return new_key(db, FACE, organization_id, label, now, user_id, rng)


def find_key(db: AppDatabase, token: str) -> tuple[KeyOfFace, TeamInfo] | None:
    """The key that ``token`` opens with its team; None where it is unknown or revoked."""
    query = select(FaceKey, Team).join(Team, Team.organization_id == FaceKey.organization_id)
    with db.read() as session:
        row = session.execute(query.where(opened_by(FACE, token))).one_or_none()
        return (KeyOfFace.of(row[0]), _info(row[1])) if row else None


def _locked(session: Session, organization_id: str) -> Team:
    row = session.scalars(select(Team).where(Team.organization_id == organization_id).with_for_update()).one_or_none()
    if row is None:
        raise TeamUnknown(f"organization {organization_id} is no team; `fundingscout signalbase create` makes it one")
    return row


def _check_subscription(subscription: str) -> None:
    if subscription not in SUBSCRIPTIONS:
        raise TeamInvalid(f"there is no subscription {subscription!r}; there are: {', '.join(SUBSCRIPTIONS)}")


def _info(row: Team) -> TeamInfo:
    return TeamInfo(
        row.organization_id,
        row.subscription,
        row.calls_per_minute,
        row.masks_everyone,
        row.credits,
        row.credits - row.credits_reserved,
    )

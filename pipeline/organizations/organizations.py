"""Organizations: the partners that own rows, a webhook, matches and deliveries."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import or_, select

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.organizations import Organization

NAMESPACE = UUID("5f0b7c52-0d0d-4d1e-9a0e-6a3b3f6c1d10")
PLANS = ("free", "basic", "pro", "wholesale")
API_PLANS = ("pro", "wholesale")  # the plans that open the API (FSV-2 `pro_required`)
DEFAULT_PLAN = "pro"
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


class OrganizationExists(ValueError):
    """A second organization under the same slug."""


class PlanUnknown(ValueError):
    """A plan that is none of PLANS."""


class OrganizationUnknown(LookupError):
    """No organization has this slug or id."""


def create_organization(db: AppDatabase, slug: str, name: str, now: datetime, plan: str = DEFAULT_PLAN) -> Organization:
    """A new organization. Its id follows from the slug, so set-ups can be repeated elsewhere with the same ids.

    Raises ValueError for a slug that is not 1 to 63 of a-z, 0-9 and inner hyphens, or an empty name; PlanUnknown;
    OrganizationExists when the slug is taken.
    """
    if not _SLUG.fullmatch(slug):
        raise ValueError(f"the slug {slug!r} is not 1 to 63 of a-z, 0-9 and inner hyphens")
    _check_plan(plan)
    if not name.strip():
        raise ValueError(f"organization {slug!r} needs a name")
    row = {
        "id": str(uuid5(NAMESPACE, slug)),
        "slug": slug,
        "name": name.strip(),
        "plan": plan,
        "settings": {},
        "created_at": now,
    }
    with db.write() as session:
        statement = db.insert(Organization).values(row).on_conflict_do_nothing().returning(Organization.id)
        if session.execute(statement).scalar_one_or_none() is None:
            raise OrganizationExists(f"an organization {slug!r} exists already")
        return session.scalars(select(Organization).where(Organization.slug == slug)).one()


def set_plan(db: AppDatabase, slug_or_id: str, plan: str) -> Organization:
    """Put the organization on ``plan``, in force with the next call. Raises OrganizationUnknown, PlanUnknown."""
    _check_plan(plan)
    found = get_organization(db, slug_or_id)
    with db.write() as session:
        row = session.get_one(Organization, found.id)
        row.plan = plan
        return row


def list_organizations(db: AppDatabase) -> list[Organization]:
    """All organizations, by slug."""
    with db.read() as session:
        return list(session.scalars(select(Organization).order_by(Organization.slug)))


def find_organization(db: AppDatabase, slug_or_id: str) -> Organization | None:
    """The organization with this slug or id, or None."""
    with db.read() as session:
        query = select(Organization).where(or_(Organization.slug == slug_or_id, Organization.id == slug_or_id))
        # A slug may look like another's id; the slug then wins.
        return min(session.scalars(query), key=lambda row: row.slug != slug_or_id, default=None)


def get_organization(db: AppDatabase, slug_or_id: str) -> Organization:
    """The organization with this slug or id. Raises OrganizationUnknown."""
    found = find_organization(db, slug_or_id)
    if found is None:
        raise OrganizationUnknown(f"no organization {slug_or_id!r}; `fundingscout organizations list` shows them")
    return found


def _check_plan(plan: str) -> None:
    if plan not in PLANS:
        raise PlanUnknown(f"there is no plan {plan!r}; there are: {', '.join(PLANS)}")

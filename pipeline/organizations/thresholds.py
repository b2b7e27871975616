"""Each organization's thresholds for name matches, in its settings: what is told, what waits for a person (matching.tiers)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from pipeline.matching.tiers import Thresholds
from pipeline.organizations.organizations import get_organization
from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.organizations import Organization

KEY = "name_match"


def default_thresholds(settings: Settings) -> Thresholds:
    """The installation's, for organizations without their own. Raises BadThresholds."""
    send = settings.name_match_threshold
    return Thresholds(send, min(send, settings.name_review_threshold))


def own_thresholds(settings: Mapping[str, Any]) -> dict[str, float]:
    """What an organization's settings say for themselves: ``send``, ``review``, both or none."""
    return {name: float(value) for name, value in (settings.get(KEY) or {}).items() if name in ("send", "review")}


def thresholds_in_force(settings: Mapping[str, Any], default: Thresholds) -> Thresholds:
    """The organization's own where it has them, else the installation's. ``review`` never lies above ``send``."""
    own = own_thresholds(settings)
    send = own.get("send", default.send)
    return Thresholds(send, min(send, own.get("review", default.review)))


def all_thresholds(db: AppDatabase, default: Thresholds) -> dict[str, Thresholds]:
    """The thresholds in force of every organization, by its id."""
    with db.read() as session:
        rows = session.execute(select(Organization.id, Organization.settings)).all()
    return {row.id: thresholds_in_force(row.settings, default) for row in rows}


def set_thresholds(db: AppDatabase, slug_or_id: str, changes: Mapping[str, float | None], default: Thresholds) -> Thresholds:
    """Change ``send`` or ``review`` of one organization (None: the installation's again). In force with the next match.

    Gives what is in force then. Raises OrganizationUnknown, BadThresholds.
    """
    found = get_organization(db, slug_or_id)
    with db.write() as session:
        row = session.scalars(select(Organization).where(Organization.id == found.id).with_for_update()).one()
        own = own_thresholds(row.settings) | {name: value for name, value in changes.items() if value is not None}
        own = {name: value for name, value in own.items() if changes.get(name, value) is not None}
        # What the command asked for must hold as it was asked for; a default that moves later may not break it.
        Thresholds(own.get("send", default.send), own.get("review", min(default.review, own.get("send", default.send))))
        row.settings = {name: value for name, value in row.settings.items() if name != KEY} | ({KEY: own} if own else {})
        return thresholds_in_force(row.settings, default)

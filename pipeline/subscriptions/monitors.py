"""Monitors: named watch lists of a team, each with signal types and perhaps a webhook of its own (vendor facts, section 7).

A monitor's webhook is an ordinary one whose filter names the list, so fan-out, credits, ledger and retries hold for it as they are.
What belongs here: making, changing and deleting monitors. What does not: what is on a list (targets), who is on it (watching).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from pipeline.matching.names import normal_form
from pipeline.organizations.secrets import SecretBox
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.monitors import Monitor, MonitorTarget
from pipeline.store.tables.subscriptions import Signal
from pipeline.subscriptions import payloads, webhooks
from pipeline.subscriptions.filters import Filter
from pipeline.subscriptions.model import WATCHABLE
from pipeline.subscriptions.webhooks import Edit, UrlRules, Webhook

MOST_MONITORS = 20
MOST_NAME_CHARACTERS = 255
SIGNAL_DAYS = 30
AT_ONCE = 500


class MonitorRefused(ValueError):
    """A monitor, or a change of one, that can't be. The text says why, for the caller."""


class MonitorUnknown(LookupError):
    """The team has no such monitor."""


@dataclass(frozen=True, slots=True)
class MonitorStats:
    """``signals_30d``: signals of any kind that were found in the last 30 days of the companies on the list."""

    targets: int
    resolved_targets: int
    signals_30d: int
    last_delivery_at: datetime | None


@dataclass(frozen=True, slots=True)
class MonitorInfo:
    """A monitor as it stands. ``webhook`` has its secret only where it was just made."""

    id: str
    name: str
    signal_types: tuple[str, ...]
    is_active: bool
    webhook: Webhook | None
    stats: MonitorStats
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class MonitorChange:
    """What an update says; None: stays as it is. ``detaches``: no webhook any more."""

    name: str | None = None
    signal_types: Sequence[str] | None = None
    webhook_url: str | None = None
    detaches: bool = False
    is_active: bool | None = None


def create_monitor(
    db: AppDatabase,
    box: SecretBox,
    team_id: str,
    name: str,
    signal_types: Sequence[str],
    webhook_url: str | None,
    edit: Edit,
    rules: UrlRules,
    rng: Random | None = None,
) -> MonitorInfo:
    """A new, active monitor that watches nothing yet. Raises MonitorRefused, WebhookRefused."""
    name, types = check_name(name), check_signal_types(signal_types)
    url = None if webhook_url is None else webhooks.check_endpoint(webhook_url, rules, "webhook_url")
    with db.write() as session:
        webhooks.hold_team(session, team_id)
        count = select(func.count()).select_from(Monitor).where(Monitor.organization_id == team_id)
        if (session.scalar(count) or 0) >= MOST_MONITORS:
            raise MonitorRefused(f"Maximum of {MOST_MONITORS} monitors per team reached")
        row = Monitor(
            id=webhooks.new_uuid(rng),
            organization_id=team_id,
            name=name,
            signal_types=types,
            is_active=True,
            created_at=edit.now,
            updated_at=edit.now,
        )
        session.add(row)
        session.flush()
        made = None if url is None else _attach(session, box, row, url, edit, rng)
        return _shown(session, row, edit.now, made)


def list_monitors(db: AppDatabase, team_id: str, now: datetime) -> list[MonitorInfo]:
    """All monitors of the team, paused ones too, newest first."""
    query = select(Monitor).where(Monitor.organization_id == team_id)
    with db.read() as session:
        rows = session.scalars(query.order_by(Monitor.created_at.desc(), Monitor.id.desc())).all()
        return [_shown(session, row, now) for row in rows]


def get_monitor(db: AppDatabase, team_id: str, monitor_id: str, now: datetime) -> MonitorInfo:
    """One monitor. Raises MonitorUnknown."""
    with db.read() as session:
        return _shown(session, find_monitor(session, team_id, monitor_id), now)


def update_monitor(
    db: AppDatabase,
    box: SecretBox,
    team_id: str,
    monitor_id: str,
    change: MonitorChange,
    edit: Edit,
    rules: UrlRules,
    rng: Random | None = None,
) -> MonitorInfo:
    """Change a monitor. Another address is another webhook, with an id and a secret of its own; the same one changes nothing.

    Raises MonitorUnknown, MonitorRefused, WebhookRefused.
    """
    name = None if change.name is None else check_name(change.name)
    types = None if change.signal_types is None else check_signal_types(change.signal_types)
    url = None if change.webhook_url is None else webhooks.check_endpoint(change.webhook_url, rules, "webhook_url")
    with db.write() as session:
        row = hold_monitor(session, team_id, monitor_id)
        row.name = name or row.name
        row.signal_types = types or row.signal_types
        row.is_active = row.is_active if change.is_active is None else change.is_active
        row.updated_at = edit.now
        made = _change_webhook(session, box, row, url, change.detaches, edit, rng)
        return _shown(session, row, edit.now, made)


def delete_monitor(db: AppDatabase, team_id: str, monitor_id: str, edit: Edit) -> None:
    """Delete it with all that it watches, for good; its webhook keeps its history. Raises MonitorUnknown."""
    with db.write() as session:
        row = hold_monitor(session, team_id, monitor_id)
        _detach(session, row, edit)
        session.execute(delete(MonitorTarget).where(MonitorTarget.monitor_id == row.id))
        session.delete(row)


def check_name(name: str) -> str:
    """``name`` without blanks around it. Raises MonitorRefused."""
    if not 1 <= len(name.strip()) <= MOST_NAME_CHARACTERS:
        raise MonitorRefused(f"name must have 1 to {MOST_NAME_CHARACTERS} characters")
    return name.strip()


def check_signal_types(signal_types: Sequence[str]) -> list[str]:
    """``signal_types`` without duplicates, in their order. Raises MonitorRefused."""
    types = list(dict.fromkeys(signal_types))
    if not types or any(one not in WATCHABLE for one in types):
        raise MonitorRefused(f"signal_types must be a non-empty array of: {', '.join(WATCHABLE)}")
    return types


def find_monitor(session: Session, team_id: str, monitor_id: str) -> Monitor:
    """The team's monitor. Raises MonitorUnknown."""
    row = session.get(Monitor, monitor_id)
    if row is None or row.organization_id != team_id:
        raise MonitorUnknown(monitor_id)
    return row


def hold_monitor(session: Session, team_id: str, monitor_id: str) -> Monitor:
    """The team's monitor, the team held: limits of all its monitors are counted by one call at a time. Raises MonitorUnknown."""
    webhooks.hold_team(session, team_id)
    return find_monitor(session, team_id, monitor_id)


def company_ids(target: MonitorTarget) -> list[str]:
    """What signals of a resolved target's company may have as their company's id: its domain's, and its name's where a signal
    states no domain."""
    if target.company is None:
        return []
    ids = (payloads.company_id(target.company["domain"], None), payloads.company_id(None, normal_form(target.company["name"])))
    return [one for one in ids if one]


def _attach(session: Session, box: SecretBox, row: Monitor, url: str, edit: Edit, rng: Random | None) -> Webhook:
    """A webhook of the monitor's own, as active as the monitor."""
    if row.is_active:
        webhooks.check_room(session, row.organization_id)
    wanted = Filter(watch_list=row.id)
    made = webhooks.add_webhook(session, box, row.organization_id, url, _events(row), {}, wanted, edit, rng)
    row.endpoint_id = made.id
    if not row.is_active:
        subscription, endpoint = webhooks.locked(session, row.organization_id, made.id)
        webhooks.switch(session, subscription, endpoint, False, edit.now)
    session.flush()
    return made


def _detach(session: Session, row: Monitor, edit: Edit) -> None:
    if row.endpoint_id is None:
        return
    subscription, endpoint = webhooks.locked(session, row.organization_id, row.endpoint_id)
    webhooks.switch(session, subscription, endpoint, False, edit.now)
    subscription.deleted_at = edit.now
    webhooks.note(session, subscription, endpoint, edit)
    row.endpoint_id = None
    session.flush()


def _change_webhook(
    session: Session, box: SecretBox, row: Monitor, url: str | None, detaches: bool, edit: Edit, rng: Random | None
) -> Webhook | None:
    """Bring the webhook to what the monitor is now; gives it, with its secret, where it was made."""
    if row.endpoint_id is not None:
        subscription, endpoint = webhooks.locked(session, row.organization_id, row.endpoint_id)
        if detaches or url not in (None, endpoint.url):
            _detach(session, row, edit)
        else:
            if row.is_active and not subscription.is_active:
                webhooks.check_room(session, row.organization_id)
            subscription.event_types = _events(row)
            webhooks.switch(session, subscription, endpoint, row.is_active, edit.now)
            webhooks.note(session, subscription, endpoint, edit)
            return None
    return None if url is None else _attach(session, box, row, url, edit, rng)


def _events(row: Monitor) -> list[str]:
    return [str(WATCHABLE[kind]) for kind in row.signal_types]


def _shown(session: Session, row: Monitor, now: datetime, made: Webhook | None = None) -> MonitorInfo:
    session.flush()
    webhook = made
    if webhook is None and row.endpoint_id is not None:
        webhook = webhooks.any_webhook(session, row.organization_id, row.endpoint_id)
    targets = session.scalars(select(MonitorTarget).where(MonitorTarget.monitor_id == row.id)).all()
    resolved = [target for target in targets if target.company is not None]
    ids = sorted({one for target in resolved for one in company_ids(target)})
    stats = MonitorStats(
        targets=len(targets),
        resolved_targets=len(resolved),
        signals_30d=_signals_since(session, ids, now - timedelta(days=SIGNAL_DAYS)),
        last_delivery_at=webhook.last_success_at if webhook else None,
    )
    webhook = replace(webhook, is_active=row.is_active) if webhook else None
    return MonitorInfo(
        row.id, row.name, tuple(row.signal_types), row.is_active, webhook, stats, row.created_at, row.updated_at
    )  # fmt: skip


def _signals_since(session: Session, ids: Sequence[str], since: datetime) -> int:
    found = 0
    for start in range(0, len(ids), AT_ONCE):
        query = select(func.count()).select_from(Signal).where(Signal.company_id.in_(ids[start : start + AT_ONCE]))
        found += session.scalar(query.where(Signal.is_active, Signal.discovered_at >= since)) or 0
    return found

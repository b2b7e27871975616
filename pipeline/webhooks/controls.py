"""What an operator or a webhook's owner may change about it, besides its URL: its policy, headers, and whether it is sent to.

States: ``active``; ``paused`` (somebody said so: what comes is kept, and sent or given up on resume); ``disabled`` (its own
rule said so: what comes is failed, never sent, in the pull feed, and can be replayed).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pipeline.organizations.secrets import SecretBox
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery, WebhookEndpoint
from pipeline.webhooks.choosing import ACTIVE, DISABLED, PAUSED
from pipeline.webhooks.fundingscout import PROFILE_NAME
from pipeline.webhooks.outbox import AT_REST
from pipeline.webhooks.policies import Policy, policy_in_force, read_policy
from pipeline.webhooks.static_headers import seal, unseal

EXPIRED_WHILE_PAUSED = "expired_while_paused"
CHUNK = 500


class NoWebhook(LookupError):
    """The organization has no webhook."""


@dataclass(frozen=True, slots=True)
class EndpointInfo:
    """A webhook as it stands. ``header_names``: of its custom headers, whose values nobody is shown."""

    id: str
    organization_id: str
    url: str
    state: str
    reason: str | None
    state_changed_at: datetime | None
    consecutive_failures: int
    failing_since: datetime | None
    policy: Policy
    header_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResumeReport:
    """What became of the deliveries that a pause had kept."""

    pending: int
    expired: int


def get_endpoint(db: AppDatabase, box: SecretBox, organization_id: str) -> EndpointInfo | None:
    """The organization's FundingScout webhook, or None in pull-only mode. Raises SecretUnreadable."""
    with db.read() as session:
        row = _find(session, organization_id)
        return _info(row, box) if row is not None else None


def set_policy(db: AppDatabase, organization_id: str, policy: Mapping[str, Any]) -> Policy:
    """Replace the webhook's policy; an empty one is the strict promise again. Raises NoWebhook, PolicyInvalid.

    What is scheduled for a retry that the new policy does not have stays failed, as its last attempt left it.
    """
    checked = read_policy(policy)
    with db.write() as session:
        _locked(session, organization_id).policy = checked.model_dump(mode="json", exclude_defaults=True)
    return checked


def set_headers(db: AppDatabase, box: SecretBox, organization_id: str, headers: Mapping[str, str]) -> None:
    """Replace the custom headers; none removes them. Raises NoWebhook, HeaderRefused."""
    encrypted = seal(box, headers)
    with db.write() as session:
        _locked(session, organization_id).headers_encrypted = encrypted


def pause(db: AppDatabase, organization_id: str, reason: str, now: datetime) -> None:
    """Send nothing to it until resume; what waits and what comes is kept. Raises NoWebhook."""
    with db.write() as session:
        row = _locked(session, organization_id)
        if row.state != PAUSED:
            row.state, row.disabled_reason, row.state_changed_at = PAUSED, reason, now


def resume(db: AppDatabase, organization_id: str, now: datetime, older_than: timedelta | None = None) -> ResumeReport:
    """Send to it again, whether it was paused or disabled, and begin its failures at zero. Raises NoWebhook.

    What a pause had kept is sent; with ``older_than``, what waited for longer becomes ``failed: expired_while_paused``
    instead, which the pull feed shows. Safe to call again after a crash: kept deliveries are let go in chunks.
    """
    with db.write() as session:
        row = _locked(session, organization_id)
        reactivate(row, now)
        endpoint_id = row.id
    expired = _let_go(db, organization_id, endpoint_id, now, now - older_than) if older_than is not None else 0
    return ResumeReport(_let_go(db, organization_id, endpoint_id, now, None), expired)


def reactivate(row: WebhookEndpoint, now: datetime) -> None:
    """As resume, for a row in a transaction, without what a pause had kept."""
    if row.state != ACTIVE:
        row.state, row.disabled_reason, row.state_changed_at = ACTIVE, None, now
        row.consecutive_failures, row.failing_since = 0, None


def _let_go(db: AppDatabase, organization_id: str, endpoint_id: str, now: datetime, before: datetime | None) -> int:
    """Kept deliveries become pending; with ``before``, those made earlier become failed instead."""
    # By organization and status: that is how the index finds them.
    kept = select(Delivery.id).where(
        AT_REST,
        Delivery.organization_id == organization_id,
        Delivery.profile == PROFILE_NAME,
        Delivery.status == PAUSED,
        Delivery.endpoint_id == endpoint_id,
    )
    values: dict[str, Any] = {"status": "pending"}
    if before is not None:
        kept = kept.where(Delivery.created_at < before)
        values = {"status": "failed", "reason": EXPIRED_WHILE_PAUSED, "finished_at": now}
    done = 0
    while True:
        with db.write() as session:
            ids = list(session.scalars(kept.order_by(Delivery.id).limit(CHUNK).with_for_update()))
            session.execute(update(Delivery).where(Delivery.id.in_(ids)).values(**values))
        done += len(ids)
        if len(ids) < CHUNK:
            return done


def _find(session: Session, organization_id: str) -> WebhookEndpoint | None:
    query = select(WebhookEndpoint).where(
        WebhookEndpoint.organization_id == organization_id, WebhookEndpoint.profile == PROFILE_NAME
    )
    return session.scalars(query.with_for_update()).one_or_none()


def _locked(session: Session, organization_id: str) -> WebhookEndpoint:
    row = _find(session, organization_id)
    if row is None:
        raise NoWebhook("this organization has no webhook; `fundingscout webhooks set` gives it one")
    return row


def _info(row: WebhookEndpoint, box: SecretBox) -> EndpointInfo:
    return EndpointInfo(
        id=row.id,
        organization_id=row.organization_id,
        url=row.url,
        state=row.state,
        reason=row.disabled_reason if row.state in (PAUSED, DISABLED) else None,
        state_changed_at=row.state_changed_at,
        consecutive_failures=row.consecutive_failures,
        failing_since=row.failing_since,
        policy=policy_in_force(row.policy),
        header_names=tuple(sorted(unseal(box, row.headers_encrypted))),
    )

"""Claiming deliveries and settling them: the durable edge of at-most-once (FS-60, FS-61, A-FS-8, A-FS-25).

A claim is committed before a socket opens; the outcome is committed after. What lies between and finds no outcome
(the process died) becomes ``failed: unknown_outcome`` and is never sent again. What belongs here: the state machine
pending → sending → delivered | failed | no_webhook. What does not: the network.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from pipeline.store.app_database import AppDatabase
from pipeline.store.models import ApiKey, Delivery, DeliveryAttempt, WebhookEndpoint
from pipeline.webhooks.events import load_events
from pipeline.webhooks.outbox import OPEN, add_no_webhook_attempt, stale_claims, with_webhook
from pipeline.webhooks.profiles import Profile

log = logging.getLogger(__name__)

UNKNOWN_OUTCOME = "unknown_outcome"
EXPIRE_BATCH = 500


@dataclass(frozen=True, slots=True)
class Claim:
    """One delivery that this process, and no other, may send now. ``body`` is frozen: what is sent and signed."""

    delivery_id: str
    attempt_id: int
    organization_id: str
    match_id: str
    url: str
    body: bytes
    secrets_encrypted: tuple[bytes, ...]  # what signs, newest first; empty where nothing can
    claimed_at: datetime
    claimed_by: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt. ``error_class`` is a slug, None when delivered. Times aware, durations in ms.

    The four phases each count from the end of the one before; None where it was not come to, or, on a connection that
    was there already, not needed. ``is_request_sent``: False says that no byte of the request left; None is not known.
    ``retry_after``: the header of that name as it came.
    """

    is_delivered: bool
    finished_at: datetime
    duration_ms: float
    response_code: int | None = None
    response_excerpt: str | None = None
    resolved_address: str | None = None
    error_class: str | None = None
    error: str | None = None
    resolve_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    is_reused_connection: bool | None = None
    is_request_sent: bool | None = None
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What one visit to the ledger gave: claims to send, and deliveries that had lost their webhook."""

    claims: list[Claim]
    no_webhook: int


def turn(
    db: AppDatabase,
    finished: Sequence[tuple[Claim, Outcome]],
    limit: int,
    now: datetime,
    claimed_by: str,
    profile: Profile,
    busy: Mapping[str, int] | None = None,
    per_endpoint: int = 8,
) -> Turn:
    """Settle what is finished and claim up to ``limit`` more, oldest first, in one transaction (one disk write).

    ``busy`` counts this process's unfinished sends by organization; none gets beyond ``per_endpoint``.
    """
    with db.write() as session:
        _settle(session, finished)
        return _claim(session, limit, now, claimed_by, profile, busy or {}, per_endpoint)


def claim(db: AppDatabase, limit: int, now: datetime, claimed_by: str, profile: Profile, per_endpoint: int = 8) -> list[Claim]:
    """Claim up to ``limit`` pending deliveries, oldest first. No two callers get the same one."""
    return turn(db, [], limit, now, claimed_by, profile, per_endpoint=per_endpoint).claims


def finish(db: AppDatabase, claimed: Claim, outcome: Outcome) -> None:
    """Record the outcome of a claim. One that was given up as unknown meanwhile is set right."""
    with db.write() as session:
        _settle(session, [(claimed, outcome)])


def expire(db: AppDatabase, now: datetime, budget_seconds: float) -> int:
    """Claims whose sender must be dead become ``failed: unknown_outcome``; gives how many. Never sent again."""
    given_up = 0
    while count := _expire_some(db, now, budget_seconds):
        given_up += count
    if given_up:
        log.warning("%d deliveries were claimed by a process that is gone: failed, outcome unknown", given_up)
    return given_up


def _expire_some(db: AppDatabase, now: datetime, budget_seconds: float) -> int:
    with db.write() as session:
        ids = list(session.scalars(stale_claims(now, budget_seconds).limit(EXPIRE_BATCH).with_for_update(skip_locked=True)))
        session.execute(
            update(Delivery).where(Delivery.id.in_(ids)).values(status="failed", reason=UNKNOWN_OUTCOME, finished_at=now)
        )
        session.execute(
            update(DeliveryAttempt)
            .where(DeliveryAttempt.delivery_id.in_(ids), DeliveryAttempt.outcome == "sending")
            .values(
                outcome="failed",
                error_class=UNKNOWN_OUTCOME,
                error="the sending process ended before it recorded an outcome; the receiver may have got it",
                finished_at=now,
                is_mirrored=False,
            )
        )
    return len(ids)


def _claim(
    session: Session,
    limit: int,
    now: datetime,
    claimed_by: str,
    profile: Profile,
    busy: Mapping[str, int],
    per_endpoint: int,
) -> Turn:
    chosen = _choose(session, limit, profile, Counter(busy), per_endpoint)
    endpoints = with_webhook(session, {row.organization_id for row in chosen})
    sendable = [row for row in chosen if row.organization_id in endpoints]
    events = load_events(session, chosen, now)
    secrets = _signing_secrets(session, endpoints, now)
    attempts: list[DeliveryAttempt] = []
    for row in sendable:
        body = profile.body(events[row.id].event)
        row.status, row.body, row.claimed_at, row.claimed_by = "sending", body, now, claimed_by
        row.attempts += 1
        row.endpoint_id = endpoints[row.organization_id].id
        attempts.append(
            DeliveryAttempt(
                delivery_id=row.id,
                number=row.attempts,
                trigger=events[row.id].origin,
                endpoint_url=endpoints[row.organization_id].url,
                body_sha256=hashlib.sha256(body.encode()).hexdigest(),
                started_at=now,
                outcome="sending",
            )
        )
    lost = [row for row in chosen if row.organization_id not in endpoints]
    for row in lost:
        row.status, row.finished_at = "no_webhook", now
        add_no_webhook_attempt(session, row.id, events[row.id].origin, now)
    session.add_all(attempts)
    session.flush()
    claims = [
        Claim(
            delivery_id=row.id,
            attempt_id=attempt.id,
            organization_id=row.organization_id,
            match_id=row.match_id or row.id,
            url=endpoints[row.organization_id].url,
            body=(row.body or "").encode(),
            secrets_encrypted=secrets.get(row.organization_id, ()),
            claimed_at=now,
            claimed_by=claimed_by,
        )
        for row, attempt in zip(sendable, attempts, strict=True)
    ]
    return Turn(claims, len(lost))


def _choose(session: Session, limit: int, profile: Profile, busy: Counter[str], per_endpoint: int) -> list[Delivery]:
    """The oldest pending deliveries, passing over organizations that have as many under way as they may."""
    chosen: list[Delivery] = []
    full = {organization for organization, count in busy.items() if count >= per_endpoint}
    while len(chosen) < limit:
        query = select(Delivery).where(OPEN, Delivery.status == "pending", Delivery.profile == profile.name)
        query = query.where(Delivery.organization_id.not_in(sorted(full)), Delivery.id.not_in([row.id for row in chosen]))
        query = query.order_by(Delivery.created_at, Delivery.id).limit(limit - len(chosen)).with_for_update(skip_locked=True)
        rows = list(session.scalars(query))
        if not rows:
            break
        for row in rows:
            if busy[row.organization_id] < per_endpoint:
                busy[row.organization_id] += 1
                chosen.append(row)
            if busy[row.organization_id] >= per_endpoint:
                full.add(row.organization_id)
    return chosen


def _signing_secrets(session: Session, endpoints: Mapping[str, WebhookEndpoint], now: datetime) -> dict[str, tuple[bytes, ...]]:
    """By organization: the secret of the key that registered the URL, else of the newest active key (A-FS-5).

    While a rotation overlaps, the key's previous secret comes second (A-FS-22).
    """
    query = select(ApiKey).where(ApiKey.organization_id.in_(sorted(endpoints)), ApiKey.revoked_at.is_(None))
    secrets: dict[str, tuple[bytes, ...]] = {}
    registering: set[str] = set()
    for key in session.scalars(query.order_by(ApiKey.created_at, ApiKey.id)):
        if key.organization_id in registering:
            continue
        if endpoints[key.organization_id].key_id == key.id:
            registering.add(key.organization_id)
        overlaps = key.previous_secret_until is not None and now < key.previous_secret_until
        previous = key.previous_secret_encrypted if overlaps else None
        secrets[key.organization_id] = (key.webhook_secret_encrypted, *([previous] if previous else []))
    return secrets


def _settle(session: Session, finished: Sequence[tuple[Claim, Outcome]]) -> None:
    if not finished:
        return
    rows = [_settled(claimed, outcome) for claimed, outcome in finished]
    connection = session.connection()
    connection.execute(
        update(Delivery)
        .where(
            Delivery.id == bindparam("of_delivery"),
            Delivery.claimed_by == bindparam("by"),
            Delivery.claimed_at == bindparam("at"),
            or_(Delivery.status == "sending", Delivery.reason == UNKNOWN_OUTCOME),
        )
        .values(
            status=bindparam("to_status"),
            reason=bindparam("to_error_class"),
            response_code=bindparam("to_code"),
            response_excerpt=bindparam("to_excerpt"),
            finished_at=bindparam("to_finished_at"),
        ),
        rows,
    )
    connection.execute(
        update(DeliveryAttempt)
        .where(DeliveryAttempt.id == bindparam("of_attempt"))
        .values(
            outcome=bindparam("to_status"),
            response_code=bindparam("to_code"),
            response_excerpt=bindparam("to_excerpt"),
            resolved_address=bindparam("to_address"),
            duration_ms=bindparam("to_duration_ms"),
            resolve_ms=bindparam("to_resolve_ms"),
            connect_ms=bindparam("to_connect_ms"),
            tls_ms=bindparam("to_tls_ms"),
            first_byte_ms=bindparam("to_first_byte_ms"),
            is_reused_connection=bindparam("to_is_reused"),
            is_request_sent=bindparam("to_is_request_sent"),
            error_class=bindparam("to_error_class"),
            error=bindparam("to_error"),
            finished_at=bindparam("to_finished_at"),
            is_mirrored=False,
        ),
        rows,
    )


def _settled(claimed: Claim, outcome: Outcome) -> dict[str, object]:
    return {
        "of_delivery": claimed.delivery_id,
        "of_attempt": claimed.attempt_id,
        "by": claimed.claimed_by,
        "at": claimed.claimed_at,
        "to_status": "delivered" if outcome.is_delivered else "failed",
        "to_error_class": outcome.error_class,
        "to_error": outcome.error,
        "to_code": outcome.response_code,
        "to_excerpt": outcome.response_excerpt,
        "to_address": outcome.resolved_address,
        "to_duration_ms": outcome.duration_ms,
        "to_resolve_ms": outcome.resolve_ms,
        "to_connect_ms": outcome.connect_ms,
        "to_tls_ms": outcome.tls_ms,
        "to_first_byte_ms": outcome.first_byte_ms,
        "to_is_reused": outcome.is_reused_connection,
        "to_is_request_sent": outcome.is_request_sent,
        "to_finished_at": outcome.finished_at,
    }

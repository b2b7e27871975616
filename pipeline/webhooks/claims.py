"""Claiming deliveries: the durable edge of at-most-once (FS-60, FS-61, A-FS-8, A-FS-25).

A claim is committed before a socket opens; the outcome is committed after. What lies between and finds no outcome
(the process died) becomes ``failed: unknown_outcome`` and is never sent again, unless its owner opted into that. What
belongs here: the visit to the ledger. What does not: which deliveries may go (webhooks.choosing), what an outcome
changes (webhooks.settling), the network.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt, WebhookEndpoint
from pipeline.store.tables.organizations import ApiKey
from pipeline.webhooks.attempts import UNKNOWN_OUTCOME, Claim, Outcome
from pipeline.webhooks.choosing import DISABLED, RETRY, TEST, Choice, choose, promote_due
from pipeline.webhooks.events import LoadedEvent, load_events
from pipeline.webhooks.ledger_writes import Beginning, begin_attempts
from pipeline.webhooks.outbox import SCHEDULED, add_no_webhook_attempt, is_beyond_all_delays, stale_claims
from pipeline.webhooks.policies import next_attempt_at, policy_in_force
from pipeline.webhooks.profiles import Chosen, Profile
from pipeline.webhooks.settling import settle
from pipeline.webhooks.waiting import Endpoint, Waiting

log = logging.getLogger(__name__)

EXPIRE_BATCH = 500
PER_ENDPOINT = 8
CLAIM_SECONDS = 6.0
ENDPOINT_DISABLED, NO_BODY = "endpoint_disabled", "no_body"
_KEYS = ApiKey.__table__.c
_ACTIVE_KEYS = (
    select(
        _KEYS.id,
        _KEYS.organization_id,
        _KEYS.webhook_secret_encrypted,
        _KEYS.previous_secret_encrypted,
        _KEYS.previous_secret_until,
    )
    .where(_KEYS.organization_id.in_(bindparam("organizations", expanding=True)), _KEYS.revoked_at.is_(None))
    .order_by(_KEYS.created_at, _KEYS.id)
)
_CHANCE = Random()  # noqa: S311 - spreads retries, guards nothing


@dataclass(frozen=True, slots=True)
class Turn:
    """What one visit to the ledger gave: claims to send, deliveries that had lost their webhook, others set aside.

    ``next_at``: when the first endpoint held back by its rate limit may be sent to again.
    """

    claims: list[Claim]
    no_webhook: int
    set_aside: int = 0
    next_at: datetime | None = None


def turn(
    db: AppDatabase,
    finished: Sequence[tuple[Claim, Outcome]],
    limit: int,
    now: datetime,
    claimed_by: str,
    profile: Profile,
    busy: Mapping[str, int] | None = None,
    per_endpoint: int = PER_ENDPOINT,
    claim_seconds: float = CLAIM_SECONDS,
    only: Collection[str] | None = None,
    rng: Random = _CHANCE,
) -> Turn:
    """Settle what is finished and claim up to ``limit`` more, oldest first, in one transaction (one disk write).

    ``busy`` counts this process's unfinished sends by endpoint id; none gets beyond ``per_endpoint``, or what its policy
    says. ``only``: claim none but these. ``rng`` gives the jitter of retries.
    """
    with db.write() as session:
        settle(session, finished, rng)
        if profile.settled is not None:
            profile.settled(session, now)
        if limit <= 0:
            return Turn([], 0)
        session.flush()  # what follows is read past the mapper
        promote_due(session, now)
        choice = choose(session, limit, now, profile, busy or {}, per_endpoint, claim_seconds, only)
        if profile.admit is not None and choice.go:
            choice.go, set_aside = profile.admit(session, choice.go, now)
            choice.set_aside += set_aside
        return _claim(session, choice, now, claimed_by, profile)


def claim(
    db: AppDatabase, limit: int, now: datetime, claimed_by: str, profile: Profile, per_endpoint: int = PER_ENDPOINT
) -> list[Claim]:
    """Claim up to ``limit`` pending deliveries, oldest first. No two callers get the same one."""
    return turn(db, [], limit, now, claimed_by, profile, per_endpoint=per_endpoint).claims


def finish(db: AppDatabase, claimed: Claim, outcome: Outcome, rng: Random = _CHANCE) -> None:
    """Record the outcome of a claim. One that was given up as unknown meanwhile is set right."""
    with db.write() as session:
        settle(session, [(claimed, outcome)], rng)


def expire(db: AppDatabase, now: datetime, budget_seconds: float, rng: Random = _CHANCE) -> int:
    """Claims whose sender must be dead become ``failed: unknown_outcome``; gives how many.

    Never sent again by itself, but where the owner's policy names this very cause.
    """
    _mend_schedule(db, now)
    given_up = 0
    while count := _expire_some(db, now, budget_seconds, rng):
        given_up += count
    if given_up:
        log.warning("%d deliveries were claimed by a process that is gone: failed, outcome unknown", given_up)
    return given_up


def _mend_schedule(db: AppDatabase, now: datetime) -> None:
    """What was scheduled while a clock was ahead of time is due now; else it would wait until that day."""
    wrong = select(Delivery.id).where(SCHEDULED, is_beyond_all_delays(now))
    with db.read() as session:
        if session.scalar(wrong.limit(1)) is None:
            return
    with db.write() as session:
        session.execute(update(Delivery).where(Delivery.id.in_(wrong)).values(next_attempt_at=now))


def _expire_some(db: AppDatabase, now: datetime, budget_seconds: float, rng: Random) -> int:
    with db.write() as session:
        ids = list(session.scalars(stale_claims(now, budget_seconds).limit(EXPIRE_BATCH).with_for_update(skip_locked=True)))
        if not ids:
            return 0
        session.execute(
            update(Delivery)
            .where(Delivery.id.in_(ids))
            .values(status="failed", reason=UNKNOWN_OUTCOME, finished_at=now, next_trigger=None)
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
        _schedule_unknown(session, ids, now, rng)
    return len(ids)


def _schedule_unknown(session: Session, ids: Sequence[str], now: datetime, rng: Random) -> None:
    """A second try of what may have arrived: where the owner's policy asks for it, and says so by that name."""
    query = select(Delivery, WebhookEndpoint).join(WebhookEndpoint, WebhookEndpoint.id == Delivery.endpoint_id)
    for delivery, endpoint in session.execute(query.where(Delivery.id.in_(ids), Delivery.event_type != TEST)):
        policy = policy_in_force(endpoint.policy)
        again = next_attempt_at(policy, delivery.attempts, UNKNOWN_OUTCOME, None, None, now, rng)
        if again is not None:
            delivery.status, delivery.finished_at = "scheduled", None
            delivery.next_attempt_at, delivery.next_trigger = again, RETRY


def _claim(session: Session, choice: Choice, now: datetime, claimed_by: str, profile: Profile) -> Turn:
    fresh = [row for row in (*(row for row, _ in choice.go), *choice.lost, *choice.disabled) if row.body is None]
    events = load_events(session, fresh, now)
    by_key = {endpoint.organization_id: endpoint for _, endpoint in choice.go if endpoint.secret_encrypted is None}
    secrets = _signing_secrets(session, by_key, now)
    beginnings, broken = _begin_all(choice, events, profile)
    for row in choice.lost:
        _lose_webhook(session, row, events.get(row.id), now)
    for row in choice.disabled:
        why = f"the webhook is {DISABLED}; see `fundingscout webhooks show`"
        _fail_unsent(session, row, events.get(row.id), now, ENDPOINT_DISABLED, why)
    for row, why in broken:
        _fail_unsent(session, row, events.get(row.id), now, NO_BODY, why)
    session.flush()
    attempt_ids = begin_attempts(session, beginnings, now, claimed_by)
    _write_aside(session, choice)
    claims = [
        Claim(
            delivery_id=row.id,
            attempt_id=attempt_ids[row.id],
            organization_id=row.organization_id,
            match_id=row.match_id,
            message_id=row.event_id or row.match_id or row.id,
            url=endpoint.url,
            body=beginning.sent,
            secrets_encrypted=(own,) if (own := endpoint.secret_encrypted) else secrets.get(row.organization_id, ()),
            claimed_at=now,
            claimed_by=claimed_by,
            endpoint_id=endpoint.id,
            number=beginning.number,
            trigger=beginning.trigger,
            headers_encrypted=endpoint.headers_encrypted,
            policy=policy_in_force(endpoint.policy),
            was_failing=endpoint.consecutive_failures > 0 or bool(endpoint.policy),
        )
        for (row, endpoint), beginning in zip(choice.go, beginnings, strict=True)
    ]
    return Turn(claims, len(choice.lost), choice.set_aside + len(choice.disabled) + len(broken), choice.next_at)


def _begin_all(
    choice: Choice, events: Mapping[str, LoadedEvent], profile: Profile
) -> tuple[list[Beginning], list[tuple[Waiting, str]]]:
    """The beginnings of what goes, and what can't: one delivery without a body, or with one that can't be written, is taken
    out of what goes, with the reason. Else it would end this visit and all that come after it."""
    beginnings: list[Beginning] = []
    broken: list[tuple[Waiting, str]] = []
    going: Chosen = []
    for row, endpoint in choice.go:
        try:
            beginnings.append(_begin(row, endpoint, events.get(row.id), profile))
            going.append((row, endpoint))
        except (LookupError, TypeError, ValueError) as error:
            log.exception("delivery %s can't be sent: its body can't be made", row.id)
            broken.append((row, f"its body can't be made: {type(error).__name__}"))
    choice.go = going
    return beginnings, broken


def _begin(row: Waiting, endpoint: Endpoint, event: LoadedEvent | None, profile: Profile) -> Beginning:
    body = row.body
    if body is None:
        if event is None:
            raise LookupError(f"delivery {row.id} has neither a body nor a match to make one from")
        body = profile.body(event.event)
    sent = body.encode()
    return Beginning(
        delivery_id=row.id,
        endpoint_id=endpoint.id,
        endpoint_url=endpoint.url,
        body=body,
        sent=sent,
        body_sha256=hashlib.sha256(sent).hexdigest(),
        number=row.attempts + 1,
        trigger=row.next_trigger or (event.origin if event else "live"),
    )


def _write_aside(session: Session, choice: Choice) -> None:
    """What the visit changed of deliveries that don't go, and of rate limits."""
    going = {row.id for row, _ in choice.go}
    changed = [
        {
            "of": row.id,
            "to_status": row.status,
            "to_reason": row.reason,
            "to_end": row.finished_at,
            "to_trigger": row.next_trigger,
            "to_endpoint": row.endpoint_id,
        }
        for row in choice.looked_at
        if row.id not in going and (row.is_moved or row.status != "pending")
    ]
    connection = session.connection()
    if changed:
        connection.execute(
            update(Delivery)
            .where(Delivery.id == bindparam("of"))
            .values(
                status=bindparam("to_status"),
                reason=bindparam("to_reason"),
                finished_at=bindparam("to_end"),
                next_trigger=bindparam("to_trigger"),
                endpoint_id=bindparam("to_endpoint"),
            ),
            changed,
        )
    if choice.paced:
        connection.execute(
            update(WebhookEndpoint).where(WebhookEndpoint.id == bindparam("of")).values(paced_until=bindparam("to")),
            [{"of": one, "to": until} for one, until in sorted(choice.paced.items())],
        )


def _lose_webhook(session: Session, row: Waiting, event: LoadedEvent | None, now: datetime) -> None:
    row.finished_at = now
    if row.attempts:
        row.status = "failed"  # it was tried while there was a webhook; what became of that stays
    else:
        row.status = "no_webhook"
        if row.next_trigger is None:  # else it was asked for again: attempt 0 is there
            add_no_webhook_attempt(session, row.id, event.origin if event else "live", now)
    row.next_trigger = None


def _fail_unsent(session: Session, row: Waiting, event: LoadedEvent | None, now: datetime, reason: str, why: str) -> None:
    """It can't go: failed, so that the pull feed shows it, and recorded as never sent."""
    row.status, row.finished_at = "failed", now
    if not row.attempts:
        row.reason = reason
        if row.next_trigger is None:
            session.add(
                DeliveryAttempt(
                    delivery_id=row.id,
                    number=0,
                    trigger=event.origin if event else "live",
                    started_at=now,
                    finished_at=now,
                    outcome="failed",
                    error_class=reason,
                    error=why,
                    is_request_sent=False,
                )
            )
    row.next_trigger = None


def _signing_secrets(session: Session, endpoints: Mapping[str, Endpoint], now: datetime) -> dict[str, tuple[bytes, ...]]:
    """By organization: the secret of the key that registered the URL, else of the newest active key (A-FS-5).

    While a rotation overlaps, the key's previous secret comes second (A-FS-22).
    """
    if not endpoints:
        return {}
    found: Iterable[Any] = session.connection().execute(_ACTIVE_KEYS, {"organizations": sorted(endpoints)})
    secrets: dict[str, tuple[bytes, ...]] = {}
    registering: set[str] = set()
    for key_id, organization_id, secret, previous, until in found:
        if organization_id in registering:
            continue
        if endpoints[organization_id].key_id == key_id:
            registering.add(organization_id)
        overlaps = until is not None and now < until
        secrets[organization_id] = (secret, previous) if previous and overlaps else (secret,)
    return secrets

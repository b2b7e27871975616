"""Settling attempts: the outcome into the ledger, the next attempt where the owner opted into one, the endpoint's standing.

What belongs here: what one finished attempt changes. What does not: claiming (webhooks.claims), the rules of a policy
(webhooks.policies). Settling twice changes nothing the second time.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from random import Random

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from pipeline.store.tables.deliveries import DeliveryAttempt, OperatorNotice, WebhookEndpoint
from pipeline.store.tables.organizations import Organization
from pipeline.webhooks.attempts import NO_SIGNING_KEY, UNKNOWN_OUTCOME, Claim, Outcome
from pipeline.webhooks.choosing import DISABLED, RETRY, TEST
from pipeline.webhooks.ledger_writes import Settlement, end_attempts
from pipeline.webhooks.policies import GONE, is_to_be_disabled, next_attempt_at, policy_in_force
from pipeline.webhooks.urls import shown_url

log = logging.getLogger(__name__)

Finished = Sequence[tuple[Claim, Outcome]]


def settle(session: Session, finished: Finished, rng: Random) -> None:
    """Record what became of these claims. One that was given up as unknown meanwhile is set right."""
    if not finished:
        return
    # By id, as all who lock several deliveries do: two of them never wait for each other.
    finished = sorted(finished, key=lambda pair: pair[0].delivery_id)
    rows = [_settled(claimed, outcome, rng) for claimed, outcome in finished]
    news = _not_settled_before(session, finished)
    end_attempts(session, rows)
    _note_standing(session, news)


def _settled(claimed: Claim, outcome: Outcome, rng: Random) -> Settlement:
    again = None
    if not outcome.is_delivered and claimed.trigger != TEST:
        again = next_attempt_at(
            claimed.policy,
            claimed.number,
            outcome.error_class,
            outcome.response_code,
            outcome.retry_after,
            outcome.finished_at,
            rng,
        )
    ended = "delivered" if outcome.is_delivered else "failed"
    return Settlement(
        delivery_id=claimed.delivery_id,
        claimed_by=claimed.claimed_by,
        claimed_at=claimed.claimed_at,
        number=claimed.number,
        attempt_id=claimed.attempt_id,
        to_status="scheduled" if again else ended,
        to_outcome=ended,
        next_attempt_at=again,
        next_trigger=RETRY if again else None,
        ended_at=None if again else outcome.finished_at,
        finished_at=outcome.finished_at,
        response_code=outcome.response_code,
        response_excerpt=outcome.response_excerpt,
        error_class=outcome.error_class,
        error=outcome.error,
        resolved_address=outcome.resolved_address,
        duration_ms=outcome.duration_ms,
        resolve_ms=outcome.resolve_ms,
        connect_ms=outcome.connect_ms,
        tls_ms=outcome.tls_ms,
        first_byte_ms=outcome.first_byte_ms,
        is_reused_connection=outcome.is_reused_connection,
        is_request_sent=outcome.is_request_sent,
    )


def _not_settled_before(session: Session, finished: Finished) -> Finished:
    """Those that count for their endpoint: a settlement that is tried again after a lost connection counts once."""
    if all(outcome.is_delivered for _, outcome in finished):
        return finished
    ids = [claimed.attempt_id for claimed, _ in finished]
    query = select(DeliveryAttempt.id).where(
        DeliveryAttempt.id.in_(ids),
        or_(DeliveryAttempt.outcome == "sending", DeliveryAttempt.error_class == UNKNOWN_OUTCOME),
    )
    new = set(session.scalars(query))
    return [(claimed, outcome) for claimed, outcome in finished if claimed.attempt_id in new]


def _note_standing(session: Session, finished: Finished) -> None:
    """How many deliveries in a row failed, per endpoint; and the end of an endpoint whose owner wants one."""
    by_endpoint: defaultdict[str, list[Outcome]] = defaultdict(list)
    may_recover: set[str] = set()
    tested: set[str] = set()
    for claimed, outcome in finished:
        if outcome.error_class != NO_SIGNING_KEY and claimed.endpoint_id:
            if claimed.trigger == TEST:
                tested.add(claimed.endpoint_id)
            by_endpoint[claimed.endpoint_id].append(outcome)
            if claimed.was_failing:
                may_recover.add(claimed.endpoint_id)
    well = {lane for lane, outcomes in by_endpoint.items() if all(outcome.is_delivered for outcome in outcomes)}
    failing = sorted(by_endpoint.keys() - well)
    if well & may_recover:
        recovered = update(WebhookEndpoint).where(
            WebhookEndpoint.id.in_(sorted(well & may_recover)), WebhookEndpoint.consecutive_failures > 0
        )
        session.execute(recovered.values(consecutive_failures=0, failing_since=None))
    if failing:
        query = select(WebhookEndpoint).where(WebhookEndpoint.id.in_(failing)).order_by(WebhookEndpoint.id)
        query = query.with_for_update().execution_options(populate_existing=True)
        for endpoint in session.scalars(query):
            outcomes = sorted(by_endpoint[endpoint.id], key=lambda outcome: outcome.finished_at)
            # A test counts as what it was, but ends nothing: the next delivery that fails will.
            _count_failures(session, endpoint, outcomes, may_disable=endpoint.id not in tested)


def _count_failures(session: Session, endpoint: WebhookEndpoint, outcomes: Sequence[Outcome], may_disable: bool) -> None:
    for outcome in outcomes:
        if outcome.is_delivered:
            endpoint.consecutive_failures, endpoint.failing_since = 0, None
            continue
        endpoint.consecutive_failures += 1
        endpoint.failing_since = endpoint.failing_since or outcome.finished_at
    last = outcomes[-1]
    rule = policy_in_force(endpoint.policy).disable_after
    if endpoint.state != "active" or rule is None or last.is_delivered or not may_disable:
        return
    is_gone = last.response_code == GONE
    if is_gone or is_to_be_disabled(rule, endpoint.consecutive_failures, endpoint.failing_since, last.finished_at):
        _disable(session, endpoint, last, is_gone)


def _disable(session: Session, endpoint: WebhookEndpoint, last: Outcome, is_gone: bool) -> None:
    since: datetime = endpoint.failing_since or last.finished_at
    if is_gone:
        why = "it answered 410 Gone"
    else:
        why = f"{endpoint.consecutive_failures} deliveries in a row failed since {since:%Y-%m-%d %H:%M} UTC"
    endpoint.state, endpoint.state_changed_at = DISABLED, last.finished_at
    endpoint.disabled_reason = f"{why}; the last: {last.error_class}, {last.error or 'no text'}"
    owner = session.scalar(select(Organization.slug).where(Organization.id == endpoint.organization_id))
    session.add(
        OperatorNotice(
            kind="endpoint_disabled",
            organization_id=endpoint.organization_id,
            endpoint_id=endpoint.id,
            message=f"The webhook {shown_url(endpoint.url)} of {owner} was disabled: {endpoint.disabled_reason}",
            details={
                "url": shown_url(endpoint.url),
                "consecutive_failures": endpoint.consecutive_failures,
                "failing_since": since.isoformat(),
                "error_class": last.error_class,
                "response_code": last.response_code,
            },
            created_at=last.finished_at,
            status="open",
            attempts=0,
        )
    )

"""Which pending deliveries may go now: oldest first, each endpoint within its bounds, none holding up another.

What belongs here: the gates that a delivery passes before it is claimed (webhook there, active, share, rate), and
finding deliveries behind others that may not go yet. What does not: claiming (webhooks.claims). What a visit costs is
bounded by what it gives, however much waits for endpoints that take nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Text, bindparam, column, func, select, text, update
from sqlalchemy.orm import Session

from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.matches import Match
from pipeline.webhooks.outbox import OPEN, SCHEDULED
from pipeline.webhooks.policies import STRICT, Policy, next_send_at, paced_after, policy_in_force, sends_allowed
from pipeline.webhooks.profiles import Chosen, Profile
from pipeline.webhooks.waiting import Endpoint, Waiting, endpoints, endpoints_locked, endpoints_of, oldest, oldest_locked

ACTIVE, PAUSED, DISABLED = "active", "paused", "disabled"
TEST, RETRY = "test", "retry"
# Said word for word as the partial indexes have it.
PENDING = text("deliveries.status = 'pending'")
# Endpoints looked at in one visit, once the oldest deliveries may not go.
MOST_LANES = 200
PROMOTED_AT_ONCE = 500

_LANES = text(
    """
    WITH RECURSIVE lanes (lane) AS (
        SELECT min(endpoint_id) FROM deliveries
        WHERE deliveries.status = 'pending' AND profile = :profile AND endpoint_id > :after
        UNION ALL
        SELECT (
            SELECT min(endpoint_id) FROM deliveries
            WHERE deliveries.status = 'pending' AND profile = :profile AND endpoint_id > lanes.lane
        )
        FROM lanes WHERE lanes.lane IS NOT NULL
    )
    SELECT lane FROM lanes WHERE lane IS NOT NULL LIMIT :most
    """
).columns(column("lane", Text))

# Statements are made once: building them took more than running them.
_ROWS = Delivery.__table__.c
_OF_PROFILE = _ROWS.profile == bindparam("profile")
_OLDEST = oldest(OPEN, _ROWS.status == "pending", _OF_PROFILE)
_OLDEST_OF_THESE = oldest(OPEN, _ROWS.status == "pending", _OF_PROFILE, _ROWS.id.in_(bindparam("only", expanding=True)))
_OLDEST_OF_LANE = oldest(PENDING, _OF_PROFILE, _ROWS.endpoint_id == bindparam("lane"))
_DUE = (
    select(_ROWS.id)
    .where(SCHEDULED, _ROWS.next_attempt_at <= bindparam("now"))
    .order_by(_ROWS.next_attempt_at, _ROWS.id)
    .limit(PROMOTED_AT_ONCE)
    .with_for_update(skip_locked=True)
)


@dataclass(slots=True)
class Choice:
    """What may go, each with its endpoint; what has lost its webhook; how many were set aside with their endpoint.

    ``next_at``: when the first endpoint that is held back by its rate limit may be sent to again. ``looked_at``: all
    deliveries that were locked for this; ``paced``: by endpoint id, how far rate limits are used up now.
    """

    go: Chosen = field(default_factory=list)
    lost: list[Waiting] = field(default_factory=list)
    disabled: list[Waiting] = field(default_factory=list)
    looked_at: list[Waiting] = field(default_factory=list)
    paced: dict[str, datetime] = field(default_factory=dict)
    set_aside: int = 0
    next_at: datetime | None = None


def promote_due(session: Session, now: datetime) -> int:
    """Scheduled deliveries whose time has come are pending again; gives how many."""
    ids: list[str] = list(session.connection().scalars(_DUE, {"now": now}))
    if ids:
        session.execute(update(Delivery).where(Delivery.id.in_(ids)).values(status="pending", next_attempt_at=None))
    return len(ids)


def choose(
    session: Session,
    limit: int,
    now: datetime,
    profile: Profile,
    busy: Mapping[str, int],
    per_endpoint: int,
    claim_seconds: float,
    only: Collection[str] | None = None,
) -> Choice:
    """Up to ``limit`` deliveries that may go, their rows locked.

    ``busy``: this process's unfinished sends by endpoint; none gets beyond ``per_endpoint``, but where its policy says
    otherwise: then all processes' claims of the last ``claim_seconds`` count. ``only``: none but these deliveries.
    """
    gates = _Gates(session, now, profile, Counter(busy), per_endpoint, claim_seconds)
    if only is not None:
        gates.offer(oldest_locked(session, _OLDEST_OF_THESE, profile=profile.name, most=limit, only=sorted(only)), limit)
        return gates.choice
    rows = oldest_locked(session, _OLDEST, profile=profile.name, most=limit)
    gates.offer(rows, limit)
    if len(rows) == limit and len(gates.choice.go) < limit:
        _choose_by_lane(session, limit, profile, gates)
    return gates.choice


def _choose_by_lane(session: Session, limit: int, profile: Profile, gates: _Gates) -> None:
    """The oldest deliveries wait for endpoints that may not be sent to: look at the other endpoints, one by one."""
    # Where to begin changes from visit to visit, so that among very many endpoints none is always last.
    begin = max(gates.blocked, default="")
    lanes = _lanes(session, profile, begin, MOST_LANES)
    if begin and len(lanes) < MOST_LANES:
        lanes += [lane for lane in _lanes(session, profile, "", MOST_LANES - len(lanes)) if lane <= begin]
    lanes = [lane for lane in lanes if lane not in gates.blocked]
    gates.load_endpoints(lanes)
    for lane in lanes:
        missing = limit - len(gates.choice.go)
        if not missing:
            return
        room = min(missing, gates.room(lane))
        if room:
            gates.offer(oldest_locked(session, _OLDEST_OF_LANE, profile=profile.name, lane=lane, most=room), limit)


def _lanes(session: Session, profile: Profile, after: str, most: int) -> list[str]:
    """Endpoints that deliveries wait for, by id, each found by one look into the index."""
    return list(session.scalars(_LANES, {"profile": profile.name, "after": after, "most": most}))


class _Gates:
    """What each endpoint still takes in this visit."""

    def __init__(
        self, session: Session, now: datetime, profile: Profile, busy: Counter[str], per_endpoint: int, claim_seconds: float
    ) -> None:
        self.choice = Choice()
        self.blocked: set[str] = set()
        self._session = session
        self._now = now
        self._profile = profile
        self._busy = busy
        self._per_endpoint = per_endpoint
        self._claimed_since = now - timedelta(seconds=claim_seconds)
        self._seen: set[str] = set()
        self._hidden: set[str] = set()
        self._by_id: dict[str, Endpoint] = {}
        self._by_organization: dict[str, Endpoint] = {}
        self._policies: dict[str, Policy] = {}
        self._everywhere: Counter[str] | None = None

    def offer(self, rows: Sequence[Waiting], limit: int) -> None:
        """Let through what may go, up to ``limit`` in all; set aside what its endpoint won't take at all."""
        self._load({row.endpoint_id for row in rows if row.endpoint_id}, set())
        # Those whose endpoint is gone, or was never said, go where their organization is told now.
        self._load(set(), {row.organization_id for row in rows if row.endpoint_id not in self._by_id})
        again = [row.match_id for row in rows if row.attempts and row.match_id]
        self._hidden = set()
        if again:
            hidden = select(Match.id).where(Match.id.in_(again), Match.hidden_at.is_not(None))
            self._hidden = set(self._session.scalars(hidden))
        for row in rows:
            if row.id in self._seen:
                continue
            self._seen.add(row.id)
            self.choice.looked_at.append(row)
            endpoint = self._by_id.get(row.endpoint_id or "") or self._by_organization.get(row.organization_id)
            if endpoint is None:
                self.choice.lost.append(row)
                continue
            if row.endpoint_id != endpoint.id:
                row.endpoint_id, row.is_moved = endpoint.id, True
            if len(self.choice.go) < limit and self._passes(row, endpoint):
                self.choice.go.append((row, endpoint))

    def load_endpoints(self, ids: Collection[str]) -> None:
        """Have these endpoints at hand."""
        self._load(set(ids), set())

    def room(self, lane: str) -> int:
        """How many more sends this endpoint takes now."""
        endpoint = self._by_id.get(lane)
        if endpoint is None or endpoint.state != ACTIVE:
            return 1_000  # each row will be set aside
        policy = self._policies[lane]
        if policy.max_concurrency is None:
            room = self._per_endpoint - self._busy[lane]
        else:
            room = policy.max_concurrency - self._under_way_everywhere()[lane]
        if policy.rate_limit is not None:
            room = min(room, sends_allowed(policy.rate_limit, endpoint.paced_until, self._now))
            if room <= 0:
                self._note_next(next_send_at(policy.rate_limit, endpoint.paced_until, self._now))
        return max(0, room)

    def _passes(self, row: Waiting, endpoint: Endpoint) -> bool:
        if row.next_trigger == TEST:
            return True  # somebody asked for it, to see whether an endpoint works again
        if endpoint.id in self.blocked:
            return False
        if endpoint.state == PAUSED:
            row.status = PAUSED
            self.choice.set_aside += 1
            return False
        if endpoint.state == DISABLED:
            self.choice.disabled.append(row)
            return False
        policy = self._policies[endpoint.id]
        if row.match_id in self._hidden or (row.next_trigger == RETRY and policy.retry is None):
            # The CRM row was deleted meanwhile, or the owner has taken the opt-in back: it stays with the last attempt.
            row.status, row.finished_at = "failed", self._now
            self.choice.set_aside += 1
            return False
        if self.room(endpoint.id) <= 0:
            self.blocked.add(endpoint.id)
            return False
        self._busy[endpoint.id] += 1
        if self._everywhere is not None:
            self._everywhere[endpoint.id] += 1
        if policy.rate_limit is not None:
            endpoint.paced_until = paced_after(policy.rate_limit, endpoint.paced_until, self._now, 1)
            self.choice.paced[endpoint.id] = endpoint.paced_until
        return True

    def _load(self, ids: set[str], organizations: set[str]) -> None:
        wanted_ids = sorted(ids - self._by_id.keys())
        wanted_organizations = sorted(organizations - self._by_organization.keys())
        if not wanted_ids and not wanted_organizations:
            return
        found = {row.id: row for row in endpoints(self._session, wanted_ids)} if wanted_ids else {}
        if wanted_organizations:
            found |= {row.id: row for row in endpoints_of(self._session, self._profile.name, wanted_organizations)}
        # Bounds that hold over all processes: one at a time judges by them; the others come back to it. And who wakes an
        # endpoint waits for what is being set aside with it, and finds that.
        shared = [row.id for row in found.values() if row.state != ACTIVE or policy_in_force(row.policy).is_shared]
        if shared:
            held = {row.id: row for row in endpoints_locked(self._session, sorted(shared))}
            self.blocked.update(set(shared) - held.keys())
            found |= held
            self._everywhere = None  # what was counted before they were ours may be more by now
        for row in found.values():
            self._by_id[row.id] = row
            policy = self._policies[row.id] = policy_in_force(row.policy) if row.policy else STRICT
            if policy.max_concurrency is None and self._busy[row.id] >= self._per_endpoint:
                self.blocked.add(row.id)
            if row.profile == self._profile.name:
                self._by_organization[row.organization_id] = row

    def _under_way_everywhere(self) -> Counter[str]:
        """Claims of all processes that may still be under way, by endpoint."""
        if self._everywhere is None:
            query = select(Delivery.endpoint_id, func.count()).where(
                OPEN, Delivery.status == "sending", Delivery.claimed_at >= bindparam("since")
            )
            rows: Iterable[tuple[str | None, int]] = self._session.execute(
                query.group_by(Delivery.endpoint_id), {"since": self._claimed_since}
            )
            self._everywhere = Counter({lane: count for lane, count in rows if lane})
            self._everywhere.update(endpoint.id for _, endpoint in self.choice.go)
        return self._everywhere

    def _note_next(self, instant: datetime) -> None:
        if self.choice.next_at is None or instant < self.choice.next_at:
            self.choice.next_at = instant

"""All active subscriptions in memory, kept up to date by what changed since the last look."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from pipeline.store.app_database import AppDatabase
from pipeline.store.subscription_models import SubscriptionCounter, Team, WebhookSubscription
from pipeline.subscriptions.filters import from_json
from pipeline.subscriptions.matcher import Matcher, Subscription
from pipeline.subscriptions.model import Facts
from pipeline.subscriptions.teams import OPEN_SUBSCRIPTIONS

# So many changed ones are asked beside the index; beyond, it is made anew.
MOST_BESIDE = 2_000


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook that is to be told. ``is_strict``: its team wants persons masked everywhere."""

    endpoint_id: str
    organization_id: str
    is_strict: bool


class SubscriptionIndex:
    """The subscriptions of one app database. `refresh` before matching; then costs nothing while none changes."""

    def __init__(self, db: AppDatabase) -> None:
        self._db = db
        self._seen = -1
        self._base = Matcher([])
        self._beside = Matcher([])
        self._changed: dict[str, Subscription | None] = {}  # since the base was made; None: no longer active
        self._owners: dict[str, str] = {}
        self._closed: set[str] = set()
        self._strict: set[str] = set()

    def refresh(self) -> None:
        """See what changed. The first look reads all; later ones read the changes alone."""
        with self._db.read() as session:
            self._closed = set(session.scalars(_teams(Team.subscription.not_in(OPEN_SUBSCRIPTIONS))))
            self._strict = set(session.scalars(_teams(Team.masks_everyone)))
            number = session.scalars(select(SubscriptionCounter.change_number)).one()
            if number == self._seen:
                return
            if self._seen < 0 or not self._apply(session):
                self._load(session)
        self._seen = number

    def targets(self, facts: Facts) -> list[Target]:
        """Who is to be told of the signal: the webhooks of teams with an open subscription, by id."""
        found = [endpoint for endpoint in self._base.match(facts) if endpoint not in self._changed]
        found += self._beside.match(facts)
        targets = [
            Target(endpoint, self._owners[endpoint], self._owners[endpoint] in self._strict) for endpoint in sorted(found)
        ]
        return [target for target in targets if target.organization_id not in self._closed]

    def _load(self, session: Session) -> None:
        self._owners, self._changed, self._beside = {}, {}, Matcher([])
        rows = session.execute(_SUBSCRIPTIONS.where(WebhookSubscription.is_active))
        subscriptions = [self._subscription(*row[:4]) for row in rows]
        self._base = Matcher(subscriptions)

    def _apply(self, session: Session) -> bool:
        """Take in what changed; False where that is too much."""
        changed = session.execute(
            _SUBSCRIPTIONS.where(WebhookSubscription.change_number > self._seen).limit(MOST_BESIDE + 1)
        ).all()
        if len(self._changed) + len(changed) > MOST_BESIDE:
            return False
        for row in changed:
            self._changed[row.endpoint_id] = self._subscription(*row[:4]) if row.is_active else None
        self._beside = Matcher([one for one in self._changed.values() if one is not None])
        return True

    def _subscription(
        self, endpoint_id: str, organization_id: str, events: list[str], compiled: dict[str, object]
    ) -> Subscription:
        self._owners[endpoint_id] = organization_id
        return Subscription(endpoint_id, frozenset(events), from_json(compiled))


_SUBSCRIPTIONS = select(
    WebhookSubscription.endpoint_id,
    WebhookSubscription.organization_id,
    WebhookSubscription.event_types,
    WebhookSubscription.compiled,
    WebhookSubscription.is_active,
)


def _teams(condition: object) -> Select[str]:
    return select(Team.organization_id).where(condition)  # type: ignore[arg-type]

"""All active subscriptions in memory, kept up to date by what changed since the last look; and kept for the next process.

A pipeline run is a new process, and reading ten thousand filters takes a third of a second. So who has read them all keeps them as
one row in the form that matching needs, with the number of the last change in it; who comes next reads that, and what has changed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.subscriptions import SubscriptionCounter, SubscriptionSnapshot, Team, WebhookSubscription
from pipeline.subscriptions.filters import from_json
from pipeline.subscriptions.matcher import Matcher, Subscription
from pipeline.subscriptions.model import Facts
from pipeline.subscriptions.teams import OPEN_SUBSCRIPTIONS

# So many changed ones are asked beside the index; beyond, it is made anew.
MOST_BESIDE = 2_000
# What is kept is written again once this many, or this share of all, have changed since: the next process reads each of them.
WORTH_KEEPING = 200
SHARE_WORTH_KEEPING = 50
# Of the form that is kept. Another one is not read, but written over.
FORMAT = 1


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
        self._is_kept = False  # is there a row that the base could be read from?
        self._base = Matcher.of([])
        self._beside = Matcher.of([])
        self._changed: dict[str, Subscription | None] = {}  # since the base was made; None: no longer active
        self._owners: dict[str, str] = {}
        self._closed: set[str] = set()
        self._strict: set[str] = set()

    def refresh(self) -> None:
        """See what changed. The first look reads what was kept, or all; later ones read the changes alone."""
        with self._db.read() as session:
            self._closed = set(session.scalars(_teams(Team.subscription.not_in(OPEN_SUBSCRIPTIONS))))
            self._strict = set(session.scalars(_teams(Team.masks_everyone)))
            number = _number(session)
            if self._seen < 0:
                self._read_kept(session, number)
            if number != self._seen and (self._seen < 0 or not self._apply(session)):
                self._load(session)
        self._seen = number

    def keep(self) -> None:
        """Keep what was read for the next process, where that would have much to read. For when nobody waits."""
        is_worth_it = len(self._changed) > max(WORTH_KEEPING, len(self._base) // SHARE_WORTH_KEEPING)
        if self._seen < 0 or (self._is_kept and not is_worth_it):
            return
        if self._changed:
            with self._db.read() as session:
                number = _number(session)
                self._load(session)
            self._seen = number
        owners = " ".join(self._owners[endpoint] for endpoint in self._base.ids)
        content = json.dumps(self._base.to_json() | {"owners": owners, "format": FORMAT}, separators=(",", ":"))
        row = {"id": 1, "change_number": self._seen, "content": content}
        insert = self._db.insert(SubscriptionSnapshot).values(row)
        values = {name: insert.excluded[name] for name in ("change_number", "content")}
        is_newer = SubscriptionSnapshot.change_number <= insert.excluded.change_number
        with self._db.write() as session:
            session.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values, where=is_newer))
        self._is_kept = True

    def targets(self, facts: Facts) -> list[Target]:
        """Who is to be told of the signal: the webhooks of teams with an open subscription, by id."""
        found = [endpoint for endpoint in self._base.match(facts) if endpoint not in self._changed]
        found += self._beside.match(facts)
        targets = [
            Target(endpoint, self._owners[endpoint], self._owners[endpoint] in self._strict) for endpoint in sorted(found)
        ]
        return [target for target in targets if target.organization_id not in self._closed]

    def _read_kept(self, session: Session, number: int) -> None:
        """The base as a process before kept it. Nothing where there is none, or none that can be read: then all is read anew."""
        row = session.get(SubscriptionSnapshot, 1)
        if row is None or row.change_number > number:
            return
        try:
            stored = json.loads(row.content)
            if stored["format"] != FORMAT:
                return
            base = Matcher.from_json(stored)
            owners = dict(zip(base.ids, stored["owners"].split(), strict=True))
        except (KeyError, TypeError, ValueError):
            return
        self._base, self._owners, self._seen, self._is_kept = base, owners, row.change_number, True

    def _load(self, session: Session) -> None:
        self._owners, self._changed, self._beside = {}, {}, Matcher.of([])
        rows = session.execute(_SUBSCRIPTIONS.where(WebhookSubscription.is_active))
        self._base = Matcher.of([self._subscription(*row[:4]) for row in rows])
        self._is_kept = False

    def _apply(self, session: Session) -> bool:
        """Take in what changed; False where that is too much."""
        changed = session.execute(
            _SUBSCRIPTIONS.where(WebhookSubscription.change_number > self._seen).limit(MOST_BESIDE + 1)
        ).all()
        if len(self._changed) + len(changed) > MOST_BESIDE:
            return False
        for row in changed:
            self._changed[row.endpoint_id] = self._subscription(*row[:4]) if row.is_active else None
        self._beside = Matcher.of([one for one in self._changed.values() if one is not None])
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


def _number(session: Session) -> int:
    return session.scalars(select(SubscriptionCounter.change_number)).one()


def _teams(condition: object) -> Select[str]:
    return select(Team.organization_id).where(condition)  # type: ignore[arg-type]

"""The subscriptions in memory, as a process reads them that others kept: always those that stand in the tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, update

from pipeline.organizations.secrets import SecretBox
from pipeline.store.tables.subscriptions import SubscriptionSnapshot
from pipeline.subscriptions import index as indexes
from pipeline.subscriptions import teams, webhooks
from pipeline.subscriptions.filters import read_filters
from pipeline.subscriptions.index import SubscriptionIndex
from pipeline.subscriptions.model import EventType, Facts
from pipeline.subscriptions.webhooks import Change, Edit, UrlRules


class World:
    """A team with webhooks."""

    def __init__(self, partners: Any, home: Path) -> None:
        self.partners, self.db, self.now = partners, partners.database, partners.now
        self.box = SecretBox.open(partners.settings(home=home))
        self.edit = Edit("user_1", "api", self.now)
        self.team = partners.add("acme")
        teams.create_team(self.db, self.team, self.now)

    def add(self, **filters: str) -> str:
        made = webhooks.create_webhook(
            self.db,
            self.box,
            self.team,
            "https://hooks.example.com/x",
            ["funding.created"],
            read_filters(filters),
            self.edit,
            UrlRules(),
        )
        return made.id

    def change(self, webhook: str, **changes: Any) -> None:
        webhooks.update_webhook(self.db, self.box, self.team, webhook, Change(**changes), self.edit, UrlRules())

    def told(self, index: SubscriptionIndex, country: str | None = "US") -> list[str]:
        """Who is told of a round in that country."""
        index.refresh()
        facts = Facts(EventType.FUNDING, self.now, "Brightwater", country=country, amount=2_000_000, confidence=0.9)
        targets = index.targets(facts)
        assert {target.organization_id for target in targets} <= {self.team}
        return [target.endpoint_id for target in targets]

    def kept(self) -> SubscriptionIndex:
        """A process that has read all and kept it."""
        index = SubscriptionIndex(self.db)
        index.refresh()
        index.keep()
        return index


@pytest.fixture
def world(partners: Any, tmp_path: Path) -> World:
    return World(partners, tmp_path)


@pytest.fixture
def filters_read(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every filter that is read from its row."""
    seen: list[Any] = []
    read = indexes.from_json
    monkeypatch.setattr(indexes, "from_json", lambda stored: (seen.append(stored), read(stored))[1])
    return seen


def test_a_new_process_reads_what_was_kept_and_no_row(world: World, filters_read: list[Any]) -> None:
    world.add(search="half a pair: \ud83d")  # what JSON can say and UTF-8 can't
    ids = [
        world.add(countries="US,GB", fundingAmount="1m-5m", healthScore="29"),
        world.add(search="bright", dateFrom="2026-01-01"),
    ]
    world.add(countries="DE")
    assert world.told(world.kept()) == sorted(ids)
    filters_read.clear()
    assert world.told(SubscriptionIndex(world.db)) == sorted(ids)
    assert world.told(SubscriptionIndex(world.db), "DE") != sorted(ids)
    assert filters_read == []


def test_a_new_process_reads_what_changed_since_it_was_kept(world: World, filters_read: list[Any]) -> None:
    stays, goes, moves = world.add(), world.add(), world.add(countries="DE")
    world.kept()
    comes = world.add(countries="US")
    world.change(goes, is_active=False)
    world.change(moves, filters=read_filters({"countries": "US"}))
    filters_read.clear()
    index = SubscriptionIndex(world.db)
    assert world.told(index) == sorted([stays, comes, moves])
    assert len(filters_read) == 2, "those that changed and are active"
    world.change(goes, is_active=True)
    assert world.told(index) == sorted([stays, comes, moves, goes])


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", "not JSON", '{"format":0}', '{"format":1,"ids":"a","owners":"","dimensions":{}}']
)
def test_what_can_t_be_read_is_read_anew_and_written_over(world: World, filters_read: list[Any], content: str) -> None:
    mine = world.add(countries="US")
    world.kept()
    with world.db.write() as session:
        session.execute(update(SubscriptionSnapshot).values(content=content))
    assert world.told(world.kept()) == [mine]
    filters_read.clear()
    assert world.told(SubscriptionIndex(world.db)) == [mine]
    assert filters_read == []


def test_what_was_kept_by_a_later_state_than_this_is_not_read(world: World) -> None:
    mine = world.add()
    world.kept()
    with world.db.write() as session:  # as after a restore of the tables alone
        session.execute(update(SubscriptionSnapshot).values(change_number=10**6))
    assert world.told(SubscriptionIndex(world.db)) == [mine]


def test_it_is_written_when_much_has_changed_and_an_older_state_never_replaces_a_newer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "WORTH_KEEPING", 2)
    world.add()
    slow = world.kept()

    def number() -> int:
        with world.db.read() as session:
            return session.get_one(SubscriptionSnapshot, 1).change_number

    first = number()
    for _ in range(2):
        world.add()
    world.kept()
    assert number() == first, "two are soon read"
    world.add()
    world.kept()
    assert number() > first
    with world.db.read() as session:
        assert len(json.loads(session.get_one(SubscriptionSnapshot, 1).content)["ids"].split()) == 4
    newest = number()
    slow._is_kept = False  # a process that read all long ago and comes to keep it only now
    slow.keep()
    assert number() == newest
    assert len(world.told(SubscriptionIndex(world.db))) == 4


def test_while_nothing_changes_the_subscriptions_are_not_asked_for(world: World) -> None:
    world.add()
    index = world.kept()
    statements: list[str] = []
    listen = lambda _connection, _cursor, statement, *_: statements.append(statement)  # noqa: E731
    event.listen(world.db.engine, "before_cursor_execute", listen)
    world.told(index)
    index.keep()
    event.remove(world.db.engine, "before_cursor_execute", listen)
    assert not [one for one in statements if "webhook_subscriptions" in one or "subscription_snapshots" in one]

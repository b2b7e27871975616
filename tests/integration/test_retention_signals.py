"""Published signals are forgotten long after their days were closed; what was told once is never told again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from sqlalchemy import select, update

from pipeline.documents.document_table import write_documents
from pipeline.documents.landing import Landing
from pipeline.documents.model import Document
from pipeline.organizations.secrets import SecretBox
from pipeline.signals.mention_table import extract_new
from pipeline.signals.round_table import resolve_new
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.subscriptions import Company, Investor, Signal, SignalDocument, SignalInvestor
from pipeline.store.warehouse import Warehouse
from pipeline.subscriptions import teams, webhooks
from pipeline.subscriptions.fan_out import fan_out
from pipeline.subscriptions.filters import read_filters
from pipeline.subscriptions.index import SubscriptionIndex
from pipeline.subscriptions.model import SIGNAL_EVENTS
from pipeline.subscriptions.publishing import publish_changed_signals
from pipeline.subscriptions.webhooks import Edit, UrlRules
from pipeline.upkeep.retention import RetentionPolicy, apply_retention

START = datetime(2025, 3, 2, 12, tzinfo=UTC)
POLICY = RetentionPolicy(text_days=180, landing_days=90, attempt_days=180, history_days=400)
HOURS = 72


def article(key: str, title: str, body: str, at: datetime, *, is_dated: bool = True) -> Document:
    return Document(
        str(uuid5(NAMESPACE_URL, key)), "wire", "Wire", "article", f"https://daily.test/{key}", title, body, "feed",
        at, 1, "x", at if is_dated else None,
    )  # fmt: skip


ROUND = article(
    "round", "Quernstone raises $4M Series A led by Oldmoor Partners",
    "Quernstone, a security startup, today announced it has raised $4 million in a Series A round led by Oldmoor Partners.", START,
)  # fmt: skip
DEAL = article(
    "deal",
    "Kelp Systems acquires Brightwater Labs for $25 million",
    "Kelp Systems said today it acquired Brightwater Labs.",
    START,
)
PAGE = article("page", "Kelp Systems acquires Brightwater Labs", "The company says so on its own page.", START, is_dated=False)
HIRING = article("jobs", "Sablewing is hiring 120 engineers for its new site in Gdansk", "Sablewing said so.", START)


class World:
    """Documents in, deliveries out, to a team that wants everything; the night's retention after any day."""

    def __init__(self, partners: Any, folder: Path) -> None:
        self.db, self.now = partners.database, START
        self.warehouse, self.landing = Warehouse(folder / "warehouse.duckdb"), Landing(folder / "landing")
        self.team = partners.add("acme")
        teams.create_team(self.db, self.team, START)
        box = SecretBox.open(partners.settings(home=folder))
        webhooks.create_webhook(
            self.db, box, self.team, "https://hooks.example.com/x", list(SIGNAL_EVENTS), read_filters({}),
            Edit(None, "api", START), UrlRules(),
        )  # fmt: skip

    def read(self, days: int, *documents: Document) -> list[str]:
        """The events that reading these documents after so many days puts into the outbox. All of them end at once."""
        self.now = START + timedelta(days=days)
        with self.warehouse.write() as connection:
            write_documents(connection, [replace(document, landed_at=self.now) for document in documents])
        extract_new(self.warehouse, self.now)
        resolve_new(self.warehouse, self.now, HOURS)
        return self.publish()

    def publish(self) -> list[str]:
        publish_changed_signals(self.db, self.warehouse, self.now, HOURS)
        fan_out(self.db, SubscriptionIndex(self.db), self.now)
        with self.db.write() as session:
            told = session.scalars(select(Delivery.event_type).where(Delivery.status == "pending")).all()
            session.execute(update(Delivery).values(status="delivered", finished_at=self.now))
        return sorted(told)

    def retain(self, days: int) -> dict[str, int]:
        self.now = START + timedelta(days=days)
        # News goes on: without any, retention takes the clock for one that is ahead of time.
        with self.warehouse.write() as connection:
            connection.execute(
                "INSERT INTO raw.documents BY NAME SELECT ? AS document_id, 1000000 AS document_seq, 'filing' AS kind, "
                "?::TIMESTAMP AS published_at, ?::TIMESTAMP AS landed_at",
                [f"of day {days}", *[self.now.replace(tzinfo=None)] * 2],
            )
        return apply_retention(self.db, self.warehouse, self.landing, POLICY, self.now)

    def kept(self, column: Any) -> list[Any]:
        with self.db.read() as session:
            return sorted(session.scalars(select(column)))


@pytest.fixture
def world(partners: Any, tmp_path: Path) -> World:
    return World(partners, tmp_path)


def test_a_signal_goes_430_days_after_it_was_found_with_what_rests_on_it_alone(world: World) -> None:
    told = world.read(0, ROUND, DEAL, HIRING)
    assert told == ["acquisition.created", "funding.created", "hiring.created", "investor.created"]
    assert not world.retain(429)["old_signals"]
    done = world.retain(438)
    assert {name: done[f"old_{name}"] for name in ("signals", "companies", "investors", "deliveries")} == {
        # The newest document stays for its number, and so does the signal that it reports.
        "signals": 2, "companies": 2, "investors": 1, "deliveries": 4,
    }  # fmt: skip
    assert world.kept(Signal.event_type) == ["hiring.created", "investor.created"]
    assert [len(world.kept(column)) for column in (Company.id, Investor.id, SignalInvestor.signal_id)] == [1, 0, 0]
    assert len(world.kept(SignalDocument.document_id)) == 1
    assert not any(world.retain(438).values())


def test_what_was_told_is_not_told_again_after_it_was_forgotten(world: World) -> None:
    """SB-37: at most once, whatever is read again; an investor that was told of is new to nobody, years later."""
    world.read(0, ROUND, DEAL, HIRING)
    world.retain(438)
    changed = [replace(document, body=document.body + " More.", published_at=None) for document in (ROUND, DEAL, HIRING)]
    assert world.read(439, *changed) == []
    later = article("later", "Vexley raises $9M Series B led by Oldmoor Partners",
                    "Vexley today announced it has raised $9 million in a Series B round led by Oldmoor Partners.",
                    START + timedelta(days=440))  # fmt: skip
    assert world.read(440, later) == ["funding.created"]


def test_a_signal_whose_page_still_changes_stays_and_is_not_told_again(world: World) -> None:
    """A page that goes on saying it, undated and rewritten, must find the signal that it reported first."""
    world.read(0, DEAL)
    assert world.read(10, PAGE) == []
    for days in range(100, 430, 100):
        assert world.read(days, replace(PAGE, body=f"{PAGE.body} As of day {days}.")) == []
    world.read(438, HIRING)
    assert not world.retain(440)["old_signals"]
    assert world.read(441, replace(PAGE, body="Rewritten once more.")) == []
    assert world.kept(Signal.event_type).count("acquisition.created") == 1


def test_a_round_of_a_closed_day_that_changes_publishes_no_signal(world: World) -> None:
    """SB-37, A-FS-24: amendments of filings come years later; whom the round was told is forgotten by then."""
    world.read(0, ROUND)
    world.retain(405)
    with world.warehouse.write() as connection:
        connection.execute(
            "UPDATE core.funding_rounds SET round_seq = round_seq + 1, amount = 5000000, updated_at = ?", [world.now]
        )
    before = world.kept(Signal.updated_at)
    assert world.publish() == []
    assert world.kept(Signal.updated_at) == before
    world.retain(438)
    assert world.publish() == []
    assert "funding.created" not in world.kept(Signal.event_type)


def test_a_company_of_which_there_is_news_keeps_the_day_it_was_first_found_on(world: World) -> None:
    world.read(0, ROUND, DEAL)
    again = article("again", "Quernstone raises $30M Series B led by Oldmoor Partners",
                    "Quernstone today announced it has raised $30 million in a Series B round led by Oldmoor Partners.",
                    START + timedelta(days=300))  # fmt: skip
    assert world.read(300, again) == ["funding.created"]
    assert world.retain(438)["old_companies"] == 1
    third = article("third", "Quernstone raises $90M Series C led by Oldmoor Partners",
                    "Quernstone today announced it has raised $90 million in a Series C round led by Oldmoor Partners.",
                    START + timedelta(days=445))  # fmt: skip
    assert world.read(445, third) == ["funding.created"]
    assert world.kept(Company.created_at) == [START]
    assert world.kept(Investor.created_at) == [START]

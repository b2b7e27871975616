"""From documents to webhooks' deliveries: what a payload says, reports of one event, corrections, gates (SB-71 to SB-78)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.documents.document_table import write_documents
from pipeline.documents.model import Document
from pipeline.organizations.secrets import SecretBox
from pipeline.signals.mention_table import extract_new
from pipeline.signals.round_table import resolve_new
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.subscriptions import Signal
from pipeline.store.warehouse import Warehouse
from pipeline.subscriptions import payloads, teams, webhooks
from pipeline.subscriptions.fan_out import fan_out
from pipeline.subscriptions.filters import read_filters
from pipeline.subscriptions.index import SubscriptionIndex
from pipeline.subscriptions.model import SIGNAL_EVENTS, EventType
from pipeline.subscriptions.publishing import publish_changed_signals
from pipeline.subscriptions.webhooks import Edit, UrlRules

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOURS = 72
COMPANY_EVENTS = tuple(event for event in SIGNAL_EVENTS if event != EventType.INVESTOR)
COMPANY_KEYS = [
    "id", "name", "slug", "description", "website", "linkedinUrl", "twitterUrl", "logoUrl", "industry", "subcategory",
    "foundedYear", "headquartersCountry", "employeeCount", "categories", "keywords", "specialties",
]  # fmt: skip
SOURCE_KEYS = ["url", "sourceType", "author", "title", "content", "validationScore", "validationReasoning", "publishedAt"]


def article(key: str, title: str, body: str = "", **changes: Any) -> Document:
    document = Document(
        key, "wire", "Wire", "article", f"https://daily.test/{key}", title, body, "feed", NOW, 1, "x", NOW
    )  # fmt: skip
    return replace(document, **changes)


class Pipeline:
    """Documents in, deliveries out, with a team that subscribes to everything that happens to companies, or to ``events``."""

    def __init__(self, database: Any, folder: Path, partners: Any, events: tuple[str, ...] = COMPANY_EVENTS) -> None:
        self.db, self.now = database, NOW
        self.warehouse = Warehouse(folder / "warehouse.duckdb")
        self.team = partners.add("acme")
        teams.create_team(database, self.team, NOW)
        box = SecretBox.open(partners.settings(home=folder))
        webhooks.create_webhook(
            database,
            box,
            self.team,
            "https://hooks.example.com/x",
            events,
            read_filters({}),
            Edit(None, "api", NOW),
            UrlRules(),
        )

    def run(self, *documents: Document) -> list[dict[str, Any]]:
        """One pass; gives the events that it put into the outbox."""
        before = {row.id for row in self.deliveries()}
        if documents:
            with self.warehouse.write() as connection:
                write_documents(connection, documents)
        extract_new(self.warehouse, self.now)
        resolve_new(self.warehouse, self.now, HOURS)
        publish_changed_signals(self.db, self.warehouse, self.now, HOURS)
        fan_out(self.db, SubscriptionIndex(self.db), self.now)
        return [json.loads(str(row.body)) for row in self.deliveries() if row.id not in before]

    def deliveries(self) -> list[Delivery]:
        with self.db.read() as session:
            return list(session.scalars(select(Delivery).order_by(Delivery.created_at, Delivery.id)))

    def signals(self, events: tuple[str, ...] = COMPANY_EVENTS) -> list[Signal]:
        with self.db.read() as session:
            query = select(Signal).where(Signal.event_type.in_(events))
            return list(session.scalars(query.order_by(Signal.event_type, Signal.id)))


@pytest.fixture
def app_database(make_app_database: Any) -> Any:
    """On SQLite alone: what depends on the database is tested on both in test_signalbase_ledger.py."""
    return make_app_database("sqlite")


@pytest.fixture
def pipeline(partners: Any, tmp_path: Path) -> Pipeline:
    return Pipeline(partners.database, tmp_path, partners)


ROUND = article(
    "r1",
    "Quernstone raises $4M Series A led by Oldmoor Partners",
    "BERLIN - Quernstone, a cybersecurity startup, today announced it has raised $4 million in a Series A round led by Oldmoor"
    " Partners. The company is at https://quernstone.example.com.",
)
DEAL = article(
    "d1", "Kelp Systems acquires Brightwater Labs for $25 million", "Kelp Systems said today it acquired Brightwater Labs."
)
CHANGE = article(
    "j1", "Kelp Systems appoints Jordan Miles as Chief Technology Officer", "Kelp Systems today appointed Jordan Miles."
)


def test_sb_71_to_sb_77_a_round_s_payload(pipeline: Pipeline) -> None:
    (event,) = pipeline.run(ROUND)
    assert event["event_type"] == "funding.created"
    data = event["data"]
    assert sorted(data) == ["company", "employees", "fundingRound", "signal", "sources"]
    assert sorted(data["signal"]) == sorted(["id", "type", "externalId", "occurredAt", "discoveredAt", "active"])
    assert data["signal"]["type"] == "funding_round"
    assert data["signal"]["occurredAt"] == "2026-03-02T00:00:00.000Z"
    assert data["signal"]["discoveredAt"] == "2026-03-02T12:00:00.000Z"
    assert data["signal"]["active"] is True
    assert sorted(data["company"]) == sorted(COMPANY_KEYS)
    assert (data["company"]["name"], data["company"]["slug"]) == ("Quernstone", "quernstone")
    assert data["company"]["employeeCount"] is None
    (source,) = data["sources"]
    assert sorted(source) == sorted(SOURCE_KEYS)
    assert (source["url"], source["sourceType"]) == ("https://daily.test/r1", "news_article")
    assert source["publishedAt"] == "2026-03-02T12:00:00.000Z"
    block = data["fundingRound"]
    assert sorted(block) == sorted([
        "roundType", "roundFlavor", "amount", "currency", "announcedDate", "confidenceScore", "verificationStatus", "investors",
    ])  # fmt: skip
    assert (block["roundType"], block["amount"], block["currency"]) == ("series a", 4_000_000, "USD")
    assert (block["announcedDate"], block["verificationStatus"]) == ("2026-03-02", "unverified")
    assert block["investors"] == [{"leadInvestor": True, "name": "Oldmoor Partners", "type": None}]
    assert 0 < block["confidenceScore"] <= 1


def test_a_later_report_of_the_round_enriches_it_and_tells_nobody_again(pipeline: Pipeline) -> None:
    pipeline.run(ROUND)
    pipeline.now += timedelta(hours=1)
    assert (
        pipeline.run(article("r2", "Quernstone bags $4 million in Series A funding", outlet="Daily", landed_at=pipeline.now))
        == []
    )
    (signal,) = pipeline.signals()
    assert len(signal.data["sources"]) == 2
    assert signal.data["fundingRound"]["verificationStatus"] == "verified"


def test_a_sb_30_an_acquisition_s_payload_is_about_the_company_that_is_bought(pipeline: Pipeline) -> None:
    (event,) = pipeline.run(DEAL)
    assert event["event_type"] == "acquisition.created"
    data = event["data"]
    assert (data["signal"]["type"], data["company"]["name"]) == ("acquisition", "Brightwater Labs")
    block = data["acquisition"]
    assert sorted(block) == sorted([
        "acquiringCompanyId", "acquiringCompany", "amount", "currency", "percentage", "announcedDate",
    ])  # fmt: skip
    assert sorted(block["acquiringCompany"]) == sorted(["id", "name", "website", "linkedinUrl", "industry", "logoUrl"])
    assert block["acquiringCompany"]["name"] == "Kelp Systems"
    assert block["acquiringCompany"]["id"] == block["acquiringCompanyId"]
    assert (block["amount"], block["currency"]) == (25_000_000, "USD")


def test_sb_78_a_sb_30_a_job_change_s_payload_holds_no_whole_name(pipeline: Pipeline) -> None:
    (event,) = pipeline.run(CHANGE)
    assert event["event_type"] == "job_change.created"
    block = event["data"]["jobChange"]
    assert sorted(block) == sorted([
        "personName", "personLinkedinUrl", "newRole", "companyName", "companyLinkedinUrl", "postContent", "personCurrentTitle",
        "personHeadline", "personLocation", "personCity", "personCountry",
    ])  # fmt: skip
    assert (block["personName"], block["companyName"]) == ("Jordan M.", "Kelp Systems")
    assert block["newRole"] == "Chief Technology Officer"
    assert "Miles" not in json.dumps(event)


def test_a_sb_30_hiring_and_new_company_payloads(pipeline: Pipeline) -> None:
    events = pipeline.run(
        article("h1", "Kelp Systems to hire 200 engineers in Berlin", "Kelp Systems said it will hire 200 engineers."),
        article("n1", "Moorhen Analytics emerges from stealth", "Moorhen Analytics emerged from stealth today."),
    )
    by_type = {event["event_type"]: event["data"] for event in events}
    assert sorted(by_type) == ["hiring.created", "new_company.created"]
    (opening,) = by_type["hiring.created"]["hiringDetails"]
    assert sorted(opening) == sorted([
        "title", "jobUrl", "location", "city", "country", "employmentType", "seniorityLevel", "jobFunction", "datePosted",
    ])  # fmt: skip
    assert opening["datePosted"] == "2026-03-02"
    assert by_type["hiring.created"]["signal"]["type"] == "hiring"
    assert sorted(by_type["new_company.created"]) == ["company", "employees", "signal", "sources"]


def test_reports_of_one_event_are_one_signal(pipeline: Pipeline) -> None:
    assert len(pipeline.run(DEAL)) == 1
    pipeline.now += timedelta(hours=2)
    again = article("d2", "Kelp Systems buys Brightwater Labs for $25 million", outlet="Daily", landed_at=pipeline.now)
    assert pipeline.run(again) == []
    (signal,) = pipeline.signals()
    assert [source["url"] for source in signal.data["sources"]] == ["https://daily.test/d1", "https://daily.test/d2"]
    other = article("d3", "Kelp Systems acquires Moorhen Analytics", landed_at=pipeline.now)
    assert len(pipeline.run(other)) == 1, "another company is another event"


def test_the_same_event_in_one_batch_is_one_signal(pipeline: Pipeline) -> None:
    again = article("d2", "Kelp Systems buys Brightwater Labs for $25 million", outlet="Daily")
    assert len(pipeline.run(DEAL, again)) == 1
    assert len(pipeline.signals()) == 1


def test_a_document_corrected_to_say_nothing_takes_its_signal_back(pipeline: Pipeline) -> None:
    pipeline.run(DEAL)
    pipeline.run(replace(DEAL, title="A quiet day at the harbour", body="Nothing happened."))
    (signal,) = pipeline.signals()
    assert signal.is_active is False
    assert signal.data["signal"]["active"] is False
    assert [row.status for row in pipeline.deliveries()] == ["skipped"]


def test_what_is_old_or_read_while_catching_up_is_published_and_tells_nobody(pipeline: Pipeline) -> None:
    old = NOW - timedelta(days=9)
    caught_up = replace(DEAL, is_catch_up=True)
    stale = article("d4", "Kelp Systems acquires Moorhen Analytics", published_at=old)
    landed_long_ago = article("d5", "Kelp Systems acquires Sandpiper Foods", published_at=old, landed_at=old)
    assert pipeline.run(caught_up, stale, landed_long_ago) == []
    assert [signal.fan_out for signal in pipeline.signals()] == ["none", "none", "none"]


def test_running_again_changes_nothing(pipeline: Pipeline) -> None:
    pipeline.run(ROUND, DEAL, CHANGE)
    signals = [(row.id, row.updated_at, row.fan_out) for row in pipeline.signals()]
    with pipeline.warehouse.write() as connection:  # as if the marks had been lost
        connection.execute("DELETE FROM core.progress WHERE step LIKE 'publish_%_signals'")
    pipeline.now += timedelta(hours=1)
    assert pipeline.run() == []
    assert [(row.id, row.updated_at, row.fan_out) for row in pipeline.signals()] == signals


# --- investors ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def investors(partners: Any, tmp_path: Path) -> Pipeline:
    return Pipeline(partners.database, tmp_path, partners, (EventType.INVESTOR,))


def test_a_sb_38_an_investor_that_no_round_named_before_is_told_once(investors: Pipeline) -> None:
    (event,) = investors.run(ROUND)
    assert event["event_type"] == "investor.created"
    assert sorted(event["data"]) == ["investor"], "no block of a company's signal"
    profile = event["data"]["investor"]
    assert sorted(profile) == sorted([
        "id", "name", "type", "website", "linkedinUrl", "twitterUrl", "logoUrl", "countries", "ticketSizeMin", "ticketSizeMax",
        "headquarters", "createdAt",
    ])  # fmt: skip
    assert (profile["name"], profile["countries"], profile["ticketSizeMin"]) == ("Oldmoor Partners", [], None)
    assert profile["createdAt"] == "2026-03-02T12:00:00.000Z"
    investors.now += timedelta(hours=1)
    later = article(
        "r9",
        "Brightwater raises $9M Series B led by Oldmoor Partners LLC",
        "Brightwater raised $9 million.",
        landed_at=investors.now,
    )
    assert investors.run(later) == [], "the same investor, its legal form aside"
    (signal,) = investors.signals((EventType.INVESTOR,))
    assert signal.data["investor"]["id"] == profile["id"] == payloads.investor_id("OLDMOOR  Partners, LLC")


def test_a_sb_38_an_investor_first_met_while_catching_up_is_never_told_of(investors: Pipeline) -> None:
    assert investors.run(replace(ROUND, is_catch_up=True)) == []
    investors.now += timedelta(hours=1)
    fresh = article(
        "r9",
        "Brightwater raises $9M Series B led by Oldmoor Partners",
        "Brightwater raised $9 million.",
        landed_at=investors.now,
    )
    assert investors.run(fresh) == []
    assert [row.fan_out for row in investors.signals((EventType.INVESTOR,))] == ["none"]


def test_a_sb_38_reading_all_again_tells_of_no_investor_again(investors: Pipeline) -> None:
    assert len(investors.run(ROUND)) == 1
    with investors.warehouse.write() as connection:  # as if the marks had been lost
        connection.execute("DELETE FROM core.progress WHERE step LIKE 'publish_%_signals'")
    investors.now += timedelta(hours=1)
    assert investors.run() == []

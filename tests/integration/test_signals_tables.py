"""Documents to mentions to rounds in a real DuckDB file: order, idempotence, kills, corrections, gates."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.documents.document_table import write_documents
from pipeline.documents.model import Document
from pipeline.signals import mention_table, review, round_table
from pipeline.signals.mention_table import extract_new, re_extract, rows_of
from pipeline.signals.round_table import changed_rounds, resolve_new
from pipeline.store import warehouse as stores
from pipeline.store.warehouse import Warehouse, progress

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOURS = 72
KEYS = (
    "id company_name amount_usd funding_type website article_url article_title published_date ceo_name "
    "ceo_email ceo_linkedin_url industry location"
    " location_country lead_investor investors confidence_score"
)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "warehouse.duckdb")


def article(key: str, title: str, body: str = "", **changes: Any) -> Document:
    document = Document(
        key,
        "wire",
        changes.pop("outlet", "Wire"),
        "article",
        f"https://daily.test/{key}",
        title,
        body,
        "feed",
        NOW,
        1,
        "x",
        NOW,
    )
    return replace(document, **changes)


def filing(key: str, **fields: Any) -> Document:
    form: dict[str, Any] = {
        "accession": key,
        "previous_accession": None,
        "cik": "0001",
        "company_name": "QUERNSTONE, INC.",
        "city": "RENO",
        "state_or_country": "NV",
        "industry_group": "Other Technology",
        "securities": ["isEquityType"],
        "date_of_first_sale": "2026-02-25",
        "total_offering": 4_200_000,
        "total_sold": 4_100_000,
        "related_persons": [],
        "is_operating_company_round": True,
        "filed_at": NOW.isoformat(),
    }
    return Document(
        key,
        "edgar",
        "SEC",
        "form_d",
        f"https://sec.test/{key}",
        f"Form D {key}",
        "",
        "form_d",
        NOW,
        2,
        "y",
        NOW,
        form_d=form | fields,
    )


def land(warehouse: Warehouse, *documents: Document) -> None:
    with warehouse.write() as connection:
        write_documents(connection, documents)


def run(warehouse: Warehouse, now: datetime = NOW) -> round_table.RoundReport:
    extract_new(warehouse, now)
    return resolve_new(warehouse, now, HOURS)


def table(warehouse: Warehouse, sql: str) -> list[dict[str, Any]]:
    with warehouse.open() as connection:
        return rows_of(connection, sql)


def rounds(warehouse: Warehouse) -> list[dict[str, Any]]:
    return table(warehouse, "SELECT * FROM core.funding_rounds ORDER BY round_seq")


FIRST = article("a", "Quernstone raises $4M seed round led by Oldmoor Partners")
SECOND = article(
    "b",
    "Quernstone bags $4 million in seed funding",
    "Website: https://quernstone.io\nThe CEO is busy.",
    outlet="Daily",
    landed_at=NOW + timedelta(hours=5),
)
OTHER = article("c", "Larkspindle lands €9M Series A to spin straw")


def test_second_report_of_a_round_makes_no_new_round_and_fills_gaps(warehouse: Warehouse) -> None:
    """A-FS-24"""
    land(warehouse, FIRST)
    assert run(warehouse).new == 1
    (before,) = rounds(warehouse)
    land(warehouse, SECOND)
    report = run(warehouse)
    assert (report.new, report.enriched) == (0, 1)
    (after,) = rounds(warehouse)
    assert after["round_id"] == before["round_id"]
    assert after["round_seq"] > before["round_seq"]
    assert (after["website"], after["lead_investor"]) == ("quernstone.io", "Oldmoor Partners")
    assert (after["mention_count"], after["source_count"]) == (2, 2)
    assert after["confidence_score"] >= before["confidence_score"]
    assert after["first_seen_at"] == before["first_seen_at"]


def test_a_round_is_published_with_the_seventeen_keys_in_order(warehouse: Warehouse) -> None:
    """FS-48 to FS-55"""
    land(warehouse, FIRST, SECOND)
    run(warehouse)
    with warehouse.open() as connection:
        (published,) = changed_rounds(connection, 0)
        assert changed_rounds(connection, published["round_seq"]) == []
    body = published["body"]
    assert list(body) == KEYS.split()
    assert (body["company_name"], body["amount_usd"], body["funding_type"]) == ("Quernstone", 4_000_000, "seed")
    assert (body["website"], body["published_date"]) == ("https://quernstone.io", "2026-03-02")
    assert body["investors"] == ["Oldmoor Partners"]
    assert published["first_seen_at"] == NOW
    assert published["company_key"] == "quernstone"


def test_running_again_changes_nothing(warehouse: Warehouse) -> None:
    land(warehouse, FIRST, SECOND, OTHER)
    run(warehouse)
    before = (rounds(warehouse), table(warehouse, "SELECT * FROM core.mentions ORDER BY mention_seq"))
    assert run(warehouse, NOW + timedelta(minutes=5)) == round_table.RoundReport()
    assert (rounds(warehouse), table(warehouse, "SELECT * FROM core.mentions ORDER BY mention_seq")) == before


def test_rounds_are_the_same_whatever_the_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def result(name: str, steps: Sequence[Sequence[Document]], batch: int) -> list[dict[str, Any]]:
        monkeypatch.setattr(round_table, "BATCH", batch)
        store = Warehouse(tmp_path / name)
        for documents in steps:
            land(store, *documents)
            extract_new(store, NOW, batch=batch)
            resolve_new(store, NOW, HOURS)
        kept = ("round_id", "company_name", "amount_usd", "website", "mention_count", "conflicts")
        return sorted(({name: row[name] for name in kept} for row in rounds(store)), key=lambda row: row["round_id"])

    documents = (FIRST, OTHER, SECOND)
    at_once = result("one", [documents], 500)
    assert len(at_once) == 2
    assert result("two", [documents], 1) == at_once
    assert result("three", [[document] for document in documents], 500) == at_once


@pytest.mark.parametrize("step", ["mentions", "rounds"])
def test_a_kill_before_the_commit_leaves_nothing_and_the_next_run_gives_the_same(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    undisturbed = Warehouse(tmp_path / "undisturbed.duckdb")
    for store in (warehouse, undisturbed):
        land(store, FIRST, SECOND, OTHER)
    run(undisturbed)

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    module = mention_table if step == "mentions" else round_table
    with monkeypatch.context() as patch:
        patch.setattr(module, "set_progress", die)
        with pytest.raises(KeyboardInterrupt):
            run(warehouse)
    assert table(warehouse, f"SELECT * FROM core.{'mentions' if step == 'mentions' else 'funding_rounds'}") == []
    run(warehouse)
    assert rounds(warehouse) == rounds(undisturbed)


def test_a_corrected_document_corrects_its_round_in_place(warehouse: Warehouse) -> None:
    land(warehouse, FIRST)
    run(warehouse)
    (before,) = rounds(warehouse)
    land(
        warehouse,
        replace(
            FIRST,
            title="Quernstone raises $6M seed round led by Oldmoor Partners",
            landed_at=NOW + timedelta(hours=1),
            landing_id=9,
        ),
    )
    assert run(warehouse).new == 0
    (after,) = rounds(warehouse)
    assert (after["round_id"], after["amount_usd"], after["mention_count"]) == (before["round_id"], 6_000_000, 1)


def test_a_document_that_takes_its_news_back_retracts_its_round_and_may_bring_it_back(warehouse: Warehouse) -> None:
    land(warehouse, FIRST)
    run(warehouse)
    land(warehouse, replace(FIRST, title="Quernstone opens a mill", landed_at=NOW + timedelta(hours=1), landing_id=9))
    assert run(warehouse).retracted == 1
    (gone,) = rounds(warehouse)
    assert (gone["status"], gone["mention_count"]) == ("retracted", 0)
    land(warehouse, replace(FIRST, landed_at=NOW + timedelta(hours=2), landing_id=10))
    run(warehouse)
    (back,) = rounds(warehouse)
    assert (back["round_id"], back["status"], back["mention_count"]) == (gone["round_id"], "active", 1)


def test_old_news_make_no_round_and_say_so(warehouse: Warehouse) -> None:
    """A-FS-24"""
    land(warehouse, replace(FIRST, published_at=NOW - timedelta(days=700)))
    report = run(warehouse)
    assert (report.new, report.stale) == (0, 1)
    assert rounds(warehouse) == []
    (mention,) = table(warehouse, "SELECT is_funding, set_aside_reason FROM core.mentions")
    assert mention == {"is_funding": True, "set_aside_reason": "stale"}


def test_what_is_read_to_catch_up_is_known_but_tells_nobody_until_news_of_it_come(warehouse: Warehouse) -> None:
    """A-FS-24"""
    land(warehouse, replace(FIRST, is_catch_up=True))
    run(warehouse)
    assert [row["tells"] for row in rounds(warehouse)] == [False]
    land(warehouse, SECOND)
    run(warehouse)
    assert [row["tells"] for row in rounds(warehouse)] == [True]


def test_an_amendment_is_of_its_filing_and_both_are_of_the_announced_round(warehouse: Warehouse) -> None:
    land(warehouse, FIRST, filing("A-2", previous_accession="A-1", total_sold=4_200_000), filing("A-1"))
    assert run(warehouse).new == 1
    (round_,) = rounds(warehouse)
    assert (round_["company_name"], round_["cik"], round_["amount_usd"]) == ("Quernstone", "0001", 4_000_000)
    assert (round_["article_url"], round_["location"]) == ("https://daily.test/a", "Reno")
    assert {row["linked_by"] for row in table(warehouse, "SELECT linked_by FROM core.round_mentions")} == {
        "founding",
        "name",
        "accession",
    }


BY_NAME = article("n", "Quernstone raises $4M seed round led by Oldmoor Partners")
BY_DOMAIN = article("m", "Quern raises $4M seed round", "Website: https://quernstone.io", outlet="Daily", landing_id=2)
BRIDGE = article(
    "o", "Quernstone bags $4 million in seed funding", "Website: https://quernstone.io", outlet="Post", landing_id=3
)


def test_two_rounds_that_a_later_report_shows_to_be_one_are_merged_and_keep_their_ids(warehouse: Warehouse) -> None:
    """A-FS-24"""
    land(warehouse, BY_NAME, replace(BY_DOMAIN, landed_at=NOW + timedelta(hours=1)))
    assert run(warehouse).new == 2
    first, second = rounds(warehouse)
    land(warehouse, replace(BRIDGE, landed_at=NOW + timedelta(hours=2)))
    report = run(warehouse)
    assert (report.new, report.merged) == (0, 1)
    after = {row["round_id"]: row for row in rounds(warehouse)}
    assert set(after) == {first["round_id"], second["round_id"]}
    stays, gone = after[first["round_id"]], after[second["round_id"]]
    assert (stays["status"], stays["mention_count"], stays["website"]) == ("active", 3, "quernstone.io")
    assert (gone["status"], gone["merged_into"], gone["mention_count"]) == ("merged", first["round_id"], 0)
    links = table(warehouse, "SELECT document_id, round_id, linked_by FROM core.round_mentions")
    assert {row["round_id"] for row in links} == {first["round_id"]}
    assert {row["document_id"]: row["linked_by"] for row in links}["m"] == "merged"
    with warehouse.open() as connection:
        published = {row["id"]: (row["status"], row["merged_into"]) for row in changed_rounds(connection, 2)}
    assert published == {first["round_id"]: ("active", None), second["round_id"]: ("merged", first["round_id"])}
    assert resolve_new(warehouse, NOW, HOURS) == round_table.RoundReport()


def test_rounds_merged_within_one_batch_leave_one_round(warehouse: Warehouse) -> None:
    land(warehouse, BY_NAME, BY_DOMAIN, BRIDGE)
    run(warehouse)
    assert [(row["status"], row["mention_count"]) for row in rounds(warehouse)] == [("active", 3)]


def test_what_comes_back_to_a_merged_round_comes_to_the_one_that_goes_on(warehouse: Warehouse) -> None:
    land(warehouse, BY_NAME, replace(BY_DOMAIN, landed_at=NOW + timedelta(hours=1)))
    run(warehouse)
    (first, _) = rounds(warehouse)
    land(warehouse, replace(BRIDGE, landed_at=NOW + timedelta(hours=2)))
    run(warehouse)
    empty = replace(BY_DOMAIN, title="Quern opens a mill", body="", landed_at=NOW + timedelta(hours=3), landing_id=9)
    land(warehouse, empty)
    run(warehouse)
    land(warehouse, replace(BY_DOMAIN, landed_at=NOW + timedelta(hours=4), landing_id=10))
    run(warehouse)
    links = table(warehouse, "SELECT round_id FROM core.round_mentions")
    assert [row["round_id"] for row in links] == [first["round_id"]] * 3
    assert sorted(row["status"] for row in rounds(warehouse)) == ["active", "merged"]


def test_a_merged_round_lets_the_other_tell_if_it_told(warehouse: Warehouse) -> None:
    land(warehouse, replace(BY_NAME, is_catch_up=True), replace(BY_DOMAIN, landed_at=NOW + timedelta(hours=1)))
    run(warehouse)
    assert [row["tells"] for row in rounds(warehouse)] == [False, True]
    land(warehouse, replace(BRIDGE, is_catch_up=True, landed_at=NOW + timedelta(hours=2)))
    run(warehouse)
    (stays,) = [row for row in rounds(warehouse) if row["status"] == "active"]
    assert stays["tells"]


def test_a_warehouse_of_the_first_schema_is_brought_up_with_its_rows(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = tmp_path / "schema"
    schema.mkdir()
    shutil.copy(stores.SCHEMA / "0001_first.sql", schema)
    with monkeypatch.context() as patch:
        patch.setattr(stores, "SCHEMA", schema)
        with warehouse.write() as connection:
            connection.execute("INSERT INTO core.funding_rounds (round_id, round_seq, status) VALUES ('r1', 1, 'active')")
    land(warehouse, BY_NAME)
    run(warehouse)
    assert [(row["round_id"] == "r1", row["status"], row["merged_into"]) for row in rounds(warehouse)] == [
        (True, "active", None),
        (False, "active", None),
    ]


def test_a_filing_of_an_old_sale_makes_no_round(warehouse: Warehouse) -> None:
    land(warehouse, filing("A-1", date_of_first_sale="2025-10-01"))
    assert run(warehouse).stale == 1


def test_a_document_in_another_language_keeps_its_language(warehouse: Warehouse) -> None:
    land(
        warehouse,
        article(
            "d",
            "Quernstone erhält Geld",
            "Das Unternehmen hat in einer Runde Geld erhalten und wird die Mühlen für das Land bauen.",
        ),
    )
    run(warehouse)
    (row,) = table(warehouse, "SELECT set_aside_reason, details->>'language' AS language FROM core.mentions")
    assert row == {"set_aside_reason": "language", "language": "de"}


def test_reading_a_day_again_with_the_same_rules_changes_nothing(warehouse: Warehouse) -> None:
    land(warehouse, FIRST, SECOND, OTHER, replace(article("old", FIRST.title), published_at=NOW - timedelta(days=700)))
    run(warehouse)
    before = table(warehouse, "SELECT * FROM core.mentions ORDER BY mention_seq")
    report = re_extract(warehouse, date(2026, 3, 2), date(2026, 3, 2), NOW + timedelta(days=1))
    assert (report.documents, report.changed) == (4, 0)
    assert table(warehouse, "SELECT * FROM core.mentions ORDER BY mention_seq") == before


def test_a_mention_read_otherwise_is_resolved_again_and_its_round_keeps_its_id(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(warehouse, FIRST, OTHER)
    run(warehouse)
    before = {row["company_name"]: row["round_id"] for row in rounds(warehouse)}
    real = mention_table.extract

    def better(document: Document, rates: Any) -> Any:
        mention = real(document, rates)
        if document.document_id == "a":
            mention.city = "Reno"
        return mention

    monkeypatch.setattr(mention_table, "extract", better)
    later = NOW + timedelta(days=1)
    assert re_extract(warehouse, date(2026, 3, 2), date(2026, 3, 2), later).changed == 1
    report = resolve_new(warehouse, later, HOURS)
    assert (report.new, report.enriched) == (0, 1)
    after = {row["company_name"]: row for row in rounds(warehouse)}
    assert {name: row["round_id"] for name, row in after.items()} == before
    assert after["Quernstone"]["location"] == "Reno"


@pytest.mark.parametrize("after", [timedelta(minutes=1), timedelta(days=30)])
def test_what_is_understood_only_in_a_backfill_tells_nobody(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, after: timedelta
) -> None:
    land(warehouse, FIRST)
    real = mention_table.extract
    with monkeypatch.context() as patch:
        patch.setattr(mention_table, "extract", lambda document, rates: real(replace(document, title="", body=""), rates))
        run(warehouse)
    later = NOW + after
    re_extract(warehouse, date(2026, 3, 2), date(2026, 3, 2), later)
    assert resolve_new(warehouse, later, HOURS).new == 1
    assert [row["tells"] for row in rounds(warehouse)] == [False]


def test_a_round_begins_to_tell_with_the_number_of_its_first_live_report(warehouse: Warehouse) -> None:
    land(warehouse, FIRST)
    run(warehouse)
    (row,) = rounds(warehouse)
    assert (row["tells"], row["tells_from_seq"]) == (True, row["round_seq"])
    land(warehouse, SECOND)
    run(warehouse)
    (later,) = rounds(warehouse)
    assert later["round_seq"] > row["round_seq"]
    assert later["tells_from_seq"] == row["round_seq"]


def test_a_document_that_breaks_the_extractor_is_set_aside_and_holds_up_no_other(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(warehouse, FIRST, OTHER)
    real = mention_table.extract

    def breaks(document: Document, rates: Any) -> Any:
        if document.document_id == "a":
            raise IndexError("no such group")
        return real(document, rates)

    with monkeypatch.context() as patch:
        patch.setattr(mention_table, "extract", breaks)
        run(warehouse)
    assert [row["company_name"] for row in rounds(warehouse)] == ["Larkspindle"]
    (broken,) = table(warehouse, "SELECT set_aside_reason, details FROM core.mentions WHERE document_id = 'a'")
    assert broken["set_aside_reason"] == "extractor_failed"
    assert "IndexError: no such group" in broken["details"]


def test_progress_stands_at_the_newest_document_and_mention(warehouse: Warehouse) -> None:
    land(warehouse, FIRST, SECOND)
    run(warehouse)
    with warehouse.open() as connection:
        assert (progress(connection, mention_table.STEP), progress(connection, round_table.STEP)) == (2, 2)


def test_the_readings_to_look_at_are_the_unsure_the_near_and_the_contradicting(warehouse: Warehouse) -> None:
    land(
        warehouse,
        FIRST,
        article("x", "Quernstone raises $4.5M seed round", outlet="Daily", landing_id=3),
        article("near", "Larkspindle plans to raise $9M Series A"),
        article("far", "Sablewing opens a mill"),
    )
    run(warehouse)
    with warehouse.open() as connection:
        documents = review.documents_to_review(connection, NOW + timedelta(hours=1))
        assert review.documents_to_review(connection, NOW + timedelta(days=30)) == []
    found = {document.document_id: why for why, document in documents}
    assert found["near"] == "nearly read as a round"
    assert {"a", "x"} <= set(found)
    assert "far" not in found
    html = review.review_page(documents, NOW)
    assert "Larkspindle" in html


def test_a_document_that_breaks_the_extractor_is_on_the_page(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.signals.explain.extract", lambda *_: 1 / 0)
    html = review.review_page([("broke the extractor", FIRST)], NOW)
    assert "ZeroDivisionError" in html
    assert FIRST.title in html

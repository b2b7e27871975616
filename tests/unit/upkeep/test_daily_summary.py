"""The summary of a day, from a warehouse that holds a few."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from pipeline.store.warehouse import Warehouse
from pipeline.upkeep.daily_summary import daily_summary
from pipeline.upkeep.markdown import link

NOW = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)
DAY = date(2026, 11, 2)

FILL = """
    INSERT INTO raw.documents BY NAME
        SELECT 'w' || n AS document_id, 'wire' AS source_id, 'article' AS kind,
            TIMESTAMP '2026-11-01 00:00:00' + INTERVAL (n) HOUR AS landed_at FROM range(0, 30) AS t(n);
    INSERT INTO raw.documents BY NAME
        SELECT 'e' || n AS document_id, 'edgar' AS source_id, 'form_d' AS kind,
            TIMESTAMP '2026-11-02 01:00:00' + INTERVAL (n * 3) HOUR AS landed_at FROM range(0, 8) AS t(n);
    INSERT INTO raw.rejected_documents BY NAME SELECT 'wire' AS source_id, TIMESTAMP '2026-11-02 03:00:00' AS rejected_at;
    INSERT INTO core.funding_rounds BY NAME SELECT * FROM (VALUES
        ('r1', 'Lumen | Labs', 'series-a', 5000000, TRUE, 'active', TIMESTAMP '2026-11-02 10:00:00', 'https://a.example/1'),
        ('r2', 'Tarn', 'seed', 7000000, FALSE, 'active', TIMESTAMP '2026-11-02 11:00:00', NULL),
        ('r3', 'Skerry', 'seed', 9000000, TRUE, 'active', TIMESTAMP '2026-11-01 11:00:00', NULL),
        ('r4', 'Gone', 'seed', 9000000, TRUE, 'retracted', TIMESTAMP '2026-11-02 11:00:00', NULL)
    ) t(round_id, company_name, funding_type, amount_usd, tells, status, first_seen_at, article_url);
    INSERT INTO core.organizations BY NAME SELECT 'o1' AS organization_id, 'acme' AS slug;
    INSERT INTO core.matches BY NAME SELECT * FROM (VALUES
        ('m1', 'o1', 'r1', TIMESTAMP '2026-11-02 10:00:05'), ('m2', 'o1', 'r3', TIMESTAMP '2026-11-01 10:00:05')
    ) t(match_id, organization_id, round_id, matched_at);
    INSERT INTO core.webhook_deliveries BY NAME SELECT * FROM (VALUES
        ('d1', 'm1', 'o1', 'failed', 'timeout', 1, TIMESTAMP '2026-11-02 10:00:09'),
        ('d1', 'm1', 'o1', 'delivered', NULL, 2, TIMESTAMP '2026-11-02 10:05:09'),
        ('d2', 'm2', 'o1', 'failed', 'http_5xx', 1, TIMESTAMP '2026-11-02 00:00:09'),
        ('d3', 'm3', 'o1', 'failed', 'http_5xx', 1, TIMESTAMP '2026-11-03 00:00:00')
    ) t(delivery_id, match_id, organization_id, status, error_class, attempt_number, started_at);
    INSERT INTO core.match_reviews BY NAME SELECT * FROM (VALUES
        ('0123456789ab', 'o1', 'Lumen', 'Lumen Water', 0.71, 'waiting'), ('ffff', 'o1', 'Lumen', 'Lumina', 0.6, 'expired')
    ) t(review_id, organization_id, round_value, crm_value, score, status);
    INSERT INTO raw.source_hours BY NAME SELECT * FROM (VALUES
        ('media', TIMESTAMP '2026-11-02 10:00:00', 4, 3, 'timeout'), ('wire', TIMESTAMP '2026-11-02 10:00:00', 9, 1, NULL)
    ) t(source_id, hour_at, polls, failures, last_error);
"""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    warehouse = Warehouse(tmp_path_factory.mktemp("summary") / "warehouse.duckdb")
    with warehouse.open() as connection:
        connection.execute(FILL)
    return warehouse


def test_a_day_says_what_came_who_was_told_what_failed_what_waits_and_who_is_late(warehouse: Warehouse) -> None:
    with warehouse.open() as connection:
        summary = daily_summary(connection, DAY, NOW)
    assert summary.is_trouble
    assert summary.markdown.split("\n\n") == [
        "# Funding news of 2026-11-02",
        "14 documents from 2 sources came in (8 filings); 1 could not be read. "
        "2 rounds were first seen, USD 12,000,000 in all; 1 of them tell nobody (read late, or in a backfill).",
        "## Largest rounds",
        "| company | type | USD | article |\n|---|---|---|---|\n"
        "| Tarn | seed | 7,000,000 |  |\n| Lumen \\| Labs | series-a | 5,000,000 | <https://a.example/1> |",
        "## Who was told",
        "| organization | matches | delivered | failed | no webhook |\n|---|---|---|---|---|\n| acme | 1 | 1 | 1 | 0 |",
        "## Failed deliveries",
        "| organization | reason | requests | status | see |\n|---|---|---|---|---|\n"
        "| acme | http_5xx | 1 |  | `fundingscout deliveries show d2` |\n"
        "| acme | timeout | 1 |  | `fundingscout deliveries show d1` |",
        "## Waiting for review: 1",
        "| organization | round | account | score | decide |\n|---|---|---|---|---|\n"
        "| acme | Lumen | Lumen Water | 0.71 | `fundingscout review show 01234567` |",
        "## Sources that are late",
        "| source | last news (UTC) | hours | usual gap, hours |\n|---|---|---|---|\n| wire | 2026-11-02 05:00 | 19 | 1 |",
        "## Sources that fail",
        "| source | failures | polls | last error |\n|---|---|---|---|\n| media | 3 | 4 | timeout |\n",
    ]


def test_a_quiet_day_is_two_lines_and_no_trouble(warehouse: Warehouse) -> None:
    with warehouse.open() as connection:
        connection.execute("DELETE FROM core.match_reviews")
        summary = daily_summary(connection, date(2026, 10, 1), NOW)
    assert summary.markdown.count("\n") == 3
    assert not summary.is_trouble
    assert "0 documents from 0 sources" in summary.markdown


def test_a_day_on_which_all_that_was_asked_failed_says_so_in_a_sentence(warehouse: Warehouse) -> None:
    with warehouse.open() as connection:
        connection.execute("""
            INSERT INTO raw.source_hours BY NAME SELECT * FROM (VALUES
                ('media', TIMESTAMP '2026-10-02 10:00:00', 4, 4, 'timeout'), ('wire', TIMESTAMP '2026-10-02 11:00:00', 9, 9, NULL),
                ('media', TIMESTAMP '2026-10-03 10:00:00', 4, 4, 'timeout'), ('wire', TIMESTAMP '2026-10-03 11:00:00', 9, 8, NULL)
            ) t(source_id, hour_at, polls, failures, last_error)
        """)
        alone, but_for_one = (daily_summary(connection, date(2026, 10, day), NOW) for day in (2, 3))
    sentence = "**No source answered**: all 13 polls of 2 sources failed."
    assert alone.markdown.split("\n\n")[1].startswith(sentence)
    assert alone.is_trouble
    assert "No source answered" not in but_for_one.markdown


def test_of_a_day_that_is_not_over_a_source_is_late_by_what_has_passed(warehouse: Warehouse) -> None:
    with warehouse.open() as connection:
        early = daily_summary(connection, DAY, datetime(2026, 11, 2, 6, 0, tzinfo=UTC))
    assert "Sources that are late" not in early.markdown


def test_an_address_from_outside_is_a_link_and_no_more() -> None:
    assert link("https://a.example/1?x=[y]") == "<https://a.example/1?x=[y]>"
    assert link("https://a.example/> ![](https://b.example/)") == "<https://a.example/%3E%20![](https://b.example/)>"
    assert (link("javascript:alert(1)"), link("")) == ("", "")

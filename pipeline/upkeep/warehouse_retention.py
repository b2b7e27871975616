"""Retention in the warehouse: texts are taken out of rows that stay for a while, then old news goes as a whole.

DuckDB gives no space back to the file system, but writes into what has become free when the file is closed. A change in a group of
122,880 rows writes the group's columns anew, whether it is of a day's rows or a week's: so old rows go by whole weeks.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb

from pipeline.documents.document_table import TEXT_EXPIRED
from pipeline.store.closed_days import close_days
from pipeline.store.warehouse import Warehouse
from pipeline.upkeep.ledger_retention import UNANSWERED

# One transaction's worth: others wait for the warehouse while it lasts (about a second).
CHUNK = 20_000


def compact(warehouse: Warehouse, texts: datetime, history: datetime, forgotten: datetime) -> dict[str, int]:
    """Take out the texts of documents landed before ``texts`` and the sentences quoted from them; delete rejects, hours of
    sources and closed versions of CRM rows from before ``history``, close the days before it, and delete the news from before
    ``forgotten``.

    News: rounds first seen then, with their matches and deliveries, and documents landed then that no other round is made of,
    with their mentions. A document's id stays in raw.past_documents. A round that a filing tells of stays with its documents: an
    amendment may come years later, and must find it. The newest rows of all stay: their numbers must not be given again.
    Texts and news go a week at a time, the one that is wholly over.
    """
    texts, forgotten = _week_of(texts), _week_of(forgotten)
    done = {"document_texts": 0, "evidence": 0}
    while True:
        with warehouse.write() as connection:
            expired = _texts_to_expire(connection, _naive(texts))
            if expired:
                done["evidence"] += _expire(connection)
            done["document_texts"] += expired
            if expired == CHUNK:
                continue
            # The rest belongs to the same opening: opening the file costs more than looking for old rows.
            close_days(connection, history)
            for statement in (_PAST_ROUNDS, _OLD_DOCUMENTS, _PAST_DOCUMENTS):
                connection.execute(statement, _bound(statement, forgotten))
            for statements, limit in ((_HISTORY, history), (_NEWS, forgotten)):
                for name, statement in statements.items():
                    done[name] = int(connection.execute(statement, _bound(statement, limit)).fetchall()[0][0])
            return done


def _bound(statement: str, limit: datetime) -> list[datetime]:
    return [_naive(limit)] if "?" in statement else []


_HISTORY = {
    "rejected_documents": "DELETE FROM raw.rejected_documents WHERE rejected_at < ?",
    "source_hours_of_history": "DELETE FROM raw.source_hours WHERE hour_at < ?",
    "crm_account_versions": "DELETE FROM core.crm_account_history WHERE valid_to < ?",
    "crm_contact_versions": "DELETE FROM core.crm_contact_history WHERE valid_to < ?",
}
_PAST_ROUNDS = """
    CREATE OR REPLACE TEMP TABLE past_rounds AS
    SELECT round_id, cik IS NULL AND accession IS NULL AND round_seq < (SELECT max(round_seq) FROM core.funding_rounds) AS goes
    FROM core.funding_rounds WHERE first_seen_at < ?
"""
_OLD_DOCUMENTS = """
    CREATE OR REPLACE TEMP TABLE old_documents AS
    SELECT document_id FROM raw.documents
    WHERE landed_at < ? AND document_seq < (SELECT max(document_seq) FROM raw.documents)
"""
_PAST_DOCUMENTS = """
    CREATE OR REPLACE TEMP TABLE past_documents AS
    SELECT document_id FROM old_documents
    LEFT JOIN core.round_mentions links USING (document_id)
    LEFT JOIN past_rounds USING (round_id)
    LEFT JOIN core.mentions USING (document_id)
    WHERE (links.document_id IS NULL OR goes)
        AND coalesce(mention_seq, 0) < (SELECT coalesce(max(mention_seq), 1) FROM core.mentions)
"""
_NEWS = {
    "old_matches_copied": "DELETE FROM core.matches WHERE round_id IN (SELECT round_id FROM past_rounds)",
    "old_attempts_copied": """
        DELETE FROM core.webhook_deliveries
        WHERE round_id IN (SELECT round_id FROM past_rounds) OR (round_id IS NULL AND started_at < ?)
    """,
    "old_questions_copied": f"""
        DELETE FROM core.match_reviews WHERE updated_at < ? AND status IN ({", ".join(f"'{status}'" for status in UNANSWERED)})
    """,  # noqa: S608 - constants
    "old_documents": "INSERT INTO raw.past_documents SELECT CAST(document_id AS UUID) FROM past_documents",
    "old_mentions": "DELETE FROM core.mentions WHERE document_id IN (SELECT document_id FROM past_documents)",
    "old_links": "DELETE FROM core.round_mentions WHERE document_id IN (SELECT document_id FROM past_documents)",
    "old_document_rows": "DELETE FROM raw.documents WHERE document_id IN (SELECT document_id FROM past_documents)",
    "old_rounds_copied": """
        DELETE FROM core.funding_rounds WHERE round_id IN (SELECT round_id FROM past_rounds WHERE goes)
            AND round_id NOT IN (SELECT round_id FROM core.round_mentions)
    """,
}


def _texts_to_expire(connection: duckdb.DuckDBPyConnection, limit: datetime) -> int:
    """Name the next documents whose text has expired in ``expired_texts``; gives how many.

    A filing keeps its fields: they are short, and public for good.
    """
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE expired_texts AS
            SELECT document_id, document_seq FROM raw.documents
            WHERE landed_at < ? AND body_origin IS DISTINCT FROM ? AND kind = 'article' ORDER BY document_seq LIMIT {CHUNK:d}""",  # noqa: S608
        [limit, TEXT_EXPIRED],
    )
    return int(connection.execute("SELECT count(*) FROM expired_texts").fetchall()[0][0])


def _expire(connection: duckdb.DuckDBPyConnection) -> int:
    # Which rows first: asked in one, all sentences ever quoted would be read.
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE expired_readings AS "
        "SELECT mentions.rowid AS place FROM core.mentions SEMI JOIN expired_texts USING (document_id)"
    )
    evidence = connection.execute(
        "UPDATE core.mentions SET evidence = '[]' WHERE rowid IN (SELECT place FROM expired_readings)"
    ).fetchall()
    # Numbers grow with time: the row groups of other days are not read.
    bounds = connection.execute("SELECT min(document_seq), max(document_seq) FROM expired_texts").fetchall()[0]
    connection.execute(
        "UPDATE raw.documents SET body = '', body_origin = ? WHERE document_seq BETWEEN ? AND ? "
        "AND document_id IN (SELECT document_id FROM expired_texts)",
        [TEXT_EXPIRED, *bounds],
    ).fetchall()
    return int(evidence[0][0])


def _week_of(instant: datetime) -> datetime:
    """The beginning of the Monday (UTC) before."""
    day = instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)

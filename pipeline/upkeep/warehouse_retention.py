"""Retention in the warehouse: texts are taken out of rows that stay, closed versions of CRM rows and old counts are deleted.

DuckDB gives no space back to the file system, but writes into what a checkpoint has freed; so each call ends with one.
"""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb

from pipeline.documents.document_table import TEXT_EXPIRED
from pipeline.store.warehouse import Warehouse

# One transaction's worth: others wait for the warehouse while it lasts (about a second).
CHUNK = 20_000


def compact(warehouse: Warehouse, texts: datetime, history: datetime) -> dict[str, int]:
    """Take out the texts of documents landed before ``texts`` and the sentences quoted from them; delete rejects, hours of
    sources and closed versions of CRM rows from before ``history``; shorten the deliveries from before it.

    Documents, mentions, rounds, matches and deliveries stay as rows.
    """
    text_limit, history_limit = _naive(texts), _naive(history)
    done = {"document_texts": 0, "evidence": 0}
    while True:
        with warehouse.write() as connection:
            ids = _texts_to_expire(connection, text_limit)
            if not ids:
                break
            done["evidence"] += _expire(connection)
            done["document_texts"] += ids
    with warehouse.write() as connection:
        for name, statement in _HISTORY.items():
            done[name] = int(connection.execute(statement, [history_limit]).fetchall()[0][0])
    with warehouse.open() as connection:
        connection.execute("CHECKPOINT")
    return done


_HISTORY = {
    "rejected_documents": "DELETE FROM raw.rejected_documents WHERE rejected_at < ?",
    "source_hours_of_history": "DELETE FROM raw.source_hours WHERE hour_at < ?",
    "crm_account_versions": "DELETE FROM core.crm_account_history WHERE valid_to < ?",
    "crm_contact_versions": "DELETE FROM core.crm_contact_history WHERE valid_to < ?",
    "attempt_excerpts": """
        UPDATE core.webhook_deliveries SET response_excerpt = NULL, error = NULL
        WHERE started_at < ? AND (response_excerpt IS NOT NULL OR error IS NOT NULL)
    """,
}


def _texts_to_expire(connection: duckdb.DuckDBPyConnection, limit: datetime) -> int:
    """Name the next documents whose text has expired in ``expired_texts``; gives how many.

    A filing keeps its fields: they are short, and public for good.
    """
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE expired_texts AS
            SELECT document_id FROM raw.documents
            WHERE landed_at < ? AND body_origin IS DISTINCT FROM ? AND kind = 'article' ORDER BY document_seq LIMIT {CHUNK:d}""",  # noqa: S608
        [limit, TEXT_EXPIRED],
    )
    return int(connection.execute("SELECT count(*) FROM expired_texts").fetchall()[0][0])


def _expire(connection: duckdb.DuckDBPyConnection) -> int:
    evidence = connection.execute("""
        UPDATE core.mentions SET evidence = '[]'
        WHERE document_id IN (SELECT document_id FROM expired_texts) AND CAST(evidence AS VARCHAR) <> '[]'
    """).fetchall()
    connection.execute(
        "UPDATE raw.documents SET body = '', body_origin = ? WHERE document_id IN (SELECT document_id FROM expired_texts)",
        [TEXT_EXPIRED],
    ).fetchall()
    return int(evidence[0][0])


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)

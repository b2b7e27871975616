"""The readings that a person should look at: rounds read with little confidence, near misses, reports that contradict each other.

What belongs here: choosing them and making the page. What does not: the asset that does it every so often (defs).
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import duckdb

from pipeline.documents.model import Document
from pipeline.signals.explain import Explanation, explain
from pipeline.signals.explain_html import page
from pipeline.signals.mention_rows import DOCUMENT_COLUMNS, document_from_row
from pipeline.signals.mention_table import BROKEN, rows_of
from pipeline.signals.model import Mention
from pipeline.signals.rates import Rates, reference_rates

DAYS = 7
MOST_OF_A_KIND = 15
UNSURE_BELOW = 0.9

log = logging.getLogger(__name__)

# Each kind: what an analyst should ask, and which mentions (m) it is about. Of a week, so that the cost stays what it is.
_KINDS: tuple[tuple[str, str, str], ...] = (
    ("broke the extractor", f"m.set_aside_reason = '{BROKEN}'", "m.document_seq DESC"),
    (
        "read as a round, unsure",
        f"m.is_funding AND d.kind = 'article' AND m.confidence_score < {UNSURE_BELOW}",
        "m.confidence_score, m.document_seq DESC",
    ),
    (
        "nearly read as a round",
        "NOT m.is_funding AND d.kind = 'article' AND json_extract_string(m.confidence_reasons, '$[0].cue') = 'round_probability'",
        "CAST(json_extract_string(m.confidence_reasons, '$[0].effect') AS DOUBLE) DESC, m.document_seq DESC",
    ),
    (
        "reports of the round disagree",
        "m.document_id IN (SELECT l.document_id FROM core.round_mentions l JOIN core.funding_rounds r USING (round_id) "
        "WHERE json_array_length(r.conflicts) > 0 AND l.linked_at >= $since)",
        "m.document_seq DESC",
    ),
)


def documents_to_review(connection: duckdb.DuckDBPyConnection, now: datetime) -> list[tuple[str, Document]]:
    """(why, document) of the last week, each document once, in the order of the kinds."""
    since = (now - timedelta(days=DAYS)).astimezone(UTC).replace(tzinfo=None)
    columns = ", ".join(f"d.{name.strip()}" for name in DOCUMENT_COLUMNS.split(",") if "form_d" not in name)
    found: dict[str, tuple[str, Document]] = {}
    for why, condition, order in _KINDS:
        rows = rows_of(
            connection,
            f"""SELECT {columns}, CAST(d.form_d AS VARCHAR) AS form_d
                FROM core.mentions m JOIN raw.documents d USING (document_id)
                WHERE m.extracted_at >= $since AND {condition} ORDER BY {order} LIMIT {MOST_OF_A_KIND:d}""",  # noqa: S608
            {"since": since},
        )
        for row in rows:
            found.setdefault(row["document_id"], (why, document_from_row(row)))
    return list(found.values())


def review_page(documents: list[tuple[str, Document]], now: datetime, rates: Rates | None = None) -> str:
    """The page on these documents, read with today's extractor."""
    table = rates or reference_rates()
    explained = ((_source(why, document), _explained(document, table)) for why, document in documents)
    return page(f"Readings to look at, {now:%Y-%m-%d %H:%M} UTC", explained)


def _source(why: str, document: Document) -> str:
    return f"{why} · {document.outlet} · {document.published_at or document.landed_at:%Y-%m-%d} · {document.url}"


def _explained(document: Document, rates: Rates) -> Explanation:
    try:
        return explain(document, rates)
    except Exception as error:
        # The page is there to show such a document, not to fail with it.
        log.exception("document %s broke the extractor", document.document_id)
        broken = Mention(document.document_id, set_aside_reason=f"{BROKEN}: {type(error).__name__}: {error}")
        return Explanation(broken, document.title, document.body, None, (), (), ())

"""The day in words: a Markdown summary of one UTC day, for a file, a chat or a mail.

What belongs here: the questions to the warehouse and the text. What does not: where the text goes (defs).
Every figure is of the live tables, so the summary needs no build of the marts; each query reads one day, not history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb

from pipeline.upkeep.markdown import Markup, cell, link

MOST_LINES = 10
MOST_CHARACTERS = 200
# A source that usually brings something every few hours is late when it is silent for so many times its usual gap.
LATE_FACTOR = 3.0
RHYTHM_DAYS = 28
LEAST_GAPS = 5

_DOCUMENTS = """
    SELECT count(*), count(*) FILTER (kind = 'form_d'), count(DISTINCT source_id)
    FROM raw.documents WHERE landed_at >= $start AND landed_at < $end
"""
_REJECTED = "SELECT count(*) FROM raw.rejected_documents WHERE rejected_at >= $start AND rejected_at < $end"
_ROUNDS = """
    SELECT count(*), count(*) FILTER (NOT tells), CAST(coalesce(sum(amount_usd), 0) AS BIGINT)
    FROM core.funding_rounds WHERE status = 'active' AND first_seen_at >= $start AND first_seen_at < $end
"""
_LARGEST = f"""
    SELECT company_name, funding_type, amount_usd, article_url
    FROM core.funding_rounds WHERE status = 'active' AND first_seen_at >= $start AND first_seen_at < $end
    ORDER BY amount_usd DESC NULLS LAST, company_name, round_id LIMIT {MOST_LINES}
"""  # noqa: S608 - constants of this module
# By organization: matches of the day, and what became of the requests of the day. Once delivered counts as delivered.
_TOLD = """
    WITH matched AS (
        SELECT organization_id, count(*) AS matches
        FROM core.matches WHERE matched_at >= $start AND matched_at < $end GROUP BY organization_id
    ),
    attempted AS (
        SELECT organization_id, coalesce(match_id, delivery_id) AS told_of,
            bool_or(status = 'delivered') AS is_delivered, bool_or(status = 'failed') AS is_failed,
            bool_or(status = 'no_webhook') AS is_no_webhook
        FROM core.webhook_deliveries WHERE started_at >= $start AND started_at < $end
        GROUP BY organization_id, coalesce(match_id, delivery_id)
    ),
    told AS (
        SELECT organization_id, count(*) FILTER (is_delivered) AS delivered,
            count(*) FILTER (is_failed AND NOT is_delivered) AS failed, count(*) FILTER (is_no_webhook) AS no_webhook
        FROM attempted GROUP BY organization_id
    )
    SELECT coalesce(slug, organization_id), coalesce(matches, 0), coalesce(delivered, 0), coalesce(failed, 0),
        coalesce(no_webhook, 0)
    FROM matched FULL JOIN told USING (organization_id) LEFT JOIN core.organizations USING (organization_id)
    ORDER BY 2 DESC, 1
"""
_FAILED = f"""
    SELECT coalesce(slug, d.organization_id), coalesce(error_class, 'unknown'), count(*), max(response_code), max(delivery_id)
    FROM core.webhook_deliveries d LEFT JOIN core.organizations o ON o.organization_id = d.organization_id
    WHERE status = 'failed' AND started_at >= $start AND started_at < $end
    GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT {MOST_LINES}
"""  # noqa: S608 - constants of this module
_WAITING = f"""
    SELECT coalesce(slug, r.organization_id), round_value, crm_value, score, review_id, count(*) OVER ()
    FROM core.match_reviews r LEFT JOIN core.organizations o ON o.organization_id = r.organization_id
    WHERE status = 'waiting' ORDER BY score DESC, review_id LIMIT {MOST_LINES}
"""  # noqa: S608 - constants of this module
_LATE = f"""
    WITH hours AS (
        SELECT DISTINCT source_id, date_trunc('hour', landed_at) AS hour_at
        FROM raw.documents WHERE landed_at >= $rhythm AND landed_at < $end
    ),
    gaps AS (
        SELECT source_id, hour_at,
            date_diff('hour', lag(hour_at) OVER (PARTITION BY source_id ORDER BY hour_at), hour_at) AS gap
        FROM hours
    ),
    usual AS (
        SELECT source_id, max(hour_at) AS last_at, quantile_cont(gap, 0.9) AS usual_gap
        FROM gaps GROUP BY source_id HAVING count(gap) >= {LEAST_GAPS}
    )
    SELECT source_id, last_at, date_diff('hour', last_at, $end), usual_gap
    FROM usual WHERE date_diff('hour', last_at, $end) > {LATE_FACTOR} * greatest(usual_gap, 1)
    ORDER BY 3 DESC, 1
"""  # noqa: S608 - constants of this module
_ASKED = """
    SELECT CAST(sum(polls) AS BIGINT), CAST(sum(failures) AS BIGINT), count(DISTINCT source_id)
    FROM raw.source_hours WHERE hour_at >= $start AND hour_at < $end
"""
_FAILING = """
    SELECT source_id, CAST(sum(failures) AS BIGINT), CAST(sum(polls) AS BIGINT),
        arg_max(last_error, hour_at) FILTER (last_error IS NOT NULL)
    FROM raw.source_hours WHERE hour_at >= $start AND hour_at < $end
    GROUP BY source_id HAVING sum(failures) * 2 >= sum(polls) AND sum(failures) > 0 ORDER BY 2 DESC, 1
"""


@dataclass(frozen=True, slots=True)
class DailySummary:
    """One day's summary. ``is_trouble``: something needs a person (failed, waiting, late)."""

    day: date
    markdown: str
    is_trouble: bool


def daily_summary(connection: duckdb.DuckDBPyConnection, day: date, now: datetime) -> DailySummary:
    """The summary of the UTC ``day``, or of what there is of it at ``now``, from the warehouse behind ``connection``.

    What came in, rounds, who was told, what failed, what waits for review, which sources are late. Writes nothing.
    """
    start = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - warehouse times are naive UTC
    end = min(start + timedelta(days=1), now.astimezone(UTC).replace(tzinfo=None))
    of_day = {"start": start, "end": end}

    def ask(query: str, **more: Any) -> list[tuple[Any, ...]]:
        wanted = {name: value for name, value in (of_day | more).items() if f"${name}" in query}
        return connection.execute(query, wanted).fetchall()

    told, failed, waiting = ask(_TOLD), ask(_FAILED), ask(_WAITING)
    late, failing = ask(_LATE, rhythm=end - timedelta(days=RHYTHM_DAYS)), ask(_FAILING)
    parts = [
        f"# Funding news of {day}",
        _no_answer(*ask(_ASKED)[0]),
        _came_in(ask(_DOCUMENTS)[0], ask(_REJECTED)[0][0], ask(_ROUNDS)[0]),
        _section("Largest rounds", ("company", "type", "USD", "article"), [_round_line(row) for row in ask(_LARGEST)]),
        _section("Who was told", ("organization", "matches", "delivered", "failed", "no webhook"), told),
        _section(
            "Failed deliveries", ("organization", "reason", "requests", "status", "see"), [_failed_line(r) for r in failed]
        ),
        _section(
            _waiting_title(waiting), ("organization", "round", "account", "score", "decide"), [_asked(r) for r in waiting]
        ),
        _section("Sources that are late", ("source", "last news (UTC)", "hours", "usual gap, hours"), [_late(r) for r in late]),
        _section("Sources that fail", ("source", "failures", "polls", "last error"), failing),
    ]
    return DailySummary(day, "\n\n".join(part for part in parts if part) + "\n", bool(failed or waiting or late or failing))


def _no_answer(polls: int | None, failures: int | None, sources: int) -> str:
    """A sentence where all that was asked failed: then it is not the sources, and no table of them says so as plainly."""
    if not polls or polls != failures:
        return ""
    return (
        f"**No source answered**: all {polls:,} polls of {sources:,} sources failed. Either this machine cannot reach them "
        "(network, proxy, name service), or nothing it asks is there; what was published meanwhile is read once they answer."
    )


def _came_in(documents: tuple[Any, ...], rejected: int, rounds: tuple[Any, ...]) -> str:
    count, filings, sources = documents
    found, silent, usd = rounds
    return (
        f"{count:,} documents from {sources:,} sources came in ({filings:,} filings); {rejected:,} could not be read. "
        f"{found:,} rounds were first seen, USD {usd:,} in all; {silent:,} of them tell nobody (read late, or in a backfill)."
    )


def _waiting_title(waiting: Sequence[tuple[Any, ...]]) -> str:
    return f"Waiting for review: {waiting[0][5]:,}" if waiting else "Waiting for review"


def _round_line(row: tuple[Any, ...]) -> tuple[Any, ...]:
    company, kind, usd, url = row
    return company, kind, "" if usd is None else f"{usd:,}", link(url or "")


def _failed_line(row: tuple[Any, ...]) -> tuple[Any, ...]:
    organization, reason, requests, code, delivery_id = row
    return organization, reason, requests, code, Markup(f"`fundingscout deliveries show {delivery_id}`")


def _asked(row: tuple[Any, ...]) -> tuple[Any, ...]:
    organization, round_value, crm_value, score, review_id, _ = row
    return organization, round_value, crm_value, f"{score:.2f}", Markup(f"`fundingscout review show {review_id[:8]}`")


def _late(row: tuple[Any, ...]) -> tuple[Any, ...]:
    source, last_at, hours, usual = row
    return source, f"{last_at:%Y-%m-%d %H:%M}", hours, f"{usual:.0f}"


def _section(title: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A heading and a table; nothing where there are no rows, so that a quiet day is a short text."""
    if not rows:
        return ""
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return f"## {title}\n\n" + "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return cell(value, MOST_CHARACTERS)
    return "" if value is None else f"{value:,}" if isinstance(value, int) and value >= 10_000 else str(value)

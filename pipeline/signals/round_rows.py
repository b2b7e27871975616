"""Rows of ``core.funding_rounds`` and ``core.round_mentions``: their columns, and what they are made of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from pipeline.signals.merge import Merged
from pipeline.signals.resolve import Report

ROUND_COLUMNS = pa.schema(
    [
        ("round_id", pa.string()),
        ("round_seq", pa.int64()),
        ("company_name", pa.string()),
        ("company_key", pa.string()),
        ("domain_key", pa.string()),
        ("cik", pa.string()),
        ("amount", pa.decimal128(20, 2)),
        ("currency", pa.string()),
        ("amount_usd", pa.int64()),
        ("usd_rate_date", pa.date32()),
        ("funding_type", pa.string()),
        ("round_flavor", pa.string()),
        ("website", pa.string()),
        ("location", pa.string()),
        ("location_country", pa.string()),
        ("industry", pa.string()),
        ("ceo_name", pa.string()),
        ("ceo_email", pa.string()),
        ("ceo_linkedin_url", pa.string()),
        ("lead_investor", pa.string()),
        ("investors", pa.string()),
        ("article_url", pa.string()),
        ("article_title", pa.string()),
        ("published_date", pa.date32()),
        ("announced_date", pa.date32()),
        ("confidence_score", pa.float64()),
        ("confidence_reasons", pa.string()),
        ("mention_count", pa.int32()),
        ("source_count", pa.int32()),
        ("conflicts", pa.string()),
        ("accession", pa.string()),
        ("tells", pa.bool_()),
        ("tells_from_seq", pa.int64()),
        ("status", pa.string()),
        ("merged_into", pa.string()),
        ("first_seen_at", pa.timestamp("us")),
        ("updated_at", pa.timestamp("us")),
    ]
)
LINK_COLUMNS = pa.schema(
    [("round_id", pa.string()), ("document_id", pa.string()), ("linked_by", pa.string()), ("linked_at", pa.timestamp("us"))]
)
_JSON = ("investors", "confidence_reasons", "conflicts")
_OF_THE_ROW = frozenset({"round_seq", "tells_from_seq", "updated_at", "investors_json"})
_REPORT_FIELDS = frozenset(Report.__dataclass_fields__)


def report_from_row(row: dict[str, Any]) -> Report:
    """A Report of a mention joined with its document; the warehouse's naive UTC becomes aware."""
    fields = {name: value for name, value in row.items() if name in _REPORT_FIELDS}
    fields["investors"] = tuple(json.loads(row["investors_json"] or "[]"))
    fields["landed_at"] = row["landed_at"].replace(tzinfo=UTC)
    fields["published_at"] = row["published_at"].replace(tzinfo=UTC) if row["published_at"] else None
    fields["is_catch_up"], fields["is_funding"] = bool(row["is_catch_up"]), bool(row["is_funding"])
    fields["is_recovered"] = bool(row["is_recovered"])
    fields["outlet"], fields["url"], fields["title"] = (row[name] or "" for name in ("outlet", "url", "title"))
    return Report(**fields)


def round_row(
    round_id: str, merged: Merged, reports: Sequence[Report], before: dict[str, Any] | None, is_live: bool, now: datetime
) -> dict[str, Any]:
    """The row of a round; its numbers are the writer's to give.

    Once a round tells, it stays so; when it was first seen never changes.
    """
    values, shown = dict(merged.values), merged.shown
    published = shown.published_at or shown.landed_at
    first_seen = min(report.landed_at for report in reports).replace(tzinfo=None)
    return values | {
        "round_id": round_id,
        "location": values.pop("city"),
        "location_country": values.pop("country"),
        "lead_investor": merged.lead_investor,
        "investors": json.dumps(merged.investors, ensure_ascii=False),
        "article_url": shown.url or None,
        "article_title": shown.title or None,
        "published_date": published.date(),
        "confidence_score": merged.confidence,
        "confidence_reasons": json.dumps(merged.reasons, ensure_ascii=False),
        "mention_count": len(reports),
        "source_count": merged.sources,
        "conflicts": json.dumps(merged.conflicts, ensure_ascii=False),
        "tells": is_live or bool(before and before["tells"]),
        "tells_from_seq": before["tells_from_seq"] if before else None,
        "status": "active",
        "merged_into": None,
        "first_seen_at": before["first_seen_at"] if before else first_seen,
        "updated_at": now,
    }


def known_row(row: dict[str, Any] | None) -> dict[str, Any] | None:
    """What a row says, for telling a change from a repetition."""
    if row is None:
        return None
    known = {name: row.get(name) for name in ROUND_COLUMNS.names if name not in _OF_THE_ROW}
    return known | {name: json.loads(text) for name in _JSON if isinstance(text := known[name], str)}

"""Mentions as rows of ``core.mentions`` and documents out of ``raw.documents``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from pipeline.documents.model import Document
from pipeline.matching.domains import registrable_domain
from pipeline.matching.names import normal_form
from pipeline.signals.extract import EXTRACTOR_VERSION
from pipeline.signals.model import Mention

COLUMNS = pa.schema(
    [
        ("document_id", pa.string()),
        ("document_seq", pa.int64()),
        ("revision", pa.int32()),
        ("mention_seq", pa.int64()),
        ("is_recovered", pa.bool_()),
        ("signal_type", pa.string()),
        ("is_funding", pa.bool_()),
        ("set_aside_reason", pa.string()),
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
        ("city", pa.string()),
        ("country", pa.string()),
        ("industry", pa.string()),
        ("description", pa.string()),
        ("ceo_name", pa.string()),
        ("ceo_email", pa.string()),
        ("ceo_linkedin_url", pa.string()),
        ("investors", pa.string()),
        ("announced_date", pa.date32()),
        ("accession", pa.string()),
        ("previous_accession", pa.string()),
        ("confidence_score", pa.float64()),
        ("confidence_reasons", pa.string()),
        ("evidence", pa.string()),
        ("details", pa.string()),
        ("extractor_version", pa.string()),
        ("extracted_at", pa.timestamp("us")),
    ]
)
# What makes a mention another one; the rest follows from it or says when it was read.
DOCUMENT_COLUMNS = (
    "document_id, document_seq, revision, source_id, outlet, kind, url, title, body, body_origin, "
    "language, published_at, landed_at,"
    " landing_id, landing_sha256, is_catch_up, CAST(form_d AS VARCHAR) AS form_d"
)
_PLAIN = (
    "set_aside_reason", "company_name", "cik", "currency", "amount_usd", "usd_rate_date", "funding_type", "round_flavor",
    "website", "city",
    "country", "industry", "description", "ceo_name", "ceo_email", "ceo_linkedin_url", "announced_date", "accession",
    "previous_accession",
    "is_funding", "confidence_score",
)  # fmt: skip


def document_from_row(row: dict[str, Any]) -> Document:
    """A Document of a row with DOCUMENT_COLUMNS; the naive UTC times of the warehouse become aware."""
    return Document(
        document_id=row["document_id"],
        source_id=row["source_id"],
        outlet=row["outlet"] or "",
        kind=row["kind"],
        url=row["url"] or "",
        title=row["title"] or "",
        body=row["body"] or "",
        body_origin=row["body_origin"] or "",
        landed_at=row["landed_at"].replace(tzinfo=UTC),
        landing_id=row["landing_id"] or 0,
        landing_sha256=row["landing_sha256"] or "",
        published_at=row["published_at"].replace(tzinfo=UTC) if row["published_at"] else None,
        language=row["language"],
        is_catch_up=bool(row["is_catch_up"]),
        form_d=json.loads(row["form_d"]) if row["form_d"] else None,
    )


def mention_row(mention: Mention, document_seq: int, revision: int, now: datetime) -> dict[str, Any]:
    """The row of a mention, without ``mention_seq``. Persons who invested stand among the investors with type angel."""
    investors = [{"name": i.name, "is_lead": i.is_lead, "type": i.type} for i in mention.investors]
    investors += [{"name": name, "is_lead": False, "type": "angel"} for name in mention.angels]
    details = dict(mention.details)
    if mention.language and mention.set_aside_reason == "language":
        details["language"] = mention.language
    row = {name: getattr(mention, name) for name in _PLAIN}
    return row | {
        "document_id": mention.document_id,
        "document_seq": document_seq,
        "revision": revision,
        "signal_type": mention.signal_type.value,
        "company_key": normal_form(mention.company_name) or None,
        "domain_key": registrable_domain(mention.website),
        "amount": None if mention.amount is None else mention.amount.quantize(_CENT),
        "investors": json.dumps(investors, ensure_ascii=False),
        "confidence_reasons": json.dumps(mention.confidence_reasons, ensure_ascii=False),
        "evidence": json.dumps(
            [{"field": e.field, "value": e.value, "text": e.text, "origin": e.origin} for e in mention.evidence],
            ensure_ascii=False,
        ),
        "details": json.dumps(details, ensure_ascii=False),
        "extractor_version": EXTRACTOR_VERSION,
        "extracted_at": now.astimezone(UTC).replace(tzinfo=None),
    }


_CENT = Decimal("0.01")

"""JSON lines in, JSON lines out: the extractor for measuring and for other programs (`fundingscout extract`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipeline.documents.model import Document
from pipeline.signals.extract import extract
from pipeline.signals.model import Mention
from pipeline.signals.rates import Rates, reference_rates


@dataclass
class ExtractReport:
    """How many lines were read, how many of them were rounds, and which could not be read: (line number, why)."""

    lines: int = 0
    rounds: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)


def extract_lines(lines_in: Iterable[str], write: Callable[[str], Any], rates: Rates | None = None) -> ExtractReport:
    """Read records {id, title, body, url, published_date, outlet} and write one prediction a line, in their order.

    A line that is no JSON object with an ``id`` and a ``title`` is reported with its number (from 1) and skipped;
    blank lines are skipped in silence. Memory does not grow with the input. Bytes and escapes that are no character count as
    U+FFFD, and a byte order mark as nothing.
    """
    report = ExtractReport()
    table = rates or reference_rates()
    for number, line in enumerate(lines_in, 1):
        if not line.strip():
            continue
        report.lines += 1
        try:
            record = _record(sound(line))
        except ValueError as error:
            report.bad.append((number, str(error)))
            continue
        mention = extract(document_of(record), table)
        report.rounds += mention.is_funding
        write(sound(json.dumps(prediction(record, mention), ensure_ascii=False)) + "\n")
    return report


def sound(text: str) -> str:
    """``text`` without halves of surrogate pairs, which no UTF-8 can hold, and without a byte order mark before it."""
    plain = text.removeprefix("\ufeff")
    try:
        plain.encode("utf-8")
    except UnicodeEncodeError:
        return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return plain


def _record(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise ValueError("not JSON: nested too deep") from None
    if not isinstance(record, dict):
        raise ValueError(f"a JSON {type(record).__name__}, not an object")
    if record.get("id") in (None, "") or not isinstance(record["id"], str | int):
        raise ValueError("no id")
    for key in ("title", "body", "url", "published_date", "outlet"):
        if not isinstance(record.get(key), str | None):
            raise ValueError(f"{key} is neither text nor null")
    if not (record.get("title") or record.get("body")):
        raise ValueError("neither title nor body")
    return record


def document_of(record: dict[str, Any]) -> Document:
    """A Document of a record; a date that can't be read counts as none."""
    published = _date(record.get("published_date"))
    return Document(
        document_id=str(record["id"]),
        source_id="jsonl",
        outlet=record.get("outlet") or "",
        kind="article",
        url=record.get("url") or "",
        title=record.get("title") or "",
        body=record.get("body") or "",
        body_origin="article",
        landed_at=published or datetime(1970, 1, 1, tzinfo=UTC),
        landing_id=0,
        landing_sha256="",
        published_at=published,
    )


def prediction(record: dict[str, Any], mention: Mention) -> dict[str, Any]:
    """The output line of one record; every key is always there. Amounts are plain numbers."""
    funding = mention.is_funding
    return {
        "id": record["id"],
        "is_funding": funding,
        "company_name": mention.company_name if funding else None,
        "amount": _number(mention) if funding else None,
        "currency": mention.currency if funding else None,
        "amount_usd": mention.amount_usd,
        "funding_type": mention.funding_type,
        "round_flavor": mention.round_flavor,
        "lead_investors": mention.lead_investors,
        "investors": [investor.name for investor in mention.investors],
        "angels": mention.angels,
        "website": mention.website,
        "city": mention.city,
        "country": mention.country,
        "ceo_name": mention.ceo_name,
        "published_date": record.get("published_date"),
        "confidence_score": mention.confidence_score if funding else 0.0,
        "evidence": [{"field": e.field, "value": e.value, "text": e.text, "origin": e.origin} for e in mention.evidence],
        # What resolving tells sources apart by.
        "url": record.get("url"),
        "outlet": record.get("outlet"),
        "language": mention.language,
        "signal_type": mention.signal_type.value,
        "set_aside_reason": mention.set_aside_reason,
        "details": mention.details,
    }


def _number(mention: Mention) -> int | float | None:
    if mention.amount is None:
        return None
    return int(mention.amount) if mention.amount == int(mention.amount) else float(mention.amount)


def _date(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)[:10]).replace(tzinfo=UTC) if value else None
    except ValueError:
        return None

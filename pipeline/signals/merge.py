"""What a round says when several documents report it: one value per field, the rest kept as conflicts.

Rules, in this order: the value that most outlets give; of equals, an article's before a filing's (news is what was
announced, a filing what was sold so far), of filings the newest; then the surer reading; then the earlier document.
Amounts within 2 % are one value. Investors are joined, leads first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.signals.resolve import EXACT_TOLERANCE, Report

MERGED_FIELDS = (
    "company_name", "company_key", "domain_key", "website", "cik", "funding_type", "round_flavor", "city", "country",
    "industry", "ceo_name",
    "ceo_email", "ceo_linkedin_url",
)  # fmt: skip
# Where reports disagree on these, somebody should know; on others one value is as good as another.
CONTESTED = frozenset({"company_name", "domain_key", "funding_type", "country", "ceo_name"})
AGREEING_SOURCE, CONFLICT = 0.8, -0.35  # log-odds
HIGHEST = 0.99


@dataclass(slots=True)
class Merged:
    """The joined view of a round's reports; ``chosen`` gives the document of the title, link and date shown."""

    values: dict[str, Any]
    investors: list[dict[str, Any]]
    lead_investor: str | None
    shown: Report
    confidence: float
    reasons: list[dict[str, Any]]
    conflicts: list[dict[str, Any]]
    sources: int


def merge(reports: Sequence[Report]) -> Merged:
    """One view of ``reports`` (at least one). Independent of their order: they are taken by ``mention_seq``, then id."""
    ordered = sorted(reports, key=lambda report: (report.mention_seq, report.document_id))
    conflicts: list[dict[str, Any]] = []
    values: dict[str, Any] = {}
    for name in MERGED_FIELDS:
        values[name] = _choose(ordered, name, conflicts)
    values.update(_amount(ordered, conflicts))
    values["announced_date"] = min(report.day for report in ordered)
    values["accession"] = _newest_accession(ordered)
    investors = _investors(ordered)
    confidence, reasons = _confidence(ordered, conflicts)
    return Merged(
        values,
        investors,
        next((investor["name"] for investor in investors if investor["is_lead"]), None),
        _shown(ordered),
        confidence,
        reasons,
        conflicts,
        len({report.outlet or report.source_id for report in ordered}),
    )


def _choose(reports: Sequence[Report], name: str, conflicts: list[dict[str, Any]]) -> Any:
    stated = [report for report in reports if getattr(report, name)]
    if not stated:
        return None
    groups = _grouped(stated, lambda report: getattr(report, name))
    best = groups[0]
    if name in CONTESTED and len(groups) > 1:
        conflicts.append(_conflict(name, groups, lambda report: getattr(report, name)))
    return getattr(best[0], name)


def _amount(reports: Sequence[Report], conflicts: list[dict[str, Any]]) -> dict[str, Any]:
    stated = [report for report in reports if report.amount is not None]
    names = ("amount", "currency", "amount_usd", "usd_rate_date")
    if not stated:
        return dict.fromkeys(names)
    buckets: list[list[Report]] = []
    for report in stated:
        bucket = next((bucket for bucket in buckets if _same_amount(bucket[0], report)), None)
        if bucket is None:
            buckets.append([report])
        else:
            bucket.append(report)
    groups = sorted((sorted(bucket, key=_preference) for bucket in buckets), key=_group_rank)
    if len(groups) > 1:
        conflicts.append(_conflict("amount", groups, lambda report: f"{report.amount} {report.currency}"))
    return {name: getattr(groups[0][0], name) for name in names}


def _same_amount(one: Report, other: Report) -> bool:
    if one.currency == other.currency:
        first, second = float(one.amount or 0), float(other.amount or 0)
    else:
        first, second = float(one.amount_usd or 0), float(other.amount_usd or 0)
        # Two outlets convert at two rates.
        return bool(first and second) and abs(first - second) <= 5 * EXACT_TOLERANCE * max(first, second)
    return bool(first and second) and abs(first - second) <= EXACT_TOLERANCE * max(first, second)


def _grouped(reports: Sequence[Report], value: Callable[[Report], Hashable]) -> list[list[Report]]:
    groups: dict[Hashable, list[Report]] = {}
    for report in reports:
        groups.setdefault(value(report), []).append(report)
    return sorted((sorted(group, key=_preference) for group in groups.values()), key=_group_rank)


def _group_rank(group: list[Report]) -> tuple[Any, ...]:
    return (-len({report.outlet or report.source_id for report in group}), *_preference(group[0]))


def _preference(report: Report) -> tuple[Any, ...]:
    if report.kind == "form_d":
        return (1, -report.mention_seq, 0.0, report.document_id)
    return (0, 0, -report.confidence_score, report.mention_seq, report.document_id)


def _conflict(name: str, groups: list[list[Report]], show: Callable[[Report], Any]) -> dict[str, Any]:
    return {
        "field": name,
        "chosen": str(show(groups[0][0])),
        "others": [
            {"value": str(show(group[0])), "documents": [report.document_id for report in group]} for group in groups[1:]
        ],
    }


def _investors(reports: Sequence[Report]) -> list[dict[str, Any]]:
    """Every investor once: leads, then funds, then angels, each in the order of the reports."""
    joined: dict[str, dict[str, Any]] = {}
    for report in reports:
        for investor in report.investors:
            known = joined.setdefault(investor["name"].casefold(), dict(investor))
            known["is_lead"] = known["is_lead"] or investor["is_lead"]
            known["type"] = known.get("type") or investor.get("type")
    return sorted(joined.values(), key=lambda item: 0 if item["is_lead"] else 2 if item.get("type") == "angel" else 1)


def _newest_accession(reports: Sequence[Report]) -> str | None:
    return next((report.accession for report in reversed(reports) if report.accession), None)


def _shown(reports: Sequence[Report]) -> Report:
    """The first article; the first filing where there is none."""
    return next((report for report in reports if report.kind != "form_d"), reports[0])


def _confidence(reports: Sequence[Report], conflicts: list[dict[str, Any]]) -> tuple[float, list[dict[str, Any]]]:
    """The surest report's score, raised by each further outlet and lowered by each conflict, in log-odds."""
    best = max(report.confidence_score for report in reports)
    outlets = len({report.outlet or report.source_id for report in reports})
    reasons: list[dict[str, Any]] = [{"cue": "surest_report", "effect": round(_logit(best), 2)}]
    total = _logit(best)
    if outlets > 1:
        effect = AGREEING_SOURCE * math.log2(outlets)
        reasons.append({"cue": f"{outlets}_sources_report_it", "effect": round(effect, 2)})
        total += effect
    for conflict in conflicts:
        reasons.append({"cue": f"conflict_{conflict['field']}", "effect": CONFLICT})
        total += CONFLICT
    return round(min(HIGHEST, 1 / (1 + math.exp(-total))), 3), reasons


def _logit(score: float) -> float:
    bounded = min(0.995, max(0.005, score))
    return math.log(bounded / (1 - bounded))

"""Which real-world round does a report belong to? Pure rules over reports and the rounds already known.

What belongs here: same round or not, and which gate a report fails. What does not: what a round says when its reports
disagree (merge), reading and writing (round_table). Windows and tolerances: A-FS-24.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

CORE_DAYS = 14
LONGEST_DAYS = 45
# Within these days reports that name the same stage are of one round, whatever they say of the amount: a company closes no two
# Series A in half a week, but outlets mix up total, first close and correction.
SAME_STAGE_DAYS = 3
AMOUNT_TOLERANCE = 0.20
EXACT_TOLERANCE = 0.02
OLDEST_SALE_DAYS = 90
ROUND_NAMESPACE = uuid.UUID("6f3ab0a4-4f0b-5b0c-9f5d-0d6a53c7a9d1")
_STAGE = re.compile(r"pre-seed|seed|(?:pre-)?series-[a-z]")


@dataclass(frozen=True, slots=True)
class Report:
    """One document's claim of a round: its mention's fields with what the document itself tells. Times are aware UTC."""

    document_id: str
    mention_seq: int
    kind: str
    source_id: str
    outlet: str
    url: str
    title: str
    landed_at: datetime
    published_at: datetime | None
    is_catch_up: bool
    is_funding: bool
    is_recovered: bool = False
    company_name: str | None = None
    company_key: str | None = None
    domain_key: str | None = None
    cik: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    amount_usd: int | None = None
    usd_rate_date: date | None = None
    funding_type: str | None = None
    round_flavor: str | None = None
    website: str | None = None
    city: str | None = None
    country: str | None = None
    industry: str | None = None
    ceo_name: str | None = None
    ceo_email: str | None = None
    ceo_linkedin_url: str | None = None
    investors: tuple[dict[str, Any], ...] = ()
    announced_date: date | None = None
    accession: str | None = None
    previous_accession: str | None = None
    confidence_score: float = 0.0

    @property
    def day(self) -> date:
        """The day of the event as far as it is known: as stated, else published, else landed."""
        return self.announced_date or (self.published_at or self.landed_at).date()


@dataclass(frozen=True, slots=True)
class Link:
    """The round a report belongs to, and by what: accession, cik_first_sale, domain, cik or name."""

    round_id: str
    linked_by: str


def round_id_of(document_id: str) -> str:
    """The id of the round that a document founds. Depends on the document alone, so it never changes."""
    return str(uuid.uuid5(ROUND_NAMESPACE, document_id))


def choose_round(report: Report, candidates: Iterable[tuple[str, Sequence[Report]]]) -> Link | None:
    """The known round that ``report`` belongs to, or None where it is another one. Independent of the candidates' order.

    ``candidates``: (round id, the reports linked to it). A round is met when its reports' keys meet and none contradicts.
    The strongest link wins, then the nearest day, then the nearest amount, then the smaller id.
    """
    best: tuple[tuple[int, int, float, str], Link] | None = None
    for round_id, reports in candidates:
        linked_by = _linked_by(report, reports)
        if linked_by is None:
            continue
        days = min(abs((report.day - other.day).days) for other in reports)
        gap = min((_amount_gap(report, other) or 0.0) for other in reports)
        rank = (_STRENGTH.index(linked_by), days, gap, round_id)
        if best is None or rank < best[0]:
            best = (rank, Link(round_id, linked_by))
    return best[1] if best else None


def gate(report: Report, max_article_age_hours: int) -> str | None:
    """``stale`` where the report may found no round because what it tells is old (A-FS-24), else None.

    An article: published, or dated by its own words, longer ago than the hours allow when it landed (a day's grace for a date
    without a time). A filing: first sale more than 90 days before it was filed.
    """
    if report.kind == "form_d":
        filed = (report.published_at or report.landed_at).date()
        return "stale" if report.announced_date and (filed - report.announced_date).days > OLDEST_SALE_DAYS else None
    oldest = report.landed_at - timedelta(hours=max_article_age_hours)
    if report.published_at and report.published_at < oldest:
        return "stale"
    return "stale" if report.announced_date and report.announced_date < oldest.date() - timedelta(days=1) else None


def _linked_by(report: Report, reports: Sequence[Report]) -> str | None:
    if any(_chained(report, other) for other in reports):
        return "accession"
    if any(_same_sale(report, other) for other in reports):
        return "cik_first_sale"
    if any(_contradicts_identity(report, other) for other in reports):
        return None
    key = next((key for key in ("domain", "cik", "name") if any(_meets(report, other, key) for other in reports)), None)
    return key if key and _same_round(report, reports) else None


def _chained(one: Report, other: Report) -> bool:
    return bool(
        (one.previous_accession and one.previous_accession == other.accession)
        or (other.previous_accession and other.previous_accession == one.accession)
        or (one.previous_accession and one.previous_accession == other.previous_accession)
    )


def _same_sale(one: Report, other: Report) -> bool:
    """Filings of one issuer on an offering with the same first sale: an original and its amendments."""
    both_filed = one.kind == other.kind == "form_d"
    return (
        both_filed
        and bool(one.cik)
        and one.cik == other.cik
        and one.announced_date is not None
        and one.announced_date == other.announced_date
    )


def _meets(one: Report, other: Report, key: str) -> bool:
    name = {"domain": "domain_key", "cik": "cik", "name": "company_key"}[key]
    value = getattr(one, name)
    return bool(value) and value == getattr(other, name)


def _contradicts_identity(one: Report, other: Report) -> bool:
    """Both domains, or both registrants, are known and differ: companies that share a name."""
    return any(
        first and second and first != second for first, second in ((one.domain_key, other.domain_key), (one.cik, other.cik))
    )


def _same_round(report: Report, reports: Sequence[Report]) -> bool:
    """Near enough in time to some report of the round, and agreeing in type and amount with the nearest of them."""
    nearest = sorted(reports, key=lambda other: (abs((report.day - other.day).days), other.mention_seq))
    days = abs((report.day - nearest[0].day).days)
    if days > LONGEST_DAYS:
        return False
    types = {other.funding_type for other in reports if other.funding_type}
    type_agrees = _types_agree(report.funding_type, types)
    amount_agrees = _amount_agrees(report, reports)
    if days <= CORE_DAYS and type_agrees and amount_agrees is not False:
        return True
    if days <= SAME_STAGE_DAYS and report.funding_type in types and _STAGE.fullmatch(report.funding_type or ""):
        return True
    if days <= SAME_STAGE_DAYS and any(
        (gap := _amount_gap(report, other)) is not None and gap <= EXACT_TOLERANCE for other in reports
    ):
        return True
    if amount_agrees is not True:
        return False
    # A filing names no type, so it can't agree in it; it may follow its announcement by weeks.
    if report.funding_type in types:
        return True
    return type_agrees and "form_d" in {report.kind, *(other.kind for other in reports)}


def _types_agree(funding_type: str | None, others: set[str]) -> bool:
    """Types that name a stage exclude each other; others ("growth", "strategic") describe any stage."""
    stages = {other for other in others if _STAGE.fullmatch(other)}
    return not funding_type or not _STAGE.fullmatch(funding_type) or not stages or funding_type in stages


def _amount_agrees(report: Report, reports: Sequence[Report]) -> bool | None:
    """Whether the amount is within the tolerance of one of the round's; None where either side has none."""
    gaps = [gap for other in reports if (gap := _amount_gap(report, other)) is not None]
    return min(gaps) <= AMOUNT_TOLERANCE if gaps else None


def _amount_gap(one: Report, other: Report) -> float | None:
    """Relative distance of the amounts: in their own currency where it is the same, else in dollars."""
    if one.amount and other.amount and one.currency == other.currency:
        first, second = float(one.amount), float(other.amount)
    elif one.amount_usd and other.amount_usd:
        first, second = float(one.amount_usd), float(other.amount_usd)
    else:
        return None
    return abs(first - second) / max(first, second)


_STRENGTH = ("accession", "cik_first_sale", "domain", "cik", "name")

"""Which real-world round does a report belong to? Pure rules over reports and the rounds already known.

What belongs here: same round or not, and which gate a report fails. What does not: what a round says when its reports
disagree (merge), reading and writing (round_table). Windows and tolerances: A-FS-24.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pipeline.matching.names import squashed
from pipeline.signals.words import word_list

CORE_DAYS = 14
LONGEST_DAYS = 45
# Within these days reports that name the same stage are of one round, whatever they say of the amount: a company closes no two
# Series A in half a week, but outlets mix up total, first close and correction.
SAME_STAGE_DAYS = 3
AMOUNT_TOLERANCE = 0.20
EXACT_TOLERANCE = 0.02
OLDEST_SALE_DAYS = 90
# Days within which two names that differ by a word may be one company's, where the amounts are the same.
VARIANT_DAYS = 7
SHORTEST_WORD = 3
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
    """The round a report belongs to, and by what: accession, cik_first_sale, domain, cik, name or name_variant."""

    round_id: str
    linked_by: str


def round_id_of(document_id: str) -> str:
    """The id of the round that a document founds. Depends on the document alone, so it never changes."""
    return str(uuid.uuid5(ROUND_NAMESPACE, document_id))


def links(report: Report, candidates: Iterable[tuple[str, Sequence[Report]]]) -> list[Link]:
    """The known rounds that ``report`` is of, the likeliest first. Independent of the candidates' order.

    ``candidates``: (round id, the reports linked to it). A round is met when its reports' keys meet and none contradicts.
    The strongest link comes first, then the nearest day, then the nearest amount, then the smaller id.
    """
    ranked: list[tuple[tuple[int, int, float, str], Link]] = []
    for round_id, reports in candidates:
        linked_by = _linked_by(report, reports)
        if linked_by is None:
            continue
        days = min(abs((report.day - other.day).days) for other in reports)
        gap = min((_amount_gap(report, other) or 0.0) for other in reports)
        ranked.append(((_STRENGTH.index(linked_by), days, gap, round_id), Link(round_id, linked_by)))
    return [link for _, link in sorted(ranked, key=lambda item: item[0])]


def choose_round(report: Report, candidates: Iterable[tuple[str, Sequence[Report]]]) -> Link | None:
    """The likeliest of ``links``, or None where the report is of none of them."""
    return next(iter(links(report, candidates)), None)


def are_one(one: Sequence[Report], other: Sequence[Report]) -> bool:
    """Whether two rounds, to both of which some report belongs, are one: nothing that either says excludes the other.

    No two domains or registrants, no two stages, amounts within the tolerance (or none on one side), days within reach.
    """
    if any(_contradicts_identity(first, second) for first in one for second in other):
        return False
    if min(abs((first.day - second.day).days) for first in one for second in other) > LONGEST_DAYS:
        return False
    stages = [{report.funding_type for report in side if _is_stage(report.funding_type)} for side in (one, other)]
    if all(stages) and not stages[0] & stages[1]:
        return False
    agreeing = [_amount_agrees(first, other) for first in one]
    return True in agreeing or False not in agreeing


def block_keys(report: Report) -> Iterator[tuple[str, str]]:
    """What a report and the rounds it may be of have in common: (kind, value) of name, its first word, domain, CIK, accession."""
    for kind, value in (
        ("name", squashed(report.company_key or "")),
        ("word", first_word(report.company_key)),
        ("domain", report.domain_key),
        ("cik", report.cik),
        ("accession", report.accession),
        ("accession", report.previous_accession),
    ):
        if value:
            yield kind, value


def first_word(company_key: str | None) -> str:
    """The word that variants of a name share: "abl" of "abl schools". Empty where it is too short to mean anything."""
    word = (company_key or "").partition(" ")[0]
    return word if len(word) >= SHORTEST_WORD else ""


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
    if key:
        return key if _same_round(report, reports) else None
    return "name_variant" if any(_varies(report, other) for other in reports) and _same_round(report, reports) else None


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
    if key == "name":
        return bool(one.company_key) and squashed(one.company_key or "") == squashed(other.company_key or "")
    name = {"domain": "domain_key", "cik": "cik"}[key]
    value = getattr(one, name)
    return bool(value) and value == getattr(other, name)


def _varies(one: Report, other: Report) -> bool:
    """One name is the other with a word more ("Abl", "Abl Schools"), and amount (else stage or investor) and days say that it
    is no chance.

    The word more must be one that names are cut by ("Labs", ".ai"), or both must name the same investor.
    """
    gap, days = _amount_gap(one, other), abs((one.day - other.day).days)
    shared = _investor_names(one) & _investor_names(other)
    same_stage = _is_stage(one.funding_type) and one.funding_type == other.funding_type
    if gap is None or gap > EXACT_TOLERANCE:
        # Without the same amount, the stage or an investor must say it.
        nearest = SAME_STAGE_DAYS if gap is None else VARIANT_DAYS
        if not (shared or same_stage) or days > nearest or (gap or 0.0) > AMOUNT_TOLERANCE:
            return False
    elif days > VARIANT_DAYS:
        return False
    shorter, longer = sorted(((one.company_key or "").split(), (other.company_key or "").split()), key=len)
    if not shorter or len(shorter) == len(longer) or longer[: len(shorter)] != shorter:
        return False
    return bool(shared) or set(longer[len(shorter) :]) <= word_list("words_names_are_cut_by")


def _investor_names(report: Report) -> set[str]:
    return {str(investor["name"]).casefold() for investor in report.investors}


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
    if days <= SAME_STAGE_DAYS and report.funding_type in types and _is_stage(report.funding_type):
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


def _is_stage(funding_type: str | None) -> bool:
    return bool(funding_type) and _STAGE.fullmatch(funding_type or "") is not None


def _types_agree(funding_type: str | None, others: set[str]) -> bool:
    """Types that name a stage exclude each other; others ("growth", "strategic") describe any stage."""
    stages = set(filter(_is_stage, others))
    return not _is_stage(funding_type) or not stages or funding_type in stages


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


_STRENGTH = ("accession", "cik_first_sale", "domain", "cik", "name", "name_variant")

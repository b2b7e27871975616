"""Searches over published funding signals: filters, order, pages (vendor facts, section 7).

Costs at most MOST_SEARCHED rows, the newest by the index of event types (one company's: by the index of companies), however
many signals there are; a search that met the bound says so. What is not known satisfies no filter, and no exclusion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, false, func, or_, select

from pipeline.store.app_database import AppDatabase
from pipeline.store.subscription_models import Signal
from pipeline.subscriptions import search_params as read
from pipeline.subscriptions.filters import FLAVORS
from pipeline.subscriptions.model import EventType
from pipeline.subscriptions.payloads import company_id

MOST_SEARCHED = 50_000
MOST_PER_PAGE = 100
STATUSES = ("verified", "unverified", "pending")
_SORTS: dict[str, Any] = {
    "occurred_at": Signal.occurred_at,
    "discovered_at": Signal.discovered_at,
    "amount": Signal.amount,
    "employee_count": Signal.employee_count,
    "founded_year": Signal.occurred_at,  # no document of ours states it: all alike, and then the newest first
}
SORTS = tuple(_SORTS)
_INVESTORS = Signal.data[("fundingRound", "investors")]
NAMES = (
    "page", "limit", "dateFrom", "dateTo", "date_preset", "countries", "exclude_countries", "categories", "subcategories",
    "industry", "search", "company_name", "company_domain", "company_linkedin_url", "round", "round_flavor", "amount_min",
    "amount_max", "currency", "verification_status", "investor_name", "employee_count_min", "employee_count_max",
    "founded_year_min", "founded_year_max", "sort_by", "sort_order", "count",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Search:
    """A search as it was read. ``match``: by what the company was asked for (exact, fuzzy, none)."""

    window: list[ColumnElement[bool]]
    conditions: list[ColumnElement[bool]]
    investor: str | None
    sort: str
    is_descending: bool
    page: int
    limit: int
    counts_only: bool
    match: str


@dataclass(frozen=True, slots=True)
class Found:
    """One page of rows. ``total``: of all pages. Not ``is_complete``: there were older signals that were not looked at."""

    rows: list[Signal]
    total: int
    is_complete: bool


def read_search(given: Mapping[str, str], now: datetime) -> Search:
    """The search that query parameters ask for; an empty value asks for nothing. Raises ParameterInvalid."""
    given = {name: value.strip() for name, value in given.items() if value.strip()}
    for name, value in given.items():
        if "\0" in value:  # PostgreSQL has no such text
            raise read.ParameterInvalid(f"{name} must have no NUL character")
    window = [Signal.event_type == EventType.FUNDING.value]
    if "company_domain" in given:  # by the company's own index: the other one would be walked to its end
        key = read.domain("company_domain", given["company_domain"])
        window = [Signal.company_id == company_id(key, None)]
    conditions: list[ColumnElement[bool]] = [Signal.is_active.is_(True), Signal.event_type == EventType.FUNDING.value]
    conditions += [*_of_company(given), *_of_round(given)]
    is_exact = "company_domain" in given or "company_linkedin_url" in given
    return Search(
        window=[*window, *_dates(given, now)],
        conditions=conditions,
        investor=given.get("investor_name", "").casefold() or None,
        sort=read.one_of("sort_by", given.get("sort_by", "occurred_at"), SORTS),
        is_descending=read.one_of("sort_order", given.get("sort_order", "desc"), ("asc", "desc")) == "desc",
        page=read.whole("page", given.get("page", "1"), 1, 1_000_000),
        limit=read.whole("limit", given.get("limit", "20"), 1, MOST_PER_PAGE),
        counts_only=read.one_of("count", given.get("count", "false"), ("true", "false")) == "true",
        match="exact" if is_exact else "fuzzy" if "company_name" in given else "none",
    )


def search_funding(db: AppDatabase, search: Search) -> Found:
    """The page that ``search`` asks for."""
    newest = select(Signal.id).where(*search.window).order_by(Signal.occurred_at.desc(), Signal.id.desc())
    window = newest.limit(MOST_SEARCHED + 1).subquery()
    columns = (Signal.id, _INVESTORS) if search.investor else (Signal.id,)
    sort = _SORTS[search.sort]
    order = (sort.desc().nulls_last(), Signal.id.desc()) if search.is_descending else (sort.asc().nulls_last(), Signal.id)
    query = select(*columns).join(window, window.c.id == Signal.id).where(*search.conditions).order_by(*order)
    first = (search.page - 1) * search.limit
    with db.read() as session:
        looked_at = session.scalar(select(func.count()).select_from(window)) or 0
        ids = [row[0] for row in session.execute(query) if search.investor is None or _names(row[1], search.investor)]
        page = [] if search.counts_only else ids[first : first + search.limit]
        known = {row.id: row for row in session.scalars(select(Signal).where(Signal.id.in_(page)))}
    return Found([known[one] for one in page if one in known], len(ids), looked_at <= MOST_SEARCHED)


def _names(investors: Any, sought: str) -> bool:
    return any(sought in str(one.get("name") or "").casefold() for one in investors or [])


def _dates(given: Mapping[str, str], now: datetime) -> list[ColumnElement[bool]]:
    if "date_preset" in given:  # beats dateFrom and dateTo
        first, end = read.preset_range(read.one_of("date_preset", given["date_preset"], read.PRESETS), now)
        return [Signal.occurred_at >= first, Signal.occurred_at < end]
    conditions = []
    if "dateFrom" in given:
        conditions.append(Signal.occurred_at >= read.day("dateFrom", given["dateFrom"]))
    if "dateTo" in given:  # the whole day (A-SB-12)
        last = read.day("dateTo", given["dateTo"])
        if last.year < 9999:
            conditions.append(Signal.occurred_at < last + timedelta(days=1))
    return conditions


def _of_company(given: Mapping[str, str]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    industry = func.lower(Signal.industry)
    subcategory = Signal.data[("company", "subcategory")].as_string()
    if "countries" in given:
        conditions.append(Signal.country.in_(read.countries("countries", given["countries"])))
    if "exclude_countries" in given:
        codes = read.countries("exclude_countries", given["exclude_countries"])
        conditions.append(or_(Signal.country.is_(None), Signal.country.not_in(codes)))
    if "categories" in given:
        sought = read.items(given["categories"], "|")
        conditions.append(or_(industry.in_(sought), func.lower(subcategory).in_(sought)))
    if "subcategories" in given:
        conditions.append(func.lower(subcategory).in_(read.items(given["subcategories"])))
    if "industry" in given:
        conditions.append(industry.in_(read.items(given["industry"])))
    if "search" in given:
        sought_text = given["search"]
        conditions.append(
            or_(
                Signal.company_name.icontains(sought_text, autoescape=True),
                Signal.industry.icontains(sought_text, autoescape=True),
            )
        )
    if "company_name" in given:
        conditions.append(Signal.company_name.icontains(given["company_name"], autoescape=True))
    if "company_linkedin_url" in given:
        page = read.linkedin_company("company_linkedin_url", given["company_linkedin_url"])
        stated = func.lower(cast(Signal.data[("company", "linkedinUrl")].as_string(), Text))
        conditions.append(func.rtrim(stated, "/").endswith(f"/company/{page}", autoescape=True))
    conditions += _bounds(given, "employee_count", Signal.employee_count)
    for name in ("founded_year_min", "founded_year_max"):
        if name in given:
            read.whole(name, given[name], 0)
            conditions.append(false())  # no document of ours states it
    return conditions


def _of_round(given: Mapping[str, str]) -> list[ColumnElement[bool]]:
    conditions = _bounds(given, "amount", Signal.amount)
    if "round" in given:
        conditions.append(Signal.round_type.in_(read.many_of("round", given["round"], read.ROUNDS)))
    if "round_flavor" in given:
        conditions.append(Signal.round_flavor.in_(read.many_of("round_flavor", given["round_flavor"], FLAVORS)))
    if "currency" in given:
        conditions.append(Signal.currency == given["currency"].upper())
    if "verification_status" in given:
        sought = read.many_of("verification_status", given["verification_status"], STATUSES)
        stated = Signal.data[("fundingRound", "verificationStatus")].as_string()
        conditions.append(func.coalesce(stated, "unverified").in_(sought))  # as a row shows it
    return conditions


def _bounds(given: Mapping[str, str], name: str, column: Any) -> list[ColumnElement[bool]]:
    conditions = []
    if f"{name}_min" in given:
        conditions.append(column >= read.whole(f"{name}_min", given[f"{name}_min"], 0))
    if f"{name}_max" in given:
        conditions.append(column <= read.whole(f"{name}_max", given[f"{name}_max"], 0))
    return conditions

"""Conditions of searches that several kinds share: the company, its place and size, the deal; as SQL of both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, false, func, or_

from pipeline.store.tables.subscriptions import Signal
from pipeline.subscriptions import search_params as read
from pipeline.subscriptions.payloads import company_id
from pipeline.subscriptions.ranges import Range
from pipeline.subscriptions.search import Given

Conditions = list[ColumnElement[bool]]
NOBODY = false()
SUBCATEGORY = Signal.categories[0].as_string()  # a signal has one category, its subcategory
COMPANY_NAMES = (
    "countries", "exclude_countries", "categories", "subcategories", "industry", "search", "company_name", "company_domain",
    "company_linkedin_url", "employee_count_min", "employee_count_max", "founded_year_min", "founded_year_max",
)  # fmt: skip


def text_at(*path: str | int) -> ColumnElement[Any]:
    """A text within the payload."""
    return cast(Signal.data[path].as_string(), Text)


def contains(column: Any, text: str) -> ColumnElement[bool]:
    """``text`` within the column, whatever the case. SQLite folds ASCII alone: other letters are tried in their cases."""
    ways = {text} if text.isascii() else {text, text.lower(), text.upper(), text.title()}
    return or_(*(column.icontains(way, autoescape=True) for way in sorted(ways)))


def contained_in_any(columns: Sequence[Any], text: str) -> ColumnElement[bool]:
    """``text`` within one of the columns."""
    return or_(*(contains(column, text) for column in columns))


def one_of(column: Any, values: Sequence[str]) -> ColumnElement[bool]:
    """The column's value is one of ``values`` (in lower case), whatever its case."""
    return func.lower(column).in_(values)


def bounds(given: Given, name: str, column: Any) -> Conditions:
    """``name``_min and ``name``_max, both included. ``column`` None: no document of ours states it."""
    conditions: Conditions = []
    for end, compare in (("min", "__ge__"), ("max", "__le__")):
        if f"{name}_{end}" in given:
            bound = read.whole(f"{name}_{end}", given[f"{name}_{end}"], 0)
            conditions.append(NOBODY if column is None else getattr(column, compare)(bound))
    return conditions


def within(column: Any, ranges: Sequence[Range]) -> ColumnElement[bool]:
    """The column's number is in one of ``ranges``."""
    return or_(
        *(
            and_(*([column >= one.low] if one.low is not None else []), *([column <= one.high] if one.high is not None else []))
            for one in ranges
        )
    )


def places(given: Given, name: str, *columns: Any) -> Conditions:
    """``name``: one of the columns is one of these countries."""
    if name not in given:
        return []
    codes = read.countries(name, given[name])
    return [or_(*(column.in_(codes) for column in columns))]


def other_places(given: Given, name: str, *columns: Any) -> Conditions:
    """``name``: none of the columns is one of these countries; what is unknown stays."""
    if name not in given:
        return []
    codes = read.countries(name, given[name])
    return [or_(column.is_(None), column.not_in(codes)) for column in columns]


def window(given: Given, event_type: str) -> Conditions:
    """Signals of one type; with ``company_domain``, these companies' by their own index."""
    if "company_domain" not in given:
        return [Signal.event_type == event_type]
    keys = read.many("company_domain", given["company_domain"], read.domain)
    # No bare column: or SQLite walks the whole index of types, for its order, rather than sort the few rows of these companies.
    of_type = Signal.event_type.concat("") == event_type
    return [Signal.company_id.in_([company_id(key, None) for key in keys]), of_type]


def of_company(given: Given, searched: Sequence[Any] = (Signal.company_name, Signal.industry)) -> Conditions:
    """COMPANY_NAMES but for countries and company_domain. ``searched``: what ``search`` looks into."""
    conditions: Conditions = []
    if "categories" in given:
        sought = read.items(given["categories"], "|")
        conditions.append(or_(one_of(Signal.industry, sought), one_of(SUBCATEGORY, sought)))
    if "subcategories" in given:
        conditions.append(one_of(SUBCATEGORY, read.items(given["subcategories"])))
    if "industry" in given:
        conditions.append(one_of(Signal.industry, read.items(given["industry"])))
    if "search" in given:
        conditions.append(contained_in_any(searched, given["search"]))
    if "company_name" in given:
        conditions.append(contains(Signal.company_name, given["company_name"]))
    for name in ("company_linkedin_url", "companyLinkedinUrl"):
        if name in given:
            conditions.append(linkedin_page(name, given[name], text_at("company", "linkedinUrl")))
    conditions += bounds(given, "employee_count", Signal.employee_count)
    return conditions + bounds(given, "founded_year", None)


def linkedin_page(name: str, text: str, column: Any) -> ColumnElement[bool]:
    """The column is the address of one of these LinkedIn company pages."""
    pages = read.many(name, text, read.linkedin_company)
    stated = func.rtrim(func.lower(column), "/")
    return or_(*(stated.endswith(f"/company/{page}", autoescape=True) for page in pages))


def of_deal(given: Given) -> Conditions:
    """amount_min, amount_max, currency."""
    conditions = bounds(given, "amount", Signal.amount)
    if "currency" in given:
        conditions.append(Signal.currency == given["currency"].upper())
    return conditions

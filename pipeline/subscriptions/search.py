"""Searches over what is published: filters, order, pages (vendor facts, section 7).

Costs at most ``most`` rows of the kind, the newest by its index, however many there are (one company's: by the index of
companies); a search that met the bound says so. What is not known satisfies no filter, and no exclusion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from pipeline.store.app_database import AppDatabase
from pipeline.subscriptions import search_params as read

MOST_PER_PAGE = 100
Given = Mapping[str, str]
PAGING = ("page", "limit", "sort_by", "sort_order", "count")
DATES = ("dateFrom", "dateTo", "date_preset")
# What says by which company rows were asked for, and how sure that is.
_EXACT = ("company_domain", "company_linkedin_url", "companyLinkedinUrl")


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that no SQL of both databases says: ``accepts`` is given the values of ``columns``."""

    columns: tuple[Any, ...]
    accepts: Callable[..., bool]


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows of one table that can be asked for. ``newest``: the column by whose index, with ``id``, a search looks at rows.

    ``window`` narrows by an index, ``conditions`` by looking at rows. Of ``sorts`` the first is the default.
    """

    endpoint: str
    table: Any
    newest: InstrumentedAttribute[datetime]
    names: tuple[str, ...]
    sorts: Mapping[str, Any]
    window: Callable[[Given], list[ColumnElement[bool]]]
    conditions: Callable[[Given], list[ColumnElement[bool] | Check]]
    most: int = 50_000
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Search:
    """A search as it was read. ``match``: by what the company was asked for (exact, fuzzy, none)."""

    kind: Kind
    window: list[ColumnElement[bool]]
    conditions: list[ColumnElement[bool]]
    checks: list[Check]
    sort: str
    is_descending: bool
    page: int
    limit: int
    counts_only: bool
    match: str
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """One page of rows. ``total``: of all pages. Not ``is_complete``: there were older rows that were not looked at."""

    rows: list[Any] = field(default_factory=list)
    total: int = 0
    is_complete: bool = True


def read_search(kind: Kind, given: Given, now: datetime) -> Search:
    """The search that query parameters ask for; an empty value asks for nothing. Raises ParameterInvalid."""
    given = {name: value.strip() for name, value in given.items() if value.strip()}
    for name, value in given.items():
        if "\0" in value:  # PostgreSQL has no such text
            raise read.ParameterInvalid(f"{name} must have no NUL character")
    conditions = kind.conditions(given)
    return Search(
        kind=kind,
        window=[*kind.window(given), *_dates(kind, given, now)],
        conditions=[one for one in conditions if not isinstance(one, Check)],
        checks=[one for one in conditions if isinstance(one, Check)],
        sort=read.one_of("sort_by", given.get("sort_by", next(iter(kind.sorts))), tuple(kind.sorts)),
        is_descending=read.one_of("sort_order", given.get("sort_order", "desc"), ("asc", "desc")) == "desc",
        page=read.whole("page", given.get("page", "1"), 1, 1_000_000),
        limit=read.whole("limit", given.get("limit", "20"), 1, MOST_PER_PAGE),
        counts_only=read.one_of("count", given.get("count", "false"), ("true", "false")) == "true",
        match="exact" if any(name in given for name in _EXACT) else "fuzzy" if "company_name" in given else "none",
        ignored=tuple(name for name in kind.ignored if name in given),
    )


def find(db: AppDatabase, search: Search) -> Found:
    """The page that ``search`` asks for."""
    table = search.kind.table
    first, limit = (search.page - 1) * search.limit, search.limit
    with db.read() as session:
        edge = _edge(session, search)
        window = search.window if edge is None else [*search.window, edge]
        wanted = select(table.id).where(*window, *search.conditions)
        ordered = wanted.order_by(*_order(search))
        is_indexed = search.kind.sorts[search.sort] is search.kind.newest or len(search.conditions) <= 1
        if search.checks or not (is_indexed or search.counts_only):
            # All rows must be looked at before the first is known: then once is enough.
            every = _accepted(session, ordered, search.checks)
            total, ids = len(every), every[first : first + limit]
        else:
            ids = [] if search.counts_only else list(session.scalars(ordered.offset(first).limit(limit)))
            is_last = 0 < len(ids) < limit or (not ids and first == 0 and not search.counts_only)
            total = first + len(ids) if is_last else _count(session, wanted)
        if search.counts_only:
            ids = []
        rows: Iterable[Any] = session.scalars(select(table).where(table.id.in_(ids))) if ids else ()
        known = {row.id: row for row in rows}
    return Found([known[one] for one in ids if one in known], total, edge is None)


def _count(session: Session, wanted: Any) -> int:
    return session.scalar(select(func.count()).select_from(wanted.subquery())) or 0


def _edge(session: Session, search: Search) -> ColumnElement[bool] | None:
    """Newer than the newest row that is not looked at any more; None where all are."""
    key = (search.kind.newest, search.kind.table.id)
    query = select(*key).where(*search.window).order_by(*(column.desc() for column in key))
    beyond = session.execute(query.offset(search.kind.most).limit(1)).one_or_none()
    if beyond is None:
        return None
    return tuple_(*key) > tuple_(literal(beyond[0], key[0].type), literal(beyond[1]))


def _order(search: Search) -> Sequence[ColumnElement[Any]]:
    """By the sort, then by id. Only where values may be missing are they put last: an index knows no such order."""
    column, table = search.kind.sorts[search.sort], search.kind.table
    turned = column.desc() if search.is_descending else column.asc()
    if getattr(column, "nullable", True):
        turned = turned.nulls_last()
    return (turned, table.id.desc() if search.is_descending else table.id)


def _accepted(session: Session, ordered: Any, checks: Sequence[Check]) -> list[str]:
    """Ids, in order, of the rows that the checks accept."""
    columns = [column for check in checks for column in check.columns]
    ids: list[str] = []
    for row in session.execute(ordered.add_columns(*columns)):
        at, is_accepted = 1, True
        for check in checks:
            end = at + len(check.columns)
            is_accepted = is_accepted and check.accepts(*row[at:end])
            at = end
        if is_accepted:
            ids.append(row[0])
    return ids


def _dates(kind: Kind, given: Given, now: datetime) -> list[ColumnElement[bool]]:
    if any(name in kind.ignored for name in DATES):
        return []
    first, end = read.dates(given, now)
    conditions: list[ColumnElement[bool]] = []
    if first is not None:
        conditions.append(kind.newest >= first)
    if end is not None:
        conditions.append(kind.newest < end)
    return conditions

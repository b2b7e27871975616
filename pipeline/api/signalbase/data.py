"""Signals, investors and companies over REST: six searches of one making, over what is published (vendor facts, section 7)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from fastapi import APIRouter, Request, Response

from pipeline.api.context import Service, service_of
from pipeline.api.json_answers import json_answer
from pipeline.api.signalbase import data_rows as rows
from pipeline.api.signalbase import data_schemas as shown
from pipeline.api.signalbase.access import Caller, admit_for
from pipeline.api.signalbase.answers import Failure, bad_request
from pipeline.api.signalbase.schemas import documented
from pipeline.subscriptions import roles, search_params
from pipeline.subscriptions import search_kinds as kinds
from pipeline.subscriptions.filters import FLAVORS
from pipeline.subscriptions.round_names import ROUNDS
from pipeline.subscriptions.search import Found, Kind, Search, find, read_search
from pipeline.subscriptions.teams import get_team, take_credit

OUT_OF_CREDITS = "out of credits, please contact support to increase your usage"
COST = 1
_WHOLE = {"type": "integer", "minimum": 0}
_SCHEMAS: dict[str, dict[str, Any]] = {
    "page": {"type": "integer", "minimum": 1, "maximum": 1_000_000, "default": 1},
    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    "dateFrom": {"type": "string", "format": "date"},
    "dateTo": {"type": "string", "format": "date"},
    "date_preset": {"type": "string", "enum": list(search_params.PRESETS)},
    "sort_order": {"type": "string", "enum": ["asc", "desc"], "default": "desc"},
    "count": {"type": "string", "enum": ["true"]},
    "source": {"type": "string", "enum": list(kinds.POST_SOURCES)},
    **{
        f"{name}_{end}": _WHOLE
        for name in ("amount", "employee_count", "founded_year", "ticket_size")
        for end in ("min", "max")
    },
}
_LISTS: dict[str, tuple[str, ...]] = {
    "round": ROUNDS,
    "round_flavor": FLAVORS,
    "verification_status": kinds.STATUSES,
    "type": kinds.INVESTOR_TYPES,
    **roles.NAMES,
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One search: where it is, what it answers with, what it is for."""

    path: str
    name: str
    kind: Kind
    row: rows.Renderer
    model: Any
    text: str


OPERATIONS = (
    Operation("/signals/funding", "search_funding", kinds.FUNDING, rows.funding_row, shown.FundingRow, "Funding rounds"),
    Operation(
        "/signals/acquisitions", "search_acquisitions", kinds.ACQUISITIONS, rows.acquisition_row, shown.AcquisitionRow,
        "Acquisitions, by the company that is bought",
    ),
    Operation(
        "/signals/job-changes", "search_job_changes", kinds.JOB_CHANGES, rows.job_change_row, shown.JobChangeRow,
        "Job changes, persons by first name and last initial",
    ),
    Operation("/signals/hiring", "search_hiring", kinds.HIRING, rows.hiring_row, shown.HiringRow, "Openings"),
    Operation(
        "/signals/investors", "search_investors", kinds.INVESTORS, rows.investor_row, shown.InvestorRow, "Investors of rounds"
    ),
    Operation(
        "/companies", "search_companies", kinds.COMPANIES, rows.company_row, shown.CompanyRow, "Companies that signals are about"
    ),
)  # fmt: skip


def _router() -> APIRouter:
    made = APIRouter(tags=["Signals"])
    for operation in OPERATIONS:
        made.add_api_route(
            operation.path,
            _endpoint(operation),
            methods=["GET"],
            operation_id=operation.name,
            response_model=shown.Page[operation.model],  # type: ignore[name-defined]
            responses=documented(f"One page. {operation.text}.", 402),
            openapi_extra={"parameters": _parameters(operation.kind)},
        )
    return made


def _parameters(kind: Kind) -> list[dict[str, Any]]:
    sorts = {"type": "string", "enum": list(kind.sorts), "default": next(iter(kind.sorts))}
    made: list[dict[str, Any]] = []
    for name in kind.names:
        parameter = {"name": name, "in": "query", "schema": _SCHEMAS.get(name, {"type": "string"})}
        if name == "sort_by":
            parameter["schema"] = sorts
        if name in _LISTS:
            parameter["description"] = f"One or several of: {', '.join(_LISTS[name])}."
        if name in kind.ignored:
            parameter["description"] = "Ignored here."
        made.append(parameter)
    return made


def _endpoint(operation: Operation) -> Callable[..., Coroutine[Any, Any, Response]]:
    async def endpoint(request: Request, caller: Caller = admit_for(operation.kind.endpoint)) -> Response:
        service = service_of(request)
        return await service.run(_answer, service, caller, operation, dict(request.query_params))

    endpoint.__doc__ = (
        f"{operation.text} that satisfy every filter. One credit a page, also an empty one;"
        " `count=true` tells the number alone, free."
    )
    return endpoint


def _answer(service: Service, caller: Caller, operation: Operation, given: dict[str, str]) -> Response:
    search = _read(operation.kind, given, service)
    used = 0 if search.counts_only else COST
    left = get_team(service.database, caller.team_id).available
    if left < used:
        raise Failure(402, OUT_OF_CREDITS)
    found = find(service.database, search)
    if used:
        paid = take_credit(service.database, caller.team_id, used, service.now(), operation.kind.endpoint)
        if paid is None:
            raise Failure(402, OUT_OF_CREDITS)
        left = paid
    return _page(operation, search, found, used, left)


def _read(kind: Kind, given: dict[str, str], service: Service) -> Search:
    for name in given:
        if name not in kind.names:
            close = get_close_matches(name, kind.names, 1)
            hint = f' (did you mean "{close[0]}"?)' if close else ""
            raise bad_request(f"Unknown query parameter: {name[:60]}{hint}. Supported parameters: {', '.join(kind.names)}.")
    try:
        return read_search(kind, given, service.now())
    except search_params.ParameterInvalid as error:
        raise bad_request(str(error)) from None


def _page(operation: Operation, search: Search, found: Found, used: int, left: int) -> Response:
    pages = -(-found.total // search.limit)
    meta: dict[str, Any] = {"endpoint": operation.kind.endpoint, "creditsUsed": used, "creditsRemaining": left}
    warnings = [f"{name} narrows nothing here." for name in search.ignored]
    if not found.is_complete:
        warnings.append(
            f"Only the newest {operation.kind.most} were looked at; narrow by dates or company to reach older ones."
        )
    if warnings:
        meta["warnings"] = warnings
    return json_answer(
        {
            "success": True,
            "data": [operation.row(row, search.match) for row in found.rows],
            "pagination": {
                "currentPage": search.page,
                "totalPages": pages,
                "totalCount": found.total,
                "hasNextPage": search.page < pages,
                "hasPreviousPage": search.page > 1 and pages > 0,
            },
            "meta": meta,
        }
    )


router = _router()

"""The MCP endpoint: five tools over the same rounds, keys and quotas as REST (vendor facts 12).

Streamable HTTP without sessions: every POST stands for itself, so any worker can answer it. Over its quota a *tool* says
so in its result; the HTTP call is well.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from pipeline.api.bodies import json_text, parsed_json
from pipeline.api.context import Exchange, Service, exchange_of, service_of
from pipeline.api.errors import ApiError, internal_error, log_failure, not_found
from pipeline.api.fundingscout.access import Caller, count_call, identify, seconds_until_reset
from pipeline.api.fundingscout.rounds import MOST_AMOUNT, page_of_rounds
from pipeline.api.fundingscout.whoami import state_of
from pipeline.api.round_queries import RoundFilter, get_round, public_round, reveal_contact, search_companies
from pipeline.crm.rows import text_problem

PATH = "/mcp"

Arguments = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of a tool: by whom, within which request."""

    service: Service
    caller: Caller
    exchange: Exchange
    arguments: Arguments


def _list_funding_rounds(asked: Asked) -> Any:
    given = asked.arguments
    wanted = RoundFilter(
        funding_types=tuple(given.get("funding_type", ())),
        countries=tuple(given.get("country", ())),
        industries=tuple(given.get("industry", ())),
        min_amount=given.get("min_amount"),
        max_amount=given.get("max_amount"),
        published_after=given.get("published_after"),
        published_before=given.get("published_before"),
        has_ceo_contact=given.get("has_ceo_contact"),
    )
    return page_of_rounds(asked.service, wanted, given.get("limit", 25), given.get("cursor"))


def _get_funding_round(asked: Asked) -> Any:
    row = get_round(asked.service.database, _id(asked, "id"))
    if row is None:
        raise not_found("round")
    return public_round(row)


def _search_companies(asked: Asked) -> Any:
    found = search_companies(asked.service.database, asked.arguments["query"], asked.arguments.get("limit", 10))
    return {"data": found}


def _reveal_contact(asked: Asked) -> Any:
    service, caller = asked.service, asked.caller
    revealed = reveal_contact(
        service.database,
        _id(asked, "funding_round_id"),
        caller.organization_id,
        caller.key.id,
        asked.exchange.request_id,
        service.now(),
    )
    if revealed is None:
        raise not_found("round")
    return revealed


def _whoami(asked: Asked) -> Any:
    return state_of(asked.service, asked.caller)


def _id(asked: Asked, name: str) -> str:
    round_id: str = asked.arguments[name]
    # PostgreSQL takes no NUL, and UTF-8 no lone surrogates: no round has such an id.
    if "\0" in round_id or not round_id.isascii():
        raise not_found("round")
    return round_id


_NAMES = {"type": "array", "items": {"type": "string", "pattern": r"^[^\x00]*$", "maxLength": 100}, "maxItems": 50}
_AMOUNT = {"type": "integer", "minimum": 0, "maximum": MOST_AMOUNT}
_DAY = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
_ROUND_ID = {"type": "string", "minLength": 1, "maxLength": 100}

TOOLS: dict[str, tuple[Callable[[Asked], Any], str, dict[str, Any], tuple[str, ...]]] = {
    "list_funding_rounds": (
        _list_funding_rounds,
        "Funding rounds, newest first. Amounts in whole US dollars, countries as ISO codes, days as YYYY-MM-DD.",
        {
            "funding_type": _NAMES,
            "country": _NAMES,
            "industry": _NAMES,
            "min_amount": _AMOUNT,
            "max_amount": _AMOUNT,
            "published_after": _DAY,
            "published_before": _DAY,
            "has_ceo_contact": {"type": "boolean"},
            "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 25},
            "cursor": {"type": "string", "description": "next_cursor of the page before."},
        },
        (),
    ),
    "get_funding_round": (_get_funding_round, "One funding round, without its CEO contact.", {"id": _ROUND_ID}, ("id",)),
    "search_companies": (
        _search_companies,
        "Companies that raised money, by a part of their name.",
        {
            "query": {"type": "string", "minLength": 2, "maxLength": 200, "pattern": r"^[^\x00]*$"},
            "limit": {"type": "integer", "minimum": 1, "maximum": 50, "default": 10},
        },
        ("query",),
    ),
    "reveal_contact": (
        _reveal_contact,
        "The CEO's name, e-mail and LinkedIn of a round. Every call is kept on record. Not for resale or bulk mail.",
        {"funding_round_id": _ROUND_ID},
        ("funding_round_id",),
    ),
    "whoami": (_whoami, "The plan, key and remaining quotas of whoever calls.", {}, ()),
}


class McpEndpoint:
    """The ASGI app behind POST /mcp: knows the caller before it reads on."""

    path = PATH

    def __init__(self, service: Service) -> None:
        self._manager = StreamableHTTPSessionManager(
            _server(service), stateless=True, json_response=True, max_request_body_size=service.settings.api_max_body_bytes
        )

    @asynccontextmanager
    async def lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        """While the service runs."""
        async with self._manager.run():
            yield

    def route(self) -> Route:
        """POST alone: there is no stream to listen to, and no session to end."""
        return Route(PATH, self, methods=["POST"], include_in_schema=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One JSON-RPC message. Raises ApiError: 401, 403 for callers that may not; as json_text for bodies that can't be read."""
        scope["route"] = self
        request = Request(scope, receive)
        service, exchange = service_of(request), exchange_of(request)
        caller = await service.run(identify, service.database, request.headers.get("authorization"))
        exchange.organization_id, exchange.key_prefix = caller.organization_id, caller.key.token_prefix
        scope["state"]["caller"] = caller
        async with json_text(request) as text:
            # The SDK fails over what is nested too deeply.
            await service.run(parsed_json, text)
            await self._manager.handle_request(scope, _again(text.encode(), receive), send)


def _again(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives the body, which is read already, and then waits for the end of the connection."""
    waiting = [body]

    async def give() -> Message:
        return {"type": "http.request", "body": waiting.pop(), "more_body": False} if waiting else await receive()

    return give


def _server(service: Service) -> Server[Any, Request]:
    server: Server[Any, Request] = Server("fundingscout")

    @server.list_tools()  # type: ignore[no-untyped-call,untyped-decorator]
    async def list_tools() -> list[types.Tool]:
        return [
            types.Tool(
                name=name,
                description=text,
                inputSchema={"type": "object", "properties": fields, "required": list(required), "additionalProperties": False},
            )
            for name, (_, text, fields, required) in TOOLS.items()
        ]

    @server.call_tool()  # type: ignore[untyped-decorator]
    async def call_tool(name: str, arguments: Arguments) -> types.CallToolResult:
        request = server.request_context.request
        assert request is not None
        asked = Asked(service, request.scope["state"]["caller"], exchange_of(request), arguments)
        return await service.run(_call, name, asked)

    return server


def _call(name: str, asked: Asked) -> types.CallToolResult:
    if name not in TOOLS:
        return _result({"error": "unknown_tool", "tool": name[:100]}, is_error=True)
    if problem := _unusable(asked.arguments):
        return _result({"error": "invalid_param", "message": f"A text among the arguments {problem}."}, is_error=True)
    try:
        now = asked.service.now()
        usage = count_call(asked.service, asked.caller, name, now)
        if usage.is_refused:
            seconds = seconds_until_reset(usage, now)
            return _result({"error": "over_quota", "tool": name, "retry_after_seconds": seconds}, is_error=True)
        return _result(TOOLS[name][0](asked))
    except ApiError as error:
        return _result({"error": error.code, "message": error.message}, is_error=True)
    except Exception as error:  # noqa: BLE001 - the SDK would tell the caller the error's own text
        log_failure(error)
        failure = internal_error()
        return _result({"error": failure.code, "message": failure.message}, is_error=True)


def _unusable(arguments: Arguments) -> str | None:
    """Why a text among ``arguments`` can be looked for nowhere; None when all can be."""
    listed = (value if isinstance(value, list) else [value] for value in arguments.values())
    return next((why for some in listed for text in some if isinstance(text, str) and (why := text_problem(text))), None)


def _result(value: dict[str, Any], is_error: bool = False) -> types.CallToolResult:
    text = types.TextContent(type="text", text=json.dumps(value, ensure_ascii=True))
    return types.CallToolResult(content=[text], structuredContent=value, isError=is_error)

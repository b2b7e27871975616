"""The envelope of this face: what is right and what is wrong, in its words (SB-6 to SB-9, SB-87 to SB-93)."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from pipeline.api.errors import ApiError, log_failure, methods_here
from pipeline.api.json_answers import json_answer

CODES = {
    400: "bad_request",
    401: "invalid_api_key",
    402: "insufficient_credits",
    403: "subscription_expired",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    429: "rate_limited",
}
INTERNAL = "internal_error"
UNKNOWN_ERROR = "An unknown error occurred"
# A body that can't be read is a bad request here, whatever is wrong with it (SB-87).
UNREADABLE = frozenset({408, 413, 415, 422})
_FIELD = re.compile(r"[a-z]+(?:[_.]\w|[A-Z])")


class Failure(ApiError):
    """Ends a request with ``status`` and this face's envelope."""

    def __init__(
        self, status: int, message: str, headers: dict[str, str] | None = None, more: dict[str, Any] | None = None
    ) -> None:
        super().__init__(status, CODES.get(status, INTERNAL), message, headers, more)

    def answer(self) -> Response:
        """The error as an answer."""
        body = {"success": False, "error": self.message, "code": self.code} | self.more
        return json_answer(body, self.status, self.headers)


def enveloped(error: ApiError) -> Response:
    """An error of any module that faces share, in this one's words."""
    if isinstance(error, Failure):
        return error.answer()
    status = 400 if error.status in UNREADABLE else error.status
    return Failure(status, error.message, error.headers).answer()


def bad_request(message: str) -> Failure:
    """What was sent can't be used. The message begins with a capital, unless with a field's name (`endpoint_url`)."""
    return Failure(400, message if _FIELD.match(message) else f"{message[:1].upper()}{message[1:]}")


def success(
    endpoint: str,
    data: Any,
    *,
    status: int = 200,
    pagination: dict[str, Any] | None = None,
    credits_used: int = 0,
    warnings: tuple[str, ...] = (),
) -> Response:
    """An answer that all went well. ``pagination`` is for lists alone (SB-7)."""
    body: dict[str, Any] = {"success": True, "data": data}
    if pagination is not None:
        body["pagination"] = pagination
    meta: dict[str, Any] = {"endpoint": endpoint, "creditsUsed": credits_used}
    if warnings:
        meta["warnings"] = list(warnings)
    return json_answer(body | {"meta": meta}, status)


def add_handlers(app: FastAPI) -> None:
    """Give every error of the framework, the database and the shared modules this face's envelope."""

    @app.exception_handler(ApiError)
    async def api_error(_request: Request, error: ApiError) -> Response:
        return enveloped(error)

    @app.exception_handler(RequestValidationError)
    async def validation(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return bad_request(f"{first['loc'][-1]} can't be used: {first['msg']}").answer()

    @app.exception_handler(SQLAlchemyError)
    async def database(_request: Request, error: SQLAlchemyError) -> Response:
        log_failure(error)
        return Failure(500, UNKNOWN_ERROR).answer()

    @app.exception_handler(Exception)
    async def anything(_request: Request, error: Exception) -> Response:
        log_failure(error)
        return Failure(500, UNKNOWN_ERROR).answer()

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if error.status_code != 405:
            return Failure(error.status_code, "Not found", dict(error.headers or {})).answer()
        allowed = ", ".join(methods_here(request))
        return Failure(405, f"{request.method} is not possible here; possible: {allowed}", {"Allow": allowed}).answer()

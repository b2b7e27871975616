"""The envelope of this face: ``{"error": "<message>"}`` and nothing beside it (SC-9, SC-10, A-SC-30, A-SC-31, A-X-7)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from pipeline.api.errors import ApiError, log_failure, methods_here
from pipeline.api.json_answers import json_answer

NO_KEY = "API key required"
BAD_KEY = "Invalid or inactive API key"
TOO_MANY = "Rate limit exceeded"
NO_LEAD = "Lead not found"
NO_REFERRAL = "Referral not found"
NOT_ALLOWED = "Method not allowed"
INTERNAL = "Internal server error"
NOT_FOUND = "Not found"
CONTENT_TYPE = "Content-Type must be application/json"
# What the contract has no status for is a bad request, or a failure of ours.
KNOWN = frozenset({200, 400, 401, 404, 405, 429, 500})


class Failure(ApiError):
    """Ends a request with ``status`` and this face's envelope."""

    def __init__(
        self, status: int, message: str, headers: dict[str, str] | None = None, more: dict[str, Any] | None = None
    ) -> None:
        super().__init__(status, "", message, headers, more)

    def answer(self) -> Response:
        """The error as an answer."""
        return json_answer({"error": self.message} | self.more, self.status, self.headers)


def enveloped(error: ApiError) -> Response:
    """An error of any module that faces share, in this one's words and statuses."""
    if isinstance(error, Failure):
        return error.answer()
    if error.status >= 500:
        return Failure(500, INTERNAL, error.headers).answer()
    if error.status == 415:
        return Failure(400, CONTENT_TYPE, error.headers).answer()
    return Failure(error.status if error.status in KNOWN else 400, error.message, error.headers).answer()


def not_allowed(request: Request) -> Failure:
    """The path is known, its method is not (SC-11)."""
    return Failure(405, NOT_ALLOWED, {"Allow": ", ".join(methods_here(request))})


def success(**parts: Any) -> Response:
    """An answer that all went well."""
    return json_answer({"success": True} | parts)


def add_handlers(app: FastAPI, note_call: Callable[[Request], Awaitable[None]]) -> None:
    """Give every error of the framework, the database and the shared modules this face's envelope.

    ``note_call`` counts a call that no operation took, where it has a key (A-SC-16); it may raise Failure.
    """

    @app.exception_handler(ApiError)
    async def api_error(_request: Request, error: ApiError) -> Response:
        return enveloped(error)

    @app.exception_handler(RequestValidationError)
    async def validation(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return Failure(400, f"Parameter '{first['loc'][-1]}' can't be used: {first['msg']}").answer()

    @app.exception_handler(SQLAlchemyError)
    async def database(_request: Request, error: SQLAlchemyError) -> Response:
        log_failure(error)
        return Failure(500, INTERNAL).answer()

    @app.exception_handler(Exception)
    async def anything(_request: Request, error: Exception) -> Response:
        log_failure(error)
        return Failure(500, INTERNAL).answer()

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        try:
            await note_call(request)
        except Failure as failure:
            return failure.answer()
        if error.status_code != 405:
            return Failure(404, NOT_FOUND).answer()
        return not_allowed(request).answer()

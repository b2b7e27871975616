"""What goes wrong, as callers see it: one envelope on every path (FSV-1, FSV-2).

What belongs here: the error that any module of the service may raise, and how errors of the framework and of the
database become one. What does not: which codes an endpoint has (the endpoints).
"""

from __future__ import annotations

import logging
import traceback
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from pipeline.api.json_answers import json_answer

log = logging.getLogger(__name__)

CODES = {404: "not_found", 405: "method_not_allowed"}


class ApiError(Exception):
    """Ends a request with ``status`` and the envelope. ``more`` stands beside ``error`` in the body.

    The message is for the caller: it names the thing and the way out, and holds no secret.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None, more: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}
        self.more = more or {}

    def answer(self) -> Response:
        """The error as an answer."""
        body = {"error": {"code": self.code, "message": self.message}} | self.more
        return json_answer(body, self.status, self.headers)


def invalid_param(name: str, message: str) -> ApiError:
    """A query parameter that can't be used."""
    return ApiError(400, "invalid_param", f"{name} {message}")


def not_found(what: str) -> ApiError:
    """There is nothing of that name, or nothing that this caller may know of."""
    return ApiError(404, "not_found", f"There is no such {what}.")


def nothing_at(path: str) -> ApiError:
    """No endpoint has this address."""
    return ApiError(404, "not_found", f"There is nothing at {path}.")


def database_error(code: str = "db_error") -> ApiError:
    """The database did not answer, or not as expected. Worth another try."""
    return ApiError(500, code, "The database could not be asked. Nothing was changed; try again in a moment.")


def internal_error() -> ApiError:
    """A mistake of ours."""
    return ApiError(
        500, "internal_error", "Something went wrong on our side. The X-Request-ID of this answer helps us find it."
    )


def log_failure(error: BaseException) -> None:
    """Write down where it happened and of what kind it is. Not its text: that may hold what a partner sent."""
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    log.error("request failed", extra={"fields": {"error_type": type(error).__name__, "frames": frames[-12:]}})


def add_handlers(app: FastAPI) -> None:
    """Give every error of the framework and of the database the envelope."""

    @app.exception_handler(ApiError)
    async def api_error(_request: Request, error: ApiError) -> Response:
        return error.answer()

    @app.exception_handler(RequestValidationError)
    async def validation(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return invalid_param(str(first["loc"][-1]), f"can't be used: {first['msg']}.").answer()

    @app.exception_handler(SQLAlchemyError)
    async def database(_request: Request, error: SQLAlchemyError) -> Response:
        log_failure(error)
        return database_error().answer()

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        message = nothing_at(request.url.path).message
        if error.status_code == 405:
            headers["Allow"] = ", ".join(methods_here(request))
            message = f"{request.method} is not possible at {request.url.path}; possible: {headers['Allow']}."
        return ApiError(error.status_code, CODES.get(error.status_code, "http_error"), message, headers).answer()


def methods_here(request: Request) -> list[str]:
    """The methods that the request's path knows: of routes that name it whole, else of all that match.

    A router only tells those of the first of its routes.
    """
    matching = [route for route in request.app.state.routes if route.matches(request.scope)[0] is not Match.NONE]
    exact = [route for route in matching if not route.param_convertors]
    return sorted({method for route in exact or matching for method in route.methods})

"""The outermost layer: every request gets an id, every answer its headers, its log line and its count, no error escapes."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.api.context import Exchange, Service, overloaded
from pipeline.api.errors import ApiError, internal_error, log_failure
from pipeline.api.logs import request_id_now

log = logging.getLogger("pipeline.api.requests")

MOST_AT_ONCE = 1_024
REQUEST_ID = "X-Request-ID"
CLIENT_GONE = 499  # as proxies note it: nobody is left to answer
_USABLE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)


def new_request_id() -> str:
    """An id of 32 hexadecimal digits."""
    return uuid4().hex


class Edge:
    """ASGI middleware around the whole service."""

    def __init__(
        self,
        app: ASGIApp,
        service: Service,
        new_id: Callable[[], str] = new_request_id,
        envelopes: Mapping[str, Callable[[ApiError], Response]] | None = None,
    ) -> None:
        """``envelopes``: by prefix of addresses, how a face says what goes wrong before it is asked."""
        self._envelopes = envelopes or {}
        self._app = app
        self._service = service
        self._new_id = new_id
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        exchange = Exchange(given if _USABLE_ID.fullmatch(given) else self._new_id())
        scope.setdefault("state", {})["exchange"] = exchange
        note = request_id_now.set(exchange.request_id)
        answer = _Answer(send, exchange)
        started = time.perf_counter()
        self._under_way += 1
        try:
            await self._handle(scope, receive, answer)
        finally:
            self._under_way -= 1
            self._tell(scope, exchange, answer.status, time.perf_counter() - started)
            request_id_now.reset(note)

    async def _handle(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, answer)
            return
        try:
            await self._app(scope, receive, answer)
        except ClientDisconnect:
            answer.status = CLIENT_GONE
        except Exception as error:  # noqa: BLE001 - the last place where it can become an answer
            log_failure(error)
            if answer.status is None:
                await self._enveloped(scope, internal_error())(scope, receive, answer)

    def _refusal(self, scope: Scope) -> Response | None:
        if self._under_way > MOST_AT_ONCE:
            return self._enveloped(scope, overloaded())
        if "\0" in scope["path"] or b"%00" in scope.get("query_string", b""):
            # No id holds one, and PostgreSQL takes none.
            return self._enveloped(scope, ApiError(400, "invalid_param", "The address must not contain the NUL character."))
        if "content-length" in (headers := Headers(scope=scope)) and "transfer-encoding" in headers:
            # RFC 9112, 6.1: a proxy in front may see another end of the request, and take what follows for the next one.
            both = "Send Content-Length or Transfer-Encoding, not both."
            return self._enveloped(scope, ApiError(400, "invalid_request", both, {"Connection": "close"}))
        return None

    def _enveloped(self, scope: Scope, error: ApiError) -> Response:
        """The error as the face whose address it is says such things."""
        for prefix, envelope in self._envelopes.items():
            if f"{scope['path']}/".startswith(f"{prefix}/"):
                return envelope(error)
        return error.answer()

    def _tell(self, scope: Scope, exchange: Exchange, status: int | None, seconds: float) -> None:
        # The route's own text, not the address: addresses hold ids, and there are endless many.
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._service.metrics.requests.labels(method, route, str(status or CLIENT_GONE)).inc()
        self._service.metrics.seconds.labels(method, route).observe(seconds)
        if not exchange.is_logged:
            return
        fields = {
            "request_id": exchange.request_id,
            "method": method,
            "route": route,
            "status": status,
            "duration_ms": round(seconds * 1000, 1),
            "organization_id": exchange.organization_id,
            "key_prefix": exchange.key_prefix,
        }
        log.info("request", extra={"fields": {name: value for name, value in fields.items() if value is not None}})


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class _Answer:
    """``send``, with the headers that every answer has, and a note of the status."""

    def __init__(self, send: Send, exchange: Exchange) -> None:
        self._send = send
        self._exchange = exchange
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID] = self._exchange.request_id
            headers["X-Content-Type-Options"] = "nosniff"
            headers.setdefault("Cache-Control", "no-store")
            for name, value in self._exchange.headers.items():
                headers[name] = value
        await self._send(message)

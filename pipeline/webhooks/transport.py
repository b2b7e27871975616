"""One POST to one receiver, safely: vetted and pinned addresses, one wall-clock budget, bounded in all it reads.

What belongs here: HTTP and what can go wrong with it, as an Outcome. What does not: ledgers, signatures.
Redirects are never followed (A-FS-9), proxies and cookies never used, TLS is verified for the host name.
"""

from __future__ import annotations

import asyncio
import io
import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from pipeline.net.addresses import Network
from pipeline.net.names import AddressRefused, NameNotFound, Resolve, VettingResolver, system_resolve
from pipeline.webhooks.answers import StrictConnector
from pipeline.webhooks.attempts import Outcome
from pipeline.webhooks.phases import Phases, tls_context, trace_config
from pipeline.webhooks.urls import shown_url

log = logging.getLogger(__name__)

EXCERPT_CHARACTERS = 1000
EXCERPT_BYTES = 4 * EXCERPT_CHARACTERS
MAX_HEADERS = 100
# A longer body (a company that thousands of rows match) is written piece by piece, others' sends in between.
LARGE_BODY_BYTES = 262_144
MAX_HEADER_BYTES = 8190
# Receivers close idle connections after 2 s (gunicorn) or 5 s (Apache, Node); a POST on a connection that is being closed fails,
# and may not be repeated. So less than the shortest, by more than the way there takes.
IDLE_SECONDS = 1.5
ERROR_CHARACTERS = 500
RETRY_AFTER_CHARACTERS = 64  # a date or a number of seconds


class HttpSender:
    """Sends webhooks. Use as an async context manager; holds its connections for as long."""

    def __init__(
        self,
        budget_seconds: float,
        now: Callable[[], datetime],
        allowed_networks: Sequence[Network] = (),
        ca_file: Path | None = None,
        resolve: Resolve = system_resolve,
    ) -> None:
        self._budget_seconds = budget_seconds
        self._now = now
        self._allowed_networks = allowed_networks
        self._resolve = resolve
        self._tls = tls_context()
        if ca_file is not None:
            self._tls.load_verify_locations(ca_file)

    async def __aenter__(self) -> Self:
        self._names = VettingResolver(self._allowed_networks, self._resolve)
        connector = StrictConnector(
            ssl=self._tls, resolver=self._names, use_dns_cache=False, limit=0, keepalive_timeout=IDLE_SECONDS
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            trust_env=False,
            trace_configs=[trace_config()],
            auto_decompress=False,
            max_headers=MAX_HEADERS,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._session.close()
        await self._names.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """The outcome of one attempt, within the budget (resolve, connect, TLS, request, response head; A-FS-6). Total."""
        sending = _Sending(self._now)
        excerpt = None
        try:
            async with asyncio.timeout(self._budget_seconds):
                excerpt = await self._post(URL(url, encoded=True), body, headers, sending)
        except (TimeoutError, AddressRefused, NameNotFound, aiohttp.ClientError, OSError, ValueError) as error:
            if not sending.is_answered:
                return sending.failed(*self._explain(error))
        except Exception as error:  # what one receiver brings about must not end the sends to all others
            log.exception("a delivery to %s ended in an error that is ours to mend", shown_url(url))
            if not sending.is_answered:
                return sending.failed("protocol", type(error).__name__)
        return sending.answer(excerpt)

    def _explain(self, error: Exception) -> tuple[str, str]:
        """(error slug, text) of what went wrong before a response head came."""
        match error:
            case TimeoutError():
                return "timeout", f"no answer within {self._budget_seconds:g} s"
            case AddressRefused():
                return "refused_address", str(error)
            case NameNotFound():
                return "dns", str(error)
            case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError() | ssl.SSLError():
                return "tls", str(error)
            case aiohttp.ClientConnectorError():
                return "connect", str(error)
            case aiohttp.ClientResponseError():
                # Its text would name the whole URL, which may hold a secret, and a status that nobody answered.
                return "protocol", f"no HTTP answer: {' '.join(error.message.split())}"
        return "protocol", f"{type(error).__name__}: {error}"

    async def _post(self, url: URL, body: bytes, headers: Mapping[str, str], sending: _Sending) -> str | None:
        host, port = url.host_subcomponent or "", url.port or 443
        # Vetted here as well as in the connector, which does not ask about literal addresses.
        sending.address = (await self._names.addresses(host, port))[0]
        wanted = {"Accept": "*/*", "Accept-Encoding": "identity"} | dict(headers)
        data = body if len(body) < LARGE_BODY_BYTES else io.BytesIO(body)
        request = self._session.post(url, data=data, headers=wanted, allow_redirects=False, trace_request_ctx=sending.phases)
        async with request as response:
            sending.answered(response)
            return await _excerpt(response, sending.remaining(self._budget_seconds))


class _Sending:
    """What is known of an attempt so far."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._duration_ms: float | None = None
        self._code: int | None = None
        self._retry_after: str | None = None
        self.phases = Phases()
        self.address: str | None = None  # the first of the vetted: where it goes unless that one is dead

    def remaining(self, budget_seconds: float) -> float:
        return budget_seconds - self.phases.elapsed_ms() / 1000

    def answered(self, response: aiohttp.ClientResponse) -> None:
        self.phases.enter(None)
        self._duration_ms = self.phases.elapsed_ms()
        self._code = response.status
        self._retry_after = response.headers.get("Retry-After")

    @property
    def is_answered(self) -> bool:
        return self._code is not None

    def answer(self, excerpt: str | None) -> Outcome:
        assert self._code is not None
        slug, text = _judge(self._code)
        return self._outcome(slug, text, excerpt)

    def failed(self, slug: str, text: str) -> Outcome:
        self.phases.enter(None)
        return self._outcome(slug, text, None)

    def _outcome(self, slug: str | None, text: str | None, excerpt: str | None) -> Outcome:
        phases = self.phases
        return Outcome(
            is_delivered=slug is None,
            finished_at=self._now(),
            duration_ms=phases.elapsed_ms() if self._duration_ms is None else self._duration_ms,
            response_code=self._code,
            response_excerpt=excerpt,
            resolved_address=phases.peer or self.address,
            error_class=slug,
            error=_printable(text)[:ERROR_CHARACTERS] if text else None,
            is_reused_connection=phases.is_reused,
            is_request_sent=phases.is_ready,
            retry_after=_printable(self._retry_after)[:RETRY_AFTER_CHARACTERS] if self._retry_after else None,
            **phases.spent,
        )


def _judge(code: int) -> tuple[str | None, str | None]:
    """(error slug, text) of a status; (None, None) for any 2xx (FS-56, FS-59)."""
    if 200 <= code < 300:
        return None, None
    if 300 <= code < 400:
        return "redirect", f"answered {code}; redirects are not followed"
    if 400 <= code < 500:
        return "http_4xx", f"answered {code}"
    if 500 <= code < 600:
        return "http_5xx", f"answered {code}"
    return "protocol", f"answered {code}, which is no outcome"


async def _excerpt(response: aiohttp.ClientResponse, seconds: float) -> str | None:
    """The first 1,000 characters of the body; what can't be read in time changes nothing (A-FS-6)."""
    read = bytearray()
    is_whole = False
    try:
        async with asyncio.timeout(max(seconds, 0)):
            while len(read) < EXCERPT_BYTES and not is_whole:
                chunk = await response.content.read(EXCERPT_BYTES - len(read))
                read += chunk
                is_whole = not chunk
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
        pass
    if not is_whole:
        response.close()  # the rest is not wanted, so the connection can't be used again
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return None
    return _printable(read.decode("utf-8", "replace"))[:EXCERPT_CHARACTERS]


def _printable(text: str) -> str:
    # PostgreSQL's text holds no NUL, and UTF-8 no lone surrogates.
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()

"""Fetching one body from outside: politely, bounded in time and size, and only from vetted addresses.

What belongs here: one GET with its redirects and retries. What does not: when to fetch (poll, follow_ups) and what
the body means.
"""

from __future__ import annotations

import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from pipeline.documents import connect
from pipeline.documents.clock import seconds_ahead
from pipeline.documents.connect import AddressRefused, Guard, GuardedAdapter, NameNotFound
from pipeline.documents.pace import HostPaces
from pipeline.net.addresses import Network
from pipeline.store.app_database import AppDatabase

MAX_REDIRECTS = 5
CHUNK_BYTES = 65_536
REDIRECTS = {301, 302, 303, 307, 308}
# Worth asking again at once; anything else is the server's considered answer.
PASSING = {"connect", "reset", "http_500", "http_502", "http_503", "http_504"}
ENCODINGS = {"", "identity", "gzip", "x-gzip", "deflate"}
LONGEST_RETRY_AFTER_SECONDS = 86_400.0
# A retry waits for this long at most; a server that asks for more is asked at its next turn.
LONGEST_PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class FetchResult:
    """One answer of 200 or, if the request was conditional, 304 (``is_not_modified``; then ``body`` is empty)."""

    url: str
    final_url: str
    status: int
    body: bytes
    content_type: str | None
    etag: str | None
    last_modified: str | None
    fetched_at: datetime
    is_not_modified: bool = False
    clock_ahead: float | None = None  # seconds by which our clock is ahead of the server's, as far as it says


class FetchFailed(RuntimeError):
    """A fetch that gave no body.

    ``reason`` is a short slug: bad_url, address_refused, name_not_found, connect, tls, reset, timeout, too_large,
    bad_encoding, too_many_redirects, pace (no slot within the budget; nothing was sent), http_404 and the like.
    ``retry_after`` is in seconds, where the server said so.
    """

    def __init__(self, reason: str, detail: str, url: str, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(f"{reason}: {detail} ({url})")
        self.reason = reason
        self.detail = detail
        self.url = url
        self.status = status
        self.retry_after = retry_after


class Fetcher:
    """Fetches bodies. Safe to share between threads; holds no connection between fetches.

    ``database`` carries the pace per host; without one there is none (tests). ``timeout_seconds`` is the wall-clock
    budget of one fetch with all its redirects, waits and retries; ``max_bytes`` bounds the decompressed body.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        timeout_seconds: float = 15.0,
        max_bytes: int = 20_000_000,
        allowed_networks: Sequence[Network] = (),
        ca_file: Path | None = None,
        database: AppDatabase | None = None,
        resolve: connect.Resolve = connect.resolve,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        utc_now: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = random.SystemRandom().random,
    ) -> None:
        self.user_agent = user_agent
        self.clock = clock
        self.utc_now = utc_now
        self._timeout = timeout_seconds
        self._max_bytes = max_bytes
        self._allowed_networks = tuple(allowed_networks)
        self._ca_file = ca_file
        self._paces = HostPaces(database) if database is not None else None
        self._resolve = resolve
        self._sleep = sleep
        self._jitter = jitter

    def fetch(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        accept: str = "*/*",
        max_bytes: int | None = None,
        gap_seconds: float | None = None,
        deadline: float | None = None,
        tries: int = 2,
    ) -> FetchResult:
        """The body at ``url``, after at most five redirects. Raises FetchFailed.

        ``deadline`` (on ``self.clock``) can only shorten the budget. ``gap_seconds`` overrides the host's pace.
        """
        end = min(self.clock() + self._timeout, deadline if deadline is not None else float("inf"))
        headers = {"Accept": accept, "Accept-Encoding": "gzip, deflate", "User-Agent": self.user_agent}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        attempt = 1
        while True:
            try:
                return self._attempt(url, headers, max_bytes or self._max_bytes, gap_seconds, end)
            except FetchFailed as failure:
                pause = max((0.25 + self._jitter() / 2) * 2 ** (attempt - 1), failure.retry_after or 0.0)
                is_last = attempt >= tries or failure.reason not in PASSING
                if is_last or pause > LONGEST_PATIENCE_SECONDS or self.clock() + pause >= end:
                    raise
            attempt += 1
            self._sleep(pause)

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return connect.tls_context(self._ca_file)

    def _attempt(
        self, url: str, headers: Mapping[str, str], max_bytes: int, gap_seconds: float | None, end: float
    ) -> FetchResult:
        guard = Guard(self._allowed_networks, self._resolve)
        timer = threading.Timer(max(0.0, end - self.clock()), guard.cut)
        timer.daemon = True
        timer.start()
        try:
            with requests.Session() as session:
                # Proxies and credentials of the environment would go round the vetting.
                session.trust_env = False
                adapter = GuardedAdapter(guard, self._context)
                session.mount("https://", adapter)
                session.mount("http://", adapter)
                result = self._follow(session, url, headers, max_bytes, gap_seconds, end)
        except FetchFailed as failure:
            if guard.is_cut and failure.reason in {"connect", "reset", "tls", "bad_encoding"}:
                raise FetchFailed("timeout", "no complete answer within the budget", url) from None
            raise
        finally:
            timer.cancel()
        # A body without a stated length looks complete when its connection was cut.
        if guard.is_cut:
            raise FetchFailed("timeout", "no complete answer within the budget", url)
        return result

    def _follow(
        self,
        session: requests.Session,
        url: str,
        headers: Mapping[str, str],
        max_bytes: int,
        gap_seconds: float | None,
        end: float,
    ) -> FetchResult:
        at = url
        for _hop in range(MAX_REDIRECTS + 1):
            self._wait_for_slot(at, gap_seconds, end)
            response = self._request(session, at, headers, end)
            with response:
                target = response.headers.get("Location")
                if response.status_code not in REDIRECTS or not target:
                    return self._result(url, at, response, headers, max_bytes, end)
                at = urljoin(at, target)
        raise FetchFailed("too_many_redirects", f"more than {MAX_REDIRECTS}, the last to {at}", url)

    def _wait_for_slot(self, url: str, gap_seconds: float | None, end: float) -> None:
        host = _host(url)
        if self._paces is None:
            return
        remaining = end - self.clock()
        wait = self._paces.reserve(host, remaining, gap_seconds)
        if wait is None or remaining <= 0:
            raise FetchFailed("pace", f"no slot for {host} within {max(0.0, remaining):.1f} s", url)
        if wait > 0:
            self._sleep(wait)

    def _request(self, session: requests.Session, url: str, headers: Mapping[str, str], end: float) -> requests.Response:
        remaining = end - self.clock()
        if remaining <= 0:
            raise FetchFailed("timeout", "the budget was spent before the request was sent", url)
        try:
            return session.get(url, headers=dict(headers), timeout=remaining, stream=True, allow_redirects=False)
        except AddressRefused as error:
            raise FetchFailed("address_refused", str(error), url) from None
        except NameNotFound as error:
            raise FetchFailed("name_not_found", str(error), url) from None
        except requests.exceptions.SSLError as error:
            raise FetchFailed("tls", _brief(error), url) from None
        except requests.exceptions.Timeout:
            raise FetchFailed("timeout", f"no answer within {remaining:.1f} s", url) from None
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema) as error:
            raise FetchFailed("bad_url", _brief(error), url) from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise FetchFailed("connect", _brief(error), url) from None

    def _result(
        self, url: str, at: str, response: requests.Response, headers: Mapping[str, str], max_bytes: int, end: float
    ) -> FetchResult:
        status = response.status_code
        is_not_modified = status == 304 and ("If-None-Match" in headers or "If-Modified-Since" in headers)
        if status != 200 and not is_not_modified:
            raise FetchFailed(
                f"http_{status}", f"the server answered {status}", url, status, self._retry_after(response.headers)
            )
        came_at = self.utc_now()
        return FetchResult(
            url=url,
            final_url=at,
            status=status,
            body=b"" if is_not_modified else self._body(response, url, max_bytes, end),
            content_type=response.headers.get("Content-Type"),
            etag=response.headers.get("ETag"),
            last_modified=response.headers.get("Last-Modified"),
            fetched_at=self.utc_now(),
            is_not_modified=is_not_modified,
            clock_ahead=seconds_ahead(response.headers, came_at),
        )

    def _body(self, response: requests.Response, url: str, max_bytes: int, end: float) -> bytes:
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ENCODINGS:
            raise FetchFailed("bad_encoding", f"content encoding {encoding!r} was not asked for", url)
        chunks: list[bytes] = []
        size = 0
        try:
            for chunk in response.raw.stream(CHUNK_BYTES, decode_content=True):
                size += len(chunk)
                if size > max_bytes:
                    raise FetchFailed("too_large", f"more than {max_bytes:,} bytes", url)
                chunks.append(chunk)
                if self.clock() > end:
                    raise FetchFailed("timeout", "the body did not end within the budget", url)
        except urllib3.exceptions.DecodeError as error:
            raise FetchFailed("bad_encoding", _brief(error), url) from None
        except urllib3.exceptions.ReadTimeoutError:
            raise FetchFailed("timeout", "the body stopped coming", url) from None
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise FetchFailed("reset", _brief(error), url) from None
        return b"".join(chunks)

    def _retry_after(self, headers: Mapping[str, str]) -> float | None:
        """Seconds, from either form of the header (RFC 9110, 10.2.3); None where absent or unreadable."""
        value = headers.get("Retry-After", "").strip()
        if not value:
            return None
        if value.isascii() and value.isdigit():
            return min(float(value), LONGEST_RETRY_AFTER_SECONDS)
        try:
            until = parsedate_to_datetime(value)
        except ValueError:
            return None
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return min(max(0.0, (until - self.utc_now()).total_seconds()), LONGEST_RETRY_AFTER_SECONDS)


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise FetchFailed("bad_url", str(error), url) from None
    if parts.scheme not in {"http", "https"} or not host:
        raise FetchFailed("bad_url", "is no http or https address", url)
    return host


def _brief(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__

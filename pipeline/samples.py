"""The sample world of ``data/samples``: its texts with addresses and times filled in, served as the outside would.

What belongs here: placeholders and the local server. What does not: what the samples must lead to, which is
``expected.yaml`` beside them, in words ``README.md``.

A placeholder is ``{{base}}``, the server's address without a slash at its end, or ``{{FORM:OFFSET}}``, a time
relative to the epoch (the demo's start). FORM is ``rfc822``, ``iso``, ``date``, ``long`` (March 3, 2026) or ``unix``
(whole seconds); OFFSET is a whole number with sign and unit: ``-90m``, ``+3h``, ``-730d``, ``0s``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

HOST = "127.0.0.1"

_PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}")
_TIME = re.compile(r"(?P<form>[a-z0-9]+):(?P<amount>[+-]?\d{1,6})(?P<unit>[smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

# strftime would name months in the machine's language; a release from Oakland names them in English.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_FORMS: dict[str, Callable[[datetime], str]] = {
    "rfc822": format_datetime,
    "iso": lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "date": lambda moment: moment.strftime("%Y-%m-%d"),
    "long": lambda moment: f"{_MONTHS[moment.month - 1]} {moment.day}, {moment.year}",
    "unix": lambda moment: str(int(moment.timestamp())),
}

_CONTENT_TYPES = {
    ".rss": "application/rss+xml; charset=utf-8",
    ".atom": "application/atom+xml",
    ".xml": "text/xml",
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}

# Where a path of the server's lies in the folder. A filing's folder is found under any of its filers, as EDGAR does.
_ROUTES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"/robots\.txt"), "articles/robots.txt"),
    (re.compile(r"/feeds/([\w-]+\.(?:rss|atom))"), r"feeds/\1"),
    (re.compile(r"/news/((?:[\w-]+/)?[\w-]+)/?"), r"articles/\1.html"),
    (re.compile(r"/cgi-bin/browse-edgar"), "edgar/browse-edgar.atom"),
    (re.compile(r"/Archives/edgar/data/\d+/(\d{18})/primary_doc\.xml"), r"edgar/\1/primary_doc.xml"),
)


class UnknownPlaceholder(ValueError):
    """A sample holds a placeholder that says nothing. The text names it and the forms there are."""


def render(text: str, base_url: str, epoch: datetime) -> str:
    """``text`` with every placeholder filled in, times in UTC; ``epoch`` must be aware.

    Raises UnknownPlaceholder.
    """
    if epoch.tzinfo is None:
        raise ValueError(f"the epoch {epoch.isoformat()} has no time zone; give an aware time")
    base, start = base_url.rstrip("/"), epoch.astimezone(UTC)
    return _PLACEHOLDER.sub(lambda found: _fill(found[1].strip(), base, start), text)


def _fill(placeholder: str, base: str, epoch: datetime) -> str:
    if placeholder == "base":
        return base
    found = _TIME.fullmatch(placeholder)
    if found is None or found["form"] not in _FORMS:
        raise UnknownPlaceholder(
            f"{{{{{placeholder}}}}} is neither {{{{base}}}} nor a time such as {{{{iso:-90m}}}}; forms: {', '.join(_FORMS)}"
        )
    return _FORMS[found["form"]](epoch + timedelta(**{_UNITS[found["unit"]]: int(found["amount"])}))


class SampleServer:
    """Serves the samples of ``folder`` on loopback, in a thread, between entering and leaving ``with``.

    Feeds under ``/feeds/``, articles under ``/news/``, EDGAR under its own paths, ``/robots.txt``; with ETag, and 304
    for a known one. ``port`` 0 takes any free port; ``base_url`` says which. The same port and epoch give the same bytes.
    ``requests`` lists method, path with query and status of what was asked, in order of the answers.
    """

    def __init__(self, folder: Path, epoch: datetime, port: int = 0) -> None:
        self.folder = folder
        self.epoch = epoch
        self.requests: list[tuple[str, str, int]] = []
        self._server = _Server((HOST, port), self)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="samples", daemon=True)

    @property
    def base_url(self) -> str:
        """The server's address, without a slash at its end."""
        return f"http://{HOST}:{self._server.server_port}"

    def render_file(self, name: str) -> str:
        """A UTF-8 file of the folder, such as ``sources.yaml``, with its placeholders filled in for this server."""
        return render((self.folder / name).read_text(encoding="utf-8"), self.base_url, self.epoch)

    def page(self, path: str) -> tuple[bytes, str] | None:
        """The body and content type served at a path, or None where there is nothing."""
        for pattern, name in _ROUTES:
            found = pattern.fullmatch(path)
            if found is not None:
                file = self.folder / found.expand(name)
                return (self._body(file), _CONTENT_TYPES[file.suffix]) if file.is_file() else None
        return None

    def __enter__(self) -> SampleServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _body(self, file: Path) -> bytes:
        # Latin-1 gives every byte back as it was, whatever encoding the file is in; placeholders are ASCII.
        return render(file.read_bytes().decode("latin-1"), self.base_url, self.epoch).encode("latin-1")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], samples: SampleServer) -> None:
        self.samples = samples
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "fundingscout-samples"
    sys_version = ""
    timeout: ClassVar[float] = 5.0  # an idle connection doesn't hold its thread for longer

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if _is_past_the_end(address.path, address.query):
            # EDGAR answers so beyond its last filing.
            self._answer(503, b"<html><body>No matching filings.</body></html>", "text/html")
            return
        page = self.server.samples.page(unquote(address.path))
        if page is None:
            self._answer(404, b"<html><body>There is no such page.</body></html>", "text/html")
            return
        etag = f'"{hashlib.sha256(page[0]).hexdigest()[:32]}"'
        if _is_known(etag, self.headers.get("If-None-Match")):
            self._answer(304, b"", None, etag)
        else:
            self._answer(200, *page, etag)

    do_HEAD = do_GET  # noqa: N815  (the name that http.server looks for)

    def _answer(self, status: int, body: bytes, content_type: str | None, etag: str | None = None) -> None:
        self.server.samples.requests.append((self.command, self.path, status))
        self.send_response(status)
        if content_type is not None:
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
        if etag is not None:
            self.send_header("ETag", etag)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what was asked is in ``SampleServer.requests``."""


def _is_past_the_end(path: str, query: str) -> bool:
    start = parse_qs(query).get("start", ["0"])[0]
    return path == "/cgi-bin/browse-edgar" and start.isdecimal() and int(start) > 0


def _is_known(etag: str, asked: str | None) -> bool:
    known = {part.strip().removeprefix("W/") for part in (asked or "").split(",")}
    return etag in known or "*" in known

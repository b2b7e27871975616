"""A receiver that does what a partner's should: verifies, answers at once, notices repeats.

Used by `fundingscout receiver`, the demo and tests. Runs in a thread of its own, over HTTPS.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from pipeline.webhooks.signing import fundingscout_signature

MAX_BODY_BYTES = 1_000_000
START_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Received:
    """One POST that came in. ``match_id`` and ``payload`` are None unless it verified and the body is a JSON object."""

    received_at: datetime
    path: str
    is_verified: bool
    is_duplicate: bool
    match_id: str | None
    payload: dict[str, Any] | None
    body: bytes
    headers: dict[str, str]


OnDelivery = Callable[[Received], None]


class Receiver:
    """Listens while used as a context manager. ``url`` is where; ``received`` all that came, in order."""

    def __init__(
        self,
        secrets: Sequence[str],
        certificate: ssl.SSLContext | Path,
        on_delivery: OnDelivery | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        log_file: Path | None = None,
    ) -> None:
        """``secrets``: any of them may have signed. ``certificate``: a server context, or a PEM file with key and chain.

        ``log_file`` gets one JSON line per delivery. Port 0: any free one.
        """
        self.secrets = list(secrets)  # may be changed while it listens
        self._tls = certificate if isinstance(certificate, ssl.SSLContext) else _load(certificate)
        self._on_delivery = on_delivery
        self._host, self._port = host, port
        self._log_file = log_file
        self._seen: set[str] = set()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="receiver", daemon=True)
        self.received: list[Received] = []
        self.url = ""

    @property
    def duplicates(self) -> list[str]:
        """Match ids that came in more than once, each time after the first."""
        return [item.match_id for item in self.received if item.is_duplicate and item.match_id]

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            raise RuntimeError(f"the receiver did not start within {START_SECONDS:g} s")
        if self._failure is not None:
            raise RuntimeError(f"the receiver can't listen on {self._host}:{self._port}: {self._failure}")
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop listening; returns when the port is free. Safe to call twice, and from another thread."""
        if self._thread.is_alive() and self._ready.is_set() and self._failure is None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(START_SECONDS)

    def wait(self) -> None:
        """Block until the receiver stops."""
        while self._thread.is_alive():
            self._thread.join(0.5)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self._failure = error
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_post("/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self._host, self._port, ssl_context=self._tls)
            await site.start()
            port = runner.addresses[0][1]
            self.url = f"https://{self._host}:{port}/hooks/fundingscout"
            self._ready.set()
            await self._stopping.wait()
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        item = self._judge(request, body)
        self.received.append(item)
        if self._log_file is not None:
            with self._log_file.open("a", encoding="utf-8") as file:
                file.write(_line(item) + "\n")
        if self._on_delivery is not None:
            # A thread: a callback may take its time, as a partner's handler should not.
            await asyncio.to_thread(self._on_delivery, item)
        if not item.is_verified:
            return web.json_response({"error": "invalid signature"}, status=401)
        return web.json_response({"ok": True, "duplicate": item.is_duplicate})

    def _judge(self, request: web.Request, body: bytes) -> Received:
        claimed = request.headers.get("X-FundingScout-Signature", "").encode("utf-8", "surrogateescape")
        is_verified = any(
            hmac.compare_digest(fundingscout_signature(secret, body).encode(), claimed) for secret in self.secrets
        )
        payload = _parse(body) if is_verified else None
        match_id = payload.get("match_id") if payload else None
        is_duplicate = isinstance(match_id, str) and match_id in self._seen
        if isinstance(match_id, str):
            self._seen.add(match_id)
        return Received(
            received_at=datetime.now(UTC),
            path=request.path,
            is_verified=is_verified,
            is_duplicate=is_duplicate,
            match_id=match_id if isinstance(match_id, str) else None,
            payload=payload,
            body=body,
            headers=dict(request.headers),
        )


def serve(
    host: str, port: int, secrets: Sequence[str], certificate: ssl.SSLContext | Path, on_delivery: OnDelivery | None = None
) -> Receiver:
    """A receiver that is listening when this returns; stop it with ``stop()``. Raises RuntimeError if it can't listen."""
    return Receiver(secrets, certificate, on_delivery, host, port).__enter__()


def throwaway_certificate(host: str, ca_file: Path) -> ssl.SSLContext:
    """A server certificate for ``host`` from an authority made for it, which is written to ``ca_file`` for senders to trust."""
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


def _load(pem: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def _parse(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _line(item: Received) -> str:
    shown = {
        "received_at": item.received_at.isoformat(),
        "path": item.path,
        "is_verified": item.is_verified,
        "is_duplicate": item.is_duplicate,
        "match_id": item.match_id,
        "payload": item.payload,
    }
    return json.dumps(shown, ensure_ascii=False)

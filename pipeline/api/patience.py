"""How long a connection is waited for, and how many are held: what uvicorn leaves open.

What belongs here: the time until a request's head is whole, the number of connections. What does not: bodies (api.bodies),
requests (api.edge). A client that sends its head byte by byte, or connects and says nothing, costs a connection for
``head_seconds`` and then no more; where connections run short, whoever has kept one waiting longest loses it, so that
clients who do send something are served all the while.
"""

from __future__ import annotations

import asyncio
import http
from contextlib import suppress
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipeline.api.json_answers import JSON, json_bytes

HEAD_SECONDS = 10.0
MOST_CONNECTIONS = 2_000


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, with a deadline for heads and a bound on connections."""

    head_seconds: ClassVar[float] = HEAD_SECONDS
    most_connections: ClassVar[int] = MOST_CONNECTIONS

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._waiting_since: float | None = None  # loop time; None while a request is under way

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there: its first head is waited for, if there is room for it."""
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > self.most_connections:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Something came; unless it made the head whole, the clock goes on."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """One answer is out; the next head is waited for as long as uvicorn keeps connections."""
        super().on_response_complete()
        self._waiting_since = self.loop.time()
        self._look(is_begun=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._stop_clock()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in the envelope of all errors."""
        self._refuse(400, "invalid_request", msg)

    def _look(self, is_begun: bool = True) -> None:
        if self.transport.is_closing():
            self._stop_clock()
        elif self.conn.their_state is not h11.IDLE:
            self._stop_clock()
            self._waiting_since = None
        elif is_begun and self._deadline is None:
            self._wait()

    def _wait(self) -> None:
        self._waiting_since = self.loop.time()
        self._deadline = self.loop.call_later(self.head_seconds, self._give_up)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._end(408, "request_timeout", f"The head of the request did not arrive within {self.head_seconds:g} seconds.")

    def _make_room(self) -> None:
        """Close the connection that has kept us waiting longest; this one, where all others are at work."""
        others = [one for one in self.connections if isinstance(one, PatientProtocol) and one._waiting_since is not None]
        longest = min(others, key=lambda one: (one is self, one._waiting_since or 0.0))
        self.connections.discard(longest)
        why = (503, "overloaded", "The service has more connections than it can handle; try again.")
        longest._refuse(*why) if longest is self else longest._end(*why)

    def _end(self, status: int, code: str, message: str) -> None:
        """Close a connection that is waited for. Who has not begun to ask is not answered either: it could be taken for the
        answer to what comes next."""
        if self.conn.trailing_data[0]:
            self._refuse(status, code, message)
        else:
            self._stop_clock()
            self.transport.close()

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._stop_clock()
        if self.transport.is_closing():
            return
        body = json_bytes({"error": {"code": code, "message": message}})
        headers = [("Content-Type", JSON), ("Content-Length", str(len(body))), ("Connection", "close")]
        # An answer may be under way already: then there is nothing to say, only to close.
        with suppress(h11.LocalProtocolError):
            head = h11.Response(status_code=status, headers=headers, reason=http.HTTPStatus(status).phrase.encode())
            for event in (head, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event))
        self.transport.close()

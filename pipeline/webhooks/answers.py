"""What may come back over a connection: one answer to each request, of bounded length, and nothing that nobody asked for.

What belongs here: how aiohttp's end of a connection is made stricter. What does not: what an answer means (webhooks.transport).
Without it a second answer on an idle connection would be read as the answer to the next request, which may never have been
read (RFC 9112, 9.2, says to close instead), and a storm of 1xx answers would keep a processor busy for the whole budget.
"""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from pipeline.webhooks.phases import note_peer

# Head and excerpt, as they come over the wire: 1xx answers and the framing of chunks included.
MAX_ANSWER_BYTES = 262_144
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_LONGEST_SEAM = 3  # an end of a head less one byte


class AnswerRefused(aiohttp.ClientError):
    """A receiver sent more than an answer may be, or something when nothing was asked."""


class StrictConnector(aiohttp.TCPConnector):
    """aiohttp's connector, whose connections are Exchanges."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._factory = partial(Exchange, asyncio.get_running_loop())  # type: ignore[assignment] # an Exchange is one


class Exchange(ResponseHandler):
    """One connection's requests and answers, in turn."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._is_waiting = False  # a request is made, and its final answer's head is not there yet
        self._received = 0
        self._seam = b""

    def set_response_params(self, **params: Any) -> None:
        """A request is about to be written. (Its answer may have let go of the connection by the time it is looked at.)"""
        note_peer(self.transport)
        self._is_waiting, self._received, self._seam = True, 0, b""
        super().set_response_params(**params)

    def feed_data(self, data: Any, size: int = 0) -> None:
        """A head is read. After 1xx the answer is still to come; 101 ends HTTP."""
        code = data[0].code
        if code >= 200 or code == 101:
            self._is_waiting = False
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        """Bytes have come. Refuses them where none may, and those beyond the bound."""
        if self.exception() is not None:
            return
        if not data:
            super().data_received(data)  # aiohttp's way to go on with what it had kept back
            return
        if not self._is_waiting and (self._payload is None or self._payload.is_eof()):
            self._refuse("bytes came that no request had asked for")
            return
        room = MAX_ANSWER_BYTES - self._received
        self._received += len(data)
        rest = self._feed_heads(data[:room]) if self._is_waiting else data[:room]
        if rest and self.exception() is None:
            super().data_received(rest)
        if len(data) > room:
            self._refuse(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
        elif self.exception() is not None:
            self._end()  # it was no HTTP

    def _feed_heads(self, data: bytes) -> bytes:
        """Feed the parser what there is of heads, up to the end of the final one; gives what comes after that.

        Apart, so that a body which is no HTTP does not take its head along: a head in time is an outcome (A-FS-6).
        """
        text = self._seam + data  # an end may lie across two pieces
        fed, begin = len(self._seam), 0
        for end in _END_OF_HEAD.finditer(text):
            super().data_received(text[fed : end.end()])
            fed = begin = end.end()
            if not self._is_waiting or self.exception() is not None:
                return text[fed:]
        if fed < len(text):
            super().data_received(text[fed:])
        self._seam = text[max(begin, len(text) - _LONGEST_SEAM) :]
        return b""

    def _refuse(self, reason: str) -> None:
        self.set_exception(AnswerRefused(reason))
        self._end()

    def _end(self) -> None:
        if self._payload is not None and not self._payload.is_eof():
            self._payload.feed_eof()  # what came of the body stands; who reads it is not made to wait for more
        if self.transport is not None:
            self.transport.abort()  # a polite end of TLS would wait for the other side

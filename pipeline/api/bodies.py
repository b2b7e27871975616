"""Reading a JSON body within bounds: of bytes, of time, of what all bodies together take.

What belongs here: from the wire to text. What does not: what the JSON means. A body is only read once the caller is known
and may call; nothing is unpacked, so nothing can grow.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from typing import Any

from fastapi import Request

from pipeline.api.context import service_of
from pipeline.api.errors import ApiError

BODY_SECONDS = 30.0
GAP_SECONDS = 5.0  # in which something more of a body must come
# So much of a body is read before room is taken for it among all bodies: who sends little, slowly, keeps nobody else out.
FREE_BYTES = 65_536


@asynccontextmanager
async def json_text(request: Request) -> AsyncIterator[str]:
    """The body's text, with room for it, if it is large, held as long as it is used. Raises ApiError:

    415 for another content type or any content encoding, 413 beyond FUNDINGSCOUT_API_MAX_BODY_BYTES, 408 for a body that
    does not come within 30 seconds or pauses for 5, 400 `invalid_json` for one that is not UTF-8, 503 while too many others
    are held.
    """
    _check_type(request)
    async with body_text(request, service_of(request).settings.api_max_body_bytes) as text:
        yield text


@asynccontextmanager
async def body_text(request: Request, most: int) -> AsyncIterator[str]:
    """As json_text, of any content type and with at most so many bytes."""
    service = service_of(request)
    announced = _announced(request, most)
    async with AsyncExitStack() as held:

        async def take_room() -> None:
            await held.enter_async_context(service.bodies.hold(most if announced is None else announced))

        body = await _read(request, most, take_room)
        try:
            # A byte order mark says nothing in UTF-8, and some clients send one.
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise invalid_json(f"it is not UTF-8 (byte {error.start})") from None
        yield text


def invalid_json(why: str) -> ApiError:
    """The body is no JSON."""
    return ApiError(400, "invalid_json", f"The request body is not valid JSON: {why}.")


def parsed_json(text: str) -> Any:
    """The JSON value of ``text``, whole numbers as Decimal, of any length. Raises ApiError (400 `invalid_json`)."""
    try:
        return json.loads(text, parse_int=Decimal, parse_float=_finite, parse_constant=_no_constant)
    except RecursionError:
        raise invalid_json("nested too deeply") from None
    except ValueError as error:
        raise invalid_json(str(error)) from None


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:40]} is beyond the numbers that can be read")
    return number


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _check_type(request: Request) -> None:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise ApiError(
            415,
            "unsupported_media_type",
            "Send the body as it is, without Content-Encoding: compressed bodies are not read.",
            {"Accept-Encoding": "identity"},
        )
    kind, _, parameters = request.headers.get("content-type", "application/json").partition(";")
    kind = kind.strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise ApiError(415, "unsupported_media_type", "Send JSON, with Content-Type: application/json.")
    for parameter in parameters.lower().split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8", "us-ascii"):
            raise ApiError(415, "unsupported_media_type", "Send JSON in UTF-8, the one encoding it has.")


def _announced(request: Request, most: int) -> int | None:
    """The body's size as its head tells it; None where it comes in chunks."""
    text = request.headers.get("content-length")
    if text is None:
        return None if "transfer-encoding" in request.headers else 0
    if not text.isdecimal() or int(text[:20]) > most:
        raise _too_large(most)
    return int(text)


async def _read(request: Request, most: int, take_room: Callable[[], Awaitable[None]]) -> bytes:
    """The body. ``take_room`` is called once, when more of it came than is free. Its waiting is no fault of the client's."""
    body = bytearray()
    chunks = request.stream()
    has_room = False
    seconds_left = BODY_SECONDS
    while True:
        started = time.monotonic()
        try:
            async with asyncio.timeout(min(GAP_SECONDS, seconds_left)):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise _too_slow() from None
        if chunk is None:
            return bytes(body)
        seconds_left -= time.monotonic() - started
        body += chunk
        if len(body) > most:
            raise _too_large(most)
        if len(body) > FREE_BYTES and not has_room:
            await take_room()
            has_room = True


def _too_slow() -> ApiError:
    message = f"The body did not arrive within {BODY_SECONDS:.0f} seconds, or nothing of it for {GAP_SECONDS:.0f}."
    return ApiError(408, "request_timeout", message, {"Connection": "close"})


def _too_large(most: int) -> ApiError:
    message = f"The request body is larger than {most:,} bytes; send fewer rows per call."
    # What is left of the body is not read: the connection is of no more use.
    return ApiError(413, "body_too_large", message, {"Connection": "close"})

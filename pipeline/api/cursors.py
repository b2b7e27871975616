"""Cursors: the place where a walk over pages goes on, with the filters it began with, as one opaque text (A-FS-10).

A cursor holds nothing secret and opens nothing: whose rows are read is settled by the key. A check sum tells a cursor
from any other text, and a whole one from one that was cut off; whoever reads this can make one, so its content is
judged as any other input is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from pipeline.api.times import instant_text, parse_instant

PREFIX = "c1_"
LONGEST = 4_096
_SUM_BYTES = 6
_CONTENT = msgspec.json.Decoder(tuple[str, str, dict[str, Any]])


class Cursor(NamedTuple):
    """``place``: the last row that was given out. ``filters``: JSON values by name, as the walk began."""

    at: datetime
    id: str
    filters: dict[str, Any]


def cursor_text(kind: str, cursor: Cursor) -> str:
    """The cursor as text of the characters A-Z, a-z, 0-9, ``-`` and ``_``. ``kind`` keeps one list's from another's."""
    content = json.dumps([instant_text(cursor.at), cursor.id, cursor.filters], separators=(",", ":")).encode()
    return sealed(kind, content)


def sealed(kind: str, content: bytes) -> str:
    """Any content with its check sum, as the text of a cursor."""
    return PREFIX + base64.urlsafe_b64encode(_sum(kind, content) + content).decode().rstrip("=")


def parse_cursor(kind: str, text: str) -> Cursor | None:
    """The cursor in ``text``; None where it is none of this kind."""
    if not text.startswith(PREFIX) or len(text) > LONGEST:
        return None
    encoded = text[len(PREFIX) :]
    try:
        whole = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    content = whole[_SUM_BYTES:]
    if whole[:_SUM_BYTES] != _sum(kind, content):
        return None
    try:
        at, row_id, filters = _CONTENT.decode(content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    instant = parse_instant(at)
    return Cursor(instant, row_id, filters) if instant and "\0" not in row_id else None


def _sum(kind: str, content: bytes) -> bytes:
    return hashlib.sha256(f"fundingscout {kind} ".encode() + content).digest()[:_SUM_BYTES]

"""Reading JSON rows without losing the text of their metadata.

What belongs here: finding where a member's value begins and ends in a JSON text. What does not: what a row means (rows).
Parsing and dumping again would reorder keys, drop duplicates and change numbers (A-FS-3), so the text is cut out as it is.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from functools import cached_property
from typing import Any

_METADATA = '"metadata"'
_ESCAPED_LETTERS = ("\\u006", "\\u007")  # a to z
_SPACE = re.compile(r"[ \t\r\n]*")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


# A number of any length is read (as Decimal); a string stays the only thing that is a str.
_DECODER = json.JSONDecoder(parse_int=Decimal, parse_constant=_no_constant)


class JsonRow(dict[str, Any]):
    """One object's members; ``source`` is the object's exact text, ``texts`` that of each member."""

    source: str

    @cached_property
    def texts(self) -> dict[str, str]:
        """The exact text of each member; of a repeated one, the last."""
        return {key: self.source[begin:end] for key, begin, end in _members(self.source, 0)[0]}

    @property
    def metadata_text(self) -> str | None:
        """The exact text of the member ``metadata``; None where it is absent or null."""
        if self.get("metadata") is None:
            return None
        return _plain_metadata(self.source) or self.texts["metadata"]


def row_of_text(text: str) -> Any:
    """The JSON value of ``text``; a JsonRow where it is an object. Raises ValueError where it is no JSON."""
    value, end = _row_at(text, _skip(text, 0))
    _expect_end(text, end)
    return value


def rows_of_member(text: str, member: str) -> list[Any] | None:
    """The rows of the array under ``member`` of the object in ``text``; None where it is no object or has no such array.

    Objects in it come as JsonRow, other values as they are. Raises ValueError where the text is no JSON. A repeated member
    counts in its last place, as JSON readers have it.
    """
    start = _skip(text, 0)
    if not text.startswith("{", start):
        row_of_text(text)  # no JSON at all is another error than no object
        return None
    rows: list[Any] | None = None
    members, end = _members(text, start)
    for key, begin, _ in members:
        if key == member:
            rows = _elements(text, begin) if text.startswith("[", begin) else None
    _expect_end(text, end)
    return rows


def _row_at(text: str, start: int) -> tuple[Any, int]:
    value, end = _value(text, start)
    if not isinstance(value, dict):
        return value, end
    row = JsonRow(value)
    row.source = text[start:end]
    return row, end


def _plain_metadata(text: str) -> str | None:
    """The metadata's text in an object that has some, found at once; None where only reading every member can tell.

    Where the name stands once, and no letter of it could stand there as an escape, it is the member's name.
    """
    at = text.find(_METADATA)
    if at < 0 or text.find(_METADATA, at + 1) >= 0 or any(escape in text for escape in _ESCAPED_LETTERS):
        return None
    begin = _expect(text, at + len(_METADATA), ":")
    _, end = _value(text, begin)
    return text[begin:end]


def _members(text: str, start: int) -> tuple[list[tuple[str, int, int]], int]:
    """(key, begin, end) of each member's value of the object at ``start``, and where the object ends."""
    members: list[tuple[str, int, int]] = []
    at = _skip(text, start + 1)
    if text.startswith("}", at):
        return members, at + 1
    while True:
        if not text.startswith('"', at):
            raise ValueError(f"expected a member's name at character {at}")
        key, at = _value(text, at)
        begin = _expect(text, at, ":")
        _, end = _value(text, begin)
        members.append((key, begin, end))
        at = _skip(text, end)
        if text.startswith("}", at):
            return members, at + 1
        at = _expect(text, at, ",")


def _elements(text: str, start: int) -> list[Any]:
    """The values of the array at ``start``."""
    values: list[Any] = []
    at = _skip(text, start + 1)
    if text.startswith("]", at):
        return values
    while True:
        value, end = _row_at(text, at)
        values.append(value)
        at = _skip(text, end)
        if text.startswith("]", at):
            return values
        at = _expect(text, at, ",")


def _value(text: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _expect(text: str, at: int, sign: str) -> int:
    at = _skip(text, at)
    if not text.startswith(sign, at):
        raise ValueError(f"expected {sign!r} at character {at}")
    return _skip(text, at + 1)


def _expect_end(text: str, at: int) -> None:
    if _skip(text, at) != len(text):
        raise ValueError(f"unexpected text after the JSON value, at character {at}")


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()

"""Answers as JSON: UTF-8, no blanks, and never a failure over what a caller sent us."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from starlette.responses import Response

JSON = "application/json"


# Beyond it Python writes no whole number (sys.int_info.default_max_str_digits is 4,300).
MOST_DIGITS = 4_000


def _whole(value: Any) -> int | str:
    """A whole number that a caller sent (bodies.parsed_json): as the number it is; of thousands of digits, as their text."""
    if not isinstance(value, Decimal) or value != value.to_integral_value():
        raise TypeError(f"{type(value).__name__} is nothing that JSON can say")
    return int(value) if value.adjusted() < MOST_DIGITS else f"{value:f}"


# Made once: making an encoder takes longer than encoding a word.
_PLAIN = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_whole)
_ESCAPED = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), allow_nan=False, default=_whole)


def json_text(value: Any) -> str:
    """``value`` as JSON. Text that has no UTF-8 (a lone surrogate, quoted back to its sender) goes as escapes.

    Raises ValueError for NaN and infinities, TypeError for what JSON can't say.
    """
    text = _PLAIN.encode(value)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return _ESCAPED.encode(value)
    return text


def json_bytes(value: Any) -> bytes:
    """``json_text`` in UTF-8."""
    return json_text(value).encode()


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer whose body is ``value``."""
    return Response(json_bytes(value), status, headers, media_type=JSON)

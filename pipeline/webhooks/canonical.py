"""The one way a body is written: the bytes that are sent are the bytes that were signed (A-X-9).

Keys sorted at every level, no blanks, UTF-8 unescaped, no NaN or infinity. Text that a partner gave us as JSON is
spliced in exactly as it came (A-FS-3): key order, big numbers, decimals and blanks included.
"""

from __future__ import annotations

import json
import json.encoder
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

# Longer texts are checked each time they are used: what is kept must stay small.
_KEPT_CHARACTERS = 2_000


class RawJson:
    """JSON text to be written as it is. Checked when made: it is one whole JSON value."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        """Raises ValueError for text that is not JSON (NaN and infinities are not)."""
        if len(text) <= _KEPT_CHARACTERS:
            _check_once(text)
        else:
            _check(text)
        self.text = text


def canonical_text(value: Any) -> str:
    """``value`` (dicts with text keys, lists, text, numbers, booleans, None, RawJson) as JSON text.

    Raises ValueError for NaN and infinities, TypeError for what JSON can't say.
    """
    parts: list[str] = []
    _write(value, parts.append, _quoted)
    text = "".join(parts)
    if _is_utf8(text):
        return text
    parts.clear()
    _write(value, parts.append, _escaped)
    return "".join(parts)


def canonical_part(value: Any) -> RawJson:
    """``value`` as text that stands in any number of bodies as it would if it were written in each."""
    part = RawJson.__new__(RawJson)
    part.text = canonical_text(value)  # nobody has to check what was written here
    return part


def canonical_word(text: str | None) -> str:
    """A text, or null, as it stands in a canonical body: for who writes a fixed shape by hand, its keys in their order."""
    return "null" if text is None else _escaped(text)


def _write(value: Any, put: Callable[[str], None], quote: Callable[[str], str]) -> None:
    if isinstance(value, str):
        put(quote(value))
    elif value is None:
        put("null")
    elif isinstance(value, RawJson):
        put(value.text)
    elif isinstance(value, (dict, Mapping)):  # both: asking an abstract class takes its time
        before = "{"
        for key in _sorted_keys(value):
            item = value[key]
            if isinstance(item, str):  # most are: one call less for each
                put(f"{before}{quote(key)}:{quote(item)}")
            else:
                put(f"{before}{quote(key)}:")
                _write(item, put, quote)
            before = ","
        put("}" if before == "," else "{}")
    elif isinstance(value, (list, tuple)):
        before = "["
        for item in value:
            put(before)
            _write(item, put, quote)
            before = ","
        put("]" if before == "," else "[]")
    elif isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is no JSON number")
        put(format(value, "f"))
    else:
        put(_ENCODER.encode(value))


def _sorted_keys(value: Mapping[Any, Any]) -> list[str]:
    try:
        "".join(value)  # the quickest way to ask whether all are text
    except TypeError:
        raise TypeError("a key that is not text") from None
    return sorted(value)


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _escaped(text: str) -> str:
    # A lone surrogate has no UTF-8, only an escape.
    return _quoted(text) if _is_utf8(text) else json.dumps(text)


def _check(text: str) -> None:
    try:
        _DECODER.decode(text)
    except RecursionError:
        raise ValueError("JSON nested too deeply") from None


@lru_cache(maxsize=1_024)
def _check_once(text: str) -> None:
    """Bodies name the same row twice or more, and many bodies the same rows. What is refused is not kept."""
    _check(text)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


# What the encoder does with text, without its call in between.
_quoted = json.encoder.encode_basestring
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
# Numbers stay text: nothing is lost, and a number of a million digits costs nothing.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse_constant)

"""Answers as JSON: UTF-8, no blanks, and never a failure over what a caller sent us."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

JSON = "application/json"


def json_bytes(value: Any) -> bytes:
    """``value`` as JSON in UTF-8. Text that has no UTF-8 (a lone surrogate, quoted back to its sender) goes as escapes.

    Raises ValueError for NaN and infinities, TypeError for what JSON can't say.
    """
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer whose body is ``value``."""
    return Response(json_bytes(value), status, headers, media_type=JSON)

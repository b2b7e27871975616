"""Instants as callers write and read them (RFC 3339)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

# A bare day means its first moment in UTC. A space before the offset is a plus that was not escaped in a query string.
_RFC_3339 = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?:[Tt ](?P<time>\d{2}:\d{2}:\d{2})(?:\.(?P<fraction>\d{1,30}))?(?P<zone>[Zz]|[+\- ]\d{2}:\d{2}))?",
    re.ASCII,
)


def parse_instant(text: str) -> datetime | None:
    """The instant that ``text`` names, in UTC and to the microsecond; None where it names none."""
    parts = _RFC_3339.fullmatch(text)
    if parts is None:
        return None
    zone = (parts["zone"] or "Z").upper().replace(" ", "+").replace("Z", "+00:00")
    fraction = (parts["fraction"] or "")[:6].ljust(6, "0")
    try:
        return datetime.fromisoformat(f"{parts['day']}T{parts['time'] or '00:00:00'}.{fraction}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def instant_text(instant: datetime) -> str:
    """``instant`` in UTC, to the microsecond, with ``Z``."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds_text(instant: datetime) -> str:
    """``instant`` in UTC, to the second, with ``Z``."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Reference ids of leads and referrals: the UTC day they were made on, and their number (SC-17, SC-59)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_REFERENCE = re.compile(r"([0-9]{8})-([1-9][0-9]{0,17})")


def reference_id(number: int, created_at: datetime) -> str:
    """``YYYYMMDD-number``."""
    return f"{created_at.astimezone(UTC):%Y%m%d}-{number}"


def number_of(reference: str) -> int | None:
    """The number in ``reference``; None where it has another form. The day is still to be compared."""
    found = _REFERENCE.fullmatch(reference)
    return int(found[2]) if found else None

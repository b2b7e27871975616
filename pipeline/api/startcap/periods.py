"""Days in query strings: ``start_date`` and ``end_date``, both inclusive, UTC (SC-50, A-SC-20)."""

from __future__ import annotations

import re
from datetime import date

from pipeline.api.startcap.answers import Failure
from pipeline.partners.referrals import Period

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def period_of(start_date: str | None, end_date: str | None) -> Period:
    """The days asked for. Raises Failure (400)."""
    period = Period(_day("start_date", start_date), _day("end_date", end_date))
    if period.start and period.end and period.start > period.end:
        raise Failure(400, "Parameter 'start_date' must not be after 'end_date'")
    return period


def _day(name: str, text: str | None) -> date | None:
    if not text:
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Failure(400, f"Parameter '{name}' must be a date in YYYY-MM-DD format")

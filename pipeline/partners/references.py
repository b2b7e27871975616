"""Reference ids of leads and referrals: the UTC day they were made on, and their number (SC-17, SC-59)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from pipeline.store.tables.partners import Referral

_REFERENCE = re.compile(r"([0-9]{8})-([1-9][0-9]{0,17})")


def reference_id(number: int, created_at: datetime) -> str:
    """``YYYYMMDD-number``."""
    return f"{created_at.astimezone(UTC):%Y%m%d}-{number}"


def number_of(reference: str) -> int | None:
    """The number in ``reference``; None where it has another form. The day is still to be compared."""
    found = _REFERENCE.fullmatch(reference)
    return int(found[2]) if found else None


def find_by_reference(session: Session, reference: str) -> Referral | None:
    """The lead or referral that ``reference`` names, whoever's it is; its day must be right too."""
    number = number_of(reference)
    row = session.get(Referral, number) if number is not None else None
    return row if row is not None and reference_id(row.id, row.created_at) == reference else None

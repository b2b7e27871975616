"""Are two rounds one and the same in the real world, though they have two ids? (A-FS-24)

A last guard before a partner is told, not the place where rounds are merged (signals). A pure rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

WINDOW = timedelta(days=14)
AMOUNT_TOLERANCE = 0.20
# Types that name a stage exclude each other; others ("growth", "strategic", "private") describe any stage.
_STAGE = re.compile(r"(?:pre-)?(?:seed|series-[a-z][0-9]*\+?)")


@dataclass(frozen=True, slots=True)
class LogicalRound:
    """What tells one real round of a company from its next."""

    company_key: str
    day: date
    funding_type: str | None
    amount_usd: int | None


def is_same_round(one: LogicalRound, other: LogicalRound) -> bool:
    """Same company, at most 14 days apart, types that agree, amounts within 20 % of the larger (or unknown). Symmetric."""
    return (
        one.company_key == other.company_key != ""
        and abs(one.day - other.day) <= WINDOW
        and _types_agree(one.funding_type, other.funding_type)
        and _amounts_agree(one.amount_usd, other.amount_usd)
    )


def _types_agree(one: str | None, other: str | None) -> bool:
    both_are_stages = bool(one and other and _STAGE.fullmatch(one) and _STAGE.fullmatch(other))
    return not both_are_stages or one == other


def _amounts_agree(one: int | None, other: int | None) -> bool:
    if not one or not other:
        return True
    return abs(one - other) <= AMOUNT_TOLERANCE * max(one, other)

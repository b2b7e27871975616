"""What the match engine finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class MatchType(StrEnum):
    """The three paths, in order of precedence (FSV-9)."""

    ACCOUNT_DOMAIN = "account_domain"
    EMAIL_DOMAIN = "email_domain"
    ACCOUNT_NAME = "account_name"


@dataclass(frozen=True, slots=True)
class FoundMatch:
    """The one match of an organization with a round, and all rows that matched (A-FS-4).

    ``score`` is in 0..1. ``rule`` names how the two values agreed; ``crm_value`` and ``round_value`` are the values
    compared. ``all_matches`` lists every matched row, best first, as dicts with match_type, account_external_id,
    contact_external_id, score, rule, crm_value, round_value; its first item is this match.
    """

    organization_id: str
    round_id: str
    match_type: MatchType
    account_external_id: str | None
    contact_external_id: str | None
    score: float
    rule: str
    crm_value: str
    round_value: str
    matcher_version: str
    all_matches: list[dict[str, Any]] = field(default_factory=list)

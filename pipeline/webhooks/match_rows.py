"""Matches and their deliveries as rows, and back. Ids follow from organization and round: the same match, the same id."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Protocol
from uuid import UUID, uuid5

from pipeline.matching.model import FoundMatch, MatchType
from pipeline.store.tables.matches import Match, Round
from pipeline.webhooks.fundingscout import EVENT_TYPE, PROFILE_NAME
from pipeline.webhooks.logical_rounds import LogicalRound

NAMESPACE = UUID("c3a0a3a5-94f5-4f3e-8f38-2f4f7d5f0a11")


def match_id(organization_id: str, round_id: str) -> str:
    """The id of the one match of an organization with a round."""
    return str(uuid5(NAMESPACE, f"{organization_id}:{round_id}"))


def dedupe_key(organization_id: str, round_id: str) -> str:
    """What makes a delivery the same delivery, whichever way it came about."""
    return f"{PROFILE_NAME}:{organization_id}:{round_id}"


class Dated(Protocol):
    """A round, or what of it tells it from the company's next."""

    @property
    def published_date(self) -> str | None: ...
    @property
    def first_seen_at(self) -> datetime: ...
    @property
    def company_key(self) -> str: ...
    @property
    def funding_type(self) -> str | None: ...
    @property
    def amount_usd(self) -> int | None: ...


def logical_round(of: Round | Dated) -> LogicalRound:
    """What tells the round from the company's next. Its day: as published, else when it was first seen (UTC)."""
    day = date.fromisoformat(of.published_date) if of.published_date else of.first_seen_at.astimezone(UTC).date()
    return LogicalRound(of.company_key, day, of.funding_type, of.amount_usd)


def match_row(found: FoundMatch, logical: LogicalRound, origin: str, now: datetime) -> dict[str, Any]:
    """The row of table matches."""
    return {
        "id": match_id(found.organization_id, found.round_id),
        "organization_id": found.organization_id,
        "round_id": found.round_id,
        "company_key": logical.company_key,
        "round_date": logical.day.isoformat(),
        "match_type": str(found.match_type),
        "account_external_id": found.account_external_id,
        "contact_external_id": found.contact_external_id,
        "score": found.score,
        "explanation": {
            "rule": found.rule,
            "crm_value": found.crm_value,
            "round_value": found.round_value,
            "matcher_version": found.matcher_version,
        },
        "all_matches": found.all_matches,
        "origin": origin,
        "created_at": now,
    }


def delivery_row(found: FoundMatch, status: str, now: datetime, endpoint_id: str | None) -> dict[str, Any]:
    """The row of table deliveries that a match leads to."""
    key = dedupe_key(found.organization_id, found.round_id)
    return {
        "id": str(uuid5(NAMESPACE, key)),
        "dedupe_key": key,
        "organization_id": found.organization_id,
        "profile": PROFILE_NAME,
        "event_type": EVENT_TYPE,
        "endpoint_id": endpoint_id,
        "match_id": match_id(found.organization_id, found.round_id),
        "status": status,
        "attempts": 0,
        "created_at": now,
        "finished_at": now if status == "no_webhook" else None,
    }


def found_match(row: Match) -> FoundMatch:
    """The match as it was recorded."""
    why = row.explanation
    return FoundMatch(
        organization_id=row.organization_id,
        round_id=row.round_id,
        match_type=MatchType(row.match_type),
        account_external_id=row.account_external_id,
        contact_external_id=row.contact_external_id,
        score=row.score,
        rule=why["rule"],
        crm_value=why["crm_value"],
        round_value=why["round_value"],
        matcher_version=why["matcher_version"],
        all_matches=row.all_matches,
    )

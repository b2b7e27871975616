"""What a delivery profile is: how one face of the product says what happened.

A profile is data plus two functions, body and headers. What belongs here: the shape, and what a profile is given to
work with. What does not: any face's own (webhooks.fundingscout), storing, sending.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from pipeline.webhooks.canonical import RawJson
from pipeline.webhooks.waiting import Endpoint, Waiting

Chosen = list[tuple[Waiting, Endpoint]]


@dataclass(frozen=True, slots=True)
class CrmMetadata:
    """Metadata texts of CRM rows, by external id, as they are at the claim. A deleted row has none."""

    accounts: Mapping[str, str | None] = field(default_factory=dict)
    contacts: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """One match, with all that a body may say about it. ``all_matches`` as in matching.model.FoundMatch.

    ``written``: what a profile has written of this round already; all events of the round as it is share it.
    """

    match_id: str
    match_type: str
    account_external_id: str | None
    contact_external_id: str | None
    all_matches: list[dict[str, Any]]
    round: dict[str, Any]
    metadata: CrmMetadata
    occurred_at: datetime
    written: dict[str, RawJson] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profile:
    """How deliveries of one face look. ``body`` makes the canonical text; ``headers`` signs it.

    ``headers`` takes (secrets, newest first; message id, Unix seconds of the attempt, body bytes). ``test_body`` takes
    (message id, the present instant). ``allows_second_send``: whether somebody may ask for one though the endpoint's owner
    has not opted into replays; sending again by itself is never the profile's, always the owner's decision.
    """

    name: str
    event_type: str
    url_schemes: tuple[str, ...]
    allows_second_send: bool
    body: Callable[[Event], str]
    headers: Callable[[Sequence[str], str, int, bytes], dict[str, str]]
    test_body: Callable[[str, datetime], str]
    # What a send takes, where sends cost (webhooks.credits): of those that may go, those that do and how many were set aside;
    # and, after outcomes are written, what is to be counted of them. Both within the ledger's own transaction.
    admit: Callable[[Session, Chosen, datetime], tuple[Chosen, int]] | None = None
    settled: Callable[[Session, datetime], object] | None = None

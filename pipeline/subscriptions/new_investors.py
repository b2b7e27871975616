"""`investor.created`: an investor that no round named before becomes a signal of its own, once (A-SB-38).

Its id follows from its name's normal form, so backfills, corrections and other spellings of the name lead to the same row, which is
told once or, if it was first met while nobody was told, never. What belongs here: which investors are new. What does not: which
rounds there are (subscriptions.publishing).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid5

from sqlalchemy import select

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.subscriptions import Signal
from pipeline.subscriptions import payloads
from pipeline.subscriptions.model import EventType
from pipeline.subscriptions.signals import PublishedSignal, PublishReport, publish_signals

AT_ONCE = 500


def publish_new_investors(db: AppDatabase, rounds: Sequence[PublishedSignal], now: datetime) -> PublishReport:
    """Publish the investors that these rounds, in their order, are the first to name. A round that tells nobody tells of none."""
    named: dict[str, PublishedSignal] = {}
    for funding in rounds:
        for investor in funding.data["fundingRound"]["investors"] if funding.is_active else ():
            made = investor_signal(investor, funding)
            if made.id not in named or (made.tells and not named[made.id].tells):
                named[made.id] = made
    known = _known(db, sorted(named))
    return publish_signals(db, [made for made in named.values() if made.id not in known], now)


def investor_signal(investor: dict[str, Any], funding: PublishedSignal) -> PublishedSignal:
    """An investor as ``funding`` names it. For filters its name stands where a company's would, and its type as the industry."""
    name, kind = investor["name"], investor["type"]
    of_investor = payloads.investor_id(name)
    signal_id = str(uuid5(payloads.NAMESPACE, f"{EventType.INVESTOR}:{of_investor}"))
    return PublishedSignal(
        id=signal_id,
        event_type=EventType.INVESTOR,
        external_id=f"inv_{signal_id.replace('-', '')[:16]}",
        logical_key=of_investor,
        is_active=True,
        tells=funding.tells,
        occurred_at=funding.discovered_at,
        discovered_at=funding.discovered_at,
        company_id=None,
        company_name=name,
        industry=kind,
        categories=[],
        country=None,
        employee_count=None,
        round_type=None,
        round_flavor=None,
        amount=None,
        currency=None,
        confidence=funding.confidence,
        data={"investor": payloads.investor_block(name, kind, funding.discovered_at)},
    )


def _known(db: AppDatabase, ids: Sequence[str]) -> set[str]:
    with db.read() as session:
        return {
            found
            for start in range(0, len(ids), AT_ONCE)
            for found in session.scalars(select(Signal.id).where(Signal.id.in_(ids[start : start + AT_ONCE])))
        }

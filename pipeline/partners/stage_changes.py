"""What consecutive snapshots change: compared line by line with the day before, the first of a batch with what is stored."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pipeline.organizations.secrets import SecretBox
from pipeline.partners.earnings import FundedLead, Plans, earn
from pipeline.partners.events import NewEvent, tell
from pipeline.partners.persons import unseal
from pipeline.partners.references import reference_id
from pipeline.partners.referrals import status_data
from pipeline.partners.snapshot_file import Line, cents_of, read_lines
from pipeline.partners.stages import FUNDED, TRAFFIC, coarse_status, is_reachable, is_step
from pipeline.store.app_database import AppDatabase
from pipeline.store.partner_models import Referral, ReferralChange
from pipeline.webhooks.startcap import STATUS_CHANGED

CHUNK = 500


@dataclass(slots=True)
class Applied:
    """What snapshots changed. ``flagged``: changes that no step of the pipeline leads to. ``unknown``: leads that are not ours."""

    changes: int = 0
    flagged: int = 0
    funded: int = 0
    unknown: int = 0
    deliveries: int = 0

    def add(self, other: Applied) -> None:
        """Count another batch in."""
        self.changes += other.changes
        self.flagged += other.flagged
        self.funded += other.funded
        self.unknown += other.unknown
        self.deliveries += other.deliveries


@dataclass(slots=True)
class _State:
    number: int
    reference_id: str
    partner_id: int
    person: bytes | None
    status: str
    stage: str | None
    cents: int | None
    quotes: list[dict[str, Any]]
    commissioned_at: datetime | None
    changes: int
    is_touched: bool = False


class Days:
    """Days applied one after the other in one transaction, written at its end."""

    def __init__(self, db: AppDatabase, session: Session, box: SecretBox, now: datetime) -> None:
        self._db, self._session, self._box, self._now = db, session, box, now
        self._states: dict[int, _State | None] = {}
        self._before: set[str] = set()
        self._rows: list[dict[str, Any]] = []
        self._events: list[NewEvent] = []
        self._plans: Plans | None = None
        self._applied = Applied()

    def apply(self, day: date, content: str, last: date | None) -> None:
        """One day's snapshot. ``last``: the day applied before it."""
        lines = set(content.splitlines())
        fresh = read_lines(sorted(lines - self._before))
        self._before = lines
        self._load(fresh.keys() - self._states.keys())
        is_gap = last is None or day - last > timedelta(days=1)
        funded: list[FundedLead] = []
        for number, line in sorted(fresh.items()):
            state = self._states[number]
            if state is None or state.reference_id != line.reference_id:
                self._applied.unknown += 1
                continue
            self._apply(state, line, day, is_gap)
            if state.status == FUNDED and state.cents is not None and state.commissioned_at is None:
                state.commissioned_at = self._now
                state.is_touched = True
                email = unseal(self._box, state.person).get("email")
                funded.append(FundedLead(state.number, state.reference_id, state.partner_id, state.cents, email))
        if funded:
            self._plans = self._plans or Plans(self._session)
            self._applied.funded += len(funded)
            self._events += earn(self._db, self._session, self._plans, funded, self._now)

    def write(self) -> Applied:
        """Everything that changed, and what is told of it."""
        for start in range(0, len(self._rows), CHUNK):
            self._session.execute(self._db.insert(ReferralChange), self._rows[start : start + CHUNK])
        touched = [state for state in self._states.values() if state is not None and state.is_touched]
        if touched:
            self._session.execute(update(Referral), [self._values(state) for state in touched])
        self._applied.deliveries = tell(self._db, self._session, self._events, self._now)
        return self._applied

    def _apply(self, state: _State, line: Line, day: date, is_gap: bool) -> None:
        quotes = state.quotes if line.quotes is None else [_quote(quote) for quote in line.quotes]
        cents = state.cents if line.funded_amount is None else cents_of(line.funded_amount)
        stage = line.application_status or state.stage
        if (stage, cents, quotes) == (state.stage, state.cents, state.quotes):
            return
        state.is_touched = True
        state.quotes = quotes
        if state.commissioned_at is None:
            state.cents = cents  # what was earned of stays as it was
        old_stage, old_status = state.stage, state.status
        state.stage = stage
        if stage is None or stage == (old_stage or old_status):
            return
        state.status = coarse_status(stage)
        state.changes += 1
        known = old_stage or _stage_of(old_status)
        is_flagged = not (is_step(known, stage) or (is_gap and is_reachable(known, stage)))
        self._applied.changes += 1
        self._applied.flagged += is_flagged
        self._rows.append(
            {
                "referral_id": state.number,
                "number": state.changes,
                "old_status": old_status,
                "new_status": state.status,
                "old_application_status": old_stage,
                "new_application_status": stage,
                "snapshot_day": day.isoformat(),
                "is_flagged": is_flagged,
                "changed_at": self._now,
            }
        )
        self._events.append(self._told(state, old_status, state.status, old_stage, stage))

    def _told(self, state: _State, old_status: str, status: str, old_stage: str | None, stage: str) -> NewEvent:
        def data() -> dict[str, Any]:
            email = unseal(self._box, state.person).get("email")
            return status_data(state.reference_id, old_status, status, old_stage, stage, email)

        return NewEvent(state.partner_id, STATUS_CHANGED, f"lead:{state.number}:{state.changes}", data, state.number)

    def _values(self, state: _State) -> dict[str, Any]:
        return {
            "id": state.number,
            "status": state.status,
            "application_status": state.stage,
            "funded_cents": state.cents,
            "quotes": state.quotes,
            "commissioned_at": state.commissioned_at,
            "updated_at": self._now,
        }

    def _load(self, numbers: Collection[int]) -> None:
        self._states.update(dict.fromkeys(numbers))
        for some in _chunks(sorted(numbers)):
            counted = select(ReferralChange.referral_id, func.max(ReferralChange.number))
            counted = counted.where(ReferralChange.referral_id.in_(some)).group_by(ReferralChange.referral_id)
            changes = {row[0]: row[1] for row in self._session.execute(counted)}
            query = select(Referral).where(Referral.id.in_(some)).with_for_update()
            for row in self._session.scalars(query):
                self._states[row.id] = _State(
                    row.id,
                    reference_id(row.id, row.created_at),
                    row.partner_id,
                    row.person_encrypted if row.referral_type != TRAFFIC else None,  # partners aren't told who it was (SC-65)
                    row.status,
                    row.application_status,
                    row.funded_cents,
                    list(row.quotes),
                    row.commissioned_at,
                    changes.get(row.id, 0),
                )
                self._session.expunge(row)


def _stage_of(status: str) -> str:
    """The stage of a referral that no application is linked to."""
    return "in_underwriting" if status == "application" else status


def _quote(quote: Any) -> dict[str, Any]:
    return {
        "quote_type": quote.quote_type,
        "amount": None if quote.amount is None else float(quote.amount),
        "status": quote.status,
        "quote_group_status": quote.quote_group_status,
    }


def _chunks(numbers: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(numbers), CHUNK):
        yield numbers[start : start + CHUNK]

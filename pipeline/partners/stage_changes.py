"""What consecutive snapshots change: lines that the day before did not have, compared with what is stored of their leads."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Text, case, cast, func, select
from sqlalchemy.orm import Session

from pipeline.organizations.secrets import SecretBox
from pipeline.partners.earnings import FundedLead, earn
from pipeline.partners.events import NewEvent, tell
from pipeline.partners.persons import unseal
from pipeline.partners.plans import Plans
from pipeline.partners.references import reference_id
from pipeline.partners.referrals import status_data
from pipeline.partners.snapshot_file import Line, cents_of, lines_of, read_lines
from pipeline.partners.stages import FUNDED, TRAFFIC, coarse_status, is_reachable, is_step
from pipeline.store.bulk import insert_rows, is_one_of, update_rows
from pipeline.store.tables.partners import Referral, ReferralChange
from pipeline.webhooks.startcap import STATUS_CHANGED

CHANGE = (
    "referral_id", "number", "old_status", "new_status", "old_application_status", "new_application_status", "snapshot_day",
    "is_flagged", "changed_at",
)  # fmt: skip
STATE = ("id", "status", "application_status", "funded_cents", "commissioned_at", "updated_at")
QUOTES = ("id", "quotes", "updated_at")


@dataclass(slots=True)
class Applied:
    """What snapshots changed. ``flagged``: changes that no step of the pipeline leads to.

    ``unknown``: leads that snapshots speak of and that are not here, batch by batch.
    """

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
    changes: int
    partner_id: int
    person: bytes | None
    status: str
    stage: str | None
    cents: int | None
    commissioned_at: datetime | None
    quotes: str  # JSON text: most are never read
    is_touched: bool = False
    new_quotes: list[dict[str, Any]] | None = None
    email: str | None = None
    is_opened: bool = False

    def email_of(self, box: SecretBox) -> str | None:
        """The lead's address. Opening what is sealed takes longer than all else about a change, so it is done once."""
        if not self.is_opened:
            self.email, self.is_opened = unseal(box, self.person).get("email"), True
        return self.email


class Days:
    """Days in a row, applied in one transaction. ``before``: what the day before them says."""

    def __init__(self, session: Session, box: SecretBox, now: datetime, before: str) -> None:
        self._session, self._box, self._now = session, box, now
        self._before = set(lines_of(before))
        self._days: list[tuple[date, bool, dict[int, Line]]] = []
        self._states: dict[int, _State] = {}
        self._rows: list[tuple[Any, ...]] = []
        self._events: list[NewEvent] = []
        self._applied = Applied()

    def add(self, day: date, content: str, last: date | None) -> None:
        """The next day's snapshot. ``last``: the day before it, of those that are there."""
        lines = set(lines_of(content))
        self._days.append((day, last is None or day - last > timedelta(days=1), read_lines(lines - self._before)))
        self._before = lines

    def apply(self) -> Applied:
        """Write what the days change, and tell it."""
        self._load(set().union(*(lines for _, _, lines in self._days)))
        plans = Plans(self._session, self._now)
        unknown: set[str] = set()
        for day, is_gap, lines in self._days:
            funded: list[FundedLead] = []
            for number, line in sorted(lines.items()):
                state = self._states.get(number)
                if state is None or state.reference_id != line.reference_id:
                    unknown.add(line.reference_id)
                    continue
                self._apply(state, line, day, is_gap)
                if state.status == FUNDED and state.cents and state.commissioned_at is None:
                    funded.append(self._earning(state))
            self._events += earn(self._session, plans, funded, self._now)
            self._applied.funded += len(funded)
        self._write()
        self._look_again_at(unknown)
        return self._applied

    def text(self) -> str:
        """What the next day is to be compared with."""
        return "\n".join(sorted(self._before))

    def _write(self) -> None:
        insert_rows(self._session, ReferralChange, CHANGE, self._rows)
        touched = [state for state in self._states.values() if state.is_touched]
        update_rows(self._session, Referral, STATE, [self._values(state) for state in touched])
        quoted = [state for state in self._states.values() if state.new_quotes is not None]
        update_rows(self._session, Referral, QUOTES, [(state.number, state.new_quotes, self._now) for state in quoted])
        self._applied.deliveries = tell(self._session, self._events, self._now)

    def _earning(self, state: _State) -> FundedLead:
        state.commissioned_at, state.is_touched = self._now, True
        email = partial(state.email_of, self._box)
        return FundedLead(state.number, state.reference_id, state.partner_id, state.cents or 0, email)

    def _look_again_at(self, unknown: Collection[str]) -> None:
        """Lines about leads that are not here are to be new to the next batch too: by then the lead may be."""
        self._applied.unknown = len(unknown)
        if unknown:
            self._before = {text for text in self._before if _reference_of(text) not in unknown}

    def _apply(self, state: _State, line: Line, day: date, is_gap: bool) -> None:
        if line.quotes is not None:
            self._quote(state, [_quote(quote) for quote in line.quotes])
        cents = state.cents if line.funded_amount is None else cents_of(line.funded_amount)
        stage = line.application_status or state.stage
        if (stage, cents) == (state.stage, state.cents):
            return
        state.is_touched = True
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
            (state.number, state.changes, old_status, state.status, old_stage, stage, day.isoformat(), is_flagged, self._now)
        )
        self._events.append(self._told(state, old_status, state.status, old_stage, stage))

    def _told(self, state: _State, old_status: str, status: str, old_stage: str | None, stage: str) -> NewEvent:
        data = partial(self._data, state, old_status, status, old_stage, stage)
        return NewEvent(state.partner_id, STATUS_CHANGED, f"lead:{state.number}:{state.changes}", data, state.number)

    def _data(self, state: _State, old_status: str, status: str, old_stage: str | None, stage: str) -> dict[str, Any]:
        return status_data(state.reference_id, old_status, status, old_stage, stage, state.email_of(self._box))

    def _quote(self, state: _State, quotes: list[dict[str, Any]]) -> None:
        if quotes != (json.loads(state.quotes) if state.new_quotes is None else state.new_quotes):
            state.new_quotes = quotes

    def _values(self, state: _State) -> tuple[Any, ...]:
        return (state.number, state.status, state.stage, state.cents, state.commissioned_at, self._now)

    def _load(self, numbers: Collection[int]) -> None:
        of, change = Referral.__table__.c, ReferralChange.__table__.c
        person = case((of.referral_type != TRAFFIC, of.person_encrypted))  # of traffic, partners aren't told who it was (SC-65)
        query = select(
            of.id, of.created_at, of.partner_id, person, of.status, of.application_status, of.funded_cents, of.commissioned_at,
            cast(of.quotes, Text),
        ).where(is_one_of(self._session, of.id, numbers)).order_by(of.id).with_for_update()  # fmt: skip
        rows: list[Any] = list(self._session.execute(query))
        highest = select(change.referral_id, func.max(change.number)).group_by(change.referral_id)
        found = self._session.execute(highest.where(is_one_of(self._session, change.referral_id, numbers)))
        changes: dict[int, int] = {row[0]: row[1] for row in found}
        for row in rows:
            number, created_at, *others = row
            self._states[number] = _State(number, reference_id(number, created_at), changes.get(number, 0), *others)


def _reference_of(line: str) -> str:
    (found,) = read_lines([line]).values()
    return found.reference_id


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

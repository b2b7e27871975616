"""Leads and referrals: taken in, found, listed, erased (SC-41, SC-42, SC-49 to SC-59, SC-63 to SC-66).

What belongs here: rows, and what partners see of them. What does not: whether a lead is usable (partners.validation), stages that
change (partners.snapshots), envelopes (api).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import aliased

from pipeline.organizations.secrets import SecretBox
from pipeline.partners.accounts import Partner
from pipeline.partners.clicks import find_click
from pipeline.partners.events import NewEvent, forget_person, tell
from pipeline.partners.persons import seal, unseal
from pipeline.partners.references import find_by_reference, reference_id
from pipeline.partners.stages import API_LEAD, CLICK, COARSE, FUNDED, LEAD, MANUAL_LEAD, TRAFFIC
from pipeline.partners.validation import ADDRESS_LABELS, UTM_FIELDS
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.partners import Referral, ReferralChange
from pipeline.webhooks.startcap import STATUS_CHANGED

PARTNER_TYPES = (API_LEAD, MANUAL_LEAD)


class ReferralUnknown(LookupError):
    """The partner has no such lead or referral."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A lead or referral as its partner may see it. ``fields``: of the person, as far as they may be told."""

    reference_id: str
    referral_type: str
    fields: dict[str, str]
    status: str
    application_status: str | None
    created_at: datetime
    updated_at: datetime
    quotes: tuple[dict[str, Any], ...]

    @property
    def effective_status(self) -> str:
        """The stage; before an application is linked, the coarse status (SC-54)."""
        return self.application_status or self.status


@dataclass(frozen=True, slots=True)
class Period:
    """Days of creation, UTC, both ends inclusive (A-SC-20); None: open."""

    start: date | None = None
    end: date | None = None


def submit_lead(
    db: AppDatabase,
    box: SecretBox,
    partner: Partner,
    lead: Mapping[str, str],
    now: datetime,
    *,
    referral_type: str = API_LEAD,
    idempotency_key: str | None = None,
    click: object = None,
) -> tuple[int, str]:
    """Take in a lead that is valid; gives its number and reference id. The partner's webhooks are told (SC-80).

    With an ``idempotency_key`` that the partner used before, the lead of then is given, and nothing is done (A-SC-33).
    ``click``: the reference id of the click it came of. The lead then stands for that click, and has its UTM values unless it
    has some of its own. A click that is none of the partner's, or too old, costs no lead: it is passed over.
    """
    row: dict[str, Any] = {
        "organization_id": partner.organization_id,
        "partner_id": partner.id,
        "referral_type": referral_type,
        "person_encrypted": seal(box, lead),
        "funding_type": lead.get("funding_type"),
        "utm": {name: lead[name] for name in UTM_FIELDS if name in lead},
        "idempotency_key": idempotency_key,
        "status": LEAD,
        "quotes": [],
        "created_at": now,
        "updated_at": now,
    }
    with db.write() as session:
        came_of = find_click(session, partner.id, click, now) if isinstance(click, str) else None
        if came_of is not None:
            row |= {"click_id": came_of.id, "utm": row["utm"] or came_of.utm}
        number = session.execute(db.insert(Referral).values(row).on_conflict_do_nothing().returning(Referral.id)).scalar()
        if number is None:
            before = select(Referral).where(Referral.partner_id == partner.id, Referral.idempotency_key == idempotency_key)
            known = session.scalars(before).one()
            return known.id, reference_id(known.id, known.created_at)
        session.add(ReferralChange(referral_id=number, number=1, new_status=LEAD, is_flagged=False, changed_at=now))
        reference = reference_id(number, now)
        names = {} if referral_type == TRAFFIC else lead
        told = {name: names[name] for name in ("first_name", "last_name") if name in names}
        data = status_data(reference, None, LEAD, None, None, names.get("email"), told)
        tell(session, [NewEvent(partner.id, STATUS_CHANGED, f"lead:{number}:1", data, number)], now)
        return number, reference


def status_data(
    reference: str,
    old_status: str | None,
    new_status: str,
    old_stage: str | None,
    new_stage: str | None,
    email: str | None,
    more: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The data of ``lead.status_changed`` (SC-80); an e-mail address that is not known is left out (SC-85)."""
    details: dict[str, Any] = {"reference_id": reference, "status": new_status, "application_status": new_stage}
    if email:
        details["email"] = email
    return {
        "lead_reference_id": reference,
        "old_status": old_status,
        "new_status": new_status,
        "old_application_status": old_stage,
        "new_application_status": new_stage,
        "lead_details": details | dict(more or {}),
    }


def list_leads(
    db: AppDatabase,
    box: SecretBox,
    partner_id: int,
    period: Period = Period(),
    status: str | None = None,
    limit: int | None = None,
    after: int | None = None,
) -> list[Shown]:
    """The leads that the partner submitted, newest first; with ``limit``, so many behind the number ``after``."""
    query = select(Referral).where(Referral.partner_id == partner_id, *_in_period(period))
    query = query.where(Referral.referral_type.in_(PARTNER_TYPES))
    if status is not None:
        query = query.where(Referral.status == status)
    if after is not None:
        query = query.where(Referral.id < after)
    with db.read() as session:
        rows = list(session.scalars(query.order_by(Referral.id.desc()).limit(limit)))
    return [shown(box, row) for row in rows]


def get_lead(db: AppDatabase, box: SecretBox, partner_id: int, reference: str) -> Shown:
    """One lead that the partner submitted. Raises ReferralUnknown."""
    found = get_referral(db, box, partner_id, reference)
    if found.referral_type not in PARTNER_TYPES:
        raise ReferralUnknown(reference)
    return found


def get_referral(db: AppDatabase, box: SecretBox, partner_id: int, reference: str) -> Shown:
    """One lead or click of the partner. Raises ReferralUnknown."""
    with db.read() as session:
        row = find_by_reference(session, reference)
    if row is None or row.partner_id != partner_id:
        raise ReferralUnknown(reference)
    return shown(box, row)


def count_by_status(db: AppDatabase, partner_id: int, period: Period = Period()) -> dict[str, int]:
    """How many referrals are in each coarse status now (A-SC-23). A click that led to a lead is counted as that lead."""
    query = select(Referral.status, func.count()).where(
        Referral.partner_id == partner_id, counts(partner_id), *_in_period(period)
    )
    with db.read() as session:
        found = {row[0]: row[1] for row in session.execute(query.group_by(Referral.status))}
    return {status: found.get(status, 0) for status in COARSE}


def counts(partner_id: int | None = None) -> ColumnElement[bool]:
    """Does a referral count? All do, but for clicks that a lead stands for: a visitor who became a lead is one referral.

    ``partner_id``: whose referrals are asked for, so that nobody else's are read; a lead's click is its own partner's.
    """
    lead = aliased(Referral)
    stood_for = select(lead.click_id).where(lead.click_id.is_not(None))
    if partner_id is not None:
        stood_for = stood_for.where(lead.partner_id == partner_id)
    return or_(Referral.status != CLICK, Referral.id.not_in(stood_for))


def conversion_rate(by_status: Mapping[str, int]) -> float:
    """What share of all referrals is funded, to three decimals; 0 of none (SC-69, A-SC-24)."""
    total = sum(by_status.values())
    return round(by_status[FUNDED] / total, 3) if total else 0.0


def erase(db: AppDatabase, reference: str, now: datetime) -> int:
    """Forget the person of a lead: fields, attribution, bodies of webhooks; their bytes, too. Status, amounts and counts stay.

    Gives how many deliveries were rewritten; the same again does nothing. Raises ReferralUnknown.
    """
    with db.write() as session:
        row = find_by_reference(session, reference)
        if row is None:
            raise ReferralUnknown(f"there is no lead or referral {reference!r}")
        row.person_encrypted, row.utm, row.visitor_hash, row.idempotency_key = None, {}, None, None
        row.erased_at = row.erased_at or now
        if row.click_id is not None:
            click = session.get_one(Referral, row.click_id)
            click.visitor_hash, click.utm = None, {}  # newsletters write addresses into UTM values
        rewritten = forget_person(session, row.id)
    db.forget_log()
    return rewritten


def shown(box: SecretBox, row: Referral) -> Shown:
    """A row as its partner may see it: of traffic, a first name and an initial alone (SC-64, SC-65)."""
    person = unseal(box, row.person_encrypted)
    fields = {"first_name": person.get("first_name", ""), "last_name": person.get("last_name", "")}
    if row.referral_type == TRAFFIC:
        fields["last_name"] = f"{fields['last_name'][0].upper()}." if fields["last_name"] else ""
    else:
        fields |= {"email": person.get("email", ""), "phone": person.get("phone", "")}
        fields |= {name: person[name] for name in ADDRESS_LABELS if name in person}
    fields["company_name"] = person.get("company_name", "")
    return Shown(
        reference_id(row.id, row.created_at),
        row.referral_type,
        fields,
        row.status,
        row.application_status,
        row.created_at,
        row.updated_at,
        tuple(row.quotes),
    )


def _in_period(period: Period) -> list[ColumnElement[bool]]:
    bounds = []
    if period.start is not None:
        bounds.append(Referral.created_at >= _midnight(period.start))
    if period.end is not None and period.end < date.max:
        bounds.append(Referral.created_at < _midnight(period.end + timedelta(days=1)))
    return bounds


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)

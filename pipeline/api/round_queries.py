"""Published rounds, as the faces ask for them: a page of a filtered list, one, companies by name, and a CEO contact.

Reads table ``rounds`` alone, which the pipeline fills. Rounds are thousands, not millions: filters inside the stored body
are read row by row, newest first, until the page is full.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, not_, or_, select, tuple_
from sqlalchemy.orm import Session

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.matches import Round
from pipeline.store.tables.organizations import ContactReveal
from pipeline.store.types import UtcDateTime
from pipeline.webhooks.ended_rounds import ACTIVE, RETRACTED
from pipeline.webhooks.fundingscout import funding_round

CONTACT_FIELDS = ("ceo_name", "ceo_email", "ceo_linkedin_url")
# A name alone is no way to reach somebody.
WAYS = ("ceo_email", "ceo_linkedin_url")


@dataclass(frozen=True, slots=True)
class RoundFilter:
    """What rounds are asked for; an empty field asks for nothing. Amounts in whole US dollars, days as YYYY-MM-DD."""

    funding_types: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    min_amount: int | None = None
    max_amount: int | None = None
    published_after: str | None = None
    published_before: str | None = None
    has_ceo_contact: bool | None = None


def list_rounds(
    db: AppDatabase, wanted: RoundFilter, limit: int, after: tuple[datetime, str] | None = None
) -> tuple[list[Round], bool]:
    """Up to ``limit`` rounds, newest first, behind the place ``after`` (first_seen_at, id); and whether more follow."""
    query = select(Round).where(*_conditions(wanted))
    if after is not None:
        place = tuple_(literal(after[0], UtcDateTime()), literal(after[1]))
        query = query.where(tuple_(Round.first_seen_at, Round.id) < place)
    with db.read() as session:
        rows = list(session.scalars(query.order_by(Round.first_seen_at.desc(), Round.id.desc()).limit(limit + 1)))
    return rows[:limit], len(rows) > limit


def get_round(db: AppDatabase, round_id: str) -> Round | None:
    """The round with this id, or None. One that was found to be part of another is shown as that one; one taken back is none."""
    with db.read() as session:
        row = session.get(Round, round_id)
        if row is not None and row.merged_into is not None:
            row = session.get(Round, row.merged_into)
        return row if row is not None and row.status == ACTIVE else None


def public_round(row: Round) -> dict[str, Any]:
    """The round without its CEO contact, and whether there is one."""
    shown = funding_round(row.body | {"id": row.id})
    contact = {name: shown.pop(name) for name in CONTACT_FIELDS}
    return shown | {"has_ceo_contact": any(contact[name] for name in WAYS)}


def reveal_contact(
    db: AppDatabase, round_id: str, organization_id: str, key_id: str, request_id: str, now: datetime
) -> dict[str, Any] | None:
    """The round's CEO contact, once the look at it is on record; None where there is no such round."""
    with db.write() as session:
        row = session.get(Round, round_id)
        if row is None or row.status == RETRACTED:
            return None
        session.add(
            ContactReveal(
                organization_id=organization_id, key_id=key_id, round_id=round_id, request_id=request_id, revealed_at=now
            )
        )
        return {"funding_round_id": row.id} | {name: row.body.get(name) for name in CONTACT_FIELDS}


def search_companies(db: AppDatabase, text: str, limit: int) -> list[dict[str, Any]]:
    """Companies whose name holds ``text``, whatever its case: names that begin with it first, then by name."""
    sought = text.strip()
    holds = or_(
        func.lower(Round.company_name).contains(sought.lower(), autoescape=True),
        Round.company_key.contains(sought.casefold(), autoescape=True),
    )
    begins = func.max(case((Round.company_key.startswith(sought.casefold(), autoescape=True), 1), else_=0))
    query = select(Round.company_key, func.count()).where(holds, Round.status == ACTIVE).group_by(Round.company_key)
    with db.read() as session:
        best = session.execute(query.order_by(begins.desc(), Round.company_key).limit(limit)).all()
        return [_company(session, key, rounds) for key, rounds in best]


def _company(session: Session, company_key: str, rounds: int) -> dict[str, Any]:
    query = select(Round).where(Round.company_key == company_key, Round.status == ACTIVE)
    newest = session.scalars(query.order_by(Round.first_seen_at.desc(), Round.id.desc()).limit(1)).one()
    return {
        "company_name": newest.company_name,
        "website": newest.body.get("website"),
        "rounds": rounds,
        "latest_round_id": newest.id,
        "latest_published_date": newest.published_date,
    }


def _conditions(wanted: RoundFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Round.status == ACTIVE]
    if wanted.funding_types:
        conditions.append(Round.funding_type.in_([name.lower() for name in wanted.funding_types]))
    if wanted.countries:
        conditions.append(Round.location_country.in_([name.upper() for name in wanted.countries]))
    if wanted.industries:
        conditions.append(func.lower(Round.body["industry"].as_string()).in_([name.lower() for name in wanted.industries]))
    if wanted.min_amount is not None:
        conditions.append(Round.amount_usd >= wanted.min_amount)
    if wanted.max_amount is not None:
        conditions.append(Round.amount_usd <= wanted.max_amount)
    if wanted.published_after is not None:
        conditions.append(Round.published_date >= wanted.published_after)
    if wanted.published_before is not None:
        conditions.append(Round.published_date < wanted.published_before)
    if wanted.has_ceo_contact is not None:
        lacks_all = and_(*(_lacks(name) for name in WAYS))
        conditions.append(not_(lacks_all) if wanted.has_ceo_contact else lacks_all)
    return conditions


def _lacks(name: str) -> ColumnElement[bool]:
    return func.coalesce(Round.body[name].as_string(), "") == ""

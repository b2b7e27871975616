"""Companies and investors as the active signals state them, brought up to date in the transaction that publishes signals.

Made anew from the signals for whoever a changed signal is or was about, so a correction corrects them too, and who is in no
active signal any more goes. When somebody was first found stays known though retention deletes that signal. What belongs here:
tables ``companies``, ``investors``, ``signal_investors``. What does not: searching them (subscriptions.search).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import case, delete, exists, func, select
from sqlalchemy.orm import Session

from pipeline.store.app_database import AppDatabase
from pipeline.store.bulk import is_one_of
from pipeline.store.tables.subscriptions import Company, Investor, Signal, SignalInvestor
from pipeline.subscriptions.filters import lowered
from pipeline.subscriptions.identifiers import name_key
from pipeline.subscriptions.masking import hidden
from pipeline.subscriptions.payloads import investor_id

# Of how many signals, the newest first, a company's profile is made.
MOST_READ = 20
AT_ONCE = 500


def fill_profiles(db: AppDatabase, now: datetime) -> None:
    """Make companies and investors of signals that were published before there were any. One query when there is nothing to do."""
    about = (Signal.company_id.is_not(None), Signal.company_name.is_not(None), Signal.is_active.is_(True))
    with db.read() as session:
        is_due = session.scalar(select(Company.id).limit(1)) is None and session.scalar(
            select(Signal.id).where(*about).limit(1)
        )
    if not is_due:
        return
    with db.write() as session:
        last = ""
        while rows := session.scalars(select(Signal).where(Signal.id > last).order_by(Signal.id).limit(AT_ONCE)).all():
            refresh_profiles(db, session, rows, set(), now)
            last = rows[-1].id
            session.flush()
            session.expunge_all()


def refresh_profiles(
    db: AppDatabase, session: Session, changed: Sequence[Signal], former: set[str | None], now: datetime
) -> None:
    """What ``changed`` signals mean for companies and investors. ``former``: ids of the companies they were about until now."""
    companies = {one for one in {row.company_id for row in changed} | former if one}
    if companies:
        _refresh_companies(db, session, sorted(companies), now)
    rounds = [row for row in changed if "fundingRound" in row.data]
    if rounds:
        _refresh_investors(db, session, rounds, now)


def forget_profiles(session: Session, companies: Collection[str], investors: Collection[str]) -> tuple[int, int]:
    """Delete those of them that no active signal is about, or names, after signals were deleted; gives how many of each.

    The others stay as they are: what the signals that went said of them is still so.
    """
    is_spoken_of = exists().where(Signal.company_id == Company.id, Signal.is_active.is_(True), Signal.company_name.is_not(None))
    invests = exists().where(SignalInvestor.investor_id == Investor.id)
    gone_companies = delete(Company).where(is_one_of(session, Company.id, companies), ~is_spoken_of)
    gone_investors = delete(Investor).where(is_one_of(session, Investor.id, investors), ~invests)
    counts = [
        int(getattr(session.execute(gone.execution_options(synchronize_session=False)), "rowcount", 0))
        for gone in (gone_companies, gone_investors)
    ]
    return counts[0], counts[1]


def _refresh_companies(db: AppDatabase, session: Session, ids: Sequence[str], now: datetime) -> None:
    of_company = Signal.company_id
    newest = (Signal.occurred_at.desc(), Signal.id.desc())
    ranked = (
        select(
            Signal.id,
            func.row_number().over(partition_by=of_company, order_by=newest).label("place"),
            func.min(Signal.discovered_at).over(partition_by=of_company).label("first_found"),
        )
        .where(Signal.company_id.in_(ids), Signal.is_active.is_(True), Signal.company_name.is_not(None))
        .subquery()
    )
    query = (
        select(
            Signal.company_id, Signal.company_name, Signal.industry, Signal.country, Signal.employee_count,
            Signal.data["company"].label("block"), Signal.data[("jobChange", "personName")].as_string().label("person"),
            ranked.c.first_found,
        )
        .join(ranked, ranked.c.id == Signal.id)
        .where(ranked.c.place <= MOST_READ)
        .order_by(ranked.c.place)
    )  # fmt: skip
    stated: defaultdict[str, list[Any]] = defaultdict(list)
    for row in session.execute(query):
        stated[row.company_id].append(row)
    gone = [one for one in ids if one not in stated]
    if gone:
        session.execute(delete(Company).where(Company.id.in_(gone)))
    if stated:
        rows = [_company(of_id, newest_first, now) for of_id, newest_first in sorted(stated.items())]
        insert = db.insert(Company)
        kept: dict[str, Any] = {name: insert.excluded[name] for name in rows[0] if name != "id"}
        kept["created_at"] = case(
            (Company.created_at < insert.excluded.created_at, Company.created_at), else_=insert.excluded.created_at
        )
        session.execute(insert.on_conflict_do_update(index_elements=["id"], set_=kept), rows)


def _company(of_id: str, newest_first: Sequence[Any], now: datetime) -> dict[str, Any]:
    """For each field the newest that is known."""
    profile: dict[str, Any] = {}
    for row in reversed(newest_first):
        block = dict(row.block or {})
        block["description"] = hidden(
            block.get("description"), row.person, row.company_name
        )  # SB-78: said of a person's employer
        profile |= {key: value for key, value in block.items() if value is not None or key not in profile}
    name, industry = newest_first[0].company_name, _first(row.industry for row in newest_first)
    told = [name, industry, *(profile.get(one) for one in ("description", "keywords", "specialties"))]
    return {
        "id": of_id,
        "name": name,
        "name_key": name_key(name),
        "industry": industry,
        "subcategory": profile.get("subcategory"),
        "country": _first(row.country for row in newest_first),
        "employee_count": _first(row.employee_count for row in newest_first),
        "founded_year": profile.get("foundedYear"),
        "created_at": newest_first[0].first_found,
        "updated_at": now,
        "profile": profile,
        "searched": "\n".join(lowered(one) for one in told if one),
    }


def _refresh_investors(db: AppDatabase, session: Session, rounds: Sequence[Signal], now: datetime) -> None:
    signal_ids = [row.id for row in rounds]
    held = select(SignalInvestor.investor_id).where(SignalInvestor.signal_id.in_(signal_ids))
    touched = set(session.scalars(held))
    links = {(link["investor_id"], link["signal_id"]): link for row in rounds if row.is_active for link in _links(row)}
    made = {link["investor_id"]: link for link in links.values()}
    session.execute(delete(SignalInvestor).where(SignalInvestor.signal_id.in_(signal_ids)))
    if links:
        new = [
            {"id": one, "name": link["name"], "type": None, "created_at": now, "updated_at": now}
            for one, link in sorted(made.items())
        ]
        session.execute(db.insert(Investor).on_conflict_do_nothing(), new)
        session.execute(db.insert(SignalInvestor), list(links.values()))
    _restate(session, sorted(touched | set(made)), now)


def _restate(session: Session, ids: Sequence[str], now: datetime) -> None:
    """Each investor by its rounds, the last found first; who has none goes. Looks by index, not at all rounds of each."""
    of_investor = select(SignalInvestor).where(SignalInvestor.investor_id == Investor.id)
    newest_first = of_investor.order_by(SignalInvestor.discovered_at.desc(), SignalInvestor.signal_id).limit(1)
    name = newest_first.with_only_columns(SignalInvestor.name).scalar_subquery()
    kind = newest_first.with_only_columns(SignalInvestor.type).where(SignalInvestor.type.is_not(None)).scalar_subquery()
    first = of_investor.with_only_columns(func.min(SignalInvestor.discovered_at)).scalar_subquery()
    query = select(Investor, name.label("name"), kind.label("kind"), first.label("first"))
    found: Sequence[Any] = session.execute(query.where(is_one_of(session, Investor.id, ids))).all()
    for investor, named, known_type, first_found in found:
        if named is None:
            session.delete(investor)
            continue
        values = (named, known_type, min(investor.created_at, first_found))
        if values != (investor.name, investor.type, investor.created_at):
            investor.name, investor.type, investor.created_at = values
            investor.updated_at = now


def _links(row: Signal) -> list[dict[str, Any]]:
    return [
        {
            "investor_id": investor_id(one["name"]),
            "signal_id": row.id,
            "name": one["name"],
            "type": one.get("type"),
            "discovered_at": row.discovered_at,
        }
        for one in row.data["fundingRound"].get("investors") or []
    ]


def _first(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)

"""Whose watch lists a signal's company is on: the CRM's match engine over the targets of monitors.

What may match is looked up by key (cost: of the signals at hand, not of all targets); whether it matches is the engine's word, by
domain and by equal names, as for a CRM's rows. What belongs here: signals against targets. What does not: what a target
learns by it (resolving), who is told (fan_out).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from pipeline.matching.domains import company_domain, email_domain
from pipeline.matching.engine import MatchedRow, MatchOptions, find_all
from pipeline.matching.model import MatchType
from pipeline.matching.names import normal_form
from pipeline.store.tables.monitors import MonitorTarget
from pipeline.store.tables.subscriptions import Signal
from pipeline.subscriptions import payloads
from pipeline.subscriptions.identifiers import LINKEDIN_PROFILE, name_key, profile_value
from pipeline.subscriptions.model import EventType
from pipeline.subscriptions.resolving import Sighting

# A list is for its targets alone: names must be equal, spacing and legal form aside (the engine's rule without its model).
OPTIONS = MatchOptions(fuzzy=False)
_ROUND = ("id", "company_name", "name_key", "domain_key", "email_domain_key")
_ACCOUNT = ("organization_id", "external_id", "name", "name_key", "domain_key")
_CONTACT = ("organization_id", "external_id", "email_domain_key", "account_external_id")


@dataclass(frozen=True, slots=True)
class _Party:
    """A company that a signal is about: the one that raises, hires, is bought; and the one that buys."""

    signal_id: str
    block: dict[str, Any]
    domain_key: str | None
    email_domain_key: str | None
    people: tuple[str, ...]


def sightings(session: Session, signals: Sequence[Signal]) -> list[Sighting]:
    """Every target of any team that one of ``signals`` is about, each once per signal."""
    if not signals or session.scalar(select(MonitorTarget.id).limit(1)) is None:
        return []
    parties = [party for signal in signals for party in _parties(signal)]
    targets = _candidates(session, parties) if parties else []
    if not targets:
        return []
    found: dict[tuple[str, str], Sighting] = {}
    for party, target in (*_by_person(parties, targets), *_by_company(parties, targets)):
        sighting = Sighting(party.signal_id, target.id, target.monitor_id, party.block)
        found.setdefault((party.signal_id, target.id), sighting)
    return list(found.values())


def _parties(signal: Signal) -> list[_Party]:
    people = [employee.get("linkedinUrl") for employee in signal.data.get("employees") or []]
    people.append((signal.data.get("jobChange") or {}).get("personLinkedinUrl"))
    profiles = tuple(value for url in people if (value := profile_value(url)))
    emails = [employee.get("email") for employee in signal.data.get("employees") or []]
    parties = []
    if (company := signal.data.get("company")) and company.get("name"):
        email = next((key for one in emails if (key := email_domain(one))), None)
        parties.append(_party(signal.id, company, email, profiles))
    if signal.event_type == EventType.ACQUISITION:
        buyer = (signal.data.get("acquisition") or {}).get("acquiringCompany")
        if buyer and buyer.get("name"):
            parties.append(_party(signal.id, buyer, None, ()))
    return parties


def _party(signal_id: str, block: dict[str, Any], email: str | None, people: tuple[str, ...]) -> _Party:
    block = {"slug": payloads.slug(block["name"])} | block
    return _Party(signal_id, block, company_domain(block.get("website")), email, people)


def _candidates(session: Session, parties: Sequence[_Party]) -> list[MonitorTarget]:
    domains = {party.domain_key for party in parties if party.domain_key}
    # A sub-domain of somebody else's house counts as the house's where the CEO writes from it (engine.prepare_rounds).
    domains |= {party.email_domain_key for party in parties if party.email_domain_key}
    names = {key for party in parties if (key := name_key(party.block["name"]))}
    people = {person for party in parties for person in party.people}
    by_person = and_(MonitorTarget.kind == LINKEDIN_PROFILE, MonitorTarget.value.in_(sorted(people)))
    keys = or_(MonitorTarget.domain_key.in_(sorted(domains)), MonitorTarget.name_key.in_(sorted(names)), by_person)
    return list(session.scalars(select(MonitorTarget).where(keys).order_by(MonitorTarget.id)))


def _by_person(parties: Sequence[_Party], targets: Sequence[MonitorTarget]) -> list[tuple[_Party, MonitorTarget]]:
    """Who is named by the very address that is watched: the signal's company is where that person works."""
    watched = [target for target in targets if target.kind == LINKEDIN_PROFILE]
    return [(party, target) for party in parties for target in watched if target.value in party.people]


def _by_company(parties: Sequence[_Party], targets: Sequence[MonitorTarget]) -> list[tuple[_Party, MonitorTarget]]:
    """What the engine finds. Targets of one name and domain are one row to it, whoever watches them."""
    holders: defaultdict[tuple[str, str | None], list[MonitorTarget]] = defaultdict(list)
    for target in targets:
        if target.name or target.domain_key:
            holders[target.name or "", target.domain_key].append(target)
    rows = sorted(holders, key=lambda row: (row[0], row[1] or ""))
    if not rows:
        return []
    found: list[tuple[_Party, MonitorTarget]] = []
    for match in _matches(parties, rows):
        party, row = parties[int(match.round_id)], rows[int(match.account_external_id or 0)]
        if not _contradicts(match, party, row[1]):
            found += [(party, target) for target in holders[row]]
    return found


def _contradicts(match: MatchedRow, party: _Party, domain: str | None) -> bool:
    """Is it equal names alone, of a target that is a domain and a company that is known to have another? A CRM's row with
    both is taken for the company all the same; who gives nothing but a domain means that domain."""
    is_name = match.match_type is MatchType.ACCOUNT_NAME
    return is_name and bool(domain) and bool(party.domain_key) and party.domain_key != domain


def _matches(parties: Sequence[_Party], rows: Sequence[tuple[str, str | None]]) -> list[MatchedRow]:
    told = [
        (str(number), party.block["name"], normal_form(party.block["name"]), party.domain_key, party.email_domain_key)
        for number, party in enumerate(parties)
    ]
    held = [("", str(number), name, normal_form(name), domain) for number, (name, domain) in enumerate(rows)]
    with duckdb.connect() as connection:
        for relation, names, values in (("told", _ROUND, told), ("held", _ACCOUNT, held), ("nobody", _CONTACT, [])):
            table = pa.table({name: pa.array([row[at] for row in values], pa.string()) for at, name in enumerate(names)})
            if relation != "told":
                table = table.append_column("created_at", pa.nulls(len(values), pa.timestamp("us")))
            connection.register(relation, table)
        return find_all(connection, "told", "held", "nobody", OPTIONS)

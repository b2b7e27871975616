"""Matching as a step of the pipeline: what is new meets what is there, and how far that has come.

What belongs here: which rounds meet which rows, and core.matches. What does not: how two values compare (engine).
Level-triggered: positions move only in the transaction of the rows they stand for, so a run that is killed is done again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import duckdb
import pyarrow as pa

from pipeline.matching import as_of, name_index
from pipeline.matching.domains import company_domain, email_domain
from pipeline.matching.engine import OURS, MatchedRow, MatchOptions, choose, find_all
from pipeline.matching.model import FoundMatch
from pipeline.matching.name_index import NameIndex
from pipeline.matching.names import normal_form
from pipeline.store.closed_days import closed_before
from pipeline.store.warehouse import Warehouse, progress, set_progress

ROUNDS_STEP = "match_rounds"  # round_seq that has met all rows
CRM_STEP = "match_crm"  # change_seq that has met the rounds of the look-back window

# Only rounds that stand, and that were not read while catching up, are told (A-FS-24).
TELLING = "status = 'active' AND tells"

Recorded = tuple[str, FoundMatch, str, datetime]  # match_id, match, origin (live, backfill), matched_at


@dataclass(frozen=True, slots=True)
class NewMatches:
    """Matches in order of organization and round, and the positions that are reached once they are written."""

    found: list[FoundMatch]
    positions: dict[str, int] = field(default_factory=dict)
    rounds: int = 0  # new or changed rounds that met all rows
    rows: int = 0  # new or changed CRM rows that met the look-back window


def find_new(warehouse: Warehouse, now: datetime, look_back_hours: int, threshold: float, rules: str = OURS) -> NewMatches:
    """New rounds against all CRM rows, and new or changed rows against the rounds of the look-back window (A-FS-19).

    A round that has begun to tell since the last call always meets all rows. One that told before and has changed since meets
    them again only within the window: rounds older than it never fire. Writes nothing but the stored index over names.
    """
    with warehouse.open() as connection:
        index = _stored_index(connection)
        since = _naive(now - timedelta(hours=look_back_hours))
        positions, rounds = _new_rounds(connection, since, look_back_hours > 0)
        crm_position, rows = _changed_rows(connection)
        recent = _recent_rounds(connection, since) if look_back_hours > 0 and rows else 0
        options = MatchOptions(threshold, rules=rules)
        matched: list[MatchedRow] = []
        if rounds:
            matched += find_all(connection, "new_rounds", "core.crm_accounts", "core.crm_contacts", options, index=index)
        if recent:
            matched += find_all(
                connection,
                "recent_rounds",
                "changed_accounts",
                "changed_contacts",
                options,
                all_accounts="core.crm_accounts",
                all_contacts="core.crm_contacts",
                index=index,
            )
    return NewMatches(choose(matched), positions | crm_position, rounds, rows)


def find_for_days(
    warehouse: Warehouse, from_day: date, to_day: date, crm: str, threshold: float, rules: str = OURS
) -> NewMatches:
    """The rounds first seen on these days (UTC, both included) against the CRM of ``today`` or ``of_that_day``. Writes nothing.

    Raises ValueError for another ``crm``.
    """
    if crm not in {"today", "of_that_day"}:
        raise ValueError(f"crm is {crm!r}; it can be 'today' or 'of_that_day'")
    options = MatchOptions(threshold, rules=rules)
    matched: list[MatchedRow] = []
    rounds = 0
    with warehouse.open() as connection:
        for first, last in _spans(from_day, to_day, crm):
            found = _rounds_of(connection, first, last)
            rounds += found
            if not found:
                continue
            accounts, contacts, index = "core.crm_accounts", "core.crm_contacts", None
            if crm == "of_that_day":
                accounts, contacts = as_of.accounts_on(connection, last), as_of.contacts_on(connection, last)
            else:
                index = _stored_index(connection)
            matched += find_all(connection, "rounds_of_days", accounts, contacts, options, index=index)
    return NewMatches(choose(matched), {}, rounds)


def _stored_index(connection: duckdb.DuckDBPyConnection) -> NameIndex:
    """The stored index over names, brought up to date in a transaction of its own: a run killed here begins it again."""
    connection.begin()
    try:
        index = name_index.refresh(connection)
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
    return index


def write(warehouse: Warehouse, new_matches: NewMatches, recorded: Sequence[Recorded]) -> int:
    """Keep what the ledger has taken, and how far matching has come, in one transaction. Returns the rows added.

    A match whose organization and round are there already is left as it is.
    """
    with warehouse.write() as connection:
        added = _insert(connection, recorded) if recorded else 0
        for step, position in sorted(new_matches.positions.items()):
            if position != progress(connection, step):
                set_progress(connection, step, position)
    return added


def _new_rounds(connection: duckdb.DuckDBPyConnection, since: datetime, may_meet_again: bool) -> tuple[dict[str, int], int]:
    """Positions reached, and how many rounds are in ``new_rounds``."""
    position = progress(connection, ROUNDS_STEP)
    reached = connection.execute("SELECT max(round_seq) FROM core.funding_rounds WHERE round_seq > ?", [position]).fetchall()
    if reached[0][0] is None:
        return {}, 0
    count = _select_rounds(
        connection,
        "new_rounds",
        f"round_seq > ? AND {TELLING} AND (tells_from_seq > ? OR (? AND first_seen_at >= ?))",
        [position, position, may_meet_again, since],
    )
    return {ROUNDS_STEP: int(reached[0][0])}, count


def _changed_rows(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, int], int]:
    """The position reached, and how many rows are in ``changed_accounts`` and ``changed_contacts``."""
    position = progress(connection, CRM_STEP)
    seen: list[tuple[int, int]] = []
    for name in ("accounts", "contacts"):
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE changed_{name} AS SELECT * FROM core.crm_{name} WHERE change_seq > {position:d}"
        )
        seen += connection.execute(f"SELECT count(*), coalesce(max(change_seq), 0) FROM changed_{name}").fetchall()
    rows = sum(count for count, _ in seen)
    return ({CRM_STEP: max(last for _, last in seen)} if rows else {}), rows


def _recent_rounds(connection: duckdb.DuckDBPyConnection, since: datetime) -> int:
    return _select_rounds(connection, "recent_rounds", f"{TELLING} AND first_seen_at >= ?", [since])


def _rounds_of(connection: duckdb.DuckDBPyConnection, first: date, last: date) -> int:
    # Also those that tell nobody by themselves: a backfill is asked for, and holds what it finds unless told otherwise.
    where = "status = 'active' AND first_seen_at >= ? AND first_seen_at < ?"
    return _select_rounds(connection, "rounds_of_days", where, [first, last + timedelta(days=1)])


def _select_rounds(connection: duckdb.DuckDBPyConnection, name: str, where: str, parameters: list[object]) -> int:
    """Put the rounds that fulfil a condition, and are open, into the temp table ``name``, with the keys they are matched by."""
    rows = connection.execute(
        f"SELECT round_id, company_name, website, domain_key, ceo_email FROM core.funding_rounds "
        f"WHERE {where} AND first_seen_at >= ? ORDER BY round_id",
        [*parameters, closed_before(connection)],
    ).fetchall()
    table = pa.table(
        {
            "id": pa.array([row[0] for row in rows], pa.string()),
            "company_name": pa.array([row[1] for row in rows], pa.string()),
            "website": pa.array([row[2] for row in rows], pa.string()),
            "name_key": pa.array([normal_form(row[1]) for row in rows], pa.string()),
            "domain_key": pa.array([company_domain(row[2]) if row[2] else row[3] for row in rows], pa.string()),
            "email_domain_key": pa.array([email_domain(row[4]) for row in rows], pa.string()),
        }
    )
    connection.register("rounds_with_keys", table)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM rounds_with_keys")
    connection.unregister("rounds_with_keys")
    return len(rows)


def _spans(from_day: date, to_day: date, crm: str) -> Iterable[tuple[date, date]]:
    """Days that meet the same CRM, as (first, last)."""
    if crm == "today":
        return [(from_day, to_day)]
    days = (to_day - from_day).days + 1
    return [(from_day + timedelta(days=n), from_day + timedelta(days=n)) for n in range(days)]


def _insert(connection: duckdb.DuckDBPyConnection, recorded: Sequence[Recorded]) -> int:
    matches = [match for _, match, *_ in recorded]
    table = pa.table(
        {
            "match_id": [match_id for match_id, *_ in recorded],
            "organization_id": [match.organization_id for match in matches],
            "round_id": [match.round_id for match in matches],
            "match_type": [str(match.match_type) for match in matches],
            "account_external_id": pa.array([match.account_external_id for match in matches], pa.string()),
            "contact_external_id": pa.array([match.contact_external_id for match in matches], pa.string()),
            "score": [match.score for match in matches],
            "rule": [match.rule for match in matches],
            "crm_value": [match.crm_value for match in matches],
            "round_value": [match.round_value for match in matches],
            "matcher_version": [match.matcher_version for match in matches],
            "all_matches": [json.dumps(match.all_matches, ensure_ascii=False) for match in matches],
            "origin": [origin for _, _, origin, _ in recorded],
            "matched_at": pa.array([_naive(at) for *_, at in recorded], pa.timestamp("us")),
        }
    )
    connection.register("recorded_matches", table)
    rows = connection.execute("""
        INSERT INTO core.matches BY NAME
        SELECT * FROM recorded_matches
        WHERE (organization_id, round_id) NOT IN (
            SELECT (organization_id, round_id) FROM core.matches WHERE round_id IN (SELECT round_id FROM recorded_matches)
        )
        QUALIFY row_number() OVER (PARTITION BY organization_id, round_id ORDER BY match_id) = 1
    """).fetchall()
    connection.unregister("recorded_matches")
    return int(rows[0][0])


def _naive(moment: datetime) -> datetime:
    """A moment as the warehouse keeps it: UTC without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)

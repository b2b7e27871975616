"""Domains that turn out to be shared: claimed in a CRM by many companies of different names, they are nobody's key.

A parked domain, a reseller's, a form's default, a mail provider that no list knows. Judged from the CRM rows as they are when
a round meets them, and only for domains that have just matched: nothing is stored, so the order in which rows came leaves no
trace, and the cost is that of looking up a few domains. What belongs here: this judgement. What does not: hosts that are known
to be shared beforehand (shared_hosts).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from pipeline.matching import name_index
from pipeline.matching.model import MatchType
from pipeline.matching.name_index import NameIndex

if TYPE_CHECKING:
    from pipeline.matching.engine import MatchedRow

# So many different names of strangers, and this share of all names, make a domain shared. Fewer may be a group of companies.
MANY_NAMES = 8
MOSTLY = 0.8

# Of one organization, as many rows as it has count once: no partner's careless CRM takes a key from another's.
_JUDGE = """
    WITH names AS (
        SELECT DISTINCT organization_id, domain, name_key, split_part(name_key, ' ', 1) AS first_word,
            {is_kin} AS is_kin
        FROM {claims}
        WHERE coalesce(name_key, '') <> ''
    ),
    within AS (
        SELECT organization_id, domain FROM names GROUP BY ALL
        HAVING count(DISTINCT first_word) FILTER (NOT is_kin) >= {many}
            AND count(*) FILTER (NOT is_kin) >= {mostly} * count(*)
    ),
    owners AS (
        SELECT organization_id, domain, bool_or(is_kin) AS knows_it, min(first_word) AS first_word FROM names GROUP BY ALL
    ),
    across AS (
        SELECT domain FROM owners GROUP BY ALL
        HAVING count(DISTINCT first_word) FILTER (NOT knows_it) >= {many}
            AND count(*) FILTER (NOT knows_it) >= {mostly} * count(*)
    )
    SELECT organization_id, domain FROM within
    UNION SELECT organization_id, domain FROM owners JOIN across USING (domain)
"""
_LABEL = "replace(split_part({domain}, '.', 1), '-', '')"


def is_kin(name: str, domain: str) -> str:
    """SQL: does a comparison form of a name go with a domain? It holds the domain's label, its first word is a part of it, or its
    initials are."""
    label = _LABEL.format(domain=domain)
    initials = f"list_aggregate(list_transform(string_split({name}, ' '), lambda word: word[1]), 'string_agg', '')"
    first = f"split_part({name}, ' ', 1)"
    return (
        f"(contains(replace({name}, ' ', ''), {label}) OR (len({first}) >= 3 AND contains({label}, {first}))"
        f" OR ({label} = {initials}))"
    )


@dataclass(frozen=True, slots=True)
class Claims:
    """Relations, by name, that hold every row of the CRMs that may claim a domain of the rounds. ``linked``: the accounts of these
    contacts, as organization_id, external_id and name_key.
    """

    accounts: str
    contacts: str
    linked: str


def narrowed(connection: duckdb.DuckDBPyConnection, accounts: str, contacts: str, index: NameIndex) -> Claims:
    """The rows of whole CRMs that hold a domain of ``match_rounds``, as temp tables: one look at each long column of texts."""
    holders = accounts
    if index.rows:
        numbers = "(SELECT DISTINCT hash(domain_key) AS domain_no FROM match_rounds WHERE domain_key IS NOT NULL)"
        holders = name_index.rows_with(connection, index, accounts, "domain_no", numbers)
    domains = "SELECT domain_key AS domain FROM match_rounds UNION ALL SELECT email_domain_key FROM match_rounds"
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE claiming_accounts AS
        SELECT organization_id, external_id, name_key, domain_key, created_at
        FROM {holders} SEMI JOIN match_rounds USING (domain_key)
    """)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE claiming_contacts AS
        SELECT organization_id, external_id, email_domain_key, account_external_id, created_at
        FROM {contacts} SEMI JOIN ({domains}) ON email_domain_key = domain
    """)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE linked_accounts AS
        SELECT a.organization_id, a.external_id, a.name_key FROM {accounts} a
        SEMI JOIN (SELECT organization_id, account_external_id FROM claiming_contacts WHERE account_external_id IS NOT NULL) c
            ON c.organization_id = a.organization_id AND c.account_external_id = a.external_id
    """)
    return Claims("claiming_accounts", "claiming_contacts", "linked_accounts")


def without_shared(
    connection: duckdb.DuckDBPyConnection, matched: Sequence[MatchedRow], rounds: str, claims: Claims
) -> list[MatchedRow]:
    """``matched`` without rows that a shared domain brought, in the same order.

    ``rounds`` names a relation of the rounds with their name_key. A row
    stays, shared domain or not, where its account's name goes with the domain or begins as the round's does: then it isn't the
    domain alone that speaks for it.
    """
    by_domain = [row for row in matched if row.match_type is not MatchType.ACCOUNT_NAME]
    if not by_domain:
        return list(matched)
    _register(connection, "matched_domains", {"domain": sorted({row.crm_value for row in by_domain})})
    shared = _shared(connection, claims)
    suspects = [row for row in by_domain if (str(row.match_type), row.organization_id, row.crm_value) in shared]
    kept = _spoken_for(connection, suspects, rounds, claims) if suspects else set()
    connection.unregister("matched_domains")
    dropped = {_key(row) for row in suspects} - kept
    return [row for row in matched if _key(row) not in dropped]


def _shared(connection: duckdb.DuckDBPyConnection, claims: Claims) -> set[tuple[str, str, str]]:
    """(path, organization, domain) of the matched domains that are no key there."""
    relations = {
        MatchType.ACCOUNT_DOMAIN: f"""(
            SELECT organization_id, domain_key AS domain, name_key
            FROM {claims.accounts} SEMI JOIN matched_domains ON domain_key = matched_domains.domain
        )""",
        MatchType.EMAIL_DOMAIN: f"""(
            SELECT a.organization_id, c.email_domain_key AS domain, a.name_key
            FROM {claims.contacts} c SEMI JOIN matched_domains ON c.email_domain_key = matched_domains.domain
            JOIN {claims.linked} a ON a.organization_id = c.organization_id AND a.external_id = c.account_external_id
        )""",
    }
    found: set[tuple[str, str, str]] = set()
    for path, relation in relations.items():
        judge = _JUDGE.format(claims=relation, is_kin=is_kin("name_key", "domain"), many=MANY_NAMES, mostly=MOSTLY)
        found |= {(str(path), organization, domain) for organization, domain in connection.execute(judge).fetchall()}
    return found


def _spoken_for(
    connection: duckdb.DuckDBPyConnection, suspects: Sequence[MatchedRow], rounds: str, claims: Claims
) -> set[tuple[object, ...]]:
    """Keys of the suspects whose account's name speaks for them too."""
    _register(
        connection,
        "suspects",
        {
            "place": list(range(len(suspects))),
            "round_id": [row.round_id for row in suspects],
            "organization_id": [row.organization_id for row in suspects],
            "external_id": [row.account_external_id for row in suspects],
            "domain": [row.crm_value for row in suspects],
        },
    )
    columns = "SELECT organization_id, external_id, name_key FROM"
    both = f"({columns} {claims.accounts} UNION {columns} {claims.linked})"
    if claims.accounts == claims.linked:
        both = claims.accounts
    rows = connection.execute(f"""
        SELECT s.place FROM suspects s
        JOIN {both} a ON a.organization_id = s.organization_id AND a.external_id = s.external_id
        JOIN {rounds} r ON r.id = s.round_id
        WHERE {is_kin("a.name_key", "s.domain")}
            OR (a.name_key <> '' AND split_part(a.name_key, ' ', 1) = split_part(r.name_key, ' ', 1))
    """).fetchall()
    connection.unregister("suspects")
    return {_key(suspects[place]) for (place,) in rows}


def _key(row: MatchedRow) -> tuple[object, ...]:
    return row.round_id, row.organization_id, row.match_type, row.account_external_id, row.contact_external_id, row.crm_value


def _register(connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, Sequence[object]]) -> None:
    types = {column: pa.int64() if column == "place" else pa.string() for column in columns}
    connection.register(name, pa.table({column: pa.array(values, types[column]) for column, values in columns.items()}))

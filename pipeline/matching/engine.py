"""The match engine: rounds against CRM rows by domain, e-mail domain and name, set-based over DuckDB relations.

What belongs here: which rows match and which one is told. What does not: keys (domains, names), the name path
(name_path), progress and tables of the pipeline (steps). The result depends on the rows given, never on their order.

Relations and the columns that are read (all keys NULL or '' where there is none):
  rounds    id, company_name, name_key, domain_key (of the website), email_domain_key (of the CEO's e-mail)
  accounts  organization_id, external_id, name, name_key, domain_key, created_at
  contacts  organization_id, external_id, email_domain_key, account_external_id, created_at
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import duckdb

from pipeline.matching import name_index, name_path, pages, shared_domains
from pipeline.matching.model import FoundMatch, MatchType
from pipeline.matching.name_index import NameIndex
from pipeline.matching.name_path import EQUAL, EQUAL_SPACING, NameRow
from pipeline.matching.shared_domains import Claims

MATCHER_VERSION = "3"
OURS, PAGES = "ours", "pages"
DEFAULT_THRESHOLD = 0.8
PRECEDENCE = {kind: place for place, kind in enumerate(MatchType)}


@dataclass(frozen=True, slots=True)
class MatchOptions:
    """``threshold``: score from which two unequal names match. ``fuzzy``: False admits equal comparison forms alone (FSV-11).

    ``rules``: ``ours``, or ``pages`` for those that the FundingScout pages print (matching.pages), which know no scores.
    """

    threshold: float = DEFAULT_THRESHOLD
    fuzzy: bool = True
    rules: str = OURS


@dataclass(frozen=True, slots=True)
class MatchedRow:
    """One CRM row that one round matched by one path. ``score`` is the probability, 0..1, that it is the same company."""

    round_id: str
    organization_id: str
    match_type: MatchType
    account_external_id: str | None
    contact_external_id: str | None
    score: float
    rule: str
    crm_value: str
    round_value: str
    created_at: datetime | None
    reasons: str = ""  # JSON: the features of a name match that decided, with what each added to the logarithm of the odds


_RULES_EXACT = ("equal_domain", "equal_domain_of_ceo_email", EQUAL, EQUAL_SPACING)

_BY_DOMAIN = """
    SELECT r.id AS round_id, a.organization_id, 'account_domain' AS match_type, a.external_id AS account_external_id,
        NULL AS contact_external_id, 1.0::DOUBLE AS score, 'equal_domain' AS rule, a.domain_key AS crm_value,
        r.domain_key AS round_value, a.created_at
    FROM match_rounds r JOIN {accounts} a ON a.domain_key = r.domain_key
"""

# A link to an account is told only where that account exists (FSV-5: it need not).
_BY_EMAIL = """
    SELECT r.id, c.organization_id, 'email_domain', linked.external_id, c.external_id,
        CASE WHEN r.is_website THEN 1.0 ELSE 0.99 END,
        CASE WHEN r.is_website THEN 'equal_domain' ELSE 'equal_domain_of_ceo_email' END,
        c.email_domain_key, r.domain, c.created_at
    FROM (
        SELECT id, domain, bool_or(is_website) AS is_website FROM (
            SELECT id, domain_key AS domain, true AS is_website FROM match_rounds
            UNION ALL SELECT id, email_domain_key, false FROM match_rounds
        ) WHERE domain IS NOT NULL GROUP BY id, domain
    ) r
    JOIN {contacts} c ON c.email_domain_key = r.domain
    LEFT JOIN {all_accounts} linked
        ON linked.organization_id = c.organization_id AND linked.external_id = c.account_external_id
"""


def find_all(
    connection: duckdb.DuckDBPyConnection,
    rounds: str,
    accounts: str,
    contacts: str,
    options: MatchOptions | None = None,
    *,
    all_accounts: str | None = None,
    all_contacts: str | None = None,
    index: NameIndex | None = None,
) -> list[MatchedRow]:
    """Every CRM row that matches a round, once per path, best first within organization and round.

    ``rounds``, ``accounts`` and ``contacts`` name relations of ``connection`` (see above). ``all_accounts`` names every
    account of the CRMs where ``accounts`` is only a part of them: links of contacts are looked up in it, and it says how rare
    a word is. ``all_contacts`` likewise: both say which domains are shared. ``index`` is an index of all accounts, built here
    unless given. Creates temp tables; changes nothing else.
    """
    options = options or MatchOptions()
    everything = all_accounts or accounts
    if options.rules == PAGES:
        by_pages = pages.find(connection, rounds, accounts, contacts, everything)
        return sorted((MatchedRow(*row) for row in by_pages), key=_place)
    prepare_rounds(connection, rounds)
    index = index or name_index.build(connection, everything)
    if everything != accounts:
        index = name_index.part_of(connection, index, accounts)
    claims = Claims(everything, all_contacts or contacts, everything)
    by_domain, by_email = accounts, contacts
    if (everything, claims.contacts) == (accounts, contacts):
        claims = shared_domains.narrowed(connection, accounts, contacts, index)
        by_domain, by_email = claims.accounts, claims.contacts
    paths = (_BY_DOMAIN.format(accounts=by_domain), _BY_EMAIL.format(contacts=by_email, all_accounts=claims.linked))
    rows = connection.execute(f"SELECT * FROM ({' UNION ALL '.join(paths)})").fetchall()
    found = [MatchedRow(r[0], r[1], MatchType(r[2]), *r[3:]) for r in rows]
    found = shared_domains.without_shared(connection, found, "match_rounds", claims)
    by_name = name_path.find(connection, accounts, index, options.threshold, fuzzy=options.fuzzy)
    return sorted([*found, *map(_by_name, by_name)], key=_place)


def prepare_rounds(connection: duckdb.DuckDBPyConnection, rounds: str) -> None:
    """The temp table ``match_rounds`` that all paths read.

    A sub-domain of a shared host or a university is taken for somebody else's than the host's, unless the round's CEO writes
    from the host itself: who does is of the host's house.
    """
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE match_rounds AS
        SELECT *, coalesce(domain_key, email_domain_key) AS shown_domain FROM (
            SELECT id, company_name, coalesce(name_key, '') AS name_key, nullif(email_domain_key, '') AS email_domain_key,
                CASE WHEN email_domain_key <> '' AND ends_with(domain_key, '.' || email_domain_key) THEN email_domain_key
                    ELSE nullif(domain_key, '') END AS domain_key
            FROM {rounds}
        )
    """)


def _by_name(row: NameRow) -> MatchedRow:
    reasons = json.dumps(row.reasons) if row.reasons else ""
    return MatchedRow(
        row.round_id, row.organization_id, MatchType.ACCOUNT_NAME, row.external_id, None, row.score, row.rule, row.name,
        row.company_name, row.created_at, reasons,
    )  # fmt: skip


def choose(matched: Iterable[MatchedRow]) -> list[FoundMatch]:
    """One match per organization and round, with all matched rows in ``all_matches`` (A-FS-4), in order of both ids.

    Precedence of the paths first (FSV-9), then equality before similarity, then score, the oldest row, the external id.
    """
    ordered = sorted(set(matched), key=_place)
    groups = groupby(ordered, key=lambda row: (row.organization_id, row.round_id))
    return [_found(list(rows)) for _, rows in groups]


def _place(row: MatchedRow) -> tuple[object, ...]:
    """What a row is sorted by: total, so that the order rows came in leaves no trace."""
    when = row.created_at
    return (
        row.organization_id,
        row.round_id,
        PRECEDENCE[row.match_type],
        row.rule not in _RULES_EXACT,
        -row.score,
        (when is None, when or datetime.min),  # noqa: DTZ901 - warehouse times are naive UTC
        row.contact_external_id or row.account_external_id or "",
        row.round_value,
        row.account_external_id or "",
    )


def _found(rows: list[MatchedRow]) -> FoundMatch:
    best = rows[0]
    return FoundMatch(
        organization_id=best.organization_id,
        round_id=best.round_id,
        match_type=best.match_type,
        account_external_id=best.account_external_id,
        contact_external_id=best.contact_external_id,
        score=best.score,
        rule=best.rule,
        crm_value=best.crm_value,
        round_value=best.round_value,
        matcher_version=MATCHER_VERSION,
        all_matches=list(_distinct(rows)),
    )


def _distinct(rows: Iterable[MatchedRow]) -> Iterator[dict[str, object]]:
    """Each row once per path: a contact may agree with the website and with the CEO's e-mail."""
    seen: set[tuple[object, ...]] = set()
    for row in rows:
        key = (row.match_type, row.account_external_id, row.contact_external_id)
        if key not in seen:
            seen.add(key)
            yield {
                "match_type": str(row.match_type),
                "account_external_id": row.account_external_id,
                "contact_external_id": row.contact_external_id,
                "score": row.score,
                "rule": row.rule,
                "crm_value": row.crm_value,
                "round_value": row.round_value,
            } | ({"reasons": json.loads(row.reasons)} if row.reasons else {})

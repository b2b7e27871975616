"""The FundingScout pages' own rules (FSV-9 to FSV-11), a profile that can be switched to instead of ours.

Domains are equal texts without scheme, path and leading ``www.`` (no public suffixes: a sub-domain is another domain). E-mail
addresses meet the round's website alone, seventeen providers excluded. Names are equal without eight legal suffixes, for
accounts without a domain. Suffixes are taken as whole trailing words (A-FS-26). Everything in SQL, over the rows as they were
sent: switching needs no stored key, and costs a scan.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from pipeline.matching.model import MatchType

# (round id, organization, path, account, contact, score, rule, CRM value, round value, created at)
PageRow = tuple[str, str, MatchType, str | None, str | None, float, str, str, str, datetime | None]

FREE_MAIL = (
    "gmail.com", "googlemail.com", "yahoo.com", "hotmail.com", "outlook.com", "live.com", "aol.com", "icloud.com", "me.com",
    "mac.com", "protonmail.com", "proton.me", "pm.me", "mail.com", "gmx.com", "zoho.com", "fastmail.com",
)  # fmt: skip
LEGAL_SUFFIXES = ("inc", "llc", "corp", "ltd", "co", "holdings", "group", "lp")


def domain(text: str) -> str:
    """SQL: the domain of a text by the pages' rules; NULL where nothing is left."""
    bare = f"regexp_replace(regexp_replace(lower(trim({text})), '^https?://', ''), '[/?#].*$', '')"
    return f"nullif(regexp_replace({bare}, '^www\\.', ''), '')"


def email_domain(text: str) -> str:
    """SQL: the domain of an address by the pages' rules; NULL for none and for their seventeen providers."""
    after = domain(f"regexp_extract({text}, '@([^@]*)$', 1)")
    listed = ", ".join(f"'{name}'" for name in FREE_MAIL)
    return f"CASE WHEN {after} NOT IN ({listed}) THEN {after} END"


def name(text: str) -> str:
    """SQL: the comparison form of a name by the pages' rules; NULL where nothing is left."""
    plain = f"regexp_replace(lower({text}), '[^\\p{{L}}\\p{{N}}\\s]', '', 'g')"
    spaced = f"trim(regexp_replace({plain}, '\\s+', ' ', 'g'))"
    return f"nullif(regexp_replace({spaced}, '(?: (?:{'|'.join(LEGAL_SUFFIXES)}))+$', ''), '')"


def find(connection: duckdb.DuckDBPyConnection, rounds: str, accounts: str, contacts: str, all_accounts: str) -> list[PageRow]:
    """Every CRM row that matches a round by these rules, once per path, in no order.

    Reads ``id, company_name, website`` of rounds, ``organization_id, external_id, name, domain, created_at`` of accounts,
    ``organization_id, external_id, email, account_external_id, created_at`` of contacts.
    """
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE page_rounds AS
        SELECT id, company_name, {domain("website")} AS domain, {name("company_name")} AS name FROM {rounds}
    """)
    account, email = domain("a.domain"), email_domain("c.email")
    rows = connection.execute(f"""
        SELECT r.id, a.organization_id, 'account_domain', a.external_id, NULL, 'pages_domain', {account}, r.domain, a.created_at
        FROM {accounts} a JOIN page_rounds r ON {account} = r.domain
        UNION ALL
        SELECT r.id, c.organization_id, 'email_domain', linked.external_id, c.external_id, 'pages_domain', {email}, r.domain,
            c.created_at
        FROM {contacts} c JOIN page_rounds r ON {email} = r.domain
        LEFT JOIN {all_accounts} linked
            ON linked.organization_id = c.organization_id AND linked.external_id = c.account_external_id
        UNION ALL
        SELECT r.id, a.organization_id, 'account_name', a.external_id, NULL, 'pages_name', a.name, r.company_name, a.created_at
        FROM {accounts} a JOIN page_rounds r ON {name("a.name")} = r.name
        WHERE {account} IS NULL
    """).fetchall()
    return [(row[0], row[1], MatchType(row[2]), row[3], row[4], 1.0, *row[5:]) for row in rows]

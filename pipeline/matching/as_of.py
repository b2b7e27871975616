"""The CRM as it was at the end of a day, as relations that the engine can match against.

What belongs here: reading the history tables. What does not: writing them (crm.history).
"""

from __future__ import annotations

from datetime import date, timedelta

import duckdb

ACCOUNT_COLUMNS = "organization_id, external_id, name, domain, metadata_json, domain_key, name_key, created_at, valid_from"
CONTACT_COLUMNS = (
    "organization_id, external_id, email, first_name, last_name, account_external_id, metadata_json, email_domain_key, "
    "created_at, valid_from"
)


def accounts_on(connection: duckdb.DuckDBPyConnection, day: date) -> str:
    """The name of a temp view: every account that the CRMs held at the end of ``day`` (UTC), as it was then."""
    return _view(connection, "crm_account", ACCOUNT_COLUMNS, day)


def contacts_on(connection: duckdb.DuckDBPyConnection, day: date) -> str:
    """As accounts_on, for contacts."""
    return _view(connection, "crm_contact", CONTACT_COLUMNS, day)


def _view(connection: duckdb.DuckDBPyConnection, table: str, columns: str, day: date) -> str:
    name = f"{table}s_on_{day:%Y%m%d}"
    end = day + timedelta(days=1)
    connection.execute(f"""
        CREATE OR REPLACE TEMP VIEW {name} AS SELECT {columns} FROM core.{table}_history
        WHERE valid_from < TIMESTAMP '{end}' AND (valid_to IS NULL OR valid_to >= TIMESTAMP '{end}')
    """)
    return name

"""What all definitions share: names, owners, the way an asset shows rows.

What belongs here: constants and presentation. What does not: assets, and anything that decides.
"""

import json
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import dagster as dg
import duckdb

from pipeline.installation import Installation
from pipeline.upkeep.markdown import cell

# The resource every definition works through.
InstallationParam = dg.ResourceParam[Installation]

# One op at a time in all runs may hold the warehouse (dagster.yaml sets the limit of a pool to 1).
WAREHOUSE_POOL = "warehouse"

INGEST, SIGNALS, CRM, MATCHING, DELIVERY, RECOVERY = "ingest", "signals", "crm", "matching", "delivery", "recovery"
OVERVIEW = "overview"
PARTNERS = "partners"

DATA_OWNERS = ["team:data"]
PARTNER_OWNERS = ["team:partners"]

DOCUMENTS = dg.AssetKey(["raw", "documents"])
REJECTED_DOCUMENTS = dg.AssetKey(["raw", "rejected_documents"])
SOURCE_HOURS = dg.AssetKey(["raw", "source_hours"])
MENTIONS = dg.AssetKey(["core", "mentions"])
FUNDING_ROUNDS = dg.AssetKey(["core", "funding_rounds"])
EXTRACTION_REVIEW = dg.AssetKey(["core", "extraction_review"])
CRM_ACCOUNTS = dg.AssetKey(["core", "crm_accounts"])
CRM_CONTACTS = dg.AssetKey(["core", "crm_contacts"])
CRM_SNAPSHOTS = dg.AssetKey(["core", "crm_snapshots"])
MATCHES = dg.AssetKey(["core", "matches"])
NEAR_MISSES = dg.AssetKey(["core", "near_misses"])
MATCH_REVIEWS = dg.AssetKey(["core", "match_reviews"])
SIGNALS_PUBLISHED = dg.AssetKey(["core", "published_signals"])
WEBHOOK_DELIVERIES = dg.AssetKey(["core", "webhook_deliveries"])
PICTURES = dg.AssetKey(["core", "pictures"])
DAILY_SUMMARY = dg.AssetKey(["core", "daily_summary"])
STATUS_SNAPSHOTS = dg.AssetKey(["core", "status_snapshots"])
PARTNER_LEADS = dg.AssetKey(["core", "partner_leads"])
PARTNER_LEAD_CHANGES = dg.AssetKey(["core", "partner_lead_changes"])
PARTNER_COMMISSIONS = dg.AssetKey(["core", "partner_commissions"])
PARTNER_PAYOUTS = dg.AssetKey(["core", "partner_payouts"])

PREVIEW_ROWS = 10
# Previews look at the newest rows alone: a run's cost must not grow with what came before it.
NEWEST = 1_000
CELL_CHARACTERS = 80
NO_BREAK = "\N{NO-BREAK SPACE}"
WEB_ADDRESS = re.compile(r"https?://([\w.:-]+)[^\s<>\"\\`]*")  # no backtick: two would make code of what is between
NOT_IN_A_LINK = str.maketrans({"(": "%28", ")": "%29", "|": "%7C"})


def row_count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """How many rows ``table`` has."""
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


def preview(connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = ()) -> dg.MarkdownMetadataValue:
    """The first rows of ``query`` as a Markdown table, cells cut to a readable length."""
    result = connection.execute(f"SELECT * FROM ({query}) LIMIT {PREVIEW_ROWS}", list(parameters))
    names = [column[0] for column in result.description or []]
    return dg.MetadataValue.md(markdown_table(names, result.fetchall()))


def markdown_table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows as a Markdown table; ``no rows`` when there are none."""
    if not rows:
        return "no rows"
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(_cell(name, value) for name, value in zip(names, row, strict=True)) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def table_metadata(
    connection: duckdb.DuckDBPyConnection, table: str, query: str, parameters: Sequence[Any] = ()
) -> dict[str, Any]:
    """Row count and preview, under the names the Dagster UI knows."""
    return {"dagster/row_count": row_count(connection, table), "preview": preview(connection, query, parameters)}


def _cell(name: str, value: Any) -> str:
    """``value`` as people write it, for a column as narrow as can be: a dialog of the UI cuts off what is wider than it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%d %b %Y %H:%M:%S}".replace(" ", NO_BREAK)
    if isinstance(value, date):
        return f"{value:%d %b %Y}".replace(" ", NO_BREAK)
    if isinstance(value, Decimal) or (isinstance(value, int | float) and name.endswith("_usd")):
        text = f"{value:,.0f}"
    elif isinstance(value, float):
        text = f"{value:.3g}"
    elif isinstance(value, (dict, list)):
        text = json.dumps(value, ensure_ascii=False)
    else:
        text = str(value)
    if address := WEB_ADDRESS.fullmatch(text):
        # The host is enough to read; the link is whole, however long.
        return f"[{cell(address[1], CELL_CHARACTERS)}]({text.translate(NOT_IN_A_LINK)})"
    return cell(text, CELL_CHARACTERS)

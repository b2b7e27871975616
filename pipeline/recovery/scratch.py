"""A scratch warehouse: a copy of what a backfill reads, in which it can be tried without a trace.

What belongs here: which rows are copied. What does not: what is done with the copy (dry_run).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from pipeline.store.warehouse import Warehouse

PREFIX = ".dry-run-"
# Texts of other days are the bulk of the warehouse, and nothing reads them.
_COPIED = {
    "raw.documents": "* REPLACE (CASE WHEN landed_at >= $first AND landed_at < $end THEN body ELSE '' END AS body)",
    "core.mentions": "*",
    "core.funding_rounds": "*",
    "core.round_mentions": "*",
    "core.crm_accounts": "*",
    "core.crm_contacts": "*",
    "core.match_names": "*",
    "core.match_keys": "*",
    "core.match_words": "*",
    "core.match_rows": "*",
    "core.progress": "*",
}
_HISTORY = {"core.crm_account_history": "*", "core.crm_contact_history": "*"}


@contextmanager
def scratch_copy(warehouse: Warehouse, folder: Path, first: date, last: date, *, with_history: bool) -> Iterator[Warehouse]:
    """A warehouse of its own below ``folder`` with the rows that a backfill of these days reads; gone on leaving.

    The real one is held while the rows are copied, and not after. What a killed process left behind goes with the next call.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=folder, ignore_cleanup_errors=True) as name:
        scratch = Warehouse(Path(name) / "warehouse.duckdb", warehouse.wait_seconds)
        with scratch.open():
            pass  # its tables
        _copy(warehouse, scratch.path, first, last, _COPIED | (_HISTORY if with_history else {}))
        yield scratch


def _copy(warehouse: Warehouse, target: Path, first: date, last: date, tables: dict[str, str]) -> None:
    values = {"first": first, "end": last + timedelta(days=1)}
    with warehouse.open() as connection:
        literal = str(target).replace("'", "''")
        connection.execute(f"ATTACH '{literal}' AS scratch")
        try:
            for table, columns in tables.items():
                named = {name: value for name, value in values.items() if f"${name}" in columns}
                connection.execute(f"INSERT INTO scratch.{table} BY NAME SELECT {columns} FROM {table}", named).fetchall()  # noqa: S608
            connection.execute("""
                CREATE TABLE scratch.main.rounds_before AS
                SELECT round_id, company_name, amount_usd, funding_type, status FROM core.funding_rounds
            """)
        finally:
            connection.execute("DETACH scratch")

"""Opening the warehouse: one DuckDB file, one writing process at a time, short openings.

What belongs here: connections, waiting for another holder, the tables' versions. What does not: queries.
Only pipeline steps open it; the HTTP faces never do.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

log = logging.getLogger(__name__)

SCHEMA = Path(__file__).with_name("warehouse_schema")
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.5

# No extension may be fetched from the network, and a day is a day in UTC.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "allow_community_extensions": False,
}


class WarehouseBusy(RuntimeError):
    """Another process held the warehouse for longer than we wait. Says which, and what to do."""


class WarehouseUnusable(RuntimeError):
    """The file can't be opened as a warehouse of this code's version. Says why, and what to do."""


class Warehouse:
    """The DuckDB file of one installation. Holds no connection between openings."""

    def __init__(self, path: Path, wait_seconds: float = 60.0) -> None:
        self.path = path
        self.wait_seconds = wait_seconds

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection, with the tables in place; closed on leaving, whatever happens.

        Raises WarehouseBusy after ``wait_seconds``, WarehouseUnusable for a file that is none or is newer. Statements are
        their own transactions unless begun.
        """
        connection = self._connect()
        try:
            _upgrade(connection)
            yield connection
        finally:
            connection.close()

    @contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection in one transaction: all of it is kept, or none."""
        with self.open() as connection:
            connection.begin()
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self.path.exists()
        began = time.monotonic()
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                connection = duckdb.connect(str(self.path), config=CONFIG)
            except duckdb.IOException as error:
                if "lock" not in str(error):
                    if is_new:
                        # Half a file (the disk was full) would be in the way of the next try.
                        self.path.unlink(missing_ok=True)
                    raise self._unusable(error) from error
                waited = time.monotonic() - began
                holder = _holder(str(error))
                if waited >= self.wait_seconds:
                    raise WarehouseBusy(
                        f"the warehouse {self.path} is held by {holder}; waited {waited:.0f} s. "
                        "It opens when that process ends its step or is stopped."
                    ) from None
                if pause >= LONGEST_PAUSE_SECONDS:
                    log.info("waiting for the warehouse %s, held by %s", self.path, holder)
            except duckdb.Error as error:
                raise self._unusable(error) from error
            else:
                connection.execute("SET TimeZone = 'UTC'")
                return connection
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _unusable(self, error: duckdb.Error) -> WarehouseUnusable:
        said = " ".join(str(error).split())
        return WarehouseUnusable(
            f"the warehouse {self.path} can't be opened: {said}. Is the disk full, or the file damaged? Stop the service, and put "
            "back its newest backup (docs/operators, Restore)"
        )


def progress(connection: duckdb.DuckDBPyConnection, step: str) -> int:
    """How far ``step`` has come; 0 before its first run."""
    rows = connection.execute("SELECT max(position) FROM core.progress WHERE step = ?", [step]).fetchall()
    return int(rows[0][0] or 0)


def set_progress(connection: duckdb.DuckDBPyConnection, step: str, position: int) -> None:
    """Note how far ``step`` has come. Call it in the transaction of the step's own rows."""
    connection.execute("DELETE FROM core.progress WHERE step = ?", [step])
    connection.execute("INSERT INTO core.progress VALUES (?, ?, current_timestamp AT TIME ZONE 'UTC')", [step, position])


def _holder(message: str) -> str:
    found = re.search(r"Conflicting lock is held in (.+?) \(PID (\d+)\)", message)
    return f"process {found[2]} ({found[1]})" if found else "another process"


def _upgrade(connection: duckdb.DuckDBPyConnection) -> None:
    """Run the schema files that this warehouse has not seen, in order, each in a transaction with its number."""
    connection.execute("CREATE TABLE IF NOT EXISTS main.schema_version (version INTEGER, applied_at TIMESTAMP)")
    rows = connection.execute("SELECT coalesce(max(version), 0) FROM main.schema_version").fetchall()
    present = int(rows[0][0])
    files = sorted(SCHEMA.glob("*.sql"))
    newest = int(files[-1].name[:4])
    if present > newest:
        raise WarehouseUnusable(
            f"the warehouse is of a newer version (schema {present}) than this code (schema {newest}): run the newer code, or put "
            "back the backup from before the upgrade (docs/operators, Restore)"
        )
    for file in files:
        version = int(file.name[:4])
        if version > present:
            connection.begin()
            connection.execute(file.read_text())
            connection.execute("INSERT INTO main.schema_version VALUES (?, current_timestamp AT TIME ZONE 'UTC')", [version])
            connection.commit()

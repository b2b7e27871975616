"""The warehouse: waiting for another holder, naming it, and keeping all of a write or none."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipeline.store.warehouse import SCHEMA, Warehouse, WarehouseBusy, WarehouseUnusable, progress, set_progress

HOLDER = """
import sys, time
from pathlib import Path
from pipeline.store.warehouse import SCHEMA, Warehouse, set_progress
with Warehouse(Path(sys.argv[1])).write() as connection:
    set_progress(connection, "step", 7)
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def held(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process in the middle of a write."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_tables_are_there_after_the_first_opening(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "deep" / "warehouse.duckdb")
    with warehouse.open() as connection:
        names = {
            row[0]
            for row in connection.execute("SELECT table_schema || '.' || table_name FROM information_schema.tables").fetchall()
        }
    assert {"raw.documents", "core.matches", "core.webhook_deliveries", "core.progress"} <= names
    with warehouse.open() as connection:
        applied = connection.execute("SELECT version FROM main.schema_version ORDER BY version").fetchall()
    assert applied == [(int(file.name[:4]),) for file in sorted(SCHEMA.glob("*.sql"))]


def test_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")

    def write_half() -> None:
        with warehouse.write() as connection:
            set_progress(connection, "step", 7)
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write_half()
    with warehouse.open() as connection:
        assert progress(connection, "step") == 0


def test_progress_is_the_last_position_set(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    with warehouse.write() as connection:
        assert progress(connection, "step") == 0
        set_progress(connection, "step", 7)
        set_progress(connection, "step", 9)
        set_progress(connection, "other", 1)
    with warehouse.open() as connection:
        assert progress(connection, "step") == 9


def test_busy_warehouse_is_named_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    with held(path) as holder:
        began = time.monotonic()
        with pytest.raises(WarehouseBusy, match=f"process {holder.pid} ") as busy, Warehouse(path, wait_seconds=0.3).open():
            pass
        assert time.monotonic() - began >= 0.3
    assert str(path) in str(busy.value)


def test_opening_waits_until_the_holder_is_done(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    with held(path) as holder:
        threading.Timer(0.4, holder.kill).start()
        with Warehouse(path, wait_seconds=20).open() as connection:
            assert progress(connection, "step") == 0


def test_killed_holder_frees_the_warehouse_and_leaves_nothing_of_its_write(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    with held(path) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with Warehouse(path, wait_seconds=5).write() as connection:
            assert progress(connection, "step") == 0
            set_progress(connection, "step", 1)


def test_file_that_is_no_warehouse_is_not_taken_for_a_busy_one(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    path.write_bytes(b"not a database" * 1000)
    refused = pytest.raises(WarehouseUnusable, match=r"not a valid DuckDB.*put back its newest backup")
    with refused, Warehouse(path, wait_seconds=30).open():
        pass


def test_half_a_file_of_a_full_disk_is_not_left_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "warehouse.duckdb"

    def fail_half_way(name: str, **_: object) -> None:
        Path(name).write_bytes(b"half")
        raise duckdb.IOException("IO Error: Could not write file: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(duckdb, "connect", fail_half_way)
        with pytest.raises(WarehouseUnusable, match="No space left on device"), Warehouse(path).open():
            pass
    with Warehouse(path).open() as connection:
        assert progress(connection, "step") == 0


def test_warehouse_of_newer_code_is_left_alone(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    with warehouse.open() as connection:
        connection.execute("INSERT INTO main.schema_version VALUES (9999, now())")
    with pytest.raises(WarehouseUnusable, match=r"newer version .schema 9999.*run the newer code"), warehouse.open():
        pass

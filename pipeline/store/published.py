"""Publishing the marts to analysts: Parquet files of one build, swapped in together, and a small DuckDB of views on them.

What belongs here: files and their swapping. What does not: what a mart holds (dbt_project).
Analysts' tools never open the live warehouse, and nothing here waits for a reader: one that has a file open keeps
reading the build it began with.

    published/latest/crm_coverage.parquet     always the newest complete build
    published/latest/deliveries/2026-11.parquet   a large mart by month; without a change, the file of the build before
    published/fundingscout.duckdb             views over latest/, to be opened read-only
    published/builds/20261102T020311Z/…       the builds themselves; the newest few are kept
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import duckdb

from pipeline.store.warehouse import CONFIG, Warehouse
from pipeline.store.warehouse_columns import Column

VIEWS_FILE = "fundingscout.duckdb"
# The table in that file that says what it shows.
PUBLISHED_TABLES = (
    Column("table_name", "VARCHAR", "the mart; a view of this name shows it"),
    Column("row_count", "BIGINT", "how many rows it has"),
    Column("published_at", "TIMESTAMP", "when it was published (UTC)"),
)
LATEST = "latest"
BUILDS = "builds"
# A reader that found a file through latest/ has this many publishings' time to open it.
BUILDS_KEPT = 3
INCOMING = ".incoming-"
READ_ONLY = 0o444
FOLDER_MODE = 0o755


class Publishable(Protocol):
    """A table of the warehouse's schema ``marts``, with what is said of it and of its columns."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def columns(self) -> Mapping[str, str]: ...
    @property
    def published_by_month(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """One mart as published."""

    name: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What is published now. ``build`` is the folder of the Parquet files, ``views`` the DuckDB file over them."""

    build: Path
    views: Path
    tables: list[PublishedTable]
    published_at: datetime


class NothingPublished(Exception):
    """No build of the marts has been published yet."""


@contextmanager
def open_published(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the published marts that reads them and nothing else: it can't write, nor open files outside ``folder``.

    Raises NothingPublished, which says how to make the first build.
    """
    folder = folder.absolute()
    if not (folder / VIEWS_FILE).exists():
        raise NothingPublished(
            f"nothing has been published under {folder} yet: run the job `marts` in the Dagster UI, or wait for the daily sync"
        )
    with duckdb.connect(str(folder / VIEWS_FILE), read_only=True, config=CONFIG) as connection:
        # The views read Parquet below the folder, under the name latest/ and under the build's own.
        connection.execute("SET allowed_directories = ?", [[f"{folder}/", f"{folder.resolve()}/"]])
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


def publish(warehouse: Warehouse, folder: Path, marts: Sequence[Publishable], now: datetime) -> PublishReport:
    """Export ``marts`` to ``folder`` and swap them in, all at once; readers see the old build or the new one.

    A kill at any moment leaves the old build in place or the new one, and a next call clears up what was left half done.
    Call it from one process at a time. Raises duckdb.CatalogException for a mart that has not been built.
    """
    folder = folder.absolute()
    (folder / BUILDS).mkdir(parents=True, exist_ok=True)
    _clear_leftovers(folder)
    incoming = Path(tempfile.mkdtemp(prefix=INCOMING, dir=folder))
    with warehouse.open() as connection:
        connection.begin()  # one state of the warehouse for all of them
        tables = [_export(connection, mart, incoming, folder / LATEST) for mart in marts]
        connection.rollback()
    for written in sorted(incoming.rglob("*")):
        written.chmod(FOLDER_MODE if written.is_dir() else READ_ONLY)
        _to_disk(written)
    incoming.chmod(FOLDER_MODE)
    build = _free_name(folder / BUILDS, now)
    incoming.rename(build)
    _to_disk(build.parent)
    _point_latest_to(folder, build)
    views = _write_views(folder, marts, tables, now)
    _forget_old_builds(folder)
    return PublishReport(build, views, tables, now)


def _export(connection: duckdb.DuckDBPyConnection, mart: Publishable, folder: Path, before: Path) -> PublishedTable:
    """Write a mart's files to ``folder``; months that ``before`` holds as they are now are taken from there."""
    table = f"marts.{_quoted(mart.name)}"
    if mart.published_by_month is None:
        file = folder / f"{mart.name}.parquet"
        rows = _copy(connection, table, file, "")
        return PublishedTable(mart.name, rows, file.stat().st_size)
    parts = folder / mart.name
    parts.mkdir()
    rows = 0
    for part in _months(connection, table, mart.published_by_month):
        file, known = parts / part.file, before / mart.name / part.file
        if part.content and known.exists() and _content_of(connection, known) == part.content:
            _link(known, file)
        else:
            _copy(connection, f"{table} WHERE {part.where}", file, part.content)
        rows += part.rows
    return PublishedTable(mart.name, rows, sum(file.stat().st_size for file in parts.iterdir()))


@dataclass(frozen=True, slots=True)
class _Month:
    """A month's rows of a mart: which these are, and ``content``, which is another when any of them is; '' for none."""

    file: str
    where: str
    rows: int
    content: str


def _months(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> list[_Month]:
    """The months of a mart; an empty mart has one without rows, so that its columns are known."""
    column = _quoted(column)
    query = f"""
        SELECT CAST(date_trunc('month', {column}) AS DATE), count(*), md5(concat(?, '|', count(*), '|', sum(hash(mart))))
        FROM {table} AS mart GROUP BY 1 ORDER BY 1
    """  # noqa: S608 - names from the project
    columns = str(connection.execute(f"DESCRIBE {table}").fetchall())
    found = connection.execute(query, [columns]).fetchall()
    months = []
    for first, rows, content in found or [(None, 0, "")]:
        if first is None:
            months.append(_Month("undated.parquet", f"{column} IS NULL", rows, content))
        else:
            # Bounds, not an expression of the column: other months' rows are not read.
            where = f"{column} >= DATE '{first}' AND {column} < DATE '{first}' + INTERVAL 1 MONTH"
            months.append(_Month(f"{first:%Y-%m}.parquet", where, rows, content))
    return months


def _copy(connection: duckdb.DuckDBPyConnection, rows: str, file: Path, content: str) -> int:
    # In a stated order, so that an unchanged mart gives an unchanged file.
    written = connection.execute(
        f"COPY (SELECT * FROM {rows} ORDER BY ALL) TO {_literal(file)} "  # noqa: S608
        f"(FORMAT parquet, COMPRESSION zstd, KV_METADATA {{content: {_literal(content)}}})"
    ).fetchall()
    return int(written[0][0])


def _content_of(connection: duckdb.DuckDBPyConnection, file: Path) -> str:
    found = connection.execute(
        "SELECT CAST(value AS VARCHAR) FROM parquet_kv_metadata(?) WHERE CAST(key AS VARCHAR) = 'content'", [str(file)]
    ).fetchall()
    return str(found[0][0]) if found else ""


def _link(known: Path, file: Path) -> None:
    try:
        file.hardlink_to(known)
    except OSError:  # a file system without links
        shutil.copyfile(known, file)


def _free_name(builds: Path, now: datetime) -> Path:
    stem = now.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    name, again = builds / stem, 1
    while name.exists():
        again += 1
        name = builds / f"{stem}-{again}"
    return name


def _point_latest_to(folder: Path, build: Path) -> None:
    link = folder / f"{INCOMING}{LATEST}"
    link.unlink(missing_ok=True)
    # Relative: the folder may be mounted elsewhere.
    link.symlink_to(build.relative_to(folder), target_is_directory=True)
    link.replace(folder / LATEST)
    _to_disk(folder)


def _write_views(folder: Path, marts: Sequence[Publishable], tables: Sequence[PublishedTable], now: datetime) -> Path:
    """The views are made anew each time: DuckDB keeps a view's column types, and a mart's may have changed."""
    scratch = Path(tempfile.mkdtemp(prefix=INCOMING, dir=folder))
    file = scratch / VIEWS_FILE
    connection = duckdb.connect(str(file), config=CONFIG)
    try:
        columns = ", ".join(f"{column.name} {column.type}" for column in PUBLISHED_TABLES)
        connection.execute(f"CREATE TABLE published_tables ({columns})")
        connection.execute("COMMENT ON TABLE published_tables IS 'What this file shows and when it was published (UTC).'")
        for mart, table in zip(marts, tables, strict=True):
            moment = now.astimezone(UTC).replace(tzinfo=None)
            connection.execute("INSERT INTO published_tables VALUES (?, ?, ?)", [table.name, table.rows, moment])
            files = f"{mart.name}.parquet" if mart.published_by_month is None else f"{mart.name}/*.parquet"
            _write_view(connection, mart, folder / LATEST / files)
    finally:
        connection.close()
    file.chmod(READ_ONLY)
    _to_disk(file)
    file.replace(folder / VIEWS_FILE)
    scratch.rmdir()
    _to_disk(folder)
    return folder / VIEWS_FILE


def _write_view(connection: duckdb.DuckDBPyConnection, mart: Publishable, file: Path) -> None:
    view = _quoted(mart.name)
    connection.execute(f"CREATE VIEW {view} AS SELECT * FROM read_parquet({_literal(file)})")  # noqa: S608 - a path of ours
    connection.execute(f"COMMENT ON VIEW {view} IS {_literal(mart.description)}")
    present = {row[0] for row in connection.execute(f"DESCRIBE {view}").fetchall()}
    for column, description in mart.columns.items():
        if column in present and description:
            connection.execute(f"COMMENT ON COLUMN {view}.{_quoted(column)} IS {_literal(description)}")


def _forget_old_builds(folder: Path) -> None:
    builds = sorted(path for path in (folder / BUILDS).iterdir() if path.is_dir())
    latest = (folder / LATEST).resolve()
    for build in builds[:-BUILDS_KEPT]:
        if build != latest:
            shutil.rmtree(build, ignore_errors=True)


def _clear_leftovers(folder: Path) -> None:
    for path in folder.glob(f"{INCOMING}*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _literal(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

"""SQL over the published marts."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import duckdb

from pipeline.commands.context import print_json, print_table
from pipeline.settings import Settings
from pipeline.store.published import open_published

# A query's result is read in steps of so many rows: a large one goes to a file in bounded memory.
STEP = 10_000


@click.command()
@click.argument("query", required=False)
@click.option(
    "--limit", default=200, show_default=True, help="Most rows on the screen; 0 for all. CSV, JSON and files get all."
)
@click.option("--csv", "is_csv", is_flag=True, help="Print CSV.")
@click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write a .csv or .parquet file instead.")
def sql(query: str | None, limit: int, is_csv: bool, is_json: bool, out: Path | None) -> None:
    """Ask the published marts: `fundingscout sql "SELECT …"`. Without QUERY, lists the tables.

    Reads the last published build, so it works while the service runs and holds up nothing. Nothing can be written, and no file
    outside the published folder can be read.
    """
    if out is not None and out.suffix not in {".csv", ".parquet"}:
        raise click.UsageError(f"{out.name}: --out writes .csv or .parquet; name the file so")
    with open_published(Settings().home / "published") as connection:
        if query is None:
            _list_tables(connection, is_json)
            return
        try:
            result = connection.sql(query)
        except duckdb.Error as error:
            raise click.UsageError(str(error)) from None
        if result is None:
            raise click.UsageError("that statement returns no rows; the published marts can only be asked (SELECT …)")
        _show(result, limit, is_csv, is_json, out)


def _list_tables(connection: duckdb.DuckDBPyConnection, is_json: bool) -> None:
    rows = connection.execute(
        "SELECT table_name, row_count, published_at, comment FROM published_tables "
        "LEFT JOIN duckdb_views() ON view_name = table_name ORDER BY table_name"
    ).fetchall()
    names = ["table", "rows", "published at", "what a row is"]
    if is_json:
        print_json([dict(zip((name.replace(" ", "_") for name in names), row, strict=True)) for row in rows])
        return
    print_table(names, [[*row[:2], f"{row[2]:%Y-%m-%d %H:%M}", _first_sentence(row[3])] for row in rows])


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").replace("*", "").split()).split(". ")[0][:100]


def _show(result: duckdb.DuckDBPyRelation, limit: int, is_csv: bool, is_json: bool, out: Path | None) -> None:
    if out is not None:
        _write(result, out)
    elif is_json:
        print_json([_nested(dict(zip(result.columns, row, strict=True))) for row in result.fetchall()])
    elif is_csv:
        _write_csv(result, sys.stdout)
    else:
        rows = (result.limit(limit + 1) if limit else result).fetchall()
        print_table(result.columns, [list(row) for row in (rows[:limit] if limit else rows)])
        if limit and len(rows) > limit:
            click.echo(f"… more rows; --limit 0 shows all, --out FILE.csv writes them (shown: {limit})", err=True)


def _nested(row: dict[str, Any]) -> dict[str, Any]:
    """``row`` with its columns of JSON (`evidence_json`, …) as what they hold, and not as text in quotes."""
    held = {name: value for name, value in row.items() if name.endswith("_json") and isinstance(value, str)}
    return row | {name: json.loads(value) for name, value in held.items()}


def _write(result: duckdb.DuckDBPyRelation, out: Path) -> None:
    if out.suffix == ".csv":
        with out.open("w", newline="", encoding="utf-8") as file:
            rows = _write_csv(result, file, _harmless)
    else:
        from pyarrow import parquet

        # Not COPY: the connection may touch the published folder alone.
        batches = result.to_arrow_reader(STEP)
        rows = 0
        with parquet.ParquetWriter(out, batches.schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
                rows += batch.num_rows
    click.echo(f"{rows} rows → {out}", err=True)


def _as_it_is(value: Any) -> Any:
    return value


def _harmless(value: Any) -> Any:
    """``value`` for a spreadsheet: text from outside that would be a formula there begins with an apostrophe (OWASP, "CSV
    Injection"). Standard output, JSON and Parquet have it as it is."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _write_csv(result: duckdb.DuckDBPyRelation, file: Any, shown: Callable[[Any], Any] = _as_it_is) -> int:
    writer = csv.writer(file, lineterminator="\n")  # what other tools of a shell expect
    writer.writerow(result.columns)
    count = 0
    for batch in result.to_arrow_reader(STEP):
        writer.writerows(zip(*(map(shown, column.to_pylist()) for column in batch.columns), strict=True))
        count += batch.num_rows
    return count

"""Matching files: accounts, contacts and rounds as CSV or Parquet in, matches out. For people and for benchmarks.

What belongs here: reading, setting bad rows aside with their line, writing. What does not: matching (engine).

Columns (others are ignored): accounts ``organization_id`` (optional), ``external_id``, ``name``, ``domain``; contacts
``organization_id`` (optional), ``external_id``, ``email``, ``account_external_id``; rounds ``id``, ``company_name``,
``website``, ``ceo_email``. Empty text is "not known". Files don't say how old a row is: ties go to the external id.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.matching.columns import company_domains, email_domains, in_pieces, normal_forms
from pipeline.matching.engine import MATCHER_VERSION, MatchedRow, MatchOptions, choose, find_all
from pipeline.matching.model import FoundMatch

PARQUET = {".parquet", ".pq"}
COLUMNS: dict[str, tuple[str, ...]] = {
    "accounts": ("organization_id", "external_id", "name", "domain"),
    "contacts": ("organization_id", "external_id", "email", "account_external_id"),
    "rounds": ("id", "company_name", "website", "ceo_email"),
}
NEEDED: dict[str, tuple[str, ...]] = {
    "accounts": ("external_id", "name"),
    "contacts": ("external_id",),
    "rounds": ("id", "company_name"),
}
OUTPUT = ("round_id", "organization_id", "match_type", "account_external_id", "contact_external_id", "score")
EXPLANATION = ("rule", "crm_value", "round_value", "reasons", "matcher_version")


class UnusableInput(ValueError):
    """A file that can't be matched as a whole. Its text says what was found and what to do."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was skipped: its file, its line (from 1, the header counted; for Parquet the row) and why."""

    file: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class FileReport:
    """What a matching of files did. ``matches`` rows were written, for ``pairs`` of organization and round."""

    accounts: int
    contacts: int
    rounds: int
    pairs: int
    matches: int
    seconds: float
    bad_rows: list[BadRow] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """The bad rows as sentences, in order of the files and lines."""
        return [f"{row.file}, line {row.line}: {row.reason}; skipped" for row in self.bad_rows]


def match_files(
    accounts: Path,
    contacts: Path | None,
    rounds: Path,
    out: Path,
    all_rows: bool = False,
    explain: bool = False,
    options: MatchOptions | None = None,
) -> FileReport:
    """Match the rows of files and write ``out``, CSV (or .csv.gz) or Parquet by its ending.

    One row per organization and round, or with ``all_rows`` every matched row once per path. ``explain`` adds the rule,
    the two values compared, the features that decided (JSON) and the matcher's version. Rows come in order of organization and
    round, best first. Raises UnusableInput (a column is
    missing, no readable Parquet) and OSError.
    """
    began = time.perf_counter()
    bad: list[BadRow] = []
    with duckdb.connect() as connection:
        counts = read_world(connection, accounts, contacts, rounds, bad)
        matched = find_all(connection, "rounds", "accounts", "contacts", options)
    chosen = choose(matched)
    rows = [_output(row) for row in (matched if all_rows else chosen)]
    _write(out, (*OUTPUT, *EXPLANATION) if explain else OUTPUT, rows)
    return FileReport(**counts, pairs=len(chosen), matches=len(rows), seconds=time.perf_counter() - began, bad_rows=bad)


def read_world(
    connection: duckdb.DuckDBPyConnection, accounts: Path, contacts: Path | None, rounds: Path, bad: list[BadRow] | None = None
) -> dict[str, int]:
    """Read files into the temp tables ``accounts``, ``contacts`` and ``rounds``, with their keys; gives how many rows each has.

    Rows that can't be used are added to ``bad``. Of rows with one id the last counts, as in an upsert (A-FS-15).
    """
    paths = {"accounts": accounts, "contacts": contacts, "rounds": rounds}
    found: dict[str, list[BadRow]] = {name: [] for name in paths}
    with ThreadPoolExecutor(max_workers=len(paths)) as threads:
        read = {name: threads.submit(_read_keyed, name, path, found[name]) for name, path in paths.items()}
        tables = {name: table.result() for name, table in read.items()}
    if bad is not None:
        bad += [row for rows in found.values() for row in rows]
    counts = {}
    for name, table in tables.items():
        counts[name] = table.num_rows
        key = "id" if name == "rounds" else "organization_id, external_id"
        connection.register("rows_of_file", table)
        repeated = connection.execute(f"SELECT 1 FROM rows_of_file GROUP BY {key} HAVING count(*) > 1 LIMIT 1").fetchall()
        last = f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY line DESC) = 1" if repeated else ""
        connection.execute(f"""
            CREATE TEMP TABLE {name} AS SELECT *, TIMESTAMP '1970-01-01' AS created_at FROM rows_of_file {last}
        """)
        connection.unregister("rows_of_file")
    return counts


def _read_keyed(name: str, path: Path | None, bad: list[BadRow]) -> pa.Table:
    return in_pieces(_with_keys(name, _read(name, path, bad)))


def _output(match: MatchedRow | FoundMatch) -> tuple[object, ...]:
    if isinstance(match, FoundMatch):
        reasons = match.all_matches[0].get("reasons")
        return (*_values(match), json.dumps(reasons) if reasons else None, match.matcher_version)
    return (*_values(match), match.reasons or None, MATCHER_VERSION)


def _values(match: MatchedRow | FoundMatch) -> tuple[object, ...]:
    return tuple(getattr(match, name) for name in (*OUTPUT, *EXPLANATION[:3]))


# --- reading ----------------------------------------------------------------------------------------------------------

Rows = Iterator[tuple[int, Sequence[str | None] | str]]  # (line, values in order of the columns, or what is wrong)


def _read(name: str, path: Path | None, bad: list[BadRow]) -> pa.Table:
    """The usable rows of a file, all columns as text (NULL: not known), with their line."""
    columns = COLUMNS[name]
    if path is not None and path.suffix.lower() not in PARQUET and (clean := _clean_csv(name, path)) is not None:
        return clean
    values: list[list[str | None]] = [[] for _ in columns]
    lines: list[int] = []
    if path is not None:
        needed = [columns.index(column) for column in NEEDED[name]]
        rows = _parquet_rows(name, path) if path.suffix.lower() in PARQUET else _csv_rows(name, path)
        for line, row in rows:
            reason = row if isinstance(row, str) else _problem(columns, needed, row)
            if reason is not None:
                bad.append(BadRow(path.name, line, reason))
                continue
            lines.append(line)
            for column, value in zip(values, row, strict=True):
                column.append(value)
    arrays = {column: pa.array(cells, pa.string()) for column, cells in zip(columns, values, strict=True)}
    return pa.table({**arrays, "line": pa.array(lines, pa.int64())})


def _clean_csv(name: str, path: Path) -> pa.Table | None:
    """The rows of a CSV file in which nothing is amiss, read at once; None where a row needs the slow reader's look."""
    with _open_text(path) as file:
        header = [title.strip() for title in next(csv.reader(file), [])]
    _check_columns(name, path, header)
    if len(header) < 2:  # an empty line would be a row
        return None
    places = {column: header.index(column) for column in COLUMNS[name] if column in header}
    wanted = ", ".join(
        f"c{places[column]} AS {column}" if column in places else f"NULL::VARCHAR AS {column}" for column in COLUMNS[name]
    )
    reader = (
        "read_csv($path, header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = '', "
        f"columns = {{{', '.join(f'c{n}: VARCHAR' for n in range(len(header)))}}})"
    )
    with duckdb.connect() as connection:
        try:
            table = connection.sql(f"SELECT {wanted} FROM {reader}", params={"path": str(path)}).to_arrow_table()
        except duckdb.Error:
            return None
    table = pa.table({column: _stripped(table[column]) for column in table.column_names})
    if any(table[column].null_count for column in NEEDED[name]):
        return None
    return table.append_column("line", pa.array(np.arange(2, table.num_rows + 2)))


def _stripped(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def _problem(columns: Sequence[str], needed: Sequence[int], row: Sequence[str | None]) -> str | None:
    for place in needed:
        if not row[place]:
            return f"{columns[place]} is empty"
    return None


def _csv_rows(name: str, path: Path) -> Rows:
    csv.field_size_limit(10_000_000)
    with _open_text(path) as file:
        reader = csv.reader(file)
        header = [title.strip() for title in next(reader, [])]
        places = [header.index(column) if column in header else None for column in COLUMNS[name]]
        _check_columns(name, path, header)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, UnicodeDecodeError) as error:
                yield line, f"unreadable: {error}"
                continue
            if not cells:
                continue
            if len(cells) != len(header):
                yield line, f"{len(cells)} cells where the header has {len(header)}"
                continue
            yield line, [None if place is None else cells[place].strip() or None for place in places]


def _open_text(path: Path) -> IO[str]:
    # What is no UTF-8 is kept as marks that no name or domain holds: the row stays, its line stays right.
    if path.suffix.lower() == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8-sig", errors="replace", newline="")
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def _parquet_rows(name: str, path: Path) -> Rows:
    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise UnusableInput(f"{path.name}: no readable Parquet ({error})") from None
    _check_columns(name, path, table.column_names)
    columns = [
        table[column].to_pylist() if column in table.column_names else [None] * table.num_rows for column in COLUMNS[name]
    ]
    for line, row in enumerate(zip(*columns, strict=True), 1):
        yield line, [None if value is None else str(value).strip() or None for value in row]


def _check_columns(name: str, path: Path, present: Sequence[str]) -> None:
    missing = [column for column in NEEDED[name] if column not in present]
    if missing:
        raise UnusableInput(
            f"{path.name}: no column {', '.join(missing)}; found {', '.join(present) or 'nothing'}. "
            f"The columns of {name} are {', '.join(COLUMNS[name])}."
        )


def _with_keys(name: str, table: pa.Table) -> pa.Table:
    """The table with the keys that rows are matched by; organization '' where the file knows none."""
    functions: dict[str, dict[str, tuple[str, Callable[[pa.ChunkedArray], pa.Array]]]] = {
        "accounts": {"name_key": ("name", normal_forms), "domain_key": ("domain", company_domains)},
        "contacts": {"email_domain_key": ("email", email_domains)},
        "rounds": {
            "name_key": ("company_name", normal_forms),
            "domain_key": ("website", company_domains),
            "email_domain_key": ("ceo_email", email_domains),
        },
    }
    # The work is done outside of Python for the most part, so two columns take little longer than one.
    with ThreadPoolExecutor(max_workers=2) as threads:
        made = {key: threads.submit(function, table[column]) for key, (column, function) in functions[name].items()}
        for key, column in made.items():
            table = table.append_column(key, column.result())
    if "organization_id" in table.column_names:
        place = table.column_names.index("organization_id")
        table = table.set_column(place, "organization_id", table["organization_id"].fill_null(""))
    return table


# --- writing ----------------------------------------------------------------------------------------------------------


def _write(path: Path, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    if path.suffix.lower() in PARQUET:
        places = range(len(columns))
        arrays = {columns[n]: pa.array([_plain(row[n]) for row in rows], _type(columns[n])) for n in places}
        pq.write_table(pa.table(arrays), path)
        return
    with (
        io.TextIOWrapper(gzip.open(path, "wb"), encoding="utf-8", newline="")
        if path.suffix.lower() == ".gz"
        else path.open("w", encoding="utf-8", newline="")
    ) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([[_cell(value) for value in row[: len(columns)]] for row in rows])


def _type(column: str) -> pa.DataType:
    return pa.float64() if column == "score" else pa.string()


def _plain(value: object) -> object:
    return value if isinstance(value, float) or value is None else str(value)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)

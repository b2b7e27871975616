"""CRM files: CSV, JSON Lines and Parquet as rows with line numbers, and what their columns mean.

What belongs here: reading and recognising files. What does not: validation (rows) and writing (imports).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from pipeline.crm.json_text import JsonRow, row_of_text
from pipeline.crm.rows import ACCOUNT_FIELDS, CONTACT_FIELDS

LAYOUTS = Path(__file__).with_name("data") / "layouts.yaml"
FIELDS = {"account": (*ACCOUNT_FIELDS, "metadata"), "contact": (*CONTACT_FIELDS, "metadata")}
DELIMITERS = ",;\t|"
SNIFFED_CHARACTERS = 64 * 1024
LONGEST_FIELD = 10_000_000  # characters; the csv module's own limit is 131,072
# Where a cell may hold several values, and what stands between them.
LIST_FIELDS = {"email": r"[;,\s]+", "domain": r"[;,\s]+", "account_external_id": ";"}
CSV_ENDINGS = {".csv", ".tsv", ".txt"}
JSON_ENDINGS = {".jsonl", ".ndjson"}
PARQUET_ENDINGS = {".parquet", ".pq"}


class UnreadableFile(ValueError):
    """A CRM file that can't be used as a whole. Its text says what was found and what to do."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the columns of a file mean. ``columns``: field to column name; ``keeps_rest``: other columns become metadata."""

    name: str
    kind: str  # account, contact
    columns: Mapping[str, str]
    keeps_rest: bool = False


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of a file: its first line (from 1, the header counted; for Parquet the row), its fields, or what was wrong."""

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)  # the exact JSON text of values, where the file is JSON
    metadata_text: str | None = None
    problem: str | None = None
    source: str = ""  # the row as text, for the record of rejects


@dataclass(frozen=True, slots=True)
class CrmFile:
    """A file that was recognised: its layout and its rows, read as they are asked for."""

    layout: Layout
    rows: Iterator[FileRow]


def open_file(
    path: Path, kind: str | None = None, mapping: Mapping[str, str] | None = None, keep_rest: bool | None = None
) -> CrmFile:
    """Recognise a file and read it. ``kind`` is account or contact; ``mapping`` says which column holds which field.

    Without a mapping the layout is recognised from the headers. ``keep_rest`` puts the columns beyond the mapping into
    metadata; without it the layout decides. Raises UnreadableFile (unknown ending or layout, broken Parquet, no rows at all)
    and OSError.
    """
    ending = _ending(path)
    if ending in JSON_ENDINGS:
        lines = _read_text(path).split("\n")
        layout = find_layout(path.name, _json_headers(lines), kind, mapping)
        raw_rows = _json_rows(lines)
    elif ending in PARQUET_ENDINGS:
        table = _read_parquet(path)
        layout = find_layout(path.name, table.column_names, kind, mapping)
        raw_rows = _parquet_rows(table)
    elif ending in CSV_ENDINGS:
        text = _read_text(path)
        headers, records = _csv_records(path.name, text)
        layout = find_layout(path.name, headers, kind, mapping)
        raw_rows = _csv_rows(headers, records)
    else:
        raise UnreadableFile(f"{path.name}: unknown ending {ending!r}; use .csv, .tsv, .jsonl or .parquet (.gz is fine)")
    if keep_rest is not None:
        layout = Layout(layout.name, layout.kind, layout.columns, keep_rest)
    return CrmFile(layout, (_map(row, layout) for row in raw_rows))


def find_layout(
    file_name: str, headers: list[str], kind: str | None = None, mapping: Mapping[str, str] | None = None
) -> Layout:
    """The layout that headers show, or that ``mapping`` (field to column) gives. Raises UnreadableFile if none fits."""
    if mapping:
        return _given_layout(file_name, headers, kind, mapping)
    present = {_plain(header): header for header in headers}
    for layout in _known_layouts():
        if kind is not None and layout.kind != kind:
            continue
        found = _recognised(layout, present)
        if found is not None:
            return found
    raise UnreadableFile(
        f"{file_name}: the columns are those of no layout we know. Found: {', '.join(map(repr, headers)) or 'none'}. "
        "Name the columns, for instance --kind account --map external_id='Company ID' --map name=Company --map domain=Website. "
        f"Fields of an account: {', '.join(FIELDS['account'])}; of a contact: {', '.join(FIELDS['contact'])}."
    )


@dataclass(frozen=True, slots=True)
class _KnownLayout:
    name: str
    kind: str
    fields: Mapping[str, tuple[str, ...]]
    needs: tuple[str, ...]
    keeps_rest: bool


def _given_layout(file_name: str, headers: list[str], kind: str | None, mapping: Mapping[str, str]) -> Layout:
    if kind is None:
        kind = "contact" if set(mapping) & (set(CONTACT_FIELDS) - set(ACCOUNT_FIELDS)) else "account"
    unknown = sorted(set(mapping) - set(FIELDS[kind]))
    if unknown:
        raise UnreadableFile(f"{file_name}: an {kind} has no field {', '.join(unknown)}; its fields: {', '.join(FIELDS[kind])}")
    present = {_plain(header): header for header in headers}
    missing = sorted(column for column in mapping.values() if _plain(column) not in present)
    if missing:
        raise UnreadableFile(f"{file_name}: no column {', '.join(map(repr, missing))}; found: {', '.join(map(repr, headers))}")
    return Layout("given", kind, {name: present[_plain(column)] for name, column in mapping.items()})


def _recognised(layout: _KnownLayout, present: Mapping[str, str]) -> Layout | None:
    columns = {
        name: next((present[title] for title in titles if title in present), None) for name, titles in layout.fields.items()
    }
    found = {name: column for name, column in columns.items() if column is not None}
    if all(name in found for name in layout.needs):
        return Layout(layout.name, layout.kind, found, layout.keeps_rest)
    return None


@cache
def _known_layouts() -> tuple[_KnownLayout, ...]:
    data = yaml.safe_load(LAYOUTS.read_text(encoding="utf-8"))
    return tuple(
        _KnownLayout(
            entry["name"],
            entry["kind"],
            {name: tuple(_plain(title) for title in titles) for name, titles in entry["fields"].items()},
            tuple(entry["needs"]),
            entry["keeps_rest"],
        )
        for entry in data
    )


def _plain(header: str) -> str:
    """A header as it is compared: case, spaces, underscores and dashes make no difference."""
    return "".join(c for c in header.casefold() if c not in " _-\t")


def _map(row: FileRow, layout: Layout) -> FileRow:
    if row.problem is not None:
        return row
    values = {name: _field(name, row.values.get(column)) for name, column in layout.columns.items()}
    text: str | None = None
    if "metadata" in layout.columns and values["metadata"] is not None:
        text = row.texts.get(layout.columns["metadata"])
    elif layout.keeps_rest:
        text = _rest_as_json(row, set(layout.columns.values()))
    return FileRow(row.line, values, row.texts, text, None, row.source)


def _field(name: str, value: Any) -> Any:
    """A cell as its field: numbers that are ids become text, of a list the first counts, blank is nothing."""
    if name == "metadata":
        return value if value != "" else None
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        value = f"{value:f}" if isinstance(value, Decimal) else str(value)
    if not isinstance(value, str):
        return value
    if name in LIST_FIELDS:
        value = next((part for part in re.split(LIST_FIELDS[name], value) if part.strip()), "")
    return value.strip() or None


def _rest_as_json(row: FileRow, used: set[str]) -> str | None:
    """The columns that are no field, as the text of a JSON object; None if they are all blank."""
    members = [
        f"{json.dumps(name, ensure_ascii=False)}:{row.texts.get(name) or json.dumps(value, ensure_ascii=False, default=str)}"
        for name, value in row.values.items()
        if name not in used and value not in (None, "")
    ]
    return "{" + ",".join(members) + "}" if members else None


# --- the formats ------------------------------------------------------------------------------------------------------


def _ending(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _read_bytes(path: Path) -> bytes:
    data = path.read_bytes()
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError) as error:
        raise UnreadableFile(f"{path.name}: broken gzip ({error})") from None


def _read_text(path: Path) -> str:
    """The text of a file: UTF-8, UTF-16 by its mark, else Windows-1252, which spreadsheets write."""
    data = _read_bytes(path)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _csv_records(file_name: str, text: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The headers, and (first line, cells) of each record after them that is not blank."""
    csv.field_size_limit(LONGEST_FIELD)
    records = _numbered(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=False))
    for _, headers in records:
        return [header.strip() for header in headers], records
    raise UnreadableFile(f"{file_name}: the file is empty")


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        if any(cell.strip() for cell in cells):
            yield line, cells


def _delimiter(text: str) -> str:
    """The delimiter that splits the header into most cells; a comma if none does."""
    start = text[:SNIFFED_CHARACTERS]
    cells = {
        sign: len(next(filter(None, csv.reader(io.StringIO(start, newline=""), delimiter=sign)), [])) for sign in DELIMITERS
    }
    return max(DELIMITERS, key=lambda sign: cells[sign])


def _csv_rows(headers: list[str], records: Iterator[tuple[int, list[str]]]) -> Iterator[FileRow]:
    for line, cells in records:
        source = json.dumps(cells, ensure_ascii=False)
        if len(cells) > len(headers) and any(cell.strip() for cell in cells[len(headers) :]):
            yield FileRow(line, problem=f"row has {len(cells)} cells, the header {len(headers)}", source=source)
            continue
        yield FileRow(line, dict(zip(headers, cells, strict=False)), source=source)


def _json_headers(lines: list[str]) -> list[str]:
    """The members of the first line that is an object."""
    for line in lines:
        if line.strip():
            try:
                row = row_of_text(line)
            except ValueError:
                continue
            if isinstance(row, JsonRow):
                return list(row)
    return []


def _json_rows(lines: list[str]) -> Iterator[FileRow]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = row_of_text(line)
        except ValueError as error:
            yield FileRow(number, problem=f"no JSON: {error}", source=line)
            continue
        if isinstance(row, JsonRow):
            yield FileRow(number, dict(row), row.texts, source=line)
        else:
            yield FileRow(number, problem="row must be a JSON object", source=line)


def _read_parquet(path: Path) -> pa.Table:
    try:
        return pq.read_table(pa.BufferReader(_read_bytes(path)))
    except pa.ArrowException as error:
        raise UnreadableFile(f"{path.name}: no readable Parquet ({error})") from None


def _parquet_rows(table: pa.Table) -> Iterator[FileRow]:
    number = 0
    for batch in table.to_batches(max_chunksize=1_000):
        for values in batch.to_pylist():
            number += 1
            yield FileRow(number, values, source=json.dumps(values, ensure_ascii=False, default=str))

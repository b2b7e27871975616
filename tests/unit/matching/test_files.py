"""Matching files: columns, bad rows, both formats."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.matching.engine import MATCHER_VERSION, MatchOptions
from pipeline.matching.files import BadRow, UnusableInput, match_files

ACCOUNTS = "organization_id,external_id,name,domain\nnorth,a1,Brightloom Inc,https://brightloom.ai\nnorth,a2,Quorvexa LLC,\n"
CONTACTS = "organization_id,external_id,email,account_external_id\nnorth,c1,jo@brightloom.ai,a1\nsouth,c1,jo@quorvexa.com,a2\n"
ROUNDS = "id,company_name,website,ceo_email\nr1,Brightloom,brightloom.ai,\nr2,Quorvexa,,ceo@quorvexa.com\n"
PAGES_RULE = MatchOptions(fuzzy=False)  # equality has round scores


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path, Path]:
    paths = tuple(tmp_path / f"{name}.csv" for name in ("accounts", "contacts", "rounds", "out"))
    for path, text in zip(paths, (ACCOUNTS, CONTACTS, ROUNDS), strict=False):
        path.write_text(text)
    return paths  # type: ignore[return-value]


def test_one_row_per_organization_and_round(files: tuple[Path, Path, Path, Path]) -> None:
    report = match_files(*files, options=PAGES_RULE)
    assert files[3].read_text().splitlines() == [
        "round_id,organization_id,match_type,account_external_id,contact_external_id,score",
        "r1,north,account_domain,a1,,1.0000",
        "r2,north,account_name,a2,,0.9900",
        "r2,south,email_domain,,c1,0.9900",
    ]
    assert (report.accounts, report.contacts, report.rounds, report.pairs, report.matches) == (2, 2, 2, 3, 3)


def test_all_rows_with_their_explanation(files: tuple[Path, Path, Path, Path]) -> None:
    report = match_files(*files, all_rows=True, explain=True, options=PAGES_RULE)
    assert (report.pairs, report.matches) == (3, 5)
    lines = files[3].read_text().splitlines()
    assert lines[1:4] == [
        f"r1,north,account_domain,a1,,1.0000,equal_domain,brightloom.ai,brightloom.ai,,{MATCHER_VERSION}",
        f"r1,north,email_domain,a1,c1,1.0000,equal_domain,brightloom.ai,brightloom.ai,,{MATCHER_VERSION}",
        f"r1,north,account_name,a1,,0.9900,equal_name,Brightloom Inc,Brightloom,,{MATCHER_VERSION}",
    ]


def test_bad_rows_are_reported_with_their_line_and_skipped(files: tuple[Path, Path, Path, Path]) -> None:
    files[0].write_text('external_id,name\na1,"Bright\nloom"\n,Nameless\na3\na4,Quorvexa\n')
    report = match_files(*files)
    assert report.bad_rows == [
        BadRow("accounts.csv", 4, "external_id is empty"),
        BadRow("accounts.csv", 5, "1 cells where the header has 2"),
    ]
    assert report.problems[0] == "accounts.csv, line 4: external_id is empty; skipped"
    assert report.accounts == 2


def test_without_organization_all_rows_are_of_one(files: tuple[Path, Path, Path, Path]) -> None:
    files[0].write_text("external_id,name,domain\na1,Other,brightloom.ai\n")
    files[1].write_text("external_id,email,account_external_id\nc1,jo@brightloom.ai,a1\n")
    match_files(*files)
    assert files[3].read_text().splitlines()[1:] == ["r1,,account_domain,a1,,1.0000"]


def test_of_rows_with_one_id_the_last_counts(files: tuple[Path, Path, Path, Path]) -> None:
    files[0].write_text("external_id,name,domain\na1,Other,brightloom.ai\na1,Other,elsewhere.example\n")
    files[1].write_text("external_id,email\n")
    match_files(*files)
    assert files[3].read_text().splitlines()[1:] == []


def test_parquet_and_gzip_by_ending(files: tuple[Path, Path, Path, Path], tmp_path: Path) -> None:
    accounts, out = tmp_path / "accounts.parquet", tmp_path / "out.parquet"
    pq.write_table(pa.table({"external_id": [1, 2], "name": ["Brightloom", None], "domain": [None, None]}), accounts)
    rounds = tmp_path / "rounds.csv.gz"
    rounds.write_bytes(gzip.compress(ROUNDS.encode()))
    report = match_files(accounts, None, rounds, out, options=PAGES_RULE)
    assert report.bad_rows == [BadRow("accounts.parquet", 2, "name is empty")]
    assert pq.read_table(out).to_pylist() == [
        {
            "round_id": "r1",
            "organization_id": "",
            "match_type": "account_name",
            "account_external_id": "1",
            "contact_external_id": None,
            "score": 0.99,
        }
    ]


@pytest.mark.parametrize("text", ["", "id,company\n1,x\n"])
def test_a_missing_column_is_named_with_what_was_found(files: tuple[Path, Path, Path, Path], text: str) -> None:
    files[0].write_text(text)
    with pytest.raises(UnusableInput, match=r"accounts\.csv: no column external_id, name; found"):
        match_files(*files)


def test_explained_rows_say_what_decided(files: tuple[Path, Path, Path, Path]) -> None:
    match_files(*files, explain=True)
    header, *rows = list(csv.reader(files[3].read_text().splitlines()))
    by_name = next(dict(zip(header, row, strict=True)) for row in rows if row[2] == "account_name")
    assert (by_name["rule"], by_name["matcher_version"]) == ("equal_name", MATCHER_VERSION)
    assert json.loads(by_name["reasons"])["is_equal"] > 0


def test_a_clean_file_and_one_with_a_bad_row_give_the_same_matches(files: tuple[Path, Path, Path, Path]) -> None:
    """Clean files are read at once, others row by row."""
    rows = ['"Bright ""Loom"" Inc"', "  Quorvexa\u00a0", "Zantriq\nBioleva", "O'Vogt; Söhne"]
    lines = "".join(f'o,a{n},"{name.strip(chr(34))}",\n' for n, name in enumerate(rows))
    matches = []
    for extra in ("", "o,bad\n"):
        files[0].write_text("organization_id,external_id,name,domain\n" + lines + extra)
        report = match_files(*files, all_rows=True, explain=True)
        assert len(report.bad_rows) == (1 if extra else 0)
        assert report.accounts == len(rows)
        matches.append(files[3].read_text())
    assert matches[0] == matches[1]
    assert "Quorvexa," in matches[0]


@pytest.mark.parametrize("text", ["a,b\n\xff,x\n", "external_id,name\n\xff1,Brightloom\n"])
def test_bytes_that_are_no_utf8_lose_no_row(files: tuple[Path, Path, Path, Path], text: str) -> None:
    files[0].write_bytes(text.replace("a,b", "external_id,name").encode("latin-1"))
    assert match_files(*files).accounts == 1

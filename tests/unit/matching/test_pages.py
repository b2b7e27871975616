"""The FundingScout pages' own rules as a profile: FSV-9, FSV-10, FSV-11, A-FS-26."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest

from pipeline.matching import pages
from pipeline.matching.engine import PAGES, MatchOptions
from pipeline.matching.files import match_files

ACCOUNTS = ("organization_id", "external_id", "name", "domain")
CONTACTS = ("organization_id", "external_id", "email", "account_external_id")
ROUNDS = ("id", "company_name", "website", "ceo_email")


def value(expression: str, text: str) -> object:
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT {expression} FROM (SELECT $1::VARCHAR AS t)", [text]).fetchall()[0][0]


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("https://www.Brightloom.AI/about", "brightloom.ai"),
        ("http://brightloom.ai?x=1", "brightloom.ai"),
        ("brightloom.ai#top", "brightloom.ai"),
        ("support.brightloom.ai", "support.brightloom.ai"),
        ("vogt.github.io", "vogt.github.io"),
        ("co.uk", "co.uk"),
        ("", None),
    ],
)
def test_domains_lose_scheme_path_and_www_and_nothing_else(typed: str, domain: str | None) -> None:
    """FSV-10"""
    assert value(pages.domain("t"), typed) == domain


@pytest.mark.parametrize(
    ("email", "domain"),
    [("Sarah@Brightloom.AI", "brightloom.ai"), ("a@gmail.com", None), ("a@GMX.com", None), ("a@gmx.de", "gmx.de"), ("a", None)],
)
def test_addresses_at_seventeen_providers_are_left_out(email: str, domain: str | None) -> None:
    """FSV-10"""
    assert len(set(pages.FREE_MAIL)) == 17
    assert value(pages.email_domain("t"), email) == domain


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Brightloom AI, Inc.", "brightloom ai"),
        ("Oak & Harbor Holdings, LP", "oak harbor"),
        ("Cisco", "cisco"),
        ("Visa Inc", "visa"),
        ("Bäckerei Vogt Ltd", "bäckerei vogt"),
        ("Inc", "inc"),
        ("!", None),
    ],
)
def test_names_lose_eight_legal_suffixes_as_whole_words(name: str, form: str | None) -> None:
    """FSV-11, A-FS-26"""
    assert value(pages.name("t"), name) == form


def write(path: Path, columns: tuple[str, ...], *rows: tuple[str, ...]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def test_the_profile_matches_as_the_pages_say(tmp_path: Path) -> None:
    """FSV-9: by domain before e-mail before name; names for accounts without a domain alone; no e-mail of the CEO."""
    accounts = write(
        tmp_path / "a.csv", ACCOUNTS,
        ("one", "a1", "Brightloom", "https://www.brightloom.ai"),
        ("two", "a2", "Other", "support.brightloom.ai"),
        ("three", "a3", "Brightloom, Inc.", ""),
        ("four", "a4", "Brightloom", "elsewhere.example"),
        ("five", "a5", "Bright Loom", ""),
        ("six", "a6", "Sixth", ""),
    )  # fmt: skip
    contacts = write(
        tmp_path / "c.csv", CONTACTS,
        ("one", "c1", "jo@brightloom.ai", ""), ("six", "c6", "jo@brightloom.ai", "a6"), ("seven", "c7", "jo@ceo.example", ""),
    )  # fmt: skip
    rounds = write(tmp_path / "r.csv", ROUNDS, ("r1", "Brightloom", "https://brightloom.ai/", "ceo@ceo.example"))
    out = tmp_path / "out.csv"
    match_files(accounts, contacts, rounds, out, explain=True, options=MatchOptions(rules=PAGES))
    with out.open() as file:
        found = {
            row["organization_id"]: (row["match_type"], row["account_external_id"], row["contact_external_id"], row["rule"])
            for row in csv.DictReader(file)
        }
    assert found == {
        "one": ("account_domain", "a1", "", "pages_domain"),
        "three": ("account_name", "a3", "", "pages_name"),
        "six": ("email_domain", "a6", "c6", "pages_domain"),
    }

"""A domain that many different names claim is no key; a group of companies under one roof is no such domain."""

from __future__ import annotations

import random
from collections.abc import Iterator

import duckdb
import pytest

from pipeline.matching.engine import MatchedRow
from pipeline.matching.model import MatchType
from pipeline.matching.shared_domains import MANY_NAMES, Claims, without_shared

STRANGERS = ["harbour", "lantern", "meadow", "copper", "walnut", "granite", "juniper", "saffron", "tundra", "velvet"]


class Crm:
    """Accounts, contacts and one round in memory, and the rows that matched the round's domain ``brightloom.com``."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        for table, columns in {
            "accounts": ("organization_id", "external_id", "name_key", "domain_key"),
            "contacts": ("organization_id", "external_id", "account_external_id", "email_domain_key"),
        }.items():
            self.connection.execute(f"CREATE TABLE {table} ({' VARCHAR, '.join(columns)} VARCHAR)")
        self.connection.execute("CREATE TABLE rounds AS SELECT 'r1' AS id, 'brightloom' AS name_key")
        self.matched: list[MatchedRow] = []

    def account(self, name: str, org: str = "north", domain: str | None = "brightloom.com") -> str:
        external_id = f"{org}-{name}"
        self.connection.execute("INSERT INTO accounts VALUES (?, ?, ?, ?)", [org, external_id, name, domain]).fetchall()
        if domain:
            self._match(MatchType.ACCOUNT_DOMAIN, org, external_id, None)
        return external_id

    def contact(self, external_id: str, link: str | None, org: str = "north") -> None:
        self.connection.execute("INSERT INTO contacts VALUES (?, ?, ?, 'brightloom.com')", [org, external_id, link]).fetchall()
        self._match(MatchType.EMAIL_DOMAIN, org, link, external_id)

    def _match(self, kind: MatchType, org: str, account: str | None, contact: str | None) -> None:
        row = MatchedRow("r1", org, kind, account, contact, 1.0, "equal_domain", "brightloom.com", "brightloom.com", None)
        self.matched.append(row)

    def kept(self) -> list[str | None]:
        rows = without_shared(self.connection, self.matched, "rounds", Claims("accounts", "contacts", "accounts"))
        return [row.contact_external_id or row.account_external_id for row in rows]


@pytest.fixture
def crm() -> Iterator[Crm]:
    made = Crm()
    yield made
    made.connection.close()


def test_a_domain_claimed_by_many_different_names_is_no_key(crm: Crm) -> None:
    for name in STRANGERS[:MANY_NAMES]:
        crm.account(f"{name} works")
    assert crm.kept() == []


def test_below_that_many_it_still_is_one(crm: Crm) -> None:
    for name in STRANGERS[: MANY_NAMES - 1]:
        crm.account(f"{name} works")
    assert len(crm.kept()) == MANY_NAMES - 1


def test_the_company_whose_domain_it_is_stays_matched_among_them(crm: Crm) -> None:
    for name in STRANGERS:
        crm.account(f"{name} works")
    own = crm.account("brightloom holdings")
    assert crm.kept() == [own]


def test_a_group_of_companies_under_one_domain_is_not_shared(crm: Crm) -> None:
    for name in STRANGERS:
        crm.account(f"brightloom {name}")
    crm.account("lantern")
    assert len(crm.kept()) == len(STRANGERS) + 1


def test_no_partner_takes_a_key_from_another(crm: Crm) -> None:
    for name in STRANGERS:
        crm.account(f"{name} works", org="careless")
    crm.account("loom and sons", org="careful")
    assert crm.kept() == ["careful-loom and sons"]


def test_one_stranger_each_in_many_crms_is_a_parked_domain(crm: Crm) -> None:
    for number, name in enumerate(STRANGERS):
        crm.account(f"{name} works", org=f"org{number}")
    assert crm.kept() == []


def test_many_crms_that_know_the_company_by_one_name_are_no_sign_of_parking(crm: Crm) -> None:
    for number in range(20):
        crm.account("woven light", org=f"org{number}")
    assert len(crm.kept()) == 20


def test_an_unlisted_mail_provider_shows_by_the_accounts_its_addresses_are_linked_to(crm: Crm) -> None:
    for number, name in enumerate(STRANGERS):
        crm.contact(f"c{number}", crm.account(f"{name} works", domain=None))
    crm.contact("alone", None)
    crm.contact("own", crm.account("brightloom", domain=None))
    assert crm.kept() == ["own"]


def test_the_order_of_rows_leaves_no_trace(crm: Crm) -> None:
    for name in STRANGERS:
        crm.account(f"{name} works")
    own = crm.account("brightloom")
    random.Random(7).shuffle(crm.matched)
    assert crm.kept() == [own]


def test_name_matches_are_left_alone(crm: Crm) -> None:
    for name in STRANGERS:
        crm.account(f"{name} works")
    by_name = MatchedRow("r1", "north", MatchType.ACCOUNT_NAME, "a", None, 0.99, "equal_name", "Brightloom", "Brightloom", None)
    crm.matched.append(by_name)
    assert crm.kept() == ["a"]

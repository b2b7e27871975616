"""The match engine on small CRMs of invented companies: FS-73 to FS-77, FSV-9 to FSV-11, A-FS-4, A-FS-26."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from pipeline.matching.domains import company_domain, email_domain
from pipeline.matching.engine import MatchedRow, MatchOptions, choose, find_all
from pipeline.matching.model import FoundMatch, MatchType
from pipeline.matching.names import normal_form

DAY_1, DAY_2 = datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2026-01-02")


def account(external_id: str, name: str, domain: str | None = None, org: str = "north", at: datetime = DAY_1) -> dict[str, Any]:
    return {
        "organization_id": org,
        "external_id": external_id,
        "name": name,
        "name_key": normal_form(name),
        "domain_key": company_domain(domain),
        "created_at": at,
    }


def contact(external_id: str, email: str, link: str | None = None, org: str = "north", at: datetime = DAY_1) -> dict[str, Any]:
    return {
        "organization_id": org,
        "external_id": external_id,
        "email_domain_key": email_domain(email),
        "account_external_id": link,
        "created_at": at,
    }


def funding(round_id: str, name: str, website: str | None = None, ceo_email: str | None = None) -> dict[str, Any]:
    return {
        "id": round_id,
        "company_name": name,
        "name_key": normal_form(name),
        "domain_key": company_domain(website),
        "email_domain_key": email_domain(ceo_email),
    }


STRING, TIME = pa.string(), pa.timestamp("us")
ROUNDS = pa.schema(dict.fromkeys(("id", "company_name", "name_key", "domain_key", "email_domain_key"), STRING))
ACCOUNTS = pa.schema(
    dict.fromkeys(("organization_id", "external_id", "name", "name_key", "domain_key"), STRING) | {"created_at": TIME}
)
CONTACTS = pa.schema(
    dict.fromkeys(("organization_id", "external_id", "email_domain_key", "account_external_id"), STRING) | {"created_at": TIME}
)


def matched(
    rounds: list[dict[str, Any]],
    accounts: list[dict[str, Any]],
    contacts: list[dict[str, Any]] | None = None,
    options: MatchOptions | None = None,
) -> list[MatchedRow]:
    with duckdb.connect() as connection:
        connection.register("rounds", pa.Table.from_pylist(rounds, ROUNDS))
        connection.register("accounts", pa.Table.from_pylist(accounts, ACCOUNTS))
        connection.register("contacts", pa.Table.from_pylist(contacts or [], CONTACTS))
        return find_all(connection, "rounds", "accounts", "contacts", options)


def one(*arguments: Any, **named: Any) -> FoundMatch | None:
    found = choose(matched(*arguments, **named))
    assert len(found) <= 1
    return found[0] if found else None


ROUND = funding("r1", "Brightloom AI", "https://www.Brightloom.ai/about")


def test_account_domain_matches_the_rounds_website() -> None:
    """FS-73, vendor example 1"""
    match = one([ROUND], [account("a1", "Something else", "app.brightloom.ai")])
    assert match is not None
    assert (match.match_type, match.account_external_id, match.contact_external_id) == (MatchType.ACCOUNT_DOMAIN, "a1", None)
    assert (match.score, match.rule, match.crm_value, match.round_value) == (
        1.0,
        "equal_domain",
        "brightloom.ai",
        "brightloom.ai",
    )


def test_email_domain_matches_a_contact_without_account() -> None:
    """FS-74, vendor example 2"""
    match = one([ROUND], [], [contact("c1", "Sarah@Brightloom.AI")])
    assert match is not None
    assert (match.match_type, match.account_external_id, match.contact_external_id) == (MatchType.EMAIL_DOMAIN, None, "c1")


def test_email_domain_matches_the_domain_of_the_ceos_address() -> None:
    match = one([funding("r1", "Brightloom AI", None, "ceo@brightloom.ai")], [], [contact("c1", "sarah@brightloom.ai")])
    assert match is not None
    assert (match.rule, match.score) == ("equal_domain_of_ceo_email", 0.99)


def test_private_address_is_covered_by_its_account() -> None:
    """Vendor example 3"""
    match = one([ROUND], [account("a1", "Brightloom AI", "brightloom.ai")], [contact("c1", "jane@gmail.com", "a1")])
    assert match is not None
    assert (match.match_type, match.account_external_id, match.contact_external_id) == (MatchType.ACCOUNT_DOMAIN, "a1", None)
    assert all(row["contact_external_id"] is None for row in match.all_matches)


def test_account_name_matches_without_legal_form() -> None:
    """FS-75, FSV-11, vendor example 4"""
    match = one([ROUND], [account("a1", "Brightloom AI, Inc.")])
    assert match is not None
    assert (match.match_type, match.rule, match.crm_value) == (MatchType.ACCOUNT_NAME, "equal_name", "Brightloom AI, Inc.")


@pytest.mark.parametrize(("link", "told"), [("a1", "a1"), ("a9", None), (None, None)])
def test_a_contacts_account_is_told_only_if_it_exists(link: str | None, told: str | None) -> None:
    accounts = [account("a1", "Unrelated Bakery"), account("a9", "Other partner's", org="south")]
    match = one([ROUND], accounts, [contact("c1", "sarah@brightloom.ai", link)])
    assert match is not None
    assert (match.account_external_id, match.contact_external_id) == (told, "c1")


def test_free_mail_round_and_contact_do_not_meet() -> None:
    """FSV-10"""
    assert one([funding("r1", "Brightloom AI", None, "ceo@gmail.com")], [], [contact("c1", "jane@gmail.com")]) is None


def test_domain_before_email_before_name_and_all_are_listed() -> None:
    """FSV-9, A-FS-4"""
    accounts = [account("name", "Brightloom AI"), account("domain", "Unrelated", "brightloom.ai", at=DAY_2)]
    match = one([ROUND], accounts, [contact("mail", "sarah@brightloom.ai")])
    assert match is not None
    assert [row["match_type"] for row in match.all_matches] == ["account_domain", "email_domain", "account_name"]
    assert match.all_matches[0]["account_external_id"] == match.account_external_id == "domain"
    without_domain = one([ROUND], accounts[:1], [contact("mail", "sarah@brightloom.ai")])
    assert without_domain is not None
    assert without_domain.match_type == MatchType.EMAIL_DOMAIN


def test_ties_go_to_the_oldest_row_then_to_the_external_id() -> None:
    """A-FS-4"""
    accounts = [
        account("a0", "X", "brightloom.ai", at=DAY_2),
        account("a3", "Y", "brightloom.ai"),
        account("a2", "Z", "brightloom.ai"),
    ]
    match = one([ROUND], accounts)
    assert match is not None
    assert [row["account_external_id"] for row in match.all_matches] == ["a2", "a3", "a0"]


def test_one_match_per_organization_and_round() -> None:
    """FS-61, FS-77"""
    accounts = [account("a1", "Brightloom AI", "brightloom.ai", org) for org in ("south", "north")]
    rounds = [ROUND, funding("r0", "Brightloom AI", "brightloom.ai")]
    found = choose(matched(rounds, accounts))
    assert [(match.organization_id, match.round_id) for match in found] == [
        ("north", "r0"),
        ("north", "r1"),
        ("south", "r0"),
        ("south", "r1"),
    ]


def test_names_don_t_match_where_domains_contradict() -> None:
    assert one([ROUND], [account("a1", "Brightloom AI", "brightloom-lamps.example")]) is None
    same_brand = one([ROUND], [account("a1", "Brightloom AI", "brightloom.de")])
    assert same_brand is not None
    assert same_brand.match_type == MatchType.ACCOUNT_NAME


def test_spacing_alone_is_no_difference() -> None:
    match = one([funding("r1", "BrightLoomAI")], [account("a1", "Bright Loom AI Ltd")])
    assert match is not None
    assert match.rule == "equal_name_spacing"
    assert 0.8 <= match.score < 1


@pytest.mark.parametrize(
    ("company", "crm_name", "crm_domain"),
    [
        ("Quorvexa", "Quorvexa Software", "quorvexa.com"),
        ("Brightloom", "Brightloom AI", "https://www.brightloom.com/"),
    ],
)
def test_a_domain_that_is_the_whole_name_carries_a_longer_name(company: str, crm_name: str, crm_domain: str) -> None:
    match = one([funding("r1", company)], [account("a1", crm_name, crm_domain)])
    assert match is not None
    assert match.rule == "fuzzy_name"
    assert 0.8 <= match.score < 1


def test_rare_words_weigh_more_than_one_and_the_threshold_decides() -> None:
    def score(company: str, crm_name: str) -> float:
        match = one([funding("r1", company)], [account("a1", crm_name)], options=MatchOptions(threshold=0.001))
        return match.score if match else 0.0

    assert score("Zantriq Bioleva", "Zantriq Bioleva Services") > score("Quorvexa", "Quorvexa Services")
    assert score("Quorvexa", "Quorvexa Services") > score("Mercury", "Mercury Services")
    assert one([funding("r1", "Quorvexa")], [account("a1", "Quorvexa Services")]) is None


@pytest.mark.parametrize(
    ("company", "crm_name"),
    [
        ("Bolt", "Bolt Threads"),
        ("Mercury", "Mercury Insurance"),
        ("Delta Systems", "Elta Systems"),
        ("Vanda Pharmaceuticals", "Handa Pharmaceuticals"),
        ("University of Northmoor", "Northmoor Community College"),
        ("Global Solutions", "Global Energy Solutions"),
        ("Visa", "Vi"),
        ("Cisco", "Cis Co"),
        ("Clear", "Clearance Warehouse"),
    ],
)
def test_words_that_many_companies_share_carry_no_match(company: str, crm_name: str) -> None:
    """A-FS-26"""
    assert one([funding("r1", company)], [account("a1", crm_name)]) is None


def test_equality_alone_where_fuzzy_is_off() -> None:
    """A-FS-23: the page's own rule"""
    rows = [account("a1", "Quorvexa Software", "quorvexa.com")]
    assert one([funding("r1", "Quorvexa")], rows) is not None
    assert one([funding("r1", "Quorvexa")], rows, options=MatchOptions(fuzzy=False)) is None


def test_names_without_letters_match_nothing() -> None:
    assert one([funding("r1", "!!!")], [account("a1", "???")]) is None


def test_the_order_of_rows_leaves_no_trace() -> None:
    words = ["Quorvexa", "Zantriq", "Bioleva", "Mistralume", "Software", "Labs", "Health"]
    pick = random.Random(7)
    accounts = [
        account(f"a{n}", " ".join(pick.sample(words, 2)), pick.choice([None, "quorvexa.com", "zantriq.io"]), pick.choice("xy"))
        for n in range(60)
    ]
    contacts = [
        contact(f"c{n}", f"p@{pick.choice(['quorvexa.com', 'zantriq.io', 'gmail.com'])}", f"a{n}", "x") for n in range(20)
    ]
    rounds = [funding(f"r{n}", pick.choice(words[:4]), pick.choice([None, "quorvexa.com"])) for n in range(8)]
    first = choose(matched(rounds, accounts, contacts))
    assert len(first) > 5
    for _ in range(3):
        for rows in (accounts, contacts, rounds):
            pick.shuffle(rows)
        assert choose(matched(rounds, accounts, contacts)) == first


def test_empty_sides_give_nothing() -> None:
    assert matched([], [], []) == []
    assert matched([ROUND], [], []) == []
    assert matched([], [account("a1", "Brightloom AI")], []) == []


@pytest.mark.parametrize(
    ("ceo_email", "found"), [("jo@harbour.edu", 1), ("jo@brightloom.com", 0), (None, 0), ("jo@arbour.edu", 0)]
)
def test_a_department_is_its_university_only_for_whom_the_ceo_writes_from_there(ceo_email: str | None, found: int) -> None:
    rounds = [funding("r1", "Brightloom", "robotics.harbour.edu", ceo_email)]
    assert len(matched(rounds, [account("a1", "Harbour University", "harbour.edu")])) == found


def test_scholars_profiles_are_not_the_network_that_hosts_them() -> None:
    assert company_domain("https://www.academia.edu/journals") == "academia.edu"
    assert company_domain("https://harbour.academia.edu/JoVogt") == "harbour.academia.edu"

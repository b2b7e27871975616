"""Short news: launches with money, who took part in whose round, loans beside a round and in its place. All texts are invented."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipeline.signals.company import find_company
from pipeline.signals.document_cues import find_cues
from pipeline.signals.headline import parse_headline
from pipeline.signals.investors import find_backers
from pipeline.signals.money import find_money
from pipeline.signals.rounds_named import find_type
from pipeline.signals.text import read


def _cues(title: str, body: str) -> dict[str, str]:
    text = read(title, body)
    return find_cues(text, parse_headline(text.title))[0]


def _backers(body: str) -> list[str]:
    text = read("Quernstone raises $4M", body)
    found = find_backers(text, parse_headline(text.title), "Quernstone")
    return found.leads + found.others


@pytest.mark.parametrize(
    "body",
    [
        "Quernstone launched on Tuesday with a $90 million series A from Oldmoor Ventures.",
        "Quernstone has launched with $85 million in series A money from Oldmoor Ventures.",
        "Quernstone made its debut this week with a $90 million series A from Oldmoor Ventures.",
        "Quernstone emerged from stealth with $12 million in seed funding from Oldmoor Ventures.",
        "Oldmoor Ventures and Ferrymead have committed $150 million in series A financing to launch Quernstone.",
        "Oldmoor Ventures took part in a $14m series A round for Quernstone.",
    ],
)
def test_a_launch_with_a_round_tells_all_in_one_sentence(body: str) -> None:
    assert {"event_lead_full", "says_raised_lead", "lead_tells_all"} <= _cues("Meal worms are on the menu", body).keys()


@pytest.mark.parametrize(
    ("title", "body", "name"),
    [
        (
            "Oldmoor backs maker of straw yarn",
            "Oldmoor took part in a $14m round for Quernstone, a maker of yarn.",
            "Quernstone",
        ),
        (
            "Farm newcomer debuts",
            "Oldmoor has committed $150 million in series A financing to launch Quernstone Mills.",
            "Quernstone Mills",
        ),
        ("Yarn start-up breaks cover", "Quernstone came out of stealth with a $22m Series A from Oldmoor.", "Quernstone"),
        (
            "Two funds back Belgian yarn startup",
            "Quernstone has received €2.4 million from Oldmoor and Ferrymead.",
            "Quernstone",
        ),
        ("Quernstone opens its doors with $75M", "", "Quernstone"),
    ],
)
def test_the_body_names_whom_the_headline_describes(title: str, body: str, name: str) -> None:
    text = read(title, body)
    found = find_company(text, parse_headline(text.title), (0,))
    assert found is not None
    assert found.name == name


def test_a_launch_with_much_money_is_money_news_and_one_with_a_rebate_is_not() -> None:
    assert parse_headline("Quernstone launches with $60M").side == "company"
    assert parse_headline("New phone debuts with $100 rebate").side == "none"


@pytest.mark.parametrize(("written", "currency"), [("SKr42m", "SEK"), ("Skr23.8m", "SEK"), ("NKr60m", "NOK"), ("DKr5m", "DKK")])
def test_crowns_as_the_british_press_writes_them(written: str, currency: str) -> None:
    (money,) = find_money(f"Quernstone raises {written} for yarn")
    assert money.currency == currency
    assert money.amount >= Decimal(5_000_000)


@pytest.mark.parametrize(
    "lead",
    [
        "Quernstone has raised $4 million in venture debt from Oldmoor.",
        "Quernstone has raised S$5.5 million ($4 million) in venture debt from Oldmoor.",
        "Oldmoor Ventures has closed its third fund at $4 million.",
        "Quernstone was awarded $4 million by the state.",
    ],
)
def test_the_lead_says_that_the_headlines_money_is_no_round(lead: str) -> None:
    assert "title_money_other" in _cues("Quernstone raises $4 million from Oldmoor", lead)


@pytest.mark.parametrize(
    "lead",
    [
        "Quernstone has raised $4 million in debt and equity.",
        "Quernstone has raised $4 million in Series A funding, and $2 million in venture debt.",
        "Quernstone has raised $9 million in venture debt, months after other news.",
    ],
)
def test_a_loan_beside_the_round_or_of_another_amount_says_nothing_of_the_headlines_money(lead: str) -> None:
    assert "title_money_other" not in _cues("Quernstone raises $4 million from Oldmoor", lead)


def test_debt_speaks_against_a_round_only_where_no_round_is_told_in_full() -> None:
    loan = "The round includes a loan from a public bank."
    assert "debt_terms" not in _cues("Quernstone completes seed", f"Quernstone has completed a $1.2 million seed round. {loan}")
    assert "debt_terms" in _cues("Quernstone completes deal", f"Quernstone has completed a deal. {loan}")


def test_what_the_text_calls_a_facility_is_a_loan() -> None:
    body = "A maker of mills has secured growth capital from Oldmoor. The bridge financing facility provides it with cash."
    assert "title_money_other" in _cues("Mill maker secures growth financing from Oldmoor", body)


def test_with_is_an_event_only_where_money_follows() -> None:
    body = "Quernstone's fundraising platform lets people be angel investors with investments as small as Rs 5,000."
    assert "event_lead" not in _cues("Quernstone's founder is 16", body)


def test_what_was_not_previously_reported_is_told_now() -> None:
    text = read(
        "Quernstone nabs $70M: CEO", "It has closed Series C funding of $70 million, which had not been previously reported."
    )
    found = find_type(text, parse_headline(text.title), 0, (0,))
    assert found is not None
    assert found.slug == "series-c"
    assert "event_lead" in _cues(text.title, text.body)


@pytest.mark.parametrize(
    ("sentence", "names"),
    [
        ("It launched with a $90 million series A led by Oldmoor, with Ferrymead also in.", ["Oldmoor", "Ferrymead"]),
        ("The raise includes $50 million in Series B equity led by Oldmoor.", ["Oldmoor"]),
        ("It came out of stealth with a $22m Series A from Oldmoor.", ["Oldmoor"]),
        ("It has raised £11 million in equity and debt from Oldmoor and Ferrymead.", ["Oldmoor", "Ferrymead"]),
        ("Oldmoor and Ferrymead joined a €5m round for the company.", ["Oldmoor", "Ferrymead"]),
        ("Oldmoor has taken part in the round, as has Ferrymead.", ["Oldmoor"]),
    ],
)
def test_investors_of_short_news(sentence: str, names: list[str]) -> None:
    assert _backers(f"Quernstone makes yarn. {sentence}") == names


def test_a_citys_funding_is_a_statistic_and_a_company_named_like_a_city_has_a_stage() -> None:
    assert "title_market_stat" in _cues("Austin's $8B VC funding boosts innovation", "")
    assert "title_market_stat" not in _cues("Phoenix's $8M seed round to help farmers", "")

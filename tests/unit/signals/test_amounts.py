"""The money announced now, among the other amounts of a text."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipeline.signals.amounts import Amount, find_amount, role_of
from pipeline.signals.document_cues import find_cues
from pipeline.signals.headline import parse_headline
from pipeline.signals.money import find_money
from pipeline.signals.text import read


def amount_of(title: str, body: str = "") -> Amount | None:
    text = read(title, body)
    headline = parse_headline(text.title)
    return find_amount(text, headline, find_cues(text, headline)[1])


@pytest.mark.parametrize(
    ("sentence", "role"),
    [
        ("Acme has raised $5 million in seed funding", "announced"),
        ("Sales platform Acme raises $5m", "announced"),
        ("bringing its total funding to $40 million", "total"),
        ("Acme has raised $40 million to date", "total"),
        ("at a valuation of $300 million", "valuation"),
        ("securing $20 million at a valuation of $95 million", "announced"),
        ("in the $12 billion milling market", "market"),
        ("with annual revenue of $9 million", "revenue"),
        ("$9 million in annual recurring revenue", "revenue"),
        ("a fund with $2 billion in assets under management", "fund"),
        ("plus a $3 million loan", "debt"),
        ("sold for $12 per share", "price"),
        ("following a $2 million seed round last year", "past"),
    ],
)
def test_roles_of_amounts(sentence: str, role: str) -> None:
    monies = find_money(sentence)
    assert role_of(sentence, monies[0], monies) == role


def test_the_title_gives_the_amount() -> None:
    found = amount_of("Acme raises $5M seed round", "Acme has raised $5 million. It now has raised $9 million in total.")
    assert found is not None
    assert found.claim.money.amount == Decimal(5_000_000)


def test_a_total_in_the_title_gives_way_to_the_round_in_the_body() -> None:
    body = (
        "Acme today announced an $11.5 million Series A round led by Oldmoor. The round brings its total "
        "funding to $27 million."
    )
    found = amount_of("Acme lands $27M for its pumps", body)
    assert found is not None
    assert found.claim.money.amount == Decimal(11_500_000)


@pytest.mark.parametrize(
    "sentence",
    ["The raise brings its total funding to $80 million.", "The new funds bring the total raised to $80 million.",
     "Acme has raised a total of $80 million to date."],
)  # fmt: skip
def test_what_all_rounds_come_to_is_no_rounds_amount(sentence: str) -> None:
    assert amount_of("Oldmoor invests in Acme", f"Acme has closed an investment from Oldmoor. {sentence}") is None


def test_a_total_that_is_the_news_is_the_amount() -> None:
    found = amount_of("Oldmoor invests in Acme", "Acme has raised a total of $7 million in a seed round led by Oldmoor.")
    assert found is not None
    assert found.claim.money.amount == Decimal(7_000_000)


def test_money_in_its_own_currency_goes_before_its_conversion() -> None:
    found = amount_of("Acme raises $6.8M for pumps", "Acme has raised CHF 6.2M ($6.8M) in a seed round.")
    assert found is not None
    assert (found.claim.money.amount, found.claim.money.currency, found.stated_usd) == (
        Decimal(6_200_000),
        "CHF",
        Decimal(6_800_000),
    )


def test_a_text_that_states_no_round_amount_has_none() -> None:
    assert (
        amount_of("Acme closes seed round", "The milling market is worth $12 billion. Acme closed a seed round led by Oldmoor.")
        is None
    )

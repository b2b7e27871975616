"""Trade letters (biotech, devices, food, Africa) and what looks like them, invented: classes that rules-6 misread at first."""

from __future__ import annotations

import pytest

from pipeline.signals.extract import extract
from pipeline.signals.jsonl import document_of
from pipeline.signals.model import Mention
from pipeline.signals.rates import reference_rates


def reading(title: str, body: str = "") -> Mention:
    return extract(document_of({"id": "n", "title": title, "body": body, "url": ""}), reference_rates())


def names(found: Mention) -> list[str]:
    return sorted(each.name for each in found.investors)


@pytest.mark.parametrize(
    ("beginning", "city", "country"),
    [
        (
            "Lensora (Fresno, California), a maker of lenses, reported that it has raised $24 million in a Series B.",
            "Fresno",
            "US",
        ),
        ("Lensora Inc., of Zug, Switzerland, said it closed a $24 million Series B.", "Zug", "CH"),
        ("Lensora GmbH, of South San Francisco, said it closed a $24 million Series B.", "South San Francisco", "US"),
        ("The Buffalo, N.Y.-based lens maker Lensora has raised $24 million in a Series B.", "Buffalo", "US"),
        ("Cameroonian fintech Lensora has closed a Series B of $24 million.", None, "CM"),
    ],
)
def test_a_trade_letter_gives_the_place_beside_the_name(beginning: str, city: str | None, country: str) -> None:
    found = reading("Lensora raises $24 million", f"{beginning} The money pays for a trial.")
    assert (found.city, found.country) == (city, country)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "New investors Larkhill and Bonn Ventures joined current investors Peakline and Gilden Partners in the round.",
            ["Bonn Ventures", "Gilden Partners", "Larkhill", "Peakline"],
        ),
        (
            "Existing investors Peakline, Larkhill and Gilden Partners all invested too.",
            ["Gilden Partners", "Larkhill", "Peakline"],
        ),
        (
            "Two new investors, Bonn Ventures and Larkhill, joined previous investors in the round.",
            ["Bonn Ventures", "Larkhill"],
        ),
        (
            "Larkhill Fund contributed $500,000 to the Series B, and Bonn Ventures joined.",
            ["Bonn Ventures", "Larkhill Fund"],
        ),
        (
            "Bonn Ventures provided the startup with $20 million.",
            ["Bonn Ventures"],
        ),
        ("The round was strongly supported by current investors Peakline and Bonn Ventures.", ["Bonn Ventures", "Peakline"]),
        (
            "The round was backed by Ada Okoro, co-founder of Duka, Douala Angels Network, Peakline and other private investors.",
            ["Ada Okoro", "Douala Angels Network", "Peakline"],
        ),
    ],
)
def test_who_joined_whom(sentence: str, expected: list[str]) -> None:
    found = reading("Lensora raises $24 million Series B", f"Lensora has raised $24 million in a Series B. {sentence}")
    assert sorted({*names(found), *found.angels}) == expected


def test_money_from_two_banks_with_a_conversion_between() -> None:
    found = reading(
        "Imagix secures C$5.1M",
        "TORONTO – Imagix Inc. has secured C$5.1 million (US$4 million) from the Maple Bank and Peakline.",
    )
    assert names(found) == ["Maple Bank", "Peakline"]
    # The text's own conversion counts before any table of rates, also where the title gives none.
    assert (found.amount, found.currency, found.amount_usd) == (5_100_000, "CAD", 4_000_000)


@pytest.mark.parametrize(
    ("title", "body"),
    [
        (
            "Hotel site Bunkora raises $3M",
            "Hotel site Bunkora has raised $3 million in venture debt from InnoLend, the two said today.",
        ),
        (
            "Ferncliff Capital raises $800 million",
            "Ferncliff Capital, the climate-focused VC firm, has raised $800 million in capital.",
        ),
        ("Larkspur raises $620M for Larkspur Growth IV", ""),
        ("ASX-listed Datavane raised $1.3bn for new halls", ""),
        ("Google invests $1B in data centres", ""),
        ("Steelmaker invests $2B in quantum", ""),
        ("Oak Capital lends $1B to Lensora", ""),
        ("Kickstarter campaign for a smart kettle raises $2M", ""),
        ("Series A funding explained", ""),
    ],
)
def test_what_else_the_money_is(title: str, body: str) -> None:
    assert not reading(title, body).is_funding


@pytest.mark.parametrize(
    ("title", "company", "amount"),
    [
        ("How Lensora went from a garage to a $46M Series B", "Lensora", 46_000_000),
        ("Lensora is now worth $1.2B after a fresh $150M round", "Lensora", 150_000_000),
        ("AI platform Lensora raises $5.5m as it frees sales & presales teams from drudgery", "Lensora", 5_500_000),
        ("Lensora, a startup that sells presents for babies, raises a further £5M", "Lensora", 5_000_000),
        ("Bonn Ventures invests $7 million in seed funding into pea producer Lensora", "Lensora", 7_000_000),
        ("Bonn Ventures et al pump $250m into Lensora", "Lensora", 250_000_000),
    ],
)
def test_rounds_whose_headline_has_a_word_of_other_news(title: str, company: str, amount: int) -> None:
    found = reading(title)
    assert (found.is_funding, found.company_name, found.amount) == (True, company, amount)


def test_a_feature_tells_its_round_in_one_deep_paragraph() -> None:
    found = reading(
        "The sisters who teach forklifts to see",
        "Forklifts hurt thousands each year. The Dyns know: their father drove one.\nSo they built Truckara, a camera.\n"
        "Two ports use it. A third has ordered forty.\n"
        "To build more, Truckara has raised a €12 million seed round. Peakline led it, with Bonn Ventures participating.\n"
        "A lighter model comes in May.",
    )
    assert (found.is_funding, found.company_name, found.amount, found.funding_type) == (True, "Truckara", 12_000_000, "seed")

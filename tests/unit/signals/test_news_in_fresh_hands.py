"""Ways of telling a round that sets of fresh news showed (docs/maintainers/extraction.md); all sentences are invented."""

from __future__ import annotations

import pytest

from pipeline.signals.detect import detect
from pipeline.signals.headline import parse_headline
from pipeline.signals.investors import find_backers
from pipeline.signals.location import find_location
from pipeline.signals.people import find_ceo
from pipeline.signals.text import read


def _backers(body: str, title: str = "Quernstone raises $4M") -> tuple[list[str], list[str]]:
    text = read(title, body)
    found = find_backers(text, parse_headline(text.title), "Quernstone")
    return found.leads, found.others


@pytest.mark.parametrize(
    ("sentence", "names"),
    [
        ("Oldmoor, the Peakline Fund and Ferrymead also came in on the round.", ["Oldmoor", "Peakline Fund", "Ferrymead"]),
        ("Oldmoor and 3tarn doubled down on Friday's round.", []),  # on something: no deed of an investor
        ("Existing backers Oldmoor and 3tarn doubled down.", ["Oldmoor", "3tarn"]),
        ("Oldmoor and Ferrymead were among the new investors.", ["Oldmoor", "Ferrymead"]),
        ("All investors from the prior round – Oldmoor and Ferrymead – joined the financing.", ["Oldmoor", "Ferrymead"]),
        ("Oldmoor, Ferrymead and business angels complete the consortium.", ["Oldmoor", "Ferrymead"]),
        ("Other investors that took part include Oldmoor and Ferrymead.", ["Oldmoor", "Ferrymead"]),
        ("Also on the cap table: Oldmoor, Ferrymead and Gullwick.", ["Oldmoor", "Ferrymead", "Gullwick"]),
        ("New investors included Oldmoor, funds managed by Ferrymead, and a large U.S.-based fund.", ["Oldmoor", "Ferrymead"]),
        (
            "The round drew participation from Norway's Oldmoor and Gullwick's Ferrymead Ventures.",
            ["Oldmoor", "Ferrymead Ventures"],
        ),
        ("It raised $4 million from local climate investor Oldmoor, Icefall.vc and 8tarn.", ["Oldmoor", "Icefall.vc", "8tarn"]),
        ("The company is also backed by Oldmoor and Ferrymead.", []),  # history, not this round
    ],
)
def test_investors_are_told_by_what_they_do(sentence: str, names: list[str]) -> None:
    leads, others = _backers(f"Quernstone has closed its seed round. {sentence}")
    assert leads + others == names


def test_another_round_in_the_same_sentence_lends_no_names() -> None:
    leads, others = _backers(
        "The round was led by Oldmoor, which previously backed Gullwick, following an earlier investment from Hexby Capital."
    )
    assert (leads, others) == (["Oldmoor"], [])


def test_a_lead_may_be_marked_in_the_list_or_named_at_the_headlines_end() -> None:
    assert _backers("Investors: Oldmoor (lead), Ferrymead, Gullwick.") == (["Oldmoor"], ["Ferrymead", "Gullwick"])
    assert _backers("", "Quernstone in $4M seed round; Oldmoor leads")[0] == ["Oldmoor"]


def test_whom_the_lead_came_with_followed() -> None:
    leads, others = _backers("Oldmoor led the round with Ferrymead and Gullwick.")
    assert (leads, others) == (["Oldmoor"], ["Ferrymead", "Gullwick"])


@pytest.mark.parametrize(
    ("title", "body", "is_round"),
    [
        ("Quernstone raises Rs 40 crore funds from Oldmoor, others", "", True),
        ("Quernstone bags £42m funding round after reportedly facing closure", "", True),
        ("Quernstone raises $5M in Series A equity and $15M in debt", "", True),
        ("Quernstone, a Reno maker of mills, raised $9M in Series A funding. Gullwick Health Fund led.", "", True),
        ("St. Osyth College raises $40 million in capital campaign", "", False),
        ("Ferrymead hospice raises €300,000 at annual swim", "", False),
    ],
)
def test_what_else_a_headline_says_is_weighed_where_it_belongs(title: str, body: str, is_round: bool) -> None:
    text = read(title, body)
    assert detect(text, parse_headline(text.title)).is_round is is_round


@pytest.mark.parametrize(
    ("title", "body", "city", "country"),
    [
        ("Porto's Quernstone raises €2M", "Portuguese startup Quernstone has raised €2 million.", "Porto", "PT"),
        (
            "Quernstone raises €2M",
            "Quernstone, an Estonian mill maker, has raised €2M. The Tallinn startup employs 40.",
            "Tallinn",
            "EE",
        ),
        (
            "Quernstone raises CHF 2M",
            "LAUSANNE, Switzerland, 3 March 2026 - Quernstone SA has raised CHF 2 million.",
            "Lausanne",
            "CH",
        ),
    ],
)
def test_a_nation_is_not_the_end_of_the_search_for_a_city(title: str, body: str, city: str, country: str) -> None:
    text = read(title, body)
    found = find_location(text, parse_headline(text.title), "Quernstone")
    assert found is not None
    assert (found.place.city, found.place.country) == (city, country)


@pytest.mark.parametrize(
    "sentence",
    [
        "Sales begin in Germany, chief executive Ana Pohl told us.",
        "The company, whose CEO is Ana Pohl, has 20 staff.",
        "Its CEO, Ana Pohl, was a miller.",
        "It was begun by Ana Pohl, who started in a shed and is its chief executive.",
    ],
)
def test_the_chief_executive_is_named_in_many_ways(sentence: str) -> None:
    found = find_ceo(read("Quernstone raises $4M", f"Quernstone has raised $4 million. {sentence}"), "Quernstone")
    assert found is not None
    assert found.name == "Ana Pohl"


def test_a_former_chief_executive_of_another_company_is_none() -> None:
    text = read(
        "Quernstone raises $4M", "John Roe, formerly president and CEO of Gullwick Inc., was appointed chairman of Quernstone."
    )
    assert find_ceo(text, "Quernstone") is None

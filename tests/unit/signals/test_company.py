"""The company's name out of headlines and leads."""

from __future__ import annotations

import pytest

from pipeline.signals.company import find_company, name_in
from pipeline.signals.headline import parse_headline
from pipeline.signals.text import read


@pytest.mark.parametrize(
    ("phrase", "name"),
    [
        ("Quernstone", "Quernstone"),
        ("Village milling platform Quernstone", "Quernstone"),
        ("Pune-based agritech startup Quernstone Mills", "Quernstone Mills"),
        ("Mumbai-Based Quernstone", "Quernstone"),
        ("Oldmoor-backed sexual wellness brand Bold Ember", "Bold Ember"),
        ("German AI startup Quernstone", "Quernstone"),
        ("India's Quernstone", "Quernstone"),
        ("Quernstone, the French startup behind the app Mealy,", "Quernstone"),
        ("Quernstone, a ClassPass-like service for mills,", "Quernstone"),
        ("Quernstone Labs, Inc.", "Quernstone Labs"),
        ("The Happy Mill Company", "The Happy Mill Company"),
        ("3Grind", "3Grind"),
        ("Despite dusty markets, Quernstone", "Quernstone"),
        ("Flour, bread and pastry site Quernstone", "Quernstone"),
    ],
)
def test_descriptions_are_stripped_from_names(phrase: str, name: str) -> None:
    assert name_in(phrase) == name


@pytest.mark.parametrize(
    ("title", "body", "name"),
    [
        ("Oldmoor leads $10M Series A for Quernstone's Milling App", "", "Quernstone"),
        ("Oldmoor invests $20M in mill maker Quernstone to grind more", "", "Quernstone"),
        ("Ex-baker Jo Doe raises $3M for his new startup Quernstone", "", "Quernstone"),
        (
            "quernly joins the race to grind, as it raises $2.5M",
            "quernly, a Zurich robot maker, said so. quernly grinds. Today quernly has raised $2.5M.",
            "quernly",
        ),
        (
            "This founder grew up with millers",
            "Quernstone, the milling startup, has raised $4 million in seed funding. Quernstone grinds.",
            "Quernstone",
        ),
        ("QUERNSTONE RAISES $4M", "Quernstone has raised $4 million.", "Quernstone"),
        ("Deal of the Morning: Quernstone raises $4M", "", "Quernstone"),
        ("Payments infrastructure: Quernstone closes €4M Series B", "", "Quernstone"),
        ("Quernstone: Flour raises $4M", "Quernstone: Flour is new. Quernstone raised $4M.", "Quernstone"),
        ("Peakline, Oldmoor pour $7M into Bangladesh’s Quernstone", "", "Quernstone"),
        ("Peakline, Oldmoor back Quernstone’s $9 million Series A", "", "Quernstone"),
        ("Peakline backs Quernstone's seed", "", "Quernstone"),
        ("Actor Priya Rao backs coffee chain Quern Brew in Rs 70-crore Series B1 round", "", "Quern Brew"),
        (
            "Peakline doubles down on Quernstone with $40M Series A",
            "Peakline has put more money into Quernstone. Quernstone, a bank for millers, said so.",
            "Quernstone",
        ),
        (
            "Quernstone doubles down on Flour with $40M Series A",
            "Quernstone has raised $40 million. Quernstone grinds Flour.",
            "Quernstone",
        ),
        (
            "Peakline leads $225M funding round for Tallowgate rival L1",
            "Peakline leads a round of $225 million for a new network. The funding is being provided to Quernstone Labs, of Bern.",
            "Quernstone Labs",
        ),
        ("Mealworks co-founder Jane Quill's Quernstone raises $12M seed", "", "Quernstone"),
        ("Serial entrepreneur Abel Zorn’s Oldmoor-incubated Quernstone raises $30M", "", "Quernstone"),
        ("Jane Quill's Quernstone raises $12M seed round", "", "Quernstone"),
        ("Happy Miller's Kitchen raises $12M seed round", "", "Happy Miller's Kitchen"),
        ("Quernstone's oversubscribed $135M series C backs sleep candidate", "", "Quernstone"),
        ("Quernstone is backed by Oldmoor in $53M Series A", "", "Quernstone"),
    ],
)
def test_a_company_is_found(title: str, body: str, name: str) -> None:
    text = read(title, body)
    found = find_company(text, parse_headline(text.title), (0,) if body else ())
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "title", ["Edtech platform raises $4.5M to teach pottery", "Repeat founder raises $10M seed for a pump startup"]
)
def test_a_description_without_a_name_names_nobody(title: str) -> None:
    text = read(title, "")
    assert find_company(text, parse_headline(text.title)) is None


def test_agreement_of_title_and_body_is_noted() -> None:
    text = read("Quernstone raises $4M", "Quernstone grinds flour.")
    found = find_company(text, parse_headline(text.title))
    assert found is not None
    assert found.in_both

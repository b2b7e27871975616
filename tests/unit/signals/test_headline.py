"""Who does what to which money, in a headline."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.signals.headline import parse_headline, strip_tags


@pytest.mark.parametrize(
    ("title", "side", "subject"),
    [
        ("Quernstone raises $4M to grind flour", "company", "Quernstone"),
        ("Quernstone Bags Rs 12 Cr In Pre-Series A", "company", "Quernstone"),
        ("Quernstone secures strategic investment from Oldmoor", "company", "Quernstone"),
        ("Oldmoor leads $10M Series A for Quernstone", "investor", "Oldmoor"),
        ("Oldmoor invests $20M in mill maker Quernstone", "investor", "Oldmoor"),
        ("Quernstone's $6 Million Funding Feeds Village Bakers", "nominal", "Quernstone"),
        ("Quernstone grinds out a $1.8M pre-seed round", "company", "Quernstone"),
        ("Quernstone opens a second mill", "none", ""),
        ("A$13m boost for Quernstone", "nominal", "Quernstone"),
        ("Quernstone is backed by Oldmoor in $53M Series A", "company", "Quernstone"),
        ("Quernstone's oversubscribed $135M series C backs sleep candidate", "nominal", "Quernstone"),
        ("Oldmoor backs Quernstone's $9 million Series A", "investor", "Oldmoor"),
    ],
)
def test_sides_of_a_headline(title: str, side: str, subject: str) -> None:
    headline = parse_headline(title)
    assert (headline.side, headline.subject) == (side, subject)


@pytest.mark.parametrize(
    "title",
    [
        "[Funding alert] Acme raises $3M",
        "Exclusive: Acme raises $3M",
        "[Update] Exclusive: Acme raises $3M",
        "Acme raises $3M | Daily",
    ],
)
def test_labels_and_outlets_are_no_part_of_a_headline(title: str) -> None:
    assert strip_tags(title) == "Acme raises $3M"


def test_the_money_after_the_verb_is_the_object() -> None:
    money = parse_headline("At $2B valuation, Acme raises $30M Series C").money_after_verb
    assert money is not None
    assert int(money.amount) == 30_000_000


@given(st.text())
def test_parsing_is_total_and_stripping_idempotent(title: str) -> None:
    parse_headline(title)
    assert strip_tags(strip_tags(title)) == strip_tags(title)

"""Leads, other investors and angels (FS-52)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.signals.headline import parse_headline
from pipeline.signals.investors import Backers, find_backers, parse_names
from pipeline.signals.text import read


def backers_of(body: str, title: str = "Quernstone raises $4M seed round") -> Backers:
    text = read(title, body)
    return find_backers(text, parse_headline(text.title), "Quernstone")


@pytest.mark.parametrize(
    ("phrase", "names"),
    [
        ("Oldmoor Partners, Tallow & Co and Vantreux Growth", ["Oldmoor Partners", "Tallow & Co", "Vantreux Growth"]),
        ("existing investor Oldmoor Partners and new backer Vantreux", ["Oldmoor Partners", "Vantreux"]),
        ("New York-based venture firm Oldmoor Partners", ["Oldmoor Partners"]),
        ("Oldmoor Partners, the venture arm of a bank, and Vantreux Growth", ["Oldmoor Partners", "Vantreux Growth"]),
        ("Oldmoor (Berlin), Vantreux、Tallowgate", ["Oldmoor", "Vantreux", "Tallowgate"]),
        ("Mealworks founder Jane Quill", ["Jane Quill"]),
        ("Existing backers Oldmoor Partners and Vantreux", ["Oldmoor Partners", "Vantreux"]),
        ("New Oldmoor Partners", ["New Oldmoor Partners"]),
        ("tallow.gate and Oldmoor", ["tallow.gate", "Oldmoor"]),
        ("several undisclosed investors", []),
        ("Venture capital firm Oldmoor and life sciences investment firm Vantreux Bio", ["Oldmoor", "Vantreux Bio"]),
        ("Life sciences investment firm Vantreux Bio", ["Vantreux Bio"]),
        ("newly minted Vantreux Growth", ["Vantreux Growth"]),
        ("Oldmoor, Vantreux Bio and the Tallow Foundation", ["Oldmoor", "Vantreux Bio", "Tallow Foundation"]),
    ],
)
def test_names_are_taken_out_of_lists(phrase: str, names: list[str]) -> None:
    assert parse_names(phrase) == names


def test_leads_are_told_from_those_who_followed() -> None:
    found = backers_of(
        "The round was led by Oldmoor Partners, with participation from Vantreux Growth and Tallowgate Ventures."
    )
    assert found.leads == ["Oldmoor Partners"]
    assert found.others == ["Vantreux Growth", "Tallowgate Ventures"]


def test_two_may_lead() -> None:
    assert backers_of("The $4M round was co-led by Oldmoor Partners and Vantreux Growth.").leads == [
        "Oldmoor Partners",
        "Vantreux Growth",
    ]


def test_a_newly_minted_fund_is_a_source() -> None:
    assert backers_of("Quernstone has closed a $4 million financing from newly minted Vantreux Growth.").leads == [
        "Vantreux Growth"
    ]


def test_an_owned_round_before_a_verb_is_no_investor() -> None:
    found = backers_of("The round was led by Oldmoor Partners.", "Quernstone's oversubscribed $13M series C backs sleep drug")
    assert (found.leads, found.others) == (["Oldmoor Partners"], [])


def test_a_lead_may_be_the_subject() -> None:
    found = backers_of("Oldmoor Partners, a fund from Bern, led the $4M seed round. Vantreux Growth also participated.")
    assert (found.leads, found.others) == (["Oldmoor Partners"], ["Vantreux Growth"])


def test_a_short_name_leads_under_its_long_one() -> None:
    found = backers_of("Quernstone has raised $4 million from Oldmoor Partners and Vantreux Growth. Oldmoor led.")
    assert found.leads == ["Oldmoor Partners"]
    assert found.others == ["Vantreux Growth"]


def test_persons_stand_apart_from_funds() -> None:
    found = backers_of(
        "The round was led by Oldmoor Partners, with participation from angel investors including Jane Quill and David Prather."
    )
    assert found.leads == ["Oldmoor Partners"]
    assert found.others == []
    assert found.angels == ["Jane Quill", "David Prather"]


def test_who_is_alone_leads() -> None:
    assert backers_of("", "Quernstone raises $4M from Oldmoor Partners").leads == ["Oldmoor Partners"]


def test_backers_of_an_earlier_round_are_not_of_this_one() -> None:
    found = backers_of("The round was led by Oldmoor Partners. A seed round in 2021 was led by Tallowgate Ventures.")
    assert [investor.name for investor in found.investors()] == ["Oldmoor Partners"]


def test_the_company_and_places_invest_in_nothing() -> None:
    found = backers_of("Quernstone has raised $4 million from Oldmoor Partners, a firm in Santa Barbara, Calif.")
    assert [investor.name for investor in found.investors()] == ["Oldmoor Partners"]


def test_what_a_title_in_capitals_says_the_money_is_for_is_no_investor() -> None:
    assert backers_of("", "Quernstone Secures $4M From Oldmoor Partners To Build Mill- and Oven-Ready Flour").leads == [
        "Oldmoor Partners"
    ]


FOLLOWED = ["Vantreux Growth", "Tallowgate"]


@pytest.mark.parametrize(
    ("body", "others"),
    [
        ("The round was led by Oldmoor Partners, and participated by Vantreux Growth and Tallowgate.", FOLLOWED),
        ("The round was led by Oldmoor Partners. Vantreux Growth and Tallowgate continued their support.", FOLLOWED),
        ("The round was led by Oldmoor Partners, with two new backers: Vantreux Growth and Tallowgate.", FOLLOWED),
        ("Lead investor Oldmoor Partners was joined by Vantreux Growth and Tallowgate.", FOLLOWED),
        ("The round was led by Oldmoor Partners, with participation from funds of Eastern Europe and GCC Countries.", []),
    ],
)
def test_who_followed_is_told_in_many_ways(body: str, others: list[str]) -> None:
    found = backers_of(body)
    assert (found.leads, found.others) == (["Oldmoor Partners"], others)


def test_a_team_led_by_somebody_has_no_lead_investor() -> None:
    assert backers_of("The product team is led by Jane Quill.").leads == []


def test_every_name_has_the_sentence_it_was_read_from() -> None:
    sentence = "The round was led by Oldmoor Partners."
    assert backers_of(sentence).sources["Oldmoor Partners"] == (sentence, "body")


def test_who_were_the_lead_investors_lead_and_investors_without_a_name_are_none() -> None:
    backers = backers_of(
        "New investors, Oldmoor Partners and Vantreux Growth were the lead investors with participation from Tallow Ventures. "
        "Existing Investors, including Ferrowick Capital, also participated in the financing."
    )
    assert backers.leads == ["Oldmoor Partners", "Vantreux Growth"]
    assert sorted(backers.others) == ["Ferrowick Capital", "Tallow Ventures"]


@pytest.mark.parametrize(
    "sentence",
    [
        "The funding was provided by Oldmoor Partners and Vantreux Growth.",
        "It has closed a $4 million seed round featuring Oldmoor Partners and Vantreux Growth.",
        "It closed its seed round, which also included Oldmoor Partners and Vantreux Growth.",
    ],
)
def test_money_provided_by_and_rounds_that_feature_name_investors(sentence: str) -> None:
    backers = backers_of(sentence)
    assert (backers.leads, backers.others) == ([], ["Oldmoor Partners", "Vantreux Growth"])


@given(st.text())
def test_taking_names_is_total_and_gives_each_once(phrase: str) -> None:
    names = parse_names(phrase)
    assert len(names) == len(set(names))
    assert all(names)

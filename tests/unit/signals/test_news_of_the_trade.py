"""Releases and short articles as the trade writes them, invented: classes that were misread when they were first read."""

from __future__ import annotations

import pytest

from pipeline.signals.extract import extract
from pipeline.signals.jsonl import document_of
from pipeline.signals.model import Mention, SignalType
from pipeline.signals.rates import reference_rates


def reading(title: str, body: str = "") -> Mention:
    return extract(document_of({"id": "n", "title": title, "body": body, "url": ""}), reference_rates())


def of(mention: Mention, field: str) -> str | None:
    return next((found.value for found in mention.evidence if found.field == field), None)


@pytest.mark.parametrize(
    ("title", "company", "amount"),
    [
        ("Quantum startup Qubrick, a spin-out of ETH, raises CHF 8 million", "Qubrick", 8_000_000),
        ("Nordic Seed and Pohja Ventures invest €1.2M in Estonian legaltech Paragrahv", "Paragrahv", 1_200_000),
        ("Former Stripe engineers land $5.5M for Ledgermoth, an accountant that never sleeps", "Ledgermoth", 5_500_000),
        ("Omnivale, which helps hospitals buy supplies, has raised $19M", "Omnivale", 19_000_000),
    ],
)
def test_who_gets_the_money_of_a_headline(title: str, company: str, amount: int) -> None:
    found = reading(title)
    assert (found.is_funding, found.company_name, found.amount) == (True, company, amount)


@pytest.mark.parametrize(
    "title",
    [
        "Omnivale rolls out $10M guarantee for hospital savings",
        "Why I turned down a $10M Series A",
        "Hospital consortium receives $9.5 million in funding to study sepsis",
    ],
)
def test_money_that_is_no_round(title: str) -> None:
    assert not reading(title).is_funding


def test_a_subject_without_a_name_is_looked_up_in_the_body() -> None:
    found = reading(
        "Exclusive: A former chef raises millions to fix the restaurant supply chain",
        "Andre Beaumont spent fifteen years in kitchens before he wrote a line of code.\n\nChicago-based Pantryline, which "
        "connects restaurants with nearby farms, has raised a $13 million Series A, it said. Copper Pot Ventures led the deal.",
    )
    assert (found.company_name, found.city) == ("Pantryline", "Chicago")
    assert [each.name for each in found.investors if each.is_lead] == ["Copper Pot Ventures"]


def test_a_column_s_name_before_the_headline_is_no_company() -> None:
    found = reading(
        "Pulse: Madrid's Ferrovía Data closes a €2.5M round",
        "Spanish startup Ferrovía Data, which predicts failures of railway switches, has closed a €2.5 million round. "
        "Castellana Ventures leads the operation. Ebro Capital also takes part.",
    )
    assert found.company_name == "Ferrovía Data"
    assert [each.name for each in found.investors if each.is_lead] == ["Castellana Ventures"]


def test_a_backer_s_past_total_makes_no_round_of_a_product() -> None:
    assert not reading(
        "Venture-backed Palisade Unveils AI Agent for Claims Adjusters",
        "CHICAGO -- Palisade, which is backed by Northfield Ventures and Tidepool Capital and has raised $45 million to date, "
        "introduced an agent that reads photographs of damaged roofs.",
    ).is_funding


def test_names_of_investors_keep_their_words_and_letters() -> None:
    found = reading(
        "Danish medtech Hjertelyd closes DKK 45M Series A",
        "Copenhagen medtech company Hjertelyd has secured DKK 45 million in a Series A round. Øresund Life leads, and Sund Invest "
        "takes part. Existing shareholders Halo Angels and Sol y Mar Ventures participated.",
    )
    assert [each.name for each in found.investors] == ["Øresund Life", "Sund Invest", "Halo Angels", "Sol y Mar Ventures"]
    assert (found.city, found.country) == ("Copenhagen", "DK")


@pytest.mark.parametrize(
    ("title", "acquirer", "acquired"),
    [
        ("India’s Harborline acquires Motel Nine for $525M", "Harborline", "Motel Nine"),
        ("Harborline buys claims startup Fixly for $70 million", "Harborline", "Fixly"),
        ("Omnivale, A Subsidiary Of Halden Group, Acquires Medloop", "Omnivale", "Medloop"),
        ("Chipmaker Lumivolt acquires another display company: Glimmer", "Lumivolt", "Glimmer"),
        ("Paywick snaps up Vienna-based Lohnklar", "Paywick", "Lohnklar"),
        ("Saarthi Loop acquires fleet platform TruckMitra for Rs 40 Cr", "Saarthi Loop", "TruckMitra"),
        ("Tiendalia to be acquired by Andina Freight in all-stock deal", "Andina Freight", "Tiendalia"),
    ],
)
def test_who_buys_whom(title: str, acquirer: str, acquired: str) -> None:
    found = reading(title)
    assert found.signal_type is SignalType.ACQUISITION
    assert (of(found, "acquiring_company"), of(found, "acquired_company")) == (acquirer, acquired)


@pytest.mark.parametrize(
    "title",
    [
        "Hong Kong investor buys 65% of Yotane",
        "Covera acquires a fintech company",
        "Museum acquires rare Vermeer for $30 million",
        "Uplandia Energy acquires 300 acres for battery storage site",
        "Harborline buys back $200 million of shares",
    ],
)
def test_purchases_that_name_no_two_companies(title: str) -> None:
    assert reading(title).signal_type is SignalType.NONE


def test_a_role_in_lower_case_and_a_person_with_a_past() -> None:
    assert of(reading("Planarity names Anja Holm chief revenue officer"), "new_role") == "chief revenue officer"
    assert of(reading("Former SAP executive Lars Brandt joins Paywick as CFO"), "person_name") == "Lars Brandt"

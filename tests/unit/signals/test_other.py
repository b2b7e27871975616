"""Acquisitions, job changes, hiring and new companies, from plain headlines."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipeline.signals.headline import parse_headline
from pipeline.signals.model import Mention, SignalType
from pipeline.signals.other import find_other
from pipeline.signals.text import read


def other(title: str, body: str = "") -> Mention:
    text = read(title, body)
    return find_other(Mention("d"), text, parse_headline(text.title))


def test_an_acquisition_names_both_sides_and_the_price() -> None:
    found = other("Brackwater Systems Acquires Pellucid Maps for $120 Million")
    assert found.signal_type is SignalType.ACQUISITION
    assert found.company_name == "Pellucid Maps"
    assert (found.amount, found.currency) == (Decimal(120_000_000), "USD")
    assert found.details["acquiring_company"] == "Brackwater Systems"
    assert found.details["is_completed"] is True


def test_a_passive_acquisition_is_read_too() -> None:
    found = other("Pellucid Maps acquired by Brackwater Systems")
    assert (found.company_name, found.details["acquiring_company"]) == ("Pellucid Maps", "Brackwater Systems")


def test_a_share_of_a_company_has_a_percentage() -> None:
    found = other("Brackwater to acquire 51% stake in Pellucid Maps")
    assert (found.company_name, found.details["percentage"], found.details["is_completed"]) == ("Pellucid Maps", "51", False)


@pytest.mark.parametrize(
    ("title", "person", "role"),
    [
        ("Dunmere Health Appoints Teodora Vankirk as Chief Financial Officer", "Teodora Vankirk", "Chief Financial Officer"),
        ("Dunmere Health names Teodora Vankirk its new CEO", None, None),
        ("Teodora Vankirk Joins Dunmere Health as Vice President of Sales", "Teodora Vankirk", "Vice President of Sales"),
    ],
)
def test_a_job_change_names_person_role_and_company(title: str, person: str | None, role: str | None) -> None:
    found = other(title)
    if person is None:
        assert found.signal_type is SignalType.NONE
        return
    assert found.signal_type is SignalType.JOB_CHANGE
    assert found.details == {"person_name": person, "new_role": role, "company_name": "Dunmere Health"}


def test_hiring_names_role_count_and_place() -> None:
    found = other("Sablewing is hiring 120 engineers for its new site in Gdansk")
    assert found.signal_type is SignalType.HIRING
    assert found.details["hiring_details"] == [{"title": "engineers", "positions": "120", "location": "Gdansk"}]


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("Larkspindle emerges from stealth with straw yarn", ""),
        ("Two engineers found Larkspindle to spin straw", "Larkspindle is a new company from Ghent."),
    ],
)
def test_a_new_company_is_named(title: str, body: str) -> None:
    found = other(title, body)
    assert (found.signal_type, found.company_name) == (SignalType.NEW_COMPANY, "Larkspindle")


@pytest.mark.parametrize(
    "title",
    [
        "Brackwater is reportedly close to acquiring Pellucid",
        "Palladium acquires apartments in Reno",
        "Quernstone opens a mill",
        "",
    ],
)
def test_anything_else_is_no_signal(title: str) -> None:
    found = other(title)
    assert (found.signal_type, found.set_aside_reason) == (SignalType.NONE, "not_funding")

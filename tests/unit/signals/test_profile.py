"""Website, place, chief executive and industry of the company."""

from __future__ import annotations

import pytest

from pipeline.signals.headline import parse_headline
from pipeline.signals.industry import find_industry
from pipeline.signals.location import find_location
from pipeline.signals.people import find_ceo
from pipeline.signals.places import Place, find_place
from pipeline.signals.text import read
from pipeline.signals.website import find_linkedin, find_website


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("“Flour,” said Jane Quill, co-founder and CEO of Quernstone.", "Jane Quill"),
        ("Quernstone CEO Jane Quill told reporters.", "Jane Quill"),
        ("Founder and chief executive Jane van der Quill began it.", "Jane van der Quill"),
        ("said Dr. Jane Quill, Quernstone's CEO and co-founder", "Jane Quill"),
        ("Quernstone was founded by Jane Quill (CEO), an engineer.", "Jane Quill"),
        ("said Jane Quill, MD, MBA, MEM, Chief Executive Officer of Quernstone.", "Jane Quill"),
        ("The company named Jane Quill, MD, as its Chief Executive Officer.", "Jane Quill"),
        ("said Jane Quill, who founded Quernstone and runs it as its CEO", "Jane Quill"),
        ("said Jane Quill Quernstone’s CEO and co-founder.", "Jane Quill"),
        ("Quernstone was founded by engineer Jane Quillan in Bern.", "Jane Quillan"),
    ],
)
def test_the_chief_executive_is_read(sentence: str, name: str) -> None:
    found = find_ceo(read("Quernstone raises $4M", sentence), "Quernstone")
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "sentence",
    [
        "said Jane Quill, CEO of Oldmoor Capital.",
        "Among its angels is Jane Quill, the founder & CEO of Oldmoor.",
        "former CEO Jane Quill left.",
        "said Jane Quill, partner at Oldmoor.",
        "Quernstone was founded by Jane Quill and David Prather.",
        "Quernstone was founded by Jane Quill, David Prather, and Ann Sedge.",
        "Quernstone was founded by Ashby Sedge alumni.",
    ],
)
def test_other_peoples_chief_executives_are_not_the_companys(sentence: str) -> None:
    assert find_ceo(read("Quernstone raises $4M", sentence), "Quernstone") is None


@pytest.mark.parametrize(
    ("body", "host"),
    [
        ("For more information, visit https://www.quernstone.io/about.", "quernstone.io"),
        ("Learn more at quernstone.ai.", "quernstone.ai"),
        ("Contact: press@quernstone.com", "quernstone.com"),
        ("The site is at https://quernstone.github.io for now.", "quernstone.github.io"),
        ("Website: https://www.quernstöne.de/", "xn--quernstne-67a.de"),
        ("See [our page](https://www.getquernstone.com/x).", "getquernstone.com"),
    ],
)
def test_the_companys_own_site_is_found(body: str, host: str) -> None:
    company = "Quernstöne" if "ö" in body else "Quernstone"
    found = find_website(read("T", body), company, "https://daily.test/a")
    assert found is not None
    assert found.host == host


@pytest.mark.parametrize(
    "body",
    [
        "Follow us on https://twitter.com/quernstone.",
        "Read https://daily.test/quernstone.",
        "About Oldmoor: https://www.oldmoor.vc/",
        "Version 2.0.The end",
    ],
)
def test_sites_of_others_are_not_the_companys(body: str) -> None:
    assert find_website(read("T", body), "Quernstone", "https://daily.test/a", ("Oldmoor",)) is None


def test_a_linkedin_page_is_taken_for_the_person_it_names() -> None:
    text = read("T", "See [Jane](https://www.linkedin.com/in/jane-quill-77/).")
    assert find_linkedin(text, "Jane Quill") == "https://www.linkedin.com/in/jane-quill-77"
    assert find_linkedin(text, "John Doe") is None


def test_an_organization_that_the_text_speaks_of_is_not_the_companys_site() -> None:
    body = "Tallowgate invested early, said its founder.\nContact: press@tallowgate.com\nVisit https://www.tallowgate.com"
    assert find_website(read("T", body), "Quernstone", "https://daily.test/a") is None


@pytest.mark.parametrize(
    ("phrase", "place"),
    [
        ("Austin, Texas", Place("Austin", "US")),
        ("Virginia Beach, Va.", Place("Virginia Beach", "US")),
        ("LONDON", Place("London", "GB")),
        ("Singapore", Place("Singapore", "SG")),
        ("Cambridge, UK", Place("Cambridge", "GB")),
        ("Cambridge, Mass.", Place("Cambridge", "US")),
        ("Smallville, Kansas", Place("Smallville", "US")),
        ("Switzerland", Place(None, "CH")),
        ("Georgia", Place(None, "US")),
    ],
)
def test_places_are_known(phrase: str, place: Place) -> None:
    assert find_place(phrase) == place


@pytest.mark.parametrize("phrase", ["Quernstone", "Cambridge", "", "early stage"])
def test_what_is_no_place_or_could_be_two_is_none(phrase: str) -> None:
    assert find_place(phrase) is None


@pytest.mark.parametrize(
    ("title", "body", "city", "country"),
    [
        ("Pune-based Quernstone raises $4M", "", "Pune", "IN"),
        ("Quernstone raises $4M", "Quernstone is headquartered in Calgary, Alberta.", "Calgary", "CA"),
        ("Quernstone raises $4M", "STUTTGART, Germany – October 30, 2025 – Quernstone has raised money.", "Stuttgart", "DE"),
        (
            "Quernstone raises $4M",
            "Quernstone, a Nashville start-up that grinds flour, has raised $4 million.",
            "Nashville",
            "US",
        ),
        ("Quernstone raises $4M", "Quernstone, a company from Bergen, has raised $4 million.", "Bergen", "NO"),
        ("French startup Quernstone raises $4M", "", None, "FR"),
        ("Quernstone raises $4M", "Quernstone has raised money, as the Nashville, Tenn., company mills on.", "Nashville", "US"),
        ("Quernstone raises $4M", "With its investors aboard, the Pune-based company mills on.", "Pune", "IN"),
    ],
)
def test_the_companys_place_is_found(title: str, body: str, city: str | None, country: str) -> None:
    text = read(title, body)
    found = find_location(text, parse_headline(text.title), "Quernstone")
    assert found is not None
    assert (found.place.city, found.place.country) == (city, country)


def test_where_its_investor_sits_is_not_where_the_company_sits() -> None:
    text = read("Quernstone raises $4M", "The round was led by New York-based venture firm Oldmoor.")
    assert find_location(text, parse_headline(text.title), "Quernstone") is None


def test_where_one_of_its_backers_sits_is_not_where_the_company_sits() -> None:
    text = read(
        "Quernstone raises $4M", "Quernstone has raised $9 million before, with backers including Boston-based Oldmoor."
    )
    assert find_location(text, parse_headline(text.title), "Quernstone") is None


def test_where_a_person_sits_is_not_where_the_company_sits() -> None:
    text = read("Quernstone raises $4M", "Its filing names Jane Quill, the New York-based CFO of a fashion label.")
    assert find_location(text, parse_headline(text.title), "Quernstone") is None


@pytest.mark.parametrize(
    ("title", "label"),
    [
        ("Edtech startup Quernstone raises $4M", "Education"),
        ("Quernstone raises $4M for drones", "Aerospace and Defense"),
        ("Quernstone raises $4M", None),
    ],
)
def test_the_industry_is_read_from_what_describes_the_company(title: str, label: str | None) -> None:
    text = read(title, "")
    found = find_industry(text, parse_headline(text.title), "Quernstone")
    assert (found[0] if found else None) == label


def test_one_of_several_founders_is_no_chief_executive() -> None:
    assert (
        find_ceo(read("Quernstone raises $4M", "Flour is dear, Quernstone’s co-founder Jane Quill told us."), "Quernstone")
        is None
    )


def test_a_surname_is_told_in_full_as_the_text_first_names_it() -> None:
    found = find_ceo(
        read("Quernstone raises $4M", "Jane Quill baked for years. “It works,” says Quill, CEO of Quernstone."), "Quernstone"
    )
    assert found is not None
    assert found.name == "Jane Quill"


def test_the_capital_district_is_a_city() -> None:
    assert find_place("Washington, D.C.") == Place("Washington", "US")

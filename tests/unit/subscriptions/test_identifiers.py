"""What names a company or a person to be watched (vendor facts, section 7: Monitors)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.subscriptions.identifiers import Identifier, name_key, profile_value, read_identifier


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("acme.com", "domain", "acme.com"),
        ("https://www.ACME.com/about?x=1", "domain", "acme.com"),
        ("  blog.acme.co.uk. ", "domain", "acme.co.uk"),
        ("bücher.example.de", "domain", "example.de"),
        ("linkedin.com", "domain", "linkedin.com"),
        ("unknown.com", "domain", "unknown.com"),
        ("https://www.linkedin.com/company/Initech/", "linkedin_company", "linkedin.com/company/initech"),
        ("uk.linkedin.com/company/initech/about?trk=x", "linkedin_company", "linkedin.com/company/initech"),
        ("linkedin.com/company/caf%C3%A9-labs", "linkedin_company", "linkedin.com/company/café-labs"),
        ("http://linkedin.com/in/Jane-Doe/", "linkedin_profile", "linkedin.com/in/jane-doe"),
    ],
)
def test_each_kind_has_one_spelling(text: str, kind: str, value: str) -> None:
    found = read_identifier(text)
    assert found is not None
    assert (found.kind, found.value) == (kind, value)
    assert read_identifier(value) == found, "and its spelling names the same"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not a domain",
        "Acme",
        "co.uk",
        "jane@acme.com",
        "10.0.0.1",
        "linkedin.com/company/",
        "medium.com/@acme",
        "acme.com evil.com",
    ],
)
def test_what_is_none_of_the_three_is_none(text: str) -> None:
    assert read_identifier(text) is None


def test_a_company_is_looked_for_by_what_its_address_says_of_its_name() -> None:
    assert read_identifier("oldmoor-labs.com") == Identifier("domain", "oldmoor-labs.com", "oldmoor-labs.com", "oldmoor-labs")
    page = read_identifier("linkedin.com/company/oldmoor-labs-inc")
    assert page is not None
    assert (page.domain_key, page.name, name_key(page.name)) == (None, "oldmoor labs inc", "oldmoorlabs")
    numbered = read_identifier("linkedin.com/company/1441")
    assert numbered is not None
    assert numbered.name is None, "a number says nothing"


def test_only_a_person_s_address_is_a_person_s() -> None:
    assert profile_value("https://www.linkedin.com/in/jane-doe") == "linkedin.com/in/jane-doe"
    assert profile_value("https://www.linkedin.com/company/acme") is None
    assert profile_value(None) is None


@given(st.text(max_size=60) | st.from_regex(r"(https://)?[a-z.]{0,12}linkedin\.com/(in|company)/[^ ]{0,20}", fullmatch=True))
def test_reading_is_total_and_its_value_is_its_own_spelling(text: str) -> None:
    found = read_identifier(text)
    if found is not None and "%" not in found.value:
        again = read_identifier(found.value)
        assert again is not None
        assert again.kind == found.kind
        assert again.value == found.value

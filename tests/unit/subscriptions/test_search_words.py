"""What titles say of roles; word searches of texts (vendor facts, sections 7 and 8)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.subscriptions import roles
from pipeline.subscriptions.word_search import parse


@pytest.mark.parametrize(
    ("title", "positions", "departments", "seniorities"),
    [
        ("VP of Sales", ["vp of sales"], ["sales"], ["vp"]),
        ("Vice President, Engineering", ["vp of engineering"], ["engineering"], ["vp"]),
        ("Co-Founder & CEO", ["ceo", "co-founder", "founder"], [], ["c_level", "founder"]),
        ("Managing Director", [], [], ["c_level"]),
        ("Director of Customer Success", [], ["customer_success"], ["director"]),
        ("President", [], [], ["c_level"]),
        ("senior software engineers", [], ["engineering"], []),
        ("Marketing Manager", ["marketing manager"], ["marketing"], ["manager"]),
        ("Engineerium", [], [], []),
        ("", [], [], []),
    ],
)
def test_a_title_names_positions_departments_and_seniorities(
    title: str, positions: list[str], departments: list[str], seniorities: list[str]
) -> None:
    said = roles.stated(title)
    assert [sorted(said[kind]) for kind in ("positions", "departments", "seniorities")] == [positions, departments, seniorities]


def test_the_vendor_s_enumerations_are_whole_and_all_have_words() -> None:
    assert {kind: len(names) for kind, names in roles.NAMES.items()} == {"positions": 16, "departments": 12, "seniorities": 7}
    for kind, names in roles.NAMES.items():
        for name in names:
            title = {"c_level": "chief"}.get(name, name.replace("_", " "))
            assert name in roles.stated(title)[kind], name


@given(st.text())
def test_any_title_can_be_read_whatever_its_case(title: str) -> None:
    assert roles.stated(title) == roles.stated(title)
    assert roles.stated(f"cto {title}")["positions"] >= {"cto"}


@pytest.mark.parametrize(
    ("query", "text", "is_found"),
    [
        ("kubernetes", "We run Kubernetes.", True),
        ("kube", "We run Kubernetes.", False),
        ("go rust", "Rust or Go", True),
        ("go rust", "Rust", False),
        ('"site reliability"', "Site-Reliability engineers", True),
        ('"reliability site"', "site reliability", False),
        ("cobol OR rust", "Rust", True),
        ("rust -intern", "Rust interns", True),
        ("rust -intern", "Rust, intern", False),
        ("-intern", "Rust", True),
        ("cobol OR rust -intern", "cobol intern", True),
        ("naïve", "NAÏVE", True),
        ("", "anything", False),
        ('"', "anything", False),
        ("c++", "C is spoken", True),
    ],
)
def test_words_are_searched_as_on_the_web(query: str, text: str, is_found: bool) -> None:
    assert parse(query).accepts(text) is is_found


@given(st.text(), st.text())
def test_any_query_can_be_read_and_words_needed_always_are_needed(query: str, text: str) -> None:
    wanted = parse(query)
    if wanted.accepts(text):
        assert all(word in text.casefold() for word in wanted.always)

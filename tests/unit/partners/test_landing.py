"""Where a partner's link leads (SC-67): to the page of its settings, with what the page should know."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.partners.landing import LandingRefused, check_landing, onward, utm_of


@pytest.mark.parametrize(
    "url",
    [
        "http://apply.example.com/",
        "https://localhost/",
        "https://10.0.0.1/apply",
        "https://ada:secret@apply.example.com/",
        "//apply.example.com/",
        "javascript:alert(1)",
        "https://apply.example.com/a b",
        "https://apply.example.com\\@evil.example",
        "",
    ],
)
def test_a_page_that_no_link_may_lead_to_is_refused(url: str) -> None:
    with pytest.raises(LandingRefused, match="landing page"):
        check_landing(url)


def test_a_page_has_one_spelling() -> None:
    assert check_landing("https://Apply.Example.com:443/start?a=1#top") == "https://apply.example.com/start?a=1"


def test_what_the_page_names_itself_stays_and_the_rest_is_added() -> None:
    utm = {"utm_source": "ours", "utm_medium": "e-mail & more"}
    assert onward("https://a.example/x?utm_source=theirs&q=%20", utm, "20260512-7") == (
        "https://a.example/x?utm_source=theirs&q=%20&utm_medium=e-mail+%26+more&click_id=20260512-7"
    )
    assert onward("https://a.example/x", {}, None) == "https://a.example/x"


def test_utm_values_that_no_lead_could_have_are_passed_over() -> None:
    given = [
        ("utm_source", " fair "),
        ("utm_source", "second"),
        ("utm_medium", "x" * 256),
        ("utm_term", "a\nb"),
        ("utm_content", " "),
        ("UTM_CAMPAIGN", "capital"),
        ("to", "https://evil.example"),
    ]
    assert utm_of(given) == {"utm_source": "fair"}
    assert utm_of([("utm_medium", "x" * 255)]) == {"utm_medium": "x" * 255}


@given(st.lists(st.tuples(st.sampled_from(["utm_source", "utm_term", "to", "url"]), st.text(max_size=300))))
def test_no_query_leads_a_visitor_elsewhere(query: list[tuple[str, str]]) -> None:
    utm = utm_of(query)
    parts = urlsplit(onward("https://apply.example.com/start?a=1", utm, "20260512-7"))
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "apply.example.com", "/start")
    assert dict(parse_qsl(parts.query)) == {"a": "1", "click_id": "20260512-7"} | utm

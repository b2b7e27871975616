"""Clean text out of markup, and sentences out of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.signals.text import clean_body, clean_line, read, split_sentences


def test_tags_and_entities_leave_a_plain_headline() -> None:
    assert clean_line("<b>Marrow &amp;amp; Finch</b>\u00a0raises&nbsp;$3M") == "Marrow & Finch raises $3M"


def test_invisible_characters_vanish() -> None:
    assert clean_line("Ac\u200bme\ufeff") == "Acme"


def test_markdown_links_keep_their_words_and_images_go() -> None:
    assert clean_body("![a chart](https://cdn.test/a.png)\nSee [Acme](https://acme.test/x_(y)) now.") == "See Acme now."


@pytest.mark.parametrize("mark", ["--Quern Wire--", "/QuernWire/", "-- Quern Wire Direct --"])
def test_a_wires_mark_on_its_own_line_is_no_sentence(mark: str) -> None:
    assert read("Acme", f"{mark}\nAcme raised money.").news == ("Acme raised money.",)


def test_page_furniture_is_no_sentence() -> None:
    body = "(opens in a new window)\nLink Copied\nAcme raised money.\nThe post Acme raises appeared first on Daily."
    assert clean_body(body) == "Acme raised money."


def test_html_paragraphs_become_lines() -> None:
    assert clean_body("<p>One.</p><p>Two.</p>") == "One.\nTwo."


def test_links_are_kept_with_their_words() -> None:
    text = read("T", "Visit [Acme](https://acme.test/) or <a href='https://beta.test/p'>Beta</a>.")
    assert [(link.text, link.url) for link in text.links] == [("Acme", "https://acme.test/"), ("Beta", "https://beta.test/p")]


def test_a_body_that_repeats_its_headline_does_not_say_it_twice() -> None:
    assert read("Acme raises $3M", "Acme raises $3M\nThe money is for pumps.").body == "The money is for pumps."


def test_abbreviations_and_initials_end_no_sentence() -> None:
    text = "Acme Inc. of Reno, Nev. hired J. Doe. He starts Monday."
    assert split_sentences(text) == ("Acme Inc. of Reno, Nev. hired J. Doe.", "He starts Monday.")


def test_a_series_letter_ends_a_sentence() -> None:
    assert split_sentences("It closed a Series A. Oldmoor led.") == ("It closed a Series A.", "Oldmoor led.")


def test_boilerplate_is_not_news() -> None:
    body = "Acme raised $3 million. " * 12 + "\nAbout Acme\nAcme raised $99 million before."
    text = read("T", body)
    assert not any("$99" in sentence for sentence in text.news)
    assert any("$99" in sentence for sentence in text.sentences)


@given(st.text())
def test_cleaning_a_line_is_total_and_idempotent(text: str) -> None:
    once = clean_line(text)
    assert clean_line(once) == once
    assert "\n" not in once


@given(st.text())
def test_splitting_loses_no_word(text: str) -> None:
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())

"""Hashed words: masked, bounded, and without any text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.signals.ngrams import BUCKETS, ngram_features, ngram_score, ngram_weights


def test_amounts_weigh_the_same_whatever_they_are() -> None:
    assert ngram_features({"t": "Quernstone raises $4M"}) == ngram_features({"t": "Quernstone raises $250 million"})


def test_the_same_word_in_another_part_is_another_feature() -> None:
    assert ngram_features({"t": "round"}).keys() != ngram_features({"l": "round"}).keys()


def test_weights_are_numbers_by_bucket_and_hold_no_text() -> None:
    assert all(0 <= bucket < BUCKETS and abs(weight) < 20 for bucket, weight in ngram_weights().items())


def test_words_of_a_round_speak_for_it_and_words_of_a_report_against() -> None:
    for_it = ngram_score({"t": "startup raises seed round led by ventures", "l": "has raised in a seed round led by"})
    against = ngram_score({"t": "company reports quarterly results", "l": "reported revenue for the quarter"})
    assert for_it > against


@given(st.text(max_size=400))
def test_any_text_has_features_of_length_at_most_its_parts(text: str) -> None:
    found = ngram_features({"t": text})
    assert all(0 <= bucket < BUCKETS and value > 0 for bucket, value in found.items())
    assert ngram_features({"t": text}) == found

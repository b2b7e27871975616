"""Is it, as news about its subject, a completed equity round? With reasons where it is not."""

from __future__ import annotations

import pytest

from pipeline.signals import title_vetoes
from pipeline.signals.detect import BIAS, Detection, detect, detection_weights, may_be_funding, probability_of
from pipeline.signals.headline import parse_headline
from pipeline.signals.text import read

ROUND_BODY = (
    "Quernstone, which rents mills to bakeries, today announced a $4 million seed round led by Oldmoor "
    "Partners, with participation from"
    " Vantreux Growth. The funding will be used to hire engineers.\n“Flour matters,” said Jane Quill, CEO of Quernstone."
)


def detection(title: str, body: str = "") -> Detection:
    text = read(title, body)
    return detect(text, parse_headline(text.title))


@pytest.mark.parametrize(
    "title",
    [
        "Quernstone raises $4M seed round led by Oldmoor",
        "Quernstone bags Rs 12 Cr in pre-Series A round",
        "Milling startup Quernstone secures $4 million from Oldmoor Ventures",
        "Quernstone lands €4M to mill flour",
        "Oldmoor Ventures leads $10M Series A for Quernstone",
        "Quernstone nabs $4M to mill flour ahead of a planned IPO",
    ],
)
def test_headlines_of_rounds_are_rounds(title: str) -> None:
    found = detection(title)
    assert found.is_round
    assert found.set_aside_reason is None


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("Brackwater acquires Quernstone for $4M", "acquisition"),
        ("Oldmoor Ventures closes $250M Fund III", "fund_close"),
        ("Quernstone files for IPO to raise $100M", "ipo"),
        ("Quernstone Corp. (NASDAQ: QRN) closes $10M private placement", "public_offering"),
        ("Quernstone closes $60 million senior secured credit facility", "debt"),
        ("Quernstone awarded €2.4 million grant", "grant"),
        ("QuernCoin presale raises over $3 million", "token_presale"),
        ("Quernstone plans to raise $15 million Series A next year", "planned_raise"),
        ("Quernstone in talks to raise $200M, sources say", "rumour"),
        ("Weekly funding roundup: startups raise $27M", "roundup"),
        ("Mill museum fundraiser raises $30,000 for food bank", "charity"),
        ("VC funding falls to $13.7B in 2024: report", "market_stat"),
    ],
)
def test_what_looks_like_a_round_and_is_none_says_why(title: str, reason: str) -> None:
    found = detection(title)
    assert not found.is_round
    assert found.set_aside_reason == reason


def test_a_round_told_below_a_headline_without_money_is_found() -> None:
    assert detection("Quernstone wants every village to have a mill", ROUND_BODY).is_round


def test_a_release_of_a_listed_company_is_no_round() -> None:
    body = (
        "Quernstone Corp. (NASDAQ: QRN) today announced gross proceeds of $4 million from common stock and "
        "warrants sold in a registered direct offering."
    )
    assert not detection("Quernstone Secures $4 Million", body).is_round


def test_an_appointment_that_mentions_an_old_round_is_no_round() -> None:
    body = (
        "Quernstone named a finance chief today. She joins after the company raised a $4 million seed round "
        "in 2021, its only funding."
    )
    assert not detection("Quernstone Appoints Jane Quill as Chief Financial Officer", body).is_round


def test_the_sentences_that_tell_of_the_round_are_pointed_at() -> None:
    assert detection("Quernstone wants every village to have a mill", ROUND_BODY).event_sentences[0] == 0


def test_most_texts_are_let_go_at_a_glance() -> None:
    text = read("Quernstone opens a mill", "The mill in the valley turns again. Visitors are welcome.")
    assert not may_be_funding(text, parse_headline(text.title))


def test_every_veto_has_a_reason_to_its_name() -> None:
    assert set(title_vetoes.TITLE_VETOES) >= {
        "acquisition",
        "fund_close",
        "ipo",
        "public_offering",
        "debt",
        "grant",
        "token_presale",
    }


def test_weights_are_committed_with_a_bias_and_an_unknown_cue_weighs_nothing() -> None:
    assert detection_weights()[BIAS] < 0
    assert probability_of([]) < 0.5
    assert probability_of(["no_such_cue"]) == probability_of([])

"""How sure a reading is: calibrated, and higher where more speaks for it."""

from __future__ import annotations

from pipeline.signals.confidence import HIGHEST, HIGHEST_WITHOUT_COMPANY, LOWEST, calibration
from pipeline.signals.extract import extract
from pipeline.signals.jsonl import document_of
from pipeline.signals.rates import reference_rates


def confidence(title: str, body: str = "") -> float:
    return extract(document_of({"id": "c", "title": title, "body": body, "url": ""}), reference_rates()).confidence_score


def test_calibration_keeps_the_order_of_scores() -> None:
    slope, _ = calibration()
    assert 0 < slope <= 1.5


def test_a_reading_without_a_company_is_not_believed() -> None:
    assert confidence("This startup just raised $4M to grind flour") <= HIGHEST_WITHOUT_COMPANY


def test_title_and_body_that_agree_are_believed_more_than_a_feature_that_buries_it() -> None:
    body = "Quernstone, a maker of mills, today announced a $4 million seed round led by Oldmoor Partners."
    told = confidence("Quernstone raises $4 million seed round", body)
    buried = confidence("Startup brings village mills back", "Mills turn again. Bakers queue at the door.\n" + body)
    assert LOWEST <= buried < told <= HIGHEST
    assert told >= 0.9

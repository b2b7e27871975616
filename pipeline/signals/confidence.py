"""How sure we are that company, amount and type are all right: evidence added up in log-odds, each part named.

What belongs here: the score of one document's reading. What does not: agreement of several documents (resolve).
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.signals.amounts import Amount
from pipeline.signals.company import Company
from pipeline.signals.detect import Detection
from pipeline.signals.headline import Headline
from pipeline.signals.investors import Backers
from pipeline.signals.rounds_named import NamedType
from pipeline.signals.text import Text

CALIBRATION_FILE = Path(__file__).with_name("data") / "confidence_calibration.csv"
LOWEST, HIGHEST = 0.02, 0.99
HIGHEST_WITHOUT_COMPANY = 0.3  # who got the money is what the others are told of


@dataclass(frozen=True, slots=True)
class Evidences:
    """All that was read from one funding text."""

    detection: Detection
    headline: Headline
    text: Text
    company: Company | None
    amount: Amount | None
    kind: NamedType | None
    backers: Backers
    body_origin: str


def confidence_of(found: Evidences) -> tuple[float, list[dict[str, Any]]]:
    """(score in 0..1, [{cue, effect}] with effects in log-odds, biggest first)."""
    effects = {
        name: effect for name, effect in (*_detection(found), *_company(found), *_amount(found), *_rest(found)) if effect
    }
    slope, offset = calibration()
    total = slope * sum(effects.values()) + offset
    most = HIGHEST if found.company else HIGHEST_WITHOUT_COMPANY
    score = min(most, max(LOWEST, 1 / (1 + math.exp(-total))))
    ordered = sorted(effects.items(), key=lambda item: (-abs(item[1]), item[0]))
    return round(score, 3), [{"cue": name, "effect": round(effect, 2)} for name, effect in ordered]


@cache
def calibration() -> tuple[float, float]:
    """(slope, offset) by which summed effects become the log-odds seen on documents that the weights were not fitted on."""
    with CALIBRATION_FILE.open(encoding="utf-8") as lines:
        row = next(csv.DictReader(line for line in lines if not line.startswith("#")))
        return float(row["slope"]), float(row["offset"])


def _detection(found: Evidences) -> list[tuple[str, float]]:
    odds = math.log(max(0.5, found.detection.probability) / max(1e-3, 1 - found.detection.probability))
    return [
        ("reads_like_a_round", min(2.2, odds * 0.55)),
        ("title_also_reads_otherwise", -0.6 if "title_vetoed" in found.detection.cues else 0.0),
    ]


def _company(found: Evidences) -> list[tuple[str, float]]:
    company = found.company
    if company is None:
        return [("no_company_named", -4.0)]
    words = len(company.name.split())
    return [
        ("company_in_title_and_body", 0.7 if company.in_both else 0.0),
        ("company_in_title_only", -0.1 if company.origin == "title" and not company.in_both else 0.0),
        ("company_not_in_title", -0.8 if company.origin == "body" and not company.in_both else 0.0),
        ("long_company_name", -0.5 * max(0, words - 3)),
        ("company_is_all_of_the_subject", 0.5 if company.name == found.headline.subject else 0.0),
    ]


def _amount(found: Evidences) -> list[tuple[str, float]]:
    amount = found.amount
    if amount is None:
        return [("no_amount", -0.3)]
    in_title = amount.claim.place < 0
    repeated = in_title and any(amount.claim.money.text in sentence for sentence in found.text.news[:10])
    return [
        ("amount_in_title", 0.5 if in_title else 0.0),
        ("amount_deep_in_body", -0.8 if amount.claim.place > 5 else 0.0),
        ("amount_in_title_and_body", 0.4 if repeated else 0.0),
        ("rival_amounts", -0.35 * min(3, len(amount.rivals))),
    ]


def _rest(found: Evidences) -> list[tuple[str, float]]:
    raises = found.headline.side == "company" and "title_raise" in found.detection.cues
    return [
        ("title_says_raised", 0.5 if raises else 0.0),
        ("type_in_title", 0.4 if found.kind and found.kind.origin == "title" else 0.0),
        ("rival_types", -0.5 * min(2, len(found.kind.rivals)) if found.kind else 0.0),
        ("lead_named", 0.2 if found.backers.leads else 0.0),
        ("teaser_only", -0.2 if found.body_origin == "feed" and len(found.text.body) < 400 else 0.0),
    ]

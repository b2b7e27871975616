"""Is this, as news about its subject, a completed equity round of a private company? Named cues, weights, a probability.

What belongs here: what follows from the cues that a document shows. What does not: finding them (document_cues), the weights
(data/detection_weights.csv, made by benchmarks/detection_weights.py).
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.signals.document_cues import find_cues
from pipeline.signals.gated import gated
from pipeline.signals.headline import Headline
from pipeline.signals.ngrams import ngram_score
from pipeline.signals.text import Text
from pipeline.signals.title_vetoes import TITLE_VETOES

WEIGHTS_FILE = Path(__file__).with_name("data") / "detection_weights.csv"
BIAS = "bias"


@dataclass(frozen=True, slots=True)
class Detection:
    """``probability`` of a round announced now; the cues shown, each with the text it was seen in and its weight."""

    probability: float
    cues: dict[str, str]
    event_sentences: tuple[int, ...]
    set_aside_reason: str | None

    @property
    def is_round(self) -> bool:
        return self.probability >= 0.5


def detect(text: Text, headline: Headline) -> Detection:
    """What the cues of ``text`` say. ``set_aside_reason`` is None exactly when it is a round."""
    found, events = find_cues(text, headline)
    probability = probability_of(found, ngram_score(parts_of(text, headline, events)))
    reason = None if probability >= 0.5 else reason_against(found)
    return Detection(probability, found, events, reason)


def parts_of(text: Text, headline: Headline, events: tuple[int, ...]) -> dict[str, str]:
    """The parts of a document whose words are weighed: title, lead, and the sentences that report a round."""
    return {
        "t": headline.plain,
        "l": " ".join(text.news[:3]),
        "e": " ".join(text.news[index] for index in events[:4]),
    }


def probability_of(found: Iterable[str], words: float = 0.0) -> float:
    """Logistic of the summed weights and of what the ``words`` add. A cue without a weight counts nothing."""
    weights = detection_weights()
    total = weights[BIAS] + words + sum(weights.get(name, 0.0) for name in found)
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def reason_against(found: dict[str, str]) -> str:
    """Why the text makes no round: the first veto it shows in the order of TITLE_VETOES, else not_funding."""
    for name in TITLE_VETOES:
        if f"title_{name}" in found:
            return name
    if "title_past_funding" in found:
        return "past_funding"
    for cue, reason in _BODY_REASONS:
        if cue in found:
            return reason
    return "not_funding"


_BODY_REASONS = (
    ("public_company", "public_offering"),
    ("offering_terms", "public_offering"),
    ("fund_terms", "fund_close"),
    ("token_terms", "token_presale"),
    ("debt_terms", "debt"),
    ("event_planned", "planned_raise"),
    ("event_past", "past_funding"),
)


@cache
def detection_weights() -> dict[str, float]:
    """Weight by cue name, with the bias under ``bias``."""
    with WEIGHTS_FILE.open(encoding="utf-8") as lines:
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        return {row["cue"]: float(row["weight"]) for row in rows}


def may_be_funding(text: Text, headline: Headline) -> bool:
    """A cheap look that lets nearly every other text go: some money or round is spoken of near the top."""
    return headline.side != "none" or bool(headline.monies or headline.round_name) or bool(_GLIMPSE.search(text.body[:6000]))


_GLIMPSE = gated(
    r"\b(?:raised|raises|raising|secured|secures|closed|closes|funding|financing|seed|series [a-h]\b"
    r"|venture capital|investment round|invests|invested in|led by|fundrais\w+|minority (?:stake|investment)|investment (?:in|from)"
    r"|backing|investors|put in|procured|allotment)",
    re.I,
)

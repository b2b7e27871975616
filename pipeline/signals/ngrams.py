"""Words and pairs of words of a text as hashed features: what the named cues have no name for.

What belongs here: from text to (bucket, value). What does not: what a bucket weighs (data/ngram_weights.csv).
"""

from __future__ import annotations

import csv
import math
import re
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path

WEIGHTS_FILE = Path(__file__).with_name("data") / "ngram_weights.csv"
BUCKETS = 4096
LONGEST_PART = 1_200  # characters of one part; what matters for detection is said by then


def ngram_features(parts: Mapping[str, str]) -> dict[int, float]:
    """Value by bucket (0..BUCKETS-1) for texts by part name; each part has length one, so that long texts don't outweigh.

    Numbers and amounts are masked before hashing: what they are does not matter, that they are there does. Total.
    """
    found: dict[int, float] = {}
    for name, text in parts.items():
        grams = _grams(text[:LONGEST_PART])
        if not grams:
            continue
        value = 1 / math.sqrt(len(grams))
        begun = zlib.crc32(f"{name}:".encode())
        for gram in grams:
            bucket = zlib.crc32(gram.encode(), begun) % BUCKETS
            found[bucket] = found.get(bucket, 0.0) + value
    return found


def ngram_score(parts: Mapping[str, str]) -> float:
    """Log-odds that the words of ``parts`` add to those of the cues."""
    weights = ngram_weights()
    return sum(weights.get(bucket, 0.0) * value for bucket, value in ngram_features(parts).items())


@cache
def ngram_weights() -> dict[int, float]:
    """The committed weight of each bucket that has one."""
    with WEIGHTS_FILE.open(encoding="utf-8") as lines:
        rows: Iterable[dict[str, str]] = csv.DictReader(line for line in lines if not line.startswith("#"))
        return {int(row["bucket"]): float(row["weight"]) for row in rows}


def _grams(text: str) -> set[str]:
    words = _WORD.findall(_DIGITS.sub("0", _MONEY.sub(" mny ", text.lower())))
    return {*words, *(f"{one} {two}" for one, two in pairwise(words))}


_MONEY = re.compile(
    r"(?:us)?[$€£₹¥]\s?\d[\d.,]*\s?(?:million|billion|crore|cr|mn|bn|m|b|k|lakh)?\b"
    r"|\b(?:rs\.?|inr|usd|eur|chf)\s?\d[\d.,]*\s?(?:million|crore|cr|mn|m|lakh)?\b"
)
_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"[a-z0%]+(?:['’-][a-z]+)*")

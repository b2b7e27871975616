"""What the extractor does with documents its weights were not fitted on, end to end, and the calibration of its confidence.

    python benchmarks/cross_validated.py PATH [--write]

PATH as for detection_weights.py. For each fold (cut by company) the detector is fitted without it and reads it; the evaluator of
PATH judges all folds together. The rules themselves were written with these documents at hand, so that this is still kinder than
documents nobody has seen. ``--write`` fits slope and offset of the confidence (Platt) on these readings and replaces
data/confidence_calibration.csv; what is said stays as it is where it is near enough to what is right.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from detection_weights import Fitting, Weights, fit

from pipeline.signals import confidence, detect, ngrams
from pipeline.signals.extract import extract
from pipeline.signals.jsonl import document_of, prediction
from pipeline.signals.rates import reference_rates

GIVEN = ("id", "title", "body", "url", "published_date", "outlet")
ONE_AS_IT_IS = (1.0, 0.0)
GOOD_ENOUGH = 0.03  # the calibration error that is wanted


def readings(folder: Path) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(gold record, prediction by weights fitted without its fold, with uncalibrated confidence), ambiguous ones left out."""
    with (folder / "gold_open.jsonl").open(encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if not row.get("ambiguous")]
    data = Fitting(folder)
    by_fold: dict[int, Weights] = {}
    found = []
    for row, example in zip(rows, data.rows, strict=False):
        if example.fold not in by_fold:
            by_fold[example.fold] = data.weights(without_fold=example.fold)
        found.append((row, _read(row, by_fold[example.fold])))
    _stream(folder, data, by_fold, len(rows))
    return found


def _stream(folder: Path, data: Fitting, by_fold: dict[int, Weights], start: int) -> None:
    """False alarms among the stream's negatives, each judged by weights fitted without it."""
    flags = json.loads((folder / "stream_open_flags.json").read_text(encoding="utf-8"))
    left_out = {key for name in ("positives", "ambiguous", "likely_positives") for key in flags[name]}
    with gzip.open(folder / "stream_open.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["id"] not in left_out]
    examples = data.rows[start : start + len(rows)]
    alarms = [
        row["title"]
        for row, example in zip(rows, examples, strict=True)
        if example.cues and _read(row, by_fold[example.fold])["is_funding"]
    ]
    print(f"stream: {len(alarms)} false alarms in {len(rows)} ({len(alarms) / len(rows):.2%})")
    for title in alarms:
        print("   flagged:", title[:110])


def _read(row: dict[str, Any], weights: Weights) -> dict[str, Any]:
    given = {key: row.get(key) for key in GIVEN}
    with (
        patch.object(detect, "detection_weights", lambda: weights.cues),
        patch.object(ngrams, "ngram_weights", lambda: weights.words),
        patch.object(confidence, "calibration", lambda: ONE_AS_IT_IS),
    ):
        return prediction(given, extract(document_of(given), reference_rates()))


def calibrate(said: list[float], right: list[bool]) -> tuple[float, float]:
    """(slope, offset) that turn the log-odds said into those seen."""
    odds = np.array([math.log(score / (1 - score)) for score in said])
    matrix = np.column_stack([np.ones(len(odds)), odds])
    found = fit(matrix, np.array(right, dtype=float), np.ones(len(odds)), np.array([1e-3, 1e-3]))
    return float(found[1]), float(found[0])


def main() -> None:
    """Read, judge, and calibrate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    sys.path.insert(0, str(arguments.folder))
    import evaluate  # type: ignore[import-not-found]

    pairs = readings(arguments.folder)
    scores = evaluate.Scores()
    said, right = [], []
    for row, found in pairs:
        scores.add(row, found)
        if found["is_funding"]:
            one = evaluate.Scores()
            one.add(row, found)
            said.append(found["confidence_score"])
            right.append(bool(one.core[0]))
    evaluate.report(scores, 0)
    slope, offset = calibrate(said, right)
    print(f"calibration: slope {slope:.3f}, offset {offset:.3f} over {len(said)} readings, {sum(right) / len(right):.3f} right")
    for name, given in (("as said", said), ("calibrated", [_calibrated(score, slope, offset) for score in said])):
        sure = [is_right for score, is_right in zip(given, right, strict=True) if score >= 0.9]
        print(f"{name}: error {_error(given, right):.3f}; at least 0.9: {len(sure)}, right {sum(sure) / max(1, len(sure)):.3f}")
    if arguments.write:
        if _error(said, right) <= GOOD_ENOUGH:
            slope, offset = ONE_AS_IT_IS  # seven wrong readings of 185 would flatten all to their share
        text = "# Made by benchmarks/cross_validated.py (its head says how); numbers only.\nslope,offset\n"
        confidence.CALIBRATION_FILE.write_text(f"{text}{slope:.3f},{offset:.3f}\n", encoding="utf-8")


def _calibrated(score: float, slope: float, offset: float) -> float:
    return 1 / (1 + math.exp(-(slope * math.log(score / (1 - score)) + offset)))


def _error(said: list[float], right: list[bool]) -> float:
    """Mean distance between what is said and what is right, over ten bands of confidence."""
    bands: dict[int, list[tuple[float, bool]]] = {}
    for score, is_right in zip(said, right, strict=True):
        bands.setdefault(min(9, int(score * 10)), []).append((score, is_right))
    gaps = [abs(sum(score for score, _ in band) - sum(is_right for _, is_right in band)) for band in bands.values()]
    return sum(gaps) / len(said)


if __name__ == "__main__":
    main()

"""Fit the weights of the detector's cues on labelled documents given by path, and say how well they do on folds not fitted.

    python benchmarks/detection_weights.py PATH [--write]

PATH is a folder with ``gold_open.jsonl``, ``stream_open.jsonl.gz`` and ``stream_open_flags.json`` (their README says what is in
them). Method: logistic regression with a ridge penalty over the named cues of ``pipeline.signals.detect``, by Newton steps.
Stream documents that are not known rounds count as negatives with a small weight each. Folds are cut by company, so that two
reports of one round never stand on both sides. What is written holds cue names and numbers, nothing of any text.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.signals.detect import BIAS, WEIGHTS_FILE, find_cues, may_be_funding
from pipeline.signals.headline import parse_headline
from pipeline.signals.text import read

RIDGE = 0.5
STREAM_WEIGHT = 0.25
FOLDS = 10
FEWEST_SEEN = 4
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """One labelled document: the cues it shows, and which fold it is in."""

    cues: frozenset[str]
    is_round: bool
    weight: float
    fold: int
    kind: str


def examples(folder: Path) -> list[Example]:
    """The labelled documents of ``folder``; those that the cheap look lets go have no cues."""
    found = [
        _example(row, row["label"]["is_funding"], 1.0, row["kind"])
        for row in _lines(folder / "gold_open.jsonl")
        if not row.get("ambiguous")
    ]
    flags = json.loads((folder / "stream_open_flags.json").read_text(encoding="utf-8"))
    left_out = {key for name in ("positives", "ambiguous", "likely_positives") for key in flags[name]}
    stream = (row for row in _lines(folder / "stream_open.jsonl.gz") if row["id"] not in left_out)
    return found + [_example(row, False, STREAM_WEIGHT, "stream") for row in stream]


def _example(row: dict[str, Any], is_round: bool, weight: float, kind: str) -> Example:
    text = read(row["title"], row["body"])
    headline = parse_headline(text.title)
    cues = frozenset(find_cues(text, headline)[0]) if may_be_funding(text, headline) else frozenset()
    company = (row.get("label") or {}).get("company_name") or row["id"]
    fold = int(hashlib.sha256(str(company).encode()).hexdigest(), 16) % FOLDS
    return Example(cues, is_round, weight, fold, kind)


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def fit(matrix: Floats, labels: Floats, weights: Floats) -> Floats:
    """Coefficients (bias first) of a ridge logistic regression."""
    penalty = np.eye(matrix.shape[1]) * RIDGE
    penalty[0, 0] = 1e-3
    found = np.zeros(matrix.shape[1])
    for _ in range(60):
        chance = _chance(matrix @ found)
        gradient = matrix.T @ (weights * (chance - labels)) + penalty @ found
        curvature = (matrix * (weights * chance * (1 - chance))[:, None]).T @ matrix + penalty
        step = np.linalg.solve(curvature, gradient)
        found -= step
        if np.abs(step).max() < 1e-7:
            break
    return found


def _chance(odds: Floats) -> Floats:
    clipped: Floats = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
    return clipped


def _figures(name: str, chosen: NDArray[np.bool_], labels: Floats) -> None:
    hits = float((chosen & (labels > 0)).sum())
    false, missed = float((chosen & (labels == 0)).sum()), float((~chosen & (labels > 0)).sum())
    precision, recall = hits / max(1.0, hits + false), hits / max(1.0, hits + missed)
    print(
        f"{name:9s} P {precision:.3f} R {recall:.3f} F1 {2 * hits / max(1.0, 2 * hits + false + missed):.3f} "
        f"false {false:.0f} missed {missed:.0f}"
    )


def main() -> None:
    """Fit, cross-validate, print, and write when asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help="replace the committed weights")
    arguments = parser.parse_args()

    rows = examples(arguments.folder)
    counts: dict[str, int] = {}
    for row in rows:
        for cue in row.cues:
            counts[cue] = counts.get(cue, 0) + 1
    names = sorted(cue for cue, count in counts.items() if count >= FEWEST_SEEN)
    matrix = np.array([[1.0, *(float(name in row.cues) for name in names)] for row in rows])
    labels = np.array([float(row.is_round) for row in rows])
    weights = np.array([row.weight for row in rows])
    folds = np.array([row.fold for row in rows])
    kinds = np.array([row.kind for row in rows])

    held_out = np.zeros(len(rows))
    for fold in range(FOLDS):
        inside = folds != fold
        held_out[~inside] = _chance(matrix[~inside] @ fit(matrix[inside], labels[inside], weights[inside]))
    print(f"{len(rows)} documents, {len(names)} cues, {FOLDS} folds; on documents not fitted:")
    _figures("all", held_out[kinds != "stream"] >= 0.5, labels[kinds != "stream"])
    for kind in ("body", "headline"):
        _figures(kind, held_out[kinds == kind] >= 0.5, labels[kinds == kind])
    print(f"stream    {(held_out[kinds == 'stream'] >= 0.5).sum()} false alarms in {(kinds == 'stream').sum()}")

    found = fit(matrix, labels, weights)
    if arguments.write:
        lines = [
            "# Weights of the cues of pipeline.signals.detect, in log-odds. Made by "
            "benchmarks/detection_weights.py (its head says how and"
        ]
        lines += ["# on what); names and numbers only.", "cue,weight", f"{BIAS},{found[0]:.3f}"]
        lines += [f"{name},{value:.3f}" for name, value in zip(names, found[1:], strict=True)]
        WEIGHTS_FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"wrote {len(names)} weights")


if __name__ == "__main__":
    main()

"""Fit the detector (weights of its cues and of hashed words) on labelled documents, and say how well it does on folds not fitted.

    python benchmarks/detection_weights.py PATH [--write]

PATH is a folder with ``gold_open.jsonl``, ``stream_open.jsonl.gz`` and ``stream_open_flags.json`` (their README says what is in
them). To these come the news of ``benchmarks/invented_news.jsonl``, written for this project: classes of news that the labelled
set has few of, in other words. Method: logistic regression with a ridge penalty, by L-BFGS, over the named cues of
``pipeline.signals.document_cues`` and the hashed words of ``pipeline.signals.ngrams``. Stream documents that are not known rounds
count as negatives with a small weight each, invented ones with as much as labelled ones. Folds are cut by company, so that two
reports of one round never stand on both sides; invented news are never held out. What is written holds names, bucket numbers
and weights, nothing of any text.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.signals import ngrams
from pipeline.signals.detect import BIAS, WEIGHTS_FILE, may_be_funding, parts_of
from pipeline.signals.document_cues import find_cues
from pipeline.signals.headline import parse_headline
from pipeline.signals.text import read
from pipeline.signals.title_vetoes import TITLE_VETOES

RIDGE_CUES, RIDGE_WORDS = 0.3, 0.2
STREAM_WEIGHT, INVENTED_WEIGHT = 0.25, 1.0
FOLDS = 10
FEWEST_SEEN = 3
SMALLEST_WORD_WEIGHT = 0.02
INVENTED_FILE = Path(__file__).with_name("invented_news.jsonl")
NEVER_HELD_OUT = -1
MOST_REFITS = 3
SPEAK_FOR = (
    "event_lead", "event_early", "event_late", "says_raised", "round_led", "round_story", "led_by", "participation", "use_of_funds",
    "title_raise", "title_gets", "title_and_lead", "title_led_by", "title_from_fund", "told_with_backers", "brings_total",
    "lead_tells",
)  # fmt: skip
SPEAK_AGAINST = (
    "event_past",
    "event_planned",
    "event_other",
    "no_event",
    "never_raised",
    "debt_deal",
    "public_company",
    "title_money_other",
)
SOFT = frozenset({"commentary", "legal", "debt", "contract", "partnership", "appointment"})  # above real rounds now and then
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """One labelled document: the cues it shows, and which fold it is in."""

    cues: frozenset[str]
    words: dict[int, float]
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
    found += [_example(row, False, STREAM_WEIGHT, "stream") for row in stream]
    return found + [_example(row, row["is_funding"], INVENTED_WEIGHT, "invented") for row in _lines(INVENTED_FILE)]


def _example(row: dict[str, Any], is_round: bool, weight: float, kind: str) -> Example:
    text = read(row["title"], row["body"])
    headline = parse_headline(text.title)
    cues: dict[str, str] = {}
    words: dict[int, float] = {}
    if may_be_funding(text, headline):
        cues, events = find_cues(text, headline)
        words = ngrams.ngram_features(parts_of(text, headline, events))
    company = (row.get("label") or {}).get("company_name") or row["id"]
    fold = NEVER_HELD_OUT if kind == "invented" else int(hashlib.sha256(str(company).encode()).hexdigest(), 16) % FOLDS
    return Example(frozenset(cues), words, is_round, weight, fold, kind)


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def fit(matrix: Floats, labels: Floats, weights: Floats, ridge: Floats, start: Floats | None = None) -> Floats:
    """Coefficients of a logistic regression, each with its own ridge penalty; L-BFGS with a history of ten steps."""
    found = np.zeros(matrix.shape[1]) if start is None else start.copy()
    steps: list[tuple[Floats, Floats]] = []
    loss, gradient = _loss(found, matrix, labels, weights, ridge)
    for _ in range(300):
        direction = _direction(gradient, steps)
        length = 1.0 if steps else 1e-2
        while True:
            tried = found + length * direction
            new_loss, new_gradient = _loss(tried, matrix, labels, weights, ridge)
            if new_loss <= loss + 1e-4 * length * float(gradient @ direction) or length < 1e-10:
                break
            length /= 2
        change, turn = tried - found, new_gradient - gradient
        if float(change @ turn) > 1e-12:
            steps = [*steps[-9:], (change, turn)]
        found, gradient, gain, loss = tried, new_gradient, loss - new_loss, new_loss
        if gain < 1e-7 * max(1.0, loss):
            break
    return found


def _loss(found: Floats, matrix: Floats, labels: Floats, weights: Floats, ridge: Floats) -> tuple[float, Floats]:
    odds = matrix @ found
    loss = float(weights @ (np.logaddexp(0, odds) - labels * odds) + 0.5 * ridge @ found**2)
    return loss, matrix.T @ (weights * (_chance(odds) - labels)) + ridge * found


def _direction(gradient: Floats, steps: list[tuple[Floats, Floats]]) -> Floats:
    """The two-loop recursion: minus the gradient times the inverse curvature that the last steps show."""
    direction = -gradient
    shares: list[float] = []
    for change, turn in reversed(steps):
        shares.append(float(change @ direction) / float(change @ turn))
        direction = direction - shares[-1] * turn
    if steps:
        change, turn = steps[-1]
        direction = direction * (float(change @ turn) / float(turn @ turn))
    for (change, turn), share in zip(steps, reversed(shares), strict=True):
        direction = direction + change * (share - float(turn @ direction) / float(change @ turn))
    return direction


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


@dataclass(frozen=True)
class Weights:
    """What a fit gives: weight by cue (with the bias) and by bucket of words."""

    cues: dict[str, float]
    words: dict[int, float]


def sign_of(cue: str) -> int:
    """1 for cues that can only speak for a round, -1 for those that can only speak against one, 0 for others."""
    if cue.startswith(SPEAK_AGAINST) or cue.endswith("_terms") or cue.removeprefix("title_") in TITLE_VETOES.keys() - SOFT:
        return -1
    return 1 if cue.startswith(SPEAK_FOR) else 0


class Fitting:
    """The labelled documents as a matrix, and fits of all or some of them."""

    def __init__(self, folder: Path) -> None:
        self.rows = examples(folder)
        told = [row for row in self.rows if row.cues or row.kind != "stream"]
        told += _let_go(self.rows)
        self.names, self.buckets, self.matrix = _matrix(told)
        self.labels = np.array([float(row.is_round) for row in told])
        self.folds = np.array([row.fold for row in told])
        self.kinds = np.array([row.kind for row in told])
        self._weights = np.array([row.weight for row in told])
        signs = [0, *(sign_of(name) for name in self.names), *(0 for _ in self.buckets)]
        self._signs = np.array(signs, dtype=float)
        self._ridge = np.array([1e-3, *(RIDGE_CUES for _ in self.names), *(RIDGE_WORDS for _ in self.buckets)])

    def coefficients(self, without_fold: int | None = None) -> Floats:
        """Coefficients fitted on all documents but those of a fold."""
        inside = self.folds != without_fold if without_fold is not None else np.ones(len(self.labels), dtype=bool)
        used = np.ones(self.matrix.shape[1], dtype=bool)
        found = np.zeros(self.matrix.shape[1])
        for _ in range(MOST_REFITS):
            matrix = self.matrix[np.ix_(inside, used)]
            found[used] = fit(matrix, self.labels[inside], self._weights[inside], self._ridge[used], start=found[used])
            found[~used] = 0.0
            wrong = self._signs * found < 0
            if not wrong.any():
                break
            used &= ~wrong  # a way of telling a round that speaks against one has been fitted to chance
        return found

    def weights(self, without_fold: int | None = None) -> Weights:
        """The same by name, as the detector reads them."""
        found = [float(value) for value in self.coefficients(without_fold)]
        cues = {BIAS: found[0], **dict(zip(self.names, found[1:], strict=False))}
        of_words = zip(self.buckets, found[1 + len(self.names) :], strict=True)
        return Weights(cues, {bucket: value for bucket, value in of_words if abs(value) >= SMALLEST_WORD_WEIGHT})


def main() -> None:
    """Fit, cross-validate, print, and write when asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help="replace the committed weights")
    arguments = parser.parse_args()

    data = Fitting(arguments.folder)
    labels, kinds = data.labels, data.kinds
    held_out = np.zeros(len(labels))
    for fold in range(FOLDS):
        outside = data.folds == fold
        held_out[outside] = _chance(data.matrix[outside] @ data.coefficients(without_fold=fold))
    print(
        f"{len(data.rows)} documents, {len(data.names)} cues, {len(data.buckets)} buckets of words, {FOLDS} folds; "
        "on documents not fitted:"
    )
    is_gold = (kinds == "body") | (kinds == "headline")
    _figures("all", held_out[is_gold] >= 0.5, labels[is_gold])
    for kind in ("body", "headline"):
        _figures(kind, held_out[kinds == kind] >= 0.5, labels[kinds == kind])
    print(
        f"stream    {(held_out[kinds == 'stream'] >= 0.5).sum()} false alarms in {sum(row.kind == 'stream' for row in data.rows)}"
    )
    if arguments.write:
        _write(data.weights())


def _let_go(rows: list[Example]) -> list[Example]:
    """The stream's documents that the cheap look lets go, as one document a fold with the weight of all: they are all alike."""
    weights: dict[int, float] = {}
    for row in rows:
        if row.kind == "stream" and not row.cues:
            weights[row.fold] = weights.get(row.fold, 0.0) + row.weight
    return [Example(frozenset(), {}, False, weight, fold, "stream") for fold, weight in sorted(weights.items())]


def _matrix(rows: list[Example]) -> tuple[list[str], list[int], Floats]:
    """(cues, buckets, a column for the bias, each cue and each bucket that enough documents show)."""
    seen_cues = Counter(cue for row in rows for cue in row.cues)
    seen_words = Counter(bucket for row in rows for bucket in row.words)
    names = sorted(cue for cue, count in seen_cues.items() if count >= FEWEST_SEEN)
    buckets = sorted(bucket for bucket, count in seen_words.items() if count >= FEWEST_SEEN)
    place = {bucket: 1 + len(names) + number for number, bucket in enumerate(buckets)}
    matrix = np.zeros((len(rows), 1 + len(names) + len(buckets)))
    matrix[:, 0] = 1.0
    for number, row in enumerate(rows):
        matrix[number, 1 : 1 + len(names)] = [float(name in row.cues) for name in names]
        for bucket, value in row.words.items():
            if bucket in place:
                matrix[number, place[bucket]] = value
    return names, buckets, matrix


def _write(found: Weights) -> None:
    head = "# Made by benchmarks/detection_weights.py (its head says how and on what); log-odds, numbers only.\n"
    cues = [f"{name},{value:.3f}" for name, value in found.cues.items()]
    WEIGHTS_FILE.write_text(head + "\n".join(["cue,weight", *cues]) + "\n", encoding="utf-8")
    words = [f"{bucket},{value:.2f}" for bucket, value in found.words.items()]
    ngrams.WEIGHTS_FILE.write_text(head + "\n".join(["bucket,weight", *words]) + "\n", encoding="utf-8")
    print(f"wrote {len(cues)} cues, {len(words)} buckets")


if __name__ == "__main__":
    main()

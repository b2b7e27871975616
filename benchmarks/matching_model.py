"""Fit the model of the name path on labelled worlds, and write the artifact that ships.

    python benchmarks/matching_model.py WORLD… [--evaluator FILE] [--judge WORLD…] [--out pipeline/matching/data/name_model.json]

Worlds are as benchmarks/matching.py takes them; labels come from their evaluator and so from public records, never from names.
Prints, cross-validated over companies (no company is in the part that judges it), precision and recall of the name path at
several scores, and the same for worlds that were only judged. Nothing of a world's text goes into the artifact: it holds
weights of features, and points of a calibration curve.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from pipeline.matching import name_index, name_path
from pipeline.matching.engine import MATCHER_VERSION, prepare_rounds
from pipeline.matching.files import read_world
from pipeline.matching.scoring import NameModel

Floats = npt.NDArray[np.float64]
FOLDS = 5
RIDGE = 3.0  # of standardised features
UNLABELLED_WEIGHT = 0.3  # most likely another company, not proven
THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95)
POINTS = 14  # of the calibration curve

# What the model may weigh. Products say what one number alone can't: an open word matters more where a single word agrees.
FEATURES = (
    "agreed_max",
    "agreed_sum",
    "open_round_max",
    "open_round_sum",
    "open_crm_max",
    "open_crm_sum",
    "open_both",
    "coverage_round",
    "coverage_crm",
    "none_agreed",
    "one_word",
    "same_first_word",
    "is_first_words",
    "holders",
    "open_place",
    "open_all_place",
    "open_plain",
    "open_all_plain",
    "open_web",
    "open_all_web",
    "open_business",
    "open_all_business",
    "open_number",
    "ratio",
    "beginning",
    "letters_short",
    "letters_open",
    "is_beginning",
    "letters_common",
    "has_round_label",
    "has_crm_label",
    "same_label",
    "crm_label_is_round",
    "crm_label_is_crm",
    "round_label_is_crm",
    "round_label_is_round",
    "crm_label_like_round",
    "crm_label_like_crm",
    "round_label_like_crm",
    "round_label_like_round",
    "is_equal",
    "spacing",
    "form_conflict",
)
PRODUCTS = (
    "one_word * open_max", "one_word * agreed_max", "open_both * open_max", "same_first_word * agreed_max",
    "is_equal * agreed_sum", "is_equal * one_word", "is_equal * holders", "is_equal * round_label_like_round",
    "is_equal * crm_label_like_round", "is_equal * form_conflict", "is_equal * has_round_label", "is_equal * has_crm_label",
    "is_equal * letters_short", "one_word * round_label_is_round", "one_word * crm_label_is_crm", "none_agreed * ratio",
    "none_agreed * letters_common", "is_beginning * letters_open", "open_all_plain * agreed_sum",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of one world with what is known of them. ``named``: counts in recall; ``due``: how many there are of these."""

    world: str
    features: Floats
    label: npt.NDArray[np.str_]
    named: npt.NDArray[np.bool_]
    fold: npt.NDArray[np.int64]
    due: int

    @property
    def is_true(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.label == "true")

    @property
    def is_false(self) -> npt.NDArray[np.bool_]:
        return np.isin(self.label, ["false", "homonym"])


def load(world: Path, evaluator: Any) -> Sample:
    """Every pair of rows of a world that the matcher looks at, with its evidence and label."""
    names = [*FEATURES, *PRODUCTS]
    with duckdb.connect() as connection:
        accounts, contacts, rounds = (next(world.glob(f"{name}.csv*")) for name in ("accounts", "contacts", "fundings"))
        read_world(connection, accounts, contacts, rounds)
        prepare_rounds(connection, "rounds")
        index = name_index.build(connection, "accounts")
        rows, evidence = name_path.collect(connection, "accounts", index)
    evidence["form_conflict"] = name_path.form_conflict(rows)
    truth = evaluator.World(world)
    pairs = list(zip(rows["round_id"].to_pylist(), rows["external_id"].to_pylist(), strict=True))
    label = np.array([truth.label(*pair) for pair in pairs])
    return Sample(
        world.name,
        np.column_stack([NameModel("", 0.0, {name: 1.0}, ()).logits(evidence) for name in names]),
        label,
        np.array([pair in truth.named for pair in pairs]),
        np.array([zlib.crc32(truth.fundings[pair[0]].company.encode()) % FOLDS for pair in pairs]),
        len(truth.named),
    )


def fit(features: Floats, is_true: npt.NDArray[np.bool_], weight: Floats) -> tuple[float, Floats]:
    """Intercept and weights of a ridge logistic regression, by Newton's method."""
    center, scale = features.mean(axis=0), features.std(axis=0) + 1e-9
    x = np.column_stack([np.ones(len(features)), (features - center) / scale])
    beta = np.zeros(x.shape[1])
    ridge = np.full(x.shape[1], RIDGE)
    ridge[0] = 0.0
    for _ in range(40):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        gradient = x.T @ (weight * (is_true - p)) - ridge * beta
        step = np.linalg.solve((x * (weight * p * (1 - p) + 1e-9)[:, None]).T @ x + np.diag(ridge + 1e-9), gradient)
        beta += step
        if np.abs(step).max() < 1e-6:
            break
    weights = beta[1:] / scale
    return float(beta[0] - weights @ center), weights


def calibrated(logit: Floats, is_true: npt.NDArray[np.bool_], weight: Floats) -> list[tuple[float, float]]:
    """A rising curve from logits to the share that is true: pooled adjacent violators over equal shares of the evidence."""
    order = np.argsort(logit, kind="stable")
    logit, is_true, weight = logit[order], is_true[order], weight[order]
    # Bins of equal information: where true and false meet there are many, in the far tails few.
    information = np.cumsum(weight * np.where(is_true, 1 / is_true.sum(), 1 / (~is_true).sum()))
    edges = np.searchsorted(information, np.linspace(0, information[-1], 4 * POINTS + 1)[1:-1])
    bins = [part for part in np.split(np.arange(len(logit)), edges) if len(part)]
    blocks = [[weight[b].sum(), (weight[b] * is_true[b]).sum(), (weight[b] * logit[b]).sum()] for b in bins]
    merged: list[list[float]] = []
    for block in blocks:
        merged.append(list(block))
        while len(merged) > 1 and merged[-2][1] / merged[-2][0] >= merged[-1][1] / merged[-1][0]:
            last = merged.pop()
            merged[-1] = [a + b for a, b in zip(merged[-1], last, strict=True)]
    return [(round(z / w, 3), round(min(max((t + 0.02) / (w + 0.04), 0.0005), 0.9985), 4)) for w, t, z in merged]


def report(sample: Sample, score: Floats, title: str) -> None:
    """Print the name path's precision and recall at several scores, the best F1, and the calibration error."""
    counted = sample.is_true | sample.is_false
    order = np.argsort(-score, kind="stable")
    true, false = np.cumsum(sample.is_true[order]), np.cumsum(sample.is_false[order])
    precision, recall = true / np.maximum(true + false, 1), np.cumsum(sample.named[order]) / sample.due
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    best = int(f1.argmax())
    print(
        f"{title}: best F1 {f1[best]:.4f} (P {precision[best]:.4f} R {recall[best]:.4f} at {score[order][best]:.3f}), ", end=""
    )
    print(f"calibration error {calibration_error(score[counted], sample.is_true[counted]):.4f}")
    for target in (0.99, 0.995):
        good = np.flatnonzero(precision >= target)
        if len(good):
            print(f"   P >= {target}: R {recall[good[-1]]:.4f} from {score[order][good[-1]]:.3f}")
    for threshold in THRESHOLDS:
        at = int((score >= threshold).sum()) - 1
        print(f"   {threshold:.2f}: P {precision[at]:.4f} R {recall[at]:.4f}")


def calibration_error(score: Floats, is_true: npt.NDArray[np.bool_], least: float = 0.05) -> float:
    """Expected difference of score and share of true rows, over ten bins of the scores from ``least`` on."""
    bins = np.minimum((score * 10).astype(int), 9)
    seen = score >= least
    gaps = [abs(score[b].mean() - is_true[b].mean()) * b.sum() for k in range(10) if (b := seen & (bins == k)).any()]
    return float(sum(gaps) / max(seen.sum(), 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("worlds", nargs="+", type=Path)
    parser.add_argument("--judge", nargs="*", default=[], type=Path)
    parser.add_argument("--evaluator", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    spec = importlib.util.spec_from_file_location(
        "evaluator", arguments.evaluator or arguments.worlds[0].resolve().parent / "evaluate.py"
    )
    assert spec is not None
    assert spec.loader is not None
    evaluator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(evaluator)
    samples = [load(world, evaluator) for world in arguments.worlds]
    features = np.concatenate([sample.features for sample in samples])
    label = np.concatenate([sample.label for sample in samples])
    fold = np.concatenate([sample.fold for sample in samples])
    is_true, weight = label == "true", np.select([label == "ambiguous", label == "unlabelled"], [0.0, UNLABELLED_WEIGHT], 1.0)
    logit = np.zeros(len(label))
    for number in range(FOLDS):
        intercept, weights = fit(features[fold != number], is_true[fold != number], weight[fold != number])
        logit[fold == number] = intercept + features[fold == number] @ weights
    points = calibrated(logit[weight > 0], is_true[weight > 0], weight[weight > 0])
    curve = np.array(points)
    ends = np.cumsum([len(sample.label) for sample in samples])
    for sample, part in zip(samples, np.split(logit, ends[:-1]), strict=True):
        report(sample, np.interp(part, curve[:, 0], curve[:, 1]), f"{sample.world}, cross-validated over companies")
    intercept, weights = fit(features, is_true, weight)
    for world in arguments.judge:
        sample = load(world, evaluator)
        score = np.interp(intercept + sample.features @ weights, curve[:, 0], curve[:, 1])
        report(sample, score, f"{sample.world}, not fitted on")
    if arguments.out:
        artifact = {
            "version": MATCHER_VERSION,
            "what": "logistic regression over named features of two rows; ' * ' is a product; see docs/maintainers/matching.md",
            "fitted_on": [f"{s.world}: {len(s.label)} pairs, {int(s.is_true.sum())} true" for s in samples],
            "fitted_by": "benchmarks/matching_model.py",
            "intercept": round(intercept, 4),
            "weights": {name: round(float(w), 4) for name, w in zip([*FEATURES, *PRODUCTS], weights, strict=True)},
            "calibration": points,
        }
        arguments.out.write_text(json.dumps(artifact, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

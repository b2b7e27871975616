"""From evidence to a probability: a logistic model over named features, and what decided a score.

What belongs here: reading the model, applying it, saying why. What does not: the features (features), fitting
(benchmarks/matching_model.py, which writes data/name_model.json and says there what it was fitted on).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from pipeline.matching.features import Floats
from pipeline.matching.name_index import DATA

TOLD = 5  # how many features an explanation names


@dataclass(frozen=True, slots=True)
class NameModel:
    """A logistic model. A weight named ``a * b`` is of the product of two features.

    ``calibration``: points (logit, probability), rising, between which the probability is interpolated.
    """

    version: str
    intercept: float
    weights: Mapping[str, float]
    calibration: tuple[tuple[float, float], ...]

    def logits(self, features: Mapping[str, Floats]) -> Floats:
        """The sum of evidence, one number per row of the features."""
        total = np.full(len(next(iter(features.values()))), self.intercept)
        for name, weight in self.weights.items():
            total += weight * _value(name, features)
        return total

    def probabilities(self, features: Mapping[str, Floats]) -> Floats:
        """How likely the two rows are one company, 0..1."""
        points = np.array(self.calibration)
        return np.asarray(np.interp(self.logits(features), points[:, 0], points[:, 1]), dtype=np.float64)

    def reasons(self, features: Mapping[str, Floats], row: int) -> dict[str, float]:
        """The features that moved a row's sum most, with what each added to it (in logits), the strongest first."""
        added = {name: weight * float(_value(name, features)[row]) for name, weight in self.weights.items()}
        strongest = sorted(added, key=lambda name: (-abs(added[name]), name))[:TOLD]
        return {name: round(added[name], 2) for name in strongest if round(added[name], 2)}


def _value(name: str, features: Mapping[str, Floats]) -> Floats:
    first, _, second = name.partition(" * ")
    return features[first] * features[second] if second else features[first]


@cache
def name_model() -> NameModel:
    """The model that ships with this version."""
    data = json.loads((DATA / "name_model.json").read_text(encoding="utf-8"))
    points = tuple((float(logit), float(probability)) for logit, probability in data["calibration"])
    return NameModel(str(data["version"]), float(data["intercept"]), data["weights"], points)

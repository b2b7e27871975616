"""Which found matches are told, which wait for a person, which were nearly found: thresholds per organization.

What belongs here: sorting matches by their score. What does not: where thresholds are kept (organizations) and what becomes
of a tier (webhooks). Only the name path has degrees: equal domains are told whatever the thresholds say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import groupby
from typing import Any

from pipeline.matching.model import FoundMatch, MatchType

# Below this a name match is noise: it would fill a queue that nobody could work off.
LEAST_REVIEW = 0.3
# How far below the threshold "nearly found" reaches.
NEAR = 0.2
# Of one round and organization, so many names are asked about, or shown as near misses: the best.
MOST_NAMES = 5


class BadThresholds(ValueError):
    """Thresholds that are no probabilities in order. Says which, and what would do."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores, 0..1: a name match from ``send`` on is told, from ``review`` on it waits for a person, below it is dropped.

    ``review`` equal to ``send``: nothing waits. Raises BadThresholds.
    """

    send: float
    review: float

    def __post_init__(self) -> None:
        if not LEAST_REVIEW <= self.review <= 1 or not LEAST_REVIEW <= self.send <= 1:
            raise BadThresholds(
                f"thresholds are scores from {LEAST_REVIEW} to 1, not send {self.send:g}, review {self.review:g}"
            )
        if self.review > self.send:
            raise BadThresholds(f"the review threshold {self.review:g} is above the send threshold {self.send:g}")

    @property
    def search(self) -> float:
        """The score from which matches are of any interest, near misses included."""
        return max(LEAST_REVIEW, self.review - NEAR)


@dataclass(frozen=True, slots=True)
class Tiers:
    """Found matches sorted. ``send``: one per organization and round, with the rows that are told. ``review`` and ``near``: one
    per organization, round and name of the CRM, where nothing of that round is sent (and for ``near``, nothing is reviewed).
    """

    send: list[FoundMatch] = field(default_factory=list)
    review: list[FoundMatch] = field(default_factory=list)
    near: list[FoundMatch] = field(default_factory=list)


def search_from(all_thresholds: Iterable[Thresholds]) -> float:
    """The score from which the engine must look, so that every organization gets its own. At least one must be given."""
    return min(thresholds.search for thresholds in all_thresholds)


def sort_into_tiers(found: Iterable[FoundMatch], thresholds: Mapping[str, Thresholds], default: Thresholds) -> Tiers:
    """Sort by each organization's thresholds (``default`` where it has none), keeping the order of ``found``."""
    tiers = Tiers()
    for match in found:
        levels = thresholds.get(match.organization_id, default)
        told = [row for row in match.all_matches if not is_by_name(row) or row["score"] >= levels.send]
        if told:
            tiers.send.append(with_rows(match, told))
            continue
        asked = [row for row in match.all_matches if row["score"] >= levels.review]
        if asked:
            tiers.review.extend(_by_name(match, asked))
        else:
            tiers.near.extend(_by_name(match, [row for row in match.all_matches if row["score"] >= levels.search]))
    return tiers


def is_by_name(row: Mapping[str, Any]) -> bool:
    """Was this row of ``all_matches`` found by its name?"""
    return bool(row["match_type"] == MatchType.ACCOUNT_NAME)


def with_rows(match: FoundMatch, rows: Sequence[Mapping[str, Any]]) -> FoundMatch:
    """The match with these rows (best first) of its own only: its head is the first of them. ``rows`` must not be empty."""
    known = {one.name for one in fields(match)}
    head = {name: value for name, value in rows[0].items() if name in known}
    head["match_type"] = MatchType(head["match_type"])
    return replace(match, **head, all_matches=[dict(row) for row in rows])


def _by_name(match: FoundMatch, rows: Iterable[Mapping[str, Any]]) -> list[FoundMatch]:
    """One match per name that the CRM has, best first: several rows under one name are one question."""
    ordered = sorted(rows, key=lambda row: (-row["score"], row["crm_value"], row["account_external_id"] or ""))
    best: dict[str, float] = {}
    for row in ordered:
        best.setdefault(row["crm_value"], row["score"])
    ordered.sort(key=lambda row: (-best[row["crm_value"]], row["crm_value"]))
    groups = [list(group) for _, group in groupby(ordered, key=lambda row: row["crm_value"])]
    return [with_rows(match, group) for group in groups[:MOST_NAMES]]

"""When a figure is unusual: pure functions over counts, so that each threshold can be tested by itself.

What belongs here: arithmetic and thresholds, with their reasons. What does not: queries and Dagster (checks_*).
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median, quantiles

# A source is late when it is silent for three times the gap that nine in ten of its gaps stay below.
LATE_FACTOR, LEAST_GAPS = 3.0, 10
# Below an hour a feed's silence says nothing: a poll may have been slow.
LEAST_SILENCE = timedelta(hours=1)
# A day's volume is judged beside the same weekday of the weeks before (news rests on Sundays).
LEAST_WEEKS, LEAST_VOLUME, LOW, HIGH = 3, 20, 0.4, 2.5
# A share has moved when it differs by a tenth at least, and by more than chance explains (four standard errors).
LEAST_OF, LEAST_SHIFT, STANDARD_ERRORS = 50, 0.10, 4.0
# Population stability index: above 0.25 a distribution is customarily held to have shifted.
SHIFTED = 0.25


def silent_too_long(arrivals: Sequence[datetime], now: datetime) -> tuple[timedelta, timedelta] | None:
    """(silence, usual gap) of a source that is late by its own rhythm; None where it is not, or has too short a past."""
    ordered = sorted(arrivals)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(ordered)]
    if len(gaps) < LEAST_GAPS:
        return None
    usual = timedelta(seconds=quantiles(gaps, n=10, method="inclusive")[8])
    silence = now - ordered[-1]
    return (silence, usual) if silence > max(LATE_FACTOR * usual, LEAST_SILENCE) else None


def unusual_volume(count: int, before: Sequence[int]) -> float | None:
    """``count`` as a multiple of the median of ``before`` (same weekdays) where that is unusual; else None."""
    if len(before) < LEAST_WEEKS:
        return None
    usual = median(before)
    if max(usual, count) < LEAST_VOLUME:
        return None
    ratio = count / usual if usual else math.inf
    return ratio if ratio < LOW or ratio > HIGH else None


def moved(part: int, of: int, part_before: int, of_before: int) -> float | None:
    """By how much a share has moved (-1 to 1), where that is neither little nor chance; else None."""
    if min(of, of_before) < LEAST_OF:
        return None
    difference = part / of - part_before / of_before
    pooled = (part + part_before) / (of + of_before)
    error = math.sqrt(pooled * (1 - pooled) * (1 / of + 1 / of_before))
    return difference if abs(difference) >= LEAST_SHIFT and abs(difference) > STANDARD_ERRORS * error else None


def stability_index(counts: Mapping[str, int], before: Mapping[str, int]) -> float:
    """How far two distributions over the same bins are apart (population stability index); 0 for the same, and for none.

    An empty bin counts as half a case, as is customary, so that the index is finite.
    """
    total, total_before = sum(counts.values()), sum(before.values())
    if not total or not total_before:
        return 0.0
    index = 0.0
    for name in counts.keys() | before.keys():
        share = max(counts.get(name, 0), 0.5) / total
        share_before = max(before.get(name, 0), 0.5) / total_before
        index += (share - share_before) * math.log(share / share_before)
    return index


def has_shifted(counts: Mapping[str, int], before: Mapping[str, int]) -> bool:
    """Whether two distributions of enough cases each are further apart than is held to be stable."""
    return min(sum(counts.values()), sum(before.values())) >= LEAST_OF and stability_index(counts, before) > SHIFTED

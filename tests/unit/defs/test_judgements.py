"""When a figure is unusual: every threshold from both sides."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.defs.judgements import has_shifted, moved, silent_too_long, stability_index, unusual_volume

NOW = datetime(2026, 5, 12, 12, tzinfo=UTC)


def every(gap: timedelta, count: int, until: datetime) -> list[datetime]:
    return [until - gap * back for back in range(count)]


def test_source_is_late_after_three_of_its_usual_gaps() -> None:
    gap = timedelta(hours=2)
    assert silent_too_long(every(gap, 20, NOW - timedelta(hours=6)), NOW) is None
    assert silent_too_long(every(gap, 20, NOW - timedelta(hours=7)), NOW) == (timedelta(hours=7), gap)


def test_source_that_publishes_by_the_minute_may_be_silent_for_an_hour() -> None:
    arrivals = every(timedelta(minutes=1), 60, NOW - timedelta(minutes=60))
    assert silent_too_long(arrivals, NOW) is None
    assert silent_too_long(arrivals, NOW + timedelta(minutes=1)) is not None


def test_nights_belong_to_the_rhythm() -> None:
    """Nine to five, every day: at eight the next morning nothing is late."""
    days = [NOW.replace(hour=9) - timedelta(days=day) for day in range(1, 15)]
    arrivals = [day + timedelta(hours=hour) for day in days for hour in (0, 4, 8)]
    assert silent_too_long(arrivals, NOW.replace(hour=8)) is None
    assert silent_too_long(arrivals, NOW + timedelta(days=3)) is not None


def test_order_of_arrivals_does_not_matter_and_a_short_past_says_nothing() -> None:
    arrivals = every(timedelta(hours=2), 20, NOW - timedelta(hours=9))
    assert silent_too_long(arrivals[::-1], NOW) == silent_too_long(arrivals, NOW) is not None
    assert silent_too_long(arrivals[:10], NOW) is None
    assert silent_too_long([], NOW) is None


@pytest.mark.parametrize(
    ("count", "before", "ratio"),
    [
        (100, [100, 90, 110], None),
        (40, [100, 90, 110], None),
        (39, [100, 90, 110], 0.39),
        (0, [100, 90, 110], 0.0),
        (250, [100, 90, 110], None),
        (251, [100, 90, 110], 2.51),
        (0, [19, 19, 19], None),  # too few to say
        (0, [100, 100], None),  # too short a past
        (30, [0, 0, 0], math.inf),
    ],
)
def test_volume_is_judged_beside_the_same_weekdays(count: int, before: list[int], ratio: float | None) -> None:
    found = unusual_volume(count, before)
    assert found == (ratio if ratio is None else pytest.approx(ratio))


def test_share_moves_when_it_is_neither_little_nor_chance() -> None:
    assert moved(600, 1000, 400, 1000) == pytest.approx(0.2)
    assert moved(200, 1000, 400, 1000) == pytest.approx(-0.2)
    assert moved(480, 1000, 400, 1000) is None  # less than a tenth
    assert moved(31, 50, 25, 50) is None  # chance
    assert moved(40, 49, 0, 1000) is None  # too few
    assert moved(1000, 1000, 0, 1000) == pytest.approx(1.0)
    assert moved(0, 100, 0, 100) is None


def test_spread_has_shifted_when_most_of_it_is_elsewhere() -> None:
    usual = {"seed": 400, "series-a": 300, "series-b": 300}
    assert not has_shifted({"seed": 42, "series-a": 31, "series-b": 27}, usual)
    assert has_shifted({"seed": 10, "series-a": 10, "series-b": 80}, usual)
    assert has_shifted({"grant": 100}, usual)
    assert not has_shifted({"grant": 49}, usual)  # too few
    assert stability_index({}, usual) == 0.0


COUNTS = st.dictionaries(st.sampled_from("abcde"), st.integers(0, 1000))


@given(COUNTS, COUNTS)
def test_stability_index_is_symmetric_and_never_negative(one: dict[str, int], other: dict[str, int]) -> None:
    assert stability_index(one, other) == pytest.approx(stability_index(other, one))
    assert stability_index(one, other) >= -1e-9
    assert stability_index(one, one) == pytest.approx(0)

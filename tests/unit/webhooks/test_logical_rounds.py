"""When two rounds are one and the same (A-FS-24)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.webhooks.logical_rounds import LogicalRound, is_same_round

ROUND = LogicalRound("brightloom", date(2026, 5, 12), "series-a", 20_000_000)
ROUNDS = st.builds(
    LogicalRound,
    st.sampled_from(["brightloom", "oakfield", ""]),
    st.dates(date(2026, 1, 1), date(2026, 2, 28)),
    st.sampled_from([None, "seed", "series-a", "growth"]),
    st.none() | st.integers(0, 50_000_000),
)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"day": ROUND.day + timedelta(days=14)},
        {"day": ROUND.day - timedelta(days=14)},
        {"amount_usd": 16_000_000},
        {"amount_usd": 25_000_000},
        {"amount_usd": None},
        {"amount_usd": 0},
        {"funding_type": None},
        {"funding_type": "growth"},
    ],
)
def test_second_report_of_a_round_is_the_same_round(change: dict[str, object]) -> None:
    assert is_same_round(ROUND, replace(ROUND, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"company_key": "brightloom labs"},
        {"day": ROUND.day + timedelta(days=15)},
        {"amount_usd": 15_999_999},
        {"amount_usd": 25_000_001},
        {"funding_type": "series-b"},
        {"funding_type": "seed"},
    ],
)
def test_another_round_is_another_round(change: dict[str, object]) -> None:
    assert not is_same_round(ROUND, replace(ROUND, **change))  # type: ignore[arg-type]


def test_company_without_a_key_is_never_the_same() -> None:
    assert not is_same_round(replace(ROUND, company_key=""), replace(ROUND, company_key=""))


@given(ROUNDS, ROUNDS)
def test_sameness_has_no_direction(one: LogicalRound, other: LogicalRound) -> None:
    assert is_same_round(one, other) == is_same_round(other, one)

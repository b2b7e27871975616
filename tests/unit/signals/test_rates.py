"""Amounts in dollars (FS-49)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from pipeline.signals.rates import parse_rates, reference_rates

LINES = ["# date: 2026-01-31", "currency,per_eur", "EUR,1", "USD,1.2", "INR,96"]


def test_dollars_stay_dollars() -> None:
    assert parse_rates(LINES).to_usd(Decimal("12.5"), "USD") == 13


def test_other_currencies_go_through_the_euro() -> None:
    rates = parse_rates(LINES)
    assert rates.to_usd(Decimal(10_000_000), "EUR") == 12_000_000
    assert rates.to_usd(Decimal(80_000_000), "INR") == 1_000_000


def test_an_unknown_currency_has_no_dollars() -> None:
    assert parse_rates(LINES).to_usd(Decimal(5), "XXX") is None


@pytest.mark.parametrize("lines", [LINES[1:], [*LINES[:2], "EUR,1"], [*LINES, "GBP,0"]])
def test_a_table_without_day_dollar_or_positive_rates_is_refused(lines: list[str]) -> None:
    with pytest.raises(ValueError, match=r"\[rates\]|rates:"):
        parse_rates(lines, "rates")


def test_the_committed_table_has_its_day_and_the_major_currencies() -> None:
    rates = reference_rates()
    assert rates.day > date(2026, 1, 1)
    assert {"USD", "EUR", "GBP", "CHF", "INR", "JPY", "CNY", "CAD", "AUD", "SEK", "SGD", "BRL"} <= set(rates.per_eur)

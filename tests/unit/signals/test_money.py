"""Amounts in the notations of the world (A-X-10: exact decimals)."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.signals.money import find_money


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("$12.5M", "12500000", "USD"),
        ("$2.25MM", "2250000", "USD"),
        ("US$ 20 million", "20000000", "USD"),
        ("USD 4.5 Mio", "4500000", "USD"),
        ("$32,050,000", "32050000", "USD"),
        ("$1.2bn", "1200000000", "USD"),
        ("$500K", "500000", "USD"),
        ("$6 M", "6000000", "USD"),
        ("$10-million", "10000000", "USD"),
        ("five million dollars", "5000000", "USD"),
        ("20 million USDC", "20000000", "USD"),
        ("€5 million", "5000000", "EUR"),
        ("€1,4 million", "1400000", "EUR"),
        ("€1.500.000", "1500000", "EUR"),
        ("12 million euros", "12000000", "EUR"),
        ("£3m", "3000000", "GBP"),
        ("£15.9M", "15900000", "GBP"),
        ("CHF 6.2m", "6200000", "CHF"),
        ("CHF6.2M", "6200000", "CHF"),
        ("CHF 1'500'000", "1500000", "CHF"),
        ("¥500 million", "500000000", "JPY"),
        ("500 million yen", "500000000", "JPY"),
        ("RMB 300 million", "300000000", "CNY"),
        ("Rs 3 Cr", "30000000", "INR"),
        ("₹22 Cr", "220000000", "INR"),
        ("INR 20,00,00,000", "200000000", "INR"),
        ("5 crore", "50000000", "INR"),
        ("Rs. 75 lakh", "7500000", "INR"),
        ("A$2.5m", "2500000", "AUD"),
        ("C$21.5 Million", "21500000", "CAD"),
        ("$5 million CAD", "5000000", "CAD"),
        ("S$10m", "10000000", "SGD"),
        ("SEK 80 million", "80000000", "SEK"),
        ("R$ 40 million", "40000000", "BRL"),
        ("₩3 billion", "3000000000", "KRW"),
    ],
)
def test_an_amount_is_read_exactly(text: str, amount: str, currency: str) -> None:
    (money,) = find_money(f"It was {text} in all")
    assert (money.amount, money.currency) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    "text", ["12.5 M", "20 people", "in 2024", "Series B2", "30 percent", "3 won the prize", "seven-figure sum", "", "$"]
)
def test_a_number_without_a_currency_is_no_money(text: str) -> None:
    assert find_money(text) == []


def test_amounts_come_in_order_and_do_not_overlap() -> None:
    found = find_money("raised €5 million ($5.4 million) at £30m")
    assert [money.currency for money in found] == ["EUR", "USD", "GBP"]
    assert all(first.end <= second.start for first, second in itertools.pairwise(found))


@given(st.text())
def test_reading_money_is_total(text: str) -> None:
    for money in find_money(text):
        assert money.amount > 0
        assert text[money.start : money.end].strip() == money.text


@given(st.integers(min_value=1, max_value=999), st.sampled_from([("M", 6), (" million", 6), ("bn", 9), ("K", 3)]))
def test_a_scale_multiplies(number: int, scale: tuple[str, int]) -> None:
    (money,) = find_money(f"${number}{scale[0]} now")
    assert money.amount == Decimal(number) * 10 ** scale[1]


@given(st.integers(min_value=1_000, max_value=10**12))
def test_grouped_digits_mean_what_plain_digits_mean(number: int) -> None:
    assert find_money(f"${number:,} now")[0].amount == find_money(f"${number} now")[0].amount == number

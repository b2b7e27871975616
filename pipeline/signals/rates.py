"""Amounts in US dollars, by a committed table of reference rates with a date of its own."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

RATES_FILE = Path(__file__).with_name("data") / "reference_rates.csv"


@dataclass(frozen=True, slots=True)
class Rates:
    """Units of each currency (ISO 4217) for one euro, as of ``day``."""

    day: date
    per_eur: Mapping[str, Decimal]

    def to_usd(self, amount: Decimal, currency: str) -> int | None:
        """Whole US dollars, rounded half up; None for a currency the table does not have."""
        if currency == "USD":
            return _whole(amount)
        rate = self.per_eur.get(currency)
        return None if rate is None else _whole(amount / rate * self.per_eur["USD"])


def _whole(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def parse_rates(lines: Iterable[str], name: str = "rates") -> Rates:
    """Rates from CSV lines (columns currency, per_eur) with a comment ``# date: YYYY-MM-DD`` before them.

    Raises ValueError, naming ``name``, where the date, the dollar or a positive number is missing.
    """
    day: date | None = None
    rows: list[str] = []
    for line in lines:
        if line.startswith("#"):
            if line[1:].strip().startswith("date:"):
                day = date.fromisoformat(line.split(":", 1)[1].strip())
        elif line.strip():
            rows.append(line)
    if day is None:
        raise ValueError(f"{name}: no line '# date: YYYY-MM-DD' says of which day the rates are")
    per_eur = {row["currency"].strip(): Decimal(row["per_eur"]) for row in csv.DictReader(rows)}
    if "USD" not in per_eur or min(per_eur.values()) <= 0:
        raise ValueError(f"{name}: every rate must be positive and USD must be among them")
    return Rates(day, per_eur)


@cache
def reference_rates() -> Rates:
    """The committed table."""
    return parse_rates(RATES_FILE.read_text(encoding="utf-8").splitlines(), RATES_FILE.name)

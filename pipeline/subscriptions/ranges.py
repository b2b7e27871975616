"""Ranges as filters write them: team sizes (`11-50`, `1000-plus`) and amounts (`1m-5m`, `>$100m`). Bounds as in A-SB-8."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

_WHOLE = re.compile(r"(?P<low>\d{1,9})\s*(?:-\s*(?P<high>\d{1,9})|(?P<plus>-plus|\+))", re.I | re.ASCII)
_NUMBER = r"[$€£]?\s*(?P<{name}>\d{{1,15}}(?:\.\d{{1,6}})?)\s*(?P<{name}_unit>[kmbt]?)"
_BETWEEN = re.compile(
    rf"{_NUMBER.format(name='low')}\s*(?:[-–]\s*{_NUMBER.format(name='high')}|(?P<plus>-plus|\+))", re.I | re.ASCII
)
_BEYOND = re.compile(rf"(?P<sign>>=|<=|>|<)\s*{_NUMBER.format(name='bound')}", re.I | re.ASCII)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}


class Range(NamedTuple):
    """Numbers from ``low`` to ``high``. None: no bound. Both ends belong to it."""

    low: int | None
    high: int | None

    def holds(self, number: int) -> bool:
        """Is ``number`` in it?"""
        return (self.low is None or number >= self.low) and (self.high is None or number <= self.high)


def team_size(text: str) -> Range:
    """`11-50` or `1000-plus` (1000 and more). Raises ValueError."""
    match = _WHOLE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text.strip()!r} is no range of employees; write 11-50 or 1000-plus")
    low = int(match["low"])
    return _checked(text, low, None if match["plus"] else int(match["high"]))


def amount(text: str) -> Range:
    """`1m-5m` (both ends included), `100m-plus`, or `>$100m` (more than that; also `>=`, `<`, `<=`), in whole units.

    Amounts are whole numbers, so "more than 100,000,000" is "100,000,001 or more". Raises ValueError.
    """
    stripped = text.strip()
    if match := _BEYOND.fullmatch(stripped):
        bound = _units(match["bound"], match["bound_unit"])
        whole, is_whole = int(bound), bound == int(bound)
        match match["sign"]:
            case ">":
                return Range(whole + 1, None)
            case ">=":
                return Range(whole if is_whole else whole + 1, None)
            case "<":
                return Range(None, whole - 1 if is_whole else whole)
            case _:
                return Range(None, whole)
    if between := _BETWEEN.fullmatch(stripped):
        low = _up(_units(between["low"], between["low_unit"]))
        return _checked(text, low, None if between["plus"] else int(_units(between["high"], between["high_unit"])))
    raise ValueError(f"{stripped!r} is no range of amounts; write 1m-5m or >$100m")


def _units(number: str, unit: str) -> Decimal:
    return Decimal(number) * _UNITS[unit.lower()]


def _up(number: Decimal) -> int:
    return int(number) if number == int(number) else int(number) + 1


def _checked(text: str, low: int, high: int | None) -> Range:
    if high is not None and low > high:
        raise ValueError(f"{text.strip()!r} ends below its beginning")
    return Range(low, high)

"""Every line of the Signalbase contract is carried by a test that names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
LINES = range(1, 96)
READINGS = range(1, 39)
# Facts about the source pages alone: which example or which of two codes is meant. Nothing to test but what other lines test.
OF_THE_PAGE = {25, 27, 29, 33, 34}
NAMED = r"(?:(?<![a-z])(a)[_-])?sb[_-](\d+)(?:[_ ]to[_ ](?:a[_-])?sb[_-](\d+))?"


def named() -> tuple[set[int], set[int]]:
    """Numbers of lines and of readings that tests name in their names and bodies (not in a module's heading):
    `SB-7`, `sb_7`, `sb_71_to_sb_77`."""
    files = [*TESTS.rglob("test_signalbase*.py"), TESTS / "unit" / "subscriptions" / "test_filters.py"]
    texts = [path.read_text(encoding="utf-8").split('"""', 2)[2] for path in files if path != Path(__file__)]
    found: tuple[set[int], set[int]] = (set(), set())
    for is_reading, first, last in re.findall(NAMED, "\n".join(texts).lower()):
        found[bool(is_reading)].update(range(int(first), int(last or first) + 1))
    return found


def test_every_line_is_named_by_a_test() -> None:
    assert sorted(set(LINES) - named()[0]) == []


@pytest.mark.parametrize("number", sorted(set(READINGS) - OF_THE_PAGE))
def test_every_reading_is_named_by_a_test(number: int) -> None:
    assert number in named()[1]

"""Every line of the contract with StartCap's partners has a test that carries its id, in its name or its docstring."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
SC = {f"SC-{number}" for number in range(1, 88)}
IN_NAME = re.compile(r"(?<!a_)sc_(\d+)(?:_to_(\d+))?(?!\d)")  # a_sc_3 is a reading of an ambiguity, not line 3


def carried(source: str) -> set[str]:
    """The ids that the names of a module's test functions carry."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for first, last in IN_NAME.findall(node.name):
                found.update(f"SC-{number}" for number in range(int(first), int(last or first) + 1))
    return found


def test_ids_are_read_from_names_of_tests_alone() -> None:
    source = "def helper_sc_1(): pass\ndef test_sc_3_sc_40_to_42_one(): pass\ndef test_a_sc_5_a_reading(): pass\n"
    assert carried(source) == {f"SC-{number}" for number in (3, 40, 41, 42)}


def test_every_line_of_the_contract_has_a_test() -> None:
    found = set().union(*(carried(file.read_text(encoding="utf-8")) for file in TESTS.rglob("test_*.py")))
    assert sorted(SC - found) == []
    assert sorted(found - SC) == []

"""Every line of the contract with FundingScout's partners has a test that carries its id, in its name or its docstring."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
FS = {f"FS-{number}" for number in range(1, 81)}
IN_NAME = re.compile(r"(?<!a_)fs_(\d+)(?:_to_(\d+))?(?!\d)")  # a_fs_3 is a reading of an ambiguity, not line 3
IN_TEXT = re.compile(r"(?<!A-)\bFS-(\d+)(?: to FS-(\d+))?\b")


def carried(source: str) -> set[str]:
    """The ids that the test functions of a module carry."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            for first, last in IN_NAME.findall(node.name) + IN_TEXT.findall(ast.get_docstring(node) or ""):
                found.update(f"FS-{number}" for number in range(int(first), int(last or first) + 1))
    return found


def test_ids_are_read_from_names_and_docstrings_of_tests_alone() -> None:
    source = '''
"""FS-1 in a module's text says nothing."""
def helper(): "FS-2"
def test_fs_3_fs_40_to_42_one(): pass
def test_a_fs_5_a_reading(): "A-FS-6, FS-7, FS-8 to FS-9."
'''
    assert carried(source) == {f"FS-{number}" for number in (3, 40, 41, 42, 7, 8, 9)}


def test_every_line_of_the_contract_has_a_test() -> None:
    found = set().union(*(carried(file.read_text(encoding="utf-8")) for file in TESTS.rglob("test_*.py")))
    assert sorted(FS - found) == []
    assert sorted(found - FS) == []

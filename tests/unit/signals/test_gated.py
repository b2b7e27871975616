"""A gate lets through whatever its pattern matches."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.signals import (
    acquisitions,
    amounts,
    cues,
    detect,
    headline,
    investor_patterns,
    investor_phrases,
    job_changes,
    job_counts,
    location,
    mergers,
    money_cues,
)
from pipeline.signals.gated import Gated, gated, needles_of

MODULES = (
    acquisitions,
    amounts,
    cues,
    detect,
    headline,
    investor_patterns,
    investor_phrases,
    job_changes,
    job_counts,
    location,
    mergers,
    money_cues,
)


def _patterns(value: object) -> list[Gated]:
    if isinstance(value, Gated):
        return [value]
    values = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    return [pattern for inner in values for pattern in _patterns(inner)]


ALL = [pattern for module in MODULES for value in list(vars(module).values()) for pattern in _patterns(value)]
# Letters that equal an ASCII letter when case is ignored: the one exception that gated.py states.
LETTERS = st.characters(exclude_characters="ſıİ\u212a", max_codepoint=0x2200)


def test_the_patterns_of_the_extractor_have_gates() -> None:
    assert len(ALL) > 150
    assert sum(bool(pattern.needles) for pattern in ALL) > 0.7 * len(ALL)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), pattern=st.sampled_from(ALL))
def test_whatever_a_pattern_matches_passes_its_gate(data: st.DataObject, pattern: Gated) -> None:
    text = data.draw(st.from_regex(pattern.compiled, alphabet=LETTERS))
    for written in (text, text.swapcase()):
        found = pattern.compiled.search(written)
        gate = pattern.search(written)
        assert (gate and gate.span()) == (found and found.span())


@pytest.mark.parametrize(
    ("pattern", "needles"),
    [
        (r"\bprivate placements?\b", {"private placement"}),
        (r"\b(?:rais|secur)(?:ed|es)\b", {"rais", "secur"}),
        (r"\bfunds?|\bthe fund\b", {"fund"}),
        (r"(?:seed )?round", {"round"}),
        (r"(?<!no )Money(?= talks)", {"money"}),
        (r"\d+ ?%", {"%"}),
        (r"[Ll]ocated in", {"ocated in"}),
        (r"\w+|cash", set()),
        (r"(?:cash)*", set()),
    ],
)
def test_needles_are_what_every_match_holds(pattern: str, needles: set[str]) -> None:
    assert needles_of(pattern) == needles


def test_a_gate_changes_no_result() -> None:
    pattern = gated(r"\bcash\b", 2)
    assert pattern.sub("money", "Cash is cash") == "money is money"
    assert pattern.split("a cash b", maxsplit=1) == ["a ", " b"]
    assert pattern.split("a b") == ["a b"]
    assert [match.start() for match in pattern.finditer("cash, CASH")] == [0, 6]
    assert pattern.search("cash", 1) is None
    assert not pattern.may_match("no money")


def test_words_that_share_a_beginning_are_needles_as_a_whole() -> None:
    assert needles_of(r"\b(?:ico|ido|ieo)\b") == {"ico", "ido", "ieo"}

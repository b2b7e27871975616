"""Patterns that are not tried on texts which hold none of the words they need.

An alternation of fifty phrases, case ignored, costs a microsecond for every ten letters; asking whether a text holds one of
fifty substrings costs a hundredth of that. What a match needs is derived from the pattern itself, so that no list has to
be kept in step with it; a pattern of which nothing can be derived is simply tried.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# More than this and asking costs as much as trying.
MOST_NEEDLES = 160
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Gated:
    """A compiled pattern with ``needles``: lower-case substrings of which every text that matches holds at least one.

    ``needles`` may be empty: then every text is tried. Same results as the pattern itself, save that letters which are no
    ASCII letters and yet equal one when case is ignored (the long s, the dotless i) are not taken for it.
    """

    compiled: re.Pattern[str]
    needles: tuple[str, ...]

    @property
    def pattern(self) -> str:
        """The pattern as written."""
        return self.compiled.pattern

    def may_match(self, text: str) -> bool:
        """False only where no match is possible."""
        return self.may_match_lowered(text.lower()) if self.needles else True

    def may_match_lowered(self, lowered: str) -> bool:
        """The same of a text already in lower case, for a text that many patterns are tried on."""
        if not self.needles:
            return True
        return any(map(lowered.__contains__, self.needles))  # not a generator: it would cost what it saves

    def search(self, text: str, start: int = 0, end: int | None = None) -> re.Match[str] | None:
        """As re.Pattern.search."""
        if not self.may_match(text):
            return None
        return self.compiled.search(text, start) if end is None else self.compiled.search(text, start, end)

    def match(self, text: str, start: int = 0, end: int | None = None) -> re.Match[str] | None:
        """As re.Pattern.match, which begins at one place and so needs no gate."""
        return self.compiled.match(text, start) if end is None else self.compiled.match(text, start, end)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """As re.Pattern.fullmatch."""
        return self.compiled.fullmatch(text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """As re.Pattern.finditer."""
        return self.compiled.finditer(text) if self.may_match(text) else iter(())

    def sub(self, replacement: str, text: str, count: int = 0) -> str:
        """As re.Pattern.sub."""
        return self.compiled.sub(replacement, text, count) if self.may_match(text) else text

    def split(self, text: str, maxsplit: int = 0) -> list[str]:
        """As re.Pattern.split of a pattern without groups."""
        return self.compiled.split(text, maxsplit) if self.may_match(text) else [text]


def gated(pattern: str, flags: int = 0) -> Gated:
    """``pattern`` compiled, with what its matches need. Raises re.error as re.compile does."""
    return Gated(re.compile(pattern, flags), tuple(sorted(needles_of(pattern, flags))))


def needles_of(pattern: str, flags: int = 0) -> frozenset[str]:
    """Lower-case substrings of which every match holds one; empty where none can be derived."""
    parser: Any = importlib.import_module("re._parser")
    found = _of_sequence(parser.parse(pattern, flags)) or NOTHING
    shortest = frozenset(one for one in found if not any(other != one and other in one for other in found))
    return shortest if len(shortest) <= MOST_NEEDLES else NOTHING


def _of_sequence(items: Sequence[Any]) -> frozenset[str] | None:
    """The best needles among those of the parts, all of which a match must have."""
    best: frozenset[str] | None = None
    run = ""
    for operation, argument in [*items, (None, None)]:
        if str(operation) == "LITERAL":
            run += chr(argument).lower()
            continue
        for candidate in (
            frozenset({run}) if run else None,
            _of_item(str(operation), argument),
            _joined(run, operation, argument),
        ):
            if candidate and (best is None or _worth(candidate) > _worth(best)):
                best = candidate
        run = ""
    return best


def _joined(run: str, operation: Any, argument: Any) -> frozenset[str] | None:
    """The literal ``run`` with each of the plain words that may follow it: the parser takes "ico|ido" for an i and two ends."""
    if not run or str(operation) != "BRANCH" or not all(str(part[0]) == "LITERAL" for branch in argument[1] for part in branch):
        return None
    return frozenset(run + "".join(chr(code).lower() for _, code in branch) for branch in argument[1])


def _of_item(operation: str, argument: Any) -> frozenset[str] | None:
    if operation == "SUBPATTERN":
        return _of_sequence(argument[-1])
    if operation == "ATOMIC_GROUP":
        return _of_sequence(argument)
    if operation == "ASSERT" and argument[0] > 0:
        return _of_sequence(argument[1])
    if operation in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") and argument[0] > 0:
        return _of_sequence(argument[2])
    if operation == "BRANCH":
        needles = [_of_sequence(branch) for branch in argument[1]]
        return frozenset().union(*(found or NOTHING for found in needles)) if all(needles) else None
    if operation == "IN" and all(str(kind) == "LITERAL" for kind, _ in argument):
        return frozenset(chr(code).lower() for _, code in argument)
    return None


def _worth(needles: frozenset[str]) -> tuple[int, int]:
    """Long needles are rare, few are soon looked for, and a space is in every text."""
    return min(min(len(needle.strip()) for needle in needles), 4), -len(needles)

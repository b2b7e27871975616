"""Searching a text for words as a web search does: words are all wanted, "in this order" in quotes, OR, - for not.

Whole words, whatever the case. `kubernetes OR terraform -intern` is (kubernetes, or terraform and not intern): OR binds weakest,
as in PostgreSQL's websearch_to_tsquery, which the vendor's description is of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PART = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_WORD = re.compile(r"[^\W_]+", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Term:
    """Words that follow each other; ``is_wanted`` False: that must not."""

    words: tuple[str, ...]
    is_wanted: bool


@dataclass(frozen=True, slots=True)
class WordSearch:
    """Alternatives, each of terms that must all hold."""

    alternatives: tuple[tuple[Term, ...], ...]

    @property
    def always(self) -> list[str]:
        """Words without which no text is accepted."""
        wanted = [{word for term in terms if term.is_wanted for word in term.words} for terms in self.alternatives]
        return sorted(set.intersection(*wanted)) if wanted else []

    def accepts(self, text: str) -> bool:
        """Does ``text`` say so?"""
        spaced = f" {' '.join(_words(text))} "
        return any(
            all((f" {' '.join(term.words)} " in spaced) == term.is_wanted for term in terms) for terms in self.alternatives
        )


def parse(query: str) -> WordSearch:
    """The search that ``query`` asks for; one without words accepts nothing. Total."""
    alternatives: list[list[Term]] = [[]]
    for part in _PART.finditer(query):
        if part["word"] and part["word"].upper() == "OR" and not part["minus"]:
            alternatives.append([])
            continue
        words = tuple(_words(part["phrase"] if part["word"] is None else part["word"]))
        if words:
            alternatives[-1].append(Term(words, not part["minus"]))
    return WordSearch(tuple(tuple(terms) for terms in alternatives if terms))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())

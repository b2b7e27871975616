"""Where a name stands in a text. Names differ with each document: a pattern built for each costs more than all it finds."""

from __future__ import annotations

from collections.abc import Iterator


def ends_of(name: str, text: str) -> Iterator[int]:
    """Where ``name`` as a whole word ends in ``text``, in order. Case matters; an empty name stands nowhere."""
    for start in starts_of(name, text):
        if not (start and _is_of_word(text[start - 1])):
            yield start + len(name)


def starts_of(name: str, text: str) -> Iterator[int]:
    """Where ``name`` begins in ``text``, whatever stands before it; a longer word that begins with it is not it."""
    start = text.find(name) if name else -1
    while start >= 0:
        end = start + len(name)
        if end == len(text) or not _is_of_word(text[end]):
            yield start
        start = text.find(name, start + 1)


def stands_in(name: str, text: str) -> bool:
    """Whether ``name`` is in ``text`` as a whole word."""
    return next(ends_of(name, text), None) is not None


def _is_of_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"

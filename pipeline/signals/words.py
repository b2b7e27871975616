"""The extractor's word lists (data/words.yaml)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

WORDS_FILE = Path(__file__).with_name("data") / "words.yaml"


@cache
def word_list(*lists: str) -> frozenset[str]:
    """The words of the named lists together. Raises KeyError for a list that does not exist."""
    return frozenset(word for name in lists for word in _all()[name].split())


@cache
def _all() -> dict[str, str]:
    lists: dict[str, str] = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
    return lists

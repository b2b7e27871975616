"""What a job title says of position, department and seniority (data/roles.yaml)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from pipeline.subscriptions.search_params import many_of

# The vendor's enumerations; the words for them are in the file.
NAMES: dict[str, tuple[str, ...]] = {
    "positions": (
        "ceo", "cto", "cfo", "coo", "vp of engineering", "vp of sales", "vp of marketing", "head of product", "head of growth",
        "head of engineering", "engineering manager", "product manager", "sales manager", "marketing manager", "founder",
        "co-founder",
    ),
    "departments": (
        "marketing", "sales", "engineering", "product", "design", "operations", "finance", "people", "data",
        "customer_success", "growth", "legal",
    ),
    "seniorities": ("founder", "c_level", "vp", "director", "head", "lead", "manager"),
}  # fmt: skip
ROLES_FILE = Path(__file__).with_name("data") / "roles.yaml"
_NO_WORD = re.compile(r"[^\w]+", re.UNICODE)


def known(kind: str, text: str) -> frozenset[str]:
    """Comma-separated names of ``kind``. Raises ParameterInvalid."""
    return frozenset(many_of(kind, text, NAMES[kind]))


def accepts(title: str, wanted: Mapping[str, Iterable[str]]) -> bool:
    """Does ``title`` name, of each kind, one that is wanted?"""
    said = stated(title)
    return all(not said[kind].isdisjoint(some) for kind, some in wanted.items())


@lru_cache(maxsize=4_096)
def stated(title: str) -> Mapping[str, frozenset[str]]:
    """What ``title`` says, by kind: "VP of Sales" is a sales position, a vp, and of the sales department. Total."""
    plain = f" {' '.join(_NO_WORD.sub(' ', title.casefold()).split())} "
    said = {match[1] for pattern in _patterns() for match in pattern.finditer(plain)}
    return {kind: frozenset(name for phrase in said for name in of_phrase.get(phrase, ())) for kind, of_phrase in _phrases()}


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    """One pattern per number of words, so that "vp of sales" is found though "sales" is within it."""
    not_after = _file()["not_after"]
    by_length: dict[int, list[str]] = {}
    for phrase in sorted({phrase for _, of_phrase in _phrases() for phrase in of_phrase}):
        before = "".join(rf"(?<!\b{word} )" for word in not_after.get(phrase, ()))
        by_length.setdefault(len(phrase.split()), []).append(before + re.escape(phrase))
    return tuple(re.compile(rf"(?=\b({'|'.join(phrases)})\b)") for phrases in by_length.values())


@cache
def _phrases() -> tuple[tuple[str, Mapping[str, frozenset[str]]], ...]:
    """For each kind: phrase to the names it stands for."""
    found = []
    for kind in NAMES:
        of_phrase: dict[str, set[str]] = {}
        for name, phrases in _file()[kind].items():
            for phrase in phrases:
                of_phrase.setdefault(phrase, set()).add(name)
        found.append((kind, {phrase: frozenset(some) for phrase, some in of_phrase.items()}))
    return tuple(found)


@cache
def _file() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(ROLES_FILE.read_text(encoding="utf-8"))
    return read

"""Company names as a key: the comparison form of a name, apart from the form it is shown in.

What belongs here: from text to comparison form. What does not: scoring two names (scoring) and comparing rows (engine).
Rules: FSV-11 with whole trailing words only (A-FS-26); the legal forms are data (data/legal_forms.yaml).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml

from pipeline.matching.suffixes import all_suffixes

DATA = Path(__file__).with_name("data")
LONGEST_NAME = 1_000
CACHE_SIZE = 1 << 18

# Letters that Unicode does not decompose, though people type them without their stroke or as two letters.
_LETTERS = str.maketrans(
    {
        "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th",
        "ŋ": "n", "ĸ": "k", "ə": "e", "ƒ": "f", "ɓ": "b", "ɗ": "d", "ƙ": "k", "ƴ": "y", "ß": "ss",
    }
)  # fmt: skip
# Signs inside a word that say nothing: apostrophes, accents set apart, trade marks, soft hyphens.
_SILENT = re.compile("['’‘ʼ`´′ʻ\u00ad\u200b-\u200f\u2060\ufeff™®©℠ªº״׳\"]")
_AND = re.compile(r"&|(?<=\s)\+(?=\s)")
_PLUS = re.compile(r"\+")
_MARK = re.compile("[\u0300-\u036f]")
_ASCII_WORD = re.compile("[a-z0-9]+")
# A name that is one word, a dot and a country's ending is a domain ("Mid.as", "Good.Co"), whatever form the ending may be too.
_DOTTED = re.compile(r"\s*[^\s.&+]{2,}\.[A-Za-z]{2}\s*")
_LONGEST_FORM = 6


class _Forms(NamedTuple):
    trailing: frozenset[tuple[str, ...]]
    leading: frozenset[str]
    glued: tuple[str, ...]


@lru_cache(maxsize=CACHE_SIZE)
def normal_form(name: str | None) -> str:
    """The comparison form of a company's name: folded words, one space apart, without legal form or leading "the".

    Empty only for a name without letters or digits. Words are lost only at the ends and only as whole words ("Visa" stays
    "visa"); a name of nothing but legal words keeps them. Total and idempotent.
    """
    if not name:
        return ""
    words = tuple(words_of(name))
    if len(words) == 2 and words[1:] in _forms().trailing and words[1] in _countries() and _DOTTED.fullmatch(name):
        return "".join(words)
    return " ".join(_without_legal_form(words))


@lru_cache(maxsize=CACHE_SIZE)
def squashed(name_key: str) -> str:
    """A comparison form without its spaces, for names that differ in spacing alone ("Go Daddy", "GoDaddy")."""
    return name_key.replace(" ", "")


@cache
def words_of_legal_forms() -> frozenset[str]:
    """Every word that legal forms at a name's end are made of, and those that go with them ("and", "the")."""
    return frozenset(word for form in _forms().trailing for word in form) | {"and", "the"}


def leading_words() -> frozenset[str]:
    """The words that are taken from a name's beginning."""
    return _forms().leading


@lru_cache(maxsize=CACHE_SIZE)
def form_countries(name: str) -> frozenset[str]:
    """The groups of countries whose legal forms end a name; empty where it has none, or one of all the world ("Ltd", "Inc")."""
    words = words_of(name)
    found: frozenset[str] = frozenset()
    for size in range(min(_LONGEST_FORM, len(words) - 1), 0, -1):
        found = found or _countries_of_forms().get(tuple(words[-size:]), frozenset())
    return found


def forms_conflict(first: str, second: str) -> bool:
    """Do both names end in legal forms, of countries that have none in common?"""
    one, other = form_countries(first), form_countries(second)
    return bool(one) and bool(other) and not one & other


@cache
def _countries_of_forms() -> dict[tuple[str, ...], frozenset[str]]:
    data = yaml.safe_load((DATA / "legal_forms.yaml").read_text(encoding="utf-8"))["trailing"]
    everywhere = {tuple(words_of(str(form))) for form in data["common"]}
    found: dict[tuple[str, ...], set[str]] = {}
    for group, forms in data.items():
        for form in map(str, forms):
            found.setdefault(tuple(words_of(form)), set()).add(group)
    return {form: frozenset(groups) for form, groups in found.items() if form not in everywhere}


def words_of(name: str) -> list[str]:
    """The folded words of a name, legal form included. Initials are joined: ``J. P. Morgan`` is ``jp morgan``."""
    text = _AND.sub(" and ", f" {fold(name[:LONGEST_NAME])} ")
    text = _PLUS.sub(" plus ", text)
    chunks = [word for chunk in text.split() for word in _words_of_chunk(chunk)]
    return _join_initials(chunks)


def fold(text: str) -> str:
    """Lower case without accents and silent signs, other letters and signs as they are; ready to be split into words."""
    if text.isascii():
        return _SILENT.sub("", text.lower())
    for _ in range(3):  # folding can uncover what folds again; three rounds reach the fixed point
        before = text
        text = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
        text = unicodedata.normalize("NFC", _MARK.sub("", _SILENT.sub("", text)))
        if text == before:
            break
    return text


def _words_of_chunk(chunk: str) -> list[str]:
    if chunk.isascii():
        return _join_initials(_ASCII_WORD.findall(chunk))
    return _join_initials("".join(c if _is_word_character(c) else " " for c in chunk).split())


def _is_word_character(character: str) -> bool:
    # Marks belong to the word in scripts that write vowels with them.
    return unicodedata.category(character)[0] in "LNM"


def _join_initials(words: list[str]) -> list[str]:
    if len(words) < 2:
        return words
    joined: list[str] = []
    run: list[str] = []
    for word in [*words, ""]:
        if len(word) == 1 and word.isalpha() and word.isascii():
            run.append(word)
            continue
        if run:
            joined.append("".join(run))
            run = []
        if word:
            joined.append(word)
    return joined


def _without_legal_form(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words that are left when legal forms are taken from both ends, until none is left to take."""
    kept = words
    while True:
        shorter = _unglued(_without_leading(_without_trailing(kept)))
        if not any(word not in _forms().leading for word in shorter):
            return words
        if shorter == kept:
            return kept
        kept = shorter


def _without_trailing(words: tuple[str, ...]) -> tuple[str, ...]:
    forms = _forms().trailing
    end = len(words)
    while end:
        size = next((n for n in range(min(_LONGEST_FORM, end), 0, -1) if words[end - n : end] in forms), 0)
        if not size:
            break
        end -= size
        if end > 1 and words[end - 1] == "and":  # "Tiffany & Co."
            end -= 1
    if end and words[end - 1] == "the" and end > 1:  # "Home Depot, The"
        end -= 1
    return words[:end]


def _without_leading(words: tuple[str, ...]) -> tuple[str, ...]:
    return words[1:] if len(words) > 1 and words[0] in _forms().leading else words


def _unglued(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words or (words[0].isascii() and words[-1].isascii()):
        return words
    first, last = words[0], words[-1]
    for form in _forms().glued:
        if last.endswith(form) and len(last) > len(form):
            return (*words[:-1], last.removesuffix(form))
        if first.startswith(form) and len(first) > len(form):
            return (first.removeprefix(form), *words[1:])
    return words


@cache
def _countries() -> frozenset[str]:
    return frozenset(suffix for suffix in all_suffixes() if len(suffix) == 2 and suffix.isascii())


@cache
def _forms() -> _Forms:
    data = yaml.safe_load((DATA / "legal_forms.yaml").read_text(encoding="utf-8"))
    trailing = frozenset(tuple(words_of(form)) for forms in data["trailing"].values() for form in map(str, forms))
    return _Forms(trailing, frozenset(fold(str(f)) for f in data["leading"]), tuple(fold(str(f)) for f in data["glued"]))

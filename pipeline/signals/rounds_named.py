"""Which round type a funding text announces, when it names several."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from pipeline.signals.gated import gated
from pipeline.signals.headline import Headline
from pipeline.signals.round_types import find_round_types
from pipeline.signals.text import Text

# A word such as "strategic" says less than a letter: it is taken where nothing else is named.
_VAGUE = frozenset({"strategic", "growth", "private", "angel", "bridge", "crowdfunding", "convertible-note", "pre-ipo"})
DEEPEST_SENTENCE = 40


@dataclass(frozen=True, slots=True)
class NamedType:
    """The round type with the sentence that names it. ``rivals``: other types named for the same round."""

    slug: str
    flavor: str | None
    sentence: str
    origin: str
    rivals: tuple[str, ...]


def find_type(text: Text, headline: Headline, amount_place: int | None, event_sentences: tuple[int, ...]) -> NamedType | None:
    """The type of the round announced: the title's, else that of the sentences about the round, nearest the top."""
    title = _pick([(kind.slug, kind.flavor) for kind in find_round_types(headline.plain)])
    votes: Counter[str] = Counter()
    where: dict[str, tuple[str, str | None]] = {}
    deep = [index for index in event_sentences if index >= DEEPEST_SENTENCE]
    for index in (*range(min(DEEPEST_SENTENCE, len(text.news))), *deep):
        sentence = text.news[index]
        kinds = find_round_types(sentence)
        if not kinds or (index != amount_place and _PAST.search(sentence)):
            continue
        for kind in kinds:
            votes[kind.slug] += (
                1 + (3 if index == amount_place else 0) + (2 if index in event_sentences else 0) + (1 if index < 4 else 0)
            )
            votes[kind.slug] -= 4 if kind.slug in _VAGUE else 0
            where.setdefault(kind.slug, (sentence, kind.flavor))
    if title and title[0] not in _VAGUE:
        return NamedType(title[0], title[1], headline.plain, "title", tuple(slug for slug in votes if slug != title[0]))
    firm = {slug: count for slug, count in votes.items() if slug not in _VAGUE and count >= 2}
    if firm:
        slug = max(firm, key=lambda name: (firm[name], -list(votes).index(name)))
        return NamedType(slug, where[slug][1], where[slug][0], "body", tuple(sorted(set(firm) - {slug})))
    if title:
        return NamedType(title[0], title[1], headline.plain, "title", ())
    vague = [slug for slug in votes if votes[slug] >= -1]
    return NamedType(vague[0], where[vague[0]][1], where[vague[0]][0], "body", tuple(vague[1:])) if vague else None


def _pick(kinds: list[tuple[str, str | None]]) -> tuple[str, str | None] | None:
    firm = [kind for kind in kinds if kind[0] not in _VAGUE]
    return firm[0] if firm else kinds[0] if kinds else None


_PAST = gated(
    r"\b(?:previous|(?<!not )(?<!not been )previously|prior|earlier|last (?:year|round)|had raised|in (?:\w+ )?20[012]\d|(?:months?"
    r"|years?) ago|since its|followed by|also (?:led|backed|invested)|portfolio|track record)\b",
    re.I,
)

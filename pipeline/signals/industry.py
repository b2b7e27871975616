"""The company's industry, from the words that describe it: one label of a short list, or None."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml

from pipeline.signals.gated import Gated, gated
from pipeline.signals.headline import Headline
from pipeline.signals.text import Text

INDUSTRIES_FILE = Path(__file__).with_name("data") / "industries.yaml"


def find_industry(text: Text, headline: Headline, company: str | None) -> tuple[str, str] | None:
    """(label, the words that gave it): the headline first, then the sentence that introduces the company, then the lead."""
    sentences = [headline.plain]
    if company:
        sentences += [sentence for sentence in text.news[:12] if company in sentence][:3]
    for sentence in (*sentences, text.lead):
        best: tuple[int, str, str] | None = None
        for label, pattern in _industries():
            match = pattern.search(sentence)
            if match and (best is None or match.start() < best[0]):
                best = (match.start(), label, match[0])
        if best:
            return best[1], best[2]
    return None


@cache
def _industries() -> tuple[tuple[str, Gated], ...]:
    raw: dict[str, list[str]] = yaml.safe_load(INDUSTRIES_FILE.read_text(encoding="utf-8"))
    return tuple(
        (
            label,
            gated(r"(?<!\w)(?:" + "|".join(re.escape(word).replace(r"\ ", r"[\s\-]?") for word in words) + r")(?!\w)", re.I),
        )
        for label, words in raw.items()
    )

"""Round types in texts: from the spellings of data/round_types.yaml to one slug each.

Source of the slugs: FS-50 and the benchmark's labels; A-X-3 asks for one internal set, rendered per delivery profile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipeline.signals.gated import Gated, gated

ROUND_TYPES_FILE = Path(__file__).with_name("data") / "round_types.yaml"


@dataclass(frozen=True, slots=True)
class RoundType:
    """A round type named at ``start``..``end`` of a text. ``flavor`` is extension, bridge or None."""

    slug: str
    flavor: str | None
    start: int
    end: int
    text: str


def find_round_types(text: str) -> list[RoundType]:
    """Round types named as such in ``text``, in order. "Series A investors" or "seed-stage fund" name none. Total."""
    pattern, slugs, needs_context = _compiled()
    found: list[RoundType] = []
    for match in pattern.finditer(text):
        if _OTHERS_BEFORE.search(text, max(0, match.start() - 40), match.start()) or _OTHERS_AFTER.match(text, match.end()):
            continue
        letter = match.groupdict().get("letter")
        if letter:
            slug = f"{'pre-' if match['before'] else ''}series-{letter.lower()}"
        else:
            index = match.lastgroup or ""
            slug = slugs[index]
            if index in needs_context and not _has_context(text, match):
                continue
        found.append(RoundType(slug, _flavor(text, match), match.start(), match.end(), match[0]))
    return found


def _has_context(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - 60) : match.start()]
    return bool(_CONTEXT.search(match[0]) or _CONTEXT.search(before) or _CONTEXT.search(text[match.end() : match.end() + 40]))


def _flavor(text: str, match: re.Match[str]) -> str | None:
    around = text[max(0, match.start() - 25) : match.end() + 25].lower()
    if "extension" in around or "extended" in around or "second close" in around:
        return "extension"
    return "bridge" if "bridge" in around else None


@cache
def _compiled() -> tuple[Gated, dict[str, str], frozenset[str]]:
    entries: list[dict[str, Any]] = yaml.safe_load(ROUND_TYPES_FILE.read_text(encoding="utf-8"))
    parts = [
        r"(?P<before>pre[\s\-–]?)?series[\s\-–]?(?P<letter>[A-H])(?:[\s\-–]?(?:[1-9]|\+|prime)(?![\d.,]*\s?(?:[mb]|cr)))?(?!\w)"
    ]
    slugs: dict[str, str] = {}
    needs: set[str] = set()
    for number, entry in enumerate(entries):
        group = f"t{number}"
        slugs[group] = entry["slug"]
        if entry.get("needs") == "context":
            needs.add(group)
        spellings = "|".join(re.escape(spelling).replace(r"\ ", r"[\s\-–‑]?") for spelling in entry["spellings"])
        parts.append(rf"(?P<{group}>(?:{spellings})(?!\w))")
    return gated(r"(?<!\w)(?:" + "|".join(parts) + ")", re.I), slugs, frozenset(needs)


# The type of another round, or of an investor's focus.
_OTHERS_BEFORE = gated(
    r"(?:\b(?:previous|prior|earlier|last|since|after|following|followed|ahead of|next|future|upcoming"
    r"|its first|toward|towards|on top of"
    r"|from|prior to|beyond|in addition to|include|includes|including)\s(?:an?\s|its\s|their\s|the\s|our\s"
    r"|company['’]s\s|successful\s)*"
    r"(?:\S*[\d.]+\S*\s(?:million|m|mn)?\s?(?:in\s|of\s)?)?)$",
    re.I,
)
_OTHERS_AFTER = gated(
    r"(?:[\s\-](?:stage|phase|phrase|oil|oils|company|companies|investors?|investing|fund(?!ing|rais)"
    r"|funds|startups?|preferred(?!(?:\s(?:stock|shares?|equity))?\s(?:financing|round|funding|investment))|bank|bed|production"
    r"|technology|supply|world|investor|backed(?! by)|to (?:late|growth|series|[A-H]\b)|deals?|rounds)\b|['’]?s\b)",
    re.I,
)
_CONTEXT = gated(
    r"\b(?:round|funding|financing|fundrais\w+|invest\w*|capital|rais\w+|money|million|mn|crore|cr|lakhs?|secur\w+|clos\w+|led"
    r"|from)\b"
    r"|[$€£₹]\s?\d",
    re.I,
)

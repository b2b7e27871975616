"""Mergers: "Acme merges with Bolt", "Acme and Bolt to merge". Which two companies; a merger names no buyer.

Precision first: clubs, parties, schools and the subsidiaries of one owner merge too, and a shell's merger is a way to a stock
exchange.
"""

from __future__ import annotations

import re

from pipeline.signals.gated import gated


def sides_of_merger(title: str) -> tuple[str, str] | None:
    """The phrases that name the two companies, the one the headline is about first; None where no companies merge. Total."""
    match = _WITH.search(title) or _BOTH.search(title)
    return None if match is None or _NO_MERGER.search(title) else (match["one"], match["other"])


_WITH = gated(
    r"^(?P<one>[^:;]{2,70}?)\s(?i:(?:(?:has|have|will|to|agree[ds]? to|plans? to|set to)\s)*(?:merges?|merged)\swith"
    r"|(?:announces?|completes?|closes?|signs?|seals?|agrees?(?: to)?|enters?(?: into)?)\s(?:an?\s|its\s|the\s)?"
    r"(?:(?!of\b)[\w\-$€£.]+\s){0,4}?(?:merger(?: agreement)?)\swith)\s(?P<other>\S.*)$"
)
_BOTH = gated(
    r"^(?P<one>[^:;,]{2,50}?)\s(?:and|&)\s(?P<other>[A-Z][^:;,]{1,40}?)\s(?i:to merge|will merge|merge(?! with)"
    r"|have merged|agree to merge"
    r"|(?:announce|complete|close|sign|agree(?: to)?)\s(?:an?\s)?(?:[\w\-$€£.]+\s){0,3}?merger)\b"
)
_NO_MERGER = gated(
    r"\b(?:acquisition (?:corp|company|co|holdings|inc)|spac|blank[- ]cheque|blank[- ]check|shell|reverse merger|go(?:es"
    r"|ing)? public"
    r"|de-?spac|list(?:ing)? on|talks?|subsidiar\w+|units?|branch\w*|divisions?|affiliates?|funds?|etfs?|trusts?|parish\w*"
    r"|churches|diocese|schools?|colleges?|universit\w+|part(?:y|ies)|unions?|clubs?|leagues?|councils?|count(?:y|ies)|district"
    r"|departments?|regiments?|galax\w+|tokens?|blockchains?|scrap\w*|abandon\w*|call\w* off|block\w*|vote[sd]?|oppose\w*)\b",
    re.I,
)

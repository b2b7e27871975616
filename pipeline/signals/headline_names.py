"""A company's name as a whole side of a headline: "Savings Bank of Mendocino County" appoints, acquires, hires."""

from __future__ import annotations

import re

from pipeline.signals.company import name_in

LONGEST_NAME_WORDS = 8


def whole_name(phrase: str) -> str | None:
    """The company that ``phrase`` names: the phrase itself, without its legal form, where it is nothing but a name; else what
    ``name_in`` finds in it. None where there is none."""
    whole = _TRADE.sub("", phrase.strip(" ,"))
    if _PLAIN_NAME.fullmatch(whole) and len(whole.split()) <= LONGEST_NAME_WORDS and not _DESCRIBED.search(whole):
        return _LEGAL_FORM.sub("", whole).strip(" ,") or None
    return name_in(whole)


# "Fintech Acme", "Dutch HR-tech Acme", "Chipmaker Acme": the trade before a name.
_TRADE = re.compile(
    r"^(?:[A-Z][a-z]+\s)?(?:(?:[Ff]in|[Ii]nsur|[Ee]d|[Pp]rop|[Hh]ealth|[Mm]ed|[Bb]io|[Aa]gri?|[Ff]ood|[Ll]egal|[Rr]eg"
    r"|[Cc]lean|[Cc]limate|[Dd]eep"
    r"|[Aa]d|[Mm]ar|HR|[Ww]ealth|[Gg]ov|[Ss]pace|[Ff]em)-?[Tt]ech|[A-Z]?[a-z]+maker)\s(?=[A-Z])"
)
_PLAIN_NAME = re.compile(
    r"(?:The\s)?[A-Z0-9a-z][\w.&'’!®+\-]*(?:,?\s(?:[A-Z0-9&+][\w.&'’!®+\-]*|of|and|for|the|de|la))*(?:\s\([A-Z][\w ]{1,20}\))?"
)
_DESCRIBED = re.compile(
    r"\b(?:brand|platform|startup|start-up|company|provider|maker|leader|innovator|firm|founder|developer|lender"
    r"|institution|club|app)\s[A-Z0-9]",
    re.I,
)
_LEGAL_FORM = re.compile(
    r",?\s(?:Inc|Corp|Corporation|LLC|Ltd|Limited|PLC|plc|P\.C|PC|LLP|L\.P|S\.A|AG|GmbH|N\.V|SE|Co)\.?$|\s\([A-Z]{2,8}\)$"
)

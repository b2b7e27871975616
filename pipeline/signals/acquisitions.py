"""Acquisitions: who buys whom, for how much, how large a share. From the headline; price and share also from the text.

Precision first: land, mines, licences, unnamed targets and mere talk are no acquisition of a company.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pipeline.signals.company_patterns import OWNER
from pipeline.signals.gated import gated
from pipeline.signals.headline_names import whole_name
from pipeline.signals.investors import looks_like_person
from pipeline.signals.mergers import sides_of_merger
from pipeline.signals.money import Money, find_money
from pipeline.signals.places import find_place
from pipeline.signals.text import Text

NEAREST_SENTENCES = 8
LONGEST_SIDE_WORDS = 9
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Acquisition:
    """``acquirer`` buys ``acquired``; ``percentage`` as a plain number ("51"), None where unknown. ``is_completed``: not only
    agreed or intended. ``is_merger``: neither is called the buyer; ``acquirer`` is then the one the headline is about.
    ``sources``: field → the sentence it was read from."""

    acquirer: str
    acquired: str
    price: Money | None
    percentage: str | None
    is_completed: bool
    is_merger: bool
    sources: dict[str, str]


def find_acquisition(title: str, text: Text) -> Acquisition | None:
    """The acquisition that ``title`` (without tags and tickers) reports, or None. Total."""
    merger = sides_of_merger(title)
    sides = merger or _sides(title)
    if sides is None or _ONLY_TALK.search(title) or _NO_TARGET.search(_CLAUSE.split(sides[1], maxsplit=1)[0]):
        return None
    acquirer, acquired = _company(_SUBSIDIARY.sub("", sides[0])), _company(sides[1])
    if (
        _COLLECTS.search(sides[0])
        or not acquirer
        or not acquired
        or acquirer.casefold() == acquired.casefold()
        or find_place(acquired)
        or (_TAKES_OVER.search(title) and looks_like_person(acquirer))
    ):
        return None
    sources = dict.fromkeys(("acquiring_company", "acquired_company"), title)
    sentences = [title, *(each for each in text.news[:NEAREST_SENTENCES] if _SPEAKS_OF_IT.search(each))]
    price = _first(sentences, _price, "amount", sources)
    share = _first(sentences, _share, "percentage", sources)
    return Acquisition(acquirer, acquired, price, share, not _NOT_YET.search(title), merger is not None, sources)


def _sides(title: str) -> tuple[str, str] | None:
    if passive := _ACQUIRED_BY.search(title):
        return title[passive.end() :], _SAYS.split(title[: passive.start()], maxsplit=1)[0]
    if private := _TAKES_PRIVATE.search(title) or _GOES_PRIVATE.search(title):
        return private["acquirer"], private["acquired"]
    if noun := _WITH_ACQUISITION.search(title) or _CLOSES_ACQUISITION.search(title):
        return noun["acquirer"], noun["acquired"]
    if into := _JOINS_BY.search(title):
        return into["acquirer"], into["acquired"]
    if active := _ACQUIRES.search(title) or _CATCHES.search(title):
        return title[: active.start()], title[active.end() :]
    return None


def _company(phrase: str) -> str | None:
    """The one company a side of the headline names; None for what is unnamed ("a fintech company") or more than one."""
    phrase = _SHARE_OF.sub("", phrase.strip())
    phrase = _CLAUSE.split(_APPOSED.sub("", _INTRODUCED.sub("", phrase)), maxsplit=1)[0]
    phrase = _ADVERB.sub("", _SHARE_OF.sub("", phrase.strip())).strip()
    if not phrase or len(phrase.split()) > LONGEST_SIDE_WORDS or _UNNAMED.match(phrase):
        return None
    owner = OWNER.match(phrase)
    name = whole_name(phrase[owner.end() :] if owner and find_place(owner["place"]) else phrase)
    if not name or not re.search(r"[A-Z]|\d", name[:2]) or _NO_NAME.search(name):
        return None
    return name


def _first(sentences: Sequence[str], read: Callable[[str], _T | None], field: str, sources: dict[str, str]) -> _T | None:
    for sentence in sentences:
        if value := read(sentence):
            sources[field] = sentence
            return value
    return None


def _price(sentence: str) -> Money | None:
    """Money that is said to be paid: behind "for", "valued at" and the like, or right before "acquisition", "deal"."""
    for money in find_money(sentence):
        before, after = sentence[max(0, money.start - 60) : money.start], sentence[money.end : money.end + 40]
        if _PAID_BEFORE.search(before) or _PAID_AFTER.match(after):
            return money
    return None


def _share(sentence: str) -> str | None:
    match = _PERCENT.search(sentence)
    return match["share"] if match and 0 < float(match["share"]) <= 100 else None


_BUYING = r"(?:acquire|buy|purchase|take over(?!\s(?:as|from|at|in)\b))"
# A share by which the company changes hands.
_CONTROL = r"(?:a\s)?(?:(?:majority|controlling)\s|(?:5[1-9]|[6-9]\d|100)(?:\.\d+)?\s?(?:%|percent|per cent|pc)\s)"
_ACQUIRES = gated(
    r"\s(?:has\s|have\s|strategically\s|officially\s|today\s|successfully\s)*(?:"
    rf"(?:signs?|executes?|enters?(?:\sinto)?|inks?|strikes?|reaches"
    rf"|announces?)\s(?:[\w\-$€£.]+\s){{0,5}}?(?:agreement|LOI|letter of intent"
    rf"|deal)\s(?:\([^)]*\)\s)?to\s{_BUYING}"
    r"|(?:expands|grows|strengthens)\b.{0,60}?\s(?:with|through|by)\s(?:the\s|its\s)?(?:strategic\s)?acquisition of"
    r"|(?:completes?|closes?|finali[sz]es|announces?|executes|secures)\s(?:the\s|its\s|(?:the\s)?(?:completion"
    r"|closing|signing) of\s"
    r"|the\s)*(?:strategic\s|major\s|[$€£]\S+\s(?:million\s|billion\s)?)*acquisition of"
    rf"|(?:agrees|plans|intends|intent|set|moves)?\s?to {_BUYING}|acquires|(?:announces (?:that )?it has )?acquired(?!\sby)|buys"
    r"|acqui-?hires(?:\s(?:the\s)?team\s(?:behind|of))?"
    rf"|(?:to take|takes|took|taking)(?=\s{_CONTROL}(?:stake|interest|shareholding)\sin\s)"
    r"|bought(?!\s(?:by|deal)\b)|snaps up|scoops up|picks up|swallows(?: up)?|gobbles up|takes over"
    r"|(?:completes?|closes?|finali[sz]es|announces?|agrees?|wraps up|seals|clinches)\s(?:its\s|the\s|an?\s)?(?:[$€£]\S+\s"
    r"(?:million\s|billion\s)?)?(?:purchase|takeover|buyout|acquisition) of|acquiring)\s(?=\S)",
    re.I,
)
# Verbs that catch talents, contracts and costs too: what is caught must be called a company.
_CATCHES = gated(
    r"\s(?:snags|nabs|grabs|absorbs|(?:to|will) absorb|pockets)\s(?=(?:[a-z][\w\-]*\s|[A-Z]\w+(?:['’]s|-based)?\s){0,3}"
    r"(?:start-?up|rival|competitor|maker|firm|platform|provider|scale-?up)\s[A-Z])"
)
_TAKES_OVER = gated(r"\b(?:takes|to take|taking|took) over\b", re.I)
_ACQUIRED_BY = gated(
    r"\s(?:is |was |to be |has been |gets |will be )?(?:being )?(?:fully )?(?:(?:acquired|bought|snapped up|taken over"
    r"|swallowed) by"
    r"|sold to|sells itself to|sells to(?=\s.{2,60}?\sfor\s(?:US)?[$€£]))\s",
    re.I,
)
_SAYS = gated(r"\s(?:announces|signs|enters|agrees|receives|executes|confirms)\b", re.I)
_WITH_ACQUISITION = gated(
    r"^(?P<acquirer>.{2,60}?)\s(?:expands|grows|strengthens|enters|broadens|bolsters|deepens"
    r"|advances|adds|boosts|enhances|extends|widens)\b.*?\s(?:with|through|by|via)\s(?:its\s"
    r"|the\s)?(?P<acquired>(?:(?!and\s)[A-Z0-9][\w.&’'\-]*\s){1,4})Acquisition$",
    re.I,
)
# "Acme announces closing of Bolt acquisition"
_CLOSES_ACQUISITION = gated(
    r"^(?P<acquirer>.{2,60}?)\s(?i:announces|completes|closes|finali[sz]es)\s(?i:(?:the\s|its\s)?(?:successful\s)?(?:closing"
    r"|completion)\sof"
    r"\s)?(?i:the\s|its\s)?(?:[$€£]\S+\s(?:million\s|billion\s)?)?(?P<acquired>(?:(?!(?:Strategic|Major|First|Second|Third"
    r"|Recent|Planned|Previously"
    r"|Announced)\b)[A-Z0-9][\w.&’'\-]*\s)"
    r"{1,4})(?i:acquisition)$"
)
_TAKES_PRIVATE = gated(r"^(?P<acquirer>.{2,60}?)\s(?:to take|takes|taking)\s(?P<acquired>[A-Z0-9][^,;]{1,40}?)\sprivate\b")
_GOES_PRIVATE = gated(
    r"^(?P<acquired>.{2,60}?)\s(?:goes|to go|going)\sprivate\sin\s(?:an?\s)?(?:[$€£]\S+\s(?:million\s|billion\s)?)?"
    r"(?P<acquirer>[A-Z][\w.&’'\-]*(?:\s[A-Z][\w.&’'\-]*){0,3})\s(?:buyout|deal|takeover|acquisition)\b"
)
_JOINS_BY = gated(
    r"^(?P<acquired>.{2,60}?)\sto become (?:an? )?(?:wholly[- ]owned )?subsidiary of\s(?P<acquirer>.{2,60}?)(?:\sin\b|$)", re.I
)
_SUBSIDIARY = gated(r"^.*?\b(?i:subsidiary|unit|affiliate|portfolio company)[,:]?\s(?=[A-Z0-9])(?!(?i:of)\s)")
_ONLY_TALK = gated(
    r"\bthinking about|\brumou?r|\bin talks|\breportedly\b|\bcould\b|\bmay acquire|\bexplor(?:e|ing)\b"
    r"|\bindication of interest\b"
    r"|\bunsolicited\b|\bcomprehensive analysis\b|\brepresent\w* .{3,80} in acquisition|\binsider\b|\bICO\b|\bmeme\s?coins?\b"
    r"|\bpresale\b|\b(?:how|ways|things) to\b|\bbest\b|\bproposal\b",
    re.I,
)
# Who buys works of art.
_COLLECTS = gated(r"\b(?:museum|gallery|library|archive|collector)\b", re.I)
# What is bought, where it is no company.
_NO_TARGET = gated(
    r"\b(?:awards?|prizes?|wins?|orders?|contracts?|sponsorships?|role|helm|slack|steam|leadership|where"
    r"|reins"
    r"|duties|naming)\b|^(?:USD\s?)?[$€£]\s?\d|\b(?:customers?|users?|talent|rights|licen[cs]es?|patents?|shares|apartments?"
    r"|multifamily|portfolio|square[- ]f\w+"
    r"|propert(?:y|ies)|hotels?|royalt\w+|domains?|websites?|bitcoin|BTC|ETH|tokens?|acres?|units?|\d+-unit|building|warehouse"
    r"|shopping cent\w+|facility in|land|leases?|mines?|mineral|deposit|drill\w*|gold|silver|lithium|uranium"
    r"|copper|zinc|oil and gas"
    r"|wells?|concessions?"
    r"|claims(?!\s(?:startup|start-up|company|firm|platform|software))"
    r"|real estate|carbon credit|project|ranch|campground|development site)\b",
    re.I,
)
_SHARE_OF = gated(
    r"^(?:an?\s|the\s)?(?:(?:additional|majority|minority|controlling|remaining|significant"
    r"|strategic)\s)*(?:\d+(?:\.\d+)?\s?(?:%"
    r"|percent|per cent|pc)\s?)?(?:of\s)?(?:the\s)?(?:stake|interest|ownership|equity|business|operations"
    r"|trading assets|assets)\s(?:in|of)\s"
    r"|^\d+(?:\.\d+)?\s?(?:%|percent|per cent|pc)\s(?:of\s)?(?:the\s)?(?:stake\s(?:in|of)\s)?"
    r"|^(?:substantially )?(?:all of|assets of|the assets of|maker|startup|start-up|certain assets of|rival"
    r"|competitor)\s(?:the\s)?",
    re.I,
)
_ADVERB = gated(r"\s(?:strategically|officially|today|successfully|subsidiary)$", re.I)
# "Canadian miner, POW.RE": the name follows what is said of it.
_APPOSED = gated(
    r"^(?:[A-Z]\w*maker|[A-Z]\w+(?:\s[A-Z]\w+)?-based|Startup|Unicorn|Retailer|Insurer|Lender|Telco)\s(?=[A-Z])"
    r"|^[A-Z][\w\- ]{3,40}\b(?:(?i:miner|provider|maker|leader|company|firm|startup|platform|developer|operator)|group|giant|fund"
    r"|investor|lender|chain|lab|spin-?out),?\s(?=[A-Z])"
)
# "another machine learning company: Acme": the name follows what it is.
_INTRODUCED = gated(
    r"^(?:[Aa]n?|[Aa]nother|[Tt]he)\s[^:,]{3,60}?\b(?:company|startup|start-up|firm|platform|maker|provider|developer|service)"
    r"[:,]?\s(?=[A-Z])"
)
_UNNAMED = gated(
    r"(?:an?|two|three|four|five|six|several|multiple|leading|another|its|their|his|her|some|\d+)\s", re.I
)  # fmt: skip
_NO_NAME = gated(
    r"\b(?:stake|shares|assets?|company|companies|startup|firm|rights|interest|technology|technologies assets"
    r"|business|the|this|new"
    r"|another|investors?|giant|buyer|bidder|takeover|bid|spree|strategy|resource|milestone)$|^\d{1,3}$|^(?:it|they|we|you|who"
    r"|what|why|how|this|that)\b",
    re.I,
)
_CLAUSE = gated(
    r",\s|\s(?:for\s(?:(?:up to|about|around|nearly|over|more than|roughly|some|at least|a reported)\s)?(?=[$€£₹\d]|(?:Rs"
    r"|INR|USD?|EUR|GBP|CHF|AED|SEK|NOK|DKK|AU?\$|CA?\$|S\$)[\s$.\d])"
    r"|for\s(?:an?\s)?(?:undisclosed|enterprise|cash)|to\s(?=[a-z])|to (?:expand|build"
    r"|accelerate|strengthen"
    r"|boost|create|add|bolster|enhance|advance|launch|develop|become|drive|enter|form|power|deepen|grow|extend"
    r"|support|unlock)\b"
    r"|in\s(?:an?\s)?(?:[$€£₹]|\S*(?:deal|roll-up|transaction)|(?:all-)?(?:cash|stock)\b|historic|landmark|major|strategic)"
    r"|in (?=[A-Z][a-z]+(?:$|,))|as\s(?:it|part|of)|from\s|amid\s|with\s|after\s|will\s|through\s|expanding\s|\("
    r"|—|–|-\s)|[—–]|;|:",
    re.I,
)
_SPEAKS_OF_IT = gated(r"\bacqui|\bpurchase|\bbuy(?:s|ing)?\b|\bbought\b|\btransaction\b|\bstake\b", re.I)
_PAID_BEFORE = gated(
    r"\b(?:for|price of|consideration of|valued at|worth|deal of|sum of|totall?ing|value of|pay(?:ing|s)?|transaction of)\s"
    r"(?:an?\s|the\s|about\s|around\s|approximately\s|roughly\s|nearly\s|up to\s|over\s|more than\s|aggregate\s"
    r"|total\s|purchase price"
    r"\s|consideration\s|cash\s|initial\s|upfront\s|of\s)*$",
    re.I,
)
_PAID_AFTER = gated(
    r"\s?(?:all-)?(?:cash |stock |share )?(?:acquisition|deal|transaction|takeover|buyout|purchase price)\b", re.I
)
_PERCENT = gated(
    r"\b(?P<share>\d{1,3}(?:\.\d+)?)\s?(?:%|percent\b|pc\b|per cent\b)(?=\s(?:stake|of (?:the )?(?:shares|equity"
    r"|issued|outstanding|company"
    r"|[A-Z])|interest|ownership|equity|shareholding))",
    re.I,
)
_NOT_YET = gated(
    rf"\bto {_BUYING}\b|\bto be acquired\b|\bto become\b|\bagrees?\b|\bagreement\b|\bLOI\b|\bletter of intent|\bplans?\b", re.I
)

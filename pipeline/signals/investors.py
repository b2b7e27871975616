"""Who put the money in: leads, others, and persons (angels), with the descriptors around their names stripped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.signals.cues import ROUND_NAME
from pipeline.signals.headline import Headline
from pipeline.signals.investor_patterns import (
    ANGEL_PART,
    APPOSITION,
    BRACKETS,
    DEED,
    DESCRIPTOR,
    FIRMS_PERSON,
    GENERIC,
    NOT_A_NAME_BEFORE,
    OPENING_DESCRIPTION,
    ORGANIZATION,
    OWNED_FUND,
    OWNER,
    PART_OF_WORLD,
    PEOPLE_OF,
    PERSON_NOUN,
    PERSON_OF_FIRM,
    PLURAL_KIND,
    POSSESSIVE,
    PROPER,
    PROPER_TAIL,
    ROLE,
    ROLE_BEHIND,
    SEPARATOR,
    TAIL,
    TYPES,
    UNNAMED,
)
from pipeline.signals.investor_phrases import (
    AND_OTHERS,
    ANGELS,
    CLAUSES,
    FOLLOWERS,
    FROM,
    FROM_PRIOR_ROUND,
    HINTS,
    LEAD_PATTERNS,
    LED_ALONE,
    LED_BY,
    OTHER_PATTERNS,
    PAST_CLAUSE,
    PAST_OPENING,
    PAST_ROUND,
    TITLE_LEAD,
)
from pipeline.signals.model import Investor
from pipeline.signals.places import city_country, country_of_adjective, region_country
from pipeline.signals.text import Text, split_sentences
from pipeline.signals.words import word_list

MOST_INVESTORS = 40
DEEPEST_SENTENCE = 45


@dataclass
class Backers:
    """Names in the order of the text, each once; ``sources`` gives the sentence and origin of each name."""

    leads: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    angels: list[str] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    sources: dict[str, tuple[str, str]] = field(default_factory=dict)
    are_more: bool = False  # the headline says that there are others besides those it names
    sole: str | None = None  # the one investor that the headline is about

    def investors(self) -> list[Investor]:
        """Leads first, then the others."""
        found = [Investor(name, True, self.types.get(name)) for name in self.leads]
        return found + [Investor(name, False, self.types.get(name)) for name in self.others if name not in self.leads]


def find_backers(text: Text, headline: Headline, company: str | None, event_sentences: Sequence[int] = ()) -> Backers:
    """Investors of the round that the text announces. Past rounds' sentences are left out."""
    backers = Backers()
    _read_title(backers, headline, company)
    near = -1
    # A feature may tell of its round at the very end.
    deep = [index for index in event_sentences if index >= DEEPEST_SENTENCE]
    for index in (*range(min(DEEPEST_SENTENCE, len(text.news))), *deep):
        sentence = text.news[index]
        if not _may_name_backers(sentence):
            continue
        told = PAST_CLAUSE.sub("", FROM_PRIOR_ROUND.sub("existing investors", sentence))
        if PAST_ROUND.search(told) or PAST_OPENING.match(told):
            continue
        if index > 20 and near >= 0 and index - near > 12 and index not in event_sentences:
            continue
        if _read_sentence(backers, told, sentence, company):
            near = index
    return _settled(backers)


def _read_title(backers: Backers, headline: Headline, company: str | None) -> None:
    title, *more = split_sentences(headline.plain) or [""]
    for sentence in more:  # a feed's item put as its title
        _read_sentence(backers, sentence, sentence, company)
    if headline.side == "investor":
        kind = "leads" if headline.verb.lower().startswith(("lead", "led", "co-lead", "co-led", "invest", "back")) else "others"
        names = parse_names(headline.subject)
        if (
            kind == "leads"
            and not headline.verb.lower().startswith(("lead", "led", "co-l"))
            and (len(names) > 1 or not headline.monies)
        ):
            kind = "others"
        _add(backers, kind, headline.subject, title, "title", company)
        backers.sole = names[0] if len(names) == 1 else None
        return
    if headline.side == "none" and not headline.round_name:
        return
    led = LED_BY.search(title)
    if led:
        leads, followers = _split_followers(led["names"])
        _add(backers, "leads", leads, title, "title", company)
        _add(backers, "others", followers, title, "title", company)
    elif leading := TITLE_LEAD.search(title):
        _add(backers, "leads", leading["names"], title, "title", company)
    source = FROM.search(title, led.end() if led else 0)
    if source and not led and not _CHANGE_FROM.search(title, 0, source.start()):
        backers.are_more = bool(AND_OTHERS.search(title, source.start()))
        names = parse_names(source["names"])
        kind = "leads" if len(names) == 1 and not AND_OTHERS.search(source["names"]) else "others"
        _add(backers, kind, source["names"], title, "title", company)


def _read_sentence(backers: Backers, told: str, sentence: str, company: str | None) -> bool:
    """Read what of ``sentence`` tells of this round; the whole of it is what the names are shown with."""
    found = False
    lowered = told.lower()
    for pattern in LEAD_PATTERNS:
        for match in pattern.compiled.finditer(told) if pattern.may_match_lowered(lowered) else ():
            found |= _add_leads(backers, match["names"], sentence, company)
    for verb, clause, kind in CLAUSES:
        if not (verb.may_match_lowered(lowered) and verb.compiled.search(told)):
            continue
        for match in clause.compiled.finditer(told):
            if kind == "leads":
                found |= _add_leads(backers, match["names"], sentence, company)
            else:
                found |= _add(backers, kind, match["names"], sentence, "body", company)
    for pattern in OTHER_PATTERNS:
        for match in pattern.compiled.finditer(told) if pattern.may_match_lowered(lowered) else ():
            found |= _add(backers, "others", match["names"], sentence, "body", company)
    for match in ANGELS.finditer(told):
        found |= _add(backers, "angels", match["names"], sentence, "body", company)
    for match in LED_ALONE.finditer(told):
        # "Oldmoor led": a short name is believed where the long one is known.
        known = [name for name in backers.others if _alike(name, match["names"])]
        backers.leads += known[:1]
    return found


def _may_name_backers(sentence: str) -> bool:
    return any(map(sentence.lower().__contains__, HINTS))


def _add_leads(backers: Backers, phrase: str, sentence: str, company: str | None) -> bool:
    leads, followers = _split_followers(phrase)
    found = _add(backers, "leads", leads, sentence, "body", company)
    if followers:
        _add(backers, "others", followers, sentence, "body", company)
    return found


def _split_followers(phrase: str) -> tuple[str, str]:
    """The leads of "A and B, with participation from C, D", and those who followed."""
    for cut in FOLLOWERS.finditer(phrase):
        # "existing investors including A": what stands before names nobody, so A is no follower.
        if parse_names(phrase[: cut.start()]):
            return phrase[: cut.start()], phrase[cut.end() :]
    return phrase, ""


def _add(backers: Backers, kind: str, phrase: str, sentence: str, origin: str, company: str | None) -> bool:
    """Put the names of ``phrase`` where they belong; the part behind "angels including" holds persons."""
    funds, persons = phrase, ""
    split = _angel_part(phrase)
    if split and kind != "angels":
        funds, persons = phrase[: split.start()], phrase[split.end() :]
    elif kind == "angels":
        funds, persons = "", phrase
    added = False
    for part, is_of_angels in ((funds, False), (persons, True)):
        for name, described in parse_described(part):
            if is_company(name, company) or is_place(name) or (is_of_angels and " " not in name):
                continue
            place = getattr(backers, _place_of(kind, name, described, is_of_angels))
            if name not in place:
                place.append(name)
                added = True
            backers.sources.setdefault(name, (sentence, origin))
            if kind_of := investor_type(name, described):
                backers.types.setdefault(name, kind_of)
    return added


def _angel_part(phrase: str) -> re.Match[str] | None:
    """Where persons begin: "… and angels Jane Doe"; the Angels of "Halo Angels" are part of a name."""
    for match in ANGEL_PART.finditer(phrase):
        if match[0].strip() != "Angels" or not _NAME_BEFORE.search(phrase[: match.end()]):
            return match
    return None


def is_company(name: str, company: str | None) -> bool:
    """Whether ``name`` is the company itself, or a part of its name."""
    if not company:
        return False
    own, other = _fold(company), _fold(name)
    is_based = other.endswith(f" based {own}")  # "the Toronto-based Acme" in a list
    return own == other or is_based or own.startswith(other + " ") or other.startswith(own + " ")


def is_place(name: str) -> bool:
    """Whether ``name`` is a city, state, country or part of the world."""
    return PART_OF_WORLD.fullmatch(name) is not None or region_country(name) is not None or city_country(name) is not None


def _place_of(kind: str, name: str, described: str, is_of_angels: bool) -> str:
    """leads, others or angels, for a name with its descriptor in a list of that kind."""
    if kind == "leads" and not is_of_angels:
        return "leads"
    if is_of_angels:
        return "others" if ORGANIZATION.search(name) else "angels"
    is_person = looks_like_person(name) or (bool(PERSON_NOUN.search(described)) and not ORGANIZATION.search(name))
    return "angels" if is_person else "others"


def _settled(backers: Backers) -> Backers:
    """One spelling per investor (the longest), a lead is no mere other, nobody invests in itself."""
    backers.leads = _distinct([_longest(name, backers.others) for name in backers.leads])
    backers.others = [name for name in _distinct(backers.others) if not any(_alike(name, lead) for lead in backers.leads)]
    if not backers.leads and len(backers.others) == 1 and not backers.angels and not backers.are_more:
        # Who is alone leads.
        backers.leads, backers.others = backers.others, []
    if (
        not backers.leads
        and backers.sole
        and (own := next((name for name in backers.others if _alike(name, backers.sole)), None))
    ):
        backers.leads, backers.others = [own], [name for name in backers.others if name != own]
    _without_short_forms(backers)
    known = backers.leads + backers.others
    backers.angels = [name for name in _distinct(backers.angels) if not any(_alike(name, other) for other in known)][
        :MOST_INVESTORS
    ]
    backers.others = backers.others[:MOST_INVESTORS]
    return backers


def _without_short_forms(backers: Backers) -> None:
    """Headlines shorten names: "Oldmoor" is the "Oldmoor Life Fund" of the text below."""
    for own, other in ((backers.leads, backers.others), (backers.others, backers.leads)):
        for name in [name for name in own if backers.sources[name][1] == "title"]:
            start = _fold(name) + " "
            if long := next((known for known in [*own, *other] if _fold(known).startswith(start)), None):
                own.remove(name)
                if own is backers.leads and long not in own:
                    own.append(long)
                    other.remove(long)


def _longest(name: str, others: list[str]) -> str:
    """``name`` in its longest spelling."""
    return max([name, *(other for other in others if _alike(name, other))], key=len)


def _distinct(names: list[str]) -> list[str]:
    kept: list[str] = []
    for name in names:
        double = next((index for index, other in enumerate(kept) if _alike(name, other)), None)
        if double is None:
            kept.append(name)
        elif len(name) > len(kept[double]) and _fold(name).startswith(_fold(kept[double])):
            kept[double] = name
    return kept


def _alike(one: str, other: str) -> bool:
    first, second = _fold(one), _fold(other)
    if first == second:
        return True
    short, long = sorted((first, second), key=len)
    return len(short) >= 4 and long.startswith(short + " ") and set(long[len(short) :].split()) <= word_list("fund_endings")


def parse_names(phrase: str) -> list[str]:
    """Names of organizations and persons in a list such as "A, B & C, and existing backer D". Total."""
    return [name for name, _ in parse_described(phrase)]


def parse_described(phrase: str) -> list[tuple[str, str]]:
    """(name, the descriptor it stood under) of every name in a list."""
    found: list[tuple[str, str]] = []
    # "… and the founders of Acme and Bolt": those are where unnamed people come from.
    plain = BRACKETS.sub(" ", PEOPLE_OF.split(ROLE_BEHIND.sub("", phrase), maxsplit=1)[0])
    plain = APPOSITION.sub(",", plain)
    for item in SEPARATOR.split(plain):
        if len(found) >= MOST_INVESTORS:
            break
        name, descriptor = _strip_descriptor(item)
        if name and name not in (known for known, _ in found):
            found.append((name, descriptor))
    return found


def _strip_descriptor(item: str) -> tuple[str | None, str]:
    text = DEED.sub("", item.strip(" .,;:–—-\"“”'’"))
    descriptor = ""
    if UNNAMED.search(text):
        return None, descriptor
    if person := PERSON_OF_FIRM.match(text) or FIRMS_PERSON.match(text):
        return person["person"], person["role"]
    if (owned := OWNER.match(text)) and (is_place(owned["owner"]) or OWNED_FUND.match(text, owned.end())):
        text = text[owned.end() :]
    if opening := OPENING_DESCRIPTION.match(text):
        descriptor = opening[0].strip().lower()
        text = text[opening.end() :]
    while True:
        match = DESCRIPTOR.match(text)
        if not match or match.end() == len(text):
            break
        descriptor = f"{descriptor} {match[0]}".strip()
        text = text[match.end() :].strip(" .,;:–—-")
    run = PROPER.match(text)
    if not run:
        # "a group of founders", "two undisclosed funds": a description with no name; but "investor Jane Doe" has one.
        tail = PROPER_TAIL.search(text)
        if not tail or len(text[: tail.start()].split()) > 6 or NOT_A_NAME_BEFORE.search(text[: tail.start()]):
            return None, descriptor
        descriptor = f"{descriptor} {text[: tail.start()]}".strip()
        run = PROPER.match(text[tail.start() :])
        if not run:
            return None, descriptor
    name = TAIL.sub("", POSSESSIVE.sub("", run[0].strip(" .,;:–—-'’"))).strip(" ,.")
    name = _KIND_BEFORE.sub("", TAIL.sub("", name))
    if (article := _ARTICLE.match(name)) and (
        _OF_PART_OF_WORLD.fullmatch(rest := name[article.end() :]) or country_of_adjective(rest)
    ):
        return None, descriptor  # "A European fund led": nobody is named
    if (firm := _PERSON_OF.match(name)) and firm["person"].split()[0].lower() in word_list("given_names"):
        name = firm["person"]
    if (
        len(name) < 2
        or name.lower() in word_list("not_investors")
        or (not _FOUNDERS_FUND.fullmatch(name) and any(kind.fullmatch(name) for kind in _NO_NAMES))
    ):
        return None, descriptor
    return name, descriptor


_FOUNDERS_FUND = re.compile(r"(?:The\s)?Founders Fund")  # a name of words that name nobody
_NO_NAMES = (GENERIC, ROUND_NAME, PLURAL_KIND, ROLE)
_NAME_BEFORE = re.compile(r"(?:^|[\s(])(?!(?:And|With|From|By|The|Business|Including)\s)[A-ZÀ-Þ][\w&]+\sAngels\s?$")
_CHANGE_FROM = re.compile(r"\b(?:expand|grow|move|evolve|shift|transition|pivot|graduate|go)\w*\s*$", re.I)
_KIND_BEFORE = re.compile(r"^(?:VC|PE|CVC)\s(?=[A-ZÀ-Þ])")
_ARTICLE = re.compile(r"An?\s")
_OF_PART_OF_WORLD = re.compile(
    r"European|African|Asian|Nordic|Baltic|(?:Latin|North|South) American|Middle Eastern|Scandinavian"
)
_NO_WORD = re.compile(r"[^\w]+")
_PERSON_OF = re.compile(r"(?P<person>[A-Z][\w'’\-]+(?:\s[A-Z][\w.'’\-]*){1,2})\s(?:of|at|from)\s[A-Z]")


def looks_like_person(name: str) -> bool:
    """Two or three capitalised words without a fund's or company's word among them, the first a given name we know."""
    words = name.split()
    if not 2 <= len(words) <= 4 or ORGANIZATION.search(name):
        return False
    return words[0].lower().rstrip(".") in word_list("given_names") or bool(re.match(r"(?:Dr|Mr|Ms|Mrs|Sir|Prof)\b", words[0]))


def investor_type(name: str, descriptor: str) -> str | None:
    """The investor's kind where name or descriptor says it (spec signalbase: vc, angel, pe, corporate, …)."""
    stated = f"{descriptor} {name}".lower()
    for kind, pattern in TYPES:
        if pattern.search(stated):
            return kind
    return None


def _fold(name: str) -> str:
    return _NO_WORD.sub(" ", name.lower()).strip()

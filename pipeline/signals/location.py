"""Where the company sits: from "Pune-based", "headquartered in …", the dateline, an adjective of nation."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.signals.gated import gated
from pipeline.signals.headline import Headline
from pipeline.signals.places import Place, country_of_adjective, find_place
from pipeline.signals.spans import ends_of, starts_of
from pipeline.signals.text import Text


@dataclass(frozen=True, slots=True)
class Location:
    """A place and the text that gives it."""

    place: Place
    text: str


def find_location(text: Text, headline: Headline, company: str | None) -> Location | None:
    """The company's city and country, by the first of: "X-based", "based in X" near the company, its dateline, its nation.

    Where that gives no city, one of the same country is looked for: "Porto's Acme", "the Porto startup".
    """
    found = _stated(text, headline, company)
    if found and found.place.city:
        return found
    return _city_besides(text, headline, company, found.place.country if found else None) or found


def _stated(text: Text, headline: Headline, company: str | None) -> Location | None:
    for sentence in (headline.plain, *text.news[:8]):
        found = _beside(sentence, company) or _based(sentence, company)
        if found:
            return Location(found, sentence)
    about = _about(text, company)
    if about:
        found = _headquartered(about, company)
        if found:
            return Location(found, about)
    for sentence in text.sentences:
        if company and company.lower() not in sentence.lower() and not _SELF.match(sentence):
            continue
        found = _headquartered(sentence, company)
        if found:
            return Location(found, sentence)
    return _dateline(text) or _adjective(headline, company) or _nation(text, company)


def _beside(sentence: str, company: str | None) -> Place | None:
    """ "Acme (Irvine, California)", "Acme Inc., of Zug, Switzerland, said": how trade letters give a place."""
    for start in ends_of(company or "", sentence):
        match = _BESIDE.match(sentence, start)
        place = find_place(match["bracket"] or match["of"]) if match else None
        if place is None and (nation := _NATION_BESIDE.match(sentence, start)):
            country = country_of_adjective(nation["nation"])
            place = Place(None, country) if country else None  # "Acme, a Ghanaian wallet, …"
        if place and (place.city or place.country):
            return place
    return None


def _based(sentence: str, company: str | None) -> Place | None:
    for match in _X_BASED.finditer(sentence):
        if _OF_INVESTOR.match(sentence, match.end()) or _OF_PERSON.match(sentence, match.end()):
            continue
        after = sentence[match.end() : match.end() + 60]
        is_own = _OF_COMPANY.match(after) or (company and company.lower() in after.lower())
        if not is_own and _AMONG_BACKERS.search(sentence, 0, match.start()):
            continue
        named = _THE.sub("", match["place"])  # "The Buffalo, N.Y.-based developer"
        place = find_place(named) or find_place(" ".join(named.split()[-1:]))
        if place:
            return place
    for match in _CITY_COMPANY.finditer(sentence):
        place = find_place(match["place"] or match["from"])
        if place and (place.city or match["from"]):
            return place
    if company and (first := _city_first(sentence, company)):
        return first
    based = _LOCATION_BASED.search(sentence)
    if based and (not company or company.lower() in sentence.lower()):
        return find_place(based["place"])
    return None


def _city_besides(text: Text, headline: Headline, company: str | None, country: str | None) -> Location | None:
    """A city of ``country`` (of any, where that is None) that a sentence gives the company in passing."""
    if not company:
        return None
    for sentence in (headline.plain, *text.news[:12]):
        match = _owner_of(company, sentence) or _THE_CITY_COMPANY.match(sentence)
        place = find_place(match["place"]) if match else None
        if place and place.city and place.country and country in (None, place.country):
            return Location(place, sentence)
    return None


def _owner_of(company: str, sentence: str) -> re.Match[str] | None:
    """Whose the company is said to be: "Leeds's drone maker Acme"."""
    owners = (_OWNER_BEFORE.search(sentence, max(0, start - 120), start) for start in starts_of(company, sentence))
    return next((owner for owner in owners if owner), None)


def _city_first(sentence: str, company: str) -> Place | None:
    """ "Toronto medtech company Acme …": a sentence that begins with a known city, then says what the company is."""
    match = _BEGINS_WITH_CITY.match(sentence, 0, max(0, sentence.find(company)))
    place = find_place(match["place"]) if match else None
    return place if place and place.city else None


def _headquartered(sentence: str, company: str | None) -> Place | None:
    for match in _BASED_IN.finditer(sentence):
        subject = sentence[max(0, match.start() - 60) : match.start()]
        if _PERSON_NEAR.search(subject) and not (company and company.lower() in subject.lower()):
            continue
        if _INVESTOR_NEAR.search(subject) and not (company and company.lower() in subject.lower()):
            continue
        place = find_place(_up_to_second_comma(match["place"]))
        if place:
            return place
    return None


def _about(text: Text, company: str | None) -> str | None:
    """The beginning of the "About <company>" section."""
    if not company:
        return None
    first = company.split()[0].lower()
    for about in _ABOUT.finditer(text.body):
        if any(
            text.body[start : start + len(first)].lower() == first for start in (about.end(), about.start("the")) if start > 0
        ):
            return "\n".join(text.body[about.start() :].split("\n", 3)[:3])[:900]
    return None


def _dateline(text: Text) -> Location | None:
    lines = text.body[:600].split("\n")[:5]
    # Subheads may stand above it; then only a place with a date is one.
    found = [_DATELINE.match(lines[0]), *(_DATED.match(line) and _DATELINE.match(line) for line in lines[1:])]
    match = next((one for one in found if one), None)
    if not match:
        return None
    phrase = re.split(r"\s+(?:and|&|/)\s+|\s?/\s?", match["place"])[0]
    place = find_place(phrase)
    return Location(place, match[0]) if place and (place.city or "," not in phrase) else None


def _adjective(headline: Headline, company: str | None) -> Location | None:
    if headline.side != "company":
        return None
    words = headline.subject.split()
    for word in words[:1]:
        country = country_of_adjective(word)
        if country and company and not company.startswith(word):
            return Location(Place(None, country), headline.plain)
    return None


def _nation(text: Text, company: str | None) -> Location | None:
    """ "the French startup" in a sentence on the company near the top."""
    for sentence in text.news[:8]:
        if not company or (company.lower() not in sentence.lower() and not sentence.startswith("The ")):
            continue
        for match in _NATION_COMPANY.finditer(sentence):
            country = country_of_adjective(match["nation"])
            if country and not _INVESTOR_NEAR.search(sentence, match.start(), match.end() + 25):
                return Location(Place(None, country), sentence)
    return None


def _up_to_second_comma(phrase: str) -> str:
    return ",".join(phrase.split(",")[:2])


_CAP = r"[A-ZÀ-Þ][\w.'’À-ÿ]*"
_KIND = (
    r"(?:start-?up|company|laboratory|lab|maker|developer|manufacturer|platform|studio|scale-?up|biotech"
    r"|fintech|\w+tech|software firm|(?<!investment )(?<!equity )(?<!capital )(?<!venture )firm|brand|retailer|provider|unicorn"
    r"|outfit)"
)
_OWNER_BEFORE = gated(rf"(?P<place>{_CAP}(?:[\s\-]{_CAP}){{0,2}})['’]s\s(?:[\w\-]+\s){{0,4}}$")
_ABOUT = re.compile(r"^about\s(?P<the>the\s)?", re.I | re.M)
_X_BASED = gated(
    rf"(?P<place>(?:{_CAP}(?:[ \-](?=[A-Z]))?\s?){{1,4}}(?:,\s(?:[A-Z][a-z]{{1,5}}\.|[A-Z]\.[A-Z]\."
    rf"|{_CAP}(?:\s{_CAP})?))?)[\s\-–](?:[Bb]ased|[Hh]eadquartered)\b"
)
_LOCATION_BASED = gated(
    rf"\b(?:[Bb]ased|[Hh]eadquartered|[Ll]ocated) (?:in"
    rf"|out of) (?:the )?(?P<place>{_CAP}(?:[\s\-]{_CAP}){{0,3}}(?:,\s(?:[A-Z][a-z]{{1,5}}\.|[A-Z]\.[A-Z]\."
    rf"|{_CAP}(?:\s{_CAP})?))?)"
)
# "a Nashville start-up", "the Toronto company behind …"; "a start-up from Miami"
_CITY_COMPANY = gated(
    rf"\b(?:[Aa]n?|[Tt]he"
    rf"|[Tt]his)\s(?:(?P<place>{_CAP}(?:\s{_CAP}){{0,2}}(?:,\s[A-Z][A-Za-z.]{{1,14}})?),?\s(?:[a-z][\w\-]*\s){{0,3}}?"
    rf"{_KIND}\b(?!,? (?:led|invested))"
    rf"|(?:[a-z][\w\-]*\s){{0,3}}?{_KIND}\s(?:from|of|in)\s(?P<from>{_CAP}(?:[\s\-]{_CAP}){{0,2}}(?:,\s{_CAP}(?:\s{_CAP})?)?))"
)
_BEGINS_WITH_CITY = gated(rf"(?P<place>{_CAP}(?:\s{_CAP}){{0,2}})(?:\s[a-z][\w\-]*){{1,4}}\s$")
_NATION_COMPANY = gated(
    rf"(?:^|\b[Aa]n?\s|\b[Tt]he\s|\b[Tt]his\s)(?P<nation>{_CAP})\s(?:[a-z][\w\-]*\s){{0,3}}?(?:{_KIND}|(?:co-)?founders?\b)"
)
_BASED_IN = gated(
    rf"\b(?:(?:[Hh]eadquartered|[Bb]ased|HQ['’]?ed|[Ll]ocated)(?: in| out of| at)|[Hh]eadquarters (?:in"
    rf"|is in|are in)|spin-?o(?:ut|ff) (?:from|of) \w+ in|[Ff]ounded (?:\w+ ){{0,2}}?in) (?:downtown "
    rf"|the )?(?P<place>{_CAP}(?:[\s\-]{_CAP}){{0,3}}(?:\s?[,–—-]\s?(?:[A-Z][a-z]{{1,5}}\.|[A-Z]\.[A-Z]\.?"
    rf"|{_CAP}(?:\s{_CAP}){{0,2}}))?)"
)
_THE = re.compile(r"^The\s(?!Hague\b|Woodlands\b|Colony\b|Villages\b|Valley\b)")
_BESIDE = gated(
    rf"(?:,?\s(?:Inc|Ltd|Corp|Co|SAS|SA|GmbH|AG|BV|LLC|AB|ApS|Oy|Limited|plc|PLC|S\.A)\.?)?"
    rf"(?:\s\((?P<bracket>{_CAP}(?:[\s\-]{_CAP}){{0,3}}(?:,\s(?:[A-Z]\.[A-Z]\.|{_CAP}(?:\s{_CAP}){{0,2}}))?)\)"
    rf"|,?\s(?:of|from)\s(?P<of>{_CAP}(?:[\s\-]{_CAP}){{0,3}}(?:,\s(?:[A-Z]\.[A-Z]\.|{_CAP}(?:\s{_CAP})?))?),\s)"
)
_NATION_BESIDE = gated(rf"(?:\s\([^)]{{1,40}}\))?,\s(?:an?|the)\s(?P<nation>{_CAP}(?:\s{_CAP})?)(?=\s[a-z])")
_OF_INVESTOR = gated(
    r"\s(?:(?:early|seed|growth|impact|global|leading|deep)[\s\-]?(?:stage|tech)?\s)*(?:venture|vc|fund"
    r"|investor|private equity|investment|family office|accelerator|angel|firm\s[A-Z])",
    re.I,
)
# "the New York-based CFO of …" is about a person, who may sit on a board or in another company.
_OF_PERSON = gated(
    r"\s(?:[a-z\-]+\s){0,2}(?:C[A-Z]O|[Cc]hief|[Pp]resident|[Dd]irector|[Mm]anager|[Pp]artner|[Ee]xecutive|[Ee]ntrepreneur)\b"
)
_OF_COMPANY = gated(rf"\s(?:[\w\-]+\s){{0,3}}{_KIND}\b")
_AMONG_BACKERS = gated(r"\b(?:backers?|investors?|led by|backed by|participation (?:from|of|by))\b[^.]*$")
_PERSON_NEAR = gated(
    r"\b(?:(?:wo)?man|engineer|patient|customer|client|user|farmer|doctor|someone|who (?:is|was|lives))\b[^.;]{0,25}$", re.I
)
_INVESTOR_NEAR = gated(r"\b(?:venture|capital|fund|investor|vc|partners)\b", re.I)
_SELF = gated(r"(?:Based|Headquartered|The (?:company|startup|firm|platform)|It is|With headquarters|Founded|We are)\b")
_DATELINE = gated(
    r"\s*(?P<place>(?:[A-ZÀ-Þ][\w.'’À-ÿ]*(?:[\s\-][A-ZÀ-Þ][\w.'’À-ÿ]*){0,3})(?:,\s(?:[A-Z][\w.]+(?:\s[A-Z]"
    r"\w+){0,2})){0,2}(?:\s(?:and|&|/)\s[A-Z][\w.,\s]{2,40}?)?)"
    r"\s?(?:,\s|\s)?(?:[–—-]{1,2}|//|\(|:|\||[,\s]\s?(?:\d{1,2}\s)?(?:(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov"
    r"|Dec)[a-z]*\.?\s\d{1,4}))"
)
_DATED = gated(
    r"[A-ZÀ-Þ][\w.,\s'’À-ÿ\-]{2,50}?[,\s(–—-]\s?(?:\d{1,2}\s)?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov"
    r"|Dec)[a-z]*\.?\s\d{1,4}"
)
# "The Porto startup employs 40", "The Porto-based company": such a beginning speaks of the company.
_THE_CITY_COMPANY = gated(
    rf"(?:The|This)\s(?P<place>{_CAP}(?:[\s\-](?!based\b|headquartered\b){_CAP}){{0,2}})(?:[\s\-](?:based|headquartered))?,?"
    rf"\s(?:[a-z][\w\-]*\s){{0,3}}?{_KIND}\b(?!,? (?:led|invested))"
)

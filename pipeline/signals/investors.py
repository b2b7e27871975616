"""Who put the money in: leads, others, and persons (angels), with the descriptors around their names stripped."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pipeline.signals.cues import ROUND_NAME
from pipeline.signals.headline import Headline
from pipeline.signals.model import Investor
from pipeline.signals.text import Text
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

    def investors(self) -> list[Investor]:
        """Leads first, then the others."""
        found = [Investor(name, True, self.types.get(name)) for name in self.leads]
        return found + [Investor(name, False, self.types.get(name)) for name in self.others if name not in self.leads]


def find_backers(text: Text, headline: Headline, company: str | None) -> Backers:
    """Investors of the round that the text announces. Past rounds' sentences are left out."""
    backers = Backers()
    _read_title(backers, headline, company)
    near = -1
    for index, sentence in enumerate(text.news[:DEEPEST_SENTENCE]):
        if not _HINT.search(sentence) or _PAST_ROUND.search(sentence):
            continue
        if index > 20 and near >= 0 and index - near > 12:
            break
        if _read_sentence(backers, sentence, company):
            near = index
    return _settled(backers)


def _read_title(backers: Backers, headline: Headline, company: str | None) -> None:
    title = headline.plain
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
        return
    if headline.side == "none" and not headline.round_name:
        return
    led = _LED_BY.search(title)
    if led:
        _add(backers, "leads", led["names"], title, "title", company)
    source = _FROM.search(title, led.end() if led else 0)
    if source and not led:
        names = parse_names(source["names"])
        kind = "leads" if len(names) == 1 and not _AND_OTHERS.search(source["names"]) else "others"
        _add(backers, kind, source["names"], title, "title", company)


def _read_sentence(backers: Backers, sentence: str, company: str | None) -> bool:
    found = False
    for pattern in _LEAD_PATTERNS:
        for match in pattern.finditer(sentence):
            found |= _add(backers, "leads", match["names"], sentence, "body", company)
    for pattern in _OTHER_PATTERNS:
        for match in pattern.finditer(sentence):
            found |= _add(backers, "others", match["names"], sentence, "body", company)
    for match in _ANGELS.finditer(sentence):
        found |= _add(backers, "angels", match["names"], sentence, "body", company)
    return found


def _add(backers: Backers, kind: str, phrase: str, sentence: str, origin: str, company: str | None) -> bool:
    """Put the names of ``phrase`` where they belong; the part behind "angels including" holds persons."""
    funds, persons = phrase, ""
    split = _ANGEL_PART.search(phrase)
    if split and kind != "angels":
        funds, persons = phrase[: split.start()], phrase[split.end() :]
    elif kind == "angels":
        funds, persons = "", phrase
    added = False
    for part, target in ((funds, getattr(backers, kind)), (persons, backers.angels)):
        for name, described in parse_described(part):
            if company and _fold(name) == _fold(company):
                continue
            place = target
            if target is not backers.leads and (target is backers.angels) != looks_like_person(name):
                place = backers.angels if looks_like_person(name) else backers.others
            if target is backers.angels and described:
                place = backers.angels
            if name not in place:
                place.append(name)
                added = True
            backers.sources.setdefault(name, (sentence, origin))
            if kind_of := investor_type(name, described):
                backers.types.setdefault(name, kind_of)
    return added


def _settled(backers: Backers) -> Backers:
    """One spelling per investor (the longest), a lead is no mere other, nobody invests in itself."""
    backers.leads = _distinct(backers.leads)
    backers.others = [name for name in _distinct(backers.others) if not any(_alike(name, lead) for lead in backers.leads)]
    known = backers.leads + backers.others
    backers.angels = [name for name in _distinct(backers.angels) if not any(_alike(name, other) for other in known)][
        :MOST_INVESTORS
    ]
    backers.others = backers.others[:MOST_INVESTORS]
    return backers


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
    plain = _BRACKETS.sub(" ", phrase)
    plain = _APPOSITION.sub(",", plain)
    for item in _SEPARATOR.split(plain):
        if len(found) >= MOST_INVESTORS:
            break
        name, descriptor = _strip_descriptor(item)
        if name and name not in (known for known, _ in found):
            found.append((name, descriptor))
    return found


def _strip_descriptor(item: str) -> tuple[str | None, str]:
    text = item.strip(" .,;:–—-\"“”'’")
    descriptor = ""
    while True:
        match = _DESCRIPTOR.match(text)
        if not match or match.end() == len(text):
            break
        descriptor = f"{descriptor} {match[0]}".strip()
        text = text[match.end() :].strip(" .,;:–—-")
    run = _PROPER.match(text)
    if not run:
        # "a group of founders", "two undisclosed funds": a description with no name; but "investor Jane Doe" has one.
        tail = _PROPER_TAIL.search(text)
        if not tail or len(text[: tail.start()].split()) > 6 or _NOT_A_NAME_BEFORE.search(text[: tail.start()]):
            return None, descriptor
        descriptor = f"{descriptor} {text[: tail.start()]}".strip()
        run = _PROPER.match(text[tail.start() :])
        if not run:
            return None, descriptor
    name = _TAIL.sub("", _POSSESSIVE.sub("", run[0].strip(" .,;:–—-'’"))).strip(" ,.")
    if len(name) < 2 or name.lower() in word_list("not_investors") or _GENERIC.fullmatch(name) or ROUND_NAME.fullmatch(name):
        return None, descriptor
    return name, descriptor


def looks_like_person(name: str) -> bool:
    """Two or three capitalised words without a fund's or company's word among them, the first a given name we know."""
    words = name.split()
    if not 2 <= len(words) <= 4 or _ORGANIZATION.search(name):
        return False
    return words[0].lower().rstrip(".") in word_list("given_names") or bool(re.match(r"(?:Dr|Mr|Ms|Mrs|Sir|Prof)\b", words[0]))


def investor_type(name: str, descriptor: str) -> str | None:
    """The investor's kind where name or descriptor says it (spec signalbase: vc, angel, pe, corporate, …)."""
    stated = f"{descriptor} {name}".lower()
    for kind, pattern in _TYPES:
        if pattern.search(stated):
            return kind
    return None


def _fold(name: str) -> str:
    return re.sub(r"[^\w]+", " ", name.lower()).strip()


_W = r"[\w.&'’+\-/]*"
_PROPER = re.compile(
    rf"(?:[A-Z0-9]{_W}|[a-z]+[A-Z]{_W}|[a-z]\d+[a-z]\b|e\.\w+|imec\.\w+|\w+\.(?:vc|ventures|capital|com|io|xyz|fund|co)\b)"
    rf"(?:\s(?:(?:of|the|de|du|la|for|and the|&|x|\+|von|van|in|by)\s)?(?:[A-Z0-9]{_W}|[a-z]+[A-Z]{_W}"
    rf"|fund\b|group\b|ventures\b|capital\b|\|))*"
)
_PROPER_TAIL = re.compile(rf"(?<![\w])[A-Z0-9]{_W}(?:\s(?:(?:of|the|de|&|x)\s)?[A-Z0-9]{_W})*$")
_NOT_A_NAME_BEFORE = re.compile(
    r"\b(?:to|will|by|at|that|for|in|with|as|the company|round|is|was|are|has|from|executives|founders|employees|leaders)\b",
    re.I,
)
_BRACKETS = re.compile(r"\s?\([^)]{0,120}\)|\s?\[[^\]]{0,80}\]|[®™]")
# ", the venture arm of X," and ", a New York-based fund," say what the name before is.
_APPOSITION = re.compile(
    r",\s(?:the|an?|which|who|whose|one of|formerly|part of|known|led by|managed by|owned by|based"
    r"|both)\s[^,]{2,140}?(?=,|$|\sand\s(?:[A-Z]|participation|existing|other)|\sas well as|\salong with"
    r"|;)",
    re.I,
)
_SEPARATOR = re.compile(
    r"\s*(?:[;、/•|]|,\s+(?:and|&|as well as|plus|including|with|alongside)\s+|,(?!\s?(?:Inc|LLC|Ltd|LP"
    r"|L\.P|Co)\b)\s*|\s+(?:and|as well as|along with|together with|alongside|plus|including|besides"
    r"|with(?: the)? participation (?:from|of|by)|joined by|followed by|with (?:additional"
    r"|follow-on) (?:support|participation|investment) from)\s+"
    r"|\s+&\s+(?=[A-Z][\w]+\s(?:Ventures|Capital|Partners)))\s*",
    re.I,
)
_DESCRIPTOR = re.compile(
    r"(?:(?:and|both|also|from|by|of|at|the(?!\s[A-Z]\w+\s(?:Fund|Company|Group|House))|an?|its|their|our"
    r"|new|existing|current|previous|prior|returning|early|early[- ]stage|seed|lead|co-lead|leading|other"
    r"|several|various|prominent|notable|noted|renowned|major|top|global|international|local|institutional"
    r"|strategic|private|family|"
    r"fellow|additional|first-time|long-?time|repeat|original|long-standing|well-known|high-profile|key"
    r"|participating|follow-on|insider|inside|all|some|many|high[- ]net[- ]worth|world-class|top-tier"
    r"|tier-one|blue-chip|corporate|"
    r"backers?|investors?|shareholders?|supporters?|partners?(?=\s[A-Z])|angels?|angel investors?|vcs?"
    r"|vc (?:firms?|funds?|giants?)|venture(?: capital)? (?:firms?|funds?|investors?|arm|capitalists?)"
    r"|venture capital(?=\s[A-Z])|firms?|funds?(?=\s[A-Z])|private equity(?: firms?| investor)?"
    r"|growth equity (?:firms?|investor)|accelerators?|incubators?|family offices?|syndicates?|"
    r"investment (?:firms?|companies|company|funds?|banks?|giants?|arm)|asset managers?|hedge funds?"
    r"|companies|company|giants?|conglomerates?|fund(?=\s[A-Z])|studio|startup studio|group(?=\s[A-Z])"
    r"|participation|investments?|support|contributions?|backing|funding|capital(?=\s(?:from|by))"
    r"|involvement|commitments?|cheques?|checks?|"
    r"entrepreneurs?|serial entrepreneurs?|founders?(?=\s[A-Z])|co-?founders?(?=\s[A-Z])"
    r"|executives?(?=\s[A-Z])|ceos?(?=\s[A-Z])|former|ex-?\w*|billionaires?|individuals?|businessm[ae]n"
    r"|tech|technology|fintech|healthcare|crypto|web3|climate|impact|deep[- ]?tech|sector|industry|like"
    r"|such as|namely|including|include|includes|were|was|is|are|among others|others|alongside|with"
    r"|through|via|together with|:"
    r"|[A-Z][\w.]+(?:\s[A-Z]\w+)?-(?:based|backed|headquartered|focused|led)|\w+-(?:focused|based|backed"
    r"|stage|led|oriented|driven|owned|listed)"
    r"|(?:U\.?S\.?|U\.?K\.?|EU|European|American|British|French|German|Spanish|Italian|Dutch|Swiss|Swedish"
    r"|Danish|Norwegian|Finnish|Israeli|Indian|Chinese|Japanese|Korean|Canadian|Australian|Silicon Valley"
    r"|Singaporean|Brazilian|Nordic|Polish|Austrian|Belgian)(?=\s(?:[a-z]|VC|fund|investor)))"
    r"(?:['’]s)?\s+)"
)
_TAIL = re.compile(
    r"\s+(?:Series|Seed|round|also|participat\w+|invest(?:ed|ing|s)?|joined|The|This|In|With|And|Existing"
    r"|New|To|At|For|On|Today|Said|Says|Among)$|,?\s+(?:Inc|LLC|Ltd|LP|L\.P|Corp|GmbH|AG|PLC|Limited|Pte"
    r"|S\.A)\.?$",
    re.I,
)
_POSSESSIVE = re.compile(r"['’]s?$")
_GENERIC = re.compile(
    r"(?:(?:angel|angels|investors?|others?|vcs?|funds?|partners?|executives?|founders?|series|seed|round"
    r"|the|this|it|company|ceo|cto|cfo|coo|co-founder|founder|q[1-4]|us|uk|u\.s|europe|asia|africa|india"
    r"|north america|"
    r"group|board|director|chairman|president|managing|general|senior|strategic|investments?|funding"
    r"|silicon valley|web3|ai|saas|vc|management|team|\d[\d.,]*\w{0,3}|january|february|march|april|may"
    r"|june|july|august|september|october|november|december)\s?)+",
    re.I,
)
_ORGANIZATION = re.compile(
    r"\b(?:ventures?|capital|partners?|funds?|group|holdings?|labs?|vc|investments?|equity|angels?|bank"
    r"|inc|llc|ltd|lp|corp|company|co|management|advisors?|network|accelerator|university|foundation"
    r"|digital|technologies|global|international|media|studios?|office|trust|associates|club|x|dao"
    r"|protocol|finance|financial|research|securities|asset|assets|growth|seed|impact|insurance|pharma"
    r"|health|energy|systems|motors|industries|collective|syndicate|incubator|institute|ventures)\b|&|\d"
    r"|\.\w",
    re.I,
)
_TYPES = (
    ("angel", re.compile(r"\bangels?\b(?! (?:network|fund))|\bbusiness angel")),
    ("family_office", re.compile(r"\bfamily office\b|\bfamily trust\b")),
    ("hedge_fund", re.compile(r"\bhedge fund")),
    ("accelerator", re.compile(r"\baccelerators?\b|\bincubator|\by combinator\b|\btechstars\b")),
    ("pe", re.compile(r"\bprivate equity|\bgrowth equity|\bbuyout")),
    ("government", re.compile(r"\bgovernment|\bministry|\bstate fund|\bsovereign|\bpublic fund")),
    ("crowdfunding", re.compile(r"\bcrowd")),
    ("corporate", re.compile(r"\bcorporate\b|\bventure arm|\binvestment arm|\bcvc\b")),
    ("vc", re.compile(r"\bventures?\b|\bvcs?\b|\bcapital\b")),
)
_STOP = (
    r"(?=[.;](?:\s|$)|$|,?\s(?:to\s(?:accelerate|expand|scale|grow|build|support|fuel|help|develop"
    r"|continue|further|drive|bring|power|launch|fund|advance|enable|increase|boost|create|make|transform"
    r"|improve|hire|strengthen|deliver|revolutionize|democrati[sz]e)\b|bringing|which (?:will|brings|has"
    r"|is|comes|was)|who (?:will|also)|that (?:will|also|brings)|will\b|and (?:is|was|will|has|includes?d?"
    r"|brings|comes|follows|plans|the company)\b|valuing|at an?\s|for an?\s(?:total|undisclosed)"
    r"|in\s(?:an?|its|the|this|what)\s|on\s(?:the|\w+day)\b|after\b|amid\b|as (?:it|the company|part of)\b"
    r"|just\b|since\b|while\b|when\b|is (?:set|aimed|expected)|has (?:also|now)|said\b|says\b|told\b"
    r"|according to|– |— |have (?:also|all)|were\b|was\b|are\b|is\b|\bat \$|\bvaluation\b"
    r"|(?:also\s)?participat(?:ed|ing)|(?:also\s)?(?:joined|invested)|with the\s(?!participation)"
    r"|the (?:round|funding|investment|company|capital|new)\b))"
)
_NAMES = rf"(?P<names>[^.;]*?(?:\.(?=\w|,|\s?[a-z&])[^.;]*?)*?){_STOP}"
_LED_BY = re.compile(
    rf"\b(?:(?:co-?|jointly )?led(?: jointly| again| once again)? by|headed by|spearheaded by|anchored by"
    rf"|with lead (?:investor|investment from))(?::)?\s{_NAMES}",
    re.I,
)
_FROM = re.compile(
    rf"\b(?:from|by)\s(?!(?:the\s)?(?:mobile|scratch|home|stealth|\d|former\syc))(?P<names>[A-Z0-9][^.;]*?){_STOP}"
)
_AND_OTHERS = re.compile(r"\b(?:and (?:more|others|other)|others)\b", re.I)
_BEFORE = r"(?:^|(?<=[,;:]\s)|(?<=\bthat\s)|(?<=\bwhile\s)|(?<=\bwith\s)|(?<=\band\s))"
_LEAD_PATTERNS = (
    _LED_BY,
    re.compile(
        rf"{_BEFORE}(?P<names>(?:[A-Z][^.;]{{1,140}}?|a16z|b2venture))(?:,\s[^,.]{{3,90}},)?\s(?:has |have "
        rf"|will |also |jointly )?(?:co-?led|led|co-?leads|leads|spearheaded|anchored)\s(?:the|this|a|its|our"
        rf"|their)\s(?:[\w$€£.\-–+]+\s){{0,6}}?(?:round|funding|financing|investment|raise|deal|seed|series)",
        0,
    ),
    re.compile(
        rf"\blead(?:ing)? investors?(?: in the round)?(?:,| (?:is|was|were|are|include|includes"
        rf"|being))?\s(?P<names>[A-Z][^.;]*?){_STOP}"
    ),
    re.compile(
        r"\b(?:round|funding|financing|investment),?\s(?:which (?:is|was)\s)?(?:was "
        r"|is )?(?:being )?led by\s(?P<names>[A-Z][^.;]*)",
        0,
    ),
)
_OTHER_PATTERNS = (
    re.compile(
        rf"\b(?:with|saw|includ\w+|alongside|had|and|as well as|also)\s(?:(?:additional|the|strong|further"
        rf"|significant|continued|active|some|major|follow-on|existing)\s)*(?:participation|support"
        rf"|investments?|contributions?|backing|involvement|commitments?)\s(?:also\s)?(?:came\s"
        rf"|coming\s)?(?:from|by|of)\s{_NAMES}",
        re.I,
    ),
    re.compile(rf"\bparticipation (?:from|of|by)\s{_NAMES}", re.I),
    re.compile(
        rf"\b(?:(?:other|additional|new|existing|participating|notable|key|major|current|our|its"
        rf"|the)\s)*(?:investors?|backers?|participants|supporters)(?: in (?:the"
        rf"|this) (?:\w+ )?round)?(?: also)?,?\s(?:include|included|includes|including|such as|like|were"
        rf"|are)\s(?:in the round were\s)?{_NAMES}",
        re.I,
    ),
    re.compile(
        rf"\b(?:round|funding|financing|investment|raise)\s(?:also\s)?(?:included|includes|include|featured"
        rf"|features|drew|attracted|involved|brings? together|welcomed)\s(?:(?:notable|new|significant"
        rf"|additional)\s)*(?:investments?\sfrom\s|participation\sfrom\s|participation\sof\s)?{_NAMES}",
        re.I,
    ),
    re.compile(
        rf"\b(?:round|funding|financing|investment|raise|million|seed"
        rf"|capital)\s(?:\w+\s){{0,2}}?from\s(?P<names>(?:(?:existing|new|investors?|angel|leading|both|the"
        rf"|venture|strategic|VC|VCs|backers|firms?|a|group|of|by|like|as|such)\s)*(?:[A-Z0-9]"
        rf"|a16z)[^.;]*?){_STOP}"
    ),
    re.compile(
        rf"\b(?:joined by|were joined by|joined in the round by|alongside|along with|together with|backed by"
        rf"|supported by)\s(?P<names>(?:(?:existing|new|investors?|angel|leading|both|the|fellow|other"
        rf"|returning|participating|strategic)\s)*[A-Z0-9][^.;]*?){_STOP}"
    ),
    re.compile(
        r"(?:^|(?<=[,;:]\s)|(?<=\bwith\s)|(?<=\bby\s)|(?<=\bwhile\s)|(?<=\band\s))(?P<names>(?:(?:Existing"
        r"|Existing investors?|New investors?|Other investors|Previous investors?|Current investors?"
        r"|Returning investors?|Investors|existing investors?|existing backers?|new investors?"
        r"|Angel investors?)\s?(?:including\s|such as\s|like\s)?)?[A-Z][^.;]{2,260}?)(?:,)?\s(?:have\s|has\s"
        r"|all\s|both\s)?(?:also\s)?(?:participat(?:ed|ing)\b|joined (?:in )?(?:the|this) (?:\w+ )?(?:round"
        r"|financing|funding)|joined as|took part|contributed to the|also (?:joined|invested|backed"
        r"|contributed|put))"
    ),
    re.compile(rf"\binvestments? (?:from|by|of)\s(?P<names>(?:\w+\s){{0,4}}?[A-Z0-9][^.;]*?){_STOP}"),
)
_ANGELS = re.compile(
    rf"\b(?:(?:strategic|notable|individual|prominent|several|leading|renowned|number of|including|and"
    rf"|other|of)\s)*(?:angel investors?|angels|business angels|individual investors"
    rf"|individuals)(?:,)?\s(?:include|included|including|such as|like|namely|are|were|featuring)\s{_NAMES}",
    re.I,
)
_ANGEL_PART = re.compile(
    r"(?:,|\band|\bas well as|\balong with|\bplus|\balongside|\bincluding)?\s*(?:(?:several|strategic"
    r"|notable|prominent|a number of|a group of|leading|various|other|individual|some|renowned|industry"
    r"|tech|a host of|other notable|well-known|key)\s){0,3}(?:angel investors?|angels|business angels"
    r"|individual investors|individuals|executives and founders|founders and executives"
    r"|angel backers)(?:\s(?:including|such as|like|include|namely|from|are|were|among(?:st)? (?:them"
    r"|others)))?\s?:?\s",
    re.I,
)
_HINT = re.compile(
    r"\b(?:led|leads?|investors?|backers?|participat\w+|joined|invest(?:ed|ment|ments)|backed|backing"
    r"|support(?:ed)?|funding|round|raise[ds]?|angels?|financing|seed|series)\b",
    re.I,
)
_PAST_ROUND = re.compile(
    r"\b(?:previous(?:ly)? (?:\w+ ){0,3}(?:round|raised|funding|seed|series|led|backed|invested)"
    r"|prior (?:round|funding)|earlier (?:round|funding)|(?:raised|round|funding|seed"
    r"|series [a-h])[^.]{0,60}\b(?:in (?:\w+ )?20[012]\d|last year|\w+ (?:years|months) ago)"
    r"|has also (?:invested|backed)|portfolio (?:includes|companies)|other investments include"
    r"|past investments)",
    re.I,
)

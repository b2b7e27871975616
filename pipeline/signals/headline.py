"""The grammar of a headline: who does what to which money. Company and detection both stand on it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.signals.cues import INVEST_VERB, RAISE_VERB, ROUND_NAME
from pipeline.signals.gated import gated
from pipeline.signals.money import Money, find_money
from pipeline.signals.money_cues import MONEY_GOES_OUT


@dataclass(frozen=True, slots=True)
class Headline:
    """A headline taken apart.

    ``plain`` is the title without tags such as "[Funding alert]" or "Exclusive:". ``subject`` and ``rest`` are what
    stands before and after ``verb``. ``side`` is company ("Acme raises …", "Acme doubles down with $6M round"),
    investor ("Fund leads … in Acme"), nominal ("Acme's $6M round …", "$6M for Acme") or none.
    """

    plain: str
    side: str
    subject: str
    verb: str
    rest: str
    monies: tuple[Money, ...]
    round_name: str | None

    @property
    def money_after_verb(self) -> Money | None:
        """The first amount in ``rest``, where money news has it."""
        start = len(self.plain) - len(self.rest)
        return next((money for money in self.monies if money.start >= start), None) if self.verb else None


def parse_headline(title: str) -> Headline:
    """The parts of ``title``. Total: a title that is no money news has side "none"."""
    plain = _PRESENTED.sub("", strip_tags(title))
    if _JOURNEY.match(plain):
        plain = plain[4:]  # "How Acme went from … to a $40M Series B": a feature on the round, no how-to
    monies = tuple(find_money(plain))
    round_match = ROUND_NAME.search(plain)
    name = round_match[0].strip() if round_match else None
    raise_verb = _money_verb(plain, monies, round_match)
    if raise_verb and _OWNED_ROUND.search(plain, 0, raise_verb.start()):
        raise_verb = None  # "Acme's $22M Series B brings its value to …": the round is the subject, its owner the company
    invest_verb = _invest_verb(plain)
    if not raise_verb and not invest_verb:
        raise_verb = _any_verb(plain, monies, round_match)
    if invest_verb and (raise_verb is None or invest_verb.start() <= raise_verb.start()):
        return _parts(plain, "investor", invest_verb, monies, name)
    if raise_verb:
        return _parts(plain, "company", raise_verb, monies, name)
    return _without_verb(plain, monies, name)


def _without_verb(plain: str, monies: tuple[Money, ...], name: str | None) -> Headline:
    """The forms of money news in which no verb has the money as its object."""
    backed = _BACKED_BY.match(plain)
    if backed and monies:
        return Headline(plain, "company", backed["subject"], backed["verb"], plain[backed.end("verb") :], monies, name)
    possessive = _POSSESSIVE_MONEY.match(plain)
    if possessive:
        return Headline(plain, "nominal", possessive["subject"], "", plain[possessive.end("subject") :], monies, name)
    opening = _WITH_MONEY_FIRST.match(plain)
    if opening and monies:
        return Headline(plain, "nominal", plain[opening.end() :], "", plain[: opening.end()], monies, name)
    given = _MONEY_FOR.match(plain)
    if given and monies and monies[0].start <= 40:
        return Headline(plain, "nominal", given["subject"], "", plain[: given.start("subject")], monies, name)
    ending = (
        _WITH_MONEY_LAST.search(plain)
        or _WITH_FRESH_MONEY.search(plain)
        or _VALUED_AFTER.search(plain)
        or _TO_ROUND.search(plain)
    )
    if ending and monies and ending.start() > 0:
        return Headline(
            plain, "company", plain[: ending.start()].strip(" ,–—-:"), ending[0], plain[ending.end() :], monies, name
        )
    valued = _VALUED_IN.search(plain)
    if valued and name:
        return Headline(plain, "nominal", plain[: valued.start()], "", plain[valued.start() :], monies, name)
    colon = _COLON_MONEY.match(plain)
    if colon and monies:
        return Headline(plain, "nominal", colon["subject"], "", plain[colon.end("subject") :], monies, name)
    return Headline(plain, "none", "", "", "", monies, name)


def strip_tags(title: str) -> str:
    """``title`` without bracketed tags and labels at its head, and without the outlet's name at its end."""
    plain = title.strip()
    while True:
        shorter = _TAG.sub("", plain, count=1).strip()
        if shorter == plain or not shorter:
            return _OUTLET.sub("", plain).strip() or plain
        plain = shorter


def _parts(plain: str, side: str, verb: re.Match[str], monies: tuple[Money, ...], name: str | None) -> Headline:
    return Headline(plain, side, plain[: verb.start()].strip(" ,–—-:"), verb[0], plain[verb.end() :], monies, name)


def _money_verb(plain: str, monies: tuple[Money, ...], round_match: re.Match[str] | None) -> re.Match[str] | None:
    """The verb that has the money or the round as its object: the nearest before it, not at the very beginning."""
    targets = [money.start for money in monies]
    if round_match:
        targets.append(round_match.start())
    for verb in RAISE_VERB.finditer(plain):
        if verb.start() == 0:
            continue
        reach = _REACH_OF_RAISE if _RAISE.match(verb[0]) else _REACH
        if any(0 <= target - verb.end() <= reach for target in targets) or (
            _RAISE.match(verb[0]) and _MONEY_OBJECT.search(plain[verb.end() : verb.end() + 60])
        ):
            return verb
        if _OBJECT_OF_GENERIC.match(plain[verb.end() :]):
            return verb
    return None


def _any_verb(plain: str, monies: tuple[Money, ...], round_match: re.Match[str] | None) -> re.Match[str] | None:
    """Headlines invent verbs ("grinds out a $2M seed round", "mops up $2M"): a finite one right before the money or the round.

    Verbs by which money goes out or is earned ("pays", "spends", "hits") are none of them.
    """
    targets = [money.start for money in monies[:1]]
    if round_match:
        targets += [money.start for money in monies[1:] if 0 <= round_match.start() - money.end + 1 <= _REACH]
        targets.append(round_match.start() + len(round_match[0]) - len(round_match[0].lstrip()))
    for target in targets:
        found = _FINITE.search(plain, 0, target)
        if not found:
            found = _PEOPLE_DO.search(plain, 0, target)
            found = found if found and _PEOPLE.search(plain, 0, found.start()) else None
        if found and found.start() > 0 and found.end() == target and not MONEY_GOES_OUT.match(found[0]):
            if plain[: found.start()].rstrip().endswith(("'s", "’s")):
                continue  # "Acme's oversubscribed $6M": no verb follows an owner
            return found
    return None


def _invest_verb(plain: str) -> re.Match[str] | None:
    for verb in INVEST_VERB.finditer(plain):
        if verb.start() > 0 and _INVESTS_IN.match(plain[verb.start() :]):
            before = plain[: verb.start()]
            if _OWNED_ROUND.search(before):
                continue  # "Acme's oversubscribed series C backs a candidate": no investor's doing
            if _PLURAL_VERB.fullmatch(verb[0]) and (before.endswith(" to ") or not _PLURAL_SUBJECT.search(before)):
                continue
            return verb
    return None


_FINITE = gated(
    r"(?<=\s)[A-Za-z]{2,}(?:s|ed)(?:\s(?:up|in|out|down|away|on|home))?\s(?:(?:an?|another|over|its|the|up to|nearly|fresh)\s)*$",
    re.I,
)
# "Three doctors land $2M for Acme": people are many, and their verbs have no ending.
_PEOPLE_DO = gated(
    r"(?<=\s)(?:raise|land|secure|bag|nab|net|get|grab|score|snag|close|win|collect|find|pick up|pull in|bank)\s"
    r"(?:(?:an?|another|over|its|the|up to|nearly|fresh)\s)*$",
    re.I,
)
_PEOPLE = gated(
    r"\b(?:founders|engineers|veterans|alumni|alums|researchers|brothers|sisters|students|scientists|employees|executives|execs"
    r"|professors|graduates|grads|dropouts|friends|doctors|nurses|duo|trio)\s$",
    re.I,
)
_REACH, _REACH_OF_RAISE = 45, 80
# "Oldmoor and Peakline back Acme", "Investors pour $6M into Acme": a bare verb needs several subjects.
_PLURAL_VERB = gated(r"(?:co-?)?lead|back|pour|bet|pump|put|join|inject|invest", re.I)
_PLURAL_SUBJECT = gated(
    r",|\band\b|&|\bet al\b|\b(?:[Ii]nvestors|[Aa]ngels|VCs|[Bb]ackers|[Ff]unds|[Ff]ounders|[Gg]iants|[Ff]irms)\s*$"
)
# "With $6M in new funding, Acme …", "Armed with a fresh €6M, Acme …"
_WITH_MONEY_FIRST = gated(
    r"(?:armed with|flush with|fueled by|buoyed by|backed by|powered by|boosted by|with|after raising|having raised|on the back of)"
    r"\s(?:an?\s|its\s|the\s)?[^,]{0,70}?[$€£₹¥\d][^,]{0,60},\s(?=\S)",
    re.I,
)
# "Acme is valued at $1B after raising $60M"
_VALUED_AFTER = gated(
    r"(?<=\s)(?=valued at\b|(?:is now|is|now|hits?|reach\w+|becomes?|turns?|enters?|joins?|doubles?|triples?|quadruples?"
    r"|achieves?|attains?"
    r"|valued)\b.{0,50}"
    r"\b(?:valu\w+|unicorn|worth)\b).{5,80}?\s(?:after|following|as|in)\s(?:raising|securing|closing|an?|its|new|the|fresh"
    r"|(?:(?!the\b|its\b)[\w.’'&\-]+\s){1,4}(?:leads|led|invests|joins|backs)(?:\san?|\sits)?|(?=(?:US)?[$€£₹]\s?\d))\s?",
    re.I,
)
# Acme gets the money that the headline begins with: a "$6M seed round for Acme".
_MONEY_FOR = gated(
    r"(?:(?:fresh|new|big|another|over|more than|nearly|record|series [a-h]|seed)\s)*(?:(?:funding|financing|investment|round|raise"
    r"|boost|injection|seed|series [a-h])(?:\sround)?(?:\s(?:of|worth))?:?\s)?(?:US)?(?:[$€£₹¥]|[A-Z]{2,3}\s?\$?|[A-Z]\$)?"
    r"\s?\d[\d.,]*"
    r"\s?-?[A-Za-z]{0,8}\s(?:(?:in|of|fresh|new)\s)?(?:(?:[\w\-+]+\s){0,3}(?:round|funding|financing|investment|seed|series [a-h]"
    r"|raise|boost|injection|capital)\s)?(?:for|to|into)\s(?P<subject>[^,:;–—]{2,60})",
    re.I,
)
# "Acme valued at $600 million in new round"
_VALUED_IN = gated(r"\s(?:is |was |now |gets |becomes )*(?:valued at|worth)\s", re.I)
# Name, colon, money: "Acme: $6M seed for mills"
_COLON_MONEY = gated(r"(?P<subject>[A-Z0-9][^:,]{1,40}):\s(?:(?:raises|secures)\s)?(?:[$€£₹¥]|US\$|Rs\.?\s?)\s?\d")
# "Acme doubles down on mills with $6M Series B"
_WITH_MONEY_LAST = gated(
    r"\s(?:with|on|via|in|thanks to)\s(?:(?:an?|its|the|another|new|fresh|over|nearly"
    r"|more than|oversubscribed|record|whopping|massive|raising|latest|extra|additional)\s)*(?=(?:(?:US|A|C|S|HK|NZ)?[$€£₹¥]|Rs"
    r"|[A-Z]{3}\s?\d)"
    r"\s?[\d.,]+\S*(?:\s(?:million|billion|crore|cr|mn|bn|m|lakh))?\s(?:(?:in|of)\s)?(?:[\w\-+]+\s){0,3}?"
    r"(?:seed|pre-?seed|series|round|raise|funding|financing|fundraise|investment|capital|backing)\b)",
    re.I,
)
# "Acme cycles on with fresh €6 million"
_WITH_FRESH_MONEY = gated(
    r"\s(?:with|on|thanks to)\s(?:an?\s)?(?:fresh|new|another|extra|additional)\s(?=(?:US|A|C)?[$€£₹¥]\s?[\d.,]+\S*"
    r"(?:\s(?:million|billion|crore|mn|bn|m))?$)"
    # "launches with $60M", "opens its doors with $75 million from Oldmoor"
    r"|\s(?:launch(?:es|ed)?|debuts?|opens (?:its )?doors|breaks cover|kicks off|steps out(?: of stealth)?|gets (?:going|started))"
    r"\swith\s(?=(?:an?\s)?(?:US|A|C)?[$€£₹¥]\s?[\d.,]+\s?(?:million|billion|crore|mn|bn|m|b)\b(?:$|\s(?:from|led|to|for|in)\b))"
    # "charges up with $19 million", "laces up with $3.5M led by Oldmoor"
    r"|\s\w+(?:s|es)\s(?:up|ahead|on|off|in|forward|out)\swith\s(?=(?:US|A|C)?[$€£₹¥]\s?[\d.,]+\S*"
    r"(?:\s(?:million|billion|crore|mn|bn|m))?(?:$|\s(?:co-)?led by\b))",
    re.I,
)
# "Meet Acme, the Berlin startup that just got €6M"
_PRESENTED = re.compile(r"^(?:Meet|Introducing)\s(?=[A-Z0-9][\w.&\-]*(?:\s[A-Z0-9][\w.&\-]*){0,3},\s(?:the|an?)\s)")
_RAISE = gated(r"(?:has )?rais|(?:has )?secur|clos|land|bag|nab|nets|netted|pick|scor|snag|haul|grab|pulls", re.I)
_MONEY_OBJECT = gated(
    r"\b(?:funding|investments?|financing|round|capital|seven[- ]figures?|six[- ]figures?"
    r"|eight[- ]figures?|undisclosed|millions|growth equity|backing|(?:new|fresh|more) (?:money|cash))\b",
    re.I,
)
_OBJECT_OF_GENERIC = gated(
    r"\s(?:new|fresh|more)\s(?:money|cash)\b|\s(?:an?\s|its\s|the\s|new\s|another\s|fresh\s|further\s|major\s"
    r"|completion of\s|closing of\s"
    r"|close of\s|successful\s|first\s|strategic\s|significant\s|undisclosed\s|oversubscribed\s)*"
    r"(?:funding\b|investments?\s(?:from|by)\b|financing\b|backing from\b|strategic investments?\b"
    r"|equity investment|growth investment|minority investment|(?:seed|series|angel) )",
    re.I,
)
# "leads $10M Series A for", "invests $20M in", "backs emerging startup X", "joins $15M seed round for"
_INVESTS_IN = gated(
    r"(?:co-?)?(?:leads?|led|joins?|joined|participates in)\s.{0,60}?\b(?:round|funding|financing|investment"
    r"|series [a-h]|seed)\b.{0,30}?\b(?:for|in|of)\b"
    r"|(?:co-?)?(?:leads?|led|joins?|joined|backs?|backed)\s[^,;:]{1,60}?['’]s?\s[^,;:]{0,40}?"
    r"\b(?:round|funding|financing|raise|seed|series [a-h]|investment)\b"
    r"|(?:co-?)?(?:leads?|led)\s.{0,60}?\b(?:for|in)\s"
    r"|(?:invests|invested|bets|bet)\s.{0,60}?\b(?:in|into|on)\s"
    r"|(?:pours?|poured|puts?|pumps?|pumped|injects?|injected|infuses?|infused|ploughs?|plows?|sinks?|commits)\s(?:(?:up to"
    r"|another|over|nearly|more than"
    r"|about)\s)*(?:[$€£₹¥]|US\$|Rs|\d|millions).{0,40}?\b(?:in|into|on)\s"
    r"|invest\s(?:.{0,30}?\s)?in\s(?=.*\b(?:startup|platform|company)\b)"
    r"|invest\s(?:(?:up to|another|over|nearly|more than|about)\s)*(?:[$€£₹¥]|US\$|Rs|[A-Z]{3}\s?\d).{0,40}?\s(?:in|into)\s"
    r"|(?:backs?|backed|bankrolls?)\s(?!by\b|to\b|in\b|on\b|from\b|up\b|down\b|off\b|and\b|out\b|with\b|at\b|plans?\b|bill\b)"
    r"|(?:makes?|made|announces?|announced|completes?|completed|closes|closed|leads?|led)\s[^,;:]{0,60}?\binvestments?\sin(?:to)?\s"
    r"(?!(?:its|their|his|her|our|new|the|affordable|clean|infrastructure|housing|communit\w+|education|workforce|research"
    r"|schools|hospitals?"
    r"|energy|people|technology|growth|expansion|future)\b)"
    r"|takes?\s.{0,40}?\bstake\sin\s",
    re.I,
)
# "Acme's oversubscribed $6M series C" before a verb: the round is the subject.
_OWNED_ROUND = gated(
    r"['’]s?\s[^,;:]{0,60}?\b(?:round|raise|funding|financing|seed|series [a-h]\S{0,2})\s$",
    re.I,
)
# "Acme is backed by Oldmoor in $6M Series A"
_BACKED_BY = gated(
    r"(?P<subject>.{2,60}?)(?P<verb>\s(?:(?:is|was|gets|has been)\s)?backed)\sby\s.{2,80}?\s(?:in|with)\s(?:an?\s|its\s|the\s)?"
    r"(?:[\w\-]+\s)?(?:(?:US|A|C|S|HK|NZ)?[$€£₹¥]|Rs|[A-Z]{3}\s?\d)\s?[\d.,]+.{0,30}?"
    r"\b(?:seed|pre-?seed|series|round|raise|funding|financing|investment)\b",
    re.I,
)
_POSSESSIVE_MONEY = gated(
    r"(?P<subject>.{2,60}?)['’]s?\s(?:(?:new|latest|recent|first|whopping|huge|oversubscribed|upsized|record"
    r"|massive)\s)?(?:[$€£₹]|US\$"
    r"|Rs\.?)\s?\d\S*(?:\s(?:million|billion|mn|cr|crore))?\s"
    r"(?:\w+\s){0,2}(?:funding|round|raise|investment|financing|seed|series)\b",
    re.I,
)
_JOURNEY = gated(
    r"How\s(?P<subject>.{2,60}?)\s(?:went|grew|got|moved|rose|jumped|leapt|made it|came)\sfrom\s.{2,80}?\sto\s(?:an?|its"
    r"|their)\s.{0,40}?"
    r"\b(?:round|raise|seed|series [a-h]|funding)\b",
    re.I,
)
_TO_ROUND = gated(
    r"\s(?:went|grew|got|moved|rose|jumped|leapt|made it|came)\sfrom\s.{2,80}?\sto\s(?=(?:an?|its|their)\s)", re.I
)
_TAG = gated(
    r"^\s*(?:\[[^\]]{1,40}\]|\((?:updated?|exclusive|breaking)\)"
    r"|(?:exclusive|update|updated|breaking|breaking news|funding alert|funding news|press release|news"
    r"|scoop|just in|video|watch|deal alert|startup funding|report|funding|fundrais(?:e|ing)|deals?|startups?|venture|vc|money|new"
    r"|seed|series [a-h]|investment|deal (?:news|of the day)|startup news|funding (?:round|roundup)|fintech|biotech|crypto|ai"
    r"|\w*newsbreaks?|\w*breaks)\s*[:|–—]\s)\s*",
    re.I,
)
_OUTLET = gated(
    r"\s+[|]\s+[^|]{2,40}$|\s+[-–—]\s+(?:TechCrunch|Reuters|Bloomberg|Forbes|VentureBeat|Tech\.eu"
    r"|EU-Startups|Axios|CNBC|YourStory|Inc42)$"
)

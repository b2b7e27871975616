"""Who received the money: from the headline's subject, checked against the body, else from the lead's own grammar."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from pipeline.signals.headline import Headline
from pipeline.signals.places import find_place
from pipeline.signals.text import Text
from pipeline.signals.words import word_list

LONGEST_NAME_WORDS = 7


@dataclass(frozen=True, slots=True)
class Company:
    """The company's name, the text it was read from and where (title or body); ``in_both`` where title and body agree."""

    name: str
    text: str
    origin: str
    in_both: bool


def find_company(text: Text, headline: Headline, event_sentences: tuple[int, ...] = ()) -> Company | None:
    """The company that the news is about, or None where no name can be told from a description."""
    names = _body_names(text)
    subject = _from_title(headline, names)
    if subject:
        known = _spelled_in_body(subject, text)
        return Company(known or subject, headline.plain, "title", known is not None)
    return _from_body(text, headline, names, event_sentences)


# --- the title ----------------------------------------------------------------------------------------------------------


def _from_title(headline: Headline, names: Counter[str]) -> str | None:
    if headline.side == "company":
        person = _PERSONS_COMPANY.search(headline.plain)
        if person and (person["owner"] or _PERSON_SUBJECT.search(headline.subject)):
            return name_in(person["name"], names)
        if _ANONYMOUS.search(headline.subject):
            return None
        if _SECOND_CLAUSE.search(headline.plain[: len(headline.plain) - len(headline.rest) - len(headline.verb)]):
            return _leading_name(headline.plain, names)
        return name_in(headline.subject, names)
    if headline.side == "investor":
        return _invested_company(headline, names)
    if headline.side == "nominal":
        return name_in(headline.subject, names)
    return None


def _invested_company(headline: Headline, names: Counter[str]) -> str | None:
    """The object of "leads … for X", "invests $20M in X", "backs X"."""
    rest = headline.rest
    owner = _OWNERS_ROUND.match(rest)
    if owner:
        return name_in(owner["name"], names)
    verb = headline.verb.lower()
    match = None if verb.startswith(("back", "bankroll", "fund", "support")) else _OBJECT_AFTER.search(rest)
    target = rest[match.end() :] if match else rest
    if not match and not verb.startswith(("back", "bankroll", "fund", "support")):
        return None
    target = _CLAUSE.split(target, maxsplit=1)[0]
    possessive = _POSSESSIVE_TAIL.match(target)
    return name_in(possessive["name"] if possessive else target, names)


def name_in(phrase: str, names: Counter[str] | None = None) -> str | None:
    """The company's name in a noun phrase: descriptors, places and appositions around it are dropped.

    "Pune-based edtech startup Acme Labs" gives "Acme Labs"; "Acme, the app for …" gives "Acme". None where nothing
    name-like is left.
    """
    candidate = _strip(phrase)
    segments = [part for part in (_strip(part) for part in re.split(r",\s|\s[–—-]\s|:\s|;\s|\s\(", candidate)) if part]
    if not segments:
        return None
    if len(segments) > 1 and segments[1][:1].islower() and not _DESCRIPTION.search(segments[1]):
        # "Science, tech and culture site Acme" lists adjectives; no apposition begins like that.
        candidate = segments[-1]
    elif len(segments) > 1:
        named = [
            part
            for part in segments
            if not _DESCRIPTION.search(part) and not _is_place(part) and not _LEGAL_TAIL.fullmatch(part)
        ]
        candidate = named[0] if named else segments[-1]
    else:
        candidate = segments[0]
    checked = _longest_known_suffix(candidate, names) if names else None
    checked = _without_noun(checked, names) if checked and names else checked
    return _tidy(checked or _after_descriptor(candidate))


def _leading_name(title: str, names: Counter[str]) -> str | None:
    """The name a title begins with, where its subject does two things: "Acme joins the race, as it raises …"."""
    words = title.split()
    heads = [" ".join(words[:count]).rstrip(",") for count in range(1, min(len(words), 5) + 1)]
    known = [(names[_fold(head)], head) for head in heads if names[_fold(head)]]
    if known:
        most = max(count for count, _ in known)
        return _tidy(next(head for count, head in reversed(known) if count * 3 >= most))
    start = _TITLE_START.match(title)
    return name_in(start["name"]) if start else None


def _strip(phrase: str) -> str:
    stripped = phrase.strip(" ,.–—-:;|\"“”‘’'!")
    while True:
        shorter = _LEADING.sub("", stripped, count=1)
        shorter = _TRAILING.sub("", shorter, count=1).strip(" ,.–—-:;|\"“”‘’'")
        if shorter == stripped or not shorter:
            return stripped
        stripped = shorter


def _longest_known_suffix(candidate: str, names: Counter[str]) -> str | None:
    """The longest tail of ``candidate`` that the body uses as a name of its own, if what it drops describes."""
    words = candidate.split()
    tails = [" ".join(words[start:]) for start in range(len(words))]
    seen = [(names[_fold(tail)], tail) for tail in tails if names[_fold(tail)]]
    if not seen:
        return None
    most = max(count for count, _ in seen)
    for count, tail in seen:  # longest first
        if count * 3 >= most and not (_ends_as_descriptor(tail) and len(tail.split()) < len(words)):
            return tail
    return None


def _without_noun(name: str, names: Counter[str]) -> str:
    """ "Acme App" where the body mostly says "Acme"."""
    head, _, last = name.rpartition(" ")
    return head if head and _is_descriptor(last) and names[_fold(head)] >= 3 * names[_fold(name)] > 0 else name


def _after_descriptor(candidate: str) -> str:
    """What follows the last descriptor noun ("… platform Acme"); the whole where none stands before a name."""
    words = candidate.split()
    for index in range(len(words) - 2, -1, -1):
        word = words[index]
        # A lower-case word cannot be the middle of a name in a headline, save the small ones.
        is_plain = word[:1].islower() and word.lower() not in word_list("small_words") and not re.search(r"[A-Z.\d]", word)
        if (is_plain or _is_descriptor(word)) and _looks_named(words[index + 1 :]):
            if (
                index == 0
                and _is_descriptor(word)
                and not is_plain
                and len(words) > 2
                and word.lower() not in word_list("company_nouns")
            ):
                continue
            return " ".join(words[index + 1 :])
    return candidate


def _looks_named(words: list[str]) -> bool:
    return (bool(words) and not _is_descriptor(words[-1])) or (len(words) > 1 and words[0][:1].isupper())


def _is_descriptor(word: str) -> bool:
    plain = word.lower().strip("'’\"“”(),")
    return plain in word_list("company_descriptors", "company_nouns") or plain.endswith(("-tech", "-maker", "-provider"))


def _ends_as_descriptor(tail: str) -> bool:
    words = tail.split()
    return len(words) == 1 and _is_descriptor(words[0])


def _tidy(name: str) -> str | None:
    tidy = _QUOTES.sub("", name).strip(" ,.;:–—-|'’")
    tidy = _POSSESSIVE.sub("", tidy)
    tidy = _TRAILING_LEGAL.sub("", tidy).strip(" ,.")
    if not tidy or len(tidy) > 80 or len(tidy.split()) > LONGEST_NAME_WORDS or not re.search(r"[^\W_]", tidy):
        return None
    return None if tidy.lower() in word_list("not_companies") or _ANONYMOUS.fullmatch(tidy) else tidy


def _is_place(part: str) -> bool:
    return find_place(part) is not None and len(part.split()) <= 3


# --- the body -----------------------------------------------------------------------------------------------------------


def _body_names(text: Text) -> Counter[str]:
    """How often each capitalised run of the body (and each of its beginnings) occurs, by folded spelling."""
    counted: Counter[str] = Counter()
    for match in _NAME_RUN.finditer(text.body[:12_000]):
        words = match[0].split()
        for end in range(1, min(len(words), LONGEST_NAME_WORDS) + 1):
            counted[_fold(" ".join(words[:end]))] += 1
        for start in range(1, min(len(words), 5)):
            counted[_fold(" ".join(words[start:]))] += 1
    return counted


def _spelled_in_body(name: str, text: Text) -> str | None:
    """``name`` as the body spells it (headlines capitalise differently), or None where the body has it not."""
    match = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text.body, re.I)
    if not match:
        return None
    exact = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text.body)
    spelled = exact[0] if exact else match[0]
    # An all-lower hit is likely the ordinary word, not the name.
    return name if spelled.islower() and not name.islower() else spelled


def _from_body(text: Text, headline: Headline, names: Counter[str], event_sentences: tuple[int, ...]) -> Company | None:
    votes: Counter[str] = Counter()
    where: dict[str, str] = {}
    for index in dict.fromkeys((*event_sentences, 0, 1, 2, 3, 4)):
        if index >= len(text.news):
            continue
        sentence = text.news[index]
        for pattern, weight in ((_ANNOUNCER, 3), (_APPOSITION, 2), (_POSSESSIVE_ROUND, 2)):
            match = pattern.search(sentence)
            if match and (name := name_in(match["name"])):
                votes[name] += weight
                where.setdefault(name, sentence)
    about = _ABOUT.search(text.body)
    if about and (name := _tidy(about["name"])):
        votes[name] += 3
        where.setdefault(name, about[0])
    title_start = _TITLE_START.match(headline.plain)
    if title_start and (name := _tidy(_POSSESSIVE.sub("", title_start["name"]))) and names[_fold(name)] >= 2:
        votes[name] += 3
        where.setdefault(name, headline.plain)
    for name in votes:
        votes[name] += min(3, names[_fold(name)])
        votes[name] += 3 if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", headline.plain) else 0
    if not votes:
        return None
    name, _ = max(votes.items(), key=lambda item: (item[1], item[0] in headline.plain, len(item[0]), item[0]))
    return Company(name, where[name], "title" if where[name] == headline.plain else "body", name in headline.plain)


def _fold(text: str) -> str:
    return re.sub(r"[^\w]+", " ", text.lower()).strip()


_LEADING = re.compile(
    r"^(?:the\s(?=[a-z])|exclusive:?\s|update:?\s|how\s|meet\s|why\s|now\s|(?:early|late|seed|growth"
    r"|clinical|pre-clinical)[\s-]stage\s|stealth[y]?\s(?:startup\s)?|emerging\s|leading\s|new\s(?=[a-z])"
    r"|top\s|fast[\s-]growing\s|unicorn\s"
    r"|[\w.&’' -]{2,40}?[\s-](?i:backed|based|focused|founded|owned|funded|led|powered|driven|native"
    r"|enabled|headquartered|incubated|born|bred)\s"
    r"|(?:[A-Z][\w.]+\s){1,2}(?:alum|alumni|alumnus)['’]?s?\s|[\w ]{2,30}?alumni?['’]s\s"
    r"|(?:[A-Z][\w.&]+\s){1,3}(?:spin-?out|spin-?off|graduate|alum|alumnus|alumni)\s"
    r"|(?:former|ex-)\s?[\w -]{2,40}?['’]s?\s"
    r"|(?:American|British|French|German|Spanish|Italian|Dutch|Swiss|Swedish|Danish|Norwegian|Finnish"
    r"|Polish|Czech|Austrian|Belgian|Irish|Portuguese|Greek|Turkish|Israeli|Indian|Chinese|Japanese|Korean"
    r"|South Korean|Singaporean|Indonesian|Vietnamese|Thai|Malaysian|Filipino|Pakistani|Bangladeshi"
    r"|Australian|Canadian|Mexican|Brazilian|Colombian|Chilean|Argentine|Argentinian|Nigerian|Kenyan"
    r"|Egyptian|South African|Ghanaian|Russian|Ukrainian|Estonian|Latvian|Lithuanian|Romanian|Bulgarian"
    r"|Hungarian|Croatian|Serbian|Emirati|Saudi|European|African|Asian|Nordic|Scandinavian|LatAm"
    r"|Latin American|US|U\.S\.|UK|U\.K\.|UAE|Dubai|London|Berlin|Paris)\s(?:and\s)?"
    r"|(?:India|China|Japan|Korea|South Korea|Singapore|Indonesia|Vietnam|Malaysia|Thailand|Australia"
    r"|Canada|Mexico|Brazil|Nigeria|Kenya|Egypt|Israel|Turkey|Germany|France|Spain|Italy|Sweden|Denmark"
    r"|Norway|Finland|Poland|Estonia|Switzerland|Austria|Belgium|Ireland|Portugal|Pakistan|Russia|Ukraine"
    r"|Europe|Africa|Berlin|London|Paris|Stockholm|UK|US|Hong Kong|New York)['’]s\s)"
)
_TRAILING = re.compile(
    r"(?:\s(?:has|have|today|just|successfully|officially|recently|quietly|now|finally|also|quickly"
    r"|reportedly|and|co-founders?|founder|ceo|completes|completed|becomes a unicorn"
    r"|emerges from stealth(?: and| with)?|exits stealth(?: and| with)?|announced?|the)|\s\([^)]*\)|,)$",
    re.I,
)
_DESCRIPTION = re.compile(
    r"^(?:despite|after|with|amid|as|in|following|to|for|from|on|by|once|the|a|an|which|that|whose|who"
    r"|makers? of|creators? of|parent of|known|formerly|home of)\b"
    r"|\b(?:startup|company|platform|service|app for|provider|competitor|maker of|innovation|software"
    r"|marketplace|technology)\b(?!.*[A-Z]\w*$)|\bstartup\b.*\bbehind\b|-like\b",
    re.I,
)
_LEGAL_TAIL = re.compile(
    r"(?:inc|llc|ltd|limited|corp|corporation|co|plc|gmbh|ag|s\.?a\.?|b\.?v\.?|pte|pty)\.?(?: ltd\.?)?", re.I
)
_TRAILING_LEGAL = re.compile(
    r"[,\s]+(?:inc|llc|l\.l\.c|ltd|limited|corp|corporation|plc|gmbh|ag|pte\.? ltd|pty\.? ltd"
    r"|private limited|pvt\.? ltd|s\.a\.s?|b\.v|oy|ab|aps|sarl|srl|s\.r\.l)\.?$",
    re.I,
)
_QUOTES = re.compile(r"[\"“”«»™®©]")
_POSSESSIVE = re.compile(r"['’]s?$")
_CLAUSE = re.compile(
    r",\s|\s(?:to\s(?=[a-z])|to (?:expand|build|accelerate|help|drive|power|scale|grow|advance|boost"
    r"|support|launch|develop|bring|revolutioni[sz]e|transform|fuel|create|improve|make)\b|as\s"
    r"|for\s(?!\w+$)|after\s|at\s|with\s|amid\s|via\s|in\s(?:\w+\s)?(?:round|series|seed|funding|latest"
    r"|new|\$|€|£)|following\s|through\s|led by\s|that\s|which\s|on\s)",
    re.I,
)
_OBJECT_AFTER = re.compile(
    r"(?:^|\s)(?:for|in|into|of)\s(?!(?:series|seed|pre-|funding|a\s|an\s|its|equity|venture|growth|\$|€|£))", re.I
)
_OWNERS_ROUND = re.compile(
    r"\s+(?:in\s)?(?P<name>[A-Z0-9][^$€£]{1,60}?)['’]s?\s(?:(?:new"
    r"|latest)\s)?(?:[$€£₹]\s?\S+\s(?:(?:million|billion|mn|cr|crore)\s)?)?(?:(?:pre-?)?(?:seed"
    r"|series [a-h]\+?)\s?)?(?:round|funding|financing|investment|raise)\b",
    re.I,
)
_POSSESSIVE_TAIL = re.compile(r"(?P<name>[A-Z0-9][\w.&\- ]{0,50}?)['’]s?\s[A-Za-z]")
_SECOND_CLAUSE = re.compile(r"(?:,|\bas|\bas it|\bwhile it|\bafter it|\band)\s$", re.I)
_PERSON_SUBJECT = re.compile(r"\b(?:founders?|co-founders?|ceo|cto|veterans?|alums?|executives?|entrepreneur)\b", re.I)
_PERSONS_COMPANY = re.compile(
    r"\bfor\s(?:(?:(?P<owner>his|her)|their|its|the)\s)?(?:new\s|latest\s|next\s)?(?:[\w\-]+\s){0,4}?(?:(?:startup"
    r"|company|venture|app|platform|business)\s(?:called\s)?)?(?P<name>[A-Z][\w.&\-]*(?:\s[A-Z][\w.&\-]*){"
    r"0,3})\s*(?:$|,|to\b|as\b)"
)
_ANONYMOUS = re.compile(
    r"^(?:(?:this|these|that|the|a|an|top|repeat|serial|one|two|three|former|ex-\w+|\w+tech|\w+[\s-]based"
    r"|indian|ai)\s)*(?:\w+\s)?(?:founders?|startups?|company|platform|entrepreneurs?|vcs?"
    r"|innovator)(?:\s(?:who|that|[A-Z]\w+\s[A-Z]\w+)\b.*)?$",
    re.I,
)
_NAME_RUN = re.compile(
    r"(?<![\w])(?:[A-Z0-9][\w.&'’+\-]*|[a-z]+[A-Z]\w*)(?:\s(?:of\s|the\s|and\s|&\s|for\s"
    r"|de\s)?(?:[A-Z0-9][\w&+\-]*(?:\.\w+)*))*|(?<![\w])[a-z]{3,}(?=,\s(?:a|an|the)\s)"
)
_NAME = r"(?P<name>(?:[A-Z0-9][\w.&'’+\-]*|[a-z]+[A-Z]\w*)(?:\s(?:of\s|&\s|and\s|for\s|the\s)?[A-Z0-9][\w.&'’+\-]*){0,5})"
_ANNOUNCER = re.compile(
    rf"(?:^|[–—:\-/)]\s|\)\s?[–—-]*\s?|,\s|\bfor\s|\.\s|\bThat['’]s why\s|\b(?:startup|company|platform"
    rf"|firm|maker|provider),?\s){_NAME}(?:\s?\([^)]{{1,60}}\))?(?:,\s[^.]{{3,250}}?,)?\s(?:(?:has|have|is"
    rf"|today|also|just|recently|officially|proudly|successfully|now|on \w+day)\s(?:[a-z]+\s)?){{0,3}}"
    r"(?:announc\w+|rais(?:ed|es)|secur(?:ed|es)|clos(?:ed|es)|land(?:ed|s)|complet\w+|receiv\w+"
    r"|bagg?(?:ed|s)|emerg\w+|reveal\w+|pick\w+ up|nabb\w+|nett\w+|scor\w+|(?:proud|pleased|excited"
    r"|thrilled|delighted|happy) to announce|disclos\w+|unveil\w+|conclud\w+)(?!\w)"
)
_APPOSITION = re.compile(
    rf"^(?:[A-Z][^.]{{0,60}}?[–—-]{{1,2}}\s)?{_NAME}(?:\s?\([^)]{{1,60}}\))?,\s(?:an?|the|which|whose"
    rf"|makers?|developers?|creators?|one of)\s"
)
_POSSESSIVE_ROUND = re.compile(
    rf"{_NAME}['’]s?\s(?:\S+\s){{0,4}}?(?:round|funding|seed|series [a-hA-H]|Series [A-H]|raise|investment)\b"
)
_ABOUT = re.compile(r"(?m)^About\s(?P<name>(?!us\b|the\b|this\b)[A-Z0-9a-z][^\n:.–—]{1,50}?)\s*(?:$|:|–|—|\s\w+\sis\s)")
_TITLE_START = re.compile(
    r"(?P<name>(?:[A-Z0-9][\w.&'’+\-]*|[a-z]+[A-Z]?\w*)(?:\s[A-Z0-9][\w.&+\-]*){0,3}?)(?:['’]s?\s|,"
    r"|\s(?:is|wants|has|uses|sees|thinks|brings|launches|joins|emerges|exits|hits|becomes|helps|builds"
    r"|makes|aims|gets|takes|debuts|introduces|unveils|hopes|and|plans|tries|turns|lets|can|will|looks"
    r"|puts|founder|hit|to|co-founder|raises|announces|announced)\b)"
)

"""The company's chief executive, as the text names them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from pipeline.signals.gated import Gated, gated
from pipeline.signals.spans import starts_of
from pipeline.signals.text import Text
from pipeline.signals.words import word_list


@dataclass(frozen=True, slots=True)
class Person:
    """A person's name, the sentence it was read from, and the role as written."""

    name: str
    role: str
    text: str


def find_ceo(text: Text, company: str | None) -> Person | None:
    """The CEO (else the only founder named) of ``company``, or None. A CEO of another company is left out."""
    votes: Counter[str] = Counter()
    where: dict[str, Person] = {}
    for index, sentence in enumerate(text.news):
        if not _ROLE_HINT.search(sentence):
            continue
        for pattern, weight in _PATTERNS:
            for match in pattern.finditer(sentence):
                name = _person(match["name"]) or _in_full(match["name"], text.body)
                if not name or is_same(name, company) or not _of_company(match, sentence, company):
                    continue
                votes[name] += weight + (1 if index < 12 else 0)
                where.setdefault(name, Person(name, match["role"].strip(), sentence))
    if votes:
        best, _ = max(votes.items(), key=lambda item: (item[1], -list(votes).index(item[0])))
        return where[best]
    return None


def _of_company(match: re.Match[str], sentence: str, company: str | None) -> bool:
    """Whether the organization beside the role, if one is named, is the company."""
    groups = match.groupdict()
    named = groups.get("org")
    if named in _ARTICLES:
        return False  # "the CEO of Acme": the pattern that reads what is behind the role decides
    if not named or ((named.islower() or named.lower() in _SELF) and not is_same(named, company)):
        return not _FORMER.search(sentence[max(0, match.start("role") - 12) : match.start("role")])
    if not company:
        return False
    if _FORMER.search(sentence[max(0, match.start("role") - 12) : match.start("role")]):
        return False
    plain, own = _fold(named), _fold(company)
    return own in plain or plain in own or own.split()[0] == plain.split()[0] or plain in _SELF


def is_same(name: str, company: str | None) -> bool:
    """Whether a name is the company's, or the beginning of it."""
    return bool(company) and (_fold(company or "") + " ").startswith(_fold(name) + " ")


def _person(name: str) -> str | None:
    plain = _HONORIFIC.sub("", name).strip(" ,.")
    words = plain.split()
    if not 1 <= len(words) <= 4 or any(word.lower() in word_list("not_persons") for word in words):
        return None
    if _POSSESSIVE.search(plain):
        return None  # "Jane Doe Acme's CEO": the comma was forgotten, and the last word is the company's
    return plain if len(words) > 1 or _HONORIFIC.match(name) else None


def _in_full(surname: str, body: str) -> str | None:
    """ "Pohl" as the text first names her: "Ana Pohl". None where it never does."""
    plain = _POSSESSIVE.sub("", surname.strip(" ,."))
    if not plain.isalpha() or plain.lower() in word_list("not_persons"):
        return None
    for start in starts_of(plain, body):
        found = _FIRST_NAME.search(body, max(0, start - 40), start)
        name = _person(f"{found[0]}{plain}") if found else None
        is_founder = found and _FOUNDED_BY.search(body, max(0, found.start() - 60), found.start())
        if name and (is_founder or name.split()[0].lower() in word_list("given_names")):
            return name
    return None


def _fold(text: str) -> str:
    return _NO_WORD.sub(" ", text.lower()).strip() or "-"


_FIRST_NAME = re.compile(r"(?<![\w.])[A-ZÀ-Þ][\w'’\-À-ÿ]+(?:\s[A-Z]\.)?\s$")
PERSON = (
    r"(?:(?:Dr|Mr|Ms|Mrs|Prof)\.?\s)?[A-ZÀ-Þ][\w'’\-À-ÿ]+(?:\s(?:[A-Z]\.(?:[A-Z]\.)?"
    r"|(?:(?:de|da|del|van|von|der|den|di|la|le|al|bin|ben)\s){0,2}[A-ZÀ-Þ][\w'’\-À-ÿ]+)){0,3}"
)
_CEO = r"(?:CEO|C\.E\.O\.?|[Cc]hief [Ee]xecutive(?: [Oo]fficer)?)"
_PRE = (
    r"(?:(?:[Cc]o-?[Ff]ounders?|[Ff]ounders?|[Pp]resident|[Cc]hair(?:man|woman|person)?"
    r"|[Ee]xecutive [Cc]hairman|[Cc]hief [Tt]echnology [Oo]fficer|CTO|[Mm]anaging [Dd]irector|[Ii]nventor"
    r"|[Cc]o-|[Ii]nterim|[Gg]lobal|[Gg]roup|the|new|[Ss]erial [Ee]ntrepreneur)(?:,?\s(?:and|&)\s|,\s|\s"
    r"|/)?)*"
)
_ORG = (
    r"(?P<org>(?!(?:and|who|said|says|told|with|but)\b)[A-Z0-9a-z][\w.&'’\-]*(?:\s(?:of\s|the\s)?[A-Z0-9][\w.&'’\-]*){0,4}"
    r"|the company|the startup|our company)"
)
_ROLE_AFTER = (
    rf"(?P<role>{_PRE}{_CEO}(?:(?:,?\s(?:and|&)\s|,\s|/)(?:[Cc]o-?[Ff]ounder|[Ff]ounder|[Cc]hair(?:man"
    rf"|woman)?|[Pp]resident|[Mm]anaging [Dd]irector|[Cc]hief \w+ [Oo]fficer))*)"
)
_TITLES = (
    r"(?:,?\s(?:Ph\.?D\.?|M\.?D\.?|MBA|M\.?B\.?A\.?|MD|PhD|Esq\.?|CFA|DVM|PharmD|Jr\.?|MSc"
    r"|MEM|MEng|MPH|MPP|MPA|MHA|JD|DDS|DMD|DO|ScD|DPhil|RN|CPA|FACC|FACS|FRCP|FRCS)\b\.?,?)*"
)
_PATTERNS: tuple[tuple[Gated, int], ...] = (
    # Jane Doe, co-founder and CEO of Acme
    (
        gated(
            rf"(?P<name>{PERSON}){_TITLES},?\s(?:who is |is |the |as )?{_ROLE_AFTER}(?:\s?(?:,|of|at|for)\s?(?:the\s)?{_ORG})?"
        ),
        3,
    ),
    # Jane Doe, Acme's CEO / Acme CEO / Acme’s co-founder and CEO
    (gated(rf"(?P<name>{PERSON}){_TITLES},?\s(?:the\s)?{_ORG}(?:['’]s?)?\s{_ROLE_AFTER}"), 3),
    # CEO Jane Doe; co-founder and CEO Jane Doe; Acme CEO Jane Doe
    (gated(rf"(?:{_ORG}(?:['’]s?)?\s)?{_ROLE_AFTER}[,:]?\s(?:and\s(?:co-?)?founder,?\s)?(?P<name>{PERSON})"), 3),
    # whose CEO is Jane Doe; Acme's CEO is Jane Doe
    (
        gated(
            rf"\b(?:whose|[Ii]ts|[Tt]he company['’]s|{_ORG}(?:['’]s?)?)\s(?P<role>(?:[\w\-]+\sand\s)?{_CEO})\sis"
            rf"\s(?P<name>{PERSON})"
        ),
        3,
    ),
    # Jane Doe, who began the company and is its CEO
    (gated(rf"(?P<name>{PERSON}),\swho\s[^.;]{{0,120}}?\bis\s(?:now\s|also\s)?(?:its|the)\s(?P<role>{_CEO})(?!\sof\b)"), 2),
    # Jane Doe (CEO)
    (gated(rf"(?P<name>{PERSON})\s\((?P<role>[^)]{{0,25}}{_CEO}[^)]{{0,20}})\)"), 3),
    # Jane Doe, who founded the company and runs it as its CEO
    (
        gated(
            rf"(?P<name>{PERSON}),\s(?:[^.;]{{0,160}}?\b)?(?:leads|runs|heads)\s(?:it|the company|the startup"
            rf"|\w+)\sas\s(?:its\s|the\s)?(?P<role>{_CEO})"
        ),
        2,
    ),
    # named Jane Doe as its CEO
    (
        gated(
            rf"(?:named|appointed|appoints|names|welcomed|hired)\s(?P<name>{PERSON}){_TITLES},?\s(?:as"
            rf"|to the (?:role|position) of)\s(?:its|their|the)?\s?(?:new\s)?(?P<role>{_CEO})"
        ),
        4,
    ),
    # founder Jane Doe said / said Jane Doe, founder of Acme: where nobody is called CEO
    (gated(rf"(?P<name>{PERSON}){_TITLES},?\s(?:the\s)?(?P<role>[Ff]ounder)\s(?:of|at)\s{_ORG}"), 1),
    (gated(rf"(?<![\w\-])(?P<role>[Ff]ounder),?\s(?P<name>{PERSON})(?=[,\s]+(?:said|says|told|who|explained))"), 1),
    (
        gated(
            rf"\b(?P<role>[Ff]ounded)\s(?:in\s(?:\w+\s)?\d{{4}}\s)?by\s(?:(?:[a-z\-]+\s){{1,4}})?(?P<name>(?>{PERSON}))"
            # Atomic: else the look-ahead would be got round by a name cut short. Several founders: nobody says who leads.
            rf"(?!\s(?:and|&)\s|,\s?(?:and\s)?[A-ZÀ-Þ]|\s(?:alum|graduate|professor|researcher|scientist|student)\w*)"
        ),
        1,
    ),
)
_NO_WORD = re.compile(r"[^\w]+")
# "founded by (nurses) Jane Doe and John Roe": a name follows, whatever the given name.
_FOUNDED_BY = gated(
    r"\b[Ff]ound(?:ed|ers?)\s(?:in\s\d{4}\s)?(?:by\s)?(?:[a-z]+\s){0,2}(?:[A-ZÀ-Þ][\w'’\-]+\s[A-ZÀ-Þ][\w'’\-]+\s(?:and|&)\s)?$"
)
_ROLE_HINT = gated(r"CEO|C\.E\.O|[Cc]hief [Ee]xecutive|[Ff]ound(?:er|ed)")
_ARTICLES = ("the", "a", "an")
_SELF = ("its", "their", "our", "whose", "the company", "the startup", "our company", "company", "startup")
_FORMER = gated(r"\b(?:former(?:ly)?|ex|previous(?:ly)?|then|past|once|Former)[\s\-]+(?:\w+\s)?$")
_POSSESSIVE = gated(r"['’]s?$")
_HONORIFIC = gated(r"^(?:Dr|Mr|Ms|Mrs|Prof)\.?\s")

"""Who received the money: from the headline's subject, checked against the body, else from the lead's own grammar."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from pipeline.signals.company_patterns import (
    ABOUT,
    ADDS_MONEY,
    ANNOUNCER,
    ANONYMOUS,
    APPOSITION,
    CLAUSE,
    COLON_NAME,
    COLUMN,
    DESCRIBED_SUBJECT,
    DESCRIPTION,
    DOUBLES_DOWN,
    FOUNDER_LAUNCHES,
    HEADLINE_VERB,
    INTRODUCED,
    LEADING,
    LEGAL_TAIL,
    NAME_RUN,
    NAMELESS,
    OBJECT_AFTER,
    ONLY_DESCRIBED,
    ORDINARY,
    OWNER,
    OWNERS_ROUND,
    PERSON_OWNER,
    PERSON_SUBJECT,
    PERSONS_COMPANY,
    POSSESSIVE,
    POSSESSIVE_ROUND,
    POSSESSIVE_TAIL,
    QUOTES,
    RECIPIENT,
    ROUND_FOR,
    SECOND_CLAUSE,
    TITLE_START,
    TRAILING,
    TRAILING_LEGAL,
    VALUED,
)
from pipeline.signals.headline import Headline
from pipeline.signals.investors import looks_like_person
from pipeline.signals.places import find_place
from pipeline.signals.spans import ends_of, stands_in, starts_of
from pipeline.signals.text import Text
from pipeline.signals.words import word_list

LONGEST_NAME_WORDS = 7
_NO_WORD = re.compile(r"[^\w]+")


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
    if subject and _is_place(subject) and re.search(rf"\b(?:from|in)\s{re.escape(subject)}$", headline.subject):
        subject = None  # "two brothers from Monterrey": nobody is named
    if subject and (subject.islower() or ONLY_DESCRIBED.search(subject)) and (named := _named_in_body(text, headline, names)):
        return named  # "backs maker of gallium chips": whose name the body has
    if subject:
        subject = _with_adjective(subject, headline, names)
        known = _spelled_in_body(subject, text)
        if not known and headline.side == "investor" and (received := _recipient(text)):
            return received  # "leads round for rival L1": the headline describes whom the body names
        return Company(known or subject, headline.plain, "title", known is not None)
    return _from_body(text, headline, names, event_sentences)


def _named_in_body(text: Text, headline: Headline, names: Counter[str]) -> Company | None:
    """Whom the lead says the money goes to, or who announces it; None where no sentence introduces anybody."""
    return _recipient(text) or next(
        (
            Company(name, sentence, "body", False)
            for sentence in text.news[:3]
            if (match := ANNOUNCER.search(sentence)) and (name := name_in(match["name"], names)) and name not in headline.plain
        ),
        None,
    )


# --- the title ----------------------------------------------------------------------------------------------------------


def _from_title(headline: Headline, names: Counter[str]) -> str | None:
    if headline.side == "company":
        launched = FOUNDER_LAUNCHES.match(headline.plain)
        if launched:
            return name_in(launched["name"], names)
        person = PERSONS_COMPANY.search(headline.plain)
        if person and (person["owner"] or PERSON_SUBJECT.search(headline.subject)):
            return name_in(person["name"], names)
        owner = _person_owner(headline.subject)
        if owner:
            return name_in(headline.subject[owner:], names)
        if ANONYMOUS.search(headline.subject) or NAMELESS.fullmatch(headline.subject):
            return None
        doubled = DOUBLES_DOWN.match(headline.plain)
        if doubled and names[_fold(doubled["object"])] > names[_fold(doubled["subject"])]:
            return name_in(doubled["object"], names)
        if headline.verb.lower().lstrip().startswith(ADDS_MONEY) or VALUED.match(headline.verb):
            return _before_verb(headline.subject, names)
        column = COLUMN.fullmatch(headline.subject)
        if column and not names[_fold(column["column"])]:
            return name_in(column["rest"], names)
        described = DESCRIBED_SUBJECT.fullmatch(headline.subject)
        if described:
            return name_in(described["name"], names)
        if SECOND_CLAUSE.search(headline.plain[: len(headline.plain) - len(headline.rest) - len(headline.verb)]):
            return _leading_name(headline.plain, names)
        return name_in(headline.subject, names)
    if headline.side == "investor":
        return _invested_company(headline, names)
    if headline.side == "nominal":
        if headline.subject and headline.plain.endswith(headline.subject) and headline.rest != headline.plain:
            return _before_verb(headline.subject, names)
        return name_in(headline.subject, names)
    return None


def _with_adjective(name: str, headline: Headline, names: Counter[str]) -> str:
    """ "Nordic Acme" where the body never says "Acme" alone: the adjective is no description."""
    found = (_WORD_BEFORE.search(headline.plain, 0, start) for start in starts_of(name, headline.plain))
    before = next((match for match in found if match), None)
    long = f"{before[1]} {name}" if before else name
    return long if names[_fold(long)] >= max(2, names[_fold(name)]) else name


def _before_verb(clause: str, names: Counter[str]) -> str | None:
    """The name a clause begins with: what stands before its first verb, or the name the body knows."""
    colon = COLON_NAME.match(clause)
    if colon:
        return name_in(colon["name"], names)
    verb = next((match for match in HEADLINE_VERB.finditer(clause) if match.start() > 0), None)
    if verb:
        return name_in(clause[: verb.start()], names)
    return _leading_name(clause, names) or name_in(clause, names)


def _invested_company(headline: Headline, names: Counter[str]) -> str | None:
    """The object of "leads … for X", "invests $20M in X", "backs X"."""
    rest = headline.rest
    owner = OWNERS_ROUND.match(rest)
    if owner and not _is_place(owner["name"].strip()):
        return name_in(owner["name"], names)
    verb = headline.verb.lower()
    match = None if verb.startswith(("back", "bankroll", "fund", "support")) else OBJECT_AFTER.search(rest)
    target = rest[match.end() :] if match else rest
    if not match and not verb.startswith(("back", "bankroll", "fund", "support")):
        return None
    target = CLAUSE.split(target, maxsplit=1)[0]
    possessive = POSSESSIVE_TAIL.match(target)
    if possessive and _is_place(possessive["name"]):
        return name_in(target, names)  # "Bangladesh's Acme": the owner is where it sits
    return name_in(possessive["name"] if possessive else target, names)


def _person_owner(subject: str) -> int:
    """Where the company begins in "Curve co-founder Jane Doe's Acme"; 0 where no person owns it."""
    match = PERSON_OWNER.match(subject)
    return match.end() if match and (match["role"] or looks_like_person(match["person"])) else 0


def name_in(phrase: str, names: Counter[str] | None = None) -> str | None:
    """The company's name in a noun phrase: descriptors, places and appositions around it are dropped.

    "Pune-based edtech startup Acme Labs" gives "Acme Labs"; "Acme, the app for …" gives "Acme". None where nothing
    name-like is left.
    """
    candidate = _strip(phrase)
    segments = [part for part in (_strip(part) for part in re.split(r",\s|\s[–—-]\s|:\s|;\s|\s\(", candidate)) if part]
    if not segments:
        return None
    if len(segments) > 1 and segments[1][:1].islower() and not DESCRIPTION.search(segments[1]):
        # "Science, tech and culture site Acme" lists adjectives; no apposition begins like that.
        candidate = segments[-1]
    elif len(segments) > 1:
        named = [
            part for part in segments if not DESCRIPTION.search(part) and not _is_place(part) and not LEGAL_TAIL.fullmatch(part)
        ]
        known = [part for part in named if names and _longest_known_suffix(part, names)]
        candidate = (known or named or segments[-1:])[0]
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
    start = TITLE_START.match(title)
    return name_in(start["name"]) if start else None


def _strip(phrase: str) -> str:
    stripped = phrase.strip(" ,.–—-:;|\"“”‘’'!")
    owner = OWNER.match(stripped)
    if owner and _is_place(owner["place"]):
        stripped = stripped[owner.end() :]
    while True:
        shorter = LEADING.sub("", stripped, count=1)
        shorter = TRAILING.sub("", shorter, count=1).strip(" ,.–—-:;|\"“”‘’'")
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
    tidy = QUOTES.sub("", name).strip(" ,.;:–—-|'’")
    tidy = POSSESSIVE.sub("", tidy)
    tidy = TRAILING_LEGAL.sub("", tidy).strip(" ,.")
    if not tidy or len(tidy) > 80 or len(tidy.split()) > LONGEST_NAME_WORDS or not re.search(r"[^\W_]", tidy):
        return None
    return None if tidy.lower() in word_list("not_companies") or ANONYMOUS.fullmatch(tidy) else tidy


def _is_place(part: str) -> bool:
    return find_place(part) is not None and len(part.split()) <= 3


# --- the body -----------------------------------------------------------------------------------------------------------


def _body_names(text: Text) -> Counter[str]:
    """How often each capitalised run of the body (and each of its beginnings) occurs, by folded spelling."""
    counted: Counter[str] = Counter()
    for match in NAME_RUN.finditer(text.body[:12_000]):
        words = match[0].split()
        for end in range(1, min(len(words), LONGEST_NAME_WORDS) + 1):
            counted[_fold(" ".join(words[:end]))] += 1
        for start in range(1, min(len(words), 5)):
            counted[_fold(" ".join(words[start:]))] += 1
    return counted


def _spelled_in_body(name: str, text: Text) -> str | None:
    """``name`` as the body spells it (headlines capitalise differently), or None where the body has it not."""
    if stands_in(name, text.body):
        return name
    end = next(ends_of(name.lower(), text.body.lower()), None)
    if end is None:
        return None
    spelled = text.body[end - len(name) : end]
    # An all-lower hit is likely the ordinary word, not the name.
    return name if spelled.islower() and not name.islower() else spelled


def _from_body(text: Text, headline: Headline, names: Counter[str], event_sentences: tuple[int, ...]) -> Company | None:
    votes: Counter[str] = Counter()
    where: dict[str, str] = {}
    for index in dict.fromkeys((*event_sentences, 0, 1, 2, 3, 4)):
        if index >= len(text.news):
            continue
        sentence = text.news[index]
        for pattern, weight in ((ANNOUNCER, 3), (ROUND_FOR, 3), (APPOSITION, 2), (POSSESSIVE_ROUND, 2), (INTRODUCED, 2)):
            match = pattern.search(sentence)
            if match and (name := name_in(match["name"])):
                votes[name] += weight
                where.setdefault(name, sentence)
    about = ABOUT.search(text.body)
    if about and (name := _tidy(about["name"])):
        votes[name] += 3
        where.setdefault(name, about[0])
    title_start = TITLE_START.match(headline.plain)
    if title_start and (name := _tidy(POSSESSIVE.sub("", title_start["name"]))) and names[_fold(name)] >= 2:
        votes[name] += 3
        where.setdefault(name, headline.plain)
    for name in votes:
        votes[name] += min(3, names[_fold(name)])
        votes[name] += 3 if stands_in(name, headline.plain) else 0
    if not votes:
        return _most_named(text)
    name, _ = max(votes.items(), key=lambda item: (item[1], item[0] in headline.plain, len(item[0]), item[0]))
    return Company(name, where[name], "title" if where[name] == headline.plain else "body", name in headline.plain)


def _recipient(text: Text) -> Company | None:
    """Whom the lead says the money goes to."""
    for sentence in text.news[:6]:
        match = RECIPIENT.search(sentence) or ROUND_FOR.search(sentence)
        if match and (name := name_in(match["name"])):
            return Company(name, sentence, "body", False)
    return None


def _most_named(text: Text) -> Company | None:
    """Where no sentence introduces the company: the name that the first half of the text says most, from its top on."""
    counted: Counter[str] = Counter()
    lead = " ".join(text.news[:4])
    for sentence in text.news[:20]:
        for match in NAME_RUN.finditer(sentence):
            name = _tidy(match[0])
            begins = match.start() == 0 and len(match[0].split()) == 1
            if name and name in lead and not _is_place(name) and not ORDINARY.match(name):
                counted[name] += 1 if begins else 2
    ranked = counted.most_common(2)
    if not ranked or ranked[0][1] < 4 or (len(ranked) > 1 and ranked[1][1] == ranked[0][1]):
        return None
    name = ranked[0][0]
    return Company(name, next(sentence for sentence in text.news if name in sentence), "body", False)


_WORD_BEFORE = re.compile(r"([A-ZÀ-Þ][\w\-]+)\s$")


def _fold(text: str) -> str:
    return _NO_WORD.sub(" ", text.lower()).strip()

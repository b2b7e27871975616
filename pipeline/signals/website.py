"""The company's own website (and LinkedIn page), told from the many addresses in a text."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from pipeline.matching.domains import registrable_domain
from pipeline.signals.text import Text
from pipeline.signals.words import word_list


@dataclass(frozen=True, slots=True)
class Website:
    """A host such as acme.io with the text it stood in."""

    host: str
    text: str


def find_website(text: Text, company: str | None, outlet_url: str | None, investors: tuple[str, ...] = ()) -> Website | None:
    """The host that the text gives as the company's. Hosts of outlets, networks and investors don't qualify."""
    if not company:
        return None
    own = _squeeze(company)
    outlet = registrable_domain(outlet_url) if outlet_url else None
    backers = {_squeeze(name) for name in investors}
    named = {_squeeze(name) for name in _NAME.findall(text.body)}
    votes: Counter[str] = Counter()
    where: dict[str, str] = {}
    for host, cue, context in _candidates(text):
        domain = registrable_domain(host)
        if (
            not domain
            or domain == outlet
            or domain in word_list("shared_hosts")
            or domain.split(".")[0] in word_list("networks")
        ):
            continue
        label = _squeeze(_spoken(domain).split(".")[0])
        if any(
            label == backer or (len(label) > 4 and backer.startswith(label) and not own.startswith(label)) for backer in backers
        ):
            continue
        likeness = _likeness(own, domain, label)
        if not likeness and label in named:
            continue  # the text speaks of another organization by that name
        score = cue + likeness
        shown = _written(host)
        votes[shown] += score
        where.setdefault(shown, context)
    if not votes:
        return None
    best, score = max(votes.items(), key=lambda item: (item[1], -list(votes).index(item[0])))
    return Website(best, where[best]) if score >= 4 else None


def find_linkedin(text: Text, name: str | None) -> str | None:
    """The LinkedIn address of a person named ``name``, where the text links it."""
    if not name:
        return None
    last = _squeeze(name.split()[-1])
    for found in _LINKEDIN.finditer(" ".join([text.body, *(link.url for link in text.links)])):
        if last in _squeeze(found["slug"]):
            return f"https://www.linkedin.com/in/{found['slug']}"
    return None


def _candidates(text: Text) -> list[tuple[str, int, str]]:
    """(host, how strongly the words around it say "this is our site", context)."""
    found: list[tuple[str, int, str]] = []
    for match in _ADDRESS.finditer(text.body):
        before = text.body[max(0, match.start() - 90) : match.start()]
        is_pointed_at = bool(_VISIT.search(before))
        is_marked = bool(match["scheme"]) or match["host"].lower().startswith("www.")
        is_mail = before.endswith("@")
        ending = match["host"].rsplit(".", 1)[-1].lower()
        if not (
            is_marked or ((is_pointed_at or is_mail) and match["host"].islower()) or ending in word_list("bare_domain_endings")
        ):
            continue
        cue = 1 if is_mail else 3 if is_pointed_at else 1 if is_marked else 0
        found.append((match["host"], cue, text.body[max(0, match.start() - 60) : match.end()]))
    for link in text.links:
        host = re.sub(r"^https?://", "", link.url).split("/")[0]
        named = _squeeze(link.text)
        found.append((host, 3 if named and named in _squeeze(_spoken(host)) else 0, f"{link.text} ({link.url})"))
    return found


def _likeness(own: str, domain: str, label: str) -> int:
    """How much a domain looks like the company's name, 0 to 6."""
    if own in (label, _squeeze(_spoken(domain))):
        return 6
    if len(own) >= 3 and (own in label or (len(label) >= 3 and (own.startswith(label) or label.startswith(own)))):
        return 4
    common = sum(1 for a, b in zip(own, label, strict=False) if a == b)
    return 3 if common >= 4 and common * 2 >= min(len(own), len(label)) else 0


def _written(host: str) -> str:
    """``host`` as it is looked up: lower case, without www. and port, international names in their ASCII form."""
    plain = re.sub(r"^www\.", "", host.lower().rstrip(".")).split(":")[0]
    try:
        return plain if plain.isascii() else plain.encode("idna").decode("ascii")
    except UnicodeError:
        return plain


def _spoken(domain: str) -> str:
    """``domain`` as people read it: ASCII forms of international names decoded."""
    try:
        return domain.encode("ascii").decode("idna") if "xn--" in domain else domain
    except UnicodeError:
        return domain


def _squeeze(text: str) -> str:
    return _MARKS.sub("", text.lower())


_MARKS = re.compile(r"[\W_]+")
_ADDRESS = re.compile(
    r"(?P<scheme>https?://)?(?<![\w.\-])(?P<host>(?:[^\W_](?:[\w\-]{0,61}[^\W_])?\.){1,4}(?:[^\W\d_]{2,18}"
    r"|xn--[a-z0-9\-]{2,50}))"
    r"(?![\w\-@]|\.[a-z])"
)
# A capitalised word that begins no address and ends none.
_NAME = re.compile(r"(?<![\w.@/\-])[A-Z][\w\-]{3,}(?![\w@/\-]|\.\w)")
_VISIT = re.compile(
    r"\b(?:visit(?: us at| our website| the (?:official )?website| their website)?|website|web ?site"
    r"|learn more(?: about \S+(?: \S+){0,4})?(?: at)?|more information[^.]{0,60}|find out more(?: at)?"
    r"|(?:can be )?found at|(?:are|is) at"
    r"|more at|go to|see|online at|homepage|web|url|read more)\W{0,3}(?:at|:|via|,|please|go to|visit|is"
    r"|\s)*\s*(?:https?://)?$",
    re.I,
)
_LINKEDIN = re.compile(r"linkedin\.com/in/(?P<slug>[\w\-%À-ÿ]{3,100})")

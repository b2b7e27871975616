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
        label = _squeeze(domain.rsplit(".", domain.count("."))[0])
        if any(
            label == backer or (len(label) > 4 and backer.startswith(label) and not own.startswith(label)) for backer in backers
        ):
            continue
        score = cue + _likeness(own, domain, label)
        shown = _host(host)
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
        cue = 3 if _VISIT.search(before) else 1 if match["scheme"] or match["host"].lower().startswith("www.") else 0
        if before.endswith("@"):
            cue = 1
        found.append((match["host"], cue, text.body[max(0, match.start() - 60) : match.end()]))
    for link in text.links:
        host = re.sub(r"^https?://", "", link.url).split("/")[0]
        found.append(
            (host, 3 if _squeeze(link.text) and _squeeze(link.text) in _squeeze(host) else 0, f"{link.text} ({link.url})")
        )
    return found


def _likeness(own: str, domain: str, label: str) -> int:
    whole = _squeeze(domain)
    if label == own or whole == own:
        return 6
    if len(own) >= 3 and (
        own in label or (len(label) >= 3 and own.startswith(label)) or (len(label) >= 3 and label.startswith(own))
    ):
        return 4
    common = sum(1 for a, b in zip(own, label, strict=False) if a == b)
    return 3 if common >= 4 and common * 2 >= min(len(own), len(label)) else 0


def _host(host: str) -> str:
    return re.sub(r"^www\.", "", host.lower().rstrip(".")).split(":")[0]


def _squeeze(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.lower())


_ADDRESS = re.compile(
    r"(?P<scheme>https?://)?(?<![\w.\-])(?P<host>(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.){1,4}"
    r"(?:com|io|ai|co|net|org|app|dev|tech|xyz|finance|network|money|health|bio|energy|so|ch|de|fr|uk|in"
    r"|eu|us|ca|au|fi|gg|fm|me|tv|vc|space|earth|world|global|solutions|systems|cloud|pro|id|is|it|es|nl"
    r"|se|no|dk|pl|be|at|ie|sg|hk|jp|kr|my|ph|vn|br|mx|cl|za|ng|ke|ae|il|tr|ru|cn|info|biz|store|shop"
    r"|studio|games|agency|digital|software|capital|fund|exchange|life|live|one|inc|ltd|club|academy"
    r"|education|farm|eco|green|care|clinic|ventures|social|chat|email|to|ly|gl|li|lu|ee|lv|lt|cz|sk|hu|ro"
    r"|gr|pt|nz|tw|th|pk|bd|lk|ws|vip|land|fi|build|news|media|house|homes|travel|fit|art|design|insure"
    r"|bank|pay|credit|legal|works|zone|today|run|new|day|page|site|online|security|technology|science"
    r"|engineering|robotics|auto|car|aero)(?:\.(?:uk|au|in|br|za|nz|jp|kr|sg|il))?)(?![\w\-@]|\.[a-z])"
)
_VISIT = re.compile(
    r"\b(?:visit(?: us at| our website| the (?:official )?website| their website)?|website|web ?site"
    r"|learn more(?: about \S+(?: \S+){0,4})?(?: at)?|more information[^.]{0,60}|find out more(?: at)?"
    r"|more at|go to|see|online at|homepage|web|url|read more)\W{0,3}(?:at|:|via|,|please|go to|visit|is"
    r"|\s)*\s*(?:https?://)?$",
    re.I,
)
_LINKEDIN = re.compile(r"linkedin\.com/in/(?P<slug>[\w\-%À-ÿ]{3,100})")

"""Hiring: what for, where, how many, of which kind. From the headline; place and kind also from the first sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.signals.gated import gated
from pipeline.signals.headline_names import whole_name
from pipeline.signals.job_counts import COUNTED_HEADLINES
from pipeline.signals.places import find_place
from pipeline.signals.text import Text


@dataclass(frozen=True, slots=True)
class Opening:
    """One kind of job on offer; None where the text doesn't say. ``employment_type``: full_time, part_time, contract, …"""

    company: str
    title: str | None
    positions: int | None
    location: str | None
    city: str | None
    country: str | None
    employment_type: str | None
    seniority_level: str | None


def find_hiring(title: str, text: Text) -> Opening | None:
    """What ``title`` (without tags) says a company hires for, or None. Total."""
    lowered = title.lower()
    possible = (pattern.compiled for pattern in (*COUNTED_HEADLINES, *_HEADLINES) if pattern.may_match_lowered(lowered))
    match = next((found for pattern in possible if (found := pattern.search(title))), None)
    if match is None or _NO_HIRING.search(title):
        return None
    company = whole_name(match["company"])
    if not company or _NO_COMPANY.search(company) or _PUBLIC_EMPLOYER.search(match["company"]) or find_place(company):
        return None
    groups = match.groupdict()
    role, count = _MODIFIER.sub("", (groups.get("role") or "").strip(" ,.")).strip(), groups.get("count")
    where = _IN_PLACE.search(title, match.end("role") if groups.get("role") else match.start()) or _IN_PLACE.search(
        text.lead[:400]
    )
    place = find_place(where["place"]) if where else None
    kind = next((slug for slug, pattern in _KINDS if pattern.search(title) or pattern.search(text.lead[:600])), None)
    level = next((slug for slug, pattern in _LEVELS if pattern.search(role)), None)
    return Opening(
        company,
        None if role.lower() in _ANY_ROLE else role or None,
        int(count.replace(",", "")) if count and len(count) < 9 else None,
        where["place"].strip(" .,") if where else None,
        place.city if place else None,
        place.country if place else None,
        kind,
        level,
    )


_MANY = r"(?:(?:over|more than|up to|about|around|an additional|another|nearly|approximately|at least|an?)\s)*"
_COUNT = r"(?P<count>\d[\d,]*)?\+?\s?"
_PEOPLE = (
    r"(?:jobs|positions|roles|engineers?|employees|people|workers|developers?|staff|managers?|directors?"
    r"|officers?|drivers?|nurses?"
    r"|associates?|technicians?|scientists?|analysts?|designers?|representatives|professionals|teachers"
    r"|caregivers|interns|apprentices|freshers|graduates|specialists?|researchers?|salespeople|programmers?)"
)
_ROLES = rf"(?P<role>(?:[\w\-/]+\s){{0,4}}?{_PEOPLE})\b"
_HEADLINES = (
    gated(
        rf"^(?P<company>.{{2,70}}?)(?i:\s(?:looks|plans|aims|wants|expects|hopes|set|ready))?\s(?i:is (?:now |actively "
        rf"|currently )?hiring|is looking to hire|is seeking"
        rf"|now hiring|plans to hire|to hire"
        rf"|will hire|is recruiting|to recruit|seeks)\s(?i:{_MANY}{_COUNT}{_ROLES})"
    ),
    gated(
        rf"^(?P<company>[^,;:]{{2,60}}?(?:,\s(?:Inc|LLC|Ltd|Corp)\.?)?)\s(?i:to create|to add|will create|will add"
        rf"|plans to (?:create|add)|announces"
        rf"|is creating|creates|adds|brings)\s"
        rf"(?i:{_MANY}(?P<count>\d[\d,]*)\+?\s(?P<role>(?:new |additional |local |full-time |high-paying |tech "
        rf"|skilled )*(?:jobs|positions|roles)))\b"
    ),
    # "Acme opens Dublin office, creating 75 jobs"
    gated(
        rf"^(?P<company>.{{2,60}}?)\s(?i:opens|to open|expands|to expand|invests|to invest|launches|builds|to build|picks"
        rf"|selects|chooses"
        rf"|breaks)\s.{{3,90}}?,?\s(?i:creating|adding|bringing|to create|to add|will create|and create|and add|creates|adds)\s"
        rf"(?i:{_MANY}(?P<count>\d[\d,]*)\+?\s(?P<role>(?:new |additional |local |full-time |high-paying |tech |skilled )*"
        rf"(?:jobs|positions|roles)))\b"
    ),
    # "150 jobs to be created at Acme in Cork"
    gated(
        r"^(?P<count>\d[\d,]*)\+?\s(?P<role>(?i:(?:new |additional |tech |skilled )*(?:jobs|positions|roles)))\s"
        r"(?i:to be created|created|to come|coming|announced)\s(?i:at|by|with|as)\s(?P<company>[A-Z0-9][^,;:]{1,50}?)"
        r"(?=\s(?:in|for|as|opens|expands|over)\s|,|$)"
    ),
    gated(
        rf"^(?P<company>.{{2,60}}?)\s(?i:ramps up|accelerates|boosts|steps up|expands|kicks off)\s(?i:its\s)?(?i:hiring"
        rf"|recruitment|recruiting)"
        rf"\b.*?(?i:{_MANY}(?P<count>\d[\d,]*)\+?\s(?P<role>(?:new |open )*(?:jobs|positions|roles|vacancies|openings|engineers"
        rf"|developers|people)))\b"
    ),
    gated(r"^(?P<company>.{2,70}?)\s(?i:announces|opens"
               r"|posts)\s(?P<count>\d[\d,]*)?\s?(?P<role>(?i:job openings|open positions|vacancies))\b"),
)  # fmt: skip
_NO_HIRING = gated(
    r"\b(?:survey|report|study|research|job fair tips|how to|why|freeze|layoffs?|cuts?|could|would|den(?:y|ies)|at risk"
    r"|losing|lose|strike)\b|\?$"
    r"|\b(?:hiring|recruit\w+) (?:software|platform|solution|tool|app)\b",
    re.I,
)
_NO_COMPANY = gated(
    r"^(?:employers?|companies|firms|businesses|more|most|many|why|how|who|state|city|county|governor)\b"
    r"|\b(?:headcount|workforce|team|staff)$",
    re.I,
)
# Who hires by law or budget, and statistics: news of them is no news of a company.
_PUBLIC_EMPLOYER = gated(
    r"\bnhs\b|\b(?:econom(?:y|ies)|police|army|navy|air force|military|councils?|government|ministry|department|schools?|district"
    r"|universit\w+|colleges?|hospitals?|city|county|state|mayor|sheriff\S*|employers|labou?r market|sectors?|industry"
    r"|startups|firms"
    r"|companies|businesses|plan|project|bill|law|parliament|congress|eu|un|board|minister|president)(?=$|\s(?:force"
    r"|service|group|trust|union|of|in|for|plan)\b)",
    re.I,
)
_MODIFIER = gated(r"^(?:(?:new|additional|local|more|skilled|full-time|part-time|high-paying)\s)+", re.I)
_ANY_ROLE = frozenset(
    {"jobs", "positions", "roles", "people", "employees", "workers", "staff", "job openings", "open positions", "vacancies"}
)
_IN_PLACE = gated(
    r"\b(?:in|at|across)\s(?:its\s)?(?P<place>[A-Z][\w.\-]+(?:\s[A-Z][\w.\-]+){0,2}(?:,\s[A-Z][\w.]+(?:\s[A-Z]\w+)?)?)"
)
_KINDS = tuple(
    (slug, gated(rf"\b(?:{words})\b", re.I))
    for slug, words in (
        ("full_time", "full[- ]time"),
        ("part_time", "part[- ]time"),
        ("contract", "contract(?:or)? (?:jobs|roles|positions|work)|contractors?|freelance"),
        ("internship", "interns?|internships?|apprentices?(?:hips?)?"),
        ("temporary", "seasonal|temporary|holiday (?:jobs|hiring)"),
        ("remote", "fully remote|remote (?:jobs|roles|positions)|work-from-home"),
    )
)
_LEVELS = tuple(
    (slug, gated(rf"\b(?:{words})\b", re.I))
    for slug, words in (
        ("c_level", "chief|c[tefmo]o"),
        ("vp", "vice president|vp"),
        ("director", "directors?"),
        ("head", "head"),
        ("lead", "lead"),
        ("manager", "managers?"),
        ("senior", "senior"),
        ("entry", "entry[- ]level|graduates?|interns?|apprentices?"),
    )
)

"""The other signals: acquisition, job change, hiring, new company. Precision first: only what the headline says plainly counts.

What belongs here: which of the four a document is, and their fields under the names of Signalbase's payloads (spec section 5) in
snake case, in ``Mention.details``. What does not: how each is read (acquisitions, job_changes, hiring).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pipeline.signals.acquisitions import find_acquisition
from pipeline.signals.company import name_in
from pipeline.signals.gated import gated
from pipeline.signals.headline import Headline
from pipeline.signals.hiring import find_hiring
from pipeline.signals.job_changes import find_job_change
from pipeline.signals.location import find_location
from pipeline.signals.model import Evidence, Mention, SignalType
from pipeline.signals.text import Text
from pipeline.signals.website import find_linkedin, find_website

# Shares of right ones on the half of the labelled stream that no rule was written with (docs/analysts/signals.md).
CONFIDENCE = {
    SignalType.ACQUISITION: 0.9,
    SignalType.JOB_CHANGE: 0.95,
    SignalType.HIRING: 0.7,
    SignalType.NEW_COMPANY: 0.7,
}
LONGEST_EVIDENCE = 400


def find_other(mention: Mention, text: Text, headline: Headline) -> Mention:
    """``mention`` with the signal of the headline, if it is one of the four; else of type none."""
    title = bare_title(headline.plain)
    if not _ANY_SIGNAL.search(title):
        return _none(mention)
    for read in _READERS:
        if read(mention, text, title):
            return _complete(mention, text, headline)
    return _none(mention)


def bare_title(title: str) -> str:
    """A title without tickers in parentheses and the name of a news series before it."""
    return " ".join(_TICKER.sub(" ", _SERIES.sub("", title)).split())


def _none(mention: Mention) -> Mention:
    if mention.set_aside_reason is None:
        mention.set_aside_reason = "not_funding"
    return mention


def _complete(mention: Mention, text: Text, headline: Headline) -> Mention:
    mention.set_aside_reason = None
    mention.confidence_score = CONFIDENCE[mention.signal_type]
    mention.confidence_reasons = [{"cue": f"headline_{mention.signal_type.value}", "effect": 0.85}]
    _note(mention, "company_name", mention.company_name, headline.plain, "title")
    # Whose link and place a text of two companies gives is anybody's guess.
    if mention.signal_type is not SignalType.ACQUISITION:
        website = find_website(text, mention.company_name, None)
        if website:
            mention.website = website.host
            _note(mention, "website", website.host, website.text, "body")
        location = find_location(text, headline, mention.company_name)
        if location:
            mention.city, mention.country = location.place.city, location.place.country
            _note(mention, "location", ", ".join(filter(None, (mention.city, mention.country))), location.text, "body")
    return mention


def _acquisition(mention: Mention, text: Text, title: str) -> bool:
    """``company_name`` is the acquired one (Signalbase); ``amount`` what is paid."""
    found = find_acquisition(title, text)
    if found is None:
        return False
    mention.signal_type, mention.company_name = SignalType.ACQUISITION, found.acquired
    if found.price:
        mention.amount, mention.currency = found.price.amount, found.price.currency
    mention.details = {
        "acquiring_company": found.acquirer,
        "acquired_company": found.acquired,
        "amount": str(found.price.amount) if found.price else None,
        "currency": found.price.currency if found.price else None,
        "percentage": found.percentage,
        "is_completed": found.is_completed,
        "is_merger": found.is_merger,
    }
    for field, sentence in found.sources.items():
        _note(mention, field, mention.details[field], sentence, "title" if sentence == title else "body")
    return True


def _job_change(mention: Mention, text: Text, title: str) -> bool:
    found = find_job_change(title, text)
    if found is None:
        return False
    mention.signal_type, mention.company_name = SignalType.JOB_CHANGE, found.company
    mention.details = {
        "person_name": found.person,
        "person_linkedin_url": find_linkedin(text, found.person),
        "new_role": found.role,
        "company_name": found.company,
    }
    _note(mention, "person_name", found.person, title, "title")
    _note(mention, "new_role", found.role, found.role_text, "title" if found.role_text == title else "body")
    return True


def _hiring(mention: Mention, text: Text, title: str) -> bool:
    found = find_hiring(title, text)
    if found is None:
        return False
    mention.signal_type, mention.company_name = SignalType.HIRING, found.company
    opening = {
        "title": found.title,
        "positions": found.positions,
        "location": found.location,
        "city": found.city,
        "country": found.country,
        "employment_type": found.employment_type,
        "seniority_level": found.seniority_level,
    }
    mention.details = {"hiring_details": [opening]}
    for field in ("title", "positions"):
        _note(mention, field, opening[field], title, "title")
    return True


def _new_company(mention: Mention, text: Text, title: str) -> bool:
    """A company founded now: "founders found X", "X emerges from stealth", or a lead that calls X a new company."""
    emerges, founds = _EMERGES.search(title), _FOUND.search(title)
    people = _PEOPLE_FOUND.search(title)
    if people:
        phrase, stated, origin = people["name"] or people["new"], people["said"].strip(), "title"
    elif emerges:
        phrase, stated, origin = title[: emerges.start()], emerges[0].strip(), "title"
    elif founds and (said := _FOUNDED_NOW.search(text.lead)):
        phrase, stated, origin = founds["name"], said[0], "body"
    else:
        return False
    company = name_in(phrase)
    if not company or _NO_COMPANY.search(company):
        return False
    mention.signal_type, mention.company_name = SignalType.NEW_COMPANY, company
    mention.details = {"company_name": company, "stated": stated}
    _note(mention, "stated", stated, stated, origin)
    return True


def _note(mention: Mention, field: str, value: object, text: str, origin: str) -> None:
    if value is not None:
        mention.evidence.append(Evidence(field, str(value), text[:LONGEST_EVIDENCE], origin))


_READERS: tuple[Callable[[Mention, Text, str], bool], ...] = (_job_change, _acquisition, _hiring, _new_company)
# A cheap look first: nearly all documents are none of these.
_ANY_SIGNAL = gated(
    r"\b(?:acqui\S+|merge\w*|stake|nabs|grabs|absorbs?|pockets|agrees|wraps|seals|clinches|buys|bought|swallow\w*|scoop\w*"
    r"|gobbl\w*|picks up|sold to|sells|private|lures|poaches|lands|picks|new|to (?:lead|head|run)|succeeds|succeed|returns"
    r"|steps back|replaces"
    r"|steps (?:down|in)|takes the|resigns|snap\w*|to buy|purchase\w*|take\w* over|subsidiary|appoint\w*|names?|named"
    r"|hires?|hiring|promote\w*|taps"
    r"|welcome\w*|selects|elevates|adds?|recruit\w*|elect\w*|brings?|announce\w*|unveils|engages|installs|joins?"
    r"|joined|become\w*|jobs|roles"
    r"|positions|openings|vacancies|seek\w*|creat\w*|headcount|workforce|staff|employ|team|looking for|take on|recruitment"
    r"|apprenticeships|stealth|spins?|new company|launch\w*|found\w*|start\w*"
    r"|set\w* up|establish\w*)\b",
    re.I,
)
_SERIES = gated(r"^\w{2,30}Breaks?\s[–—-]\s")
_TICKER = gated(
    r"\s?\((?:[^()]{0,60}:[^()]{1,40}|\$?[A-Z][A-Z0-9.]{1,9}|[^()]*\b(?:Nasdaq|NYSE|OTC\w*|TSX\w*|CSE|LSE|ASX)\b[^()]*)\)", re.I
)
_NO_COMPANY = gated(
    r"\b(?:stake|shares|assets?|company|startup|firm|rights|building|hotel|acres?|land|property|companies"
    r"|interest|technology|business|the|this|new|another)$|^\d",
    re.I,
)
_EMERGES = gated(
    r"\s(?:emerges|exits|comes out|launches|steps out) (?:from|of|out of)?\s?stealth\b"
    r"|\s(?:officially )?launches as (?:an? )?(?:(?:new|independent|standalone|separate)\s)+(?:company|startup|business|firm)\b"
    r"|\sofficially launches as (?:an? )?(?:company|startup)\b|\sspins? out (?:of|from)\s",
    re.I,
)
_FOUND = gated(
    r"\s(?:co-?)?(?:found|founds|found(?:ed)?|start|starts|launch|launches|set up|sets up|establish"
    r"|establishes)\s(?P<name>[A-Z0-9][\w.&'’\-]*(?:\s[A-Z0-9][\w.&'’\-]*){0,3})"
)
# "Ex-Google engineers launch Acme, a new data company", "Former executives found Acme"
_PEOPLE_FOUND = gated(
    r"\b(?i:engineers|executives|execs|founders|researchers|scientists|veterans|alumni|alums|employees|professors|brothers"
    r"|sisters|duo|trio"
    r"|leaders|bankers|operators|partners)(?P<said>\s(?:(?i:co-?found|found|set up)\s(?P<name>[A-Z0-9][\w.&’'\-]*"
    r"(?:\s[A-Z0-9][\w.&’'\-]*){0,3})(?=$|,|\s(?i:to|as|with)\s)"
    r"|(?i:launch|start|unveil|form"
    r"|create)\s(?P<new>[A-Z0-9][\w.&’'\-]*(?:\s[A-Z0-9][\w.&’'\-]*){0,3}),\s(?i:an?\snew)\s(?i:(?:[\w\-]+\s){0,3}"
    r"(?:company|start-?up|firm|venture))\b))"
)
_FOUNDED_NOW = gated(
    r"\bis a new (?:\w+ )?(?:company|start-?up|firm|venture|business)\b|\bfounded (?:it "
    r"|the company )?(?:this|last) (?:week|month|year)\b"
    r"|\bnew(?:ly founded|ly formed)? (?:company|start-?up) (?:called|named)\b",
    re.I,
)

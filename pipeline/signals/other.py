"""The other signals: acquisition, job change, hiring, new company. Precision first: only plain headlines count.

Field names follow Signalbase's payloads (spec section 5) in snake case, under ``Mention.details``.
"""

from __future__ import annotations

import re
from typing import Any

from pipeline.signals.company import name_in
from pipeline.signals.headline import Headline
from pipeline.signals.model import Evidence, Mention, SignalType
from pipeline.signals.money import find_money
from pipeline.signals.people import PERSON
from pipeline.signals.text import Text

CONFIDENCE = 0.7


def find_other(mention: Mention, text: Text, headline: Headline) -> Mention:
    """``mention`` with the signal of the headline, if it is one of the four; else of type none."""
    for read in (_job_change, _acquisition, _hiring, _new_company):
        if read(mention, text, headline.plain):
            mention.confidence_score = CONFIDENCE
            mention.confidence_reasons = [{"cue": f"headline_{mention.signal_type.value}", "effect": 0.85}]
            if mention.company_name:
                mention.evidence.append(Evidence("company_name", mention.company_name, headline.plain, "title"))
            return mention
    if mention.set_aside_reason is None:
        mention.set_aside_reason = "not_funding"
    return mention


def _acquisition(mention: Mention, text: Text, title: str) -> bool:
    """acquirer "acquires" acquired; passive "acquired by". ``company_name`` is the acquired one (Signalbase)."""
    active, passive = _ACQUIRES.search(title), _ACQUIRED_BY.search(title)
    if passive:
        acquired, acquirer = title[: passive.start()], title[passive.end() :]
    elif active:
        acquirer, acquired = title[: active.start()], title[active.end() :]
    else:
        return False
    if _NOT_A_DEAL.search(title):
        return False
    buyer, bought = name_in(_first_clause(acquirer)), name_in(_first_clause(_SHARE.sub("", acquired)))
    if not buyer or not bought or _NOT_A_COMPANY.search(bought) or not bought[:1].isupper():
        return False
    money = find_money(title) or find_money(text.lead)
    share = _PERCENT.search(title) or _PERCENT.search(text.lead[:600])
    mention.signal_type, mention.company_name = SignalType.ACQUISITION, bought
    if money:
        mention.amount, mention.currency = money[0].amount, money[0].currency
    mention.details = {
        "acquiring_company": buyer,
        "acquired_company": bought,
        "amount": str(money[0].amount) if money else None,
        "currency": money[0].currency if money else None,
        "percentage": share["share"] if share else None,
        "is_completed": not _FUTURE.search(title),
    }
    return True


def _job_change(mention: Mention, _text: Text, title: str) -> bool:
    """company "appoints" person "as" role; person "joins" company "as" role."""
    for pattern in _JOB_CHANGES:
        match = pattern.search(title)
        if not match:
            continue
        company = name_in(match["company"])
        role = match["role"].strip(" ,.")
        if not company or not _ROLE.search(role):
            continue
        mention.signal_type, mention.company_name = SignalType.JOB_CHANGE, company
        mention.details = {"person_name": match["person"].strip(), "new_role": role, "company_name": company}
        return True
    return False


def _hiring(mention: Mention, _text: Text, title: str) -> bool:
    """company "is hiring" a role, or "to hire/create N jobs"."""
    match = _HIRING.search(title)
    if not match:
        return False
    company = name_in(title[: match.start()])
    if not company or _NOT_A_COMPANY.search(company):
        return False
    details: dict[str, Any] = {
        "title": (match["role"] or "").strip(" ,.") or None,
        "positions": match["count"],
        "location": None,
    }
    where = _IN_PLACE.search(title[match.end() :])
    details["location"] = where["place"] if where else None
    mention.signal_type, mention.company_name, mention.details = SignalType.HIRING, company, {"hiring_details": [details]}
    return True


def _new_company(mention: Mention, text: Text, title: str) -> bool:
    """A company founded now: "founders found X", "X emerges from stealth", or a lead that calls X a new company."""
    emerges, founds = _EMERGES.search(title), _FOUND.search(title)
    if emerges:
        phrase, stated = title[: emerges.start()], emerges[0].strip()
    elif founds and _FOUNDED_NOW.search(text.lead):
        phrase, stated = founds["name"], title
    else:
        return False
    company = name_in(phrase)
    if not company or _NOT_A_COMPANY.search(company):
        return False
    mention.signal_type, mention.company_name = SignalType.NEW_COMPANY, company
    mention.details = {"company_name": company, "stated": stated}
    return True


def _first_clause(phrase: str) -> str:
    return _CLAUSE.split(phrase.strip(), maxsplit=1)[0]


_ACQUIRES = re.compile(
    r"\s(?:has\s|officially\s|completes (?:its |the )?acquisition of|closes acquisition of"
    r"|announces (?:the )?(?:completion of )?(?:its |the )?acquisition of|to acquire|acquires"
    r"|acquired(?!\sby)|buys|snaps up|agrees to (?:acquire|buy)"
    r"|signs (?:definitive )?agreement to acquire)\s?(?:acquires\s|acquired\s)?",
    re.I,
)
_ACQUIRED_BY = re.compile(r"\s(?:is |was |to be |has been |gets )?(?:acquired|bought) by\s", re.I)
_NOT_A_DEAL = re.compile(
    r"\bacquires? (?:customers|users|talent|rights|licen[cs]e|patent|land|property|shares of its own)"
    r"|\bthinking about|\brumou?r|\bin talks|\breportedly|\bcould\b|\bmay acquire|\bshares?\b"
    r"|\bapartments?|\bmultifamily|\bportfolio\b|\bsquare|\bproperty\b|\bhotel\b|\bproperties\b|\broyalt"
    r"|\bwebsite domain|\bbitcoin\b",
    re.I,
)
_SHARE = re.compile(
    r"^\s*(?:an?\s)?(?:(?:majority|minority|controlling|remaining)\s)?(?:\d+(?:\.\d+)?\s?(?:%|percent|pc"
    r"|per cent))?\s?(?:stake|interest|ownership|shares?)?\s?(?:in|of)\s(?=[A-Z])"
    r"|^\s*(?:substantially )?(?:all of|assets of|the assets of|maker|startup)\s",
    re.I,
)
_PERCENT = re.compile(
    r"\b(?P<share>\d{1,3}(?:\.\d+)?)\s?(?:%|percent\b|pc\b|per cent\b)(?=\s(?:stake|of|interest|ownership|equity|share))", re.I
)
_FUTURE = re.compile(r"\bto (?:acquire|buy|be acquired)\b|\bagrees?\b|\bagreement\b|\bplans?\b", re.I)
_CLAUSE = re.compile(
    r",\s|\s(?:for\s(?=[$€£₹\d])|for\s(?:an?\s)?(?:undisclosed|enterprise)|to\s(?=[a-z])|to (?:expand"
    r"|build|accelerate|strengthen|boost|create|add|bolster|enhance)\b|in\s(?:an?\s)?(?:[$€£₹]|\S*(?:deal"
    r"|roll-up|transaction))|as\s(?:it|part)|from\s|amid\s|with\s|after\s|will\s|expanding\s|\(|—|–|-\s)|;"
    r"|:",
    re.I,
)
_NOT_A_COMPANY = re.compile(
    r"\b(?:stake|shares|assets?|company|startup|firm|rights|building|hotel|acres?|land|property|companies"
    r"|interest|technology|business|the|this|new|another)$|^\d",
    re.I,
)
_ROLE = re.compile(
    r"\b(?:chief|ceo|cto|cfo|coo|cmo|cro|cpo|ciso|president|officer|director|vp|vice president|svp|evp"
    r"|head|partner|chair\w*|manager|counsel|board|lead|principal|secretary|treasurer|advis[eo]r)\b",
    re.I,
)
_C = r"(?P<company>[A-Z0-9][^,:;]{1,60}?)"
_AS = r"(?i:as|to(?: the (?:role|position) of)?)\s(?i:its\s|the\s|new\s|their\s|an?\s)*"
_JOB_CHANGES = (
    re.compile(
        rf"^{_C}\s(?i:appoints|names|hires|promotes|taps|welcomes|announces(?: the)? appointment of|selects"
        rf"|elevates|adds|brings on)\s"
        rf"(?i:\w+\s(?:executive|veteran|leader|expert)\s)?(?P<person>{PERSON})(?:,[^,]{{1,20}},)?,?\s{_AS}(?P<"
        rf"role>[A-Z][^,;:]{{1,80}})"
    ),
    re.compile(
        rf"^(?P<person>{PERSON})\s(?i:joins|named|appointed|promoted)\s(?i:to\s|at\s)?{_C}\s{_AS}(?P<role>[A-Z][^,;:]{{1,80}})"
    ),
    re.compile(
        rf"^(?P<person>{PERSON})\s(?i:named|appointed|promoted to"
        rf"|becomes)\s(?i:as\s)?(?P<role>[A-Z][^,;:]{{1,60}}?)\s(?i:of|at|for)\s"
        r"(?P<company>[A-Z0-9][^,:;]{1,60})$"
    ),
)
_HIRING = re.compile(
    r"\s(?:is hiring|is looking to hire|now hiring|plans to hire|to hire|to create|to add|will create"
    r"|will hire)\s(?:(?:over|more than|up to|about|an?"
    r"|nearly)\s)?(?P<count>\d[\d,]*)?\s?(?P<role>(?:(?:new|additional|local)\s)?[\w\- ]{0,40}?(?:jobs"
    r"|positions|roles|engineers|employees|people|workers|developers|staff|manager|director|officer))\b",
    re.I,
)
_IN_PLACE = re.compile(r"\b(?:in|at|across)\s(?P<place>[A-Z][\w.\- ]+(?:,\s[A-Z][\w.]+)?)")
_EMERGES = re.compile(
    r"\s(?:emerges|exits|comes out|launches|steps out) (?:from|of|out of)?\s?stealth\b"
    r"|\sofficially launches as (?:an? )?(?:new )?(?:company|startup)\b|\sspins? out (?:of|from)\s",
    re.I,
)
_FOUND = re.compile(
    r"\s(?:co-?)?(?:found|founds|found(?:ed)?|start|starts|launch|launches|set up|sets up|establish"
    r"|establishes)\s(?P<name>[A-Z0-9][\w.&'’\-]*(?:\s[A-Z0-9][\w.&'’\-]*){0,3})"
)
_FOUNDED_NOW = re.compile(
    r"\bis a new (?:\w+ )?(?:company|start-?up|firm|venture|business)\b|\bfounded (?:it "
    r"|the company )?(?:this|last) (?:week|month|year)\b"
    r"|\bnew(?:ly founded|ly formed)? (?:company|start-?up) (?:called|named)\b",
    re.I,
)

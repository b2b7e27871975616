"""Which named cues a document shows: in its title, its lead, its news, and such as mean something only together.

What belongs here: finding them, each with the text it was seen in. What does not: the words themselves (cues, money_cues,
title_vetoes), and what follows from them (detect).
"""

from __future__ import annotations

import re

from pipeline.signals import cues, money_cues
from pipeline.signals.gated import gated
from pipeline.signals.headline import Headline
from pipeline.signals.money import Money, find_money
from pipeline.signals.places import city_country, region_country
from pipeline.signals.text import Text
from pipeline.signals.title_vetoes import ASIDE, TITLE_VETOES

DEEPEST_SENTENCE = 60
LONGEST_NEWS = 6_000  # characters in which what a story is about has been said
LONGEST_TEASER = 500  # characters; a feed's excerpt need not tell of the round its title names


def find_cues(text: Text, headline: Headline) -> tuple[dict[str, str], tuple[int, ...]]:
    """(cue name → text it was seen in, indexes of the sentences of ``text.news`` that report a round now)."""
    found = _title_cues(headline)
    body, events = _body_cues(text)
    found.update(body)
    if "title_money_is_round" not in found and (
        other := _lead_says_other(text, headline) if headline.monies else found.get("debt_deal")
    ):
        found["title_money_other"] = other
    found.update(_joint_cues(found))
    return found, events


def _title_cues(headline: Headline) -> dict[str, str]:
    found: dict[str, str] = {}
    title = headline.plain
    if headline.side == "company":
        kind = "raise" if _PLAIN_RAISE.match(headline.verb) else "gets"
        found[f"title_{kind}"] = headline.verb
        if headline.money_after_verb:
            found[f"title_{kind}_money"] = headline.money_after_verb.text
    elif headline.side != "none":
        found[f"title_{headline.side}_side"] = headline.verb or headline.subject
    if headline.monies:
        found["title_money"] = headline.monies[0].text
    if headline.round_name:
        found["title_round"] = headline.round_name
        if headline.monies:
            found["title_money_round"] = headline.round_name
    if led := cues.LED_BY.search(title):
        found["title_led_by"] = led[0]
    if company := cues.COMPANY_WORDS.search(title):
        found["title_startup"] = company[0]
    if source := _FROM_FUND.search(title):
        found["title_from_fund"] = source[0]
    if (aside := money_cues.PAST_ASIDE.search(title)) and not (
        money_cues.VALUATION.search(title) or _is_object(headline, aside.start())
    ):
        found["title_past_funding"] = aside[0]
    found.update(_money_noun(headline))
    found.update(_subject_cues(headline))
    if headline.side == "company" and region_country(headline.subject):
        found["title_market_stat"] = headline.subject  # "Thailand secures $4bn": a country's figures, no company's round
    owner = headline.subject.rsplit(": ", 1)[-1] if headline.side == "nominal" else ""
    if owner and (region_country(owner) or city_country(owner)) and not _STAGE.search(title):
        found["title_market_stat"] = owner  # "Austin's $8B VC funding": a city's
    plain = ASIDE.sub(" ", _without_purpose(headline))
    no_givers = _GIVERS.sub("", plain) if headline.side == "company" else plain
    lowered = plain.lower()
    for name, veto in TITLE_VETOES.items():
        if name == "debt" and _MIXED.search(plain):
            continue
        if veto.may_match_lowered(lowered) and (match := veto.search(no_givers if name == "fund_close" else plain)):
            found[f"title_{name}"] = match[0]
    return found


def _subject_cues(headline: Headline) -> dict[str, str]:
    """Who gets or gives the money: a fund, or something that is no company at all."""
    found: dict[str, str] = {}
    if headline.side == "company" and headline.subject:
        firm = cues.FUND_NAME.search(headline.subject) or cues.INVESTMENT_FIRM.search(headline.subject)
        if firm:
            found["title_fund_raises"] = firm[0]
    if headline.side == "investor" and headline.verb.lower().startswith("invest"):
        thing = _INTO_THING.search(headline.rest)
        if thing and not _CAPITAL.search(thing["what"]):
            found["title_into_thing"] = thing["what"]  # "invests $1B in data centres": no company is named
    return found


def _without_purpose(headline: Headline) -> str:
    """The title without "… to automate contracts", "…, which sells gifts, …" and a second sentence.

    What the money is for, or the company does, says nothing against the round.
    """
    if headline.side != "company":
        return headline.plain
    money = headline.money_after_verb
    ends = [_PURPOSE.search(headline.plain, money.end), _NEXT_SENTENCE.search(headline.plain, money.end)] if money else []
    shorter = headline.plain[: min((end.start() for end in ends if end), default=None)]
    clause = _RELATIVE.search(shorter, 0, len(headline.subject) + 2)
    return shorter[: clause.start()] + shorter[clause.end() :] if clause else shorter


def _is_object(headline: Headline, place: int) -> bool:
    """Whether the news is the money itself, so that what stands behind ``place`` is a second round: "raises A after seed"."""
    money = headline.money_after_verb
    return (
        headline.side != "none"
        and bool(headline.verb)
        and (
            (money is not None and money.start < place)
            or (len(headline.plain) - len(headline.rest) <= place - 8 and bool(cues.ROUND_NAME.search(headline.plain[:place])))
        )
    )


def _money_noun(headline: Headline) -> dict[str, str]:
    """What the noun behind the headline's money says that it is."""
    money = headline.money_after_verb or next(iter(headline.monies), None)
    if money is None:
        return {}
    noun, is_round = _noun_behind(headline.plain, money)
    return {"title_money_is_round" if is_round else "title_money_other": noun} if noun else {}


def _lead_says_other(text: Text, headline: Headline) -> str | None:
    """What the lead says the headline's money is, where that is a loan, a grant, a fund: "raised $1 million in venture debt"."""
    money = headline.money_after_verb or next(iter(headline.monies), None)
    said = None
    for sentence in text.news[:3] if money else ():
        for same in find_money(sentence):
            if money is None or (same.amount, same.currency) != (money.amount, money.currency):
                continue
            noun, is_round = _noun_behind(sentence, same)
            if is_round:
                return None
            fund = _FUND_AT.search(sentence, max(0, same.start - 60), same.start)
            said = said or noun or (fund[0] if fund else None)
    return said


def _noun_behind(sentence: str, money: Money) -> tuple[str, bool]:
    """(the noun that says what ``money`` is, whether it is a round's); ("", False) where none does."""
    behind = _CONVERTED.sub("", sentence[money.end :].removeprefix(")"), count=1)
    of_round, of_other = money_cues.MONEY_IS_ROUND.match(behind), money_cues.MONEY_IS_OTHER.match(behind)
    if of_other and _AND_EQUITY.match(behind, of_other.end()):
        return of_other[0], True  # "in debt and equity": equity came too
    if of_other and not (of_round and of_round.end() <= of_other.end()):
        return of_other[0], False
    return (of_round[0], True) if of_round else ("", False)


def _body_cues(text: Text) -> tuple[dict[str, str], tuple[int, ...]]:
    found: dict[str, str] = {}
    events: list[int] = []
    recent: list[int] = []
    told: list[int] = []
    sentences = text.news
    if not sentences or len(text.body) < 40:
        return {"no_body": ""}, ()
    for index, sentence in enumerate(sentences[:DEEPEST_SENTENCE]):
        if not _may_report(sentence.lower()):
            continue
        if not cues.ROUND_IN_SENTENCE.search(sentence) and not _MONEY_EVENT.search(sentence):
            continue
        if not cues.EVENT.search(sentence):
            continue
        kind = _event_kind(sentence)
        depth = "lead" if index < 3 else "early" if index < 10 else "late"
        monies = find_money(sentence)
        if kind == "event" and _is_other_money(sentence, monies):
            found.setdefault(f"event_other_{depth}", sentence)  # "has raised $1 million in venture debt"
        elif kind == "event":
            events.append(index)
            has_money = bool(monies)
            has_round = bool(cues.ROUND_NAME.search(sentence))
            found.setdefault(f"event_{depth}", sentence)
            if has_money:
                found.setdefault(f"event_{depth}_money", sentence)
            if has_round:
                found.setdefault(f"event_{depth}_round", sentence)
            if cues.NOW.search(sentence):
                found.setdefault(f"event_{depth}_now", sentence)
            if has_money and has_round:
                found.setdefault(f"event_{depth}_full", sentence)
            if cues.SAYS_RAISED.search(sentence) and has_money and not cues.OFFERING_TERMS.search(sentence):
                found.setdefault("says_raised_lead" if index < 4 else "says_raised_deep", sentence)
            if cues.LED_BY.search(sentence) and (has_round or has_money):
                found.setdefault("round_led_lead" if index < 6 else "round_led_deep", sentence)
            if has_money and cues.SAYS_RAISED.search(sentence):
                told.append(index)
        else:
            found.setdefault(f"event_{kind}", sentence)
            if kind == "recent":
                recent.append(index)
                if cues.LED_BY.search(sentence) or cues.PARTICIPATION.search(sentence):
                    found.setdefault("event_recent_led", sentence)
    if len(text.body) < LONGEST_TEASER:
        found["teaser"] = ""
    found.update(_whole_body_cues(text, found.get("event_lead_full")))
    for index in told:
        near = " ".join(sentences[index : index + 3])
        if cues.LED_BY.search(near) or cues.PARTICIPATION.search(near) or cues.JOINS_BOARD.search(near):
            found.setdefault("told_with_backers", sentences[index])  # a feature's one paragraph on its round
    # A feature that tells of a recent round only: that is where to read it.
    return found, tuple(events or recent)


def _is_other_money(sentence: str, monies: list[Money]) -> bool:
    """Whether all that the sentence says of its amounts is that they are a loan, a fund, a grant."""
    nouns = [_noun_behind(sentence, money) for money in monies]
    return any(noun and not is_round for noun, is_round in nouns) and not any(is_round for _, is_round in nouns)


def _may_report(lowered: str) -> bool:
    """A substring of each way of reporting a round: most sentences have none, and need no pattern."""
    return any(map(lowered.__contains__, _REPORT_HINTS))


# Each alternative of cues.ROUND_IN_SENTENCE and _MONEY_EVENT holds one of these.
_REPORT_HINTS = (
    "round", "rais", "fund", "invest", "secur", "seed", "series", "financ", "capital", "equity", "clos", "receiv", "backing",
    "stake", "money", "cash", "allot", "share", "land", "bag", "nab", "nett",
)  # fmt: skip


def _event_kind(sentence: str) -> str:
    if cues.PLANNED.search(sentence):
        return "planned"
    if cues.PAST.search(sentence):
        return "event_now_and_past" if cues.NOW.search(sentence) and _STRONG_NOW.search(sentence) else "past"
    if cues.RECENT.search(sentence):
        return "recent"
    return "event"


def _whole_body_cues(text: Text, full: str | None) -> dict[str, str]:
    """``full``: the sentence of the lead that names both a round and its money, if there is one."""
    found: dict[str, str] = {}
    news = text.body[: min(text.news_end, LONGEST_NEWS)]
    lead = text.lead
    if firm := cues.INVESTMENT_FIRM.search(_before_money(text.news[0])):
        found["lead_investment_firm"] = firm[0]
    lowered = news.lower()
    has_equity = full is not None and not _is_other_money(full, find_money(full))
    for name, pattern in _NEWS_CUES:
        if pattern.may_match_lowered(lowered) and (match := pattern.compiled.search(news)):
            found[name] = match[0]
    for name, pattern in _LEAD_CUES:
        if has_equity and name in _OF_DEBT:
            continue  # a round with a loan beside it
        if match := pattern.search(lead):
            found[name] = match[0]
    return found


def _before_money(sentence: str) -> str:
    """What the first sentence says of its subject: all before its first amount, and before who gives it."""
    monies = find_money(sentence)
    head = sentence[: monies[0].start] if monies else sentence
    giver = _GIVERS.search(head)
    return head[: giver.start()] if giver else head


def _joint_cues(found: dict[str, str]) -> dict[str, str]:
    """Cues that mean something only together."""
    joint: dict[str, str] = {}
    if "use_of_funds" in found and ("led_by" in found or "participation" in found):
        joint["round_story"] = found["use_of_funds"]
    says_more = not found.keys() & {"no_body", "teaser"} or "event_lead_full" in found
    hard = TITLE_VETOES.keys() - (_SOFT_VETOES if says_more else frozenset())
    vetoes = [name for name in found if name.startswith("title_") and name.removeprefix("title_") in hard]
    vetoes += [name for name in ("title_past_funding", "title_money_other") if name in found]
    if vetoes:
        joint["title_vetoed"] = ", ".join(vetoes)
    is_told = any(name.startswith("event_") and name not in ("event_past", "event_planned") for name in found)
    if not is_told and not found.keys() & {"no_body", "teaser"}:
        joint["no_event"] = ""
    if found.keys() & {"title_fund_raises", "lead_investment_firm"} and found.keys() & {"title_raise", "title_gets"}:
        joint["fund_raises"] = found.get("title_fund_raises") or found["lead_investment_firm"]
    if not vetoes and not found.keys() & _OTHER_TERMS:
        if found.keys() & {"title_raise", "title_gets", "title_nominal_side"} and found.keys() & _TOLD_AT_ONCE:
            joint["title_and_lead_agree"] = found.get("event_lead_full") or found.get("event_lead_money") or ""
        if (
            not found.keys() & _TITLE_TELLS
            and found.keys() >= _LEAD_TELLS
            and found.keys() & _BACKERS_TOLD | ({"investor_title"} & found.keys() if "teaser" in found else frozenset())
        ):
            joint["lead_tells_all"] = found[
                "event_lead_full"
            ]  # the headline is about the product, its first lines about the round
        if "told_with_backers" in found:
            joint["told_with_backers_alone"] = found["told_with_backers"]
    if "event_other_lead" in found and "event_lead_money" not in found:
        joint["event_other_alone"] = found["event_other_lead"]  # the only money that is told of is a loan, a grant, a fund
    if "title_raise" in found and "no_body" in found:
        joint["headline_raise"] = found["title_raise"]
    return joint


_PURPOSE = gated(r"\sto\s(?=[a-z])", re.I)
_NEXT_SENTENCE = gated(r"(?<=\w[\w)])[.;]\s(?=[A-ZÀ-Þ])")
# "raises $6M in equity and $9M in debt": equity came too.
_MIXED = gated(
    r"\b(?:equity|series [a-h])\b.{0,40}(?:\band\b|\bplus\b|\bwith\b|[&+,])\s.{0,30}\b(?:debt|loans?|credit)\b"
    r"|\bdebt\s(?:and|&|\+|plus)\s.{0,20}\b(?:equity|series [a-h])\b|\bequity[\s\-](?:and[\s\-])?debt\b",
    re.I,
)
_RELATIVE = gated(r"\s(?:that|which|who)\s[^,]+(?=,|$)")
_INTO_THING = gated(r"\b(?:in|into)\s(?P<what>.+)$")
_CAPITAL = re.compile(r"[A-ZÀ-Þ]|\d|\w\.\w")
_CONVERTED = re.compile(r"^\s?\([^)]{1,40}\)")
_STAGE = re.compile(r"\b(?:seed|series)\b", re.I)
_AND_EQUITY = re.compile(r"\s(?:and|&|\+|plus)\s(?:\w+\s)?equity\b", re.I)
# "closed its third fund at $150 million", "was awarded €30 million"
_FUND_AT = re.compile(
    r"\bfund(?:\s[IVX\d]+)?,?\s(?:at|of|with|on|worth)\s(?:\w+\s){0,2}$|\b(?:was|were|been) awarded\s(?:\w+\s){0,2}$", re.I
)
_GIVERS = gated(r"\s(?:led by|from|by|backed by|via)\s.*$", re.I)
# Headlines that say little of what the text below them tells: their cues weigh by themselves.
_SOFT_VETOES = frozenset({"commentary", "partnership", "contract", "appointment"})
# What the text also says where the money is no round: with one of these, a round told in full is not yet believed.
_OTHER_TERMS = frozenset(
    {"public_company", "offering_terms", "token_terms", "debt_terms", "lead_investment_firm", "fund_raises", "event_other_lead"}
)
_TITLE_TELLS = frozenset({"title_raise", "title_gets", "title_nominal_side", "title_investor_side"})
_LEAD_TELLS = frozenset({"event_lead_full", "says_raised_lead"})
_BACKERS_TOLD = frozenset({"led_by", "participation", "round_led_lead"})
_TOLD_AT_ONCE = frozenset({"event_lead_full", "says_raised_lead", "event_lead_money", "event_lead_round"})
_PLAIN_RAISE = gated(
    r"(?:has )?(?:rais|secur|clos|land|bag|nab|net|pick|scor|snag|snap|snar|haul|grab|pull|complet|clinch|bank|pocket|garner"
    r"|mop|rak|reel|rop|scoop)",
    re.I,
)
_FROM_FUND = gated(
    r"\b(?:from|by) .{0,60}?\b(?:ventures?|capital|partners|vc|angels?|investors?|accelerator)\b"
    r"|\b(?:ventures|capital|partners|vc) (?:investment|funding|backing|financing)\b",
    re.I,
)
_MONEY_EVENT = gated(
    r"\b(?:rais(?:e|es|ed|ing)|secur(?:ed|es|ing)|invest(?:ed|s|ment)|clos(?:ed|es|ing)|landed|bagged"
    r"|nabbed|received|netted)\b[^.]{0,80}?(?:[$€£₹¥]\s?\d|\d\s?(?:million|crore|cr\b))",
    re.I,
)
_STRONG_NOW = gated(
    r"\b(?:today announced|announced today|announces?|just (?:raised|closed|announced)|today|this week"
    r"|has (?:raised|closed|secured)|latest round|(?:proud|pleased|excited|thrilled) to announce)\b",
    re.I,
)
_NEWS_CUES = (
    ("use_of_funds", cues.USE_OF_FUNDS),
    ("led_by", cues.LED_BY),
    ("participation", cues.PARTICIPATION),
    ("investor_title", cues.INVESTOR_TITLE),
    ("offering_terms", cues.OFFERING_TERMS),
    ("offering_terms", cues.OFFERING_HOLDERS),
    ("fund_terms", cues.FUND_TERMS),
    ("token_terms", cues.TOKEN_TERMS),
    ("grant_terms", cues.GRANT_TERMS),
    ("charity_terms", cues.CHARITY_TERMS),
    ("never_raised", money_cues.NEVER_RAISED),
    ("brings_total", cues.BRINGS_TOTAL),
)
_OF_DEBT = frozenset({"debt_terms", "debt_deal"})
_LEAD_CUES = (
    ("public_company", cues.PUBLIC_COMPANY),
    ("debt_terms", cues.DEBT_TERMS),
    ("debt_deal", cues.DEBT_DEAL),
    ("acquisition_terms", cues.ACQUISITION_TERMS),
    ("lead_offering_terms", cues.OFFERING_TERMS),
    ("lead_offering_terms", cues.OFFERING_HOLDERS),
    ("lead_fund_terms", cues.FUND_TERMS),
    ("lead_round", cues.ROUND_NAME),
    (
        "lead_now",
        gated(
            r"\btoday announced|announced today|(?:proud|pleased|excited|thrilled|delighted) to announce|\bannounc(?:es|ed)\b",
            re.I,
        ),
    ),
)

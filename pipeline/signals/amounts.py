"""Which of the amounts in a text is the money announced now, and which are totals, valuations, markets or revenue."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipeline.signals.cues import MONEY_NOUN, ROUND_NAME
from pipeline.signals.gated import Gated, gated
from pipeline.signals.headline import Headline
from pipeline.signals.money import Money, find_money
from pipeline.signals.text import Text

WINDOW_BEFORE, WINDOW_AFTER = 70, 55
# Two spellings of one amount (rounded in the title) count as the same within this share.
SAME = Decimal("0.05")
DEEPEST_SENTENCE = 60


@dataclass(frozen=True, slots=True)
class Claim:
    """An amount with its role (announced, total, valuation, market, revenue, fund, price, past, debt, other) and place.

    ``place`` is -1 for the title, else the sentence's index in ``text.news``.
    """

    money: Money
    role: str
    place: int
    sentence: str
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Amount:
    """The money announced now; ``stated_usd`` where the text itself converts it to dollars; ``rivals`` of other claims."""

    claim: Claim
    stated_usd: Decimal | None
    rivals: tuple[Decimal, ...]


def find_amount(text: Text, headline: Headline, event_sentences: Sequence[int]) -> Amount | None:
    """The announced amount of a funding text, or None where it states none.

    The title's amount wins unless the body calls it a total or a valuation; else the best claim of the sentences that
    report the round, the earliest of equals.
    """
    claims = _claims(text, headline, frozenset(event_sentences))
    usable = [claim for claim in claims if claim.role == "announced"]
    totals = [claim.money for claim in claims if claim.role in ("total", "valuation")]
    best = _best(usable, totals)
    if best is None:
        best = _only_total(claims)
    if best is None:
        return None
    best = _original(best, claims)
    rivals = {
        claim.money.amount
        for claim in usable
        if claim.score >= 2 and not _same(claim.money, best.money) and not _converts(claim, best)
    }
    return Amount(best, _stated_usd(best, claims), tuple(sorted(rivals)))


def role_of(sentence: str, money: Money, neighbours: Sequence[Money] = ()) -> str:
    """What ``money`` is, by the words around it in ``sentence`` (up to the next amount on either side)."""
    left = max([0, money.start - WINDOW_BEFORE] + [other.end for other in neighbours if other.end <= money.start])
    right = min([len(sentence), money.end + WINDOW_AFTER] + [other.start for other in neighbours if other.start >= money.end])
    before, after = sentence[left : money.start], sentence[money.end : right]
    # "raises $5.5m": what stands further left ("sales platform X raises") says nothing of this amount.
    is_object = bool(_OBJECT.search(before) or (_WITH_ROUND.search(before) and _ROUND_NEXT.match(after)))
    for role, before_pattern, after_pattern in _ROLES:
        if after_pattern.match(after) or (before_pattern.search(before) and not (is_object and role in _CONTEXT_ROLES)):
            return role
    if is_object or _RAISED.search(sentence[max(0, money.start - 110) : money.start]):
        return "announced"
    near = after[:45]
    return "announced" if MONEY_NOUN.search(near) or ROUND_NAME.search(near) or MONEY_NOUN.search(before[-40:]) else "other"


def _claims(text: Text, headline: Headline, events: frozenset[int]) -> list[Claim]:
    found: list[Claim] = []
    for money in headline.monies:
        role = role_of(headline.plain, money, headline.monies)
        role = "announced" if role == "other" and headline.side != "none" else role
        if money is headline.money_after_verb and headline.verb.rstrip().endswith(
            (" a", " an", " its", " after", " following")
        ):
            role = "announced"  # "is worth $1.2B after a fresh $150M round": the round is the news, not a past one
        score = 6.0 if money is headline.money_after_verb or headline.side == "nominal" else 4.0
        found.append(Claim(money, role, -1, headline.plain, score))
    for index, sentence in enumerate(text.news[:DEEPEST_SENTENCE]):
        monies = find_money(sentence)
        for money in monies:
            role = role_of(sentence, money, monies)
            score = (2.5 if index in events else 0.0) + (1.5 if index < 3 else 1.0 if index < 8 else 0.0)
            score += 1.0 if ROUND_NAME.search(sentence) else 0.0
            score += 0.5 if _RAISED.search(sentence) else 0.0
            score -= 2.5 if _LONG_AGO.search(sentence) else 0.0
            found.append(Claim(money, role, index, sentence, score))
    return found


def _best(usable: list[Claim], totals: list[Money]) -> Claim | None:
    if not usable:
        return None
    scored: list[tuple[float, int, int, Claim]] = []
    for order, claim in enumerate(usable):
        score = claim.score + 0.75 * sum(1 for other in usable if other is not claim and _same(other.money, claim.money))
        if any(_same(total, claim.money) for total in totals) and _has_smaller_rival(claim, usable):
            score -= 5.0 if claim.place == -1 else 3.0
        scored.append((score, -claim.place, -order, claim))
    best = max(scored, key=lambda item: item[:3])
    return best[3] if best[0] >= 1.5 else None


def _has_smaller_rival(claim: Claim, usable: list[Claim]) -> bool:
    """Whether another amount could be the round of which this one is the total."""
    return any(
        other.score >= 2.5
        and other.money.currency == claim.money.currency
        and other.money.amount < claim.money.amount * (1 - SAME)
        for other in usable
    )


def _only_total(claims: list[Claim]) -> Claim | None:
    """Where a text gives but a total near its top ("has raised a total of $7 million"), that is what it announces.

    What all rounds together come to ("brings the total to $80 million", "to date") is no round's amount.
    """
    for claim in claims:
        if claim.role == "total" and claim.place <= 3 and not _ALL_ROUNDS.search(claim.sentence):
            return claim
    return None


def _original(best: Claim, claims: list[Claim]) -> Claim:
    """The same money in the currency it was raised in: "CHF 6.2M ($6.8M)" under a headline in dollars."""
    for pair in claims:
        if pair.place >= 0 and pair.role == "announced" and _same(pair.money, best.money):
            for other in claims:
                if other.place == pair.place and other.money.end <= pair.money.start and _converts(other, pair):
                    return other
    return best


def _stated_usd(best: Claim, claims: list[Claim]) -> Decimal | None:
    if best.money.currency == "USD":
        return best.money.amount
    dollars = [claim for claim in claims if claim.money.currency == "USD"]
    # "raises €7.6M" in the title, "€7.6 million (US$8.1 million)" in the body.
    for pair in (best, *(claim for claim in claims if _same(claim.money, best.money))):
        for claim in dollars:
            if _converts(claim, pair):
                return claim.money.amount
    return None


def _converts(claim: Claim, best: Claim) -> bool:
    """Whether ``claim`` is ``best`` in another currency, in brackets or after "or" right behind it."""
    if claim.place != best.place or claim.money.currency == best.money.currency:
        return False
    first, second = sorted((claim.money, best.money), key=lambda money: money.start)
    return bool(_CONVERSION.fullmatch(claim.sentence[first.end : second.start]))


def _same(one: Money, other: Money) -> bool:
    if one.currency != other.currency:
        return False
    return abs(one.amount - other.amount) <= SAME * max(one.amount, other.amount)


_OBJECT = gated(
    r"\b(?:rais(?:e|es|ed|ing)|secur(?:es|ed|ing)|clos(?:es|ed|ing)(?: on)?|land(?:s|ed)|bag(?:s|ged)"
    r"|nab(?:s|bed)|net(?:s|ted)|pick(?:s|ed) up|scor(?:es|ed)|receiv(?:es|ed)|gets|got|grab(?:s|bed)"
    r"|snag(?:s|ged)"
    r"|pull(?:s|ed) in|lands|collects|attract(?:s|ed)|gain(?:s|ed)|announc(?:es|ed|ing))\s(?:(?:an?|the"
    r"|its|another|further|additional|over|more than|nearly|about|around|approximately|roughly|almost|some"
    r"|up to|fresh|new|first|oversubscribed"
    r"|whopping|massive|hefty)\s)*$",
    re.I,
)
_WITH_ROUND = gated(r"\b(?:with|on|via)\s(?:(?:an?|its|the|another|new|fresh|over|nearly)\s)*$", re.I)
_ROUND_NEXT = gated(
    r"\s(?:(?:in|of)\s)?(?:[\w\-]+\s){0,3}?(?:seed|pre-?seed|series|round|raise|funding|financing|investment)\b", re.I
)
_ALL_ROUNDS = gated(r"\bbring(?:s|ing)?\b|\b(?:to[\s-]date|so far|since (?:its|the|inception|founding|launch))\b", re.I)
_CONTEXT_ROLES = frozenset({"market", "revenue", "price", "fund", "debt", "grant", "valuation"})
_NEVER = gated(r"(?!)")
_RAISED = gated(
    r"\b(?:rais(?:e|es|ed|ing)|secur(?:es|ed|ing)|clos(?:es|ed|ing|ure)|land(?:s|ed)|bag(?:s|ged)|nab(?:s"
    r"|bed)|net(?:s|ted)|pick(?:s|ed) up|scor(?:es|ed)|receiv(?:es|ed)|announc(?:es|ed|ing)"
    r"|attract(?:s|ed)|invest(?:s|ed|ing)|complet(?:es|ed|ion)|led|leads|completion of|funding of|round of"
    r"|investment of|gets|got|grab(?:s|bed)|took|snag(?:s|ged)|gain(?:s|ed)|has)\b",
    re.I,
)
_LONG_AGO = gated(
    r"\b(?:previous(?:ly)?|in 20[01]\d|in 202\d|last (?:year|raised|round)|years? ago|months? ago"
    r"|earlier (?:this year|round)|prior round|had raised|had previously|which (?:has )?raised"
    r"|after raising)\b",
    re.I,
)
_CONVERSION = gated(
    r"\s*[(\[,/]?\s*(?:or|about|approximately|approx\.?|around|roughly|circa|ca\.?|some|equivalent to"
    r"|i\.e\.|nearly|over|more than|~|≈|=|c\.)?\s*(?:about|approximately|around|roughly)?\s*",
    re.I,
)
# A word between an amount and the noun that says what it is; a preposition would begin another phrase.
_WORD = r"(?:(?!(?:to|for|from|by|as|with|after|and|at|on|into|that|which|while|amid|led|via)\b)\w+[\s-])"
_ROLES: tuple[tuple[str, Gated, Gated], ...] = (
    (
        "total",
        gated(
            r"\b(?:total(?:ling|ing|s|led)?(?: (?:funding|raised|capital|investment))?(?: (?:to date|raised|to|of"
            r"|over|is|at))*|to over|bring(?:s|ing)? .{0,60}\bto(?: (?:over|more than|nearly|about|around|almost"
            r"|approximately))?"
            r"|to date|so far|altogether|in all|cumulative(?:ly)?|overall|has now raised|raised (?:over|more than"
            r"|nearly|a combined)? ?(?:a )?total(?: of)?)\s*(?:to|of|is|at|over|more than|nearly|about"
            r"|around)?\s*$",
            re.I,
        ),
        gated(
            r"\W{0,2}\s?(?:in total\b|to date\b|total\b|so far\b|since (?:its|inception|founding|launch|20)"
            r"|(?:\w+\s){0,4}to[\s-]date\b|in (?:total|overall|combined|cumulative) (?:funding|capital|investment)"
            r"|of total (?:funding|capital)|total (?:funding|raised))",
            re.I,
        ),
    ),
    (
        "valuation",
        gated(
            r"\b(?:valuation|valued|values|valuing|valuations|worth|market cap(?:itali[sz]ation)?"
            r"|enterprise value)\b[^.,;]{0,45}$",
            re.I,
        ),
        gated(
            r"\s?-?(?:(?:pre|post)-?money|(?!at\b|to\b|on\b)(?:\w+\s)?valuation|market cap|in value\b|company\b|unicorn)", re.I
        ),
    ),
    (
        "fund",
        gated(r"\b(?:assets under management|AUM|manages|managing|oversees|fund size)\b[^.;]{0,35}$", re.I),
        gated(
            rf"\W{{0,2}}\s?(?:{_WORD}{{0,2}}fund(?!ing|rais)\b|in assets\b|(?:of |in )?(?:assets under management"
            r"|AUM|committed capital|capital under management))",
            re.I,
        ),
    ),
    (
        "market",
        gated(
            r"\b(?:market|industry|sector|opportunity|spend(?:ing|s)?|economy|losses|estimated|projected"
            r"|expected to (?:reach|grow)|costs?(?: \w+){0,3}|surpass\w*|tam)\b[^.;]{0,50}$",
            re.I,
        ),
        gated(
            rf"[+]?\s?(?:{_WORD}{{0,4}}(?:market|industry|sector|opportunity|economy|problem|category)\b"
            r"|by 20\d\d|(?:a|per|each|every) year|annually|globally)",
            re.I,
        ),
    ),
    (
        "revenue",
        gated(
            r"\b(?:revenues?|sales|ARR|MRR|GMV|turnover|profits?|loss(?:es)?|bookings|earnings|run[\s-]rate"
            r"|transactions?|volume|payments|savings?|saved|processed|processing|TVL|payouts?)\b[^.;]{0,45}$",
            re.I,
        ),
        gated(
            rf"\W{{0,2}}\s?(?:(?:in|of)\s)?(?:{_WORD}{{0,3}}(?:revenues?|sales|ARR|MRR|GMV|turnover|profits?"
            r"|bookings|earnings|run[\s-]rate|transactions?|volume|payments|claims|savings|orders|TVL|loss(?:es)?"
            r"|budget|contracts?|deposits|loans)\b)",
            re.I,
        ),
    ),
    (
        "debt",
        gated(r"\b(?:debt|loans?|credit (?:facility|line)|lease)\b[^.,;$€£]{0,25}$", re.I),
        gated(
            rf"\W{{0,2}}\s?(?:(?:in|of)\s)?(?:{_WORD}{{0,2}}(?:debt|loan|credit (?:facility|line)|facility|line of credit)\b)",
            re.I,
        ),
    ),
    (
        "grant",
        gated(r"\b(?:grants?|prize)\b[^.,;]{0,25}$", re.I),
        gated(rf"\W{{0,2}}\s?(?:(?:in|of)\s)?{_WORD}{{0,2}}(?:grants?|prize|award|tokens?|airdrop)\b", re.I),
    ),
    (
        "price",
        gated(r"\b(?:price[ds]?|costs?|salary|fee|per|charges?|minimum|starting at|starts at|only)\b[^.;]{0,20}$", re.I),
        gated(
            r"\s?(?:per|a|/)[\s-]?(?:share|month|user|seat|token|hour|unit|day|person|ton|tonne|mo)\b"
            r"|\s?(?:an hour|apiece|each)\b",
            re.I,
        ),
    ),
    (
        "past",
        gated(
            r"\b(?:previous(?:ly)?(?: \w+){0,4}|prior(?: \w+){0,4}|last (?:year|round|raised)(?: \w+){0,5}"
            r"|earlier(?: \w+){0,4}|follow(?:s|ing) (?:an?|its|the|our|their)(?: [\w-]+){0,4}|on the heels of (?:a"
            r"|its)(?: \w+){0,3}|in addition to (?:a|its|the)(?: \w+){0,3}|on top of (?:a|its|the)(?: \w+){0,3}"
            r"|had(?: already)? raised|having raised|after (?:raising|its|a)(?: \w+){0,3}"
            r"|comes .{0,30}after(?: \w+){0,5}|sold (?:\w+ ){0,6}for)\s*$",
            re.I,
        ),
        gated(
            rf"\s(?:{_WORD}{{0,4}}(?:round|funding|seed|series [a-h]|investment)\s)?(?:(?:raised|secured|closed"
            r"|announced|completed)\s)?(?:(?:back\s)?in\s(?:\w+\s)?20\d\d|last (?:year|month)|\w+ (?:months?"
            r"|years?) ago|earlier this year)",
            re.I,
        ),
    ),
    ("other", _NEVER, gated(r"\s?(?:bill|package|program|initiative|deal with)\b", re.I)),
)

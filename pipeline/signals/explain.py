"""Why a document was read as it was: what was read and where, the cues that decided, the rivals that were rejected.

What belongs here: an explanation as data, made by the same functions that read. What does not: how it is shown (explain_html, the
command line).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.documents.model import Document
from pipeline.signals.amounts import role_of
from pipeline.signals.company import name_in
from pipeline.signals.detect import BIAS, Detection, detect, detection_weights, may_be_funding
from pipeline.signals.extract import extract
from pipeline.signals.headline import Headline, parse_headline
from pipeline.signals.model import Evidence, Mention
from pipeline.signals.money import find_money
from pipeline.signals.rates import Rates
from pipeline.signals.round_types import find_round_types
from pipeline.signals.text import Text, read

MOST_RIVALS = 20
SHORTEST_HIGHLIGHT = 2


@dataclass(frozen=True, slots=True)
class Cue:
    """Something that spoke for (weight above 0) or against a round announced now, and the text it was seen in."""

    name: str
    weight: float
    text: str


@dataclass(frozen=True, slots=True)
class Rival:
    """A value that could have been taken for ``field`` and was not, with what it was held to be."""

    field: str
    value: str
    why: str
    text: str


@dataclass(frozen=True, slots=True)
class Span:
    """``field`` was read from the characters ``start`` to ``end`` of ``part`` (title or body)."""

    part: str
    start: int
    end: int
    field: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """``title`` and ``body`` as they were read. ``probability`` is None where nothing spoke of money (then no cue counts).

    ``cues`` by weight, the strongest first; ``spans`` in the order of the text, without overlaps."""

    mention: Mention
    title: str
    body: str
    probability: float | None
    cues: tuple[Cue, ...]
    rivals: tuple[Rival, ...]
    spans: tuple[Span, ...]


def explain(document: Document, rates: Rates) -> Explanation:
    """Why ``document`` gives the mention it gives. Total, as reading is."""
    mention = extract(document, rates)
    text = read(document.title, document.body)
    headline = parse_headline(text.title)
    is_weighed = document.kind != "form_d" and mention.set_aside_reason != "language" and may_be_funding(text, headline)
    detection = detect(text, headline) if is_weighed else None
    rivals = tuple(_rivals(text, headline, mention))[:MOST_RIVALS] if mention.is_funding and document.kind != "form_d" else ()
    return Explanation(
        mention,
        text.title,
        text.body,
        detection.probability if detection else None,
        _cues(detection) if detection else (),
        rivals,
        _spans(text, mention.evidence),
    )


def _cues(detection: Detection) -> tuple[Cue, ...]:
    weights = detection_weights()
    cues = [Cue(name, weights.get(name, 0.0), seen) for name, seen in detection.cues.items()]
    bounded = min(1 - 1e-12, max(1e-12, detection.probability))
    # What the sum holds beyond the named cues: the words of title and lead, where a model weighs them.
    rest = math.log(bounded / (1 - bounded)) - weights[BIAS] - sum(cue.weight for cue in cues)
    if abs(rest) > 0.05 and abs(bounded - 0.5) < 0.499:
        cues.append(Cue("words", rest, ""))
    cues.append(Cue(BIAS, weights[BIAS], ""))
    return tuple(sorted(cues, key=lambda cue: (-abs(cue.weight), cue.name)))


def _rivals(text: Text, headline: Headline, mention: Mention) -> Iterator[Rival]:
    seen = {("amount", f"{mention.amount} {mention.currency}"), ("funding_type", str(mention.funding_type))}
    chosen = (mention.company_name or "").casefold()
    for phrase in (headline.subject, headline.rest):
        name = name_in(phrase)
        if name and not name[0].islower() and name.casefold() != chosen and ("company_name", name) not in seen:
            seen.add(("company_name", name))
            yield Rival("company_name", name, _company_role(name, mention), headline.plain)
    for sentence in (headline.plain, *text.news):
        monies = find_money(sentence)
        for money in monies:
            value = f"{money.amount} {money.currency}"
            if ("amount", value) not in seen:
                seen.add(("amount", value))
                yield Rival(
                    "amount", value, role_of(sentence, money, [other for other in monies if other is not money]), sentence
                )
        for kind in find_round_types(sentence):
            if ("funding_type", kind.slug) not in seen:
                seen.add(("funding_type", kind.slug))
                yield Rival("funding_type", kind.slug, "other_round", sentence)


def _company_role(name: str, mention: Mention) -> str:
    folded = name.casefold()
    if any(folded == investor.name.casefold() for investor in mention.investors):
        return "investor"
    return "angel" if any(folded == angel.casefold() for angel in mention.angels) else "other_name"


def _spans(text: Text, evidence: list[Evidence]) -> tuple[Span, ...]:
    """Where the evidence stands: the value itself, if the text has it as it is, else the sentence."""
    found: list[Span] = []
    for each in evidence:
        part, whole = ("title", text.title) if each.origin == "title" else ("body", text.body)
        start = whole.find(each.text)
        if start < 0 or len(each.text) < SHORTEST_HIGHLIGHT:
            start, part_text = 0, whole
        else:
            part_text = each.text
        place = _place(part_text, each)
        if place is not None:
            found.append(Span(part, start + place[0], start + place[1], each.field))
    return tuple(_without_overlaps(sorted(found, key=lambda span: (span.part != "title", span.start, -span.end, span.field))))


def _place(sentence: str, evidence: Evidence) -> tuple[int, int] | None:
    if evidence.field == "amount":
        same = (money for money in find_money(sentence) if f"{money.amount} {money.currency}" == evidence.value)
        money = next(same, None)
        return (money.start, money.end) if money else None
    if evidence.field == "funding_type":
        place = sentence.casefold().find(evidence.value.replace("-", " "))
        place = place if place >= 0 else sentence.casefold().find(evidence.value)
        return (place, place + len(evidence.value)) if place >= 0 else None
    value = evidence.value.split(",")[0] if evidence.field == "location" else evidence.value
    place = sentence.find(value)
    place = place if place >= 0 else sentence.casefold().find(value.casefold())
    return (place, place + len(value)) if place >= 0 and len(value) >= SHORTEST_HIGHLIGHT else None


def _without_overlaps(spans: list[Span]) -> Iterator[Span]:
    last: Span | None = None
    for span in spans:
        if last is None or span.part != last.part or span.start >= last.end:
            last = span
            yield span

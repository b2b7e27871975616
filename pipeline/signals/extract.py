"""One document to one mention: what it claims, with the text of each claim and a confidence that says why."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from pipeline.documents.model import Document
from pipeline.signals.amounts import Amount, find_amount
from pipeline.signals.company import Company, find_company
from pipeline.signals.confidence import Evidences, confidence_of
from pipeline.signals.detect import Detection, detect, may_be_funding
from pipeline.signals.foreign_headlines import ForeignRound, read_foreign
from pipeline.signals.form_d import mention_from_filing
from pipeline.signals.headline import Headline, parse_headline
from pipeline.signals.industry import find_industry
from pipeline.signals.investors import Backers, find_backers
from pipeline.signals.language import language_of
from pipeline.signals.location import find_location
from pipeline.signals.model import Evidence, Investor, Mention, SignalType
from pipeline.signals.other import find_other
from pipeline.signals.people import find_ceo
from pipeline.signals.rates import Rates
from pipeline.signals.rounds_named import find_type
from pipeline.signals.spans import starts_of
from pipeline.signals.text import Text, read
from pipeline.signals.website import find_linkedin, find_website

# Goes up with every change of what comes out; mentions carry it, so that a backfill can tell old readings from new.
EXTRACTOR_VERSION = "rules-9"
LONGEST_EVIDENCE = 400
# A whole headline of a known form, without a body to check it against.
FOREIGN_CONFIDENCE = 0.8


def extract(document: Document, rates: Rates) -> Mention:
    """What ``document`` claims. Total: a text that claims nothing gives a mention of type none. Filings go to form_d."""
    if document.kind == "form_d":
        return mention_from_filing(document)
    text = read(document.title, document.body)
    mention = Mention(document.document_id)
    mention.language = language_of(f"{text.title}\n{text.body[:1500]}") or document.language
    if mention.language not in (None, "en") and (mention.language or "").split("-")[0] != "en":
        foreign = read_foreign(text.title, mention.language or "")
        return _foreign_round(mention, document, text, foreign, rates) if foreign else _set_aside(mention, "language")
    headline = parse_headline(text.title)
    if may_be_funding(text, headline):
        detection = detect(text, headline)
        if detection.is_round:
            return _round(mention, document, text, headline, detection, rates)
        mention.set_aside_reason = detection.set_aside_reason
        mention.confidence_reasons = _shown(detection)
    return find_other(mention, text, headline)


def _set_aside(mention: Mention, reason: str) -> Mention:
    mention.set_aside_reason = reason
    return mention


def _foreign_round(mention: Mention, document: Document, text: Text, found: ForeignRound, rates: Rates) -> Mention:
    """A round told by a headline in German, French or Spanish; the text behind it is not read."""
    mention.signal_type, mention.is_funding = SignalType.FUNDING_ROUND, True
    mention.company_name, mention.funding_type = found.company, found.funding_type
    mention.amount, mention.currency = found.amount, found.currency
    mention.amount_usd, mention.usd_rate_date = rates.to_usd(found.amount, found.currency), rates.day
    mention.investors = [Investor(found.lead, is_lead=True)] if found.lead else []
    mention.announced_date = _announced(document)
    mention.confidence_score = FOREIGN_CONFIDENCE
    mention.confidence_reasons = [{"cue": f"headline_in_{mention.language}", "effect": FOREIGN_CONFIDENCE}]
    for field, value in (
        ("company_name", found.company),
        ("amount", f"{found.amount} {found.currency}"),
        ("funding_type", found.funding_type),
        ("lead_investor", found.lead),
    ):
        if value:
            _note(mention, field, value, text.title, "title")
    return mention


def _round(mention: Mention, document: Document, text: Text, headline: Headline, detection: Detection, rates: Rates) -> Mention:
    mention.signal_type, mention.is_funding = SignalType.FUNDING_ROUND, True
    company = find_company(text, headline, detection.event_sentences)
    amount = find_amount(text, headline, detection.event_sentences)
    _set_company(mention, company)
    _set_amount(mention, amount, rates)
    kind = find_type(text, headline, amount.claim.place if amount else None, detection.event_sentences)
    if kind:
        mention.funding_type, mention.round_flavor = kind.slug, kind.flavor
        _note(mention, "funding_type", kind.slug, kind.sentence, kind.origin)
    backers = find_backers(text, headline, mention.company_name, detection.event_sentences)
    mention.investors, mention.angels = backers.investors(), backers.angels
    for name in (*backers.leads, *backers.others, *backers.angels):
        sentence, origin = backers.sources[name]
        _note(mention, "lead_investor" if name in backers.leads else "investor", name, sentence, origin)
    _set_profile(mention, document, text, headline, backers)
    mention.announced_date = _announced(document)
    mention.confidence_score, mention.confidence_reasons = confidence_of(
        Evidences(detection, headline, text, company, amount, kind, backers, document.body_origin)
    )
    return mention


def _set_company(mention: Mention, company: Company | None) -> None:
    if company:
        mention.company_name = company.name
        _note(mention, "company_name", company.name, company.text, company.origin)


def _set_amount(mention: Mention, amount: Amount | None, rates: Rates) -> None:
    if amount is None:
        return
    money = amount.claim.money
    mention.amount, mention.currency = money.amount, money.currency
    if amount.stated_usd is not None:
        mention.amount_usd = int(amount.stated_usd)
    else:
        mention.amount_usd, mention.usd_rate_date = rates.to_usd(Decimal(money.amount), money.currency), rates.day
    _note(
        mention,
        "amount",
        f"{money.amount} {money.currency}",
        amount.claim.sentence,
        "title" if amount.claim.place < 0 else "body",
    )


def _set_profile(mention: Mention, document: Document, text: Text, headline: Headline, backers: Backers) -> None:
    name = mention.company_name
    website = find_website(text, name, document.url, tuple(backers.leads + backers.others))
    if website:
        mention.website = website.host
        _note(mention, "website", website.host, website.text, "body")
    location = find_location(text, headline, name)
    if location:
        mention.city, mention.country = location.place.city, location.place.country
        _note(mention, "location", ", ".join(filter(None, (mention.city, mention.country))), location.text, "body")
    ceo = find_ceo(text, name)
    if ceo:
        mention.ceo_name, mention.ceo_linkedin_url = ceo.name, find_linkedin(text, ceo.name)
        _note(mention, "ceo_name", ceo.name, ceo.text, "body")
    industry = find_industry(text, headline, name)
    if industry:
        mention.industry = industry[0]
        _note(mention, "industry", industry[0], industry[1], "body")
    mention.description = _description(text, name)


def _description(text: Text, company: str | None) -> str | None:
    """What the company is, in the text's own words: "Acme, <this>, announced" or "Acme is <this>"."""
    if not company:
        return None
    for sentence in text.sentences:
        found = [_APPOSITION.match(sentence, start + len(company)) for start in starts_of(company, sentence)]
        if sentence.startswith(company):
            found.append(_IS.match(sentence, len(company)))
        if match := next((match for match in found if match), None):
            return match[1]
    return None


_APPOSITION = re.compile(r"(?:\s\([^)]*\))?,\s((?:an?|the)\s[^,]{10,200}),")
_IS = re.compile(r"\sis\s((?:an?|the)\s.{10,240}?)[.!]")


def _announced(document: Document) -> date | None:
    return document.published_at.date() if document.published_at else None


def _shown(detection: Detection) -> list[dict[str, object]]:
    return [{"cue": "round_probability", "effect": round(detection.probability, 3)}]


def _note(mention: Mention, field: str, value: str, text: str, origin: str) -> None:
    mention.evidence.append(Evidence(field, value, text[:LONGEST_EVIDENCE], origin))

"""The filters of a subscription: read once when they are stored, matched ever after (SB-38 to SB-52, A-SB-6 to A-SB-14).

What belongs here: each key's form, what it means for one signal, what is said of keys that narrow nothing. What does not:
matching many subscriptions at once (subscriptions.matcher, which must agree with `Filter.accepts`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from pipeline.signals.places import country_named, gazetteer
from pipeline.subscriptions import ranges
from pipeline.subscriptions.model import EventType, Facts
from pipeline.subscriptions.ranges import Range
from pipeline.subscriptions.round_names import ROUNDS, round_meant

FLAVORS = ("bridge", "extension", "secondary")
LONGEST_VALUE = 4_000
MOST_KEYS = 100

# Keys that are often taken from the query parameters of GET /signals; the hint goes into `meta.warnings`.
_MEANT = {
    "round": "funding", "roundtype": "funding", "round_type": "funding", "round_flavor": "roundFlavor",
    "amount_min": "fundingAmount", "amount_max": "fundingAmount", "amount": "fundingAmount", "country": "countries",
    "category": "categories", "industry": "categories", "team_size": "teamSize", "employee_count_min": "teamSize",
    "employee_count_max": "teamSize", "datefrom": "dateFrom", "date_from": "dateFrom", "dateto": "dateTo",
    "date_to": "dateTo", "fundingamount": "fundingAmount", "funding_amount": "fundingAmount",
    "acquisition_amount": "acquisitionAmount", "acquisitionamount": "acquisitionAmount", "healthscore": "healthScore",
    "health_score": "healthScore", "confidence": "healthScore", "teamsize": "teamSize", "roundflavor": "roundFlavor",
}  # fmt: skip


class FilterInvalid(ValueError):
    """A filter whose value says nothing that can be matched. The text names the key, the value and the way out."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a signal must satisfy: every part that is not None. Values are lower-cased where case doesn't count.

    ``date_from`` is included, ``date_before`` is not. ``health`` is a share of 1. ``watch_list``: the monitor on whose list the
    company must be; no key of a request sets it.
    """

    countries: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    search: str | None = None
    team_sizes: tuple[Range, ...] | None = None
    date_from: datetime | None = None
    date_before: datetime | None = None
    round_types: frozenset[str] | None = None
    round_flavors: frozenset[str] | None = None
    funding_amounts: tuple[Range, ...] | None = None
    acquisition_amounts: tuple[Range, ...] | None = None
    health: Decimal | None = None
    watch_list: str | None = None

    @property
    def is_for_funding(self) -> bool:
        """Has it a key that only funding can satisfy (SB-51)?"""
        parts = (self.round_types, self.round_flavors, self.funding_amounts, self.health)
        return any(part is not None for part in parts)

    def accepts(self, facts: Facts) -> bool:
        """Does the signal satisfy every part (SB-50)? Investors are asked for ``countries`` and ``search`` alone (A-SB-38)."""
        if facts.event_type == EventType.INVESTOR:
            return self._accepts_profile(facts)
        return self._accepts_profile(facts) and self._accepts_company(facts) and self._accepts_deal(facts)

    def _accepts_profile(self, facts: Facts) -> bool:
        if self.watch_list is not None and self.watch_list not in facts.watch_lists:
            return False
        if self.countries is not None and facts.country not in self.countries:
            return False
        return self.search is None or self.search in search_text(facts)

    def _accepts_company(self, facts: Facts) -> bool:
        if self.categories is not None and self.categories.isdisjoint(category_terms(facts)):
            return False
        if self.team_sizes is not None and not holds(self.team_sizes, facts.employee_count):
            return False
        if self.date_from is not None and facts.occurred_at < self.date_from:
            return False
        return self.date_before is None or facts.occurred_at < self.date_before

    def _accepts_deal(self, facts: Facts) -> bool:
        if self.is_for_funding and facts.event_type != EventType.FUNDING:
            return False
        is_deal = facts.event_type == EventType.ACQUISITION
        if self.acquisition_amounts is not None and not (is_deal and holds(self.acquisition_amounts, facts.amount)):
            return False
        if self.round_types is not None and lowered(facts.round_type) not in self.round_types:
            return False
        if self.round_flavors is not None and lowered(facts.round_flavor) not in self.round_flavors:
            return False
        if self.funding_amounts is not None and not holds(self.funding_amounts, facts.amount):
            return False
        return self.health is None or (facts.confidence is not None and share(facts.confidence) >= self.health)


@dataclass(frozen=True, slots=True)
class ReadFilters:
    """``given``: as they came. ``warnings``: sentences about what narrows nothing, for `meta.warnings` (A-SB-7)."""

    given: dict[str, str]
    filter: Filter
    warnings: tuple[str, ...]


def read_filters(given: Any) -> ReadFilters:
    """The filters of a request's ``filters``. None and {} narrow nothing. Raises FilterInvalid."""
    if given is None:
        given = {}
    if not isinstance(given, Mapping):
        raise FilterInvalid("filters must be an object of strings by key")
    if len(given) > MOST_KEYS:
        raise FilterInvalid(f"filters has at most {MOST_KEYS} keys, not {len(given)}")
    parts: dict[str, Any] = {}
    warnings: list[str] = []
    for key, value in given.items():
        if not isinstance(value, str):
            raise FilterInvalid(f"filters.{key[:60]} must be a string")
        if len(value) > LONGEST_VALUE:
            raise FilterInvalid(f"filters.{key[:60]} has at most {LONGEST_VALUE} characters")
        read = _READERS.get(key)
        if read is None:
            warnings.append(_ignored(key))
            continue
        try:
            parts |= read(value)
        except ValueError as error:
            raise FilterInvalid(f"filters.{key}: {error}") from None
    made = Filter(**parts)
    return ReadFilters(
        dict(given), made, (*warnings, *_strange(made.countries), *_unknown_rounds(made.round_types), *_never(made))
    )


def to_json(made: Filter) -> dict[str, Any]:
    """``made`` as it is stored: only the parts that narrow."""
    stored: dict[str, Any] = {}
    for name in _NAMES:
        value = getattr(made, name)
        if isinstance(value, frozenset):
            stored[name] = sorted(value)
        elif isinstance(value, tuple):
            stored[name] = [[part.low, part.high] for part in value]
        elif isinstance(value, datetime):
            stored[name] = value.isoformat()
        elif value is not None:
            stored[name] = str(value)
    return stored


def from_json(stored: Mapping[str, Any]) -> Filter:
    """The filter that `to_json` stored."""
    parts: dict[str, Any] = {}
    for name, value in stored.items():
        if name.startswith("date_"):
            parts[name] = datetime.fromisoformat(value)
        elif name == "health":
            parts[name] = Decimal(value)
        elif name in ("search", "watch_list"):
            parts[name] = value
        elif name in _RANGES:
            parts[name] = tuple(Range(low, high) for low, high in value)
        else:
            parts[name] = frozenset(value)
    return Filter(**parts)


def category_terms(facts: Facts) -> frozenset[str]:
    """What `categories` is compared with: the industry, and each category, in lower case (A-SB-10)."""
    return frozenset(term for name in (facts.industry, *facts.categories) if name and (term := lowered(name)))


def search_text(facts: Facts) -> str:
    """What `search` is looked for in: name and industry in lower case, apart so that nothing is found across them (A-SB-11)."""
    return f"{lowered(facts.company_name)}\n{lowered(facts.industry)}"


def lowered(text: str | None) -> str:
    """``text`` for comparing whatever its case; empty for None."""
    return (text or "").strip().casefold()


def share(confidence: float) -> Decimal:
    """``confidence`` as the decimal it was written as: 0.29 is 0.29, not a hair less (A-SB-6)."""
    return Decimal(repr(confidence))


def holds(parts: tuple[Range, ...], number: int | None) -> bool:
    """Is ``number`` in any of the ranges? What is not known is in none (A-SB-8)."""
    return number is not None and any(part.holds(number) for part in parts)


# --- one reader per key -------------------------------------------------------------------------------------------------


def _split(value: str, separator: str) -> list[str]:
    found = [part.strip() for part in value.split(separator)]
    found = [part for part in found if part]
    if not found:
        raise ValueError("is empty; leave the key out to narrow nothing")
    return found


def _strange(countries: frozenset[str] | None) -> list[str]:
    """Two letters that are no country's: a group of countries, or the habit of writing UK."""
    if countries is None:
        return []
    known = frozenset(gazetteer().codes.values()) | frozenset(gazetteer().countries.values())
    found = []
    for code in sorted(countries - known):
        meant = country_named(code)
        hint = f" Did you mean {meant}?" if meant else ""
        found.append(f"countries: no signal has {code!r} for a country.{hint}")
    return found


def _unknown_rounds(names: frozenset[str] | None) -> list[str]:
    """Round types that no signal has: the token is matched whole (A-SB-13), so a slip of the pen lets nothing through."""
    found = []
    for name in sorted((names or frozenset()) - frozenset(ROUNDS)):
        meant = round_meant(name)
        hint = f" Did you mean {meant}?" if meant else ""
        found.append(f"funding: no signal has {name[:60]!r} for a round type.{hint}")
    return found


def _countries(value: str) -> dict[str, Any]:
    codes = [code.upper() for code in _split(value, ",")]
    for code in codes:
        if len(code) != 2 or not code.isascii() or not code.isalpha():
            raise ValueError(f"{code[:40]!r} is no ISO 3166-1 alpha-2 code; write US,GB")
    return {"countries": frozenset(codes)}


def _categories(value: str) -> dict[str, Any]:
    return {"categories": frozenset(map(lowered, _split(value, "|")))}


def _search(value: str) -> dict[str, Any]:
    if "\n" in value.strip():
        raise ValueError("must be one line")
    if not (sought := lowered(value)):
        raise ValueError("is empty; leave the key out to narrow nothing")
    return {"search": sought}


def _team_sizes(value: str) -> dict[str, Any]:
    return {"team_sizes": _ranges(value, ranges.team_size)}


def _date_from(value: str) -> dict[str, Any]:
    return {"date_from": _instant(value)[0]}


def _date_to(value: str) -> dict[str, Any]:
    instant, is_day = _instant(value)
    try:
        # A day is meant whole (A-SB-12); an instant is itself included, and times are told to the microsecond.
        return {"date_before": instant + (timedelta(days=1) if is_day else timedelta(microseconds=1))}
    except OverflowError:
        raise ValueError(f"{value.strip()!r} is beyond all dates") from None


def _round_types(value: str) -> dict[str, Any]:
    return {"round_types": frozenset(map(lowered, _split(value, ",")))}


def _round_flavors(value: str) -> dict[str, Any]:
    flavors = frozenset(map(lowered, _split(value, ",")))
    for flavor in sorted(flavors):
        if flavor not in FLAVORS:
            raise ValueError(f"{flavor[:40]!r} is none of {', '.join(FLAVORS)}")
    return {"round_flavors": flavors}


def _funding_amounts(value: str) -> dict[str, Any]:
    return {"funding_amounts": _ranges(value, ranges.amount)}


def _acquisition_amounts(value: str) -> dict[str, Any]:
    return {"acquisition_amounts": _ranges(value, ranges.amount)}


def _health(value: str) -> dict[str, Any]:
    try:
        number = Decimal(value.strip())
    except InvalidOperation:
        number = Decimal(-1)
    if not (number.is_finite() and 0 <= number <= 100):
        raise ValueError(f"{value.strip()[:40]!r} is no number from 0 to 100")
    return {"health": number / 100}


def _ranges(value: str, read: Callable[[str], Range]) -> tuple[Range, ...]:
    found = {read(part) for part in _split(value, ",")}
    return tuple(sorted(found, key=lambda part: (part.low or -1, part.high is None, part.high or 0)))


def _instant(value: str) -> tuple[datetime, bool]:
    """(the instant, is it a whole day)."""
    text = value.strip()
    try:
        instant = datetime.fromisoformat(text)
        is_day = ":" not in text and "T" not in text.upper()
        aware = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:40]!r} is no ISO-8601 date; write 2026-01-31") from None
    return aware, is_day


_READERS: dict[str, Callable[[str], dict[str, Any]]] = {
    "countries": _countries,
    "categories": _categories,
    "search": _search,
    "teamSize": _team_sizes,
    "dateFrom": _date_from,
    "dateTo": _date_to,
    "funding": _round_types,
    "roundFlavor": _round_flavors,
    "fundingAmount": _funding_amounts,
    "acquisitionAmount": _acquisition_amounts,
    "healthScore": _health,
}
KEYS = tuple(_READERS)
_NAMES = tuple(field.name for field in fields(Filter))
_RANGES = ("team_sizes", "funding_amounts", "acquisition_amounts")


def _ignored(key: str) -> str:
    meant = _MEANT.get(key) or _MEANT.get(key.lower())
    hint = f" Did you mean {meant}?" if meant else ""
    return f"The filter {key[:60]!r} is not known and narrows nothing.{hint}"


def idle(events: Sequence[str], made: Filter) -> tuple[str, ...]:
    """Sentences about events of a subscription that its filters let none of through, or don't narrow, for `meta.warnings`
    (SB-51, A-SB-14, A-SB-38)."""
    told = [event for event in events if event != EventType.TEST]
    found = []
    for event, is_narrowed in (
        (EventType.FUNDING, made.is_for_funding),
        (EventType.ACQUISITION, made.acquisition_amounts is not None),
    ):
        dropped = [one for one in told if one not in (event, EventType.INVESTOR)]
        if is_narrowed and dropped:
            found.append(f"A filter for {event} lets none of these through: {', '.join(dropped)}.")
    if EventType.INVESTOR in told and made != Filter(countries=made.countries, search=made.search):
        found.append(f"{EventType.INVESTOR} is narrowed by countries and search alone.")
    return tuple(found)


def _never(made: Filter) -> list[str]:
    if made.is_for_funding and made.acquisition_amounts is not None:
        return ["Filters for funding and for acquisitions together match no event: none is both."]
    if made.date_from is not None and made.date_before is not None and made.date_from >= made.date_before:
        return ["dateTo lies before dateFrom: no event matches."]
    return []

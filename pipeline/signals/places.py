"""Places in texts: a city and its country, by the committed gazetteer (data/places.yaml)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PLACES_FILE = Path(__file__).with_name("data") / "places.yaml"


@dataclass(frozen=True, slots=True)
class Place:
    """A city (as written, or None) and the ISO 3166 code of its country (or None where the text leaves it open)."""

    city: str | None
    country: str | None


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Lookup tables, keys folded by ``_key``. ``states``: those of the US by name and abbreviation, as postal codes."""

    countries: Mapping[str, str]
    regions: Mapping[str, str]
    codes: Mapping[str, str]
    cities: Mapping[str, str]
    ambiguous: frozenset[str]
    alone: Mapping[str, str]
    states: Mapping[str, str]


def find_place(phrase: str) -> Place | None:
    """The place that a short phrase names: "Austin, Texas", "Virginia Beach, Va.", "Berlin", "Singapore", or None.

    A city that the gazetteer does not have is believed where a known region or country follows it.
    """
    if _CAPITAL_DISTRICT.fullmatch(phrase.strip(" ,.–—-:")):
        return Place("Washington", "US")
    parts = [part.strip(" .") for part in re.split(r",\s*|\s[–—-]\s|\s\(|\)", phrase.strip(" .,–—-:")) if part.strip(" .")]
    if not parts or len(parts[0]) > 40:
        return None
    first = parts[0]
    for part in parts[1:3]:
        country = region_country(part)
        if country:
            return Place(_city_name(first), country)
    if len(parts) == 1:
        return _single(first)
    return _single(first) or _single(parts[1])


def region_country(name: str) -> str | None:
    """Country code of a country's, state's or province's name or abbreviation."""
    places = gazetteer()
    key = _key(name)
    return places.countries.get(key) or places.regions.get(key) or places.codes.get(name.strip().rstrip(".").replace(".", ""))


def us_state(name: str) -> str | None:
    """Postal code of a state of the US: of "Texas", "TX", "Calif."."""
    return gazetteer().states.get(_key(name))


def country_named(name: str) -> str | None:
    """Country code of a country's name: "Germany", "the Netherlands"; no state or province."""
    return gazetteer().countries.get(_key(name))


def country_of_adjective(word: str) -> str | None:
    """Country code of "German", "India's", "U.S."."""
    return gazetteer().countries.get(_key(re.sub(r"['’]s$", "", word)))


def city_country(name: str) -> str | None:
    """Country code of a city that needs no further word."""
    places = gazetteer()
    key = _key(name)
    if key in places.alone:
        return places.alone[key] or None
    return None if key in places.ambiguous else places.cities.get(key)


def _single(name: str) -> Place | None:
    country = city_country(name)
    if country:
        return Place(_display(name), country)
    code = gazetteer().countries.get(_key(name))
    if code:
        return Place(_display(name) if code in _CITY_STATES else None, code)
    state = gazetteer().regions.get(_key(name))
    return Place(None, state) if state else None


def _city_name(first: str) -> str | None:
    """``first`` where it looks like a city and is not itself a country or state of no such city."""
    places, city = gazetteer(), _display(first)
    is_region = _key(city) in places.countries or _key(city) in places.regions
    return city if _CITY_SHAPE.fullmatch(city) and (not is_region or _key(city) in places.cities) else None


def _display(name: str) -> str:
    plain = " ".join(word.capitalize() if word.isupper() and len(word) > 2 else word for word in name.split())
    return _SPELLED.get(_key(plain), plain)


def _key(name: str) -> str:
    return re.sub(r"\s+", " ", name.replace(".", "").replace("’", "'").lower()).strip()


@cache
def gazetteer() -> Gazetteer:
    """The committed gazetteer."""
    raw: dict[str, Any] = yaml.safe_load(PLACES_FILE.read_text(encoding="utf-8"))
    countries = {_key(name): code for code, names in raw["countries"].items() for name in names}
    regions = {_key(name): code for code, states in raw["regions"].items() for name in states}
    codes = {
        abbreviation.replace(".", ""): code
        for code, states in raw["regions"].items()
        for abbreviations in states.values()
        for abbreviation in abbreviations
    }
    cities = {_key(name): code for code, names in raw["cities"].items() for name in names}
    alone = {_key(name): code for name, code in raw["alone"].items()}
    states = {_key(name): short[0] for state, short in raw["regions"]["US"].items() for name in (state, *short)}
    return Gazetteer(countries, regions, codes, cities, frozenset(map(_key, raw["ambiguous_cities"])), alone, states)


_CAPITAL_DISTRICT = re.compile(r"Washington,?\s?D\.?\s?C\.?", re.I)
_CITY_STATES = frozenset({"SG", "HK", "MC", "GI", "LU"})
_CITY_SHAPE = re.compile(r"(?:[A-ZÀ-Þ][\w'’.\-]*)(?:\s(?:of|de|del|la|upon|am|the)?\s?[A-ZÀ-Þ][\w'’.\-]*){0,3}")
_SPELLED = {
    "new york city": "New York",
    "nyc": "New York",
    "washington dc": "Washington",
    "münchen": "Munich",
    "köln": "Cologne",
    "zürich": "Zurich",
    "bangalore": "Bengaluru",
    "gurgaon": "Gurugram",
    "kiev": "Kyiv",
}

"""Query parameters of a search as values: whole numbers, days, presets of dates, lists (vendor facts, section 7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from pipeline.matching.domains import company_domain
from pipeline.signals.places import country_named
from pipeline.subscriptions.filters import lowered
from pipeline.subscriptions.ranges import Range, team_size

T = TypeVar("T")
MOST_LISTED = 50
PRESETS = (
    "today", "yesterday", "last_7d", "last_14d", "last_30d", "last_60d", "last_90d", "last_6m", "last_1y", "last_2y", "this_week",
    "this_month", "this_quarter", "this_year", "last_week", "last_month", "last_quarter", "last_year",
)  # fmt: skip
LARGEST = 2**53
_EU = (
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU", "MT", "NL", "PL",
    "PT", "RO", "SK", "SI", "ES", "SE",
)  # fmt: skip
_WEST = (
    "AD", "AT", "BE", "CH", "DE", "DK", "ES", "FI", "FR", "GB", "GR", "IE", "IS", "IT", "LI", "LU", "MC", "MT", "NL", "NO", "PT",
    "SE", "SM",
)  # fmt: skip
_EAST = ("AL", "BA", "BG", "CZ", "EE", "HR", "HU", "LT", "LV", "ME", "MK", "PL", "RO", "RS", "SI", "SK", "XK")
_LATAM = (
    "AR", "BO", "BR", "CL", "CO", "CR", "CU", "DO", "EC", "SV", "GT", "HT", "HN", "MX", "NI", "PA", "PY", "PE", "PR", "UY", "VE",
)  # fmt: skip
# The vendor tells the members of EU, DACH, BENELUX and NORDICS; the others are our reading.
GROUPS: dict[str, tuple[str, ...]] = {
    "EU": _EU,
    "EUROPE": tuple(sorted({*_EU, *_WEST, *_EAST, "BY", "MD", "UA"})),
    "WE": _WEST,
    "CEE": _EAST,
    "DACH": ("DE", "AT", "CH"),
    "BENELUX": ("BE", "NL", "LU"),
    "NORDICS": ("DK", "FI", "IS", "NO", "SE"),
    "NA": ("US", "CA"),
    "LATAM": _LATAM,
}


class ParameterInvalid(ValueError):
    """A parameter that can't be used. The text names it, its value and the way out."""


def whole(name: str, text: str, low: int, high: int = LARGEST) -> int:
    """A whole number from ``low`` to ``high``. Raises ParameterInvalid."""
    if not re.fullmatch(r"[0-9]{1,16}", text) or not low <= int(text) <= high:
        raise ParameterInvalid(f"{name} must be a whole number from {low} to {high}, not {text[:40]!r}")
    return int(text)


def one_of(name: str, text: str, allowed: Sequence[str]) -> str:
    """One of ``allowed``. Raises ParameterInvalid."""
    if text not in allowed:
        raise ParameterInvalid(f"{name} must be one of {', '.join(allowed)}, not {text[:40]!r}")
    return text


def many_of(name: str, text: str, allowed: Sequence[str], separator: str = ",") -> list[str]:
    """Those of ``allowed`` that a list names, whatever their case. Raises ParameterInvalid."""
    found = items(text, separator)
    for value in found:
        if value not in allowed:
            raise ParameterInvalid(
                f"Invalid {name} value: {value[:40]}. Accepted values (case-insensitive): {', '.join(allowed)}."
            )
    return found


def items(text: str, separator: str = ",") -> list[str]:
    """The values of a list, in lower case."""
    return [value for part in text.split(separator) if (value := lowered(part))]


def countries(name: str, text: str) -> list[str]:
    """ISO 3166-1 alpha-2 codes in upper case, of codes, English names and groups. Raises ParameterInvalid."""
    codes: list[str] = []
    for value in items(text):
        if (group := value.upper()) in GROUPS:  # before codes: NA is North America here, Namibia goes by its name
            codes += GROUPS[group]
        elif re.fullmatch(r"[a-z]{2}", value):
            codes.append(value.upper())
        elif code := country_named(value):
            codes.append(code)
        else:
            raise ParameterInvalid(f"{name}: {value[:40]!r} is no country; write US,GB, Germany or one of {', '.join(GROUPS)}")
    return codes


def day(name: str, text: str) -> datetime:
    """The first moment of a day in UTC. Raises ParameterInvalid."""
    try:
        return _midnight(date.fromisoformat(text[:10] if "T" in text else text))
    except ValueError:
        raise ParameterInvalid(f"{name}: {text[:40]!r} is no ISO-8601 date; write 2026-01-31") from None


def dates(given: Mapping[str, str], now: datetime) -> tuple[datetime | None, datetime | None]:
    """[first moment, moment after the last) of what dateFrom, dateTo and date_preset ask for. Raises ParameterInvalid."""
    if "date_preset" in given:  # beats dateFrom and dateTo
        return preset_range(one_of("date_preset", given["date_preset"], PRESETS), now)
    first = day("dateFrom", given["dateFrom"]) if "dateFrom" in given else None
    last = day("dateTo", given["dateTo"]) if "dateTo" in given else None
    if last is None or last.year == 9999:
        return first, None
    return first, last + timedelta(days=1)  # the whole day (A-SB-12)


def many(name: str, text: str, read: Callable[[str, str], T]) -> list[T]:
    """What ``read`` makes of each of a list of at most fifty. Raises ParameterInvalid."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or len(parts) > MOST_LISTED:
        raise ParameterInvalid(f"{name} takes 1 to {MOST_LISTED} values, not {len(parts)}")
    return [read(name, part) for part in parts]


def domain(name: str, text: str) -> str:
    """The key of a company's domain, by the rules of the CRM match. Raises ParameterInvalid."""
    key = company_domain(text) if "@" not in text else None
    if key is None:
        raise ParameterInvalid(f"{name}: {text[:80]!r} is no company's domain; write acme.com")
    return key


def linkedin_company(name: str, text: str) -> str:
    """The slug of a LinkedIn company page, in lower case. Raises ParameterInvalid."""
    match = _LINKEDIN.fullmatch(text)
    if match is None or match["kind"].casefold() != "company":
        raise ParameterInvalid(f"{name}: {text[:80]!r} is no LinkedIn company page; write linkedin.com/company/acme")
    return match["slug"].casefold()


def linkedin_person(name: str, text: str) -> str:
    """The slug of a person's LinkedIn page, in lower case. Raises ParameterInvalid."""
    match = _LINKEDIN.fullmatch(text)
    if match is None or match["kind"].casefold() != "in":
        raise ParameterInvalid(f"{name}: {text[:80]!r} is no person's LinkedIn page; write linkedin.com/in/jane-doe")
    return match["slug"].casefold()


def ranges(name: str, text: str) -> list[Range]:
    """Ranges such as 11-50,1000-plus. Raises ParameterInvalid."""
    try:
        return [team_size(part) for part in items(text)]
    except ValueError as error:
        raise ParameterInvalid(f"{name}: {error}") from None


def preset_range(preset: str, now: datetime) -> tuple[datetime, datetime]:
    """[first moment, moment after the last) of a preset, in UTC. Weeks begin on Monday; "last_7d" ends now and has today."""
    today = now.astimezone(UTC).date()
    tomorrow = today + timedelta(days=1)
    if match := re.fullmatch(r"last_(\d+)([dmy])", preset):
        count, unit = int(match[1]), match[2]
        first = today - timedelta(days=count) if unit == "d" else _months_before(today, count * (12 if unit == "y" else 1))
        return _midnight(first), _midnight(tomorrow)
    if preset in ("today", "yesterday"):
        first = today if preset == "today" else today - timedelta(days=1)
        return _midnight(first), _midnight(first + timedelta(days=1))
    which, unit = preset.split("_")
    begins = {
        "week": today - timedelta(days=today.weekday()),
        "month": today.replace(day=1),
        "quarter": date(today.year, (today.month - 1) // 3 * 3 + 1, 1),
        "year": date(today.year, 1, 1),
    }[unit]
    if which == "this":
        return _midnight(begins), _midnight(tomorrow)
    before = (
        begins - timedelta(days=7) if unit == "week" else _months_before(begins, {"month": 1, "quarter": 3, "year": 12}[unit])
    )
    return _midnight(before), _midnight(begins)


def _months_before(day_: date, months: int) -> date:
    year, month = divmod(day_.year * 12 + day_.month - 1 - months, 12)
    for last in (day_.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def _midnight(day_: date) -> datetime:
    return datetime.combine(day_, time(), UTC)


_LINKEDIN = re.compile(
    r"(?:https?:)?(?://)?(?:[a-z]{2,3}\.)?linkedin\.com/(?P<kind>company|in)/(?P<slug>[^/?#\s]+)/?(?:[?#].*)?", re.IGNORECASE
)

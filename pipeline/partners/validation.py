"""Is a submitted lead usable, and what is wrong with it: the verdict of /leads/validate and /leads/submit alike (SC-17 to SC-48).

Pure: what a partner's settings and the active funding types are comes in. The words are the contract's; where it prints none,
they follow its pattern (A-SC-4 to A-SC-12).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

FULL_MANAGEMENT, FUNDING_ONLY = "full_management", "funding_only"
REQUIRED_HERE = "This field is required"
INACTIVE_TYPE = (
    "This funding type is not currently accepted for lead submissions. Please use an allowed funding type or omit funding_type."
)
INACTIVE_TYPE_HERE = "This funding type is not currently accepted"
MANAGED = "is required when your account is set to 'StartCap fully manages onboarding and funding'."
MANAGED_FIELDS = ("email", "phone")
ADULT_YEARS = 18

ADDRESS_LABELS = {
    "residential_street": "Street",
    "residential_city": "City",
    "residential_state": "State",
    "residential_zip": "ZIP",
}
UTM_FIELDS = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
# In the order of the lead model's table: the first failure in it is the one that a submission is refused with (A-SC-6).
MODEL_ORDER = (
    "first_name", "last_name", "date_of_birth", "email", "phone", "company_name", *ADDRESS_LABELS, "notes", "funding_type",
    *UTM_FIELDS,
)  # fmt: skip
MOST_CHARACTERS = {
    "email": 255, "company_name": 100, "residential_street": 255, "residential_city": 100, "notes": 1000, "funding_type": 100,
    **dict.fromkeys(UTM_FIELDS, 255),
}  # fmt: skip
ALWAYS_REQUIRED = frozenset({"first_name", "last_name", "date_of_birth", *ADDRESS_LABELS})

# USPS Publication 28, appendix B: the fifty states and DC; the territories that partners may be allowed (A-SC-11).
_STATE_CODES = (
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC"
    " SD TN TX UT VT VA WA WV WI WY"
)
STATES = frozenset(_STATE_CODES.split())
TERRITORIES = frozenset({"PR", "GU", "VI", "AS", "MP"})

_ZIP = re.compile(r"[0-9]{5}(-?[0-9]{4})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PHONE_MARKS = re.compile(r"[\s().\-]")
# One @, no blanks or controls, a dotted domain of labels as RFC 1123 has them (letters of any script).
_EMAIL = re.compile(
    r"[^\s@\x00-\x20\x7f<>()\[\],;:\\\"]{1,64}@(?=.{1,253}$)[^\W_](?:[\w-]{0,61}[^\W_])?(?:\.[^\W_](?:[\w-]{0,61}[^\W_])?)+",
    re.UNICODE,
)
_NAME_MARKS = "-'\u2019"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a partner's account and the operator say about leads."""

    handling: str | None = None
    funding_types: Collection[str] = ()
    allows_name_marks: bool = False
    allows_territories: bool = False

    @property
    def required(self) -> frozenset[str]:
        """Fields that each lead must have (SC-44)."""
        return ALWAYS_REQUIRED | (set(MANAGED_FIELDS) if self.handling == FULL_MANAGEMENT else set())


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field: for the list of a request, and for the field's own."""

    field: str
    message: str
    here: str
    is_managed: bool = False  # an e-mail address or phone number that only full management asks for (SC-46)


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that was found. ``clean``: the lead as it is kept, the fields that were given alone; empty where it is unusable."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    checked: tuple[str, ...]
    received: dict[str, Any]
    clean: dict[str, str]

    @property
    def is_valid(self) -> bool:
        """May it be submitted?"""
        return not self.problems


def validate_lead(given: Mapping[str, Any], rules: Rules, today: date) -> Verdict:
    """The verdict on a lead as a JSON object. ``today``: UTC. Fields that no lead has are left alone, and out."""
    problems: list[Problem] = []
    warnings: list[Problem] = []
    checked: list[str] = []
    clean: dict[str, str] = {}
    for name in MODEL_ORDER:
        is_required = name in rules.required
        value = given.get(name)
        if not is_required and name not in given:
            continue
        checked.append(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            if is_required:
                problems.append(_missing(name, rules))
            continue
        found = _check(name, value, rules, today)
        if isinstance(found, Problem):
            problems.append(found)
            continue
        clean[name] = found
        if name == "date_of_birth" and (warning := _age_warning(found, today)):
            warnings.append(warning)
    received = {name: given[name] for name in MODEL_ORDER if name in given}
    return Verdict(tuple(problems), tuple(warnings), tuple(checked), received, {} if problems else clean)


def _missing(name: str, rules: Rules) -> Problem:
    if name in ADDRESS_LABELS:
        return Problem(name, f"Residential address: {ADDRESS_LABELS[name]} is required", REQUIRED_HERE)
    if name in MANAGED_FIELDS and rules.handling == FULL_MANAGEMENT:
        return Problem(name, f"Field '{name}' {MANAGED}", REQUIRED_HERE, is_managed=True)
    return Problem(name, f"Field '{name}' is required", REQUIRED_HERE)


def _check(name: str, value: Any, rules: Rules, today: date) -> str | Problem:
    """The value as it is kept, or what is wrong with it."""
    if not isinstance(value, str):
        return _bad(name, "must be a string", rules)
    if "\0" in value or not _is_text(value):
        return _bad(name, "must be text", rules)
    text = value.strip()
    most = MOST_CHARACTERS.get(name)
    if most is not None and len(text) > most:
        return _bad(name, f"must be at most {most} characters", rules)
    if name == "funding_type" and text not in rules.funding_types:
        return Problem(name, INACTIVE_TYPE, INACTIVE_TYPE_HERE)
    check = _CHECKS.get(name)
    if check is None:
        return text
    kept, wrong = check(text, rules, today)
    return _bad(name, wrong, rules) if wrong else kept


def _bad(name: str, wrong: str, rules: Rules) -> Problem:
    is_managed = name in MANAGED_FIELDS and rules.handling == FULL_MANAGEMENT
    return Problem(name, f"Field '{name}' {wrong}", wrong[:1].upper() + wrong[1:], is_managed)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate: no store takes it
        return False
    return True


def _name(text: str, rules: Rules, _today: date) -> tuple[str, str]:
    if not 2 <= len(text) <= 50:
        return "", "must be 2 to 50 characters"
    marks = _NAME_MARKS if rules.allows_name_marks else ""
    if any(not (letter.isalpha() or letter == " " or letter in marks) for letter in _without_accents(text)):
        return "", "must contain letters and spaces only"
    return text, ""


def _without_accents(text: str) -> str:
    """Without combining marks that follow a letter: decomposed accents are part of their letters."""
    return "".join(letter for at, letter in enumerate(text) if not (at and "\u0300" <= letter <= "\u036f"))


def _date_of_birth(text: str, _rules: Rules, today: date) -> tuple[str, str]:
    if not _DAY.fullmatch(text):
        return "", "must be a valid date in YYYY-MM-DD format"
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return "", "must be a valid date in YYYY-MM-DD format"
    return ("", "must not be in the future") if day > today else (text, "")


def _age_warning(text: str, today: date) -> Problem | None:
    born = date.fromisoformat(text)
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if years >= ADULT_YEARS:
        return None
    wrong = f"indicates that the lead is under {ADULT_YEARS}"
    return Problem("date_of_birth", f"Field 'date_of_birth' {wrong}", wrong[:1].upper() + wrong[1:])


def _email(text: str, _rules: Rules, _today: date) -> tuple[str, str]:
    local = text.partition("@")[0]
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    return (text, "") if _EMAIL.fullmatch(text) and not dots else ("", "must be a valid email address")


def _phone(text: str, _rules: Rules, _today: date) -> tuple[str, str]:
    digits = _PHONE_MARKS.sub("", text)
    is_good = len(digits) == 10 and digits.isascii() and digits.isdigit()
    return (digits, "") if is_good else ("", "must be exactly 10 digits")


def _state(text: str, rules: Rules, _today: date) -> tuple[str, str]:
    code = text.upper()
    known = STATES | TERRITORIES if rules.allows_territories else STATES
    return (code, "") if code in known else ("", "must be a 2-letter US state code")


def _zip(text: str, _rules: Rules, _today: date) -> tuple[str, str]:
    return (text, "") if _ZIP.fullmatch(text) else ("", "must be 5 or 9 digits")


_CHECKS: dict[str, Callable[[str, Rules, date], tuple[str, str]]] = {
    "first_name": _name,
    "last_name": _name,
    "date_of_birth": _date_of_birth,
    "email": _email,
    "phone": _phone,
    "residential_state": _state,
    "residential_zip": _zip,
}

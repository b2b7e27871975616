"""What makes a lead usable, in the contract's words (SC-17 to SC-48)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.partners.validation import (
    ADDRESS_LABELS,
    ALWAYS_REQUIRED,
    INACTIVE_TYPE,
    MODEL_ORDER,
    UTM_FIELDS,
    Rules,
    Verdict,
    validate_lead,
)

TODAY = date(2026, 5, 12)
LEAD = {
    "first_name": "Marta",
    "last_name": "Lindqvist",
    "date_of_birth": "1979-11-02",
    "residential_street": "9 Harbor Lane",
    "residential_city": "Tacoma",
    "residential_state": "WA",
    "residential_zip": "98402",
}
CONTACT = {"email": "marta@lindqvist.example", "phone": "2535550142"}
MANAGED = Rules(handling="full_management")
TYPES = Rules(funding_types=("Term Loan", "Line of Credit"))


def check(rules: Rules = Rules(), **changes: Any) -> Verdict:
    return validate_lead({name: value for name, value in (LEAD | changes).items() if value != "absent"}, rules, TODAY)


def wrong(rules: Rules = Rules(), **changes: Any) -> list[tuple[str, str]]:
    return [(problem.message, problem.here) for problem in check(rules, **changes).problems]


def test_sc_18_to_30_a_lead_with_what_is_required_is_valid() -> None:
    verdict = check()
    assert verdict.is_valid
    assert verdict.clean == LEAD
    assert verdict.warnings == ()


@pytest.mark.parametrize("name", sorted(ALWAYS_REQUIRED))
@pytest.mark.parametrize("value", ["absent", None, "", "  "])
def test_sc_18_sc_19_sc_20_sc_24_to_27_sc_35_sc_43_sc_48_what_is_missing(name: str, value: Any) -> None:
    """A-SC-5, A-SC-7: an address has words of its own, and the field's own text is always the same."""
    text = (
        f"Residential address: {ADDRESS_LABELS[name]} is required" if name in ADDRESS_LABELS else f"Field '{name}' is required"
    )
    assert wrong(**{name: value}) == [(text, "This field is required")]


@pytest.mark.parametrize("name", ["first_name", "last_name"])
@pytest.mark.parametrize(
    ("value", "is_good"),
    [
        ("Al", True),
        ("A", False),
        ("a" * 50, True),
        ("a" * 51, False),
        ("Mary Ann", True),
        ("José", True),
        ("Jose\u0301", True),
        ("李明", True),
        ("O'Brien", False),
        ("Jean-Luc", False),
        ("Anna2", False),
        ("Anna\tMay", False),
        (12, False),
        ("\u0301ab", False),
        ("An\x00", False),
        ("An\ud800", False),
    ],
)
def test_sc_18_sc_19_names_are_letters_and_spaces(name: str, value: Any, is_good: bool) -> None:
    """A-SC-8, A-SC-36."""
    assert check(**{name: value}).is_valid is is_good


def test_a_sc_8_an_operator_may_allow_hyphens_and_apostrophes() -> None:
    rules = Rules(allows_name_marks=True)
    assert check(rules, first_name="Jean-Luc", last_name="O’Brien").is_valid
    assert not check(rules, first_name="Anna2").is_valid


@pytest.mark.parametrize(
    "value", ["1979-2-11", "1979-02-30", "02/11/1979", "19791102", "1979-11-02T00:00:00", "２０００-01-01"]
)
def test_sc_20_a_birthday_is_a_real_date(value: str) -> None:
    assert wrong(date_of_birth=value) == [
        ("Field 'date_of_birth' must be a valid date in YYYY-MM-DD format", "Must be a valid date in YYYY-MM-DD format")
    ]


def test_a_sc_12_a_birthday_to_come_is_wrong_and_a_recent_one_a_warning() -> None:
    assert check(date_of_birth="2026-05-12").is_valid
    assert not check(date_of_birth="2026-05-13").is_valid
    assert check(date_of_birth="2008-05-12").warnings == ()
    (warning,) = check(date_of_birth="2008-05-13").warnings
    assert (warning.field, warning.message) == ("date_of_birth", "Field 'date_of_birth' indicates that the lead is under 18")
    assert check(date_of_birth="2008-05-13").is_valid


@pytest.mark.parametrize(
    ("value", "is_good"),
    [
        ("a@b.example", True),
        ("a.b+c@mail.example.org", True),
        ("käte@müller.example", True),
        ("a@b", False),
        ("a b@c.example", False),
        ("a@@b.example", False),
        (".a@b.example", False),
        ("a..b@c.example", False),
        ("a@-b.example", False),
        ("@b.example", False),
        ("a" * 64 + "@" + "b" * 60 + ".example", True),
        ("a" * 60 + "@" + ".".join(["b" * 60] * 4) + ".example", False),
    ],
)
def test_sc_21_sc_48_an_email_address(value: str, is_good: bool) -> None:
    found = wrong(email=value)
    assert (found == []) is is_good
    if not is_good and len(value) <= 255:
        assert found == [("Field 'email' must be a valid email address", "Must be a valid email address")]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("2535550142", "2535550142"),
        ("(253) 555-0142", "2535550142"),
        ("253.555.0142", "2535550142"),
        ("253 555 0142", "2535550142"),
        ("12535550142", None),
        ("+12535550142", None),
        ("253555014", None),
        ("253-555-CALL", None),
        ("２５３５５５０１４２", None),
        (2535550142, None),
    ],
)
def test_sc_22_a_phone_number_is_ten_digits(value: Any, kept: str | None) -> None:
    """A-SC-9: kept as its digits."""
    assert check(phone=value).clean.get("phone") == kept


@pytest.mark.parametrize("name", ["email", "phone"])
def test_sc_44_sc_46_full_management_requires_email_and_phone(name: str) -> None:
    text = f"Field '{name}' is required when your account is set to 'StartCap fully manages onboarding and funding'."
    verdict = check(MANAGED, **(CONTACT | {name: "absent"}))
    assert [(problem.message, problem.is_managed) for problem in verdict.problems] == [(text, True)]
    assert [problem.is_managed for problem in check(MANAGED, **(CONTACT | {name: "nonsense"})).problems] == [True]
    assert check(MANAGED, **CONTACT).is_valid


@pytest.mark.parametrize("handling", ["funding_only", None])
def test_sc_21_sc_22_sc_44_else_they_are_optional_and_checked_where_given(handling: str | None) -> None:
    rules = Rules(handling=handling)
    assert check(rules).is_valid
    assert [problem.is_managed for problem in check(rules, email="nonsense", phone="1").problems] == [False, False]


@pytest.mark.parametrize(
    ("name", "most"),
    [("company_name", 100), ("residential_street", 255), ("residential_city", 100), ("notes", 1000), ("funding_type", 100)]
    + [(name, 255) for name in UTM_FIELDS],
)
def test_sc_23_sc_24_sc_25_sc_28_to_30_texts_have_a_longest_length(name: str, most: int) -> None:
    rules = Rules(funding_types=("x" * 100,))
    assert check(rules, **{name: "x" * most}).is_valid
    assert wrong(rules, **{name: "x" * (most + 1)}) == [
        (f"Field '{name}' must be at most {most} characters", f"Must be at most {most} characters")
    ]


@pytest.mark.parametrize(
    ("value", "kept"), [("CA", "CA"), ("dc", "DC"), ("ZZ", None), ("California", None), ("PR", None), ("C", None)]
)
def test_sc_26_a_state_code(value: str, kept: str | None) -> None:
    """A-SC-11: in any case, kept in capitals."""
    assert check(residential_state=value).clean.get("residential_state") == kept


def test_a_sc_11_an_operator_may_allow_territories() -> None:
    assert check(Rules(allows_territories=True), residential_state="PR").is_valid


@pytest.mark.parametrize(
    ("value", "is_good"),
    [
        ("98402", True),
        ("98402-1234", True),
        ("984021234", True),
        ("9840", False),
        ("98402-", False),
        ("98402-123", False),
        ("٩٨٤٠٢", False),
    ],
)
def test_sc_27_sc_36_a_zip_code(value: str, is_good: bool) -> None:
    """A-SC-10: kept as it was sent."""
    verdict = check(residential_zip=value)
    if is_good:
        assert verdict.clean["residential_zip"] == value
    else:
        assert wrong(residential_zip=value) == [("Field 'residential_zip' must be 5 or 9 digits", "Must be 5 or 9 digits")]


def test_sc_29_sc_37_sc_47_a_funding_type_is_an_active_one_or_absent() -> None:
    """A-SC-32: letter by letter."""
    assert check(TYPES, funding_type="Term Loan").is_valid
    assert check(TYPES, funding_type="").is_valid
    for value in ("term loan", "Merchant Advance"):
        assert wrong(TYPES, funding_type=value) == [(INACTIVE_TYPE, "This funding type is not currently accepted")]


def test_sc_38_all_failures_are_reported_in_the_model_s_order() -> None:
    """A-SC-6."""
    verdict = validate_lead({"residential_zip": "1", "email": "x"}, Rules(), TODAY)
    assert [problem.field for problem in verdict.problems] == [
        "first_name", "last_name", "date_of_birth", "email", "residential_street", "residential_city", "residential_state",
        "residential_zip",
    ]  # fmt: skip
    assert verdict.clean == {}


def test_sc_40_what_was_received_is_echoed_without_anything_else() -> None:
    """A-SC-3, A-SC-13."""
    verdict = check(api_key="sc_live_x", favourite_color="blue", phone="(253) 555-0142")
    assert verdict.received == LEAD | {"phone": "(253) 555-0142"}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine draws slowly
@given(st.dictionaries(st.sampled_from(MODEL_ORDER), st.one_of(st.none(), st.text(), st.integers(), st.lists(st.text()))))
def test_the_verdict_is_total_and_what_is_kept_is_valid_again(lead: dict[str, Any]) -> None:
    verdict = validate_lead(lead, TYPES, TODAY)
    assert verdict.is_valid == (not verdict.problems)
    filled = validate_lead(LEAD | lead, TYPES, TODAY)
    if filled.is_valid:
        assert validate_lead(filled.clean, TYPES, TODAY).clean == filled.clean

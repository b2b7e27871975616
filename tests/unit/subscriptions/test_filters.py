"""Filters of subscriptions: each key's form and meaning (SB-38 to SB-52, A-SB-6 to A-SB-14)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.signals.round_types import ROUND_TYPES_FILE
from pipeline.subscriptions.filters import KEYS, Filter, FilterInvalid, from_json, idle, read_filters, to_json
from pipeline.subscriptions.matcher import Matcher, Subscription
from pipeline.subscriptions.model import SIGNAL_EVENTS, EventType, Facts
from pipeline.subscriptions.round_names import ROUNDS, face_round_type

NOON = datetime(2026, 5, 29, 12, tzinfo=UTC)
ROUND = Facts(
    event_type=EventType.FUNDING,
    occurred_at=NOON,
    company_name="Brightwater Fintech",
    industry="Software Development",
    categories=("ai", "Payments"),
    country="US",
    employee_count=50,
    round_type="series a",
    round_flavor="extension",
    amount=5_000_000,
    confidence=0.29,
)
ACQUISITION = Facts(
    event_type=EventType.ACQUISITION, occurred_at=NOON, company_name="Kelp Systems", country="GB", amount=20_000_000
)
HIRING = Facts(event_type=EventType.HIRING, occurred_at=NOON, company_name="Kelp Systems", country="US")
INVESTOR = Facts(event_type=EventType.INVESTOR, occurred_at=NOON, company_name="Oldmoor Capital", industry="VC")
BARE = Facts(event_type=EventType.FUNDING, occurred_at=NOON)


def accepts(facts: Facts, **filters: str) -> bool:
    read = read_filters(filters).filter
    subscription = Subscription("w", frozenset(SIGNAL_EVENTS), read)
    answer = read.accepts(facts)
    assert (Matcher.of([subscription]).match(facts) == ["w"]) == answer, "the matcher says otherwise"
    assert from_json(to_json(read)) == read
    return answer


def with_(**changes: Any) -> Facts:
    return replace(ROUND, **changes)


def test_a_watch_list_is_asked_of_every_event_and_no_request_can_name_one() -> None:
    watched = replace(read_filters({"countries": "US"}).filter, watch_list="m1")
    assert from_json(to_json(watched)) == watched
    assert watched.accepts(with_(watch_lists=frozenset({"m1", "m2"})))
    assert not watched.accepts(with_(watch_lists=frozenset({"m2"})))
    assert not watched.accepts(ROUND)
    for key in ("watch_list", "watchList"):
        assert read_filters({key: "m1"}).filter == Filter()


def test_sb_38_filters_are_optional() -> None:
    assert read_filters(None).filter == Filter()
    assert all(accepts(facts) for facts in (ROUND, ACQUISITION, HIRING, BARE))


def test_sb_39_an_unknown_key_narrows_nothing() -> None:
    assert all(accepts(facts, round="seed") for facts in (ROUND, ACQUISITION, HIRING, BARE))


def test_a_sb_7_unknown_keys_are_named_in_warnings() -> None:
    warnings = read_filters({"round": "seed", "funding": "seed", "Countries": "US", "x": "1"}).warnings
    assert len(warnings) == 3
    assert warnings[0].startswith("The filter 'round'")
    assert warnings[0].endswith("Did you mean funding?")
    assert read_filters({"funding": "seed"}).warnings == ()


@pytest.mark.parametrize(
    ("value", "country", "expected"),
    [
        ("US,GB", "US", True),
        ("US,GB", "GB", True),
        (" us , gb ", "GB", True),
        ("US,GB", "DE", False),
        ("US", None, False),
        ("US,,", "US", True),
    ],
)
def test_sb_40_countries_match_the_headquarters(value: str, country: str | None, expected: bool) -> None:
    assert accepts(with_(country=country), countries=value) is expected
    assert accepts(replace(HIRING, country=country), countries=value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Software Development|Financial Services", True),
        ("software development", True),
        ("Financial Services | PAYMENTS", True),
        ("AI", True),
        ("Software", False),
        ("Software Development,Payments", False),
        ("payment", False),
    ],
)
def test_sb_41_a_sb_10_categories_equal_the_industry_or_one_category(value: str, expected: bool) -> None:
    assert accepts(ROUND, categories=value) is expected
    assert not accepts(BARE, categories=value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("fintech", True),
        ("FINTECH", True),
        (" bright ", True),
        ("software dev", True),
        ("kelp", False),
        ("fintechsoftware", False),
    ],
)
def test_sb_42_a_sb_11_search_is_part_of_name_or_industry(value: str, expected: bool) -> None:
    assert accepts(ROUND, search=value) is expected


def test_sb_42_search_finds_nothing_across_name_and_industry() -> None:
    assert not accepts(with_(company_name="Ab", industry="Cd"), search="b c")
    assert not accepts(with_(company_name="Ab", industry="Cd"), search="bcd")


@pytest.mark.parametrize(
    ("value", "count", "expected"),
    [
        ("11-50,51-200", 50, True),
        ("11-50,51-200", 51, True),
        ("11-50", 11, True),
        ("11-50", 10, False),
        ("11-50", 51, False),
        ("1000-plus", 1000, True),
        ("1000-plus", 999, False),
        ("1000-PLUS", 5_000_000, True),
        ("1000+", 1000, True),
        ("1-10", None, False),
        ("0-0", 0, True),
    ],
)
def test_sb_43_a_sb_8_team_size_falls_in_any_range_ends_included(value: str, count: int | None, expected: bool) -> None:
    assert accepts(with_(employee_count=count), teamSize=value) is expected


@pytest.mark.parametrize(
    ("first", "last", "at", "expected"),
    [
        ("2026-05-29", None, datetime(2026, 5, 29, tzinfo=UTC), True),
        ("2026-05-29", None, datetime(2026, 5, 28, 23, 59, 59, 999999, tzinfo=UTC), False),
        (None, "2026-05-29", datetime(2026, 5, 29, 23, 59, 59, 999999, tzinfo=UTC), True),
        (None, "2026-05-29", datetime(2026, 5, 30, tzinfo=UTC), False),
        ("2026-01-01", "2026-12-31", NOON, True),
        (None, "2026-05-29T12:00:00Z", NOON, True),
        (None, "2026-05-29T11:59:59Z", NOON, False),
        ("2026-05-29T14:00:00+02:00", None, NOON, True),
        ("2026-05-29T14:00:01+02:00", None, NOON, False),
    ],
)
def test_sb_44_a_sb_12_dates_bound_when_it_occurred(first: str | None, last: str | None, at: datetime, expected: bool) -> None:
    bounds = {name: value for name, value in (("dateFrom", first), ("dateTo", last)) if value}
    assert accepts(with_(occurred_at=at), **bounds) is expected
    assert accepts(replace(HIRING, occurred_at=at), **bounds) is expected


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("seed,series a", "series a", True),
        ("Seed, Series A", "series a", True),
        ("seed", "pre-seed", False),
        ("pre-seed", "seed", False),
        ("series a", None, False),
        ("debt", "debt financing", False),
    ],
)
def test_sb_45_a_sb_13_funding_equals_the_round_type(value: str, kind: str | None, expected: bool) -> None:
    assert accepts(with_(round_type=kind), funding=value) is expected


@pytest.mark.parametrize(
    ("value", "flavor", "expected"),
    [
        ("bridge,extension", "extension", True),
        ("EXTENSION", "extension", True),
        ("secondary", "extension", False),
        ("bridge", None, False),
    ],
)
def test_sb_46_round_flavor(value: str, flavor: str | None, expected: bool) -> None:
    assert accepts(with_(round_flavor=flavor), roundFlavor=value) is expected


@pytest.mark.parametrize(
    ("value", "amount", "expected"),
    [
        ("1m-5m,5m-20m", 5_000_000, True),
        ("1m-5m", 1_000_000, True),
        ("1m-5m", 999_999, False),
        ("1m-5m", 5_000_001, False),
        (">$100m", 100_000_000, False),
        (">$100m", 100_000_001, True),
        ("> 100M", 100_000_001, True),
        (">=100m", 100_000_000, True),
        ("<1m", 999_999, True),
        ("<1m", 1_000_000, False),
        ("<=1m", 1_000_000, True),
        ("$1.5m-$2.5m", 1_500_000, True),
        ("500k-1M", 500_000, True),
        ("1b-2b", 1_000_000_000, True),
        ("1000000-2000000", 1_000_000, True),
        ("100m-plus", 100_000_000, True),
        ("100m+", 99_999_999, False),
        ("1m-5m", None, False),
        (">$100m", None, False),
        ("<1m", None, False),
        (">0.5", 1, True),
        (">=0.5", 0, False),
    ],
)
def test_sb_47_funding_amount_falls_in_any_range(value: str, amount: int | None, expected: bool) -> None:
    assert accepts(with_(amount=amount), fundingAmount=value) is expected


def test_a_sb_9_the_number_counts_whatever_its_currency() -> None:
    assert accepts(with_(amount=2_000_000), fundingAmount="$1m-$5m")


@pytest.mark.parametrize(("value", "expected"), [("10m-50m", True), ("21m-50m", False), (">$19m", True)])
def test_sb_48_acquisition_amount(value: str, expected: bool) -> None:
    assert accepts(ACQUISITION, acquisitionAmount=value) is expected


def test_a_sb_14_acquisition_amount_drops_other_events() -> None:
    assert not accepts(with_(amount=20_000_000), acquisitionAmount="10m-50m")
    assert not accepts(HIRING, acquisitionAmount="10m-50m")


@pytest.mark.parametrize(
    ("value", "confidence", "expected"),
    [
        ("29", 0.29, True),
        ("29.1", 0.29, False),
        ("0", 0.0, True),
        ("100", 1.0, True),
        ("100", 0.999, False),
        ("40", 0.4, True),
        ("40", None, False),
        ("57", 0.57, True),
        ("58", 0.58, True),
    ],
)
def test_sb_49_health_score_is_a_percentage_of_confidence(value: str, confidence: float | None, expected: bool) -> None:
    assert accepts(with_(confidence=confidence), healthScore=value) is expected


@pytest.mark.parametrize("percent", range(101))
def test_a_sb_6_each_whole_percentage_is_met_by_its_own_share(percent: int) -> None:
    assert accepts(with_(confidence=percent / 100), healthScore=str(percent))


def test_sb_50_all_keys_must_be_satisfied() -> None:
    assert accepts(ROUND, countries="US", search="fintech", funding="series a")
    assert not accepts(ROUND, countries="GB", search="fintech", funding="series a")
    assert not accepts(ROUND, countries="US", search="fintech", funding="seed")


@pytest.mark.parametrize(
    "filters", [{"funding": "series a"}, {"roundFlavor": "extension"}, {"fundingAmount": "1m-50m"}, {"healthScore": "0"}]
)
def test_sb_51_a_funding_key_drops_all_other_events(filters: dict[str, str]) -> None:
    assert accepts(ROUND, **filters)
    assert not accepts(replace(ACQUISITION, confidence=1.0), **filters)
    assert not accepts(replace(HIRING, confidence=1.0), **filters)


def test_sb_52_the_printed_example() -> None:
    filters = {"countries": "US,GB", "funding": "seed,series a", "fundingAmount": "1m-100m"}
    assert accepts(ROUND, **filters)
    assert accepts(with_(country="GB", round_type="seed", amount=100_000_000), **filters)
    assert not accepts(with_(country="DE"), **filters)
    assert not accepts(with_(round_type="series b"), **filters)
    assert not accepts(with_(amount=999_999), **filters)
    assert not accepts(with_(amount=100_000_001), **filters)
    assert not accepts(HIRING, **filters)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("countries", "USA"),
        ("countries", "United States"),
        ("countries", ""),
        ("countries", " , "),
        ("countries", "U1"),
        ("categories", "|"),
        ("search", "  "),
        ("search", "a\nb"),
        ("teamSize", "eleven"),
        ("teamSize", "50-11"),
        ("teamSize", "11"),
        ("teamSize", "11-50;51-200"),
        ("teamSize", "-5"),
        ("dateFrom", "yesterday"),
        ("dateFrom", "2026-13-01"),
        ("dateTo", "29/05/2026"),
        ("dateTo", "9999-12-31"),
        ("dateTo", ""),
        ("funding", ""),
        ("roundFlavor", "vanilla"),
        ("fundingAmount", "5m-1m"),
        ("fundingAmount", "lots"),
        ("fundingAmount", "1m"),
        ("fundingAmount", ">"),
        ("fundingAmount", "1m-5m,many"),
        ("acquisitionAmount", "1q-2q"),
        ("healthScore", "101"),
        ("healthScore", "-1"),
        ("healthScore", "NaN"),
        ("healthScore", "forty"),
        ("healthScore", "40%"),
    ],
)
def test_a_sb_7_a_known_key_with_a_value_that_says_nothing_is_refused(key: str, value: str) -> None:
    with pytest.raises(FilterInvalid) as refusal:
        read_filters({key: value})
    assert f"filters.{key}" in str(refusal.value)


@pytest.mark.parametrize("value", [1, None, True, ["US"], {"a": "b"}])
@pytest.mark.parametrize("key", ["countries", "unknown"])
def test_a_sb_7_values_are_strings(key: str, value: object) -> None:
    with pytest.raises(FilterInvalid, match="must be a string"):
        read_filters({key: value})


@pytest.mark.parametrize("given", [[], "US", 3, True])
def test_sb_24_filters_are_an_object(given: object) -> None:
    with pytest.raises(FilterInvalid):
        read_filters(given)


def test_a_sb_32_filter_keys_are_never_converted() -> None:
    assert accepts(HIRING, team_size="1-2", funding_amount="1m-2m")
    assert len(read_filters({"team_size": "1-2", "funding_amount": "1m-2m"}).warnings) == 2


def test_filters_that_no_event_can_satisfy_are_warned_of() -> None:
    assert read_filters({"funding": "seed", "acquisitionAmount": "1m-2m"}).warnings
    assert read_filters({"dateFrom": "2026-05-02", "dateTo": "2026-05-01"}).warnings
    assert not read_filters({"dateFrom": "2026-05-01", "dateTo": "2026-05-01"}).warnings


@pytest.mark.parametrize(("codes", "hint"), [("UK", "GB"), ("us,uk", "GB"), ("EU", None), ("ZZ", None)])
def test_two_letters_that_are_no_country_s_are_warned_of(codes: str, hint: str | None) -> None:
    (warning,) = read_filters({"countries": codes}).warnings
    assert ("Did you mean" in warning) == (hint is not None)
    assert hint is None or f"Did you mean {hint}?" in warning
    assert not read_filters({"countries": "US,GB,de"}).warnings


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("series-a", "series a"), ("Series_B", "series b"), ("preseed", "pre-seed"), ("pre seed", "pre-seed"), ("seeed", "seed"),
        ("A", "series a"), ("crowd funding", "crowdfunding"), ("sries c", "series c"), ("wormhole", None),
    ],
)  # fmt: skip
def test_a_sb_13_round_types_that_no_signal_has_are_warned_of(name: str, meant: str | None) -> None:
    (warning,) = read_filters({"funding": f"seed, {name}"}).warnings
    assert warning.startswith(f"funding: no signal has {name.lower()!r} for a round type.")
    assert warning.endswith(f"Did you mean {meant}?") == (meant is not None)
    assert ("Did you mean" in warning) == (meant is not None)


def test_a_x_3_every_round_type_that_texts_name_is_known_to_filters_and_searches() -> None:
    slugs = [entry["slug"] for entry in yaml.safe_load(ROUND_TYPES_FILE.read_text(encoding="utf-8"))]
    slugs += [f"{before}series-{letter}" for before in ("", "pre-") for letter in "abcdefgh"]
    assert {face_round_type(slug) for slug in slugs} <= set(ROUNDS)
    assert read_filters({"funding": ",".join(ROUNDS)}).warnings == ()


@pytest.mark.parametrize(
    ("events", "filters", "words"),
    [
        (["hiring.created"], {"funding": "seed"}, ["hiring.created."]),
        (["funding.created", "hiring.created", "system.test"], {"healthScore": "1"}, ["through: hiring.created."]),
        (["funding.created"], {"acquisitionAmount": "1m-2m"}, ["through: funding.created."]),
        (["investor.created"], {"funding": "seed"}, ["countries and search alone"]),
        (["investor.created", "funding.created"], {"search": "vc", "countries": "US"}, []),
        (["funding.created"], {"funding": "seed"}, []),
        (["system.test"], {"funding": "seed"}, []),
    ],
)
def test_sb_51_a_sb_38_events_that_filters_drop_or_can_t_narrow_are_warned_of(
    events: list[str], filters: dict[str, str], words: list[str]
) -> None:
    warnings = idle(events, read_filters(filters).filter)
    assert len(warnings) == len(words)
    assert all(word in warning for word, warning in zip(words, warnings, strict=True))


@given(st.dictionaries(st.sampled_from(KEYS), st.text(max_size=30), max_size=4))
def test_reading_is_total_and_storing_loses_nothing(given_filters: dict[str, str]) -> None:
    try:
        read = read_filters(given_filters)
    except FilterInvalid:
        return
    assert read.given == given_filters
    assert from_json(to_json(read.filter)) == read.filter


@pytest.mark.parametrize(
    "key", ["categories", "teamSize", "dateFrom", "funding", "fundingAmount", "acquisitionAmount", "healthScore"]
)
def test_a_sb_38_keys_of_companies_and_deals_are_ignored_for_investors_not_failed(key: str) -> None:
    value = {"categories": "Retail", "teamSize": "1-10", "dateFrom": "2027-01-01", "funding": "seed", "healthScore": "99"}
    assert accepts(INVESTOR, **{key: value.get(key, "1m-5m")})


@pytest.mark.parametrize(("sought", "expected"), [("oldmoor", True), ("vc", True), ("OLDMOOR CAPITAL", True), ("seq", False)])
def test_a_sb_38_search_looks_into_an_investor_s_name_and_type(sought: str, expected: bool) -> None:
    assert accepts(INVESTOR, search=sought) is expected
    assert accepts(INVESTOR, search=sought, funding="seed") is expected


@pytest.mark.parametrize(("country", "expected"), [("US", True), ("DE", False), (None, False)])
def test_a_sb_38_countries_are_where_an_investor_invests_and_unknown_ones_match_nothing(
    country: str | None, expected: bool
) -> None:
    assert accepts(replace(INVESTOR, country=country), countries="US,GB") is expected


# --- the matcher agrees with the meaning ----------------------------------------------------------------------------------

VALUES = {
    "countries": ["US", "US,GB", "DE,FR", "gb"],
    "categories": ["ai", "Software Development|ai", "payments", "retail"],
    "search": ["fin", "soft", "kelp", "bright"],
    "teamSize": ["1-10", "11-50,51-200", "1000-plus", "50-50"],
    "dateFrom": ["2026-05-29", "2026-06-01", "2026-05-29T12:00:00Z"],
    "dateTo": ["2026-05-29", "2026-05-28", "2026-05-29T12:00:00Z"],
    "funding": ["seed", "series a,seed", "debt"],
    "roundFlavor": ["bridge", "extension,bridge"],
    "fundingAmount": ["1m-5m", ">$5m", "5m-20m"],
    "acquisitionAmount": ["10m-50m", ">$20m"],
    "healthScore": ["0", "29", "80"],
}
one_filter = st.dictionaries(st.sampled_from(sorted(VALUES)), st.integers(0, 5), max_size=3).map(
    lambda chosen: {key: VALUES[key][index % len(VALUES[key])] for key, index in chosen.items()}
)
signals = st.builds(
    Facts,
    event_type=st.sampled_from(SIGNAL_EVENTS),
    occurred_at=st.sampled_from([NOON, datetime(2026, 5, 28, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC)]),
    company_name=st.sampled_from([None, "Brightwater Fintech", "Kelp"]),
    industry=st.sampled_from([None, "Software Development", "Retail"]),
    categories=st.sampled_from([(), ("ai",), ("Payments", "ai")]),
    country=st.sampled_from([None, "US", "GB", "DE"]),
    employee_count=st.sampled_from([None, 5, 50, 51, 1000]),
    round_type=st.sampled_from([None, "seed", "series a"]),
    round_flavor=st.sampled_from([None, "bridge", "extension"]),
    amount=st.sampled_from([None, 5_000_000, 5_000_001, 20_000_000]),
    confidence=st.sampled_from([None, 0.0, 0.29, 0.95]),
    watch_lists=st.sampled_from([frozenset(), frozenset({"m1"}), frozenset({"m1", "m2"})]),
)


@given(
    st.lists(
        st.tuples(one_filter, st.sets(st.sampled_from(SIGNAL_EVENTS), min_size=1), st.sampled_from([None, None, "m1", "m2"])),
        max_size=30,
    ),
    st.lists(signals, min_size=1, max_size=5),
)
def test_matching_many_at_once_is_asking_each(chosen: list[Any], facts: list[Facts]) -> None:
    subscriptions = [
        Subscription(str(number), frozenset(events), replace(read_filters(filters).filter, watch_list=watched))
        for number, (filters, events, watched) in enumerate(chosen)
    ]
    matcher = Matcher.of(subscriptions)
    stored = Matcher.from_json(json.loads(json.dumps(matcher.to_json())))
    for signal in facts:
        expected = [
            one.endpoint_id for one in subscriptions if signal.event_type in one.event_types and one.filter.accepts(signal)
        ]
        assert matcher.match(signal) == expected
        assert stored.match(signal) == expected


def test_matching_is_the_same_with_common_and_with_rare_values() -> None:
    """Values of very many subscriptions are kept otherwise than those of few."""
    subscriptions = [
        Subscription(str(number), frozenset(SIGNAL_EVENTS), read_filters({"countries": "US" if number % 2 else "GB"}).filter)
        for number in range(2_000)
    ]
    rare = Subscription("rare", frozenset({EventType.FUNDING}), read_filters({"countries": "DE,US"}).filter)
    matcher = Matcher.of([*subscriptions, rare])
    assert matcher.match(ROUND) == [*[str(number) for number in range(1, 2_000, 2)], "rare"]
    assert matcher.match(with_(country="DE")) == ["rare"]
    stored = Matcher.from_json(json.loads(json.dumps(matcher.to_json())))
    assert [stored.match(with_(country=country)) for country in ("US", "DE")] == [
        matcher.match(with_(country=country)) for country in ("US", "DE")
    ]
    assert matcher.match(with_(country=None)) == []

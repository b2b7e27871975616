"""Which found matches are told, asked about, or dropped, by each organization's thresholds."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.matching.model import FoundMatch, MatchType
from pipeline.matching.tiers import MOST_NAMES, BadThresholds, Thresholds, search_from, sort_into_tiers

DEFAULT = Thresholds(0.9, 0.6)


def row(kind: str, account: str, score: float, name: str | None = None) -> dict[str, Any]:
    return {
        "match_type": kind,
        "account_external_id": account,
        "contact_external_id": None,
        "score": score,
        "rule": "equal_domain" if kind != "account_name" else "fuzzy_name",
        "crm_value": name or f"Name {account}",
        "round_value": "Brightloom",
    }


def match(*rows: dict[str, Any], organization: str = "north", round_id: str = "r1") -> FoundMatch:
    head = dict(rows[0]) | {"match_type": MatchType(rows[0]["match_type"])}
    return FoundMatch(organization, round_id, **head, matcher_version="1", all_matches=list(rows))


def accounts(found: list[FoundMatch]) -> list[str | None]:
    return [one.account_external_id for one in found]


@pytest.mark.parametrize(
    ("score", "tier"),
    [(1.0, "send"), (0.9, "send"), (0.899, "review"), (0.6, "review"), (0.599, "near"), (0.4, "near"), (0.399, None)],
)
def test_a_name_match_goes_where_its_score_says(score: float, tier: str | None) -> None:
    tiers = sort_into_tiers([match(row("account_name", "a1", score))], {}, DEFAULT)
    assert {name: accounts(getattr(tiers, name)) for name in ("send", "review", "near")} == {
        name: ["a1"] if name == tier else [] for name in ("send", "review", "near")
    }


@pytest.mark.parametrize("kind", ["account_domain", "email_domain"])
def test_matches_by_domain_are_told_whatever_the_thresholds_say(kind: str) -> None:
    assert accounts(sort_into_tiers([match(row(kind, "a1", 0.1))], {}, Thresholds(1.0, 1.0)).send) == ["a1"]


def test_each_organization_has_its_own_thresholds() -> None:
    found = [match(row("account_name", "a1", 0.8), organization=name) for name in ("bold", "careful", "default")]
    tiers = sort_into_tiers(found, {"bold": Thresholds(0.7, 0.7), "careful": Thresholds(0.99, 0.95)}, DEFAULT)
    assert [one.organization_id for one in tiers.send] == ["bold"]
    assert [one.organization_id for one in tiers.review] == ["default"]
    assert [one.organization_id for one in tiers.near] == ["careful"]


def test_what_is_told_carries_no_row_that_alone_would_not_be() -> None:
    """`all_matches` reaches the partner: an unsure row beside a sure one stays out of it."""
    found = match(row("account_domain", "a1", 1.0), row("account_name", "a2", 0.95), row("account_name", "a3", 0.7))
    (told,) = sort_into_tiers([found], {}, DEFAULT).send
    assert [one["account_external_id"] for one in told.all_matches] == ["a1", "a2"]
    assert not sort_into_tiers([found], {}, DEFAULT).review


def test_rows_under_one_name_are_one_question_and_each_name_is_its_own() -> None:
    found = match(
        row("account_name", "a1", 0.8, "Brightloom Labs"),
        row("account_name", "a2", 0.75, "Brightloom AG"),
        row("account_name", "a3", 0.8, "Brightloom Labs"),
    )
    first, second = sort_into_tiers([found], {}, DEFAULT).review
    assert (first.crm_value, [one["account_external_id"] for one in first.all_matches]) == ("Brightloom Labs", ["a1", "a3"])
    assert (second.crm_value, second.score, second.account_external_id) == ("Brightloom AG", 0.75, "a2")


def test_questions_about_one_round_are_bounded_and_the_best_are_asked() -> None:
    rows = [row("account_name", f"a{n}", 0.6 + n / 100) for n in range(20)]
    asked = sort_into_tiers([match(*rows)], {}, DEFAULT).review
    assert accounts(asked) == [f"a{n}" for n in range(19, 19 - MOST_NAMES, -1)]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from([0.55, 0.65, 0.7, 0.85])), min_size=1, max_size=8))
def test_the_order_of_rows_leaves_no_trace_in_the_questions(rows: list[tuple[str, float]]) -> None:
    named = [row("account_name", f"{n}", score, name) for n, (name, score) in enumerate(rows)]
    shuffled = random.Random(1).sample(named, len(named))
    assert sort_into_tiers([match(*named)], {}, DEFAULT).review == [
        type(one)(**{name: getattr(one, name) for name in one.__slots__})
        for one in sort_into_tiers([match(*shuffled)], {}, DEFAULT).review
    ]


@pytest.mark.parametrize(("send", "review"), [(1.1, 0.5), (0.9, 0.2), (0.2, 0.2), (0.5, 0.6), (float("nan"), 0.5)])
def test_thresholds_that_are_none_are_refused(send: float, review: float) -> None:
    with pytest.raises(BadThresholds):
        Thresholds(send, review)


def test_the_engine_looks_as_far_down_as_the_boldest_organization_needs() -> None:
    assert search_from([Thresholds(0.9, 0.9), Thresholds(0.9, 0.6)]) == pytest.approx(0.4)
    assert search_from([Thresholds(0.9, 0.35)]) == 0.3

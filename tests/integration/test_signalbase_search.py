"""GET /signals/funding on both databases' dialects of JSON: filters, pages, credits (vendor facts, section 7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.api.signalbase import data
from pipeline.subscriptions import teams
from pipeline.subscriptions.payloads import company_id
from pipeline.subscriptions.search import find
from pipeline.subscriptions.search_params import PRESETS, preset_range
from pipeline.subscriptions.signals import PublishedSignal, publish_signals


class Caller:
    """A team with ten credits over three published rounds: seed in the US (new), Series A in GB, one without an amount."""

    def __init__(self, api: Any) -> None:
        self.api, self.id = api, api.organization
        teams.create_team(api.database, self.id, api.now)
        teams.grant_credits(api.database, self.id, 10, api.now)
        self.token = teams.create_key(api.database, self.id, "test", api.now).token
        rounds = [
            self.round("new", "Brightwater", "brightwater.com", "US", "seed", 2_000_000, 0),
            self.round("old", "Kestrel Labs", "kestrellabs.com", "GB", "series a", 9_000_000, 40),
            self.round("bare", "Fernhollow", None, None, None, None, 2),
        ]
        publish_signals(api.database, rounds, api.now)

    def round(
        self, key: str, name: str, domain: str | None, country: str | None, kind: str | None, amount: int | None, days: int
    ) -> PublishedSignal:
        at = self.api.now - timedelta(days=days)
        company = {"name": name, "slug": key, "website": f"https://{domain}" if domain else None, "subcategory": "fintech"}
        investors = [{"name": "Café Capital", "type": "vc", "leadInvestor": True}] if key == "new" else []
        block = {"announcedDate": "2026-05-01", "verificationStatus": "verified", "investors": investors}
        return PublishedSignal(
            key, "funding.created", f"fund_{key}", key, True, False, at, at, company_id(domain, name), name, "Financial Services",
            ["fintech"], country, None, kind, None, amount, "USD" if amount else None, 0.9,
            {"company": company, "fundingRound": block, "sources": [{"url": "https://news.test/1"}]},
        )  # fmt: skip

    def ask(self, query: str = "") -> tuple[int, dict[str, Any]]:
        answer = self.api.raw(f"/api/v2/signals/funding?{query}", headers={"Authorization": f"Bearer {self.token}"})
        return answer.status_code, answer.json()

    def found(self, query: str) -> list[str]:
        status, body = self.ask(query)
        assert status == 200, body
        assert body["pagination"]["totalCount"] == len(body["data"])
        return [row["signalId"] for row in body["data"]]


@pytest.fixture
def caller(make_api: Any, tmp_path: Path) -> Iterator[Caller]:
    with make_api(home=tmp_path) as api:
        yield Caller(api)


def test_a_row_says_what_documents_state_and_null_else(caller: Caller) -> None:
    status, body = caller.ask("round=SEED")
    [row] = body["data"]
    assert (status, body["success"], row["signalType"], row["amount"], row["companyWebsite"]) == (
        200, True, "funding_round", 2_000_000, "brightwater.com",
    )  # fmt: skip
    assert (row["companyCategories"], row["companyEmployeeCount"], row["match_confidence"]) == ('["fintech"]', None, "none")
    assert [(one["name"], one["isLead"], one["website"]) for one in row["investors"]] == [("Café Capital", True, None)]
    assert row["sources"][0]["isPrimary"] is True
    assert body["meta"] == {"endpoint": "signals.funding", "creditsUsed": 1, "creditsRemaining": 9}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["new", "bare", "old"]),
        ("sort_by=amount&sort_order=asc", ["new", "old", "bare"]),
        ("countries=gb,fr", ["old"]),
        ("countries=NORDICS,United Kingdom,na", ["new", "old"]),
        ("countries=EU", []),
        ("currency=usd", ["new", "old"]),
        ("exclude_countries=US", ["bare", "old"]),
        ("amount_min=2000000&amount_max=8000000", ["new"]),
        ("date_preset=last_7d&dateFrom=2001-01-01", ["new", "bare"]),
        ("search=kestrel", ["old"]),
        ("company_name=bright", ["new"]),
        ("company_domain=https://www.brightwater.com/about", ["new"]),
        ("company_linkedin_url=linkedin.com/company/brightwater", []),
        ("investor_name=CAFÉ", ["new"]),
        ("categories=fintech|retail&industry=financial services", ["new", "bare", "old"]),
        ("subcategories=nonsense", []),
        ("verification_status=unverified", []),
        ("employee_count_min=1", []),
        ("founded_year_min=1990", []),
    ],
)
def test_each_filter_lets_through_what_it_says(caller: Caller, query: str, expected: list[str]) -> None:
    assert caller.found(query) == expected


def test_pages_follow_each_other(caller: Caller) -> None:
    _, body = caller.ask("limit=2&page=2")
    assert [row["signalId"] for row in body["data"]] == ["old"]
    assert body["pagination"] == {
        "currentPage": 2, "totalPages": 2, "totalCount": 3, "hasNextPage": False, "hasPreviousPage": True,
    }  # fmt: skip


def test_counting_is_free_and_a_search_without_credit_is_402(caller: Caller) -> None:
    teams.grant_credits(caller.api.database, caller.id, -9, caller.api.now)
    assert caller.ask("countries=JP")[1]["meta"]["creditsRemaining"] == 0, "an empty page costs a credit too"
    status, body = caller.ask("count=true")
    assert (status, body["data"], body["pagination"]["totalCount"], body["meta"]["creditsUsed"]) == (200, [], 3, 0)
    status, body = caller.ask()
    assert (status, body["error"]) == (402, "out of credits, please contact support to increase your usage")
    assert teams.get_team(caller.api.database, caller.id).credits == 0


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("round=foobar", "Invalid round value: foobar. Accepted values (case-insensitive): pre-seed, seed"),
        ("countrys=US", 'Unknown query parameter: countrys (did you mean "countries"?)'),
        ("company_linkedin_url=linkedin.com/in/jane", "no LinkedIn company page"),
        ("company_linkedin_url=https://[", "no LinkedIn company page"),
        ("search=a%00b", "NUL"),
        ("countries=Atlantis", "no country"),
        ("company_domain=nonsense", "no company's domain"),
        ("limit=101", "limit must be a whole number from 1 to 100"),
        ("page=0", "page must"),
        ("dateFrom=yesterday", "dateFrom"),
        ("date_preset=soon", "date_preset"),
    ],
)
def test_what_can_t_be_read_is_400_and_costs_nothing(caller: Caller, query: str, words: str) -> None:
    status, body = caller.ask(query)
    assert (status, words.casefold() in body["error"].casefold()) == (400, True), body
    assert teams.get_team(caller.api.database, caller.id).credits == 10


def test_no_search_looks_at_more_than_its_bound_and_says_so(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "find", lambda db, one: find(db, replace(one, kind=replace(one.kind, most=1))))
    _, body = caller.ask("countries=GB")
    assert (body["data"], "newest" in body["meta"]["warnings"][0]) == ([], True)
    assert caller.ask("company_domain=kestrellabs.com")[1]["pagination"]["totalCount"] == 1, "one company's are found by it"


def test_presets_are_whole_days() -> None:
    now = datetime(2026, 3, 31, 15, tzinfo=UTC)
    days = {name: tuple(at.date().isoformat() for at in preset_range(name, now)) for name in PRESETS}
    assert days["yesterday"] == ("2026-03-30", "2026-03-31")
    assert days["last_7d"] == ("2026-03-24", "2026-04-01")
    assert days["last_6m"] == ("2025-09-30", "2026-04-01")
    assert days["this_week"] == ("2026-03-30", "2026-04-01")
    assert days["last_week"] == ("2026-03-23", "2026-03-30")
    assert days["last_month"] == ("2026-02-01", "2026-03-01")
    assert days["last_quarter"] == ("2025-10-01", "2026-01-01")
    assert days["last_year"] == ("2025-01-01", "2026-01-01")

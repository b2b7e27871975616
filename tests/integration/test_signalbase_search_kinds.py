"""GET /signals/acquisitions, /job-changes, /hiring, /investors and /companies on both databases (vendor facts, sections 7, 8)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from pipeline.store.tables.subscriptions import Company, Investor, SignalInvestor
from pipeline.subscriptions import profiles, teams
from pipeline.subscriptions.payloads import company_block, company_id, investor_id
from pipeline.subscriptions.signals import PublishedSignal, publish_signals

SOURCE = {"url": "https://news.test/1", "sourceType": "news_article", "title": "Somebody does something", "content": None}


class World:
    """A team with a thousand credits over published signals of every kind."""

    def __init__(self, api: Any) -> None:
        self.api, self.db = api, api.database
        teams.create_team(self.db, api.organization, api.now)
        teams.grant_credits(self.db, api.organization, 1_000, api.now)
        teams.change_team(self.db, api.organization, api.now, calls_per_minute=10_000)
        self.token = teams.create_key(self.db, api.organization, "test", api.now).token

    def publish(self, key: str, event: str, name: str, days: int = 0, **changes: Any) -> PublishedSignal:
        """One signal; ``changes``: columns, and blocks of the payload."""
        at = self.api.now - timedelta(days=days)
        domain, country = changes.pop("domain", None), changes.pop("country", None)
        of_company = company_id(domain, name)
        block = company_block(name, of_company, domain, changes.pop("industry", "Fintech"), country, changes.pop("told", None))
        columns = {one: changes.pop(one) for one in ("amount", "currency", "round_type", "is_active") if one in changes}
        values: dict[str, Any] = {
            "id": key, "event_type": f"{event}.created", "external_id": key, "logical_key": key, "is_active": True, "tells": False,
            "occurred_at": at, "discovered_at": at, "company_id": of_company, "company_name": name,
            "industry": block and block["industry"], "categories": [block["subcategory"]] if block else [], "country": country,
            "employee_count": None, "round_type": None, "round_flavor": None, "amount": None, "currency": None, "confidence": 0.9,
            "data": {"company": block, "sources": changes.pop("sources", [SOURCE]), **changes},
        }  # fmt: skip
        signal = PublishedSignal(**(values | columns))
        publish_signals(self.db, [signal], self.api.now)
        return signal

    def ask(self, path: str, query: str = "") -> tuple[int, dict[str, Any]]:
        answer = self.api.raw(f"/api/v2{path}?{query}", headers={"Authorization": f"Bearer {self.token}"})
        return answer.status_code, answer.json()

    def found(self, path: str, query: str, field: str) -> list[Any]:
        status, body = self.ask(path, query)
        assert status == 200, body
        assert body["pagination"]["totalCount"] == len(body["data"])
        return [row[field] for row in body["data"]]


@pytest.fixture
def world(make_api: Any, tmp_path: Path) -> Iterator[World]:
    with make_api(home=tmp_path) as api:
        yield World(api)


# --- acquisitions ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def deals(world: World) -> World:
    buyer = {"id": "b", "name": "Kelp Systems", "website": None, "linkedinUrl": None, "industry": None, "logoUrl": None}
    deal = {"acquiringCompanyId": "b", "acquiringCompany": buyer, "percentage": "51", "announcedDate": "2026-05-01"}
    world.publish(
        "new", "acquisition", "Brightwater", domain="brightwater.com", country="US", amount=25_000_000, currency="USD",
        acquisition=deal, sources=[SOURCE, SOURCE | {"url": "https://other.test/2"}],
    )  # fmt: skip
    alone = {"acquiringCompanyId": None, "acquiringCompany": None, "percentage": None, "announcedDate": "2026-04-01"}
    world.publish("old", "acquisition", "Kestrel Labs", 40, country="GB", acquisition=alone, industry="Gaming")
    return world


def test_an_acquisition_s_row_is_about_the_company_that_is_bought(deals: World) -> None:
    status, body = deals.ask("/signals/acquisitions", "limit=1")
    [row] = body["data"]
    assert (status, body["meta"]["endpoint"], body["pagination"]["totalPages"]) == (200, "signals.acquisitions", 2)
    assert (row["signalType"], row["companyName"], row["companyWebsite"]) == ("acquisition", "Brightwater", "brightwater.com")
    assert (row["amount"], row["currency"], row["percentage"], row["acquiringCompanyId"]) == (25_000_000, "USD", "51%", "b")
    assert {row["acquiringCompany"][name] for name in ("id", "name", "slug")} == {"b", "Kelp Systems", "kelp-systems"}
    assert [source["isPrimary"] for source in row["sources"]] == [True, False]
    assert "confidenceScore" not in row


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["new", "old"]),
        ("sort_by=amount&sort_order=asc", ["new", "old"]),
        ("sort_by=employee_count", ["old", "new"]),
        ("acquiring_company=KELP", ["new"]),
        ("acquirer_countries=US", []),
        ("exclude_acquirer_countries=US", ["new", "old"]),
        ("countries=GB", ["old"]),
        ("verification_status=verified", ["new"]),
        ("verification_status=unverified,pending", ["old"]),
        ("amount_min=1", ["new"]),
        ("currency=EUR", []),
        ("subcategories=gaming", ["old"]),
        ("company_domain=other.org,brightwater.com", ["new"]),
        ("company_domain=brightwater.com&company_name=kestrel", []),
    ],
)
def test_each_filter_of_acquisitions_lets_through_what_it_says(deals: World, query: str, expected: list[str]) -> None:
    assert deals.found("/signals/acquisitions", query, "signalId") == expected


# --- job changes ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def changes(world: World) -> World:
    def change(person: str, role: str, page: str | None, **more: Any) -> dict[str, Any]:
        return {"personName": person, "newRole": role, "personLinkedinUrl": page, "personCurrentTitle": role, **more}

    world.publish(
        "cfo", "job_change", "Brightwater", country="US", domain="brightwater.com", told="Jordan Lee Miles runs its money.",
        sources=[SOURCE | {"title": "Brightwater names Jordan Lee Miles Chief Financial Officer", "content": "Jordan Lee Miles."}],
        jobChange=change("Jordan Lee Miles", "Chief Financial Officer", "https://www.linkedin.com/in/jordan-miles/"),
    )  # fmt: skip
    place = {"personCity": "München", "personLocation": "München, Bayern", "personCountry": "DE"}
    post = [{"url": "https://www.linkedin.com/posts/1", "sourceType": "social_media", "title": None}]
    world.publish(
        "vp", "job_change", "Kestrel Labs", 3, sources=post, jobChange=change("Ada Quinn", "VP of Engineering", None, **place)
    )
    return world


def test_sb_78_a_job_change_s_row_names_nobody_in_full(changes: World) -> None:
    status, body = changes.ask("/signals/job-changes")
    assert (status, body["meta"]["endpoint"]) == (200, "signals.jobChanges")
    row = body["data"][0]
    assert (row["signalId"], row["personName"], row["newRole"]) == ("cfo", "Jordan M.", "Chief Financial Officer")
    assert row["personLinkedinUrl"] == "https://www.linkedin.com/in/jordan-miles/"
    assert row["sources"] == [{"url": "https://news.test/1", "sourceType": "news_article"}]
    assert (row["companyWebsite"], row["source"], row["takenFrom"]) == (
        "https://brightwater.com",
        "other",
        "https://news.test/1",
    )
    assert row["companyDescription"] == "Jordan L. M. runs its money."
    assert body["data"][1]["source"] == "linkedin"
    assert "Lee" not in str(body)
    assert "Lee" not in str(changes.ask("/companies")[1])
    assert changes.found("/companies", "search=jordan lee", "name") == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["cfo", "vp"]),
        ("sort_by=person_name&sort_order=asc", ["vp", "cfo"]),
        ("sort_by=company_name", ["vp", "cfo"]),
        ("countries=DE", ["vp"]),
        ("exclude_countries=DE", ["cfo"]),
        ("city=MÜNCHEN", ["vp"]),
        ("personLinkedinUrl=https://linkedin.com/in/Jordan-Miles", ["cfo"]),
        ("personLinkedinUrl=linkedin.com/in/jordan", []),
        ("new_role=engineer", ["vp"]),
        ("search=financial off", ["cfo"]),
        ("search=Lee Miles", []),
        ("source=linkedin", ["vp"]),
        ("source=other", ["cfo"]),
        ("keyword=promotion", []),
        ("positions=CFO,cto", ["cfo"]),
        ("departments=engineering", ["vp"]),
        ("seniorities=vp,c_level&departments=finance", ["cfo"]),
        ("seniorities=manager", []),
        ("company_domain=brightwater.com", ["cfo"]),
        ("companyLinkedinUrl=linkedin.com/company/brightwater", []),
        ("date_preset=today", ["cfo"]),
    ],
)
def test_each_filter_of_job_changes_lets_through_what_it_says(changes: World, query: str, expected: list[str]) -> None:
    assert changes.found("/signals/job-changes", query, "signalId") == expected


# --- hiring ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def openings(world: World) -> World:
    texas = {"title": "Senior Engineers", "jobUrl": "https://news.test/1", "location": "Austin, Texas", "city": "Austin"}
    world.publish(
        "us", "hiring", "Brightwater", country="GB", hiringDetails=[texas | {"country": "US", "employmentType": "full_time"}],
        sources=[SOURCE | {"content": "They run Kubernetes (and Terraform) for site reliability."}],
    )  # fmt: skip
    world.publish("any", "hiring", "Kestrel Labs", 2, country="DE", hiringDetails=[{"title": None, "location": "Berlin"}])
    return world


def test_an_opening_s_row(openings: World) -> None:
    status, body = openings.ask("/signals/hiring")
    assert (status, body["meta"]["endpoint"]) == (200, "signals.hiring")
    row, other = body["data"]
    assert (row["id"], row["title"], row["jobUrl"], row["jobCountry"]) == (
        "us",
        "Senior Engineers",
        "https://news.test/1",
        "US",
    )
    assert (row["employmentType"], row["numApplicants"], row["datePosted"]) == ("full_time", None, row["createdAt"])
    assert row["descriptionText"].startswith("They run Kubernetes")
    assert (other["title"], other["jobUrl"]) == ("", ""), "never null, also where nothing names it"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["us", "any"]),
        ("sort_by=title&sort_order=asc", ["us", "any"]),
        ("sort_by=location", ["any", "us"]),
        ("sort_by=date_posted&sort_order=asc", ["any", "us"]),
        ("countries=GB", ["us"]),
        ("countries=US", ["us"]),
        ("job_countries=GB", []),
        ("company_countries=GB", ["us"]),
        ("exclude_countries=US", ["any"]),
        ("states=TX,NY", ["us"]),
        ("states=CA", []),
        ("city=aus", ["us"]),
        ("search=engineers", ["us"]),
        ("departments=engineering", ["us"]),
        ("description=kubernetes", ["us"]),
        ("description=kubernete", []),
        ('description="site reliability" terraform', ["us"]),
        ("description=kubernetes -terraform", []),
        ("description=cobol OR terraform", ["us"]),
        ("team_size=11-50", []),
        ("applicants=0-25,201-plus", []),
    ],
)
def test_each_filter_of_openings_lets_through_what_it_says(openings: World, query: str, expected: list[str]) -> None:
    assert openings.found("/signals/hiring", query, "id") == expected


# --- investors and companies ----------------------------------------------------------------------------------------------


@pytest.fixture
def backed(world: World) -> World:
    def round_of(*investors: tuple[str, str | None]) -> dict[str, Any]:
        return {"investors": [{"name": name, "type": kind, "leadInvestor": False} for name, kind in investors]}

    world.publish("r1", "funding", "Brightwater", 5, domain="brightwater.com", fundingRound=round_of(("Café Capital", None)))
    world.publish(
        "r2", "funding", "Kestrel Labs", 1, country="GB", told="Radars for birds.",
        fundingRound=round_of(("CAFÉ  Capital", "vc"), ("Ada Quinn", "angel")),
    )  # fmt: skip
    return world


def test_an_investor_is_one_however_its_name_is_written_and_was_first_seen_with_its_first_round(backed: World) -> None:
    status, body = backed.ask("/signals/investors", "sort_by=name&sort_order=asc")
    assert (status, body["meta"]) == (200, {"endpoint": "signals.investors", "creditsUsed": 1, "creditsRemaining": 999})
    ada, cafe = body["data"]
    assert (ada["name"], ada["type"], ada["countries"], ada["ticketSizeMin"]) == ("Ada Quinn", "angel", None, None)
    assert (cafe["id"], cafe["name"], cafe["type"]) == (investor_id("café capital"), "CAFÉ  Capital", "vc")
    assert cafe["createdAt"] < ada["createdAt"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Ada Quinn", "CAFÉ  Capital"]),
        ("type=vc", ["CAFÉ  Capital"]),
        ("type=Angel,pe", ["Ada Quinn"]),
        ("categories=vc|angel", ["Ada Quinn", "CAFÉ  Capital"]),
        ("search=café", ["CAFÉ  Capital"]),
        ("search=ang", ["Ada Quinn"]),
        ("countries=US", []),
        ("exclude_countries=US", ["Ada Quinn", "CAFÉ  Capital"]),
        ("headquarters=London", []),
        ("ticket_size_min=100000", []),
        ("date_preset=last_14d&dateTo=2001-01-01", ["Ada Quinn", "CAFÉ  Capital"]),
        ("dateTo=2001-01-01", []),
    ],
)
def test_each_filter_of_investors_lets_through_what_it_says(backed: World, query: str, expected: list[str]) -> None:
    assert backed.found("/signals/investors", query, "name") == expected


def test_a_company_s_row_holds_what_any_of_its_signals_states(backed: World) -> None:
    backed.publish("h", "hiring", "Brightwater", domain="brightwater.com", country="US", told="Clean water.", industry=None)
    status, body = backed.ask("/companies", "sort_order=asc")
    assert (status, body["meta"]["endpoint"]) == (200, "companies.list")
    row = body["data"][0]
    assert (row["id"], row["slug"], row["website"]) == (
        company_id("brightwater.com", None), "brightwater", "https://brightwater.com",
    )  # fmt: skip
    assert (row["industry"], row["headquartersCountry"], row["description"]) == ("Financial Services", "US", "Clean water.")
    assert (row["categories"], row["keywords"], row["growthInfo"], row["employeeCount"]) == (["fintech"], [], None, None)
    assert row["createdAt"] < row["updatedAt"], "first found with its round"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Kestrel Labs", "Brightwater"]),
        ("sort_by=created_at", ["Kestrel Labs", "Brightwater"]),
        ("domain=www.brightwater.com:443/about", ["Brightwater"]),
        ("domain=nobody.org", []),
        ("linkedin_url=linkedin.com/company/kestrel", []),
        ("search=radars", ["Kestrel Labs"]),
        ("countries=UK", []),
        ("countries=GB", ["Kestrel Labs"]),
        ("exclude_countries=GB", ["Brightwater"]),
        ("industry=financial services", ["Kestrel Labs", "Brightwater"]),
        ("categories=fintech", ["Kestrel Labs", "Brightwater"]),
        ("subcategories=ai", []),
        ("employee_count_min=1", []),
        ("founded_year_max=2020", []),
    ],
)
def test_each_filter_of_companies_lets_through_what_it_says(backed: World, query: str, expected: list[str]) -> None:
    assert backed.found("/companies", query, "name") == expected


def test_dates_are_ignored_on_companies_and_the_answer_says_so(backed: World) -> None:
    _, body = backed.ask("/companies", "dateFrom=2999-01-01&date_preset=nonsense")
    assert (len(body["data"]), body["meta"]["warnings"]) == (
        2, ["dateFrom narrows nothing here.", "date_preset narrows nothing here."],
    )  # fmt: skip


def test_who_is_in_no_active_signal_any_more_goes_and_a_correction_corrects(backed: World) -> None:
    backed.publish("r2", "funding", "Kestrel Labs", 1, is_active=False, fundingRound={"investors": [{"name": "Ada Quinn"}]})
    assert backed.found("/companies", "", "name") == ["Brightwater"]
    assert backed.found("/signals/investors", "", "type") == [None], "what only the round taken back stated is gone too"
    round_ = {"investors": [{"name": "Oldmoor Partners", "type": "vc"}]}
    backed.publish("r1", "funding", "Brightwater AI", 5, domain="brightwater.ai", fundingRound=round_)
    assert backed.found("/companies", "", "website") == ["https://brightwater.ai"]
    assert backed.found("/signals/investors", "", "name") == ["Oldmoor Partners"]


def test_publishing_the_same_again_changes_no_profile(backed: World) -> None:
    def rows() -> list[Any]:
        with backed.db.read() as session:
            return [
                [(row.id, row.updated_at) for row in session.scalars(select(table).order_by(table.id))]
                for table in (Company, Investor)
            ] + [list(session.scalars(select(SignalInvestor.signal_id).order_by(SignalInvestor.signal_id)))]

    signal = backed.publish("r9", "funding", "Third", fundingRound={"investors": [{"name": "Café Capital"}]})
    before = rows()
    assert [len(one) for one in before] == [3, 2, 4]
    publish_signals(backed.db, [signal], backed.api.now + timedelta(hours=1))
    assert rows() == before


def test_what_was_published_before_there_were_profiles_is_filled_in_once(
    backed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an upgrade; a round taken back makes neither."""
    backed.publish("r3", "funding", "Wrong", is_active=False, fundingRound={"investors": [{"name": "Nobody"}]})

    def rows() -> list[Any]:
        with backed.db.read() as session:
            companies = session.execute(
                select(Company.name, Company.country, Company.created_at, Company.profile).order_by(Company.id)
            )
            investors = session.execute(
                select(Investor.id, Investor.name, Investor.type, Investor.created_at).order_by(Investor.id)
            )
            return [[tuple(row) for row in found] for found in (companies, investors)]

    before = rows()
    with backed.db.write() as session:
        for table in (SignalInvestor, Investor, Company):
            session.execute(delete(table))
    monkeypatch.setattr(profiles, "AT_ONCE", 1)
    profiles.fill_profiles(backed.db, backed.api.now)
    assert rows() == before
    monkeypatch.setattr(profiles, "refresh_profiles", None)
    profiles.fill_profiles(backed.db, backed.api.now)


# --- what all have --------------------------------------------------------------------------------------------------------

PATHS = ("/signals/acquisitions", "/signals/job-changes", "/signals/hiring", "/signals/investors", "/companies")


@pytest.mark.parametrize("path", PATHS)
def test_count_is_free_a_page_costs_a_credit_and_an_unknown_parameter_nothing(world: World, path: str) -> None:
    status, body = world.ask(path, "count=true")
    assert (status, body["data"], body["meta"]["creditsUsed"], body["meta"]["creditsRemaining"]) == (200, [], 0, 1_000)
    assert body["pagination"] == {
        "currentPage": 1, "totalPages": 0, "totalCount": 0, "hasNextPage": False, "hasPreviousPage": False,
    }  # fmt: skip
    assert world.ask(path)[1]["meta"]["creditsRemaining"] == 999
    status, body = world.ask(path, "sort_bye=name")
    assert (status, 'did you mean "sort_by"?' in body["error"], body["code"]) == (400, True, "bad_request")
    assert world.ask(path, "count=true")[1]["meta"]["creditsRemaining"] == 999
    teams.grant_credits(world.db, world.api.organization, -999, world.api.now)
    assert world.ask(path)[0] == 402


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        ("/signals/job-changes", "person_name=Jordan", "Unknown query parameter: person_name"),
        ("/signals/job-changes", "positions=wizard", "Invalid positions value: wizard"),
        ("/signals/job-changes", "personLinkedinUrl=linkedin.com/company/x", "no person's LinkedIn page"),
        ("/signals/job-changes", "source=rumour", "source must be one of"),
        ("/signals/hiring", "states=Bavaria", "states of the US"),
        ("/signals/hiring", "team_size=huge", "no range"),
        ("/signals/hiring", "company_linkedin_url=linkedin.com/in/jane", "no LinkedIn company page"),
        ("/signals/investors", "type=bank", "Invalid type value: bank. Accepted values (case-insensitive): vc, angel"),
        ("/companies", "domain=nonsense", "no company's domain"),
        ("/companies", "sort_by=size", "sort_by must be one of name, employee_count, founded_year, created_at"),
        ("/signals/acquisitions", "company_domain=" + ",".join(["a.com"] * 51), "1 to 50 values, not 51"),
    ],
)
def test_what_can_t_be_read_is_400(world: World, path: str, query: str, words: str) -> None:
    status, body = world.ask(path, query)
    assert (status, words.casefold() in body["error"].casefold()) == (400, True), body

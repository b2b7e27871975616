"""Rounds, companies and CEO contacts over HTTP (vendor facts 1, 10 and 12)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from pipeline.organizations.quotas import set_limit
from pipeline.store.tables.organizations import ContactReveal

CEO = {"ceo_name": "Ada North", "ceo_email": "ada@acorn.example", "ceo_linkedin_url": "https://linkedin.com/in/ada"}


def fill(api: Any) -> None:
    """Four rounds, r1 the oldest."""
    rounds = [
        {"company_name": "Acorn Labs", "body": CEO | {"industry": "Robotics"}, "amount_usd": 5_000_000},
        {"company_name": "Birch Bank", "funding_type": "seed", "location_country": "GB", "body": {"industry": "Fintech"}},
        {"company_name": "Acorn Labs", "funding_type": "series-b", "published_date": "2026-05-01", "company_key": "acorn labs"},
        {"company_name": "100% Öl_Werk", "amount_usd": None, "location_country": "DE", "body": {"ceo_name": "Only Name"}},
    ]
    for number, row in enumerate(rounds, 1):
        key = {"company_key": str(row["company_name"]).casefold()}
        seen = {"first_seen_at": api.now + timedelta(minutes=number)}
        api.partners.round(
            f"r{number}", **(key | seen | row | {"body": {**row.get("body", {}), "company_name": row["company_name"]}})
        )


def ids(api: Any, query: str = "") -> list[str]:
    answer = api.get(f"/rounds{query}")
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["data"]]


def test_rounds_are_listed_newest_first_and_tell_no_contact(api: Any) -> None:
    fill(api)
    answer = api.get("/rounds")
    assert [row["id"] for row in answer.json()["data"]] == ["r4", "r3", "r2", "r1"]
    assert [row["has_ceo_contact"] for row in answer.json()["data"]] == [False, False, False, True]
    for value in CEO.values():
        assert value not in answer.text
    assert not [key for row in answer.json()["data"] for key in row if key.startswith("ceo_")]


def test_rounds_are_filtered(api: Any) -> None:
    fill(api)
    assert ids(api, "?funding_type=seed,SERIES-B") == ["r3", "r2"]
    assert ids(api, "?country=gb,DE") == ["r4", "r2"]
    assert ids(api, "?industry=robotics") == ["r1"]
    assert ids(api, "?min_amount=5000001") == ["r3", "r2"]
    assert ids(api, "?max_amount=5000000") == ["r1"]
    assert ids(api, "?published_before=2026-05-02") == ["r3"]
    assert ids(api, "?published_after=2026-05-12") == ["r4", "r2", "r1"]
    assert ids(api, "?has_ceo_contact=true") == ["r1"]
    assert ids(api, "?has_ceo_contact=false") == ["r4", "r3", "r2"]
    assert ids(api, "?funding_type=series-a&country=US") == ["r1"]


def test_rounds_are_walked_by_cursor(api: Any, code: Any) -> None:
    fill(api)
    page = api.get("/rounds?limit=3").json()
    following = api.get("/rounds", params={"cursor": page["next_cursor"]}).json()
    assert [row["id"] for row in page["data"] + following["data"]] == ["r4", "r3", "r2", "r1"]
    assert following["next_cursor"] is None
    for query in ("limit=0", "limit=101", "cursor=x", "min_amount=-1", "published_after=soon", "has_ceo_contact=perhaps"):
        assert code(api.get(f"/rounds?{query}")) == (400, "invalid_param"), query


def test_one_round(api: Any, code: Any) -> None:
    fill(api)
    answer = api.get("/rounds/r1")
    assert answer.json()["data"]["company_name"] == "Acorn Labs"
    assert answer.json()["data"]["has_ceo_contact"] is True
    assert not [value for value in CEO.values() if value in answer.text]
    assert code(api.get("/rounds/none")) == (404, "not_found")


def test_a_contact_is_revealed_and_the_look_is_on_record(api: Any, code: Any) -> None:
    fill(api)
    answer = api.post("/rounds/r1/contact", headers={"X-Request-ID": "look-1"})
    assert answer.json() == {"data": {"funding_round_id": "r1"} | CEO}
    assert api.post("/rounds/r4/contact").json()["data"] == {
        "funding_round_id": "r4",
        "ceo_name": "Only Name",
        "ceo_email": None,
        "ceo_linkedin_url": None,
    }
    assert code(api.post("/rounds/none/contact")) == (404, "not_found")
    with api.database.read() as session:
        rows = list(session.scalars(select(ContactReveal).order_by(ContactReveal.id)))
    assert [(row.organization_id, row.key_id, row.round_id) for row in rows] == [
        (api.organization, api.key.id, "r1"),
        (api.organization, api.key.id, "r4"),
    ]
    assert (rows[0].request_id, rows[0].revealed_at) == ("look-1", api.now)


def test_a_reveal_over_the_quota_reveals_and_records_nothing(api: Any, code: Any) -> None:
    fill(api)
    set_limit(api.database, api.organization, api.key.id, "reveal_contact", 0)
    assert code(api.post("/rounds/r1/contact")) == (429, "quota_exceeded")
    with api.database.read() as session:
        assert session.scalars(select(ContactReveal)).all() == []


def test_companies_are_found_by_a_part_of_their_name(api: Any, code: Any) -> None:
    fill(api)
    api.partners.round("r5", company_name="The Acorn", company_key="the acorn", body={"company_name": "The Acorn"})
    found = api.get("/companies/search?q=ACORN").json()["data"]
    assert [(row["company_name"], row["rounds"], row["latest_round_id"]) for row in found] == [
        ("Acorn Labs", 2, "r3"),
        ("The Acorn", 1, "r5"),
    ]
    assert found[0]["latest_published_date"] == "2026-05-01"
    for text, expected in (("öl_", 1), ("0%", 1), ("%%", 0), ("__", 0), ("zz", 0)):
        assert len(api.get("/companies/search", params={"q": text}).json()["data"]) == expected, text
    assert len(api.get("/companies/search?q=acorn&limit=1").json()["data"]) == 1
    assert code(api.get("/companies/search")) == (400, "missing_param")
    for query in ("q=a", "q=", f"q={'a' * 201}", "q=ab&limit=51"):
        assert code(api.get(f"/companies/search?{query}")) == (400, "invalid_param"), query


def test_each_tool_has_the_vendor_s_quota(api: Any) -> None:
    fill(api)
    limits = [
        api.get("/rounds").headers["X-RateLimit-Limit"],
        api.get("/rounds/r1").headers["X-RateLimit-Limit"],
        api.get("/companies/search?q=ab").headers["X-RateLimit-Limit"],
        api.get("/whoami").headers["X-RateLimit-Limit"],
        api.post("/rounds/r1/contact").headers["X-RateLimit-Limit"],
    ]
    assert limits == ["1000", "1000", "1000", "1000", "200"]

"""The StartCap face over HTTP: keys, limits, leads (SC-1 to SC-16, SC-31 to SC-59)."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from pipeline.api.context import overloaded
from pipeline.api.cursors import Cursor, cursor_text
from pipeline.api.startcap.answers import enveloped
from pipeline.organizations.face_keys import revoke_key
from pipeline.organizations.secrets import SecretBox
from pipeline.partners import accounts, keys, referrals, webhooks
from pipeline.partners.hours import CALLS_PER_HOUR
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.partners import KeyHour, Referral, ReferralChange
from pipeline.subscriptions import teams

BASE = "/app/partners/api/v1"
LEAD = {
    "first_name": "Marta",
    "last_name": "Lindqvist",
    "date_of_birth": "1979-11-02",
    "email": "marta@lindqvist.example",
    "phone": "(253) 555-0142",
    "company_name": "Lindqvist Boats",
    "residential_street": "9 Harbor Lane",
    "residential_city": "Tacoma",
    "residential_state": "wa",
    "residential_zip": "98402",
    "notes": "Met at the fair",
    "utm_source": "fair",
}
RATE = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


class Partner:
    """A partner that calls the service with its own key."""

    def __init__(self, api: Any, slug: str) -> None:
        self.api = api
        self.organization = api.partners.add(slug) if slug != "acme" else api.organization
        self.account = accounts.create_partner(api.database, self.organization, "Ada Partner", f"{slug}@p.example", api.now)
        self.key = keys.create_key(api.database, self.organization, "test", api.now)

    def call(self, method: str, path: str, body: Any = None, key: str | None = "own", **more: Any) -> httpx.Response:
        headers = more.pop("headers", {})
        if key is not None:
            headers = {"X-API-Key": self.key.token if key == "own" else key} | headers
        if isinstance(body, (str, bytes)):
            more["content"] = body
            headers = {"Content-Type": "application/json"} | headers
        elif body is not None:
            more["json"] = body
        answer: httpx.Response = self.api.raw(BASE + path, method=method, headers=headers, **more)
        return answer

    def submit(self, **changes: Any) -> dict[str, Any]:
        answer = self.call("POST", "/leads/submit", LEAD | changes)
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()
        return data

    def change(self, **changes: Any) -> None:
        accounts.change_partner(self.api.database, self.organization, self.api.now, **changes)


@pytest.fixture
def app_database(make_app_database: Any) -> Any:
    """On SQLite alone: what depends on the database is tested on both in test_startcap_ledger.py."""
    return make_app_database("sqlite")


@pytest.fixture
def partner(make_api: Any, tmp_path: Path) -> Iterator[Partner]:
    with make_api(home=tmp_path) as api:
        yield Partner(api, "acme")


def failed(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert set(body) == {"error"}
    return answer.status_code, body["error"]


# --- keys -----------------------------------------------------------------------------------------------------------------


def test_sc_1_sc_4_sc_9_without_a_key_nothing_is_said(partner: Partner) -> None:
    for method, path, body in (("GET", "/leads", None), ("POST", "/leads/submit", LEAD), ("POST", "/leads/validate", LEAD)):
        answer = partner.call(method, path, body, key=None)
        assert failed(answer) == (401, "API key required")
        assert not any(name in answer.headers for name in RATE)  # A-SC-14


def test_sc_5_a_wrong_key_a_revoked_one_and_an_inactive_account(partner: Partner) -> None:
    refused = (401, "Invalid or inactive API key")
    assert failed(partner.call("GET", "/leads", key="sc_live_unknown")) == refused
    for status in ("suspended", "pending"):
        accounts.set_status(partner.api.database, partner.organization, status, partner.api.now)
        assert failed(partner.call("GET", "/leads")) == refused
    accounts.set_status(partner.api.database, partner.organization, "active", partner.api.now)
    assert partner.call("GET", "/leads").status_code == 200
    revoke_key(partner.api.database, keys.FACE, partner.organization, partner.key.id, partner.api.now)
    assert failed(partner.call("GET", "/leads")) == refused


def test_sc_2_keys_of_one_face_open_nothing_of_another(partner: Partner) -> None:
    teams.create_team(partner.api.database, partner.organization, partner.api.now)
    team = teams.create_key(partner.api.database, partner.organization, "team", partner.api.now)
    for other in (partner.api.key.token, team.token):
        assert failed(partner.call("GET", "/leads", key=other))[0] == 401
    assert partner.api.get("/whoami", token=partner.key.token).status_code == 401
    bearer = {"Authorization": f"Bearer {partner.key.token}"}
    assert partner.api.raw("/api/v2/webhooks", headers=bearer).status_code == 401
    assert failed(partner.call("GET", "/leads", key=None, headers=bearer)) == (401, "API key required")


def test_sc_3_the_key_may_be_in_a_posted_body(partner: Partner) -> None:
    """A-SC-13: the header wins; what is received shows no key; an address never has one."""
    in_body = LEAD | {"api_key": partner.key.token}
    answer = partner.call("POST", "/leads/validate", in_body, key=None)
    assert answer.status_code == 200
    assert "api_key" not in answer.json()["data_received"]
    assert partner.call("POST", "/leads/submit", in_body, key=None).status_code == 200
    assert failed(partner.call("POST", "/leads/submit", in_body, key="sc_live_unknown"))[0] == 401
    assert failed(partner.call("POST", f"/leads/submit?api_key={partner.key.token}", LEAD, key=None)) == (
        401,
        "API key required",
    )
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = partner.call("POST", "/leads/submit", f"api_key={partner.key.token}&first_name=A", key=None, headers=form)
    assert failed(answer) == (400, "Content-Type must be application/json")
    answer = partner.call("POST", "/leads/submit", "api_key=nonsense", key=None, headers=form)
    assert failed(answer) == (401, "Invalid or inactive API key")


def test_sc_6_a_rotated_key_is_replaced_at_once(partner: Partner) -> None:
    made = keys.rotate_key(partner.api.database, partner.organization, partner.key.token_prefix, partner.api.now)
    assert failed(partner.call("GET", "/leads"))[0] == 401
    assert partner.call("GET", "/leads", key=made.token).status_code == 200


def test_sc_7_bodies_are_json_and_say_so(partner: Partner) -> None:
    """A-SC-34."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = partner.call("POST", "/leads/submit", json.dumps(LEAD), headers={"Content-Type": kind})
        assert failed(answer) == (400, "Content-Type must be application/json")
    for body in ("[]", "{", '"x"', "[" * 50_000, b"\xff"):
        assert failed(partner.call("POST", "/leads/submit", body))[0] == 400
    assert failed(partner.call("POST", "/leads/submit", json.dumps({"notes": "x" * 70_000})))[0] == 400
    assert partner.call("POST", "/leads/submit", "", key=None).status_code == 401


def test_sc_10_sc_11_methods_that_a_path_does_not_know(partner: Partner) -> None:
    """A-SC-31."""
    for method, path, allowed in (
        ("PUT", "/leads/submit", "POST"),
        ("GET", "/leads/submit", "POST"),
        ("GET", "/leads/validate", "POST"),
        ("POST", "/referrals/stats", "GET"),
        ("POST", "/leads", "GET"),
        ("DELETE", "/leads/20240115-1", "GET"),
    ):
        answer = partner.call(method, path)
        assert failed(answer) == (405, "Method not allowed")
        assert answer.headers["Allow"] == allowed
    assert failed(partner.call("GET", "/nothing")) == (404, "Not found")


# --- the hour -------------------------------------------------------------------------------------------------------------


def test_sc_12_sc_13_sc_14_a_thousand_calls_an_hour(partner: Partner) -> None:
    """A-SC-15, A-SC-16: what is refused for other reasons counts, the 429 itself does not."""
    answer = partner.call("GET", "/leads")
    reset = partner.api.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    assert [answer.headers[name] for name in RATE] == ["1000", "999", str(int(reset.timestamp()))]
    for method, path in (("GET", "/leads/unknown"), ("PUT", "/leads"), ("GET", "/nothing"), ("POST", "/leads/submit")):
        assert partner.call(method, path).headers["X-RateLimit-Limit"] == "1000"
    assert partner.call("GET", "/leads").headers["X-RateLimit-Remaining"] == "994"
    with partner.api.database.write() as session:
        session.execute(text(f"UPDATE key_hours SET calls = {CALLS_PER_HOUR}"))
    for _ in range(2):
        answer = partner.call("GET", "/leads")
        assert failed(answer) == (429, "Rate limit exceeded")
        assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert failed(partner.call("PUT", "/leads")) == (429, "Rate limit exceeded")
    partner.api.now = reset
    assert partner.call("GET", "/leads").headers["X-RateLimit-Remaining"] == "999"


def test_sc_15_validate_counts_for_nothing(partner: Partner) -> None:
    """A-SC-14: it shows the figures as they are, even when they are used up."""
    assert partner.call("POST", "/leads/validate", LEAD).headers["X-RateLimit-Remaining"] == "1000"
    partner.call("GET", "/leads")
    assert partner.call("POST", "/leads/validate", {}).headers["X-RateLimit-Remaining"] == "999"
    with partner.api.database.write() as session:
        session.execute(text(f"UPDATE key_hours SET calls = {CALLS_PER_HOUR}"))
    assert partner.call("POST", "/leads/validate", LEAD).status_code == 200


def test_sc_16_keys_do_not_share_an_hour(partner: Partner) -> None:
    second = keys.create_key(partner.api.database, partner.organization, "second", partner.api.now)
    partner.call("GET", "/leads")
    assert partner.call("GET", "/leads", key=second.token).headers["X-RateLimit-Remaining"] == "999"
    with partner.api.database.read() as session:
        assert session.scalars(select(KeyHour.calls)).all() == [1, 1]


# --- validate -------------------------------------------------------------------------------------------------------------


def test_sc_32_sc_34_sc_40_a_valid_lead(partner: Partner) -> None:
    """A-SC-3, A-SC-4: every field that was looked at is named."""
    answer = partner.call("POST", "/leads/validate", LEAD)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["valid"], body["message"], body["errors"], body["warnings"]) == (True, "Lead data is valid", [], [])
    assert body["field_validations"] == {name: {"field": name, "valid": True, "errors": [], "warnings": []} for name in LEAD}
    assert body["data_received"] == LEAD


def test_sc_33_sc_35_sc_36_sc_38_all_that_is_wrong_is_named(partner: Partner) -> None:
    lead = {name: value for name, value in LEAD.items() if name != "residential_state"} | {"residential_zip": "9840"}
    answer = partner.call("POST", "/leads/validate", lead)
    assert answer.status_code == 400
    body = answer.json()
    assert set(body) == {"valid", "message", "errors", "warnings", "field_validations", "data_received"}
    assert (body["valid"], body["message"]) == (False, "Lead data has validation errors")
    assert body["errors"] == ["Residential address: State is required", "Field 'residential_zip' must be 5 or 9 digits"]
    assert body["field_validations"]["residential_state"] == {
        "field": "residential_state", "valid": False, "errors": ["This field is required"], "warnings": [],
    }  # fmt: skip
    assert body["field_validations"]["residential_zip"]["errors"] == ["Must be 5 or 9 digits"]


def test_an_erased_person_s_bytes_are_gone_from_the_files_of_sqlite(partner: Partner, tmp_path: Path) -> None:
    database, box = partner.api.database, SecretBox.open(partner.api.partners.settings(home=tmp_path))
    webhooks.add_webhook(database, box, partner.account, "https://p.example/hook", (), partner.api.now)
    leads = [partner.submit(first_name="Quetzalina", email=f"{'q' * size}uokka@p.example") for size in (1, 30, 50)]
    path = Path(str(database.url.database))
    assert b"uokka@p.example" in path.with_name(f"{path.name}-wal").read_bytes()
    assert [referrals.erase(database, lead["reference_id"], partner.api.now) for lead in leads] == [1, 1, 1]
    kept = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert len(kept) > 100_000
    assert (b"uokka@p.example" in kept, b"Quetzalina" in kept) == (False, False)


@pytest.mark.parametrize(
    "value",
    [5551234567, -1, 10**30, 1.5, 0.1, True, [1, {"a": 2}], {"digits": 12345678901234567890}, {}, []],
    ids=lambda value: f"{type(value).__name__} {value}"[:30],
)
def test_sc_32_sc_40_a_value_that_is_no_text_comes_back_as_it_was_sent(partner: Partner, value: Any) -> None:
    answer = partner.call("POST", "/leads/validate", LEAD | {"phone": value})
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert body["errors"] == ["Field 'phone' must be a string"]
    assert body["data_received"] == LEAD | {"phone": value}
    assert failed(partner.call("POST", "/leads/submit", LEAD | {"phone": value})) == (400, "Field 'phone' must be a string")


def test_sc_40_a_number_of_thousands_of_digits_comes_back_too(partner: Partner) -> None:
    sent = json.dumps(LEAD)[:-1] + ', "notes": ' + "7" * 5_000 + "}"
    answer = partner.call("POST", "/leads/validate", sent)
    assert (answer.status_code, answer.json()["data_received"]["notes"]) == (400, "7" * 5_000)


def test_sc_33_a_number_beyond_all_numbers_is_no_json(partner: Partner) -> None:
    sent = json.dumps(LEAD)[:-1] + ', "notes": 1e999}'
    status, error = failed(partner.call("POST", "/leads/validate", sent))
    assert (status, "1e999 is beyond the numbers" in error) == (400, True)


def test_sc_31_sc_37_sc_47_active_funding_types_are_the_operator_s(partner: Partner) -> None:
    sentence = (
        "This funding type is not currently accepted for lead submissions. "
        "Please use an allowed funding type or omit funding_type."
    )
    lead = LEAD | {"funding_type": "Term Loan"}
    body = partner.call("POST", "/leads/validate", lead).json()
    assert body["errors"] == [sentence]
    assert body["field_validations"]["funding_type"]["errors"] == ["This funding type is not currently accepted"]
    assert failed(partner.call("POST", "/leads/submit", lead)) == (400, sentence)
    accounts.switch_funding_type(partner.api.database, "Term Loan", True, partner.api.now)
    assert partner.call("POST", "/leads/submit", lead).status_code == 200
    accounts.switch_funding_type(partner.api.database, "Term Loan", False, partner.api.now)
    assert failed(partner.call("POST", "/leads/submit", lead)) == (400, sentence)


def test_sc_39_validate_keeps_nothing_and_leaves_no_line(partner: Partner, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    partner.call("POST", "/leads/validate", LEAD)
    partner.call("POST", "/leads/validate", {}, key=None)
    assert [record for record in caplog.records if record.name.startswith("pipeline")] == []
    with partner.api.database.read() as session:
        assert session.scalars(select(Referral)).all() == []
        assert session.scalars(select(KeyHour)).all() == []
    partner.call("GET", "/leads")
    assert [record.name for record in caplog.records if record.name.startswith("pipeline")] == ["pipeline.api.requests"]


def test_a_sc_12_a_warning_is_no_error(partner: Partner) -> None:
    body = partner.call("POST", "/leads/validate", LEAD | {"date_of_birth": "2015-01-01"}).json()
    assert body["valid"] is True
    assert body["warnings"] == ["Field 'date_of_birth' indicates that the lead is under 18"]


# --- submit ---------------------------------------------------------------------------------------------------------------


def test_sc_17_sc_41_sc_42_a_submitted_lead_is_found_by_its_reference(partner: Partner) -> None:
    made = partner.submit()
    assert made == {"success": True, "lead_id": made["lead_id"], "reference_id": f"20260512-{made['lead_id']}"}
    assert isinstance(made["lead_id"], int)
    assert partner.call("GET", f"/leads/{made['reference_id']}").json()["lead"]["reference_id"] == made["reference_id"]


def test_sc_43_sc_48_an_error_names_the_first_failure_in_the_model_s_order(partner: Partner) -> None:
    """A-SC-6."""

    def of(**changes: Any) -> tuple[int, str]:
        lead = {name: value for name, value in (LEAD | changes).items() if value is not None}
        return failed(partner.call("POST", "/leads/submit", lead))

    assert of(residential_street=None, residential_zip="1") == (400, "Residential address: Street is required")
    assert of(first_name=None, residential_street=None) == (400, "Field 'first_name' is required")
    assert of(email="nonsense") == (400, "Field 'email' must be a valid email address")


def test_sc_44_sc_45_sc_46_full_management_takes_effect_at_once(partner: Partner) -> None:
    lead = {name: value for name, value in LEAD.items() if name not in ("email", "phone")}
    assert partner.call("POST", "/leads/submit", lead).status_code == 200
    partner.change(handling="full_management")
    answer = partner.call("POST", "/leads/submit", lead)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "Field 'email' is required when your account is set to 'StartCap fully manages onboarding and funding'.",
        "settings_note": "You can change this in your partner portal under Settings → Lead submission & handling.",
        "settings_url": "https://www.startcap.org/app/partners/settings",
    }
    invalid = partner.call("POST", "/leads/submit", LEAD | {"phone": "12"}).json()
    assert set(invalid) == {"error", "settings_note", "settings_url"}
    partner.change(handling="funding_only")
    assert partner.call("POST", "/leads/submit", lead).status_code == 200
    partner.change(handling="unset")
    assert partner.call("POST", "/leads/submit", lead).status_code == 200


def test_a_sc_33_the_same_lead_twice_is_two_unless_a_key_says_otherwise(partner: Partner) -> None:
    assert partner.submit()["lead_id"] != partner.submit()["lead_id"]
    again = [partner.call("POST", "/leads/submit", LEAD, headers={"Idempotency-Key": "k1"}).json() for _ in range(2)]
    assert again[0] == again[1]
    with partner.api.database.read() as session:
        assert len(session.scalars(select(Referral)).all()) == 3
        assert len(session.scalars(select(ReferralChange)).all()) == 3
    other = Partner(partner.api, "other")
    answer = other.call("POST", "/leads/submit", LEAD, headers={"Idempotency-Key": "k1"}).json()
    assert answer["lead_id"] != again[0]["lead_id"]
    assert failed(partner.call("POST", "/leads/submit", LEAD, headers={"Idempotency-Key": "k" * 256}))[0] == 400


def test_persons_are_unreadable_at_rest_and_not_in_logs(partner: Partner, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="pipeline")
    partner.submit()
    path = Path(str(partner.api.database.url.database))
    stored = b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))
    told = caplog.text.encode()
    for value in ("Marta", "Lindqvist", "1979-11-02", "2535550142", "9 Harbor Lane", "Met at the fair", "lindqvist.example"):
        assert value.encode() not in stored
        assert value.encode() not in told


# --- list and get ---------------------------------------------------------------------------------------------------------


def test_sc_8_sc_49_sc_52_sc_53_sc_54_leads_as_they_are_listed(partner: Partner) -> None:
    """A-SC-9, A-SC-10, A-SC-19."""
    made = partner.submit()
    Partner(partner.api, "other").submit()
    answer = partner.call("GET", "/leads").json()
    assert answer == {
        "success": True,
        "leads": [
            {
                "reference_id": made["reference_id"],
                "first_name": "Marta",
                "last_name": "Lindqvist",
                "email": "marta@lindqvist.example",
                "phone": "2535550142",
                "residential_street": "9 Harbor Lane",
                "residential_city": "Tacoma",
                "residential_state": "WA",
                "residential_zip": "98402",
                "company_name": "Lindqvist Boats",
                "status": "lead",
                "application_status": None,
                "effective_status": "lead",
                "created_at": "2026-05-12 01:54:00",
            }
        ],
    }


def test_sc_50_sc_51_filters_by_day_and_coarse_status(partner: Partner) -> None:
    """A-SC-20, A-SC-21."""
    first = partner.submit()["reference_id"]
    partner.api.now += timedelta(days=2)
    second = partner.submit()["reference_id"]

    def listed(query: str) -> list[str]:
        return [lead["reference_id"] for lead in partner.call("GET", f"/leads?{query}").json()["leads"]]

    assert listed("") == [second, first]
    assert listed("start_date=2026-05-12&end_date=2026-05-12") == [first]
    assert listed("start_date=2026-05-13") == [second]
    assert listed("end_date=2026-05-13&status=lead") == [first]
    assert listed("status=funded") == []
    assert listed("status=&start_date=&end_date=") == [second, first]
    with partner.api.database.write() as session:
        session.execute(text("UPDATE referrals SET status = 'application', application_status = 'need_info'"))
    assert listed("status=application") == [second, first]
    for query in (
        "status=need_info",
        "start_date=12.5.2026",
        "start_date=2026-02-30",
        "start_date=2026-05-13&end_date=2026-05-12",
    ):
        assert failed(partner.call("GET", f"/leads?{query}"))[0] == 400


def test_a_sc_18_all_leads_are_listed_unless_pages_are_asked_for(partner: Partner) -> None:
    wanted = [partner.submit()["reference_id"] for _ in range(5)][::-1]
    assert [lead["reference_id"] for lead in partner.call("GET", "/leads").json()["leads"]] == wanted
    found, cursor = [], ""
    while True:
        page = partner.call("GET", f"/leads?limit=2{cursor}").json()
        found += [lead["reference_id"] for lead in page["leads"]]
        if "next_cursor" not in page:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == wanted
    assert failed(partner.call("GET", "/leads?cursor=nonsense"))[0] == 400
    assert failed(partner.call("GET", "/leads?limit=0"))[0] == 400


@pytest.mark.parametrize("number", ["", "x", "-1", "1.5", "1_0", "\u0661", "9" * 19, "9" * 4_000])
def test_a_sc_18_a_cursor_behind_no_number_of_a_lead_is_refused(partner: Partner, number: str) -> None:
    """Its check sum is no secret: a caller can make one."""
    forged = cursor_text("startcap leads", Cursor(partner.api.now, number, {}))
    assert failed(partner.call("GET", "/leads", params={"cursor": forged}))[0] == 400


def test_a_sc_18_nothing_is_behind_the_last_lead(partner: Partner) -> None:
    partner.submit()
    for number, wanted in (("0", 0), ("9" * 18, 1)):
        cursor = cursor_text("startcap leads", Cursor(partner.api.now, number, {}))
        assert len(partner.call("GET", "/leads", params={"cursor": cursor}).json()["leads"]) == wanted


def test_sc_55_sc_56_sc_57_one_lead_with_its_quotes(partner: Partner) -> None:
    reference = partner.submit()["reference_id"]
    answer = partner.call("GET", f"/leads/{reference}").json()
    assert set(answer) == {"success", "lead"}
    assert answer["lead"]["updated_at"] == "2026-05-12 01:54:00"
    quotes = [{"quote_type": "Term Loan", "amount": None, "status": "pending", "quote_group_status": "waiting"}]
    with partner.api.database.write() as session:
        session.execute(text("UPDATE referrals SET quotes = :quotes"), {"quotes": json.dumps(quotes)})
    assert partner.call("GET", f"/leads/{reference}").json()["quotes"] == quotes


def test_sc_58_sc_59_unknown_foreign_and_bare_ids_are_not_found(partner: Partner) -> None:
    """A-SC-17."""
    made = partner.submit()
    foreign = Partner(partner.api, "other").submit()["reference_id"]
    number = made["lead_id"]
    for reference in (
        str(number),
        f"20240115-{number}",
        foreign,
        "20260512-0",
        f"20260512-{number}x",
        "20260512-" + "9" * 30,
        "x",
    ):
        assert failed(partner.call("GET", f"/leads/{reference}")) == (404, "Lead not found")


def test_clicks_are_no_leads(partner: Partner) -> None:
    database, box = partner.api.database, SecretBox.open(partner.api.app.state.service.settings)
    _, reference = referrals.submit_lead(
        database, box, partner.account, {"first_name": "Jane", "last_name": "Doe"}, partner.api.now, referral_type="traffic"
    )
    assert failed(partner.call("GET", f"/leads/{reference}")) == (404, "Lead not found")
    assert partner.call("GET", "/leads").json()["leads"] == []


def test_sc_9_a_failure_of_ours_has_the_same_envelope(partner: Partner) -> None:
    with partner.api.database.write() as session:
        session.execute(text("DROP TABLE active_funding_types"))
    assert failed(partner.call("POST", "/leads/submit", LEAD)) == (500, "Internal server error")


def test_sc_9_sc_10_what_is_refused_before_it_is_asked_has_the_same_envelope(partner: Partner) -> None:
    answer = partner.call("GET", "/leads/%00")
    assert failed(answer) == (400, "The address must not contain the NUL character.")
    assert enveloped(overloaded()).body == b'{"error":"Internal server error"}'
    assert enveloped(overloaded()).status_code == 500


def test_a_partner_without_a_webhook_owes_nobody_a_delivery(partner: Partner) -> None:
    partner.submit()
    with partner.api.database.read() as session:
        assert session.scalars(select(Delivery)).all() == []


def test_reference_ids_have_their_form(partner: Partner) -> None:
    assert re.fullmatch(r"\d{8}-\d+", partner.submit()["reference_id"])

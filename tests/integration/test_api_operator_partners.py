"""The operators' API of referral partners: what `fundingscout startcap` does, over HTTP (SC-6, SC-31, SC-45, SC-75, SC-81)."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.api.app import build_app
from pipeline.api.logs import JsonLines
from pipeline.api.operator.document import operator_openapi_of
from pipeline.organizations.operators import create_operator
from pipeline.organizations.secrets import SecretBox
from pipeline.partners import accounts, snapshots
from pipeline.partners.drop_folder import take_files
from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery
from pipeline.webhooks.sender import deliver_pending

ACME = "/organizations/acme/startcap"
ROUTES = [
    ("GET", "/startcap/partners"),
    ("GET", ACME),
    ("POST", ACME),
    ("PATCH", ACME),
    ("PUT", f"{ACME}/rates/1"),
    ("GET", f"{ACME}/keys"),
    ("POST", f"{ACME}/keys"),
    ("POST", f"{ACME}/keys/x/rotate"),
    ("POST", f"{ACME}/keys/x/revoke"),
    ("GET", f"{ACME}/webhooks"),
    ("POST", f"{ACME}/webhooks"),
    ("POST", f"{ACME}/webhooks/x/pause"),
    ("POST", f"{ACME}/webhooks/x/resume"),
    ("POST", f"{ACME}/webhooks/x/rotate"),
    ("POST", f"{ACME}/webhooks/x/test"),
    ("DELETE", f"{ACME}/webhooks/x"),
    ("GET", "/startcap/funding-types"),
    ("PATCH", "/startcap/funding-types"),
    ("GET", "/startcap/status-snapshots"),
    ("PUT", "/startcap/status-snapshots/2026-05-12"),
]
LEAD = {
    "first_name": "Marta",
    "last_name": "Lindqvist",
    "date_of_birth": "1979-11-02",
    "residential_street": "9 Harbor Lane",
    "residential_city": "Tacoma",
    "residential_state": "WA",
    "residential_zip": "98402",
}


class Operated:
    """A running service, an operator who calls it, and a partner made by that operator."""

    def __init__(self, api: Any) -> None:
        self.api, self.db = api, api.database
        self.token = create_operator(api.database, "Ada", api.now).token
        self.partner = self.call("POST", ACME, {"name": "Ada Partner", "email": "ada@acme.example"}).json()

    def call(self, method: str, path: str, body: Any = None, token: str | None = "own") -> Any:
        """A request under /operator/v1."""
        headers = {} if token is None else {"Authorization": f"Bearer {self.token if token == 'own' else token}"}
        more = {"content": body} if isinstance(body, str) else {} if body is None else {"json": body}
        return self.api.raw(f"/operator/v1{path}", method=method, headers=headers, **more)

    def done(self, method: str, path: str, body: Any = None) -> Any:
        """As call; it must go well, and its JSON is given."""
        answer = self.call(method, path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def submit(self, key: str, **more: str) -> Any:
        """A lead submitted through the Partners API."""
        return self.api.raw("/app/partners/api/v1/leads/submit", method="POST", headers={"X-API-Key": key}, json=LEAD | more)

    def deliver(self) -> Any:
        settings = self.api.app.state.service.settings
        return deliver_pending(self.db, SecretBox.open(settings), settings, lambda: self.api.now)


class Receiver:
    """A partner's endpoint on loopback: verifies, and remembers what it accepted."""

    def __init__(self) -> None:
        self.secret, self.accepted = "", []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                wanted = hmac.new(receiver.secret.encode(), body, hashlib.sha256).hexdigest()
                is_genuine = hmac.compare_digest(self.headers["X-Webhook-Signature"], wanted)
                if is_genuine:
                    receiver.accepted.append(json.loads(body))
                self.send_response(200 if is_genuine else 401)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def app_database(make_app_database: Any) -> Any:
    """On SQLite alone: what depends on the database is tested on both where the domain is."""
    return make_app_database("sqlite")


@pytest.fixture
def operated(make_api: Any, tmp_path: Any) -> Iterator[Operated]:
    with make_api(home=tmp_path, webhook_allowed_networks=[ip_network("127.0.0.0/8")]) as api:
        yield Operated(api)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def test_without_an_operator_s_token_nothing_is_there_and_with_a_wrong_one_nothing_opens(make_api: Any, code: Any) -> None:
    with make_api() as api:
        for method, path in ROUTES:
            assert code(api.raw(f"/operator/v1{path}", method=method)) == (404, "not_found"), (method, path)
        operated = Operated(api)
        for method, path in ROUTES:
            assert code(operated.call(method, path, token=None)) == (401, "missing_authorization")
            assert code(operated.call(method, path, token=api.key.token)) == (401, "invalid_or_revoked_token")


def test_every_route_is_in_the_operators_document() -> None:
    paths = operator_openapi_of(build_app(AppDatabase("sqlite://"), Settings()))["paths"]
    named = {(method.upper(), path) for path, item in paths.items() if "/startcap" in path for method in item}
    parts = ("{organization}", "{key}", "{webhook}", "{level}", "{snapshot_date}")
    wanted = ("acme", "x", "x", "1", "2026-05-12")
    found = set()
    for method, path in named:
        for part, value in zip(parts, wanted, strict=True):
            path = path.replace(part, value)
        found.add((method, path.removeprefix("/operator/v1")))
    assert found == set(ROUTES)


def test_a_partner_with_an_upline_is_set_up_and_calls(operated: Operated) -> None:
    operated.api.partners.add("below")
    assert operated.partner == {
        "id": 1,
        "organization_id": operated.api.organization,
        "name": "Ada Partner",
        "email": "ada@acme.example",
        "status": "active",
        "handling": None,
        "allows_name_marks": False,
        "allows_territories": False,
        "upline_id": None,
        "link": operated.partner["link"],
        "landing_url": None,
        "rates": [],
    }
    below = operated.done("POST", "/organizations/below/startcap", {"name": "Bea", "email": "b@b.example", "upline": "acme"})
    assert below["upline_id"] == 1
    again = operated.done("POST", "/organizations/below/startcap", {"name": "Other", "email": "c@b.example"})
    assert again == below
    listed = operated.done("GET", "/startcap/partners")["data"]
    assert [(row["id"], row["name"], row["upline_id"]) for row in listed] == [(1, "Ada Partner", None), (2, "Bea", 1)]
    rated = operated.done("PUT", f"{ACME}/rates/2", {"percentage": 0.33, "description": "Downline"})
    assert rated["rates"] == [{"level": 2, "percentage": 0.33, "description": "Downline"}]
    key = operated.done("POST", f"{ACME}/keys", {"label": "production"})
    headers = {"X-API-Key": key["token"]}
    shown = operated.api.raw("/app/partners/api/v1/referrer/downline", headers=headers).json()["downline"]
    assert [(row["id"], row["name"]) for row in shown] == [(2, "Bea")]


def test_sc_44_sc_45_settings_and_status_are_in_force_with_the_next_call(operated: Operated) -> None:
    key = operated.done("POST", f"{ACME}/keys", {})["token"]
    assert operated.submit(key).status_code == 200
    changed = operated.done("PATCH", ACME, {"handling": "full_management", "landing_url": "https://apply.acme.example/"})
    assert (changed["handling"], changed["landing_url"]) == ("full_management", "https://apply.acme.example/")
    assert set(operated.submit(key).json()) == {"error", "settings_note", "settings_url"}
    assert operated.done("PATCH", ACME, {"handling": "funding_only"})["landing_url"] == "https://apply.acme.example/"
    assert operated.submit(key, last_name="O'Brien").status_code == 400
    operated.done("PATCH", ACME, {"handling": None, "allows_name_marks": True, "landing_url": None})
    assert operated.submit(key, last_name="O'Brien").status_code == 200
    assert operated.done("GET", ACME)["landing_url"] is None
    assert operated.done("PATCH", ACME, {"status": "suspended"})["status"] == "suspended"
    assert operated.submit(key).json() == {"error": "Invalid or inactive API key"}
    operated.done("PATCH", ACME, {"status": "active"})
    assert operated.submit(key).status_code == 200


def test_sc_6_keys_are_rotated_and_revoked(operated: Operated) -> None:
    first = operated.done("POST", f"{ACME}/keys", {"label": "production"})
    operated.api.now += timedelta(seconds=1)
    second = operated.done("POST", f"{ACME}/keys/{first['id']}/rotate")
    assert operated.submit(first["token"]).status_code == 401
    assert operated.submit(second["token"]).status_code == 200
    operated.done("POST", f"{ACME}/keys/{second['token_prefix']}/revoke")
    assert operated.submit(second["token"]).status_code == 401
    answer = operated.call("GET", f"{ACME}/keys")
    listed = answer.json()["data"]
    assert [(row["id"], row["label"], row["revoked_at"]) for row in listed] == [
        (first["id"], "production", "2026-05-12T01:54:01Z"),
        (second["id"], "production", "2026-05-12T01:54:01Z"),
    ]
    assert first["token"] not in answer.text


def test_sc_31_funding_types_are_accepted_and_stopped(operated: Operated) -> None:
    key = operated.done("POST", f"{ACME}/keys", {})["token"]
    assert operated.submit(key, funding_type="Term Loan").status_code == 400
    accepted = operated.done("PATCH", "/startcap/funding-types", {"accept": ["Term Loan", "Line of Credit"]})
    assert accepted == {"data": ["Line of Credit", "Term Loan"]}
    assert operated.submit(key, funding_type="Term Loan").status_code == 200
    operated.done("PATCH", "/startcap/funding-types", {"stop": ["Term Loan"]})
    assert operated.submit(key, funding_type="Term Loan").status_code == 400
    assert operated.done("GET", "/startcap/funding-types") == {"data": ["Line of Credit"]}


def test_sc_75_sc_81_a_webhook_is_made_tested_rotated_and_deleted(operated: Operated, receiver: Receiver) -> None:
    made = operated.done("POST", f"{ACME}/webhooks", {"url": receiver.url, "event_types": ["lead.status_changed"]})
    hook, receiver.secret = f"{ACME}/webhooks/{made['id']}", made["secret"]
    listed = operated.call("GET", f"{ACME}/webhooks")
    assert listed.json()["data"] == [
        {
            "id": made["id"],
            "url": receiver.url,
            "event_types": ["lead.status_changed"],
            "state": "active",
            "is_deleted": False,
            "created_at": "2026-05-12T01:54:00Z",
        }
    ]
    assert made["secret"] not in listed.text
    tested = operated.done("POST", f"{hook}/test")
    assert (tested["status"], tested["response_code"], tested["error"]) == ("delivered", 200, None)
    assert [event["data"]["test"] for event in receiver.accepted] == [True]
    rotated = operated.done("POST", f"{hook}/rotate")["secret"]
    refused = operated.done("POST", f"{hook}/test")
    assert (refused["status"], refused["response_code"]) == ("failed", 401)
    receiver.secret = rotated
    assert operated.done("POST", f"{hook}/test")["status"] == "delivered"
    gone = operated.done("DELETE", hook)
    assert (gone["state"], gone["is_deleted"]) == ("disabled", True)
    for method, path in (("POST", "pause"), ("POST", "resume"), ("POST", "rotate"), ("POST", "test")):
        assert operated.call(method, f"{hook}/{path}").status_code == 404
    assert operated.call("DELETE", hook).status_code == 404


def test_a_paused_webhook_gets_what_was_kept_in_its_order(operated: Operated, receiver: Receiver) -> None:
    key = operated.done("POST", f"{ACME}/keys", {})["token"]
    made = operated.done("POST", f"{ACME}/webhooks", {"url": receiver.url})
    hook, receiver.secret = f"{ACME}/webhooks/{made['id']}", made["secret"]
    assert operated.done("POST", f"{hook}/pause")["state"] == "paused"
    submitted = []
    for _ in range(3):
        submitted.append(operated.submit(key).json()["reference_id"])
        operated.api.now += timedelta(seconds=1)
        operated.deliver()
    assert receiver.accepted == []
    assert operated.done("POST", f"{hook}/test")["status"] == "delivered"  # to see whether it would work
    assert operated.done("POST", f"{hook}/resume")["state"] == "active"
    submitted.append(operated.submit(key).json()["reference_id"])
    operated.deliver()
    told = [event["data"]["lead_reference_id"] for event in receiver.accepted if "test" not in event["data"]]
    assert told == submitted
    with operated.db.read() as session:
        assert set(session.scalars(select(Delivery.status))) == {"delivered"}


def test_sc_60_a_snapshot_lands_as_a_dropped_file_does(operated: Operated, code: Any, tmp_path: Any) -> None:
    key = operated.done("POST", f"{ACME}/keys", {})["token"]
    references = [operated.submit(key).json()["reference_id"] for _ in range(2)]
    text = "\n".join(json.dumps({"reference_id": one, "application_status": "in_underwriting"}) for one in references)
    landed = operated.done("PUT", "/startcap/status-snapshots/2026-05-12", text)
    assert landed == {"snapshot_date": "2026-05-12", "outcome": "waiting", "leads": 2}
    assert operated.done("PUT", "/startcap/status-snapshots/2026-05-12", text)["outcome"] == "known"
    (tmp_path / "2026-05-12.jsonl").write_text(text)
    taken = take_files(operated.db, tmp_path, operated.api.now, settled=timedelta(days=-400))
    assert [one.outcome for one in taken.landed] == ["known"]
    report = snapshots.sync(operated.db, SecretBox.open(operated.api.app.state.service.settings), operated.api.now)
    assert report.applied.changes == 2
    assert operated.done("PUT", "/startcap/status-snapshots/2026-05-11", text)["outcome"] == "late"
    shown = operated.done("GET", "/startcap/status-snapshots")["data"]
    assert [(row["snapshot_date"], row["status"], row["leads"]) for row in shown] == [
        ("2026-05-12", "applied", 2),
        ("2026-05-11", "late", 2),
    ]
    assert (shown[0]["applied_at"], shown[1]["applied_at"]) == ("2026-05-12T01:54:00Z", None)
    for day, body, expected in (
        ("2026-05-13", text + "\n{}", "invalid_body"),
        ("2026-05-13", "", "invalid_body"),
        ("2026-05-14", text, "invalid_body"),  # still to come
        ("20260513", text, "invalid_param"),
        ("2026-02-30", text, "invalid_param"),
    ):
        assert code(operated.call("PUT", f"/startcap/status-snapshots/{day}", body)) == (400, expected)


WRONG: list[tuple[str, str, Any, tuple[int, str]]] = [
    ("GET", "/organizations/nobody/startcap", None, (404, "not_found")),
    ("GET", "/organizations/plain/startcap", None, (404, "not_found")),
    ("POST", "/organizations/plain/startcap", {"name": "A"}, (400, "invalid_body")),
    ("POST", "/organizations/plain/startcap", {"name": "A", "email": "a@a.example", "upline": "plain"}, (404, "not_found")),
    ("PATCH", ACME, {"handling": "nobody"}, (400, "invalid_body")),
    ("PATCH", ACME, {"allows_name_marks": None}, (400, "invalid_body")),
    ("PATCH", ACME, {"landing_url": "http://plain.example/"}, (400, "invalid_body")),
    ("PATCH", ACME, {"status": "gone"}, (400, "invalid_body")),
    ("PATCH", ACME, {"stats": "active"}, (400, "invalid_body")),
    ("PUT", f"{ACME}/rates/4", {"percentage": 1}, (400, "invalid_body")),
    ("PUT", f"{ACME}/rates/x", {"percentage": 1}, (400, "invalid_param")),
    ("PUT", f"{ACME}/rates/1", {"percentage": 1.001}, (400, "invalid_body")),
    ("PUT", f"{ACME}/rates/1", {"percentage": 101}, (400, "invalid_body")),
    ("POST", f"{ACME}/keys/nokey/rotate", None, (404, "not_found")),
    ("POST", f"{ACME}/webhooks", {"url": "https://10.0.0.1/x"}, (400, "invalid_url")),
    ("POST", f"{ACME}/webhooks", {"url": "https://a.example/x", "event_types": ["lead.made"]}, (400, "invalid_body")),
    ("POST", f"{ACME}/webhooks/nohook/test", None, (404, "not_found")),
    ("PATCH", "/startcap/funding-types", {"accept": [" "]}, (400, "invalid_body")),
    ("PATCH", "/startcap/funding-types", {"accept": ["x" * 101]}, (400, "invalid_body")),
]


def test_mistakes_are_told_in_the_envelope(operated: Operated, code: Any) -> None:
    operated.api.partners.add("plain")
    for method, path, body, expected in WRONG:
        assert code(operated.call(method, path, body)) == expected, (method, path, body)


def test_another_partner_s_key_and_webhook_are_none_of_this_one(operated: Operated, code: Any) -> None:
    key = operated.done("POST", f"{ACME}/keys", {})
    hook = operated.done("POST", f"{ACME}/webhooks", {"url": "https://hooks.acme.example/x"})
    operated.api.partners.add("other")
    operated.done("POST", "/organizations/other/startcap", {"name": "Bea", "email": "b@b.example"})
    for path in (f"keys/{key['id']}/revoke", f"webhooks/{hook['id']}/pause", f"webhooks/{hook['id']}/rotate"):
        assert code(operated.call("POST", f"/organizations/other/startcap/{path}")) == (404, "not_found")
    assert operated.submit(key["token"]).status_code == 200


def test_every_change_is_in_the_audit_log_and_no_secret_is(operated: Operated, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        operated.done("PATCH", ACME, {"handling": "full_management"})
        operated.done("PUT", f"{ACME}/rates/1", {"percentage": 5})
        key = operated.done("POST", f"{ACME}/keys", {})
        rotated = operated.done("POST", f"{ACME}/keys/{key['id']}/rotate")
        hook = operated.done("POST", f"{ACME}/webhooks", {"url": "https://hooks.acme.example/x"})
        secret = operated.done("POST", f"{ACME}/webhooks/{hook['id']}/rotate")["secret"]
        operated.done("POST", f"{ACME}/webhooks/{hook['id']}/pause")
        operated.done("DELETE", f"{ACME}/webhooks/{hook['id']}")
        operated.done("PATCH", "/startcap/funding-types", {"accept": ["Term Loan"]})
        operated.call("PATCH", ACME, {"handling": "nobody"})  # changes nothing
        operated.done("GET", ACME)
    lines = [record for record in caplog.records if record.name == "pipeline.api.operator.audit"]
    told = [record.fields for record in lines]  # type: ignore[attr-defined]
    assert [line["action"] for line in told] == [
        "change_partner", "set_rate", "create_partner_key", "rotate_partner_key", "create_partner_webhook",
        "rotate_partner_webhook_secret", "pause_partner_webhook", "delete_partner_webhook", "change_funding_types",
    ]  # fmt: skip
    assert {line["operator"] for line in told} == {"Ada"}
    assert {line["organization_id"] for line in told[:-1]} == {operated.api.organization}
    assert (told[0]["handling"], told[1]["percentage"], told[-1]["accept"]) == ("full_management", 5.0, ["Term Loan"])
    text = "".join(JsonLines().format(record) for record in lines)
    for shown_once in (key["token"], rotated["token"], hook["secret"], secret, operated.token):
        assert shown_once not in text
    assert accounts.get_partner(operated.db, operated.api.organization).handling == "full_management"

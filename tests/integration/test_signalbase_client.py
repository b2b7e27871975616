"""A strict client of the Signalbase face, written from the vendor's facts alone: paths, fields, types, nulls, codes, headers.

It knows nothing of our code but how to start it: documents go in at one end, and what HTTP answers and what a receiver is sent is
held to tables of fields in which nothing may be missing, nothing be more, and null only where it is allowed (SB-1 to SB-93).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.documents.document_table import write_documents
from pipeline.documents.model import Document
from pipeline.organizations.secrets import SecretBox
from pipeline.signals.mention_table import extract_new
from pipeline.signals.round_table import resolve_new
from pipeline.store.warehouse import Warehouse
from pipeline.subscriptions import teams
from pipeline.subscriptions.fan_out import fan_out
from pipeline.subscriptions.index import SubscriptionIndex
from pipeline.subscriptions.publishing import publish_changed_signals
from pipeline.webhooks.sender import deliver_pending

# --- what may stand where -------------------------------------------------------------------------------------------------

TEXTS = {
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "instant": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "country": re.compile(r"[A-Z]{2}"),
    "currency": re.compile(r"[A-Z]{3}"),
    "url": re.compile(r"https?://\S+"),
    "json list": re.compile(r"\[.*\]"),
    "text": re.compile(r".*", re.DOTALL),
}
NUMBERS: dict[str, Any] = {"int": int, "number": (int, float), "bool": bool}
EVENTS = {
    "funding.created", "acquisition.created", "job_change.created", "hiring.created", "new_company.created", "investor.created",
    "system.test",
}  # fmt: skip
STATUSES = {"done", "failed", "pending"}
SOURCE_TYPES = {"press_release", "news_article", "social_media", "blog_post", "sec_filing", "crunchbase", "pitchbook"}
INVESTOR_TYPES = {"vc", "angel", "pe", "corporate", "government", "accelerator", "family_office", "hedge_fund", "crowdfunding"}


def check(value: Any, shape: Any, where: str = "answer") -> None:
    """``shape``: the name of a text or number (with ?: or null), a set of texts, [of each item], {field: shape}, (shape, None)."""
    if isinstance(shape, tuple):
        if value is not None:
            check(value, shape[0], where)
    elif isinstance(shape, dict):
        assert isinstance(value, dict), where
        assert set(value) == set(shape), f"{where}: {sorted(set(value) ^ set(shape))}"
        for name, part in shape.items():
            check(value[name], part, f"{where}.{name}")
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        for number, item in enumerate(value):
            check(item, shape[0], f"{where}[{number}]")
    elif isinstance(shape, set):
        assert value in shape, f"{where}: {value!r}"
    elif shape.endswith("?"):
        check(value, (shape[:-1], None), where)
    elif shape in NUMBERS:
        assert isinstance(value, NUMBERS[shape]), f"{where}: {value!r}"
        assert (shape == "bool") == isinstance(value, bool), f"{where}: {value!r}"
    else:
        assert isinstance(value, str), f"{where}: {value!r}"
        assert TEXTS[shape].fullmatch(value), f"{where}: {value!r}"


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ({}, {"id": "uuid"}),
        ({"id": None}, {"id": "text"}),
        ({"id": "x", "more": 1}, {"id": "text"}),
        ({"id": 1}, {"id": "text"}),
        (True, "int"),
        (1, "bool"),
        ("2026-05-29T10:30:00Z", "instant"),
        ("us", "country"),
        ("skipped", STATUSES),
        ([None], ["text"]),
        ({}, ["text"]),
    ],
)
def test_the_client_is_strict(value: Any, shape: Any) -> None:
    with pytest.raises(AssertionError):
        check(value, shape)


STATS = {
    "total_deliveries": "int", "successful_deliveries": "int", "failed_deliveries": "int", "last_success_at": "instant?",
    "last_failure_at": "instant?", "consecutive_failures": "int",
}  # fmt: skip
WEBHOOK: dict[str, Any] = {
    "id": "uuid", "endpoint_url": "url", "event_types": [EVENTS], "active": "bool", "created_at": "instant",
    "updated_at": "instant", "last_modified_by": "text?", "last_modified_via": ({"api", "dashboard"}, None), "stats": STATS,
}  # fmt: skip
DELIVERY = {
    "id": "uuid", "event_type": EVENTS | {"dashboard.push"}, "event_id": "uuid", "status": STATUSES, "response_status": "int?",
    "response_body": "text?", "attempt_count": "int", "delivered_at": "instant?", "failed_at": "instant?",
    "created_at": "instant",
}  # fmt: skip
TESTED = {
    "success": "bool", "delivery_id": "uuid", "event_id": "uuid", "event_type": {"system.test"}, "response_status": "int",
    "response_body": "text",
}  # fmt: skip
RETRIED = {
    "delivery_id": "uuid", "previous_delivery_id": "uuid", "status": STATUSES, "response_status": "int", "attempt_count": "int",
    "success": "bool",
}  # fmt: skip
NUMBERED = {
    "currentPage": "int", "totalPages": "int", "totalCount": "int", "hasNextPage": "bool", "hasPreviousPage": "bool",
}  # fmt: skip

# Payloads (seed: Payload by event type).
SIGNAL = {
    "id": "uuid",
    "type": "text",
    "externalId": "text",
    "occurredAt": "instant",
    "discoveredAt": "instant",
    "active": "bool",
}
COMPANY = {
    "id": "uuid", "name": "text", "slug": "text", "description": "text?", "website": "url?", "linkedinUrl": "url?",
    "twitterUrl": "url?", "logoUrl": "url?", "industry": "text?", "subcategory": "text?", "foundedYear": "int?",
    "headquartersCountry": "country?", "employeeCount": "int?", "categories": "text?", "keywords": "text?",
    "specialties": "text?",
}  # fmt: skip
EMPLOYEE = {"id": "uuid", "name": "text", "title": "text?", "linkedinUrl": "url?", "email": "text?"}
PAYLOAD_SOURCE = {
    "url": "url", "sourceType": SOURCE_TYPES, "author": "text?", "title": "text?", "content": "text?", "validationScore": "number?",
    "validationReasoning": "text?", "publishedAt": "instant?",
}  # fmt: skip
ROUND = {
    "roundType": "text?", "roundFlavor": ({"bridge", "extension", "secondary"}, None), "amount": "int?", "currency": "currency?",
    "announcedDate": "date?", "confidenceScore": "number?", "verificationStatus": {"verified", "unverified", "pending"},
    "investors": [{"name": "text", "type": (INVESTOR_TYPES, None), "leadInvestor": "bool"}],
}  # fmt: skip
BUYER = {"id": "uuid", "name": "text", "website": "url?", "linkedinUrl": "url?", "industry": "text?", "logoUrl": "url?"}
ACQUISITION = {
    "acquiringCompanyId": "uuid?", "acquiringCompany": (BUYER, None), "amount": "int?", "currency": "currency?",
    "percentage": "text?", "announcedDate": "date?",
}  # fmt: skip
JOB_CHANGE = {
    "personName": "text", "personLinkedinUrl": "url?", "newRole": "text", "companyName": "text?", "companyLinkedinUrl": "url?",
    "postContent": "text?", "personCurrentTitle": "text?", "personHeadline": "text?", "personLocation": "text?",
    "personCity": "text?", "personCountry": "text?",
}  # fmt: skip
OPENING = {
    "title": "text?", "jobUrl": "url?", "location": "text?", "city": "text?", "country": "country?", "employmentType": "text?",
    "seniorityLevel": "text?", "jobFunction": "text?", "datePosted": "date?",
}  # fmt: skip
INVESTOR = {
    "id": "uuid", "name": "text", "type": "text?", "website": "url?", "linkedinUrl": "url?", "twitterUrl": "url?",
    "logoUrl": "url?", "countries": ["country"], "ticketSizeMin": "int?", "ticketSizeMax": "int?", "headquarters": "text?",
    "createdAt": "instant",
}  # fmt: skip
COMMON = {"signal": SIGNAL, "company": (COMPANY, None), "employees": [EMPLOYEE], "sources": [PAYLOAD_SOURCE]}
PAYLOADS: dict[str, Any] = {
    "funding.created": COMMON | {"fundingRound": ROUND},
    "acquisition.created": COMMON | {"acquisition": ACQUISITION},
    "job_change.created": COMMON | {"jobChange": JOB_CHANGE},
    "hiring.created": COMMON | {"hiringDetails": [OPENING]},
    "new_company.created": COMMON,
    "investor.created": {"investor": INVESTOR},
}

# Rows (facts, section 7).
NAMED_SOURCE = {"url": "url", "sourceType": (SOURCE_TYPES, None)}
ROW_SOURCE = NAMED_SOURCE | {"title": "text?", "publishedAt": "instant?", "isPrimary": "bool"}
MATCH = {"exact", "fuzzy", "none"}
OF_SIGNAL = {"signalId": "uuid", "match_confidence": MATCH, "occurredAt": "instant", "discoveredAt": "instant"}
OF_COMPANY = {
    "companyName": "text", "companyIndustry": "text?", "companyCountry": "country?", "companySubcategory": "text?",
    "companyFoundedYear": "int?", "companyCategories": "json list?", "companyDescription": "text?", "companyEmployeeCount": "int?",
    "companyLogo": "url?", "isFreeAccess": {True},
}  # fmt: skip
OF_DEAL = OF_COMPANY | {
    "companyId": "uuid", "companySlug": "text", "companyWebsite": "text?", "companyLinkedin": "text?", "amount": "int?",
    "currency": "currency", "announcedDate": "date?", "sources": [ROW_SOURCE],
}  # fmt: skip
OF_POSTING = OF_COMPANY | {"companyWebsite": "url?", "companyLogoUrl": "url?", "companySpecialties": "json list?"}
ROWS: dict[str, tuple[str, Any]] = {
    "/signals/funding": ("signals.funding", OF_SIGNAL | OF_DEAL | {
        "signalType": {"funding_round"}, "roundType": "text?", "roundFlavor": ({"bridge", "extension", "secondary"}, None),
        "confidenceScore": "number?", "verificationStatus": {"verified", "unverified", "pending"},
        "investors": [{
            "id": "uuid", "name": "text", "type": (INVESTOR_TYPES, None), "website": "url?", "linkedin": "text?", "isLead": "bool",
        }],
    }),
    "/signals/acquisitions": ("signals.acquisitions", OF_SIGNAL | OF_DEAL | {
        "signalType": {"acquisition"}, "acquiringCompanyId": "uuid?", "percentage": "text?",
        "acquiringCompany": ({
            "id": "uuid", "name": "text", "slug": "text", "logo": "url?", "website": "text?", "linkedin": "text?",
            "industry": "text?", "companyCountry": "country?", "companySubcategory": "text?", "foundedYear": "int?",
            "employeeCount": "int?",
        }, None),
    }),
    "/signals/job-changes": ("signals.jobChanges", OF_SIGNAL | OF_POSTING | JOB_CHANGE | {
        "signalType": {"job_change"}, "takenFrom": "url?", "source": {"linkedin", "press_release", "other"},
        "personFollowers": "int?", "personConnections": "int?", "personPosts": "json list?", "sources": [NAMED_SOURCE],
    }),
    "/signals/hiring": ("signals.hiring", OF_POSTING | {
        "id": "uuid", "match_confidence": MATCH, "jobId": "text?", "jobUrl": "url", "title": "text", "location": "text?",
        "city": "text?", "region": "text?", "jobCountry": "country?", "datePosted": "instant?", "validThrough": "instant?",
        "employmentType": "text?", "seniorityLevel": "text?", "jobFunction": "text?", "industries": "text?",
        "numApplicants": "text?", "descriptionText": "text?", "createdAt": "instant", "companyId": "uuid",
    }),
    "/signals/investors": ("signals.investors", {
        "id": "uuid", "name": "text", "type": (INVESTOR_TYPES, None), "linkedinUrl": "text?", "website": "url?", "logoUrl": "url?",
        "countries": "json list?", "ticketSizeMin": "int?", "ticketSizeMax": "int?", "headquarters": "text?",
        "createdAt": "instant", "isFreeAccess": {True},
    }),
    "/companies": ("companies.list", {
        "id": "uuid", "name": "text", "slug": "text", "description": "text?", "website": "url?", "linkedinUrl": "url?",
        "twitterUrl": "url?", "logoUrl": "url?", "industry": "text?", "foundedYear": "int?", "headquartersCountry": "country?",
        "employeeCount": "int?", "categories": ["text"], "keywords": ["text"], "specialties": ["text"],
        "growthInfo": ({f"growth_{months}m": "number" for months in (1, 3, 6, 9, 12)}, None), "createdAt": "instant",
        "updatedAt": "instant",
    }),
}  # fmt: skip
CODES = {
    400: "bad_request", 401: "invalid_api_key", 402: "insufficient_credits", 403: "subscription_expired", 404: "not_found",
    409: "conflict", 429: "rate_limited",
}  # fmt: skip


class Receiver:
    """Takes deliveries, holds each to the wire's rules, and answers as it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.events.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, secret: str) -> dict[str, Any]:
        """The oldest event not taken yet, as the seed page says it must be (SB-62 to SB-70)."""
        headers, body = self.events.pop(0)
        assert headers["Content-Type"] == "application/json"
        assert headers["User-Agent"] == "Signalbase-Webhooks/1.0"
        assert re.fullmatch(r"\d{10}", headers["X-Webhook-Timestamp"])
        assert headers["X-Webhook-Signature"] == hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        event: dict[str, Any] = json.loads(body)
        canonical = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert body.decode() == canonical
        assert (headers["X-Webhook-Event"], headers["X-Webhook-ID"]) == (event["event_type"], event["event_id"])
        shape = PAYLOADS.get(event["event_type"])
        check({name: event[name] for name in event if name != "data"}, {
            "event_id": "uuid", "event_type": EVENTS, "timestamp": "instant"})  # fmt: skip
        if shape is not None:
            check(event["data"], shape, event["event_type"])
        return event


class Client:
    """Calls the service, and holds every answer to the facts."""

    def __init__(self, api: Any, token: str) -> None:
        self.api, self.token = api, token

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> tuple[int, dict[str, Any], Any]:
        more = {} if body is None else {"json": body}
        headers = {"Authorization": f"Bearer {token or self.token}"}
        answer = self.api.raw(f"/api/v2{path}", method=method, headers=headers, **more)
        assert answer.headers["Content-Type"] == "application/json"
        found = answer.json()
        if answer.is_error:
            assert found.pop("retryAfter", 1) >= 1
            check(found, {"success": {False}, "error": "text", "code": {CODES[answer.status_code]}}, path)
        if answer.status_code not in (401, 403):
            assert all(answer.headers[f"X-RateLimit-{name}"].isdigit() for name in ("Limit", "Remaining", "Reset"))
        return answer.status_code, found, answer.headers

    def done(self, method: str, path: str, endpoint: str, shape: Any, body: Any = None, status: int = 200, **more: Any) -> Any:
        """The data of an answer that all went well. ``pagination``: its shape; ``used``: what it cost."""
        got, found, _ = self.call(method, path, body)
        assert got == status, found
        warnings = {"warnings": ["text"]} if more.get("warns") else {}
        left = {"creditsRemaining": "int"} if "left" in more else {}
        meta = {"endpoint": {endpoint}, "creditsUsed": "int"} | warnings | left
        pagination = {"pagination": more["pagination"]} if "pagination" in more else {}
        check(found, {"success": {True}, "data": shape, "meta": meta} | pagination, f"{method} {path}")
        assert found["meta"]["creditsUsed"] == more.get("used", 0)
        return found if pagination else found["data"]

    def failed(self, method: str, path: str, status: int, error: str = "", body: Any = None, **more: Any) -> Any:
        got, found, headers = self.call(method, path, body, **more)
        assert (got, error in found["error"]) == (status, True), found
        return headers


def webhook(filters: dict[str, str], *, has_secret: bool = False) -> dict[str, Any]:
    return WEBHOOK | {"filters": {name: {value} for name, value in filters.items()}} | (
        {"secret": "uuid"} if has_secret else {"secret_preview": "text"}
    )  # fmt: skip


NEWS = {
    "r": ("Quernstone raises $4M Series A led by Oldmoor Partners",
          "BERLIN - Quernstone, a cybersecurity startup, today announced it has raised $4 million in a Series A round led by"
          " Oldmoor Partners. The company is at https://quernstone.example.com."),
    "d": ("Kelp Systems acquires Brightwater Labs for $25 million", "Kelp Systems said today it acquired Brightwater Labs."),
    "j": ("Kelp Systems appoints Jordan Miles as Chief Technology Officer", "Kelp Systems today appointed Jordan Miles."),
    "h": ("Quernstone is hiring 50 engineers in Berlin", "Quernstone is hiring engineers for full-time jobs in Berlin."),
    "n": ("Fernhollow emerges from stealth", "Fernhollow, a robotics company, emerged from stealth today."),
}  # fmt: skip


class Installation:
    """The service with a team, and a pipeline that documents can be put into."""

    def __init__(self, api: Any, home: Path, receiver: Receiver) -> None:
        self.api, self.db, self.home, self.receiver = api, api.database, home, receiver
        self.warehouse = Warehouse(home / "warehouse.duckdb")
        teams.create_team(self.db, api.organization, api.now)
        teams.grant_credits(self.db, api.organization, 100, api.now)
        self.client = Client(api, teams.create_key(self.db, api.organization, "test", api.now).token)

    def news(self, *keys: str) -> None:
        documents = [
            Document(key, "wire", "Wire", "article", f"https://daily.test/{key}", *NEWS[key], "feed", self.api.now, 1, "x",
                     self.api.now)
            for key in keys
        ]  # fmt: skip
        with self.warehouse.write() as connection:
            write_documents(connection, documents)
        extract_new(self.warehouse, self.api.now)
        resolve_new(self.warehouse, self.api.now, 72)
        publish_changed_signals(self.db, self.warehouse, self.api.now, 72)
        fan_out(self.db, SubscriptionIndex(self.db), self.api.now)

    def send(self) -> None:
        settings = self.api.app.state.service.settings
        deliver_pending(self.db, SecretBox.open(settings), settings, lambda: datetime.now(UTC))


@pytest.fixture
def app_database(make_app_database: Any) -> Any:
    """On SQLite alone: what depends on the database is tested on both elsewhere."""
    return make_app_database("sqlite")


@pytest.fixture
def installed(make_api: Any, tmp_path: Path) -> Iterator[Installation]:
    receiver = Receiver()
    with make_api(home=tmp_path) as api:
        yield Installation(api, tmp_path, receiver)
    receiver.close()


def test_sb_10_to_sb_16_sb_22_to_sb_32_a_webhook_s_life(installed: Installation) -> None:
    client, url = installed.client, installed.receiver.url
    body = {"endpoint_url": url, "event_types": ["funding.created", "funding.created"], "filters": {"countries": "US,GB"}}
    shape = webhook({"countries": "US,GB"}, has_secret=True)
    made = client.done("POST", "/webhooks", "webhooks.create", shape, body, 201)
    assert made["event_types"] == ["funding.created"]
    path = f"/webhooks/{made['id']}"
    shape = webhook({"countries": "US,GB"})
    assert client.done("GET", path, "webhooks.get", shape)["secret_preview"] == f"…{made['secret'][-4:]}"
    page = {"limit": {100}, "offset": {0}, "count": {1}}
    listed = client.done("GET", "/webhooks", "webhooks.list", [shape], pagination=page)["data"]
    assert [one["id"] for one in listed] == [made["id"]]
    client.done("PATCH", path, "webhooks.update", webhook({}), {"eventTypes": ["hiring.created"], "filters": {}})
    unknown = {"filters": {"round": "seed"}}
    client.done("PUT", path, "webhooks.update", webhook({"round": "seed"}), unknown, warns=True)
    turned = client.done("PUT", path, "webhooks.update", webhook({"round": "seed"}, has_secret=True), {"rotateSecret": True})
    assert turned["secret"] != made["secret"]
    paused = client.done("PUT", path, "webhooks.update", webhook({"round": "seed"}), {"active": False})
    assert (paused["active"], paused["event_types"]) == (False, ["hiring.created"])
    assert client.done("PUT", path, "webhooks.update", webhook({"round": "seed"}), {"active": True})["active"] is True
    gone = {"success": {True}, "id": {made["id"]}, "active": {False}}
    client.done("DELETE", path, "webhooks.delete", gone)
    client.failed("GET", path, 404, "Webhook not found")
    page = {"limit": {7}, "offset": {0}, "count": {0}}
    assert client.done("GET", "/webhooks?limit=7", "webhooks.list", [shape], pagination=page)["data"] == []
    revived = client.done("PUT", path, "webhooks.update", webhook({"round": "seed"}), {"active": True})
    assert revived["secret_preview"] == f"…{turned['secret'][-4:]}", "SB-15: with its secret"


def test_sb_17_to_sb_20_sb_62_to_sb_85_every_event_arrives_and_what_failed_is_retried(installed: Installation) -> None:
    client, receiver = installed.client, installed.receiver
    body = {"endpoint_url": receiver.url, "event_types": sorted(EVENTS)}
    made = client.done("POST", "/webhooks", "webhooks.create", webhook({}, has_secret=True), body, 201)
    path = f"/webhooks/{made['id']}"
    assert client.done("POST", f"{path}/test", "webhooks.test", TESTED)["response_body"] == "ok"
    assert receiver.take(made["secret"])["event_type"] == "system.test"
    installed.news(*NEWS)
    receiver.status = 500
    installed.send()
    told = [receiver.take(made["secret"]) for _ in range(len(receiver.events))]
    assert {event["event_type"] for event in told} == EVENTS - {"system.test"}
    [change] = [event for event in told if event["event_type"] == "job_change.created"]
    assert change["data"]["jobChange"]["personName"] == "Jordan M."
    pages, cursor = [], ""
    while cursor is not None:
        page = {"next_cursor": "text?", "limit": {2}}
        query = f"{path}/deliveries?status=failed&limit=2" + (f"&cursor={cursor}" if cursor else "")
        found = client.done("GET", query, "webhooks.deliveries.list", [DELIVERY], pagination=page)
        pages += found["data"]
        cursor = found["pagination"]["next_cursor"]
    assert {row["event_id"] for row in pages} == {event["event_id"] for event in told}
    assert {(row["response_status"], row["response_body"], row["attempt_count"]) for row in pages} == {(500, "ok", 1)}
    retry = f"{path}/deliveries/{pages[0]['id']}/retry"
    again = client.done("POST", retry, "webhooks.deliveries.retry", RETRIED)
    assert (again["success"], again["status"], again["attempt_count"]) == (False, "failed", 2)
    assert receiver.take(made["secret"]) == next(event for event in told if event["event_id"] == pages[0]["event_id"])
    receiver.status = 204
    retry = f"{path}/deliveries/{again['delivery_id']}/retry"
    last = client.done("POST", retry, "webhooks.deliveries.retry", RETRIED, used=1)
    assert (last["success"], last["attempt_count"], last["previous_delivery_id"]) == (True, 3, again["delivery_id"])
    client.failed("POST", f"{path}/deliveries/{last['delivery_id']}/retry", 409, "Delivery already succeeded")
    stats = client.done("GET", path, "webhooks.get", webhook({}))["stats"]
    assert (stats["total_deliveries"], stats["consecutive_failures"]) == (len(told) + 3, 0)
    assert stats["total_deliveries"] == stats["successful_deliveries"] + stats["failed_deliveries"]


def test_sb_87_to_sb_92_failures_by_status_and_code(installed: Installation) -> None:
    client, api = installed.client, installed.api
    client.failed("GET", "/webhooks", 401, "Invalid API key. No key found.", token="ff_live_nobody")
    for body in (
        {},
        {"endpoint_url": "ftp://example.com", "event_types": ["funding.created"]},
        {"endpoint_url": f"https://example.com/{'x' * 500}", "event_types": ["funding.created"]},
        {"endpoint_url": "https://example.com", "event_types": []},
        {"endpoint_url": "https://example.com", "event_types": ["dashboard.push"]},
        {"endpoint_url": "https://example.com", "event_types": ["funding.created"], "filters": {"countries": 1}},
    ):
        client.failed("POST", "/webhooks", 400, body=body)
    client.failed("POST", "/webhooks", 400, "Webhook URL must be a public address",
                  body={"endpoint_url": "http://10.0.0.1/", "event_types": ["funding.created"]})  # fmt: skip
    nobody = "/webhooks/b1f2c3d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d"
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/test"), ("GET", "/deliveries")):
        client.failed(method, f"{nobody}{path}", 404, "Webhook not found", body={} if method == "PUT" else None)
    for _ in range(10):
        made = client.done("POST", "/webhooks", "webhooks.create", webhook({}, has_secret=True),
                           {"endpointUrl": "https://example.com", "eventTypes": ["system.test"]}, 201)  # fmt: skip
    client.failed("POST", "/webhooks", 400, "10", body={"endpointUrl": "https://example.com", "eventTypes": ["system.test"]})
    client.failed("POST", f"/webhooks/{made['id']}/deliveries/{made['id']}/retry", 404, "Delivery not found")
    teams.change_team(api.database, api.organization, api.now, calls_per_minute=1)
    client.call("DELETE", f"/webhooks/{made['id']}")
    headers = client.failed(
        "DELETE", f"/webhooks/{made['id']}", 429, "Too many requests. Please upgrade your plan or slow down."
    )
    assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("1", "0")
    assert 1 <= int(headers["Retry-After"]) <= 60
    teams.change_team(api.database, api.organization, api.now, subscription="expired")
    client.failed("GET", "/webhooks", 403, "Subscription expired.")


def test_rows_of_every_search_are_as_the_facts_say(installed: Installation) -> None:
    installed.news(*NEWS)
    for number, (path, (endpoint, row)) in enumerate(ROWS.items()):
        more = {"pagination": NUMBERED, "left": True}
        found = installed.client.done("GET", path, endpoint, [row], used=1, **more)
        assert found["data"], path
        assert found["meta"]["creditsRemaining"] == 99 - number
        counted = installed.client.done("GET", f"{path}?count=true&limit=1", endpoint, [row], **more)
        assert counted["data"] == []
        assert counted["pagination"]["totalCount"] == len(found["data"]) == counted["pagination"]["totalPages"]
        installed.client.failed("GET", f"{path}?no_such=1", 400, "Unknown query parameter: no_such")
        installed.client.failed("GET", f"{path}?limit=101", 400)
        installed.client.failed("GET", path, 401, token="ff_live_nobody")
    every, back = walk(installed.client, "asc"), walk(installed.client, "desc")
    assert {"Brightwater Labs", "Fernhollow", "Kelp Systems", "Quernstone"} <= set(every)
    assert every == sorted(set(every)) == back[::-1], "each once, whichever way"
    left = teams.get_team(installed.db, installed.api.organization).credits
    teams.grant_credits(installed.db, installed.api.organization, -left, installed.api.now)
    for path in ROWS:
        installed.client.failed("GET", path, 402, "out of credits, please contact support to increase your usage")


def walk(client: Client, order: str) -> list[str]:
    """Names of all companies, a page for each."""
    names, page, has_next = [], 1, True
    while has_next:
        path = f"/companies?sort_order={order}&limit=1&page={page}"
        found = client.done("GET", path, "companies.list", [ROWS["/companies"][1]], pagination=NUMBERED, left=True, used=1)
        names += [row["name"] for row in found["data"]]
        has_next, page = found["pagination"]["hasNextPage"], page + 1
    return names


def test_sb_60_each_search_has_a_count_of_its_own(installed: Installation) -> None:
    api = installed.api
    teams.change_team(api.database, api.organization, api.now, calls_per_minute=1)
    for path in ROWS:
        assert installed.client.call("GET", f"{path}?count=true")[0] == 200
        installed.client.failed("GET", path, 429)
    api.now += timedelta(minutes=1)
    assert installed.client.call("GET", "/companies?count=true")[0] == 200

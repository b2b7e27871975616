"""The service around its endpoints: envelope, ids, health, metrics, bounds, and what hostile clients send."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from pipeline.api import bodies, context
from pipeline.api.logs import JsonLines
from pipeline.organizations import keys
from pipeline.organizations.quotas import set_limit
from pipeline.settings import PROJECT_ROOT
from pipeline.store.tables.deliveries import Delivery
from pipeline.webhooks.outbox import record_matches

CLIENTS = ("http", "uvicorn.access")


def until(look: Callable[[], Any], is_enough: Callable[[Any], bool]) -> Any:
    """What ``look`` gives as soon as it is enough, or after half a minute: what follows an answer takes a moment."""
    ends = time.monotonic() + 30
    while not is_enough(found := look()) and time.monotonic() < ends:
        time.sleep(0.01)
    return found


def test_the_process_is_lean() -> None:
    """The service opens the app database alone: what the pipeline needs is not even imported."""
    heavy = ["duckdb", "dagster", "pandas", "pyarrow", "requests", "aiohttp", "lxml", "tldextract"]
    script = f"import sys, pipeline.api.app; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_health_and_readiness(api: Any) -> None:
    assert api.raw("/healthz").json() == {"status": "ok"}
    assert api.raw("/readyz").json() == {"status": "ok", "checks": {"app_database": "ok"}}
    with api.database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    answer = api.raw("/readyz")
    assert answer.status_code == 503
    wanted = api.database.schema_version()[1]
    assert answer.json()["checks"]["app_database"] == f"schema is at 0000, this version needs {wanted}"


REFUSED = [
    ("GET", "/nothing", (404, "not_found")),
    ("GET", "/accounts/", (404, "not_found")),
    ("PUT", "/accounts", (405, "method_not_allowed")),
    ("GET", "/accounts", (405, "method_not_allowed")),
    ("GET", "/matches?limit=0", (400, "invalid_param")),
    ("GET", "/matches?since=%00", (400, "invalid_param")),
    ("DELETE", "/accounts?external_id=a%00b", (400, "invalid_param")),
    ("GET", "/rounds/a%00b", (400, "invalid_param")),
]


def test_fsv_1_every_error_has_the_envelope(api: Any, code: Any) -> None:
    for method, path, expected in REFUSED:
        assert code(api.call(method, path)) == expected, (method, path)


def test_405_names_all_methods_of_the_path(api: Any) -> None:
    answer = api.call("PATCH", "/accounts")
    assert answer.headers["Allow"] == "DELETE, POST"
    assert api.call("PUT", "/rounds/x/contact").headers["Allow"] == "POST"


def test_request_ids_are_taken_over_or_made(api: Any) -> None:
    assert api.get("/webhooks", headers={"X-Request-ID": "abc-123"}).headers["X-Request-ID"] == "abc-123"
    made = [api.get("/webhooks", headers={"X-Request-ID": given}).headers["X-Request-ID"] for given in ("", "a b", "x" * 129)]
    assert len(set(made)) == 3
    assert all(len(request_id) == 32 for request_id in made)


def test_logs_name_caller_and_outcome_and_hold_no_secret(api: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        row = {"external_id": "row-secret", "name": "n", "metadata": {"k": "metadata-secret"}}
        api.post("/accounts", {"accounts": [row]})
        api.delete("/accounts?external_id=row-secret")
        api.get("/matches", token="fs_live_" + "S" * 32)
        lines = until(
            lambda: [r.fields for r in caplog.records if r.name == "pipeline.api.requests"], lambda found: len(found) >= 3
        )
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("POST", "/api/v1/accounts", 200),
        ("DELETE", "/api/v1/accounts", 200),
        ("GET", "/api/v1/matches", 401),
    ]
    assert lines[0]["organization_id"] == api.organization
    assert lines[0]["key_prefix"] == api.key.token[:12]
    # What the service writes; the test's own client and uvicorn's access log (off in the service) show addresses.
    everything = "".join(JsonLines().format(record) for record in caplog.records if not record.name.startswith(CLIENTS))
    for secret in (api.key.token, api.key.webhook_secret, "S" * 32, "row-secret", "metadata-secret"):
        assert secret not in everything


def test_metrics_count_requests_refusals_rows_and_the_outbox(api: Any) -> None:
    api.post("/accounts", {"accounts": [{"external_id": "a", "name": "A"}, {}]})
    api.get("/nothing")
    unmatched = 'fundingscout_http_requests_total{method="GET",route="unmatched",status="404"} 1.0'
    lines = until(lambda: api.raw("/metrics").text.splitlines(), lambda found: unmatched in found)
    assert 'fundingscout_http_requests_total{method="POST",route="/api/v1/accounts",status="200"} 1.0' in lines
    assert unmatched in lines
    assert 'fundingscout_crm_rows_total{kind="account",outcome="changed"} 1.0' in lines
    assert 'fundingscout_crm_rows_total{kind="account",outcome="refused"} 1.0' in lines
    assert 'fundingscout_outbox_deliveries{status="pending"} 0.0' in lines
    assert 'fundingscout_deliveries_last_day{status="delivered"} 0.0' in lines


def test_metrics_tell_what_receivers_answered_in_labels_of_bounded_number(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = [
        None,
        None,
        "redirect",
        "http_4xx",
        "http_5xx",
        "timeout",
        "connect",
        "refused_address",
        "row_deleted",
        "new one",
    ]
    found = [api.partners.found(api.organization, api.partners.round(f"r{number}")) for number in range(len(reasons))]
    record_matches(api.database, found, api.now)
    with api.database.write() as session:
        for row, reason in zip(session.scalars(select(Delivery).order_by(Delivery.id)), reasons, strict=True):
            row.status, row.reason = ("failed" if reason else "delivered"), reason

    def outcomes() -> dict[str, float]:
        lines = [line for line in api.raw("/metrics").text.splitlines() if line.startswith("fundingscout_delivery_outcomes")]
        assert all('profile="fundingscout"' in line or 'profile="other"' in line for line in lines)
        of_profile = [line for line in lines if 'profile="fundingscout"' in line]
        shown = {line.split('outcome="')[1].split('"')[0]: float(line.split()[-1]) for line in of_profile}
        return {name: value for name, value in shown.items() if value}

    expected = {"2xx": 2, "3xx": 1, "4xx": 1, "5xx": 1, "timeout": 1, "refused": 1, "vetted_away": 1, "other": 2}
    assert outcomes() == expected
    # However large the ledger is, a scrape reads so many rows and no more.
    monkeypatch.setattr("pipeline.api.standing.MOST_ROWS", 4)
    assert sum(outcomes().values()) == 4
    api.now += timedelta(hours=24, seconds=1)
    assert outcomes() == {}


def test_metrics_tell_how_near_keys_are_to_their_quotas(api: Any) -> None:
    set_limit(api.database, api.organization, api.key.id, "webhook_settings", 10)
    for _ in range(12):
        api.get("/webhooks")
    lines = api.raw("/metrics").text.splitlines()
    for outcome, count in (("admitted", 9), ("admitted_last_tenth", 1), ("refused", 2)):
        line = f'fundingscout_quota_calls_total{{operation="webhook_settings",outcome="{outcome}"}} {count}.0'
        assert line in lines
    assert 'fundingscout_quota_refusals_total{operation="webhook_settings"} 2.0' in lines


def test_fsv_2_a_database_that_fails_is_a_db_error_and_not_told_in_detail(
    api: Any, code: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("SELECT secret-sql", {}, Exception("secret-detail"))

    monkeypatch.setattr("pipeline.api.fundingscout.webhooks.get_webhook", fail)
    answer = api.get("/webhooks")
    assert code(answer) == (500, "db_error")
    assert "secret" not in answer.text
    monkeypatch.setattr("pipeline.api.fundingscout.access.find_organization", fail)
    assert code(api.get("/webhooks")) == (500, "profile_lookup_failed")
    monkeypatch.setattr("pipeline.api.fundingscout.access.find_key", fail)
    assert code(api.get("/webhooks")) == (500, "auth_lookup_failed")


def test_a_mistake_of_ours_is_an_internal_error(api: Any, code: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret-detail")

    monkeypatch.setattr("pipeline.api.fundingscout.whoami.usage_today", fail)
    answer = api.get("/whoami")
    assert code(answer) == (500, "internal_error")
    assert "secret" not in answer.text


# --- bodies -----------------------------------------------------------------------------------------------------------

DEEP = 100_000


UNUSABLE = [
    (b"", "invalid_json"),
    (b"{", "invalid_json"),
    (b"\xff\xfe", "invalid_json"),
    (b'{"accounts": [NaN]}', "invalid_json"),
    (b'{"accounts": []} x', "invalid_json"),
    (b"[" * DEEP, "invalid_json"),
    (b"[" * DEEP + b"]" * DEEP, "invalid_json"),
    (b'{"accounts":' + b"[" * DEEP + b"]" * DEEP + b"}", "invalid_json"),
    (
        b'{"accounts":[{"external_id":"a","name":"b","metadata":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}]}",
        "invalid_json",
    ),
    (b"[]", "invalid_body"),
    (b"null", "invalid_body"),
    (b'"accounts"', "invalid_body"),
    (b"{}", "invalid_body"),
    (b'{"accounts": {}}', "invalid_body"),
    (b'{"accounts": null}', "invalid_body"),
    (b'{"accounts": [1, null, "a", []]}', "invalid_body"),
    (b'{"accounts": [{"external_id": "a\\u0000b", "name": "n"}]}', "invalid_body"),
    (b'{"accounts": [{"external_id": "\\ud800", "name": "n"}]}', "invalid_body"),
]


def test_fsv_2_bodies_that_can_not_be_used(api: Any, code: Any) -> None:
    for body, expected in UNUSABLE:
        assert code(api.post("/accounts", body)) == (400, expected), body[:60]
        if b"accounts" not in body:
            assert code(api.post("/webhooks", body)) == (400, expected), body[:60]


HEADERS: list[tuple[dict[str, str], int]] = [
    ({"Content-Type": "text/plain"}, 415),
    ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
    ({"Content-Type": "application/json; charset=utf-16"}, 415),
    ({"Content-Encoding": "gzip"}, 415),
    ({"Content-Encoding": "br"}, 415),
    ({"Content-Type": "application/json; charset=UTF-8"}, 200),
    ({"Content-Type": "APPLICATION/JSON"}, 200),
    ({"Content-Type": "application/vnd.api+json"}, 200),
    ({"Content-Encoding": "identity"}, 200),
]


def test_fs_7_bodies_are_json(api: Any) -> None:
    for headers, expected in HEADERS:
        assert api.post("/accounts", b'{"accounts": []}', headers=headers).status_code == expected, headers


def test_a_gzip_bomb_is_not_unpacked(api: Any, code: Any) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert code(api.post("/accounts", bomb, headers={"Content-Encoding": "gzip"})) == (415, "unsupported_media_type")
    assert code(api.post("/accounts", bomb)) == (400, "invalid_json")


def test_a_byte_order_mark_is_read_over(api: Any) -> None:
    assert api.post("/accounts", b'\xef\xbb\xbf{"accounts": []}').json() == {"upserted": 0, "errors": []}


def test_large_bodies_are_refused_announced_or_not(make_api: Any, code: Any) -> None:
    with make_api(api_max_body_bytes=10_000) as api:
        fits = json.dumps({"accounts": [{"external_id": "a", "name": "n", "metadata": {"x": "y" * 9_900}}]})
        assert api.post("/accounts", fits + " " * (10_000 - len(fits))).json() == {"upserted": 1, "errors": []}
        assert code(api.post("/accounts", b" " * 10_001)) == (413, "body_too_large")

        def chunks() -> Any:
            for _ in range(100):
                yield b" " * 1_000

        answer = api.call("POST", "/accounts", content=chunks(), headers={"Content-Type": "application/json"})
        assert code(answer) == (413, "body_too_large")


def _head(api: Any, *lines: str, token: str | None = None, body: str = "") -> bytes:
    """The beginning of the answer to a request written by hand, whose body is still to come."""
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as connection:
        own = [f"Authorization: Bearer {token or api.key.token}"]
        connection.sendall("\r\n".join(["POST /api/v1/accounts HTTP/1.1", "Host: x", *own, *lines, "", body]).encode())
        return connection.recv(20)


def test_nobody_s_body_is_waited_for(api: Any) -> None:
    """Who may not call is told at the head; so is one who announces too much."""
    assert b" 401 " in _head(api, "Content-Length: 1000", token="fs_live_unknown")
    assert b" 413 " in _head(api, "Content-Length: 99999999")
    assert b" 400 " in _head(api, "Content-Length: 99999999999999999999999")


def test_a_body_that_does_not_come_is_given_up(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.2)
    assert b" 408 " in _head(api, "Content-Length: 1000")


def test_bodies_beyond_the_memory_for_all_wait_and_then_are_refused(make_api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "BODY_WAIT_SECONDS", 0.2)
    monkeypatch.setattr(context.ByteBudget.__init__, "__defaults__", (0.2,))
    monkeypatch.setattr(bodies, "FREE_BYTES", 0)
    with make_api(api_max_body_bytes=10_000) as api:
        slow = []
        for _ in range(context.BODIES_AT_ONCE):
            connection = socket.create_connection(("127.0.0.1", api.port), timeout=10)
            head = [
                "POST /api/v1/accounts HTTP/1.1",
                "Host: x",
                f"Authorization: Bearer {api.key.token}",
                "Content-Length: 10000",
            ]
            connection.sendall("\r\n".join([*head, "", "x"]).encode())
            slow.append(connection)
        time.sleep(0.3)
        assert b" 503 " in _head(api, "Content-Length: 10000", body="x")
        for connection in slow:
            connection.close()
        served = until(lambda: api.post("/accounts", {"accounts": []}).status_code, lambda status: status == 200)
        assert served == 200


def test_many_requests_at_once_are_all_answered(api: Any) -> None:
    with ThreadPoolExecutor(50) as threads:
        url = f"{api.url}/api/v1/webhooks"
        answers = list(threads.map(lambda _: requests.get(url, timeout=30).status_code, range(300)))
    assert answers == [401] * 300


def test_more_requests_than_can_be_held_are_turned_away(api: Any, code: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.api.edge.MOST_AT_ONCE", 0)
    answer = api.get("/webhooks")
    assert code(answer) == (503, "overloaded")
    assert answer.headers["Retry-After"] == "2"


@pytest.mark.parametrize("text", ["' OR 1=1 --", "%", "_", "\\", "a\r\nX-Evil: 1", "💥", "../../etc/passwd"])
def test_what_looks_like_code_is_text(api: Any, text: str) -> None:
    answers = [
        api.delete("/accounts", params={"external_id": text}),
        api.get("/companies/search", params={"q": text * 2}),
        api.get("/rounds", params={"country": text}),
        api.get("/matches", params={"status": text}),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 400]
    assert answers[0].json() == {"deleted": 0}
    assert answers[1].json() == {"data": []}
    assert all("X-Evil" not in answer.headers for answer in answers)
    assert keys.find_key(api.database, api.key.token) is not None

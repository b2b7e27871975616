"""The operators' API: what the command line does for organizations and keys, over HTTP, with tokens of its own."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, get_args

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance
from sqlalchemy import select

from pipeline.api.app import build_app
from pipeline.api.fundingscout.document import openapi_of
from pipeline.api.logs import JsonLines
from pipeline.api.openapi import text_of
from pipeline.api.operator.document import operator_openapi_of
from pipeline.api.operator.schemas import PlanName
from pipeline.organizations.operators import create_operator, revoke_operator
from pipeline.organizations.organizations import PLANS
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.organizations import OperatorToken

ROUTES = [
    ("GET", ""),
    ("POST", ""),
    ("GET", "/acme"),
    ("PATCH", "/acme"),
    ("PUT", "/acme/webhook"),
    ("GET", "/acme/name-match"),
    ("PATCH", "/acme/name-match"),
    ("GET", "/acme/keys"),
    ("POST", "/acme/keys"),
    ("POST", "/acme/keys/x/revoke"),
    ("POST", "/acme/keys/x/rotate"),
    ("GET", "/acme/keys/x/quotas"),
    ("PUT", "/acme/keys/x/quotas/whoami"),
    ("DELETE", "/acme/keys/x/quotas/whoami"),
]


class Operated:
    """A running service and an operator who calls it."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.token = create_operator(api.database, "Ada", api.now).token

    def call(self, method: str, path: str = "", body: Any = None, token: str | None = "own") -> Any:
        """A request under /operator/v1/organizations."""
        headers = {} if token is None else {"Authorization": f"Bearer {self.token if token == 'own' else token}"}
        more = {} if body is None else {"json": body}
        return self.api.raw(f"/operator/v1/organizations{path}", method=method, headers=headers, **more)


@pytest.fixture
def api(partners: Any, now: Any, make_api: Any, tmp_path: Any) -> Iterator[Any]:
    with make_api(home=tmp_path) as running:
        yield running


@pytest.fixture
def operated(api: Any) -> Operated:
    return Operated(api)


def test_without_an_operator_s_token_there_is_nothing_there(api: Any, code: Any) -> None:
    for method, path in ROUTES:
        answer = api.raw(
            f"/operator/v1/organizations{path}", method=method, headers={"Authorization": f"Bearer {api.key.token}"}
        )
        assert code(answer) == (404, "not_found"), (method, path)
    assert api.raw("/operator/v1/openapi.json").status_code == 404
    made = create_operator(api.database, "Ada", api.now)
    revoke_operator(api.database, "Ada", api.now)
    answer = api.raw("/operator/v1/organizations", headers={"Authorization": f"Bearer {made.token}"})
    assert code(answer) == (404, "not_found")


def test_partners_keys_open_nothing_there_and_operators_tokens_nothing_of_theirs(operated: Operated, code: Any) -> None:
    api = operated.api
    for method, path in ROUTES:
        for token, expected in (
            (None, "missing_authorization"),
            (api.key.token, "invalid_or_revoked_token"),
            (api.key.webhook_secret, "invalid_or_revoked_token"),
            (operated.token[:-1], "invalid_or_revoked_token"),
            ("fs_op_" + "a" * 32, "invalid_or_revoked_token"),
        ):
            answer = operated.call(method, path, token=token)
            assert code(answer) == (401, expected), (method, path, token)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    for method, path in (("GET", "/whoami"), ("GET", "/matches"), ("POST", "/accounts"), ("GET", "/webhooks")):
        assert code(api.call(method, path, token=operated.token)) == (401, "invalid_key_format")
    assert api.raw("/mcp", method="POST", headers={"Authorization": f"Bearer {operated.token}"}, json={}).status_code == 401


def test_a_revoked_token_is_refused_with_the_next_call(operated: Operated, code: Any) -> None:
    create_operator(operated.api.database, "Ben", operated.api.now)
    assert operated.call("GET").status_code == 200
    revoke_operator(operated.api.database, "Ada", operated.api.now)
    assert code(operated.call("GET")) == (401, "invalid_or_revoked_token")


def test_of_a_token_only_its_hash_is_kept(operated: Operated) -> None:
    with operated.api.database.read() as session:
        row = session.scalars(select(OperatorToken)).one()
    assert operated.token.startswith("fs_op_")
    assert len(operated.token) == 38
    assert operated.token not in json.dumps([str(value) for value in vars(row).values()])
    assert row.token_prefix == operated.token[:12]


def test_a_partner_is_set_up_and_calls(operated: Operated) -> None:
    """FS-3, FS-4: what `organizations create`, `keys create` and `webhooks set` do."""
    made = operated.call("POST", body={"slug": "north", "name": "North Corp"}).json()
    assert (made["slug"], made["name"], made["plan"], made["webhook_url"]) == ("north", "North Corp", "pro", None)
    key = operated.call("POST", "/north/keys", {"label": "production"}).json()
    assert key["token"].startswith("fs_live_")
    assert key["webhook_secret"].startswith("fs_whsec_")
    assert operated.api.get("/whoami", token=key["token"]).json()["organization"] == "North Corp"
    url = "https://hooks.north.example/a"
    assert operated.call("PUT", "/north/webhook", {"url": url, "key": key["id"]}).json() == {"webhook_url": url}
    assert operated.call("GET", f"/{made['id']}").json() == made | {"webhook_url": url}
    assert operated.call("PUT", "/north/webhook", {"url": None}).json() == {"webhook_url": None}
    assert [row["slug"] for row in operated.call("GET").json()["data"]] == ["acme", "north"]
    listed = operated.call("GET", "/north/keys")
    assert [(row["id"], row["label"], row["revoked_at"]) for row in listed.json()["data"]] == [(key["id"], "production", None)]
    assert key["token"] not in listed.text
    assert key["webhook_secret"] not in listed.text


def test_plans_keys_and_quotas_are_in_force_with_the_next_call(operated: Operated, code: Any) -> None:
    """FS-5, FS-19, FSV-2, FSV-12."""
    api = operated.api
    key = f"/acme/keys/{api.key.id}"
    assert operated.call("PATCH", "/acme", {"plan": "basic"}).json()["plan"] == "basic"
    assert code(api.get("/webhooks")) == (403, "pro_required")
    operated.call("PATCH", "/acme", {"plan": "pro"})
    state = operated.call("PUT", f"{key}/quotas/webhook_settings", {"limit": 1}).json()
    assert state["data"]["webhook_settings"] == {"limit": 1, "used": 0, "remaining": 1}
    assert state["quotas_reset_at"] == "2026-05-13T00:00:00Z"
    assert [api.get("/webhooks").status_code for _ in range(2)] == [200, 429]
    operated.call("PUT", f"{key}/quotas/webhook_settings", {"limit": None})
    assert api.get("/webhooks").headers["X-RateLimit-Limit"] == "unlimited"
    assert operated.call("GET", "/acme/keys").json()["data"][0]["quotas"] == {"webhook_settings": None}
    operated.call("DELETE", f"{key}/quotas/webhook_settings")
    assert api.get("/webhooks").headers["X-RateLimit-Limit"] == "1000"
    used = operated.call("GET", f"/acme/keys/{api.key.token[:12]}/quotas").json()["data"]["webhook_settings"]
    assert used == {"limit": 1_000, "used": 3, "remaining": 997}
    secret = operated.call("POST", f"{key}/rotate", {"overlap_hours": 24}).json()["webhook_secret"]
    assert secret.startswith("fs_whsec_")
    assert secret != api.key.webhook_secret
    assert operated.call("POST", f"{key}/revoke").json()["revoked_at"] == "2026-05-12T01:54:00Z"
    assert code(api.get("/webhooks")) == (401, "invalid_or_revoked_key")
    assert code(operated.call("POST", f"{key}/rotate", {})) == (404, "not_found")


def test_thresholds_of_name_matches_are_read_and_changed(operated: Operated, code: Any) -> None:
    before = operated.call("GET", "/acme/name-match").json()
    assert before["own"] == {}
    changed = operated.call("PATCH", "/acme/name-match", {"send": 0.97}).json()
    assert (changed["send"], changed["own"]) == (0.97, {"send": 0.97})
    assert operated.call("PATCH", "/acme/name-match", {"send": None}).json() == before
    assert code(operated.call("PATCH", "/acme/name-match", {"send": 0.5, "review": 0.9})) == (400, "invalid_body")
    assert operated.call("GET", "/acme/name-match").json() == before


WRONG: list[tuple[str, str, Any, tuple[int, str]]] = [
    ("POST", "", {"slug": "acme"}, (409, "organization_exists")),
    ("POST", "", {"slug": "Not A Slug"}, (400, "invalid_body")),
    ("POST", "", {"slug": "a", "name": " "}, (400, "invalid_body")),
    ("POST", "", {"slug": "a", "name": "a\0b"}, (400, "invalid_body")),
    ("POST", "", {"slug": "a", "plan": "gold"}, (400, "invalid_body")),
    ("POST", "", {"slug": "a", "pln": "pro"}, (400, "invalid_body")),
    ("POST", "", [], (400, "invalid_body")),
    ("POST", "", None, (400, "invalid_json")),
    ("GET", "/nobody", None, (404, "not_found")),
    ("PATCH", "/nobody", {"plan": "pro"}, (404, "not_found")),
    ("POST", "/nobody/keys", {}, (404, "not_found")),
    ("POST", "/acme/keys/nokey/revoke", None, (404, "not_found")),
    ("POST", "/acme/keys/nokey/rotate", {"overlap_hours": -1}, (400, "invalid_body")),
    ("PUT", "/acme/keys/nokey/quotas/whoami", {"limit": 1}, (404, "not_found")),
    ("PUT", "/acme/keys/nokey/quotas/nothing", {"limit": 1}, (400, "invalid_param")),
    ("PUT", "/acme/keys/nokey/quotas/whoami", {"limit": -1}, (400, "invalid_body")),
    ("PUT", "/acme/keys/nokey/quotas/whoami", {"limit": "1"}, (400, "invalid_body")),
    ("PUT", "/acme/keys/nokey/quotas/whoami", {}, (400, "invalid_body")),
    ("PUT", "/acme/webhook", {"url": "http://plain.example"}, (400, "invalid_url")),
    ("PUT", "/acme/webhook", {"url": "https://10.0.0.1/x"}, (400, "invalid_url")),
    ("PUT", "/acme/webhook", {"url": None, "key": "nokey"}, (404, "not_found")),
    ("DELETE", "/acme", None, (405, "method_not_allowed")),
]


def test_mistakes_are_told_in_the_envelope(operated: Operated, code: Any) -> None:
    for method, path, body, expected in WRONG:
        assert code(operated.call(method, path, body)) == expected, (method, path, body)


def test_another_organization_s_key_is_no_key_of_this_one(operated: Operated, code: Any) -> None:
    operated.call("POST", body={"slug": "north"})
    for method, path, body in (("POST", "revoke", None), ("POST", "rotate", {}), ("GET", "quotas", None)):
        assert code(operated.call(method, f"/north/keys/{operated.api.key.id}/{path}", body)) == (404, "not_found")
    assert operated.api.get("/webhooks").status_code == 200


def test_every_change_is_in_the_audit_log_and_no_secret_is(operated: Operated, caplog: pytest.LogCaptureFixture) -> None:
    key = f"/acme/keys/{operated.api.key.id}"
    with caplog.at_level(logging.INFO):
        made = operated.call("POST", "/acme/keys", {}).json()
        rotated = operated.call("POST", f"{key}/rotate", {}).json()
        operated.call("PUT", f"{key}/quotas/whoami", {"limit": 5})
        operated.call("DELETE", f"{key}/quotas/whoami")
        operated.call("PATCH", "/acme", {"plan": "wholesale"})
        operated.call("PUT", "/acme/webhook", {"url": "https://hooks.example.com/a"})
        operated.call("POST", f"{key}/revoke")
        operated.call("PATCH", "/acme", {"plan": "gold"})  # changes nothing
        operated.call("GET", "/acme")
    lines = [record for record in caplog.records if record.name == "pipeline.api.operator.audit"]
    told = [record.fields for record in lines]  # type: ignore[attr-defined]
    assert [line["action"] for line in told] == [
        "create_key", "rotate_secret", "set_quota", "set_quota", "set_plan", "set_webhook", "revoke_key",
    ]  # fmt: skip
    assert {(line["operator"], line["organization_id"]) for line in told} == {("Ada", operated.api.organization)}
    assert (told[2]["limit"], told[3]["limit"], told[4]["plan"]) == (5, "default", "wholesale")
    text = "".join(JsonLines().format(record) for record in lines)
    for secret in (operated.token, made["token"], made["webhook_secret"], rotated["webhook_secret"]):
        assert secret not in text


def test_the_operators_document_is_kept_apart_and_true() -> None:
    """Renew it with: fundingscout api --operator-openapi > docs/openapi/operator.json"""
    app = build_app(AppDatabase("sqlite://"), Settings())
    kept = (PROJECT_ROOT / "docs" / "openapi" / "operator.json").read_text(encoding="utf-8")
    assert kept == text_of(operator_openapi_of(app))
    assert not [path for path in openapi_of(app)["paths"] if path.startswith("/operator")]
    # Referral partners': test_api_operator_partners.py
    operators = {path: item for path, item in operator_openapi_of(app)["paths"].items() if "/startcap" not in path}
    assert all(path.startswith("/operator/v1/organizations") for path in operators)
    assert sum(len(methods) for methods in operators.values()) == len(ROUTES)
    assert get_args(PlanName) == PLANS


@pytest.mark.parametrize("app_database", ["sqlite"], indirect=True)
def test_generated_requests_meet_no_500_and_nothing_undocumented(operated: Operated) -> None:
    document, headers = operator_openapi_of(operated.api.app), {"Authorization": f"Bearer {operated.token}"}
    assert operated.api.raw("/operator/v1/openapi.json", headers=headers).json() == document
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        examples = 3 if "/startcap" in result.ok().path else 6
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @settings(
                max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(case=result.ok().as_strategy(mode))
            def agrees(case: Any) -> None:
                checks = [not_a_server_error, status_code_conformance, response_schema_conformance]
                case.call_and_validate(base_url=operated.api.url, headers=headers, checks=checks)

            with suppress(Unsatisfiable):  # an operation without parameters can't be broken
                agrees()

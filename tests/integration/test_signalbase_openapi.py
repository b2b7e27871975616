"""The Signalbase face's OpenAPI document: kept in docs/openapi, equal to the code, and true of what the service answers."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pipeline.api.signalbase.app import build_signalbase, openapi_of
from pipeline.commands.signalbase import openapi
from pipeline.settings import PROJECT_ROOT
from pipeline.subscriptions import teams

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 5
OPERATIONS = {
    "create_webhook", "list_webhooks", "get_webhook", "update_webhook", "patch_webhook", "delete_webhook", "test_webhook",
    "list_deliveries", "retry_delivery", "preview_webhook", "search_funding", "search_acquisitions", "search_job_changes",
    "search_hiring", "search_investors", "search_companies", "create_monitor", "list_monitors", "get_monitor", "update_monitor",
    "delete_monitor", "list_monitor_targets", "add_monitor_targets", "remove_monitor_target", "remove_monitor_targets",
}  # fmt: skip
WITH_BODIES = {
    "create_webhook", "update_webhook", "patch_webhook", "preview_webhook", "create_monitor", "update_monitor",
    "add_monitor_targets", "remove_monitor_targets",
}  # fmt: skip


@pytest.fixture
def app_database(make_app_database: Any) -> Any:
    return make_app_database("sqlite")


@pytest.fixture
def service(make_api: Any, tmp_path: Path) -> Iterator[Any]:
    with make_api(home=tmp_path) as api:
        yield api


def document(api: Any) -> dict[str, Any]:
    return openapi_of(build_signalbase(api.app.state.service))


def test_the_document_in_docs_is_the_code_s() -> None:
    """Renew it with: fundingscout signalbase openapi > docs/openapi/signalbase.json"""
    kept = (PROJECT_ROOT / "docs" / "openapi" / "signalbase.json").read_text(encoding="utf-8")
    assert kept == CliRunner().invoke(openapi, catch_exceptions=False).output


def test_every_operation_says_what_it_does_and_how_it_fails(service: Any) -> None:
    paths = document(service)["paths"]
    operations = {operation["operationId"]: operation for methods in paths.values() for operation in methods.values()}
    assert set(operations) == OPERATIONS
    for name, operation in operations.items():
        assert operation["description"], name
        assert operation["security"] == [{"API key": []}], name
        assert {"400", "401", "403", "429", "500", "503"} <= set(operation["responses"]), name
        assert ("requestBody" in operation) == (name in WITH_BODIES)


def test_what_the_service_answers_is_what_the_document_says(service: Any) -> None:
    """Requests made from the document, fitting it and breaking it: no 500, no status, header or body that it does not name."""
    team = service.organization
    teams.create_team(service.database, team, service.now)
    teams.grant_credits(service.database, team, 1_000, service.now)
    teams.change_team(service.database, team, service.now, calls_per_minute=100_000)
    token = teams.create_key(service.database, team, "test", service.now).token
    schema = schemathesis.openapi.from_dict(copy.deepcopy(document(service)))
    headers = {"Authorization": f"Bearer {token}"}
    tried = set()
    for result in schema.get_all_operations():
        operation = result.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @settings(
                max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(case=operation.as_strategy(mode))
            def agrees(case: Any) -> None:
                case.call_and_validate(base_url=f"{service.url}/api/v2", headers=headers, checks=CHECKS)

            with suppress(Unsatisfiable):  # an operation without parameters can't be broken
                agrees()
        tried.add(operation.definition.raw["operationId"])
    assert tried == OPERATIONS


def test_sb_12_to_sb_20_sc_55_sc_63_paths_are_written_as_the_contract_has_them() -> None:
    wanted = {
        "signalbase": {
            "/webhooks", "/webhooks/{id}", "/webhooks/{id}/test", "/webhooks/{id}/deliveries",
            "/webhooks/{id}/deliveries/{delivery_id}/retry", "/monitors/{id}", "/monitors/{id}/targets",
        },
        "startcap": {"/leads/validate", "/leads/submit", "/leads", "/leads/{id}", "/referrals/{id}", "/referrals/stats"},
        "fundingscout": {"/api/v1/accounts", "/api/v1/matches", "/api/v1/rounds/{id}", "/api/v1/rounds/{id}/contact"},
    }  # fmt: skip
    for name, paths in wanted.items():
        kept = json.loads((PROJECT_ROOT / "docs" / "openapi" / f"{name}.json").read_text(encoding="utf-8"))
        assert paths <= set(kept["paths"]), name

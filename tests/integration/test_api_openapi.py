"""The OpenAPI document: kept in docs/openapi, equal to the code, and true of what the service answers."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
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

from pipeline.api.app import build_app
from pipeline.api.fundingscout.document import openapi_of
from pipeline.api.fundingscout.schemas import Accounts, Contacts, WebhookChange
from pipeline.api.openapi import text_of
from pipeline.api.operator.partner_schemas import PARTNER_BODIES
from pipeline.api.operator.schemas import TAKEN
from pipeline.organizations.quotas import DEFAULT_LIMITS, set_limit
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.store.app_database import AppDatabase
from pipeline.webhooks.outbox import record_matches

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = 12
EXAMPLES = 12


def document() -> dict[str, Any]:
    return openapi_of(build_app(AppDatabase("sqlite://"), Settings()))


def test_the_document_in_docs_is_the_code_s() -> None:
    """Renew it with: fundingscout api --openapi > docs/openapi/fundingscout.json"""
    kept = (PROJECT_ROOT / "docs" / "openapi" / "fundingscout.json").read_text(encoding="utf-8")
    assert kept == text_of(openapi_of(build_app(AppDatabase("sqlite://"), Settings())))


def test_every_operation_says_what_it_does_and_how_it_fails() -> None:
    operations = [
        (path, operation)
        for path, methods in document()["paths"].items()
        for operation in methods.values()
        if path.startswith("/api/v1")
    ]
    assert len(operations) == OPERATIONS
    for path, operation in operations:
        assert operation["description"], path
        assert operation["security"] == [{"API key": []}], path
        assert {"200", "400", "401", "403", "429", "500", "503"} <= set(operation["responses"]), path
        assert "422" not in operation["responses"], path
        assert operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"], path
        assert ("requestBody" in operation) == (operation["operationId"].endswith(("_upsert", "set_webhook"))), path


@pytest.mark.parametrize("path", ["docs/openapi/fundingscout.json", "docs/openapi/operator.json"])
def test_every_body_and_every_error_has_an_example_that_holds(path: str) -> None:
    kept = json.loads((PROJECT_ROOT / path).read_text(encoding="utf-8"))
    models = {model.__name__: model for model in (Accounts, Contacts, WebhookChange, *TAKEN, *PARTNER_BODIES)}
    shown = 0
    for address, methods in kept["paths"].items():
        for operation in methods.values():
            if not address.startswith(("/api/v1", "/operator/v1")):
                continue
            body = operation.get("requestBody")
            if body and "application/json" in body["content"]:  # status snapshots are JSON Lines
                content = body["content"]["application/json"]
                model = models[content["schema"]["$ref"].rpartition("/")[2]]
                for value in _examples(content):
                    model.model_validate_json(json.dumps(value))
                    shown += 1
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    examples = _examples(answer["content"]["application/json"])
                    assert examples, (address, status)
                    for value in examples:
                        assert value["error"]["code"] in answer["description"] + operation["description"], (address, value)
    assert shown >= 7 if "operator" in path else shown >= 5


def _examples(content: dict[str, Any]) -> list[Any]:
    if "example" in content:
        return [content["example"]]
    return [example["value"] for example in content["examples"].values()]


def test_what_the_service_answers_is_what_the_document_says(api: Any) -> None:
    """Requests made from the document, fitting it and breaking it: no 500, no status, header or body that it does not name."""
    for operation in DEFAULT_LIMITS:
        set_limit(api.database, api.organization, api.key.id, operation, None)
    found = [api.partners.found(api.organization, api.partners.round(f"r{number}")) for number in range(3)]
    record_matches(api.database, found, api.now)
    schema = schemathesis.openapi.from_dict(copy.deepcopy(openapi_of(api.app)))
    headers = {"Authorization": f"Bearer {api.key.token}"}
    tried = set()
    for result in schema.get_all_operations():
        operation = result.ok()
        if not operation.path.startswith("/api/v1"):
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @settings(
                max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(case=operation.as_strategy(mode))
            def agrees(case: Any) -> None:
                case.call_and_validate(base_url=api.url, headers=headers, checks=CHECKS)

            with suppress(Unsatisfiable):  # an operation without parameters can't be broken
                agrees()
        tried.add(operation.definition.raw["operationId"])
    assert len(tried) == OPERATIONS

"""The OpenAPI document: what FastAPI derives, less what is not so, and the shapes of bodies that endpoints read themselves."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from pipeline.api.fundingscout.schemas import Accounts, Contacts, WebhookChange

READ_BY_ENDPOINTS = (Accounts, Contacts, WebhookChange)
TITLE = "FundingScout CRM Match API"
VERSION = "1"
DESCRIPTION = (
    "Push your CRM, be told when a company in it raises money, or fetch what matched. Every error has the body"
    ' `{"error": {"code", "message"}}`. Calls are counted per key and UTC day; `X-RateLimit-*` headers say what is left.'
)


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The document of ``app``. Made once, then kept by the app."""
    if app.openapi_schema is None:
        document = get_openapi(title=TITLE, version=VERSION, description=DESCRIPTION, routes=app.routes)
        _, described = models_json_schema(
            [(model, "validation") for model in READ_BY_ENDPOINTS], ref_template="#/components/schemas/{model}"
        )
        schemas = document["components"]["schemas"]
        schemas |= described["$defs"]
        # A request that can't be used is a 400 with our envelope; no endpoint answers 422.
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        app.openapi_schema = document
    return app.openapi_schema


def openapi_text(app: FastAPI) -> str:
    """The document as it is kept in docs/openapi: indented, one line feed at its end."""
    return json.dumps(openapi_of(app), ensure_ascii=False, indent=2) + "\n"

"""The OpenAPI documents: what FastAPI derives, less what is not so, and the shapes of bodies that endpoints read themselves.

There are two: the partners' and the operators'.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from pipeline.api.fundingscout.schemas import Accounts, Contacts, WebhookChange
from pipeline.api.operator.access import PREFIX as OPERATOR_PREFIX
from pipeline.api.operator.partner_schemas import PARTNER_BODIES
from pipeline.api.operator.schemas import TAKEN

READ_BY_ENDPOINTS = (Accounts, Contacts, WebhookChange)
TITLE = "FundingScout CRM Match API"
VERSION = "1"
DESCRIPTION = (
    "Push your CRM, be told when a company in it raises money, or fetch what matched. Every error has the body"
    ' `{"error": {"code", "message"}}`. Calls are counted per key and UTC day; `X-RateLimit-*` headers say what is left.'
)
OPERATOR_TITLE = "fundingscout for operators"
OPERATOR_DESCRIPTION = (
    "Organizations, their plans, keys, quotas and webhooks: what `fundingscout organizations`, `keys` and `webhooks` do; and"
    " referral partners: what `fundingscout startcap` does."
    " There is nothing here until `fundingscout operators create` made a token. Every change is noted in the audit log."
)


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The partners' document of ``app``. Made once, then kept by the app."""
    if app.openapi_schema is None:
        routes = [route for route in app.state.routes if not _is_operators(route)]
        app.openapi_schema = _document(TITLE, DESCRIPTION, routes, READ_BY_ENDPOINTS)
    return app.openapi_schema


def openapi_text(app: FastAPI) -> str:
    """The partners' document as it is kept in docs/openapi: indented, one line feed at its end."""
    return _text(openapi_of(app))


def operator_openapi_of(app: FastAPI) -> dict[str, Any]:
    """The operators' document of ``app``."""
    routes = [route for route in app.state.routes if _is_operators(route)]
    return _document(OPERATOR_TITLE, OPERATOR_DESCRIPTION, routes, (*TAKEN, *PARTNER_BODIES))


def operator_openapi_text(app: FastAPI) -> str:
    """The operators' document as it is kept in docs/openapi."""
    return _text(operator_openapi_of(app))


def _is_operators(route: BaseRoute) -> bool:
    return getattr(route, "path", "").startswith(OPERATOR_PREFIX)


def _document(title: str, text: str, routes: Sequence[BaseRoute], read: Sequence[type[BaseModel]]) -> dict[str, Any]:
    document = get_openapi(title=title, version=VERSION, description=text, routes=routes)
    _, described = models_json_schema([(model, "validation") for model in read], ref_template="#/components/schemas/{model}")
    schemas = document["components"]["schemas"]
    schemas |= described["$defs"]
    # A request that can't be used is a 400 with our envelope; no endpoint answers 422.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
    return document


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"

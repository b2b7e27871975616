"""The OpenAPI document of the FundingScout face. The operators' endpoints, on the same application, are not in it."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from pipeline.api.fundingscout.schemas import Accounts, Contacts, WebhookChange
from pipeline.api.openapi import document_of
from pipeline.api.operator.document import is_operators

READ_BY_ENDPOINTS = (Accounts, Contacts, WebhookChange)
TITLE = "FundingScout CRM Match API"
VERSION = "1"
DESCRIPTION = (
    "Push your CRM, be told when a company in it raises money, or fetch what matched. Every error has the body"
    ' `{"error": {"code", "message"}}`. Calls are counted per key and UTC day; `X-RateLimit-*` headers say what is left.'
)


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The partners' document of ``app``. Made once, then kept by the app."""
    if app.openapi_schema is None:
        routes = [route for route in app.state.routes if not is_operators(route)]
        app.openapi_schema = document_of(TITLE, VERSION, DESCRIPTION, routes, READ_BY_ENDPOINTS)
    return app.openapi_schema

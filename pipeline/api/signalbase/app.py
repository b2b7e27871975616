"""The Signalbase face as an application of its own under /api/v2: its envelope, its keys, its OpenAPI document."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from pipeline.api.context import Service
from pipeline.api.signalbase import data, deliveries, monitor_schemas, monitors, preview, targets, webhooks
from pipeline.api.signalbase.access import PREFIX
from pipeline.api.signalbase.answers import add_handlers
from pipeline.api.signalbase.schemas import NewWebhook, PreviewRequest, WebhookUpdate

ROUTERS = (preview.router, webhooks.router, deliveries.router, data.router, monitors.router, targets.router)
READ_BY_ENDPOINTS = (NewWebhook, WebhookUpdate, PreviewRequest, *monitor_schemas.READ_BY_ENDPOINTS)
TITLE = "Signalbase API"
VERSION = "2"
DESCRIPTION = (
    "Signals of funding rounds, acquisitions, job changes, hiring, new companies and new investors, pushed to your webhooks."
    ' Success: `{"success": true, "data", "pagination"?, "meta"}`; failure: `{"success": false, "error", "code"}`.'
    " 60 calls a minute per operation and team; `X-RateLimit-*` headers say what is left."
)


def build_signalbase(service: Service) -> FastAPI:
    """The face over ``service``, to be mounted at PREFIX."""
    app = FastAPI(docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.service = service
    app.state.routes = [route for router in ROUTERS for route in router.routes]
    add_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    app.openapi = partial(openapi_of, app)  # type: ignore[method-assign]
    return app


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The face's OpenAPI document. Made once, then kept by the app."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=TITLE, version=VERSION, description=DESCRIPTION, routes=app.routes, servers=[{"url": PREFIX}]
        )
        _, described = models_json_schema(
            [(model, "validation") for model in READ_BY_ENDPOINTS], ref_template="#/components/schemas/{model}"
        )
        schemas = document["components"]["schemas"]
        schemas |= described["$defs"]
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

"""The Signalbase face as an application of its own under /api/v2: its envelope, its keys, its OpenAPI document."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import FastAPI

from pipeline.api.context import Service
from pipeline.api.openapi import document_of
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
        app.openapi_schema = document_of(TITLE, VERSION, DESCRIPTION, app.routes, READ_BY_ENDPOINTS, PREFIX)
    return app.openapi_schema

"""The StartCap face as an application of its own under /app/partners/api/v1: its envelope, its keys, its OpenAPI document."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import FastAPI

from pipeline.api.context import Service
from pipeline.api.openapi import document_of
from pipeline.api.startcap import leads, referrals
from pipeline.api.startcap.access import PREFIX, note_call
from pipeline.api.startcap.answers import add_handlers
from pipeline.api.startcap.schemas import LeadToSubmit

ROUTERS = (leads.router, referrals.router)
READ_BY_ENDPOINTS = (LeadToSubmit,)
TITLE = "StartCap Partners API"
VERSION = "1.1.0"
DESCRIPTION = (
    'Submit leads, follow them, see what you earn. Every error has the body `{"error": "<message>"}`. 1,000 calls an hour and key;'
    " `X-RateLimit-*` headers say what is left."
)


def build_startcap(service: Service) -> FastAPI:
    """The face over ``service``, to be mounted at PREFIX."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.service = service
    app.state.routes = [route for router in ROUTERS for route in router.routes]
    add_handlers(app, note_call)
    for router in ROUTERS:
        app.include_router(router)
    app.openapi = partial(openapi_of, app)  # type: ignore[method-assign]
    return app


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The face's OpenAPI document. Made once, then kept by the app."""
    if app.openapi_schema is None:
        app.openapi_schema = document_of(TITLE, VERSION, DESCRIPTION, app.routes, READ_BY_ENDPOINTS, PREFIX)
    return app.openapi_schema

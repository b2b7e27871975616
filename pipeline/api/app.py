"""The HTTP service put together. It opens the app database alone, never the warehouse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from fastapi import FastAPI

from pipeline.api import health
from pipeline.api.context import Service
from pipeline.api.edge import Edge
from pipeline.api.errors import add_handlers
from pipeline.api.faces import Face
from pipeline.api.fundingscout import crm, matches, rounds, webhooks, whoami
from pipeline.api.fundingscout.document import openapi_of
from pipeline.api.fundingscout.tools import McpEndpoint
from pipeline.api.logs import set_up_logging
from pipeline.api.operator import document as operator_document
from pipeline.api.operator import keys as operator_keys
from pipeline.api.operator import organizations as operator_organizations
from pipeline.api.operator import partner_keys as operator_partner_keys
from pipeline.api.operator import partner_webhooks as operator_partner_webhooks
from pipeline.api.operator import partners as operator_partners
from pipeline.api.operator import startcap as operator_startcap
from pipeline.api.signalbase.access import PREFIX as SIGNALBASE_PREFIX
from pipeline.api.signalbase.answers import enveloped as signalbase_envelope
from pipeline.api.signalbase.app import build_signalbase
from pipeline.api.startcap.access import PREFIX as STARTCAP_PREFIX
from pipeline.api.startcap.answers import enveloped as startcap_envelope
from pipeline.api.startcap.app import build_startcap
from pipeline.api.startcap.clicks import router as startcap_clicks
from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase

ROUTERS = (
    health.router, crm.router, webhooks.router, matches.router, rounds.router, whoami.router,
    startcap_clicks, operator_organizations.router, operator_keys.router, operator_document.router,
    operator_partners.router, operator_partner_keys.router, operator_partner_webhooks.router, operator_startcap.router,
)  # fmt: skip
ENVELOPES = {SIGNALBASE_PREFIX: signalbase_envelope, STARTCAP_PREFIX: startcap_envelope}


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def build_app(database: AppDatabase, settings: Settings, now: Callable[[], datetime] = utc_now) -> FastAPI:
    """The service over ``database``, which is migrated already."""
    service = Service(database, settings, now)
    mcp = McpEndpoint(service)
    app = FastAPI(docs_url="/docs", redoc_url=None, redirect_slashes=False, lifespan=mcp.lifespan)
    app.state.service = service
    app.state.routes = [mcp.route(), *(route for router in ROUTERS for route in router.routes)]
    add_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    app.router.routes.append(app.state.routes[0])
    app.openapi = partial(openapi_of, app)  # type: ignore[method-assign]
    app.add_middleware(Face, prefix=SIGNALBASE_PREFIX, face=build_signalbase(service))
    app.mount(STARTCAP_PREFIX, build_startcap(service))
    app.add_middleware(Edge, service=service, envelopes=ENVELOPES)
    return app


def create_app() -> FastAPI:
    """The service that the environment describes: what each worker process calls."""
    settings = Settings()
    set_up_logging(settings.log_level)
    database = AppDatabase(settings.app_database_url)
    database.migrate()
    return build_app(database, settings)

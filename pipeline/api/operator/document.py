"""The operators' OpenAPI document, for those with a token: their endpoints are not in the partners' document."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.routing import BaseRoute

from pipeline.api.json_answers import JSON
from pipeline.api.openapi import document_of, text_of
from pipeline.api.operator.access import BY_OPERATOR, PREFIX
from pipeline.api.operator.partner_schemas import PARTNER_BODIES
from pipeline.api.operator.schemas import TAKEN

TITLE = "fundingscout for operators"
VERSION = "1"
DESCRIPTION = (
    "Organizations, their plans, keys, quotas and webhooks: what `fundingscout organizations`, `keys` and `webhooks` do; and"
    " referral partners: what `fundingscout startcap` does."
    " There is nothing here until `fundingscout operators create` made a token. Every change is noted in the audit log."
)

router = APIRouter(prefix=PREFIX, dependencies=[BY_OPERATOR])


@router.get("/openapi.json", include_in_schema=False)
async def document(request: Request) -> Response:
    """The document."""
    return Response(text_of(operator_openapi_of(request.app)), media_type=JSON)


def operator_openapi_of(app: FastAPI) -> dict[str, Any]:
    """The operators' document of ``app``."""
    routes = [route for route in app.state.routes if is_operators(route)]
    return document_of(TITLE, VERSION, DESCRIPTION, routes, (*TAKEN, *PARTNER_BODIES))


def is_operators(route: BaseRoute) -> bool:
    """Whether ``route`` is one of the operators'."""
    return getattr(route, "path", "").startswith(PREFIX)

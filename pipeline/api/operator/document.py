"""The operators' OpenAPI document, for those with a token: their endpoints are not in the partners' document."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from pipeline.api.json_answers import JSON
from pipeline.api.openapi import operator_openapi_text
from pipeline.api.operator.access import BY_OPERATOR, PREFIX

router = APIRouter(prefix=PREFIX, dependencies=[BY_OPERATOR])


@router.get("/openapi.json", include_in_schema=False)
async def document(request: Request) -> Response:
    """The document."""
    return Response(operator_openapi_text(request.app), media_type=JSON)

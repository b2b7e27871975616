"""POST /webhooks/preview: what a subscription would have been told. An addition of ours."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from pipeline.api.bodies import json_text
from pipeline.api.context import Service, service_of
from pipeline.api.signalbase.access import Caller, admit_for
from pipeline.api.signalbase.answers import success
from pipeline.api.signalbase.requests import preview_request, refused_as_bad_request
from pipeline.api.signalbase.schemas import Answer, PreviewAnswer, PreviewRequest, documented, request_body
from pipeline.subscriptions import preview as previews
from pipeline.subscriptions.filters import idle
from pipeline.subscriptions.webhooks import check_events, check_filters
from pipeline.webhooks.signalbase import milliseconds

router = APIRouter(tags=["Webhooks"])


@router.post(
    "/webhooks/preview",
    operation_id="preview_webhook",
    response_model=Answer[PreviewAnswer],
    responses=documented("How many signals, and the newest ten of them."),
    openapi_extra=request_body(PreviewRequest),
)
async def preview(request: Request, _caller: Caller = admit_for("webhooks.preview")) -> Response:
    """How many signals of the last 90 days these event types and filters would have let through. Nothing is stored. Free."""
    service = service_of(request)
    async with json_text(request) as text:
        return await service.run(_preview, service, text)


def _preview(service: Service, text: str) -> Response:
    given_events, given_filters = preview_request(text)
    events = refused_as_bad_request(check_events)(given_events)
    filters = refused_as_bad_request(check_filters)(given_filters)
    found = previews.preview(service.database, events, filters.filter, service.now())
    data = {
        "days": previews.DAYS,
        "scanned": found.scanned,
        "complete": found.is_complete,
        "matching": found.matching.total(),
        "matching_by_event_type": dict(found.matching),
        "examples": [
            {
                "signal_id": one.signal_id,
                "event_type": one.event_type,
                "occurred_at": milliseconds(one.occurred_at),
                "company_name": one.company_name,
                "country": one.country,
                "round_type": one.round_type,
                "amount": one.amount,
                "currency": one.currency,
            }
            for one in found.examples
        ],
    }
    return success("webhooks.preview", data, warnings=filters.warnings + idle(events, filters.filter))

"""POST and GET of the one webhook URL (FS-25 to FS-34, A-FS-5, A-FS-16)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from pipeline.api.bodies import json_text, parsed_json
from pipeline.api.context import Service, service_of
from pipeline.api.errors import ApiError
from pipeline.api.fundingscout.access import PREFIX, Caller, admit_for
from pipeline.api.fundingscout.schemas import WITH_BODY, Webhook, WebhookChange, documented, request_body
from pipeline.api.json_answers import json_answer
from pipeline.webhooks.endpoints import get_webhook, set_webhook
from pipeline.webhooks.urls import UrlRefused

SENT = {
    "set or replace": {"url": "https://yourapp.example.com/hooks/fundingscout"},
    "clear (null does the same)": {"url": ""},
}
BAD_URL = {"invalid_url": "A webhook URL must be HTTPS, not http://."}

router = APIRouter(prefix=PREFIX, tags=["Webhook"])


@router.post(
    "/webhooks",
    operation_id="set_webhook",
    response_model=Webhook,
    responses=documented("The URL in force from now on.", *WITH_BODY, bad=BAD_URL),
    openapi_extra=request_body(WebhookChange, SENT),
)
async def register(request: Request, caller: Caller = admit_for("webhook_settings")) -> Response:
    """Set or replace your one webhook URL; `null` or an empty text clears it (pull-only).

    The secret of the key that calls signs from now on. 400: `invalid_json`, `invalid_body` (no `url`, or no text),
    `invalid_url` (not HTTPS, a host that is local or private, …: the message names the rule; the old URL stays).
    """
    service = service_of(request)
    async with json_text(request) as text:
        return await service.run(_set, service, caller, text)


@router.get("/webhooks", operation_id="get_webhook", response_model=Webhook, responses=documented("The URL in force."))
async def read(request: Request, caller: Caller = admit_for("webhook_settings")) -> Response:
    """Your webhook URL, null in pull-only mode."""
    service = service_of(request)
    return json_answer({"webhook_url": await service.run(get_webhook, service.database, caller.organization_id)})


def _set(service: Service, caller: Caller, text: str) -> Response:
    networks = service.settings.webhook_allowed_networks
    try:
        url = set_webhook(service.database, caller.organization_id, _url(text), caller.key.id, service.now(), networks)
    except UrlRefused as error:
        raise ApiError(400, "invalid_url", f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
    return json_answer({"webhook_url": url})


def _url(text: str) -> str | None:
    body = parsed_json(text)
    if not isinstance(body, dict) or "url" not in body:
        raise ApiError(400, "invalid_body", 'The body must be an object with "url": {"url": "https://…"} or {"url": null}.')
    url = body["url"]
    if url is not None and not isinstance(url, str):
        raise ApiError(400, "invalid_body", "url must be a string or null.")
    return url

"""Partners' links (SC-62, SC-65, SC-67, A-SC-25): a visit becomes a click where it is one, and goes on to the landing page.

It is no part of the Partners API: whoever comes has no key and reads no JSON. The visit goes on whatever becomes of the click,
and only to the page that the partner's settings name.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import PlainTextResponse

from pipeline.api.context import Service, exchange_of, service_of
from pipeline.api.errors import log_failure
from pipeline.api.startcap.leads import box_of
from pipeline.api.startcap.pace import Pace
from pipeline.organizations.secrets import SecretBox
from pipeline.partners.accounts import Partner
from pipeline.partners.clicks import find_link, take_click
from pipeline.partners.landing import LINK_PREFIX, onward, utm_of
from pipeline.partners.visitors import not_a_click, subscriber, visitor_hash

MOST_A_MINUTE = 60  # visits of one address, IPv6: of one network
HEADERS = {"X-Robots-Tag": "noindex, nofollow"}
router = APIRouter()


@router.api_route(LINK_PREFIX + "/{code}", methods=["GET", "HEAD"], include_in_schema=False)
async def follow(request: Request, code: str) -> Response:
    """Note the click and send the visitor on (302)."""
    service = service_of(request)
    address = request.client.host if request.client else ""
    wait = _pace_of(request).seconds_to_wait(subscriber(address), service.now())
    if wait:
        service.metrics.clicks.labels("too_many").inc()
        return _text("Too many visits from your address; try again in a minute.", 429, {"Retry-After": str(wait)})
    partner = await service.run(find_link, service.database, code)
    if partner is None or partner.landing_url is None:
        return _text("This link leads nowhere.", 404)
    exchange_of(request).organization_id = partner.organization_id
    utm = utm_of(request.query_params.multi_items())
    try:
        click, outcome = await service.run(_note, service, box_of(request), partner, utm, address, request)
    except SQLAlchemyError as error:
        log_failure(error)  # the visitor goes on all the same
        click, outcome = None, "failed"
    service.metrics.clicks.labels(outcome).inc()
    return Response(None, 302, HEADERS | {"Location": onward(partner.landing_url, utm, click)})


def _note(
    service: Service, box: SecretBox, partner: Partner, utm: dict[str, str], address: str, request: Request
) -> tuple[str | None, str]:
    """(reference id of the click, what the visit was); None where it is no click."""
    reason = not_a_click(request.method, request.headers)
    if reason is not None:
        return None, reason
    visitor = visitor_hash(box, address, request.headers.get("user-agent", ""))
    taken = take_click(service.database, partner, utm, visitor, service.now())
    return taken.reference_id, "double" if taken.is_double else "taken"


def _pace_of(request: Request) -> Pace:
    """The service's count of visits, made with the first."""
    state = request.app.state
    if not hasattr(state, "click_pace"):
        state.click_pace = Pace(MOST_A_MINUTE)
    pace: Pace = state.click_pace
    return pace


def _text(text: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(text + "\n", status, HEADERS | (headers or {}))

"""Who calls, and may they: the key, then the hour's calls (SC-2 to SC-5, SC-12 to SC-16, A-SC-13 to A-SC-16).

A GET has its key in the header. A POST may have it in the body instead, which is then read first, within narrow bounds; the header
wins. A key in an address is never looked at: addresses are logged by whoever stands between.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader

from pipeline.api.bodies import body_text, parsed_json
from pipeline.api.context import Exchange, Service, exchange_of, service_of
from pipeline.api.startcap.answers import BAD_KEY, CONTENT_TYPE, NO_KEY, TOO_MANY, Failure
from pipeline.partners.accounts import Partner
from pipeline.partners.hours import CALLS_PER_HOUR, HourUsage, take_call, usage_now
from pipeline.partners.keys import FACE, find_key

PREFIX = "/app/partners/api/v1"  # SC-1
HEADER = "X-API-Key"
MOST_BODY_BYTES = 65_536
FORM = "application/x-www-form-urlencoded"
_KEY = APIKeyHeader(
    name=HEADER,
    auto_error=False,
    scheme_name="API key",
    description=f"`{HEADER}: {FACE.token_prefix}…`, or `api_key` in a body.",
)
Shown = Annotated[str | None, Security(_KEY)]


@dataclass(frozen=True, slots=True)
class Posted:
    """A POST that was read: who sent it, and the JSON object it holds, without its key."""

    partner: Partner
    body: dict[str, Any]


async def caller(request: Request, _shown: Shown = None) -> Partner:
    """A dependency of GET operations: the partner who calls, counted."""
    service = service_of(request)
    key = request.headers.get(HEADER, "").strip()
    return await service.run(admit, service, exchange_of(request), key, True)


async def counted_post(request: Request, _shown: Shown = None) -> Posted:
    """A dependency: the partner who posts, counted, with the body."""
    return await _post(request, is_counted=True)


async def free_post(request: Request, _shown: Shown = None) -> Posted:
    """A dependency: as counted_post, not counted (SC-15) and not logged (SC-39)."""
    exchange_of(request).is_logged = False
    return await _post(request, is_counted=False)


BY_PARTNER: Any = Depends(caller)
COUNTED: Any = Depends(counted_post)
FREE: Any = Depends(free_post)


def admit(service: Service, exchange: Exchange, key: str, is_counted: bool) -> Partner:
    """The active partner whose key it is, with the hour's figures in the answer's headers. Raises Failure."""
    if not key:
        raise Failure(401, NO_KEY)
    found = find_key(service.database, key) if key.startswith(FACE.token_prefix) else None
    if found is None or not found[1].is_active:
        raise Failure(401, BAD_KEY)
    known, partner = found
    exchange.organization_id, exchange.key_prefix = partner.organization_id, known.token_prefix
    look = take_call if is_counted else usage_now
    usage = look(service.database, known.id, service.now())
    exchange.headers |= rate_headers(usage)
    if usage.is_refused:
        service.metrics.quota_refusals.labels("startcap").inc()
        raise Failure(429, TOO_MANY)
    return partner


async def note_call(request: Request) -> None:
    """Count a call that no operation took, where its header has a key (A-SC-16). Raises Failure, but not for want of a key."""
    key = request.headers.get(HEADER, "").strip()
    try:
        if key:
            await service_of(request).run(admit, service_of(request), exchange_of(request), key, True)
    except Failure as failure:
        if failure.status != 401:
            raise


def rate_headers(usage: HourUsage) -> dict[str, str]:
    """The three headers of SC-13."""
    return {
        "X-RateLimit-Limit": str(CALLS_PER_HOUR),
        "X-RateLimit-Remaining": str(usage.remaining),
        "X-RateLimit-Reset": str(int(usage.resets_at.timestamp())),
    }


async def _post(request: Request, is_counted: bool) -> Posted:
    service, exchange = service_of(request), exchange_of(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    key = request.headers.get(HEADER, "").strip()
    partner = None
    if key:  # then the caller is known before the body is read
        partner = await service.run(admit, service, exchange, key, is_counted)
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Failure(400, "Send the body without Content-Encoding")
    async with body_text(request, MOST_BODY_BYTES) as text:
        if partner is None:
            partner = await service.run(admit, service, exchange, _key_in(text, kind), is_counted)
        if kind != "application/json":
            raise Failure(400, CONTENT_TYPE)
        body = parsed_json(text)
    if not isinstance(body, dict):
        raise Failure(400, "The request body must be a JSON object")
    return Posted(partner, {name: value for name, value in body.items() if name != "api_key"})


def _key_in(text: str, kind: str) -> str:
    """The key in a body: of a form, or of a JSON object; empty where there is none."""
    if kind == FORM:
        try:
            return parse_qs(text, max_num_fields=100).get("api_key", [""])[0].strip()
        except ValueError:
            return ""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    key = body.get("api_key") if isinstance(body, dict) else None
    return key.strip() if isinstance(key, str) else ""

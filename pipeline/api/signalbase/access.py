"""Who calls, and may they: key, subscription, the minute's calls, in this order (SB-2 to SB-4, SB-60, SB-61, A-SB-26, A-SB-37).

A refused call does no work: all of this comes before the body is read. Nothing is remembered between calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from pipeline.api.context import Exchange, Service, exchange_of, service_of
from pipeline.api.signalbase.answers import Failure
from pipeline.organizations.face_keys import KeyOfFace
from pipeline.subscriptions.rates import DEFAULT_PER_MINUTE, take_call
from pipeline.subscriptions.teams import FACE, TeamInfo, find_key

PREFIX = "/api/v2"  # SB-1
INVALID_KEY = "Invalid API key. No key found."
EXPIRED = "Subscription expired. Please upgrade your subscription."
TOO_MANY = "Too many requests. Please upgrade your plan or slow down."
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="signalbase"'}
_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="API key",
    description=f"`Authorization: Bearer {FACE.token_prefix}…`, from `fundingscout signalbase key`.",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose call it is."""

    key: KeyOfFace
    team: TeamInfo

    @property
    def team_id(self) -> str:
        """The organization that is the team."""
        return self.team.organization_id


def admitted(operation: str) -> Callable[..., Coroutine[Any, Any, Caller]]:
    """A dependency: the caller, once known, allowed, and counted for ``operation``."""

    async def admit(
        request: Request, _shown: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)] = None
    ) -> Caller:
        service = service_of(request)
        return await service.run(_admit, service, exchange_of(request), request.headers.get("authorization"), operation)

    return admit


def admit_for(operation: str) -> Any:
    """``admitted(operation)`` as a default argument of an endpoint."""
    return Depends(admitted(operation))


def _admit(service: Service, exchange: Exchange, authorization: str | None, operation: str) -> Caller:
    scheme, _, token = (authorization or "").strip().partition(" ")
    token = token.strip()
    is_ours = scheme.lower() == "bearer" and token.startswith(FACE.token_prefix)
    found = find_key(service.database, token) if is_ours else None
    if found is None:
        raise Failure(401, INVALID_KEY, CHALLENGE)
    caller = Caller(*found)
    exchange.organization_id, exchange.key_prefix = caller.team_id, caller.key.token_prefix
    if not caller.team.is_open:
        raise Failure(403, EXPIRED)
    now = service.now()
    usage = take_call(service.database, caller.team_id, operation, caller.team.calls_per_minute or DEFAULT_PER_MINUTE, now)
    exchange.headers |= {
        "X-RateLimit-Limit": str(usage.limit),
        "X-RateLimit-Remaining": str(usage.remaining),
        "X-RateLimit-Reset": str(int(usage.resets_at.timestamp())),
    }
    if usage.is_refused:
        seconds = max(1, math.ceil((usage.resets_at - now).total_seconds()))
        service.metrics.quota_refusals.labels(operation).inc()
        raise Failure(429, TOO_MANY, {"Retry-After": str(seconds)}, {"retryAfter": seconds})
    return caller

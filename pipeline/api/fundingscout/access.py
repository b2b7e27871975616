"""Who calls, and may they: bearer key, plan, the day's quota, in this order (FS-2, FS-6, FS-18, FS-19, A-FS-14, A-FS-17).

A refused call does no work: all of this comes before the body is read. Nothing is remembered between calls, so a key that
is revoked, a plan that changes and a quota that is lifted are in force with the next one (FSV-12).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.exc import SQLAlchemyError

from pipeline.api.context import Exchange, Service, exchange_of, service_of
from pipeline.api.errors import ApiError, database_error, log_failure
from pipeline.organizations.keys import KeyInfo, find_key
from pipeline.organizations.organizations import API_PLANS, find_organization
from pipeline.organizations.quotas import Usage, limit_of, take
from pipeline.organizations.secrets import TOKEN_PREFIX
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.organizations import Organization

PREFIX = "/api/v1"  # FS-1
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="fundingscout"'}
_BEARER = HTTPBearer(
    auto_error=False, scheme_name="API key", description="`Authorization: Bearer fs_live_…`, from `fundingscout keys create`."
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose call it is: the key, and the organization whose data the call is about."""

    key: KeyInfo
    organization_id: str
    organization_name: str
    plan: str


def identify(database: AppDatabase, authorization: str | None) -> Caller:
    """The caller behind an Authorization header's value. Raises ApiError: 401, 403, or 500 where nobody can be looked up.

    The token is looked up by its SHA-256: how long that takes tells nothing about tokens that exist.
    """
    token = _token(authorization)
    try:
        key = find_key(database, token)
    except SQLAlchemyError as error:
        log_failure(error)
        raise database_error("auth_lookup_failed") from None
    if key is None:
        raise ApiError(401, "invalid_or_revoked_key", "This API key is not recognized or has been revoked.", CHALLENGE)
    organization = _organization(database, key)
    if organization.plan not in API_PLANS:
        raise ApiError(
            403, "pro_required", f"The API comes with the Pro plan; {organization.name} is on the {organization.plan} plan."
        )
    return Caller(key, organization.id, organization.name, organization.plan)


def count_call(service: Service, caller: Caller, operation: str, now: datetime) -> Usage:
    """Count one call of ``operation``; the usage says whether it is refused."""
    usage = take(service.database, caller.key.id, operation, limit_of(caller.key.quotas, operation), now)
    service.metrics.count_call(usage)
    return usage


def seconds_until_reset(usage: Usage, now: datetime) -> int:
    """Whole seconds after which the day's count begins anew; at least 1."""
    return max(1, math.ceil((usage.resets_at - now).total_seconds()))


def admitted(operation: str) -> Callable[..., Coroutine[Any, Any, Caller]]:
    """A dependency: the caller, once known, allowed, and counted for ``operation``. Raises ApiError (429) over the quota."""

    async def admit(
        request: Request, _shown: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)] = None
    ) -> Caller:
        service = service_of(request)
        return await service.run(_admit, service, exchange_of(request), request.headers.get("authorization"), operation)

    return admit


def _admit(service: Service, exchange: Exchange, authorization: str | None, operation: str) -> Caller:
    caller = identify(service.database, authorization)
    exchange.organization_id, exchange.key_prefix = caller.organization_id, caller.key.token_prefix
    now = service.now()
    usage = count_call(service, caller, operation, now)
    seconds = seconds_until_reset(usage, now)
    exchange.headers |= _rate_headers(usage)
    if usage.is_refused:
        raise ApiError(
            429,
            "quota_exceeded",
            f"The daily quota of {usage.limit} calls of {operation} is used up. It starts anew at 00:00 UTC.",
            {"Retry-After": str(seconds)},
        )
    return caller


def _token(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise ApiError(
            401, "missing_authorization", "Send your API key in the header Authorization: Bearer fs_live_….", CHALLENGE
        )
    if not token.startswith(TOKEN_PREFIX):
        raise ApiError(401, "invalid_key_format", f"An API key starts with {TOKEN_PREFIX}.", CHALLENGE)
    return token


def _organization(database: AppDatabase, key: KeyInfo) -> Organization:
    try:
        organization = find_organization(database, key.organization_id)
    except SQLAlchemyError as error:
        log_failure(error)
        raise database_error("profile_lookup_failed") from None
    if organization is None:
        raise database_error("profile_lookup_failed")
    return organization


def _rate_headers(usage: Usage) -> dict[str, str]:
    reset = {"X-RateLimit-Reset": str(int(usage.resets_at.timestamp()))}
    if usage.limit is None:
        return {"X-RateLimit-Limit": "unlimited"} | reset
    return {"X-RateLimit-Limit": str(usage.limit), "X-RateLimit-Remaining": str(usage.remaining)} | reset


def admit_for(operation: str) -> Any:
    """``admitted(operation)`` as a default argument of an endpoint."""
    return Depends(admitted(operation))

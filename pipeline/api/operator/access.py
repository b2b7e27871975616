"""Who operates: an operator's token, before anything else is looked at; and a line in the audit log for whatever is changed.

Partners' keys open nothing here, and operators' tokens nothing of the partners'. As long as no operator has a token, all
addresses under /operator/v1 are as if they were not there.
"""

from __future__ import annotations

import logging
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from pipeline.api.context import Exchange, Service, exchange_of, service_of
from pipeline.api.errors import ApiError, nothing_at
from pipeline.organizations.operators import Operator, find_operator, has_operators
from pipeline.organizations.secrets import OPERATOR_PREFIX

PREFIX = "/operator/v1"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="fundingscout operators"'}
_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="Operator token",
    description=f"`Authorization: Bearer {OPERATOR_PREFIX}…`, from `fundingscout operators create`.",
)

audit_log = logging.getLogger("pipeline.api.operator.audit")


async def operator(
    request: Request, _shown: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)] = None
) -> Operator:
    """A dependency: the operator who calls. Raises ApiError: 401, or 404 while no operator has a token."""
    service = service_of(request)
    authorization = request.headers.get("authorization")
    return await service.run(_admit, service, exchange_of(request), authorization, request.url.path)


BY_OPERATOR: Any = Depends(operator)


def audit(request: Request, by: Operator, action: str, organization_id: str | None, **details: Any) -> None:
    """Note who changed what. ``details`` hold ids and settings, never a token or a secret. No organization: all are meant."""
    fields = {
        "operator_id": by.id,
        "operator": by.name,
        "action": action,
        "organization_id": organization_id,
        "request_id": exchange_of(request).request_id,
    }
    audit_log.info("operator action", extra={"fields": fields | details})


def _admit(service: Service, exchange: Exchange, authorization: str | None, path: str) -> Operator:
    scheme, _, token = (authorization or "").strip().partition(" ")
    token = token.strip()
    found = find_operator(service.database, token) if scheme.lower() == "bearer" else None
    if found is not None:
        exchange.key_prefix = found.token_prefix
        return found
    if not has_operators(service.database):
        raise nothing_at(path)
    if scheme.lower() != "bearer" or not token:
        raise ApiError(
            401,
            "missing_authorization",
            f"Send an operator's token in the header Authorization: Bearer {OPERATOR_PREFIX}….",
            CHALLENGE,
        )
    raise ApiError(401, "invalid_or_revoked_token", "This operator token is not recognized or has been revoked.", CHALLENGE)

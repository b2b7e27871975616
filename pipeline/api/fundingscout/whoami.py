"""GET of the caller's own key: plan, prefix, what is left of today's quotas."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from pipeline.api.context import Service, service_of
from pipeline.api.fundingscout.access import PREFIX, Caller, admit_for
from pipeline.api.fundingscout.schemas import WhoAmI, documented
from pipeline.api.json_answers import json_answer
from pipeline.api.times import seconds_text
from pipeline.organizations.quotas import next_midnight, usage_today

router = APIRouter(prefix=PREFIX, tags=["Key"])


@router.get("/whoami", operation_id="whoami", response_model=WhoAmI, responses=documented("This key."))
async def whoami(request: Request, caller: Caller = admit_for("whoami")) -> Response:
    """Whose key this is, its plan, and today's quotas by operation."""
    service = service_of(request)
    return json_answer(await service.run(state_of, service, caller))


def state_of(service: Service, caller: Caller) -> dict[str, Any]:
    """The caller, as told to itself."""
    now = service.now()
    usages = usage_today(service.database, caller.key.id, caller.key.quotas, now)
    return {
        "organization": caller.organization_name,
        "plan": caller.plan,
        "key_prefix": caller.key.token_prefix,
        "quotas": {
            usage.operation: {"limit": usage.limit, "used": usage.used, "remaining": usage.remaining} for usage in usages
        },
        "quotas_reset_at": seconds_text(next_midnight(now)),
    }

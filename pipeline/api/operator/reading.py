"""What the operators' endpoints share: bodies into models, errors of the domain into answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from fastapi import Request
from pydantic import ValidationError

from pipeline.api.bodies import invalid_json, json_text
from pipeline.api.context import Service
from pipeline.api.errors import ApiError, invalid_param, not_found
from pipeline.api.operator.schemas import Taken
from pipeline.matching.tiers import BadThresholds
from pipeline.organizations.face_keys import FaceKeyUnknown
from pipeline.organizations.keys import KeyUnknown
from pipeline.organizations.organizations import OrganizationExists, OrganizationUnknown
from pipeline.organizations.quotas import OperationUnknown
from pipeline.partners.accounts import PartnerInvalid, PartnerUnknown
from pipeline.partners.landing import LandingRefused
from pipeline.partners.snapshot_file import SnapshotInvalid
from pipeline.partners.webhooks import PartnerWebhookRefused, PartnerWebhookUnknown
from pipeline.webhooks.urls import UrlRefused

P = ParamSpec("P")
T = TypeVar("T")
Model = TypeVar("Model", bound=Taken)


async def body_of(request: Request, model: type[Model]) -> Model:
    """The body as ``model``. Raises ApiError: 400 ``invalid_json`` or ``invalid_body``, and as json_text."""
    async with json_text(request) as text:
        try:
            return model.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            if first["type"] == "json_invalid":
                raise invalid_json(first["msg"].removeprefix("Invalid JSON: ")) from None
            field = ".".join(str(part) for part in first["loc"]) or "the body"
            raise ApiError(400, "invalid_body", f"{field}: {first['msg']}.") from None


async def work(service: Service, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do the domain's work in a thread. Raises ApiError for what the domain says can't be done."""
    try:
        return await service.run(act, *args, **kwargs)
    except OrganizationUnknown:
        raise not_found("organization") from None
    except KeyUnknown:
        raise not_found("key of this organization, or it is revoked") from None
    except OrganizationExists as error:
        raise ApiError(409, "organization_exists", _sentence(error)) from None
    except OperationUnknown as error:
        raise invalid_param("operation", f"is none: {error}.") from None
    except UrlRefused as error:
        raise ApiError(400, "invalid_url", _sentence(error)) from None
    except PartnerUnknown:
        raise not_found("referral partner") from None
    except FaceKeyUnknown:
        raise not_found("key of this partner") from None
    except PartnerWebhookUnknown:
        raise not_found("webhook of this partner, or it is deleted") from None
    except (BadThresholds, PartnerInvalid, PartnerWebhookRefused, LandingRefused, SnapshotInvalid) as error:
        raise ApiError(400, "invalid_body", _sentence(error)) from None


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."

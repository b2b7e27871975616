"""Reading requests' bodies: snake_case is canonical, camelCase is read too, and never a filter's key (SB-5, A-SB-32)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pipeline.api.bodies import parsed_json
from pipeline.api.signalbase.answers import bad_request
from pipeline.subscriptions.webhooks import Change, WebhookRefused, check_filters

T = TypeVar("T")
_ABSENT = object()
_CAMEL = {"endpoint_url": "endpointUrl", "event_types": "eventTypes", "rotate_secret": "rotateSecret"}


def object_of(text: str) -> dict[str, Any]:
    """The JSON object in ``text``. Raises Failure (400)."""
    body = parsed_json(text)
    if not isinstance(body, dict):
        raise bad_request("the request body must be a JSON object")
    return body


def new_webhook(text: str) -> tuple[str, list[str], Any]:
    """(endpoint_url, event_types, filters as given). Raises Failure (400)."""
    body = object_of(text)
    for name in ("endpoint_url", "event_types"):
        if _given(body, name) is _ABSENT:
            raise bad_request(f"{name} is required")
    return _text(body, "endpoint_url"), _events(body), body.get("filters")


def preview_request(text: str) -> tuple[list[str], Any]:
    """(event_types, filters as given). Raises Failure (400)."""
    body = object_of(text)
    if _given(body, "event_types") is _ABSENT:
        raise bad_request("event_types is required")
    return _events(body), body.get("filters")


def webhook_update(text: str) -> tuple[Change, tuple[str, ...]]:
    """What is to change, and warnings about filters. Raises Failure (400)."""
    body = object_of(text)
    filters = None
    if "filters" in body:
        if body["filters"] is None:
            raise bad_request("filters must be an object; {} removes all filters")
        filters = refused_as_bad_request(check_filters)(body["filters"])
    change = Change(
        endpoint_url=None if _given(body, "endpoint_url") is _ABSENT else _text(body, "endpoint_url"),
        event_types=None if _given(body, "event_types") is _ABSENT else _events(body),
        filters=filters,
        is_active=_flag(body, "active"),
        rotates_secret=bool(_flag(body, "rotate_secret")),
    )
    return change, filters.warnings if filters else ()


def refused_as_bad_request(work: Callable[..., T]) -> Callable[..., T]:
    """``work``, whose WebhookRefused becomes a 400."""

    def done(*args: Any, **kwargs: Any) -> T:
        try:
            return work(*args, **kwargs)
        except WebhookRefused as error:
            raise bad_request(str(error)) from None

    return done


def _given(body: dict[str, Any], name: str) -> Any:
    if name in body:
        return body[name]
    return body.get(_CAMEL.get(name, name), _ABSENT)


def _text(body: dict[str, Any], name: str) -> str:
    value = _given(body, name)
    if not isinstance(value, str) or not value.strip():
        raise bad_request(f"{name} must be a non-empty string")
    return value


def _events(body: dict[str, Any]) -> list[str]:
    value = _given(body, "event_types")
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise bad_request("event_types must be a list of strings")
    return value


def _flag(body: dict[str, Any], name: str) -> bool | None:
    value = _given(body, name)
    if value is _ABSENT:
        return None
    if not isinstance(value, bool):
        raise bad_request(f"{name} must be true or false")
    return value

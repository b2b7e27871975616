"""Reading requests' bodies: snake_case is canonical, camelCase is read too, and never a filter's key (SB-5, A-SB-32)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pipeline.api.bodies import parsed_json
from pipeline.api.signalbase.answers import bad_request
from pipeline.crm.rows import text_problem
from pipeline.subscriptions.monitors import MonitorChange, MonitorRefused
from pipeline.subscriptions.targets import MOST_AT_ONCE, MOST_CHARACTERS
from pipeline.subscriptions.webhooks import Change, WebhookRefused, check_filters

T = TypeVar("T")
_ABSENT = object()
_CAMEL = {
    "endpoint_url": "endpointUrl", "event_types": "eventTypes", "rotate_secret": "rotateSecret", "signal_types": "signalTypes",
    "webhook_url": "webhookUrl",
}  # fmt: skip


def object_of(text: str) -> dict[str, Any]:
    """The JSON object in ``text``. Raises Failure (400)."""
    body = parsed_json(text)
    if not isinstance(body, dict):
        raise bad_request("the request body must be a JSON object")
    if "\\u" in text:  # the one way in which JSON says a NUL or half a character
        _check_texts(body)
    return body


def _check_texts(value: Any) -> None:
    """Refuse text that no store takes, wherever it stands. Raises Failure (400)."""
    if isinstance(value, str):
        if problem := text_problem(value):
            raise bad_request(f"text in the request body {problem}")
    elif isinstance(value, list):
        for item in value:
            _check_texts(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_texts(name)
            _check_texts(item)


def new_webhook(text: str) -> tuple[str, list[str], Any]:
    """(endpoint_url, event_types, filters as given). Raises Failure (400)."""
    body = object_of(text)
    for name in ("endpoint_url", "event_types"):
        if _given(body, name) is _ABSENT:
            raise bad_request(f"{name} is required")
    return _text(body, "endpoint_url"), _texts(body, "event_types"), body.get("filters")


def preview_request(text: str) -> tuple[list[str], Any]:
    """(event_types, filters as given). Raises Failure (400)."""
    body = object_of(text)
    if _given(body, "event_types") is _ABSENT:
        raise bad_request("event_types is required")
    return _texts(body, "event_types"), body.get("filters")


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
        event_types=None if _given(body, "event_types") is _ABSENT else _texts(body, "event_types"),
        filters=filters,
        is_active=_flag(body, "active"),
        rotates_secret=bool(_flag(body, "rotate_secret")),
    )
    return change, filters.warnings if filters else ()


def new_monitor(text: str) -> tuple[str, list[str], str | None]:
    """(name, signal_types, webhook_url). Raises Failure (400)."""
    body = object_of(text)
    for name in ("name", "signal_types"):
        if _given(body, name) is _ABSENT:
            raise bad_request(f"{name} is required")
    url = None if _given(body, "webhook_url") in (_ABSENT, None) else _text(body, "webhook_url")
    return _text(body, "name"), _texts(body, "signal_types"), url


def monitor_update(text: str) -> MonitorChange:
    """What is to change. Raises Failure (400)."""
    body = object_of(text)
    given = {name: _given(body, name) for name in ("name", "signal_types", "webhook_url", "active")}
    if all(value is _ABSENT for value in given.values()):
        raise bad_request(f"send at least one of {', '.join(given)}")
    has_url = given["webhook_url"] not in (_ABSENT, None)
    return MonitorChange(
        name=None if given["name"] is _ABSENT else _text(body, "name"),
        signal_types=None if given["signal_types"] is _ABSENT else _texts(body, "signal_types"),
        webhook_url=_text(body, "webhook_url") if has_url else None,
        detaches=given["webhook_url"] is None,
        is_active=_flag(body, "active"),
    )


def targets_to_add(text: str) -> list[str]:
    """The texts that name targets. Raises Failure (400)."""
    return _named(object_of(text), "targets")


def targets_to_remove(text: str) -> tuple[list[str], list[str]]:
    """(ids, texts that name targets). Raises Failure (400)."""
    body = object_of(text)
    if "ids" not in body and "targets" not in body:
        raise bad_request("send ids, targets, or both")
    return tuple(_named(body, name) if name in body else [] for name in ("ids", "targets"))  # type: ignore[return-value]


def refused_as_bad_request(work: Callable[..., T]) -> Callable[..., T]:
    """``work``, whose WebhookRefused or MonitorRefused becomes a 400."""

    def done(*args: Any, **kwargs: Any) -> T:
        try:
            return work(*args, **kwargs)
        except (WebhookRefused, MonitorRefused) as error:
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


def _texts(body: dict[str, Any], name: str) -> list[str]:
    value = _given(body, name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise bad_request(f"{name} must be a list of strings")
    return value


def _named(body: dict[str, Any], name: str) -> list[str]:
    values = _texts(body, name)
    if not 1 <= len(values) <= MOST_AT_ONCE:
        raise bad_request(f"{name} must have 1 to {MOST_AT_ONCE} entries, not {len(values):,}")
    if any(not 1 <= len(value) <= MOST_CHARACTERS for value in values):
        raise bad_request(f"each of {name} must have 1 to {MOST_CHARACTERS} characters")
    return values


def _flag(body: dict[str, Any], name: str) -> bool | None:
    value = _given(body, name)
    if value is _ABSENT:
        return None
    if not isinstance(value, bool):
        raise bad_request(f"{name} must be true or false")
    return value

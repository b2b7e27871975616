"""What a CRM row is: from what a partner sent to a valid account or contact, or the reasons why it is none.

What belongs here: fields, limits, texts of the reasons (FSV-3). What does not: where rows come from (files, the API) and
where they go (upsert). Metadata is opaque (FS-15): its exact text is kept (A-FS-3) and only checked to be an object.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from typing import Any

# Limits of ours; the pages state none. Generous for CRMs, small enough that a batch of 1,000 rows stays a few megabytes.
LONGEST = {
    "external_id": 255,
    "name": 1_000,
    "domain": 2_048,
    "email": 320,  # RFC 3696: 64 for the local part, 255 for the domain, and the sign between
    "first_name": 255,
    "last_name": 255,
    "account_external_id": 255,
}
LONGEST_METADATA = 65_536  # characters of its JSON text
ACCOUNT_FIELDS = ("external_id", "name", "domain")
CONTACT_FIELDS = ("external_id", "email", "first_name", "last_name", "account_external_id")

NO_EXTERNAL_ID = "external_id is required and must be a non-empty string"
NO_NAME = "name is required and must be a non-empty string"
NO_OBJECT = "metadata must be a JSON object"


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A company as a partner sent it. ``metadata_json`` is the exact text of a JSON object, or None."""

    external_id: str
    name: str
    domain: str | None = None
    metadata_json: str | None = None

    @property
    def content_hash(self) -> str:
        """Equal for equal content: 32 hexadecimal digits. Computed anew each time it is asked for."""
        return _hash('"account"', self.name, self.domain, self.metadata_json)


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A person as a partner sent it, perhaps linked to an account (which need not exist)."""

    external_id: str
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    account_external_id: str | None = None
    metadata_json: str | None = None

    @property
    def content_hash(self) -> str:
        """Equal for equal content: 32 hexadecimal digits. Computed anew each time it is asked for."""
        return _hash('"contact"', self.email, self.first_name, self.last_name, self.account_external_id, self.metadata_json)


Row = AccountRow | ContactRow


def parse_account(raw: object, metadata_text: str | None = None) -> AccountRow | list[str]:
    """The account in ``raw``, or the reasons why there is none, in the order of the fields (FSV-3, FSV-4).

    ``raw`` is a mapping with external_id, name, domain, metadata; unknown keys are ignored. Metadata may be a mapping or the
    text of a JSON object; ``metadata_text`` gives the text as it was sent, where the caller has it, and is kept as it is.
    """
    if not isinstance(raw, Mapping):
        return ["row must be a JSON object"]
    reasons: list[str] = []
    values = {
        "external_id": _required(raw, "external_id", NO_EXTERNAL_ID, reasons),
        "name": _required(raw, "name", NO_NAME, reasons),
        "domain": _optional(raw, "domain", reasons),
    }
    metadata = _metadata(raw.get("metadata"), metadata_text, reasons)
    return reasons or AccountRow(str(values["external_id"]), str(values["name"]), values["domain"], metadata)


def parse_contact(raw: object, metadata_text: str | None = None) -> ContactRow | list[str]:
    """As parse_account, for external_id, email, first_name, last_name, account_external_id, metadata (FSV-5)."""
    if not isinstance(raw, Mapping):
        return ["row must be a JSON object"]
    reasons: list[str] = []
    external_id = _required(raw, "external_id", NO_EXTERNAL_ID, reasons)
    values = {name: _optional(raw, name, reasons) for name in CONTACT_FIELDS[1:]}
    metadata = _metadata(raw.get("metadata"), metadata_text, reasons)
    return reasons or ContactRow(str(external_id), metadata_json=metadata, **values)


PARSERS: dict[str, Callable[..., Row | list[str]]] = {"account": parse_account, "contact": parse_contact}


def text_problem(text: str) -> str | None:
    """Why a text can't be stored: PostgreSQL takes no NUL, UTF-8 no lone surrogates. None when it can."""
    if "\0" in text:
        return "must not contain the NUL character"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "must be valid Unicode (it holds a lone surrogate)"
    return None


def _required(raw: Mapping[str, Any], name: str, missing: str, reasons: list[str]) -> str | None:
    value = raw.get(name)
    if not isinstance(value, str) or not value.strip():
        reasons.append(missing)
        return None
    return _checked(name, value, reasons)


def _optional(raw: Mapping[str, Any], name: str, reasons: list[str]) -> str | None:
    value = raw.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        reasons.append(f"{name} must be a string or null")
        return None
    return _checked(name, value, reasons) if value.strip() else None


def _checked(name: str, value: str, reasons: list[str]) -> str | None:
    if len(value) > LONGEST[name]:
        reasons.append(f"{name} must have at most {LONGEST[name]} characters (it has {len(value)})")
        return None
    problem = text_problem(value)
    if problem:
        reasons.append(f"{name} {problem}")
        return None
    return value


def _metadata(value: object, text: str | None, reasons: list[str]) -> str | None:
    if value is None and text is None:
        return None
    text = text if text is not None else _as_text(value)
    if text is None or not _is_object(text):
        reasons.append(NO_OBJECT)
        return None
    if len(text) > LONGEST_METADATA:
        reasons.append(f"metadata must have at most {LONGEST_METADATA} characters (it has {len(text)})")
        return None
    # Escaped NULs and surrogates are six harmless characters of the text; they come back as they came.
    problem = text_problem(text)
    if problem:
        reasons.append(f"metadata {problem}")
        return None
    return text


def _as_text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        return None
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None


def _is_object(text: str) -> bool:
    if not text.lstrip(" \t\r\n").startswith("{"):
        return False
    try:
        # Numbers stay text: a number of 5,000 digits is valid JSON and none of our business.
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _hash(kind: str, *values: str | None) -> str:
    # The text of a JSON array, as json.dumps writes it: keeps the fields apart and None from ''. Hashes of this text are
    # stored with every row, so it must stay what it is.
    texts = [kind, *["null" if value is None else encode_basestring_ascii(value) for value in values]]
    return hashlib.sha256(f"[{', '.join(texts)}]".encode()).hexdigest()[:32]

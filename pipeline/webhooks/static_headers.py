"""Custom static headers of one webhook: what a partner's gateway wants to see on every delivery. Encrypted at rest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Protocol

from pipeline.organizations.secrets import SecretBox

MAX_HEADERS = 20
MAX_VALUE_CHARACTERS = 4_096
# Shorter values are no secrets, and would be found in anything.
SHORTEST_SECRET = 6
REDACTED = "[redacted]"
# RFC 9110, 5.6.2 and 5.5: a token; visible ASCII with blanks inside.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", re.ASCII)
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?", re.ASCII)
# Ours, the connection's, and those that would change what the request is.
_TAKEN = frozenset({
    "accept", "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "date", "expect", "host",
    "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via",
})  # fmt: skip
_TAKEN_PREFIXES = ("webhook-", "x-webhook-", "x-fundingscout-", "proxy-")


class Opens(Protocol):
    """Makes a secret readable again."""

    def decrypt(self, encrypted: bytes) -> str:
        """The secret. Raises SecretUnreadable."""


class HeaderRefused(ValueError):
    """A header that can't be added to deliveries."""


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """``headers``, if they may be sent: none of ours, no control characters. Raises HeaderRefused, which never shows a value."""
    if len(headers) > MAX_HEADERS:
        raise HeaderRefused(f"a webhook has at most {MAX_HEADERS} custom headers, not {len(headers)}")
    seen: set[str] = set()
    for name, value in headers.items():
        lower = name.lower()
        if not _NAME.fullmatch(name):
            raise HeaderRefused(f"{name[:100]!r} is no header name")
        if lower in _TAKEN or lower.startswith(_TAKEN_PREFIXES):
            raise HeaderRefused(f"the header {name} is set by fundingscout and can't be replaced")
        if lower in seen:
            raise HeaderRefused(f"the header {name} is given twice")
        if len(value) > MAX_VALUE_CHARACTERS or not _VALUE.fullmatch(value):
            raise HeaderRefused(
                f"the value of {name} is not 1 to {MAX_VALUE_CHARACTERS} visible ASCII characters (blanks only inside)"
            )
        seen.add(lower)
    return dict(headers)


def seal(box: SecretBox, headers: Mapping[str, str]) -> bytes | None:
    """``headers`` encrypted, None for none. Raises HeaderRefused."""
    checked = check_headers(headers)
    return box.encrypt(json.dumps(checked, sort_keys=True)) if checked else None


def unseal(box: Opens, encrypted: bytes | None) -> dict[str, str]:
    """The headers again. Raises SecretUnreadable, and HeaderRefused for what no longer may be sent."""
    return check_headers(json.loads(box.decrypt(encrypted))) if encrypted else {}


def redact(text: str, headers: Mapping[str, str], is_cut: bool = False) -> str:
    """``text`` that a receiver sent, without the values of ``headers``: many an answer repeats what it was asked with.

    The credential of a value with a scheme (``Bearer …``) goes by itself, too. ``is_cut``: the text was longer, so that it
    may end within a value.
    """
    secrets = {part for value in headers.values() for part in (value, value.rpartition(" ")[2]) if len(part) >= SHORTEST_SECRET}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
        if is_cut:
            begun = next((size for size in range(min(len(secret) - 1, len(text)), 3, -1) if text.endswith(secret[:size])), 0)
            text = text[: len(text) - begun] + REDACTED if begun else text
    return text

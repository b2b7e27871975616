"""Signing a body: one HMAC core, the forms of two conventions (FS-38 to FS-40, A-X-1).

FundingScout: the key is the UTF-8 text of the whole secret as shown, ``fs_whsec_`` included; the message is the body.

Standard Webhooks 1.0: the key is the 24 bytes that the 32 base64url characters after ``fs_whsec_`` stand for; the
message is ``id.timestamp.body``. A receiver gives its library the secret without ``fs_``:
``Webhook("whsec_…")``. The libraries read plain base64; secrets made here have neither ``-`` nor ``_`` and mean the same.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence

from pipeline.organizations.secrets import SECRET_PREFIX

STANDARD_VERSION = "v1"


def hmac_hex(secret: str, body: bytes) -> str:
    """Lower-case hex of HMAC-SHA256 over ``body``, keyed with the whole secret's UTF-8 bytes."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


def fundingscout_signature(secret: str, body: bytes) -> str:
    """The value of ``X-FundingScout-Signature``."""
    return f"sha256={hmac_hex(secret, body)}"


def standard_key(secret: str) -> bytes:
    """The Standard Webhooks key of ``secret``. Raises ValueError where the part after the prefix is not base64url."""
    text = secret.removeprefix(SECRET_PREFIX)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("the webhook secret is not base64url after its prefix") from None


def standard_headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks; one signature per secret (several while a rotation overlaps).

    ``timestamp``: Unix seconds of this attempt. ``message_id`` stays the same across attempts.
    """
    content = f"{message_id}.{timestamp}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(standard_key(secret), content, "sha256")).decode() for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"{STANDARD_VERSION},{signature}" for signature in signatures),
    }

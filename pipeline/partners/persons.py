"""What was told about a person, unreadable at rest: one encrypted JSON object per referral."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pipeline.organizations.secrets import SecretBox
from pipeline.partners.validation import ADDRESS_LABELS

PERSONAL = ("first_name", "last_name", "date_of_birth", "email", "phone", "company_name", *ADDRESS_LABELS, "notes")


def seal(box: SecretBox, lead: Mapping[str, str]) -> bytes:
    """The personal fields of ``lead``, encrypted."""
    return box.encrypt(json.dumps({name: lead[name] for name in PERSONAL if name in lead}, ensure_ascii=False))


def unseal(box: SecretBox, encrypted: bytes | None) -> dict[str, str]:
    """The fields again; none for a click and for a person who was erased. Raises SecretUnreadable."""
    if encrypted is None:
        return {}
    fields: dict[str, str] = json.loads(box.decrypt(encrypted))
    return fields

"""The FundingScout delivery profile (FS-35 to FS-55, A-FS-2, A-FS-4).

Strict: https only, one send per organization and round, never a second one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

from pipeline.matching.model import MatchType
from pipeline.webhooks.canonical import RawJson, canonical_part, canonical_text, canonical_word
from pipeline.webhooks.profiles import CrmMetadata, Event, Profile
from pipeline.webhooks.signing import fundingscout_signature, standard_headers

log = logging.getLogger(__name__)

PROFILE_NAME = "fundingscout"
EVENT_TYPE = "funding_match"
TEST_EVENT_TYPE = "test"
USER_AGENT = "FundingScout-Webhook/1.0"

# FS-48: always present, null when unknown.
ROUND_KEYS = (
    "id", "company_name", "amount_usd", "funding_type", "website", "article_url", "article_title", "published_date",
    "ceo_name", "ceo_email", "ceo_linkedin_url", "industry", "location", "location_country", "lead_investor", "investors",
    "confidence_score",
)  # fmt: skip


def fundingscout_profile(all_matches: bool = True) -> Profile:
    """The profile; ``all_matches=False`` leaves out the one key that the source pages don't have."""
    return Profile(
        name=PROFILE_NAME,
        event_type=EVENT_TYPE,
        url_schemes=("https",),
        allows_second_send=False,
        body=partial(_body, with_all_matches=all_matches),
        headers=_headers,
        test_body=_test_body,
    )


def funding_round(body: dict[str, Any]) -> dict[str, Any]:
    """The 17 keys of FS-48 from a stored round, null (for investors: empty) where it lacks one."""
    shown = {key: body.get(key) for key in ROUND_KEYS}
    shown["investors"] = list(shown["investors"] or [])
    return shown


def matched(
    match_type: str, account_external_id: str | None, contact_external_id: str | None, metadata: CrmMetadata
) -> dict[str, Any]:
    """FS-45 to FS-47: four keys, always. The contact is named only where its e-mail made the match (FS-46)."""
    contact = contact_external_id if match_type == MatchType.EMAIL_DOMAIN else None
    return {
        "account_external_id": account_external_id,
        "contact_external_id": contact,
        "account_metadata": _raw(metadata.accounts.get(account_external_id or ""), account_external_id),
        "contact_metadata": _raw(metadata.contacts.get(contact or ""), contact),
    }


def _body(event: Event, with_all_matches: bool) -> str:
    """Its keys written in their order: what canonical_text would say of them, in a fifth of the time."""
    told = ""
    if with_all_matches:
        rows = [
            _matched_text(row["match_type"], row.get("account_external_id"), row.get("contact_external_id"), event.metadata)
            for row in event.all_matches
        ]
        told = f'"all_matches":[{",".join(rows)}],'
    of_match = _matched_text(
        event.match_type, event.account_external_id, event.contact_external_id, event.metadata, is_named=False
    )
    return (
        f'{{{told}"event":"{EVENT_TYPE}","funding_round":{_round_text(event)},"match_id":{canonical_word(event.match_id)},'
        f'"match_type":{canonical_word(event.match_type)},"matched":{of_match},'
        f'"timestamp":"{_seconds(event.occurred_at)}"}}'
    )


def _round_text(event: Event) -> str:
    """The round as text, written once for all who are told of it as it is."""
    text = event.written.get(PROFILE_NAME)
    if text is None:
        text = event.written[PROFILE_NAME] = canonical_part(funding_round(event.round))
    return text.text


def _matched_text(
    match_type: str,
    account_external_id: str | None,
    contact_external_id: str | None,
    metadata: CrmMetadata,
    is_named: bool = True,
) -> str:
    """What ``matched`` says, as text; ``is_named``: with its match type, as in ``all_matches``."""
    shown = matched(match_type, account_external_id, contact_external_id, metadata)
    named = f',"match_type":{canonical_word(match_type)}' if is_named else ""
    return (
        f'{{"account_external_id":{canonical_word(shown["account_external_id"])},'
        f'"account_metadata":{_raw_text(shown["account_metadata"])},'
        f'"contact_external_id":{canonical_word(shown["contact_external_id"])},'
        f'"contact_metadata":{_raw_text(shown["contact_metadata"])}{named}}}'
    )


def _raw_text(raw: RawJson | None) -> str:
    return "null" if raw is None else raw.text


def _test_body(message_id: str, now: datetime) -> str:
    """The keys of a match, all of them empty, so that a receiver's types hold; ``event`` says that it is none."""
    return canonical_text(
        {
            "event": TEST_EVENT_TYPE,
            "match_id": message_id,
            "match_type": None,
            "matched": matched("", None, None, CrmMetadata()),
            "funding_round": funding_round({}),
            "timestamp": _seconds(now),
        }
    )


def _headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-FundingScout-Signature": fundingscout_signature(secrets[0], body),
    } | standard_headers(secrets, message_id, timestamp, body)


def _raw(text: str | None, external_id: str | None) -> RawJson | None:
    if text is None:
        return None
    try:
        return RawJson(text)
    except ValueError as error:
        # Imports check metadata; should a row have got in otherwise, its match is still told.
        log.error("metadata of CRM row %r is left out of a delivery: not JSON (%s)", external_id, type(error).__name__)
        return None


@lru_cache(maxsize=16)  # all bodies of one visit say the same
def _seconds(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

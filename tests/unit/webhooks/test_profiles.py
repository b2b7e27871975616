"""Three faces over one core: what they have in common and where they differ (A-X-1 to A-X-10)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipeline.settings import Settings
from pipeline.subscriptions.payloads import round_block
from pipeline.subscriptions.round_names import face_round_type
from pipeline.webhooks.canonical import canonical_text
from pipeline.webhooks.fundingscout import funding_round, fundingscout_profile
from pipeline.webhooks.profiles import Profile
from pipeline.webhooks.signalbase import signalbase_profile
from pipeline.webhooks.signing import hmac_hex
from pipeline.webhooks.startcap import startcap_profile
from pipeline.webhooks.urls import UrlRefused, check_url

FUNDINGSCOUT, *_ = FACES = (fundingscout_profile(), signalbase_profile(), startcap_profile())
NOW = datetime(2026, 5, 12, 1, 54, tzinfo=UTC)
SECRET = "fs_whsec_" + "a" * 32
ROUND = {
    "roundType": "series a", "roundFlavor": None, "amount": 20_000_000, "currency": "USD", "announcedDate": "2026-05-11",
    "confidenceScore": 0.95, "verificationStatus": "unverified", "investors": [],
}  # fmt: skip


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.name)
def test_a_x_1_every_face_signs_the_same_bytes_with_the_same_core_beside_standard_webhooks(face: Profile) -> None:
    body = face.test_body("evt-1", NOW).encode()
    headers = face.headers([SECRET], "evt-1", 1_778_550_840, body)
    own = headers["X-FundingScout-Signature" if face is FUNDINGSCOUT else "X-Webhook-Signature"]
    assert own == ("sha256=" if face is FUNDINGSCOUT else "") + hmac_hex(SECRET, body)
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("evt-1", "1778550840")
    assert headers["webhook-signature"].startswith("v1,")
    assert headers["Content-Type"] == "application/json"


def test_a_x_2_the_profile_says_whether_somebody_may_ask_for_a_second_send() -> None:
    assert [face.allows_second_send for face in FACES] == [False, True, True]


def test_a_x_3_one_round_type_is_written_as_each_face_writes_it() -> None:
    assert funding_round({"funding_type": "series-a"})["funding_type"] == "series-a"
    assert face_round_type("series-a") == "series a"


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.name)
def test_a_x_4_plain_http_is_fundingscout_s_no_and_private_addresses_are_everybody_s(face: Profile) -> None:
    plain = "http://hooks.example.com/"
    if face is FUNDINGSCOUT:
        with pytest.raises(UrlRefused, match="HTTPS"):
            check_url(plain, schemes=face.url_schemes)
    else:
        assert check_url(plain, schemes=face.url_schemes) == plain
    for scheme in face.url_schemes:
        with pytest.raises(UrlRefused, match=r"private \(10\.0\.0\.0/8\)"):
            check_url(f"{scheme}://10.0.0.1/", schemes=face.url_schemes)


def test_a_x_3_a_x_5_a_x_10_signalbase_writes_shares_types_and_money_of_the_same_round() -> None:
    """Confidence is a share of one in both; an amount is whole units of its currency."""
    row = {
        "investors_json": "[]", "source_count": 1, "accession": None, "announced_date": None, "published_date": NOW.date(),
        "amount": Decimal("20000000.75"), "currency": "USD", "funding_type": "series-a", "round_flavor": None,
        "confidence_score": 0.95,
    }  # fmt: skip
    assert round_block(row) == ROUND | {"announcedDate": "2026-05-12"}
    shown = funding_round({"confidence_score": 0.95, "amount_usd": 20_000_000})
    assert (shown["confidence_score"], shown["amount_usd"]) == (0.95, 20_000_000)


def test_a_x_8_every_face_has_the_five_seconds_that_one_states() -> None:
    assert Settings(_env_file=None).webhook_timeout_seconds == 5.0
    assert [field for field in Settings.model_fields if "timeout" in field and "webhook" in field] == [
        "webhook_timeout_seconds"
    ]


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.name)
def test_a_x_9_every_body_is_canonical(face: Profile) -> None:
    body = face.test_body("evt-1", NOW)
    assert canonical_text(json.loads(body)) == body

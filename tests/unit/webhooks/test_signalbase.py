"""The Signalbase profile: body, headers, signature (SB-62 to SB-70)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.webhooks.signalbase import canonical_data, event_body, milliseconds, signalbase_profile

SECRET = "3f9a1c7e-2b4d-4e6a-9f1b-8c2d3e4f5a6b"
AT = datetime(2026, 5, 29, 10, 30, 0, 123999, tzinfo=UTC)
EVENT = "1f2e3d4c-5b6a-4790-8a1b-2c3d4e5f6071"
BODY = event_body("funding.created", EVENT, {"z": 1, "a": {"c": None, "b": "ü"}}, AT)


def headers(body: str = BODY) -> dict[str, str]:
    return signalbase_profile().headers([SECRET], EVENT, 1_780_050_600, body.encode())


def test_sb_68_sb_69_four_keys_sorted_at_every_level() -> None:
    assert BODY == (
        '{"data":{"a":{"b":"ü","c":null},"z":1},"event_id":"1f2e3d4c-5b6a-4790-8a1b-2c3d4e5f6071",'
        '"event_type":"funding.created","timestamp":"2026-05-29T10:30:00.123Z"}'
    )


def test_sb_62_to_sb_65_headers() -> None:
    sent = headers()
    assert sent["Content-Type"] == "application/json"
    assert sent["User-Agent"] == "Signalbase-Webhooks/1.0"
    assert sent["X-Webhook-Event"] == "funding.created"
    assert sent["X-Webhook-ID"] == EVENT
    assert sent["X-Webhook-Timestamp"] == "1780050600"


def test_sb_66_sb_67_sb_70_the_signature_is_bare_hex_over_the_exact_bytes() -> None:
    assert headers()["X-Webhook-Signature"] == hmac.new(SECRET.encode(), BODY.encode(), hashlib.sha256).hexdigest()


def test_a_x_1_standard_webhooks_headers_beside_it_are_keyed_with_the_secret_s_characters() -> None:
    sent = headers()
    assert (sent["webhook-id"], sent["webhook-timestamp"]) == (EVENT, "1780050600")
    digest = hmac.new(SECRET.encode(), f"{EVENT}.1780050600.{BODY}".encode(), hashlib.sha256).digest()
    assert sent["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


def test_the_event_type_is_read_from_the_end_not_from_what_a_document_says() -> None:
    body = event_body("hiring.created", EVENT, {"x": '"event_type":"funding.created","timestamp":"x"}'}, AT)
    assert headers(body)["X-Webhook-Event"] == "hiring.created"
    with pytest.raises(ValueError, match="Signalbase event"):
        headers('{"event_type":"a b"}')


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1"), (0.92, "0.92"), (0.0, "0"), (-0.0, "0"), (1e-7, "1e-7"), (1e-6, "0.000001"), (0.00001, "0.00001"),
        (1.5e-5, "0.000015"), (1e21, "1e+21"), (1e20, "100000000000000000000"), (5e-324, "5e-324"),
        (-1.25e-6, "-0.00000125"), (2.0**60, "1152921504606847000"), (333333333.33333329, "333333333.3333333"),
    ],
)  # fmt: skip
def test_a_sb_28_numbers_as_rfc_8785_writes_them(number: float, text: str) -> None:
    assert canonical_data({"n": number}).text == f'{{"n":{text}}}'


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_sb_28_numbers_keep_their_value(number: float) -> None:
    read = json.loads(canonical_data({"n": [number]}).text)["n"][0]
    assert math.isclose(float(read), number, rel_tol=0, abs_tol=0) or read == number


def test_a_sb_28_text_is_utf_8_with_the_shortest_escapes() -> None:
    assert canonical_data({"t": 'é€\u20ac"\\\b\t\n\f\r\u000f'}).text == '{"t":"é€€\\"\\\\\\b\\t\\n\\f\\r\\u000f"}'


def test_sb_26_times_have_milliseconds_and_z() -> None:
    assert milliseconds(AT) == "2026-05-29T10:30:00.123Z"
    assert milliseconds(AT.replace(microsecond=0)) == "2026-05-29T10:30:00.000Z"


def test_a_test_event_says_that_it_is_one() -> None:
    body = json.loads(signalbase_profile().test_body(EVENT, AT))
    assert body["event_type"] == "system.test"
    assert body["event_id"] == EVENT
    assert body["data"]["version"] == 1

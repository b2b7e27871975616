"""Signatures (FS-38 to FS-40, A-X-1). The expected values were computed with openssl and the published scheme."""

from __future__ import annotations

import pytest

from pipeline.webhooks.signing import fundingscout_signature, standard_headers, standard_key

SECRET = "fs_whsec_" + "A" * 32


def test_fs_39_key_is_the_whole_secret_with_its_prefix() -> None:
    # printf '{"a":1}' | openssl dgst -sha256 -hmac fs_whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
    assert (
        fundingscout_signature(SECRET, b'{"a":1}') == "sha256=394b0c393b29a840c73d79acadc83344836d3559c64290dc4c953bc00af54a57"
    )


def test_fs_40_every_byte_of_the_body_counts() -> None:
    assert fundingscout_signature(SECRET, b'{"a":1}') != fundingscout_signature(SECRET, b'{"a": 1}')


def test_standard_key_is_24_bytes_of_base64url() -> None:
    assert standard_key(SECRET) == bytes(24)
    assert standard_key("fs_whsec_" + "-_" * 16) == standard_key("fs_whsec_" + "-_" * 16)
    assert len(standard_key("fs_whsec_" + "-_" * 16)) == 24


def test_secret_that_is_no_base64_is_refused() -> None:
    with pytest.raises(ValueError, match="base64url"):
        standard_key("fs_whsec_!!")


def test_one_signature_per_secret_while_a_rotation_overlaps() -> None:
    one = standard_headers([SECRET], "m1", 1_700_000_000, b"{}")
    both = standard_headers([SECRET, "fs_whsec_" + "B" * 32], "m1", 1_700_000_000, b"{}")
    assert one["webhook-id"] == "m1"
    assert one["webhook-timestamp"] == "1700000000"
    assert both["webhook-signature"].split(" ")[0] == one["webhook-signature"]
    assert all(part.startswith("v1,") for part in both["webhook-signature"].split(" "))
    assert len(both["webhook-signature"].split(" ")) == 2

"""Which custom headers a webhook may have."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from pipeline.organizations.secrets import SecretBox
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.static_headers import MAX_HEADERS, REDACTED, HeaderRefused, check_headers, redact, seal, unseal

BOX = SecretBox([Fernet.generate_key().decode()])


def test_headers_come_back_and_are_unreadable_at_rest() -> None:
    headers = {"Authorization": "Bearer abc def", "X-Tenant": "north"}
    encrypted = seal(BOX, headers)
    assert encrypted is not None
    assert b"abc" not in encrypted
    assert unseal(BOX, encrypted) == headers
    assert (seal(BOX, {}), unseal(BOX, None)) == (None, {})


@pytest.mark.parametrize(
    "name",
    [
        "Host", "content-type", "Content-Length", "Transfer-Encoding", "Connection", "User-Agent", "webhook-id",
        "Webhook-Signature", "X-FundingScout-Signature", "X-Webhook-Signature", "Proxy-Authorization", "Expect", "",
        "two words", "näme", "a:b", "line\nbreak",
    ],
)  # fmt: skip
def test_names_that_are_ours_or_none(name: str) -> None:
    with pytest.raises(HeaderRefused):
        check_headers({name: "value"})


@pytest.mark.parametrize("value", ["", " lead", "trail ", "a\r\nX-Other: b", "a\nb", "a\x00b", "ü", "x" * 4_097])
def test_values_that_are_none_and_are_not_shown(value: str) -> None:
    with pytest.raises(HeaderRefused) as refused:
        check_headers({"X-Tenant": value})
    assert not value.strip() or value not in str(refused.value)


def test_twice_in_other_letters_and_too_many() -> None:
    with pytest.raises(HeaderRefused, match="twice"):
        check_headers({"X-Tenant": "a", "x-tenant": "b"})
    with pytest.raises(HeaderRefused, match="at most"):
        check_headers({f"X-{number}": "a" for number in range(MAX_HEADERS + 1)})


def test_no_profile_header_can_be_replaced() -> None:
    ours = fundingscout_profile().headers(["fs_whsec_" + "a" * 32], "id", 1, b"{}")
    for name in ours:
        with pytest.raises(HeaderRefused):
            check_headers({name.upper(): "x"})


@given(st.text(max_size=20), st.text(max_size=20))
def test_what_passes_holds_no_line_break(name: str, value: str) -> None:
    try:
        passed = check_headers({name: value})
    except HeaderRefused:
        return
    assert not set("".join([*passed, *passed.values()])) & set("\r\n\x00")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("you sent Bearer abc-def-ghi", f"you sent {REDACTED}"),
        ('{"token": "abc-def-ghi", "tenant": "north"}', f'{{"token": "{REDACTED}", "tenant": "north"}}'),
        ("abc-def-ghi and abc-def-ghi", f"{REDACTED} and {REDACTED}"),
        ("nothing of it, not abc-def", "nothing of it, not abc-def"),
        ("", ""),
    ],
)
def test_what_a_receiver_repeats_of_custom_headers_is_not_kept(text: str, shown: str) -> None:
    assert redact(text, {"Authorization": "Bearer abc-def-ghi", "X-Tenant": "north"}) == shown


@given(st.from_regex(r"[!-~]{6,30}", fullmatch=True), st.text(max_size=40), st.integers(1, 80))
def test_a_secret_cut_off_by_the_end_of_an_excerpt_is_not_kept_either(secret: str, before: str, size: int) -> None:
    whole = before + secret + " and more"
    shown = redact(whole[:size], {"X-Key": secret}, is_cut=size < len(whole))
    assert secret not in shown.replace(REDACTED, " ")
    assert not (len(before) + 4 <= size < len(before) + len(secret) and shown.endswith(secret[: size - len(before)]))

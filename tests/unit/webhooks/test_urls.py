"""Which URLs may be registered (FS-31 to FS-34, A-FS-16)."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.webhooks.urls import UrlRefused, check_url, shown_url


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("https://yourapp.example.com/hooks/fundingscout", "https://yourapp.example.com/hooks/fundingscout"),
        ("  https://hooks.example.com/a \n", "https://hooks.example.com/a"),
        ("HTTPS://Hooks.Example.COM/Case/Stays?Q=A%2fb", "https://hooks.example.com/Case/Stays?Q=A%2fb"),
        ("https://hooks.example.com.:443/a#frag", "https://hooks.example.com/a"),
        ("https://hooks.example.com:8443/a", "https://hooks.example.com:8443/a"),
        ("https://hooks.example.com", "https://hooks.example.com"),
        ("https://bücher.example/ä?ö=1", "https://xn--bcher-kva.example/%C3%A4?%C3%B6=1"),
        ("https://my_hooks.example.com/", "https://my_hooks.example.com/"),
        ("https://localhost.example.com/", "https://localhost.example.com/"),
        ("https://local.example.com/", "https://local.example.com/"),
        ("https://8.8.8.8/a", "https://8.8.8.8/a"),
        ("https://134744072/a", "https://8.8.8.8/a"),
        ("https://[2606:4700:0:0::1111]:8443/a", "https://[2606:4700::1111]:8443/a"),
        ("https://hooks.example.com/a?to=http://127.0.0.1/", "https://hooks.example.com/a?to=http://127.0.0.1/"),
    ],
)
def test_good_url_has_one_spelling(url: str, stored: str) -> None:
    assert check_url(url) == stored


def test_allow_list_of_the_operator_admits_private_receivers() -> None:
    allowed = [ip_network("127.0.0.0/8"), ip_network("10.1.0.0/16")]
    assert check_url("https://127.0.0.1:8443/a", allowed) == "https://127.0.0.1:8443/a"
    assert check_url("https://localhost:8443/a", allowed) == "https://localhost:8443/a"
    with pytest.raises(UrlRefused):
        check_url("https://10.2.0.1/", allowed)
    with pytest.raises(UrlRefused):
        check_url("https://printer.local/", allowed)


@given(st.text(max_size=60).map(lambda rest: "https://" + rest) | st.text(max_size=60))
def test_any_text_is_refused_or_has_one_spelling(text: str) -> None:
    try:
        once = check_url(text)
    except UrlRefused:
        return
    assert once.isascii()
    assert check_url(once) == once


@given(st.ip_addresses(v=4), st.sampled_from(["{}", "0x{:x}", "0{:o}"]))
def test_every_number_that_is_an_address_is_judged_as_that_address(address: object, form: str) -> None:
    def judged(host: object) -> str:
        try:
            return check_url(f"https://{host}/")
        except UrlRefused as error:
            return error.rule

    assert judged(form.format(int(address))) == judged(address)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hooks.example.com/services/T0/B0/secret", "https://hooks.example.com/…"),
        ("https://hooks.example.com:8443?token=secret", "https://hooks.example.com:8443/…"),
        ("https://[2606:4700::1]:8443/", "https://[2606:4700::1]:8443/"),
        ("http://hooks.example.com", "http://hooks.example.com/"),
        ("no address", "…"),
    ],
)
def test_logs_and_notices_are_not_told_what_may_be_a_secret_in_a_url(url: str, shown: str) -> None:
    assert shown_url(url) == shown

"""Which addresses may be connected to (A-FS-16)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.net.addresses import refusal

REFUSED = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified",
    "10.0.0.1": "private",
    "10.255.255.255": "private",
    "100.64.0.1": "carrier-grade NAT",
    "100.127.255.255": "carrier-grade NAT",
    "100.100.100.200": "metadata",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "168.63.129.16": "metadata",
    "169.254.0.1": "link-local",
    "169.254.169.254": "metadata",
    "169.254.170.2": "metadata",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.8": "protocol",
    "192.0.0.192": "metadata",
    "192.0.2.1": "documentation",
    "192.88.99.1": "6to4 relay",
    "192.168.1.1": "private",
    "198.18.0.1": "benchmarking",
    "198.19.255.255": "benchmarking",
    "198.51.100.7": "documentation",
    "203.0.113.9": "documentation",
    "224.0.0.1": "multicast",
    "239.255.255.250": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "::": "unspecified",
    "::1": "loopback",
    "::127.0.0.1": "IPv4-compatible",
    "::8.8.8.8": "IPv4-compatible",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:10.0.0.1": "private",
    "::ffff:169.254.169.254": "metadata",
    "::ffff:0:127.0.0.1": "IPv4-translated",
    "64:ff9b::127.0.0.1": "loopback",
    "64:ff9b::169.254.169.254": "metadata",
    "64:ff9b::a00:1": "private",
    "64:ff9b:1::8.8.8.8": "local NAT64",
    "100::1": "discard",
    "2001::1": "Teredo",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2": "Teredo",
    "2001:2::1": "benchmarking",
    "2001:10::1": "protocol",
    "2001:20::1": "protocol",
    "2001:db8::1": "documentation",
    "2002:7f00:1::": "6to4",
    "2002:a00:1::1": "6to4",
    "2002:808:808::1": "6to4",
    "3fff::1": "documentation",
    "4000::1": "outside",
    "5f00::1": "segment routing",
    "fc00::1": "unique-local",
    "fd12:3456:789a::1": "unique-local",
    "fd00:ec2::254": "metadata",
    "fe80::1": "link-local",
    "fe80::1%eth0": "zone",
    "2606:4700::1%1": "zone",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
    "2606:4700::5efe:7f00:1": "loopback",
    "2606:4700::200:5efe:a00:1": "private",
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.items())
def test_address_that_is_not_public_is_refused_with_its_range(text: str, reason: str) -> None:
    assert reason in (refusal(ip_address(text)) or "")


@pytest.mark.parametrize(
    "text",
    [
        "1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1", "192.167.255.255", "198.17.0.1",
        "198.20.0.1", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
    ],
)  # fmt: skip
def test_public_address_is_no_refusal(text: str) -> None:
    assert refusal(ip_address(text)) is None


def test_allow_list_of_the_operator_wins() -> None:
    allowed = (IPv4Network("127.0.0.0/8"), IPv6Network("fd00::/8"))
    assert refusal(ip_address("127.0.0.1"), allowed) is None
    assert refusal(ip_address("fd00:ec2::254"), allowed) is None
    assert refusal(ip_address("::ffff:127.0.0.1"), allowed) is None
    assert refusal(ip_address("10.0.0.1"), allowed) is not None
    assert refusal(ip_address("::1"), allowed) is not None


@given(st.ip_addresses(v=4))
def test_what_the_standard_library_calls_not_global_is_refused(address: IPv4Address) -> None:
    if not address.is_global or address.is_multicast:
        assert refusal(address)


@given(st.ip_addresses(v=6))
def test_ipv6_is_refused_outside_global_unicast(address: IPv6Address) -> None:
    if not address.is_global or address.is_multicast:
        assert refusal(address) or (address.ipv4_mapped and not refusal(address.ipv4_mapped))
    if int(address) >> 125 != 1 and address.ipv4_mapped is None and int(address) >> 32 != 0x64FF9B << 64:
        assert refusal(address)


@given(st.ip_addresses(v=4))
def test_every_spelling_as_ipv6_is_judged_no_milder(address: IPv4Address) -> None:
    for prefix in (0xFFFF << 32, 0x64FF9B << 96, 0, 0xFFFF << 48):
        spelled = IPv6Address(prefix | int(address))
        if refusal(address):
            assert refusal(spelled), spelled

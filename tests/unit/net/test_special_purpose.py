"""Which addresses may be connected to, against IANA's registries and the standard library (A-FS-16)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.net.addresses import refusal

REGISTRY = yaml.safe_load(Path(__file__).with_name("special_purpose.yaml").read_text(encoding="utf-8"))
SPECIAL_V4 = [IPv4Network(network) for network, _ in REGISTRY["ipv4"]]
SPECIAL_V6 = [IPv6Network(network) for network, _ in REGISTRY["ipv6"]]
# Judged by the IPv4 address they lead to, though they lie outside global unicast.
LEADS_TO_IPV4 = [IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96")]
# Ranges that are public but for one address of a cloud's own.
METADATA_IN_PUBLIC = IPv4Address("168.63.129.16")


def is_special(address: IPv4Address | IPv6Address) -> bool:
    special: list[IPv4Network] | list[IPv6Network] = SPECIAL_V4 if isinstance(address, IPv4Address) else SPECIAL_V6
    return any(address in network for network in special)


def leads_to_ipv4(address: IPv6Address) -> bool:
    return any(address in network for network in LEADS_TO_IPV4)


@st.composite
def special_addresses(draw: st.DrawFn) -> IPv4Address | IPv6Address:
    network = draw(st.sampled_from([*SPECIAL_V4, *SPECIAL_V6]))
    last = network.num_addresses - 1
    return network[draw(st.sampled_from([0, last]) | st.integers(0, last))]


@given(special_addresses())
def test_every_address_of_a_special_range_is_refused(address: IPv4Address | IPv6Address) -> None:
    if isinstance(address, IPv6Address) and leads_to_ipv4(address):
        embedded = IPv4Address(int(address) & 0xFFFF_FFFF)
        assert bool(refusal(address)) == bool(refusal(embedded))
    else:
        assert refusal(address)


@pytest.mark.parametrize("network", SPECIAL_V4, ids=str)
def test_neighbours_of_a_special_range_are_judged_by_themselves(network: IPv4Network) -> None:
    """No range is one address too wide or too narrow."""
    for neighbour in (int(network.network_address) - 1, int(network.broadcast_address) + 1):
        if 0 <= neighbour < 2**32:
            address = IPv4Address(neighbour)
            assert bool(refusal(address)) == is_special(address), address
    assert refusal(network.network_address)
    assert refusal(network.broadcast_address)


@given(st.ip_addresses(v=4))
def test_ipv4_is_refused_where_a_registry_or_the_standard_library_says_so_and_nowhere_else(address: IPv4Address) -> None:
    expected = is_special(address) or not address.is_global or address.is_multicast or address == METADATA_IN_PUBLIC
    assert bool(refusal(address)) == expected


@given(st.integers(0, 2**125 - 1).map(lambda low: IPv6Address((0b001 << 125) | low)) | st.ip_addresses(v=6))
def test_ipv6_is_refused_where_a_registry_or_the_standard_library_says_so_and_nowhere_else(address: IPv6Address) -> None:
    if leads_to_ipv4(address):
        assert bool(refusal(address)) == bool(refusal(IPv4Address(int(address) & 0xFFFF_FFFF)))
        return
    is_isatap = (int(address) >> 32) & 0xFDFF_FFFF == 0x5EFE
    if is_special(address) or not address.is_global or address.is_multicast:
        assert refusal(address)
    elif not is_isatap:
        assert refusal(address) is None


@given(st.ip_addresses())
def test_allow_list_admits_its_own_network_and_nothing_more(address: IPv4Address | IPv6Address) -> None:
    bits = 24 if address.version == 4 else 64
    own = ip_network((int(address) >> (address.max_prefixlen - bits) << (address.max_prefixlen - bits), bits))
    assert own.version != address.version or refusal(address, [own]) is None
    elsewhere = ip_address("203.0.113.7")
    assert address == elsewhere or elsewhere in own or refusal(elsewhere, [own]) is not None

"""Which IP addresses the outside world's names may lead us to.

What belongs here: the judgement of one address. What does not: resolving names, connecting, URL rules.
The rule is positive: an address must be globally routable unicast. The tables name the special ranges, so that a
refusal says which one it met. Sources: IANA's IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its
successors), RFC 6052 (NAT64), RFC 3056 and 7526 (6to4), RFC 4380 (Teredo), RFC 5214 (ISATAP), RFC 9637 (3fff::/20).
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Services of a cloud that answer to whoever can reach them; some live in ranges that look public.
METADATA = {
    IPv4Address("169.254.169.254"),  # AWS, Azure, Google Cloud, DigitalOcean, OpenStack
    IPv4Address("169.254.170.2"),  # AWS container credentials
    IPv4Address("100.100.100.200"),  # Alibaba Cloud
    IPv4Address("192.0.0.192"),  # Oracle Cloud
    IPv4Address("168.63.129.16"),  # Azure's host service
    IPv6Address("fd00:ec2::254"),  # AWS
    IPv6Address("fd20:ce::254"),  # Google Cloud
}

IPV4_RANGES = [
    (IPv4Network(network), name)
    for network, name in [
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "protocol assignments"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    ]
]

IPV6_RANGES = [
    (IPv6Network(network), name)
    for network, name in [
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::/96", "IPv4-compatible"),
        ("::ffff:0:0:0/96", "IPv4-translated"),
        ("64:ff9b:1::/48", "local NAT64"),
        ("100::/64", "discard-only"),
        ("2001::/32", "Teredo"),
        ("2001:2::/48", "benchmarking"),
        ("2001::/23", "protocol assignments"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "documentation"),
        ("5f00::/16", "segment routing"),
        ("fc00::/7", "unique-local"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    ]
]

GLOBAL_UNICAST = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")
ISATAP_MARKS = (0x0000_5EFE, 0x0200_5EFE)


def refusal(address: Address, allowed: Sequence[Network] = ()) -> str | None:
    """Why ``address`` may not be connected to, or None when it may.

    ``allowed`` lists networks of the operator's own choice; it wins over every rule. An IPv4 address that is only
    written as IPv6 (IPv4-mapped, NAT64) is judged as the IPv4 address it leads to, allow-list included. Tunnels
    (6to4, Teredo, IPv4-compatible) are refused whatever they carry, ISATAP by what it carries.
    """
    if _is_in(address, allowed):
        return None
    if isinstance(address, IPv4Address):
        return _refusal_v4(address)
    carried = _carried(address)
    if carried is not None:
        form, embedded = carried
        reason = refusal(embedded, allowed)
        return f"{form} address of {embedded}, which is {reason}" if reason else None
    return _refusal_v6(address)


def _refusal_v4(address: IPv4Address) -> str | None:
    if address in METADATA:
        return f"cloud metadata ({address})"
    for network, name in IPV4_RANGES:
        if address in network:
            return f"{name} ({network})"
    return None if address.is_global else "not globally routable"


def _refusal_v6(address: IPv6Address) -> str | None:
    if address.scope_id is not None:
        return f"bound to the zone {address.scope_id!r}"
    if address in METADATA:
        return f"cloud metadata ({address})"
    for network, name in IPV6_RANGES:
        if address in network:
            return f"{name} ({network})"
    if address not in GLOBAL_UNICAST:
        return f"not globally routable (outside {GLOBAL_UNICAST})"
    isatap = _isatap(address)
    if isatap is not None and (reason := _refusal_v4(isatap)):
        return f"ISATAP address of {isatap}, which is {reason}"
    return None if address.is_global else "not globally routable"


def _carried(address: IPv6Address) -> tuple[str, IPv4Address] | None:
    """The IPv4 address that a packet to ``address`` ends at by way of the local stack or a NAT64 gateway."""
    if address.ipv4_mapped is not None:
        return "IPv4-mapped", address.ipv4_mapped
    if address in NAT64:
        return "NAT64", IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def _isatap(address: IPv6Address) -> IPv4Address | None:
    mark = (int(address) >> 32) & 0xFFFF_FFFF
    return IPv4Address(int(address) & 0xFFFF_FFFF) if mark in ISATAP_MARKS else None


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)

"""The one meaning of a host as written in a URL.

What belongs here: reading a host the way browsers and servers do (WHATWG URL Standard, section "host parsing"; UTS 46),
so that one host has one spelling before it is judged. What does not: rules about which hosts are welcome.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import idna

MAX_HOST_LENGTH = 253
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMBER = re.compile(r"(?:0[xX][0-9a-fA-F]*|[0-9]+)", re.ASCII)


class BadHost(ValueError):
    """A text that names no host."""


def parse_host(text: str) -> str | IPv4Address | IPv6Address:
    """What ``text`` names: an address, or a lower-case ASCII name without trailing dot.

    Takes what stands between ``//`` and the port. IPv6 comes in brackets; IPv4 in any of its spellings (hexadecimal,
    octal, fewer than four parts, full-width digits). Raises BadHost.
    """
    if text.startswith("["):
        return _parse_ipv6(text)
    if "%" in text:
        raise BadHost(f"the host {text!r} holds a percent sign")
    name = _to_ascii(text)
    if name.endswith("."):
        name = name[:-1]
    if not name or len(name) > MAX_HOST_LENGTH:
        raise BadHost(f"the host {text!r} is empty or longer than {MAX_HOST_LENGTH} characters")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _parse_ipv4(labels, text)
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise BadHost(f"the host {text!r} is no host name")
    return name


def _to_ascii(text: str) -> str:
    """UTS 46 mapping (case, width, look-alike dots, ignorable characters), then A-labels."""
    if text.isascii():
        return text.lower()
    try:
        mapped = idna.uts46_remap(text, std3_rules=False, transitional=False)
        return mapped if mapped.isascii() else idna.encode(mapped).decode("ascii")
    except idna.IDNAError as error:
        raise BadHost(f"the host {text!r} is no host name: {error}") from None


def _parse_ipv6(text: str) -> IPv6Address:
    if not text.endswith("]") or "%" in text:
        raise BadHost(f"the host {text!r} is no IPv6 address")
    try:
        return IPv6Address(text[1:-1])
    except AddressValueError as error:
        raise BadHost(f"the host {text!r} is no IPv6 address: {error}") from None


def _parse_ipv4(labels: list[str], text: str) -> IPv4Address:
    """inet_aton's reading: up to four numbers, the last one filling what is left."""
    try:
        numbers = [_parse_number(label) for label in labels]
    except ValueError:
        raise BadHost(f"the host {text!r} ends in a number but is no IPv4 address") from None
    *leading, last = numbers
    if len(numbers) > 4 or any(number > 255 for number in leading) or last >= 256 ** (5 - len(numbers)):
        raise BadHost(f"the host {text!r} ends in a number but is no IPv4 address")
    value = last
    for position, number in enumerate(leading):
        value += number << (8 * (3 - position))
    return IPv4Address(value)


def _parse_number(label: str) -> int:
    if not _NUMBER.fullmatch(label) or len(label) > 64:
        raise ValueError(label)
    if label[:2] in ("0x", "0X"):
        return int(label[2:] or "0", 16)
    return int(label, 8) if len(label) > 1 and label.startswith("0") else int(label)

"""Which URLs may be registered as a webhook (FS-31 to FS-34, A-FS-16).

What belongs here: one spelling per URL, and the rules that can be judged without the network. What does not: resolving
names; every address is judged again when a delivery connects (webhooks.transport).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote

from pipeline.net.addresses import Network, refusal
from pipeline.net.hosts import BadHost, parse_host

MAX_URL_LENGTH = 2048
PORTS = {"https": 443, "http": 80}
LOOPBACK_NAMES = ("localhost", "localhost.localdomain", "localhost6", "ip6-localhost", "ip6-loopback")
# Endings that the public DNS never holds: ICANN's resolution 2024.07.29.06 (internal), RFC 8375, RFC 7686, RFC 9476, and what
# hosts files call this machine.
INTERNAL_ENDINGS = ("internal", "home.arpa", "onion", "alt", "localdomain")

_URL = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>[^#]*)(?:#.*)?", re.ASCII | re.DOTALL)
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]{0,8}))?", re.ASCII)
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]")
# What stays as it was written; everything else becomes UTF-8 percent escapes.
_KEPT = "!$%&'()*+,-./:;=?@[]_~"


class UrlRefused(ValueError):
    """A URL that can't be a webhook. ``rule`` is a short slug, the text names the rule and the way out."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


def check_url(url: str, allowed_networks: Sequence[Network] = (), schemes: Sequence[str] = ("https",)) -> str:
    """``url`` in its one spelling, if it may be registered: https (or another of ``schemes``), a public host, no user name in it.

    Host in lower case and ASCII, no trailing dot, addresses in canonical form, no default port, no fragment; path and
    query stay as sent (non-ASCII becomes percent escapes). ``allowed_networks`` is the operator's list of private
    networks that may be sent to all the same. Raises UrlRefused, which names the rule.
    """
    scheme, host, port, rest = _split(url, schemes)
    _judge(host, allowed_networks)
    shown = f"[{host}]" if isinstance(host, IPv6Address) else str(host)
    return f"{scheme}://{shown}{f':{port}' if port != PORTS[scheme] else ''}{rest}"


def shown_url(url: str) -> str:
    """``url`` for logs and messages: its scheme, host and port. What follows is often a secret; "…" stands for it."""
    parts = _URL.fullmatch(url)
    if parts is None:
        return "…"
    return f"{parts['scheme']}://{parts['authority']}/{'…' if parts['rest'].strip('/') else ''}"


def _split(url: str, schemes: Sequence[str]) -> tuple[str, str | IPv4Address | IPv6Address, int, str]:
    text = url.strip(" \t\r\n")
    if len(text) > MAX_URL_LENGTH:
        raise UrlRefused("too_long", f"a webhook URL has at most {MAX_URL_LENGTH} characters, this one has {len(text)}")
    if _FORBIDDEN.search(text):
        raise UrlRefused("malformed", "a webhook URL holds no spaces, control characters or backslashes")
    parts = _URL.fullmatch(text)
    if parts is None:
        raise UrlRefused("malformed", "a webhook URL has the form https://host/path")
    scheme = parts["scheme"].lower()
    if scheme not in schemes:
        raise UrlRefused(
            "https_only", f"a webhook URL must be {' or '.join(name.upper() for name in schemes)}, not {scheme}://"
        )
    if "@" in parts["authority"]:
        raise UrlRefused("userinfo", "a webhook URL holds no user name or password")
    authority = _AUTHORITY.fullmatch(parts["authority"])
    if authority is None:
        raise UrlRefused("malformed", f"{parts['authority']!r} is no host with an optional port")
    port = int(authority["port"] or PORTS[scheme])
    if not 1 <= port <= 65535:
        raise UrlRefused("port", f"{port} is no port")
    try:
        host = parse_host(authority["host"])
    except BadHost as error:
        raise UrlRefused("host", str(error)) from None
    return scheme, host, port, quote(parts["rest"], safe=_KEPT)


def _judge(host: str | IPv4Address | IPv6Address, allowed_networks: Sequence[Network]) -> None:
    if isinstance(host, str):
        if host in LOOPBACK_NAMES or host.endswith(".localhost"):
            # The allow-list speaks of addresses; this name stands for one.
            reason = refusal(IPv4Address("127.0.0.1"), allowed_networks)
            if reason:
                raise UrlRefused("localhost", f"a webhook host cannot be {host}")
        if host == "local" or host.endswith(".local"):
            raise UrlRefused("local", f"a webhook host cannot end in .local, as {host} does")
        if not allowed_networks and _is_internal(host):
            # With private networks allowed, such names may lead into them; the address is judged when a delivery connects.
            raise UrlRefused("internal_name", f"a webhook host must be a public name, which {host} is not")
        return
    reason = refusal(host, allowed_networks)
    if reason:
        raise UrlRefused("address", f"a webhook host cannot be {host}: {reason}")


def _is_internal(host: str) -> bool:
    return "." not in host or host.endswith(tuple(f".{ending}" for ending in INTERNAL_ENDINGS)) or host in INTERNAL_ENDINGS

"""From what people type to a host name: scheme, credentials, port, path, Unicode and dots taken off.

What belongs here: text. What does not: the Public Suffix List (suffixes), and which hosts identify nobody (domains).
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote

import idna

LONGEST_TEXT = 4_096  # longer than any URL that is meant as a domain
LONGEST_HOST = 253  # RFC 1035
CACHE_SIZE = 1 << 17

_SCHEME = re.compile(r"^\s*(?:[a-z][a-z0-9+.-]*:)?[/\\]{2,}|^\s*(?:mailto|https?|ftp):", re.IGNORECASE)
_END_OF_HOST = re.compile(r"[/\\?#\s,;<>\"']")
_PORT = re.compile(r":\d*$")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_PLAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")  # a host, and nothing to take off


def host_of(text: str) -> str | None:
    """The host named by a URL, host or e-mail address, lower case, in ASCII (punycode), without dots around it."""
    if _PLAIN.fullmatch(text):
        return text
    rest = _SCHEME.sub("", text, count=1).strip()
    rest = _END_OF_HOST.split(rest, maxsplit=1)[0].rsplit("@", 1)[-1]
    if rest.startswith("["):
        return None
    rest = _PORT.sub("", rest)
    return ascii_host(unquote(rest))


def path_of(text: str) -> str:
    """The path of a URL, without what follows ``?`` or ``#``; '' where there is none."""
    rest = re.split(r"[/\\]", _SCHEME.sub("", text.strip(), count=1), maxsplit=1)
    return re.split(r"[?#\s]", rest[1], maxsplit=1)[0] if len(rest) > 1 else ""


def has_scheme(text: str) -> bool:
    """Does the text say that it is a URL (``https://…``, ``//…``)?"""
    return "//" in text or "\\\\" in text


def labels_of(host: str | None) -> list[str] | None:
    """The labels of a well-formed name of two or more; None for an address in numbers and for nonsense."""
    if not host or len(host) > LONGEST_HOST:
        return None
    labels = host.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        return None
    return labels


@lru_cache(maxsize=CACHE_SIZE)
def ascii_host(host: str) -> str | None:
    """A host's ASCII form, lower case; None where it has none."""
    host = re.sub("[\u3002\uff0e\uff61]", ".", host).removesuffix(".").lower()
    if host.isascii():
        return host or None
    try:
        return idna.encode(host, uts46=True, std3_rules=False).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return _ascii_host_leniently(host)


def _ascii_host_leniently(host: str) -> str | None:
    """Names that no registry would take (mixed directions, emoji), which people type all the same: equal texts, equal form."""
    try:
        mapped = idna.uts46_remap(host, std3_rules=False)
        labels = [
            label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii") for label in mapped.split(".")
        ]
    except (idna.IDNAError, UnicodeError):
        return None
    return ".".join(labels).lower()

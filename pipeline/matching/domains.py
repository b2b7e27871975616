"""Domains as the key of a company: what people type into a domain or e-mail field, brought to one form.

What belongs here: from text to registrable domain, and which domains identify nobody. What does not: comparing rows
(engine). Rules: FSV-10, A-FS-26; the Public Suffix List with its private section, as bundled with tldextract, so a
page of a hosting service is its owner's and not the host's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from urllib.parse import unquote

import idna
import tldextract

DATA = Path(__file__).with_name("data")
LONGEST_TEXT = 4_096  # longer than any URL that is meant as a domain
LONGEST_HOST = 253  # RFC 1035
CACHE_SIZE = 1 << 17

_SCHEME = re.compile(r"^\s*(?:[a-z][a-z0-9+.-]*:)?[/\\]{2,}|^\s*(?:mailto|https?|ftp):", re.IGNORECASE)
_END_OF_HOST = re.compile(r"[/\\?#\s,;<>\"']")
_PORT = re.compile(r":\d*$")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# Pages of a host that speak about the host itself.
_OWN_PAGE = re.compile(
    r"(?:(?:p/)?(?:about|about-?us|home|index|default|en|en-us|login|signin|signup|careers|jobs|contact|press|privacy|legal|terms|"
    r"help|support|security|vulnerability-disclosure|responsible-disclosure)(?:\.\w+)?[/\\]?)?",
    re.IGNORECASE,
)


_refreshed: Path | None = None


def use_suffix_list(file: Path | None) -> None:
    """Judge by the Public Suffix List in ``file`` from now on, in this process; None: by the bundled one.

    Keys computed before stay as they are stored.
    """
    global _refreshed
    if file != _refreshed:
        _refreshed = file
        for cached in (_suffix_list, _of_host):
            cached.cache_clear()


def registrable_domain(text: str | None) -> str | None:
    """The registrable domain of a URL, host or e-mail address, lower case and in ASCII (punycode); None where there is none.

    Takes what users type: scheme, credentials, port, path, query, trailing dot, upper case, Unicode. A public suffix by
    itself (``co.uk``, ``github.io``), an IP address, a single word and nonsense give None. Total and idempotent.
    """
    if not text or len(text) > LONGEST_TEXT:
        return None
    return _of_host(_host(text))


def company_domain(text: str | None) -> str | None:
    """As registrable_domain, but None for a page on a site that hosts pages of many (social networks, link shorteners).

    ``linkedin.com/company/acme`` says nothing about Acme's domain; ``linkedin.com`` alone is LinkedIn's own.
    """
    domain = registrable_domain(text)
    if domain is None or text is None:
        return None
    host = _host(text)
    if host is not None and _is_listed(host, domain, _social_hosts()) and not _OWN_PAGE.fullmatch(_path(text)):
        return None
    return domain


def email_domain(email: str | None) -> str | None:
    """The registrable domain of an e-mail address; None for none, and for providers that anybody uses (FSV-10).

    Takes ``Name <a@b.example>``, quoted local parts and Unicode domains. Text without ``@`` is no address.
    """
    if not email or len(email) > LONGEST_TEXT or "@" not in email:
        return None
    host = _host(email.rsplit("@", 1)[1])
    domain = _of_host(host)
    if host is None or domain is None or _is_listed(host, domain, _free_mail_domains()):
        return None
    return domain


def _host(text: str) -> str | None:
    """The host named by a text, in ASCII, without dots around it."""
    rest = _SCHEME.sub("", text, count=1).strip()
    rest = _END_OF_HOST.split(rest, maxsplit=1)[0].rsplit("@", 1)[-1]
    if rest.startswith("["):
        return None
    rest = _PORT.sub("", rest)
    return _ascii_host(unquote(rest))


@lru_cache(maxsize=CACHE_SIZE)
def _ascii_host(host: str) -> str | None:
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


@lru_cache(maxsize=CACHE_SIZE)
def _of_host(host: str | None) -> str | None:
    if not host or len(host) > LONGEST_HOST:
        return None
    labels = host.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        return None
    parts = _suffix_list()(host)
    if not parts.suffix:
        # The list's default rule: an unlisted ending is a public suffix of one label.
        return ".".join(labels[-2:])
    if not parts.domain or (parts.domain == "www" and parts.is_private):
        return None
    return f"{parts.domain}.{parts.suffix}"


def _path(text: str) -> str:
    rest = re.split(r"[/\\]", _SCHEME.sub("", text.strip(), count=1), maxsplit=1)
    return re.split(r"[?#\s]", rest[1], maxsplit=1)[0] if len(rest) > 1 else ""


def _is_listed(host: str, domain: str, listed: frozenset[str]) -> bool:
    return domain in listed or any(parent in listed for parent in _parents(host))


def _parents(host: str) -> Iterator[str]:
    """The host and each domain above it."""
    while "." in host:
        yield host
        host = host.split(".", 1)[1]


@cache
def _suffix_list() -> tldextract.TLDExtract:
    # No request and no cache folder: the bundled list, or the file that an operator fetched.
    urls = (_refreshed.as_uri(),) if _refreshed else ()
    return tldextract.TLDExtract(suffix_list_urls=urls, cache_dir=None, include_psl_private_domains=True)


@cache
def _free_mail_domains() -> frozenset[str]:
    return frozenset(_read_list("free_mail.txt"))


@cache
def _social_hosts() -> frozenset[str]:
    return frozenset(_read_list("social_hosts.txt"))


def _read_list(name: str) -> Iterator[str]:
    """Domains of a list file: one per line, or ``name: ending ending`` for a family; ``#`` begins a comment."""
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        head, _, endings = line.split("#", 1)[0].partition(":")
        if endings.strip():
            yield from (f"{head.strip()}.{ending}" for ending in endings.split())
        elif head.strip():
            yield head.strip()

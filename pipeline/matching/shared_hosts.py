"""Hosts that many companies share: whose page or sub-domain a text names, if anybody's (data/shared_hosts.yaml).

What belongs here: what is known of such hosts beforehand. What does not: domains that turn out to be shared in the data
(shared_domains), and mail providers (mail_domains).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).with_name("data")

# Pages of a host that speak about the host itself.
_OWN_PAGE = re.compile(
    r"(?:(?:[a-z]{2}(?:[-_][a-z]{2})?|p|company|intl|global)[/\\])?"
    r"(?:about|about-?us|company|home|index|default|login|signin|sign-in|signup|sign-up|register|careers|jobs|contact|contact-us|"
    r"press|newsroom|investors|privacy(?:-policy)?|legal|imprint|impressum|tos|terms(?:-of-(?:service|use))?|help|support|pricing|security|vulnerability-disclosure|responsible-disclosure|"
    r"[a-z]{2}(?:[-_][a-z]{2})?)?(?:\.\w+)?[/\\]?",
    re.IGNORECASE,
)
_ACADEMIC = re.compile(r"(?:[a-z0-9-]+\.)?(?:edu|(?:edu|ac)\.[a-z]{2})")  # public suffixes: edu, ac.uk, edu.au, vic.edu.au


def owner_of(host: str, domain: str, path: str) -> str | None:
    """The key of whoever a page belongs to: the registrable ``domain``, a sub-domain of its own, or None for nobody known.

    ``host`` lower case and in ASCII, ``path`` as in the URL, '' where there is none.
    """
    above = [host, *_above(host)]
    if any(name in _listed("nobody") for name in above):
        return None
    if any(name in _listed("pages") for name in above):
        return domain if _OWN_PAGE.fullmatch(path) else None
    shared = next((name for name in above if name in _listed("tenants")), None)
    if shared is None and _is_academic(domain):
        shared = domain  # a department, a laboratory or a spin-off is not its university
    return domain if shared is None else _own_part(host, shared) or domain


def _own_part(host: str, shared: str) -> str | None:
    """The owner's part of a host below a shared one: the label next to it, unless that is the shared host's own."""
    own = _own_parts("academic" if _is_academic(shared) else "any")
    below = host.removesuffix(shared).rstrip(".").split(".")
    label = next((label for label in reversed(below) if label and label not in own), None)
    return f"{label}.{shared}" if label else None


def _is_academic(domain: str) -> bool:
    return _ACADEMIC.fullmatch(domain.partition(".")[2]) is not None


def _above(host: str) -> Iterator[str]:
    """The domains above a host, down to two labels."""
    while host.count(".") > 1:
        host = host.split(".", 1)[1]
        yield host


@cache
def _listed(kind: str) -> frozenset[str]:
    """All hosts of one kind: pages, tenants, nobody."""
    return frozenset(host for hosts in _data()[kind].values() for host in hosts)


@cache
def _own_parts(of: str) -> frozenset[str]:
    """Sub-domains that are a part of their host, whoever runs it."""
    return frozenset(str(label) for line in _file()["own_parts"][of] for label in str(line).split())


@cache
def _data() -> dict[str, dict[str, list[str]]]:
    """Hosts by kind and reason."""
    return {kind: _file()[kind] for kind in ("pages", "tenants", "nobody")}


@cache
def _file() -> dict[str, Any]:
    data: Any = yaml.safe_load((DATA / "shared_hosts.yaml").read_text(encoding="utf-8"))
    return dict(data)


def why_shared(host: str) -> str | None:
    """Why a host, or one above it, is listed, in words for analysts; None where it is not."""
    for name in [host, *_above(host)]:
        for kind, groups in _data().items():
            for reason, hosts in groups.items():
                if name in hosts:
                    return f"{name}, {kind}: {reason}"
    return None


def listed_hosts() -> frozenset[str]:
    """Every host that is listed, of whatever kind."""
    return _listed("pages") | _listed("tenants") | _listed("nobody")

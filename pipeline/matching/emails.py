"""E-mail addresses as CRMs hold them: what kind of address it is, and the domain that names its owner's company.

What belongs here: from text to address and kind. What does not: lists of providers (mail_domains). Rules: FSV-10, A-FS-23.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from pipeline.matching.hosts import CACHE_SIZE, LONGEST_TEXT, host_of
from pipeline.matching.mail_domains import Provider, provider_of
from pipeline.matching.shared_hosts import owner_of
from pipeline.matching.suffixes import registrable_of_host

_PLAIN = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
_LOCAL = r"\"(?:[^\"\\]|\\.)*\"|[^\s\"<>(),;:@\\\[\]]+"
_ADDRESS = re.compile(rf"(?P<local>{_LOCAL})\s*@\s*(?P<host>[^\s@<>(),;:\"'/\\?#\[\]]+)(?=$|[\s<>(),;:\"'/\\?#])")
_MAILTO = re.compile(r"^\s*mailto:", re.IGNORECASE)
# Senders that no person reads: such a contact came into the CRM with a notification.
_AUTOMATED = re.compile(
    r"(?:no|not|do[-_.]?not|donot|never)[-_.]?(?:reply|replay|respond|answer)|mailer[-_.]?daemon|bounces?|auto[-_.]?(?:reply|mailer|confirm)|"
    r"postmaster|hostmaster|abuse|(?:e?mail)?[-_.]?notifications?|unsubscribe|undisclosed[-_.]?recipients?",
    re.IGNORECASE,
)
# A mailbox of many hands: still its company's.
_ROLE = re.compile(
    r"info|contact|contacto|kontakt|office|hello|hi|hey|team|mail|sales|vertrieb|ventes|ventas|marketing|press|presse|media|pr|"
    r"support|help|helpdesk|service|customer[-_.]?(?:service|care|success)|admin|administrator|webmaster|it|security|privacy|"
    r"legal|compliance|billing|accounts?|accounting|invoices?|rechnung|finance|payments?|purchasing|procurement|orders?|hr|"
    r"jobs?|careers?|recruiting|recruitment|bewerbung|partners?(?:hips?)?|investors?|ir|ceo|founders?|enquir(?:y|ies)|inquir(?:y|ies)|"
    r"newsletter|news|general|reception|welcome|feedback|operations|ops|events?",
    re.IGNORECASE,
)


class MailKind(StrEnum):
    """What an address says about a company."""

    WORK = "work"  # a person's at a company
    ROLE = "role"  # a mailbox of many hands at a company
    AUTOMATED = "automated"  # nobody reads it: names nobody
    FREE = "free"  # a provider that anybody uses: names nobody
    DISPOSABLE = "disposable"  # made for one sign-up: names nobody
    NONE = "none"  # no address


@dataclass(frozen=True, slots=True)
class Address:
    """What was read. ``key``: the domain of its company, None unless ``kind`` is work or role."""

    kind: MailKind
    key: str | None
    host: str | None = None


NOTHING = Address(MailKind.NONE, None)


def read_address(text: str | None) -> Address:
    """The first address in a text: ``a@b``, ``Name <a@b>``, ``mailto:a@b?subject=…``, quoted local parts, ``a+tag@b``, Unicode
    domains, several with ``;`` or ``,`` between them. Total.
    """
    if not text or len(text) > LONGEST_TEXT:
        return NOTHING
    text = text.strip()
    if _PLAIN.fullmatch(text):
        local, _, typed = text.rpartition("@")
    else:
        inside = _MAILTO.sub("", text.replace("\uff20", "@")).replace("%40", "@")
        bracketed = re.search(r"<([^<>]*@[^<>]*)>\s*$", inside)
        found = _ADDRESS.search(bracketed[1] if bracketed else inside)
        if found is None:
            return NOTHING
        local, typed = found["local"], found["host"]
    key, kind, host = _host(typed)
    if kind is MailKind.WORK and key is not None:
        name = local.strip('"').partition("+")[0]
        if _AUTOMATED.fullmatch(name):
            return Address(MailKind.AUTOMATED, None, host)
        if _ROLE.fullmatch(name):
            return Address(MailKind.ROLE, key, host)
    return Address(kind, key, host)


@lru_cache(maxsize=CACHE_SIZE)
def _host(typed: str) -> tuple[str | None, MailKind, str | None]:
    host = host_of(typed.strip("."))
    domain = registrable_of_host(host)
    if host is None or domain is None:
        return None, MailKind.NONE, None
    provider = provider_of(host, domain)
    if provider is not Provider.COMPANY:
        return None, MailKind(str(provider)), host
    key = owner_of(host, domain, "")
    return key, MailKind.WORK if key else MailKind.DISPOSABLE, host

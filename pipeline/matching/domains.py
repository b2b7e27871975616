"""Domains as the key of a company: what people type into a domain or e-mail field, brought to one form.

What belongs here: the keys that rows are matched by. What does not: reading hosts (hosts, suffixes, emails), which of them
identify nobody (shared_hosts, mail_domains), comparing rows (engine). Rules: FSV-10, A-FS-26.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.matching.emails import MailKind, read_address
from pipeline.matching.hosts import LONGEST_TEXT, has_scheme, host_of, path_of
from pipeline.matching.mail_domains import Provider, provider_of
from pipeline.matching.shared_hosts import owner_of, why_shared
from pipeline.matching.suffixes import registrable_of_host, use_suffix_list

__all__ = ["company_domain", "email_domain", "explain", "registrable_domain", "use_suffix_list"]


@dataclass(frozen=True, slots=True)
class Explained:
    """The key that a text gives, and why it is that or none, in words for analysts."""

    key: str | None
    why: str


def registrable_domain(text: str | None) -> str | None:
    """The registrable domain of a URL, host or e-mail address, lower case and in ASCII (punycode); None where there is none.

    Takes what users type: scheme, credentials, port, path, query, trailing dot, upper case, Unicode. A public suffix by
    itself (``co.uk``, ``github.io``), an IP address, a single word and nonsense give None. Total and idempotent.
    """
    if not text or len(text) > LONGEST_TEXT:
        return None
    return registrable_of_host(host_of(text))


def company_domain(text: str | None) -> str | None:
    """The domain of the company whose site a text names; None where it names nobody's.

    As registrable_domain, but a page on a site of many (social networks, shops, job boards, link shorteners) is nobody's, and
    what has one sub-domain per company (a help desk, a university's departments) is kept apart by it: ``linkedin.com/company/acme``
    says nothing of Acme's domain, ``linkedin.com`` alone is LinkedIn's own, ``acme.zendesk.com`` is not Zendesk. An e-mail
    address in the field counts as email_domain. Total and idempotent.
    """
    if not text or len(text) > LONGEST_TEXT:
        return None
    if "@" in text and not has_scheme(text):
        return email_domain(text)
    host = host_of(text)
    domain = registrable_of_host(host)
    if host is None or domain is None:
        return None
    return owner_of(host, domain, path_of(text))


def email_domain(email: str | None) -> str | None:
    """The domain of the company that an e-mail address is of; None for none, for providers that anybody uses (FSV-10), and
    for senders that no person reads.

    Takes ``Name <a@b.example>``, quoted local parts and Unicode domains. Text without ``@`` is no address.
    """
    return read_address(email).key


def explain(text: str) -> Explained:
    """What company_domain (or email_domain, for an address) makes of a text, with the reason."""
    key = company_domain(text)
    if "@" in text and not has_scheme(text):
        address = read_address(text)
        if address.kind in (MailKind.WORK, MailKind.ROLE):
            return Explained(key, f"{address.kind} address at {address.host}")
        return Explained(key, "no e-mail address" if address.kind is MailKind.NONE else f"{address.kind} address: names nobody")
    host = host_of(text)
    domain = registrable_of_host(host)
    if host is None or domain is None:
        return Explained(key, "no registrable domain by the Public Suffix List")
    shared = why_shared(host)
    if shared:
        return Explained(key, shared)
    if key != domain:
        return Explained(key, f"a part of its own of the academic {domain}")
    provider = provider_of(host, domain)
    hint = f"; a {provider} mail provider's" if provider is not Provider.COMPANY else ""
    return Explained(key, f"registrable domain{hint}")

"""What a team writes to name a company or a person it watches: a domain, a LinkedIn company page, a LinkedIn profile.

What belongs here: from text to the one spelling and the keys that it is looked up by. What does not: which company that is
(subscriptions.watching).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from pipeline.matching.domains import company_domain, registrable_domain
from pipeline.matching.hosts import path_of
from pipeline.matching.names import normal_form, squashed

DOMAIN, LINKEDIN_COMPANY, LINKEDIN_PROFILE = "domain", "linkedin_company", "linkedin_profile"
_LINKEDIN = re.compile(
    r"(?:https?://)?(?:[a-z0-9-]+\.)?linkedin\.com/(?P<kind>company|in)/(?P<slug>[^/?#\s]+)(?:[/?#].*)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Identifier:
    """``value``: the one spelling. ``domain_key`` and ``name``: what the match engine may go by; a person has neither."""

    kind: str
    value: str
    domain_key: str | None = None
    name: str | None = None


def read_identifier(text: str) -> Identifier | None:
    """What ``text`` names; None for what is no domain of a company's own and no page of LinkedIn's.

    A page's slug is the company's name with hyphens, unless LinkedIn gave it a number; a domain's label is its name without
    spaces. So both are told from documents that state no address.
    """
    stripped = text.strip()
    if page := _LINKEDIN.fullmatch(stripped):
        slug = unquote(page["slug"]).casefold()
        if page["kind"].lower() == "in":
            return Identifier(LINKEDIN_PROFILE, f"linkedin.com/in/{slug}")
        name = None if slug.isdecimal() else slug.replace("-", " ").replace("_", " ")
        return Identifier(LINKEDIN_COMPANY, f"linkedin.com/company/{slug}", name=name if normal_form(name) else None)
    if "@" in stripped or re.search(r"\s|linkedin\.com/(?:company|in)\b", stripped, re.IGNORECASE):
        return None  # a mailbox, a text, a page without its slug
    domain = company_domain(stripped)
    if domain is None and not path_of(stripped).strip("/"):
        domain = registrable_domain(stripped)  # one that a CRM's field would be thought left empty by: here somebody means it
    return Identifier(DOMAIN, domain, domain, domain.split(".")[0]) if domain else None


def profile_value(url: str | None) -> str | None:
    """A person's LinkedIn address as identifiers spell it; None for any other text."""
    found = read_identifier(url or "")
    return found.value if found is not None and found.kind == LINKEDIN_PROFILE else None


def name_key(name: str | None) -> str | None:
    """What names are looked up by: the comparison form without spaces, as a domain's label has none."""
    return squashed(normal_form(name)) or None

"""Who follows a partner's link: a person whose click counts, or something else, and which visits are one person's.

What belongs here: judging a request by what it says of itself, and the one thing kept of a visitor. What does not: rows
(partners.clicks). Of the address and the browser only a keyed hash is kept, to know a double by, and housekeeping takes that
away after ``HASH_KEPT`` (SC-65).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from ipaddress import IPv6Address, ip_address, ip_network

from pipeline.organizations.secrets import SecretBox

HASH_KEPT = timedelta(days=1)
MOST_AGENT_CHARACTERS = 1_000
NETWORK_BITS = 64  # what one subscriber of IPv6 has
PURPOSE = "visitor of a partner's link"

HEAD, PREFETCH, EMBEDDED, NO_AGENT, CRAWLER = REASONS = ("head", "prefetch", "embedded", "no_user_agent", "crawler")
# What browsers say of a page that is fetched before anybody asked for it: Sec-Purpose (Fetch), and what came before it.
_PREFETCH_HEADERS = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_PREFETCH_WORDS = ("prefetch", "prerender", "preview")


def not_a_click(method: str, headers: Mapping[str, str]) -> str | None:
    """Why a request is no person's click, one of REASONS; None: it counts. ``headers``: names in lower case.

    ``head``: asked for the head alone. ``prefetch``: fetched in advance. ``embedded``: a page loads the link as a picture, a
    script or a frame, nobody went there (Fetch Metadata, where the browser sends it). ``crawler``: a user agent on the list of
    crawler-user-agents, which is renewed weekly and names HTTP libraries, monitors and previews as well.
    """
    if method != "GET":
        return HEAD
    if any(word in headers.get(name, "").lower() for name in _PREFETCH_HEADERS for word in _PREFETCH_WORDS):
        return PREFETCH
    if headers.get("sec-fetch-mode", "navigate") != "navigate" or headers.get("sec-fetch-dest", "document") != "document":
        return EMBEDDED
    agent = headers.get("user-agent", "").strip()
    if not agent:
        return NO_AGENT
    return CRAWLER if _is_crawler()(agent[:MOST_AGENT_CHARACTERS], False) else None


def visitor_hash(box: SecretBox, address: str, user_agent: str) -> str:
    """The same for the same address and browser, and told by nobody without the installation's key. 64 hexadecimal digits."""
    return box.keyed_hash(PURPOSE, f"{subscriber(address)}\n{user_agent}")


def subscriber(address: str) -> str:
    """What stands for one line: an IPv4 address, or the network of an IPv6 address. Text that is none stands for itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    inner = parsed.ipv4_mapped
    return str(inner) if inner else str(ip_network((int(parsed), NETWORK_BITS), strict=False))


@cache
def _is_crawler() -> Callable[[str, bool], bool]:
    # Imported when first asked: the package reads its list at import.
    from crawleruseragents import is_crawler

    found: Callable[[str, bool], bool] = is_crawler
    return found

"""Which document an entry is: one id, whatever a feed does to links, GUIDs, dates and titles.

What belongs here: canonical links and ids. What does not: reading feeds.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit
from uuid import UUID, uuid5

from pipeline.documents.text import one_line

# Made once, for this product; changing it would make every document new.
NAMESPACE = UUID("5b0d2b5e-6c1f-5c53-9a53-0d6f6a4cf0a1")
SCHEMES = {"http", "https"}
DEFAULT_PORTS = {80, 443}  # either, since both schemes count as one
# Parameters that say how a reader came, not what is shown: those of the analytics and mail tools in common use.
TRACKING = re.compile(
    r"utm_\w+|fbclid|gclid|gbraid|wbraid|dclid|msclkid|twclid|yclid|igshid|igsh|mc_cid|mc_eid|mkt_tok|_hs\w+|hsctatracking"
    r"|ncid|cmpid|ocid|tsrc|guccounter|guce_\w+|feed|feedref|feedtype|rss|rssid|ref_?src|ref_?url|spm|_ga|_gl|trk|xtor|at_\w+"
    r"|soc_src|soc_trk|sr_share|share|amp",
    re.I,
)
# Parameters that track only with these values: elsewhere they name what is shown.
TRACKING_VALUES = {"source": re.compile(r"rss.*", re.I), "ref": re.compile(r"rss.*|feed.*|twitter|linkedin|facebook", re.I)}
SAFE_IN_PATH = "/:@!$&'()*+,;=~-._"
PERCENT = re.compile(r"%([0-9a-fA-F]{2})")
STRAY_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")


def canonical_url(url: str) -> str:
    """The form in which two links to one page are equal; only for comparing, never for fetching.

    https for http, host in lower-case ASCII without ``www.``, no default port, fragment, tracking parameters or
    trailing slash; parameters sorted. Total and idempotent; text that is no URL comes back stripped.
    """
    text = url.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return text
    scheme = parts.scheme.lower()
    host = _host(parts)
    if scheme not in SCHEMES or not host:
        return text
    if port is not None and port not in DEFAULT_PORTS:
        host = f"{host}:{port}"
    return urlunsplit(("https", host, _path(parts.path), _query(parts.query), ""))


def is_page(canonical: str) -> bool:
    """Whether a canonical link can name one document: a site's front page can't."""
    parts = urlsplit(canonical)
    return bool(parts.netloc and (parts.path.strip("/") or parts.query))


def document_id(source_id: str, link: str | None, guid: str | None, title: str, dated: str, is_link_shared: bool) -> str | None:
    """The id of an entry, or None when it has nothing to be known by.

    By its canonical link; by link and title (``title_key``) where the link is shared, which is: the feed gives it, or
    has given it, to entries of different titles (see shared_links); else by GUID, else by title and stated date. Links
    hold across sources, GUIDs and titles only within one.
    """
    canonical = canonical_url(link) if link else ""
    if canonical and is_page(canonical):
        return _id("link", canonical, title_key(title)) if is_link_shared else link_id(canonical)
    if guid:
        return _id("guid", source_id, guid)
    if title:
        return _id("title", source_id, title, dated)
    return None


def link_id(canonical: str) -> str:
    """The id of the document that a canonical link names by itself."""
    return _id("link", canonical)


def title_key(title: str) -> str:
    """The form in which two titles are equal: without HTML, case, or the ways to write a space or an accent."""
    return " ".join(unicodedata.normalize("NFKC", one_line(title)).casefold().split())


def filing_id(accession: str) -> str:
    """The id of an EDGAR filing, by its accession number."""
    return _id("accession", accession)


def _id(*parts: str) -> str:
    return str(uuid5(NAMESPACE, "\x1f".join(parts)))


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii").lower()
        except UnicodeError:
            return host
    if ":" in host:
        return f"[{host}]"
    while host.startswith("www.") and host.count(".") > 1:
        host = host.removeprefix("www.")
    return host


def _path(path: str) -> str:
    path = PERCENT.sub(_unreserved, STRAY_PERCENT.sub("%25", path))
    return quote(path, safe=SAFE_IN_PATH + "%", errors="replace").rstrip("/")


def _unreserved(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character.isascii() and (character.isalnum() or character in "-._~") else match[0].upper()


def _query(query: str) -> str:
    pairs = [pair for pair in parse_qsl(query, keep_blank_values=True) if not _tracks(*pair)]
    return urlencode(sorted(pairs), errors="replace")


def _tracks(name: str, value: str) -> bool:
    if TRACKING.fullmatch(name):
        return True
    values = TRACKING_VALUES.get(name.lower())
    return values is not None and values.fullmatch(value) is not None

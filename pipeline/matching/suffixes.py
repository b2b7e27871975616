"""The Public Suffix List: which part of a host name its owner registered.

The list with its private section, as bundled with tldextract or as an operator fetched it, so that a page of a hosting service
is its owner's and not the host's. Nothing is fetched here.
"""

from __future__ import annotations

import zlib
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.matching.hosts import CACHE_SIZE, labels_of

if TYPE_CHECKING:
    import tldextract

_refreshed: Path | None = None


def use_suffix_list(file: Path | None) -> None:
    """Judge by the Public Suffix List in ``file`` from now on, in this process; None: by the bundled one.

    Keys computed before stay as they are stored.
    """
    global _refreshed
    if file != _refreshed:
        _refreshed = file
        for cached in (_suffix_list, registrable_of_host):
            cached.cache_clear()


@lru_cache(maxsize=CACHE_SIZE)
def registrable_of_host(host: str | None) -> str | None:
    """The registrable domain of a host (lower case, ASCII); None for a public suffix, an address, nonsense."""
    labels = labels_of(host)
    if labels is None:
        return None
    parts = _suffix_list()(".".join(labels))
    if not parts.suffix:
        # The list's default rule: an unlisted ending is a public suffix of one label.
        return ".".join(labels[-2:])
    if not parts.domain or (parts.domain == "www" and parts.is_private):
        return None
    return f"{parts.domain}.{parts.suffix}"


@cache
def _suffix_list() -> tldextract.TLDExtract:
    import tldextract  # and requests with it: only where a host is judged, which most processes of the HTTP service never do

    # No request and no cache folder: the bundled list, or the file that an operator fetched.
    urls = (_refreshed.as_uri(),) if _refreshed else ()
    return tldextract.TLDExtract(suffix_list_urls=urls, cache_dir=None, include_psl_private_domains=True)


def all_suffixes() -> frozenset[str]:
    """Every public suffix of the list, and the names that its wildcards and exceptions stand under."""
    return frozenset(suffix.removeprefix("*.").removeprefix("!") for suffix in _suffix_list().tlds)


def suffix_list_digest() -> int:
    """A number that tells one list from another: of the file that an operator fetched, 0 for the bundled one."""
    return zlib.crc32(_refreshed.read_bytes()) if _refreshed else 0

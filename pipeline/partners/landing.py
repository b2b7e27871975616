"""Where a partner's link leads: the page that its settings name and no other, with what the page should know of the click.

Pure. The page's address is checked when it is set; a link holds no address that anybody could put another in the place of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pipeline.partners.validation import MOST_CHARACTERS, UTM_FIELDS
from pipeline.webhooks.urls import UrlRefused, check_url

LINK_PREFIX = "/app/partners/go"
CLICK_PARAMETER = "click_id"


class LandingRefused(ValueError):
    """An address that no link may lead to."""


def check_landing(url: str) -> str:
    """``url`` in its one spelling: https, a public host, no user name in it, no fragment. Raises LandingRefused."""
    try:
        return check_url(url)
    except UrlRefused as error:
        raise LandingRefused(
            f"the landing page {url!r} can't be one ({error.rule}): give https://, a public host, and a path"
        ) from None


def link_path(click_code: str) -> str:
    """The address of a partner's link on this service, without its host."""
    return f"{LINK_PREFIX}/{click_code}"


def utm_of(parameters: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The UTM values of a link's query that a lead could have too; the first of each name. Others are passed over."""
    found: dict[str, str] = {}
    for name, value in parameters:
        text = value.strip()
        if name in UTM_FIELDS and 1 <= len(text) <= MOST_CHARACTERS[name] and text.isprintable():
            found.setdefault(name, text)
    return found


def onward(landing_url: str, utm: Mapping[str, str], click: str | None) -> str:
    """The landing page with the UTM values and the click in its query. What the page's own query names stays as it is."""
    parts = urlsplit(landing_url)
    own = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    more = dict(utm) | ({CLICK_PARAMETER: click} if click else {})
    added = urlencode({name: value for name, value in more.items() if name not in own})
    return urlunsplit(parts._replace(query="&".join(text for text in (parts.query, added) if text)))

"""Round types by the names that this face has for them, and the one that a misspelt name means (A-X-3, A-SB-13)."""

from __future__ import annotations

import re
from difflib import get_close_matches

# The vendor's eighteen, and those that texts name besides: what `roundType` can hold.
ROUNDS = (
    "pre-seed", "seed", "series a", "series b", "series c", "series d", "series e", "series f", "series g", "series h", "angel",
    "grant", "crowdfunding", "growth", "debt", "debt financing", "convertible note", "equity", "fund", "ipo",
    "bridge", "strategic", "private", "pre-ipo", "pre-series a", "pre-series b", "pre-series c", "pre-series d", "pre-series e",
    "pre-series f", "pre-series g", "pre-series h",
)  # fmt: skip
# Where the face's list has a name of its own for the same thing (vendor enumerations, July 2026).
_NAMED_OTHERWISE = {"venture-debt": "debt financing", "debt": "debt financing", "convertible-note": "convertible note"}
_MARKS = re.compile(r"[\W_]+")


def face_round_type(internal: str | None) -> str | None:
    """The internal slug as this face writes it: `series-a` is `series a`, `pre-seed` stays `pre-seed`."""
    if not internal:
        return None
    prefix = "pre-" if internal.startswith("pre-") else ""
    return _NAMED_OTHERWISE.get(internal) or prefix + internal.removeprefix(prefix).replace("-", " ")


def round_meant(name: str) -> str | None:
    """The round type that ``name``, in lower case and none of ROUNDS, looks like; None where it looks like none.

    Marks and blanks first (`series-a`, `preseed`), then slips of the pen (`seeed`).
    """
    plain = _plain(name)
    same = [known for known in ROUNDS if _plain(known) in (plain, f"series{plain}")]
    close = same or get_close_matches(name, ROUNDS, n=1, cutoff=0.75)
    return close[0] if close else None


def _plain(name: str) -> str:
    return _MARKS.sub("", name)

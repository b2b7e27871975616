"""Reading a status snapshot: JSON Lines, one line per lead, as StartCap's CRM exports them.

``{"reference_id": "20240115-123", "application_status": "offer_ready", "funded_amount": "50000.00", "quotes": [...]}``. A file with
one bad line is refused whole: half a snapshot would tell changes that did not happen.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from pipeline.partners.references import number_of
from pipeline.partners.stages import STAGES

MOST_CENTS = 10**13
# Most lines are those of the day before: they are checked once. They hold no person. About 250 bytes each.
LINES_KEPT = 100_000


class SnapshotInvalid(ValueError):
    """A snapshot that can't be used. The text names the line."""


class Quote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One quote of a lead (SC-56, SC-57)."""

    quote_type: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    status: Literal["pending", "sent", "received", "declined", "not_approved"]
    quote_group_status: Literal["waiting", "ready", "sent"]
    amount: Decimal | None = None


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One lead on one day. ``application_status`` None: no application is linked."""

    reference_id: str
    application_status: str | None = None
    funded_amount: Decimal | None = None
    quotes: list[Quote] | None = None  # None: they stay as they are


_DECODER = msgspec.json.Decoder(Line)


def lines_of(content: str) -> list[str]:
    """The lines of a file that are not blank. Only a line feed ends one: text may hold what else Unicode calls a line's end."""
    return list(filter(str.strip, content.split("\n")))


def count_leads(content: str) -> int:
    """How many leads a file speaks of. Raises SnapshotInvalid where one of its lines can't be used."""
    lines = lines_of(content)
    try:
        leads = len(set(map(_numbers.__getitem__, lines)))
    except ValueError:
        leads = 0
    if leads < len(lines):
        raise SnapshotInvalid(_what_is_wrong(content))
    return leads


def read_lines(lines: Iterable[str]) -> dict[int, Line]:
    """Lines of files that can be used, by the leads' numbers."""
    found = {}
    for text in lines:
        line = _DECODER.decode(text)
        number = number_of(line.reference_id)
        assert number is not None
        found[number] = line
    return found


def _what_is_wrong(content: str) -> str:
    """The first line that can't be used, and why."""
    seen: set[int] = set()
    for at, text in enumerate(content.split("\n"), 1):
        if not text.strip():
            continue
        try:
            number = _numbers[text]
        except ValueError as error:
            return f"line {at}: {error}"
        if number in seen:
            return f"line {at}: {_DECODER.decode(text).reference_id} is there twice"
        seen.add(number)
    raise AssertionError("every line can be used")


def cents_of(amount: Decimal) -> int:
    """``amount`` in whole cents. Raises ValueError where it has parts of one, or is out of bounds."""
    if not amount.is_finite() or abs(amount) > MOST_CENTS:
        raise ValueError(f"{amount} is no amount")
    cents = amount * 100
    if cents < 0 or cents != int(cents):
        raise ValueError(f"{amount} is no amount in dollars and whole cents")
    return int(cents)


class _Numbers(dict[str, int]):
    """The leads' numbers by lines that can be used. To ask for one that is there costs no call of ours, and most are."""

    def __missing__(self, text: str) -> int:
        number = _checked(text)
        if len(self) >= LINES_KEPT:
            self.clear()
        self[text] = number
        return number


_numbers = _Numbers()


def _checked(text: str) -> int:
    """The number of the line's lead. Raises ValueError (msgspec's errors are some) for a line that can't be used."""
    line = _DECODER.decode(text)
    number = number_of(line.reference_id)
    if number is None:
        raise ValueError(f"reference_id {line.reference_id!r} is not of the form YYYYMMDD-id")
    if line.application_status is not None and line.application_status not in STAGES:
        raise ValueError(f"{line.application_status!r} is no stage; there are: {', '.join(STAGES)}")
    if line.funded_amount is not None:
        cents_of(line.funded_amount)
    for quote in line.quotes or ():
        if quote.amount is not None:
            cents_of(quote.amount)
    return number

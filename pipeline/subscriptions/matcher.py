"""Which of very many subscriptions one signal goes to, without asking each: sets of subscriptions as the bits of whole numbers.

Each kind of filter is one dimension. For a signal, a dimension gives the set of subscriptions that it does not stand in the
way of: those without that filter, and those whose filter is satisfied, looked up by value. The answer is what all these sets
share. Whole numbers of Python intersect a hundred thousand bits in about a microsecond. `Filter.accepts` is the meaning; a
property test holds the two together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

from pipeline.subscriptions.filters import Filter, category_terms, lowered, search_text, share
from pipeline.subscriptions.model import EventType, Facts
from pipeline.subscriptions.ranges import Range

T = TypeVar("T", bound=Hashable)
# A set of fewer members than this is kept as a list of positions: a hundred thousand different values would else take
# a hundred thousand times a hundred thousand bits.
DENSE = 400


@dataclass(frozen=True, slots=True)
class Subscription:
    """What the matcher knows of a webhook."""

    endpoint_id: str
    event_types: frozenset[str]
    filter: Filter


class _Dimension(Generic[T]):
    """One kind of filter: who has none, and who has which value."""

    __slots__ = ("_bytes", "_dense", "_sparse", "free", "is_used")

    def __init__(self, size: int, free: int, dense: dict[T, int], sparse: dict[T, Sequence[int] | str]) -> None:
        """``size``: of so many subscriptions. ``free``: who doesn't care. ``dense``, ``sparse``: who has a value, as bits or
        as positions, which may still be the text they were kept as."""
        self._bytes = size // 8 + 1
        self.free, self._dense, self._sparse = free, dense, sparse
        self.is_used = bool(dense or sparse)

    @classmethod
    def of(cls, wanted: Iterable[Iterable[T] | None]) -> _Dimension[T]:
        """``wanted``: by position, the values of which a signal must have one; None: this subscription doesn't care."""
        free: list[int] = []
        members: defaultdict[T, list[int]] = defaultdict(list)
        size = 0
        for position, values in enumerate(wanted):
            size = position + 1
            if values is None:
                free.append(position)
            else:
                for value in values:
                    members[value].append(position)
        room = size // 8 + 1
        dense = {value: _bits(found, room) for value, found in members.items() if len(found) >= DENSE}
        sparse: dict[T, Sequence[int] | str] = {value: found for value, found in members.items() if len(found) < DENSE}
        return cls(size, _bits(free, room), dense, sparse)

    def having(self, values: Iterable[T]) -> int:
        """Who doesn't care, or wants one of ``values``."""
        found, few = self.free, list[int]()
        for value in values:
            if value in self._dense:
                found |= self._dense[value]
            elif value in self._sparse:
                few += self._few(value)
        return found | _bits(few, self._bytes) if few else found

    def satisfied(self, holds: Callable[[T], bool]) -> int:
        """Who doesn't care, or wants something that ``holds``. Asks once per different value, not per subscription."""
        found, few = self.free, list[int]()
        for value, bits in self._dense.items():
            if holds(value):
                found |= bits
        for value in self._sparse:
            if holds(value):
                few += self._few(value)
        return found | _bits(few, self._bytes) if few else found

    def to_json(self, spell: Callable[[T], Any]) -> list[Any]:
        """It all as a JSON value. ``spell``: a value as JSON."""
        few = [found if isinstance(found, str) else " ".join(map(str, found)) for found in self._sparse.values()]
        many = [_hex(bits) for bits in self._dense.values()]
        return [_hex(self.free), list(map(spell, self._dense)), many, list(map(spell, self._sparse)), few]

    @classmethod
    def from_json(cls, stored: list[Any], size: int, read: Callable[[Any], T]) -> _Dimension[T]:
        """What `to_json` gave, of ``size`` subscriptions."""
        free, dense, many, sparse, few = stored
        bits = (int(text, 16) for text in many)
        return cls(
            size, int(free, 16), dict(zip(map(read, dense), bits, strict=True)), dict(zip(map(read, sparse), few, strict=True))
        )

    def _few(self, value: T) -> Sequence[int]:
        """Who wants a rare value. Positions are read when they are first asked for: most never are, in a process of one run."""
        found = self._sparse[value]
        if isinstance(found, str):
            found = self._sparse[value] = [int(position) for position in found.split()]
        return found


class Matcher:
    """A fixed set of subscriptions, ready to be asked. Built in time linear in their number, or read from what `to_json` gave."""

    def __init__(self, ids: Sequence[str], dimensions: Mapping[str, _Dimension[Any]]) -> None:
        self._ids = ids
        self._by_event: _Dimension[str] = dimensions["events"]
        self._countries: _Dimension[str] = dimensions["countries"]
        self._categories: _Dimension[str] = dimensions["categories"]
        self._search: _Dimension[str] = dimensions["search"]
        self._sizes: _Dimension[Range] = dimensions["sizes"]
        self._from: _Dimension[datetime] = dimensions["from"]
        self._before: _Dimension[datetime] = dimensions["before"]
        self._types: _Dimension[str] = dimensions["types"]
        self._flavors: _Dimension[str] = dimensions["flavors"]
        self._funding: _Dimension[Range] = dimensions["funding"]
        self._acquisition: _Dimension[Range] = dimensions["acquisition"]
        self._health: _Dimension[Decimal] = dimensions["health"]
        self._lists: _Dimension[str] = dimensions["lists"]
        self._dimensions = dimensions

    @classmethod
    def of(cls, subscriptions: Sequence[Subscription]) -> Matcher:
        """Of these, in their order."""
        filters = [subscription.filter for subscription in subscriptions]
        wanted: dict[str, Iterable[Iterable[Any] | None]] = {
            "events": (subscription.event_types for subscription in subscriptions),
            "countries": (one.countries for one in filters),
            "categories": (one.categories for one in filters),
            "search": (_only(one.search) for one in filters),
            "sizes": (one.team_sizes for one in filters),
            "from": (_only(one.date_from) for one in filters),
            "before": (_only(one.date_before) for one in filters),
            "types": (one.round_types for one in filters),
            "flavors": (one.round_flavors for one in filters),
            "funding": (one.funding_amounts for one in filters),
            "acquisition": (one.acquisition_amounts for one in filters),
            "health": (_only(one.health) for one in filters),
            "lists": (_only(one.watch_list) for one in filters),
        }
        ids = [subscription.endpoint_id for subscription in subscriptions]
        return cls(ids, {name: _Dimension.of(values) for name, values in wanted.items()})

    def to_json(self) -> dict[str, Any]:
        """It all as a JSON value, read many times faster than it is built."""
        dimensions = {name: self._dimensions[name].to_json(spell) for name, (spell, _) in _SPELLINGS.items()}
        return {"ids": " ".join(self._ids), "dimensions": dimensions}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Matcher:
        """What `to_json` gave. Raises KeyError, ValueError, TypeError for what it can't have given."""
        ids, dimensions = stored["ids"].split(), stored["dimensions"]
        made = {name: _Dimension.from_json(dimensions[name], len(ids), read) for name, (_, read) in _SPELLINGS.items()}
        return cls(ids, made)

    @property
    def ids(self) -> Sequence[str]:
        """Endpoints, in the order they were given."""
        return self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def match(self, facts: Facts) -> list[str]:
        """Endpoints of the subscriptions to ``facts.event_type`` whose filters accept it, in the order they were given."""
        found = self._by_event.having((facts.event_type,))
        if facts.event_type != EventType.INVESTOR:  # of which nothing but the profile is asked
            found = self._by_company(facts, self._by_deal(facts, found))
        return [self._ids[position] for position in _positions(self._by_profile(facts, found))]

    def _by_profile(self, facts: Facts, found: int) -> int:
        if found and self._lists.is_used:
            found &= self._lists.having(facts.watch_lists)
        if found and self._countries.is_used:
            found &= self._countries.having((facts.country,) if facts.country else ())
        if found and self._search.is_used:
            text = search_text(facts)
            found &= self._search.satisfied(lambda sought: sought in text)
        return found

    def _by_company(self, facts: Facts, found: int) -> int:
        if found and self._categories.is_used:
            found &= self._categories.having(category_terms(facts))
        if found and self._sizes.is_used:
            found &= _in_ranges(self._sizes, facts.employee_count)
        if found and self._from.is_used:
            found &= self._from.satisfied(lambda first: facts.occurred_at >= first)
        if found and self._before.is_used:
            found &= self._before.satisfied(lambda end: facts.occurred_at < end)
        return found

    def _by_deal(self, facts: Facts, found: int) -> int:
        if facts.event_type == EventType.FUNDING:
            if found and self._types.is_used:
                found &= self._types.having((lowered(facts.round_type),))
            if found and self._flavors.is_used:
                found &= self._flavors.having((lowered(facts.round_flavor),))
            if found and self._funding.is_used:
                found &= _in_ranges(self._funding, facts.amount)
            if found and self._health.is_used:
                known = None if facts.confidence is None else share(facts.confidence)
                found &= self._health.satisfied(lambda least: known is not None and known >= least)
        else:
            found &= self._types.free & self._flavors.free & self._funding.free & self._health.free
        if facts.event_type == EventType.ACQUISITION:
            return found & _in_ranges(self._acquisition, facts.amount)
        return found & self._acquisition.free


def _in_ranges(dimension: _Dimension[Range], number: int | None) -> int:
    return dimension.free if number is None else dimension.satisfied(lambda part: part.holds(number))


def _only(value: Any) -> tuple[Any] | None:
    return None if value is None else (value,)


def _hex(bits: int) -> str:
    return f"{bits:x}"


def _same(value: Any) -> Any:
    return value


# What each dimension's values are as JSON, and back.
_TEXT = (_same, _same)
_RANGE = (list, Range._make)
_INSTANT = (lambda instant: instant.isoformat(), datetime.fromisoformat)
_SPELLINGS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "events": _TEXT, "countries": _TEXT, "categories": _TEXT, "search": _TEXT, "sizes": _RANGE, "from": _INSTANT,
    "before": _INSTANT, "types": _TEXT, "flavors": _TEXT, "funding": _RANGE, "acquisition": _RANGE, "health": (str, Decimal),
    "lists": _TEXT,
}  # fmt: skip


def _bits(positions: Iterable[int], size: int) -> int:
    field = bytearray(size)
    for position in positions:
        field[position >> 3] |= 1 << (position & 7)
    return int.from_bytes(field, "little")


def _positions(bits: int) -> Iterable[int]:
    for index, byte in enumerate(bits.to_bytes((bits.bit_length() + 7) // 8, "little")):
        if byte:
            for offset in _SET[byte]:
                yield (index << 3) + offset


_SET = tuple(tuple(offset for offset in range(8) if byte >> offset & 1) for byte in range(256))

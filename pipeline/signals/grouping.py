"""Reports gathered into rounds, one after the other: which round each belongs to, and which rounds turn out to be one.

What belongs here: the rounds at hand, found by their reports' keys, in memory. What does not: whether two reports are of one
round (resolve), the warehouse (round_table), files (resolve_lines).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.signals.resolve import Link, Report, are_one, block_keys, links, round_id_of


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a report went and by what; the rounds that it showed to be the same as that one, and the documents that came with
    them (all in ``round_id`` now)."""

    round_id: str
    linked_by: str
    absorbed: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()


@dataclass
class Rounds:
    """The rounds at hand. ``merged_into`` maps a round that was found to be part of another to that one, which is never merged
    itself; ``first_seen`` (aware UTC) decides which of two goes on: the one first seen, of equals the smaller id."""

    reports: dict[str, dict[str, Report]] = field(default_factory=dict)
    linked: dict[str, str] = field(default_factory=dict)
    first_seen: dict[str, datetime] = field(default_factory=dict)
    merged_into: dict[str, str] = field(default_factory=dict)
    _by_key: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def add(self, round_id: str, report: Report) -> None:
        """Note that ``report`` is of the round."""
        self.reports.setdefault(round_id, {})[report.document_id] = report
        self.linked[report.document_id] = round_id
        self.first_seen.setdefault(round_id, report.landed_at)
        for key in block_keys(report):
            self._by_key.setdefault(key, set()).add(round_id)

    def take_out(self, document_id: str) -> str | None:
        """Forget a document's report; gives the round it was of."""
        round_id = self.linked.pop(document_id, None)
        if round_id is not None:
            self.reports[round_id].pop(document_id, None)
        return round_id

    def find(self, report: Report) -> list[Link]:
        """The rounds that ``report`` is of, the likeliest first."""
        return links(report, self._candidates(report))

    def place(self, report: Report, found: list[Link]) -> Placed:
        """Put ``report`` into the likeliest round of ``found``, or found one. Rounds that the report shows to be one become one."""
        if not found:
            round_id = self.standing(round_id_of(report.document_id))
            self.add(round_id, report)
            return Placed(round_id, "founding")
        round_id = found[0].round_id
        # A name that is only like another joins one report to one round, never two rounds.
        others = [link.round_id for link in found[1:] if link.linked_by != "name_variant"]
        same = [other for other in others if are_one(self._of(round_id), self._of(other))]
        self.add(round_id, report)
        stays = min([round_id, *same], key=lambda each: (self.first_seen[each], each))
        absorbed = tuple(sorted({round_id, *same} - {stays}))
        moved = tuple(moved for gone in absorbed for moved in self._absorb(gone, stays) if moved != report.document_id)
        return Placed(stays, found[0].linked_by, absorbed, moved)

    def standing(self, round_id: str) -> str:
        """The round that goes on for ``round_id``: itself, or the one it was merged into."""
        return self.merged_into.get(round_id, round_id)

    def forget(self, round_id: str) -> None:
        """Let go of a round to which nothing more can come."""
        for report in self.reports.pop(round_id, {}).values():
            self.linked.pop(report.document_id, None)
            for key in block_keys(report):
                rounds = self._by_key.get(key, set())
                rounds.discard(round_id)
                if not rounds:
                    self._by_key.pop(key, None)
        self.first_seen.pop(round_id, None)

    def _absorb(self, gone: str, stays: str) -> list[str]:
        for earlier, into in self.merged_into.items():
            if into == gone:
                self.merged_into[earlier] = stays
        self.merged_into[gone] = stays
        moved = self._of(gone)
        for report in moved:
            self.add(stays, report)
        self.reports[gone] = {}
        return [report.document_id for report in moved]

    def _of(self, round_id: str) -> tuple[Report, ...]:
        return tuple(self.reports[round_id].values())

    def _candidates(self, report: Report) -> Iterator[tuple[str, tuple[Report, ...]]]:
        for round_id in sorted({found for key in block_keys(report) for found in self._by_key.get(key, ())}):
            if self.reports.get(round_id):
                yield round_id, self._of(round_id)

"""When a sensor asks for a run: pure decisions, tested on their own.

A sensor reads what is waiting and what it asked for before, and one of these functions says what to do. Asking is
level-triggered: what is still waiting is asked for again, under a new run key, once no run is under way that could
be working on it. What forbids a second delivery is the ledger, never a run key.
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Self


@dataclass(frozen=True, slots=True)
class Asked:
    """What was last asked for: the newest thing waiting then, and how many times."""

    newest: str = ""
    attempt: int = 0

    def to_cursor(self) -> str:
        """As the text Dagster keeps."""
        return json.dumps(asdict(self))

    @classmethod
    def from_cursor(cls, cursor: str | None) -> Self:
        """From the text Dagster kept; nothing asked yet when there is none, or none that can be read."""
        try:
            kept = json.loads(cursor or "{}")
            return cls(str(kept.get("newest", "")), int(kept.get("attempt", 0)))
        except (ValueError, AttributeError, TypeError):
            return cls()


@dataclass(frozen=True, slots=True)
class Decision:
    """Ask for a run under ``run_key``, or not (None), for ``reason``; and what to remember."""

    run_key: str | None
    reason: str
    asked: Asked


def decide(job: str, waiting: str | None, asked: Asked, runs_under_way: int) -> Decision:
    """Whether to ask for a run of ``job``.

    ``waiting`` names the newest thing that waits (None: nothing does). New work is asked for at once unless two runs are
    under way already: one may be past the step that would see it, two can't both be. Work that was asked for before is
    asked for again only when nothing is under way: then its run failed or died.
    """
    if waiting is None:
        return Decision(None, "nothing is waiting", asked)
    if waiting != asked.newest:
        if runs_under_way >= 2:
            return Decision(None, f"{runs_under_way} runs of {job} are under way", asked)
        fresh = Asked(waiting, 1)
        return Decision(f"{job}:{waiting}:1", f"new work: {waiting}", fresh)
    if runs_under_way:
        return Decision(None, f"a run of {job} is working on {waiting}", asked)
    again = replace(asked, attempt=asked.attempt + 1)
    return Decision(f"{job}:{waiting}:{again.attempt}", f"{waiting} still waits after {asked.attempt} runs", again)

"""What the demo keeps between two runs, so that the second one meets the very same world."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

FILE = "demo.json"


@dataclass
class DemoState:
    """Start of the demo's world, where it is served, and the webhook secrets its receiver verifies with.

    The file is readable by its owner alone. Only the demo keeps secrets like this: its partners are invented.
    """

    epoch: str
    feed_port: int
    receiver_port: int
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def started_at(self) -> datetime:
        """The instant that the samples' times are relative to."""
        return datetime.fromisoformat(self.epoch)

    def save(self, home: Path) -> None:
        """Write the file, whole or not at all."""
        part = home / f"{FILE}.part"
        part.touch(mode=0o600)
        part.write_text(json.dumps(asdict(self)))
        part.replace(home / FILE)


def load_or_start(home: Path, now: datetime) -> DemoState:
    """The demo's state, or a new world that starts now on two free ports."""
    home.mkdir(parents=True, exist_ok=True)
    file = home / FILE
    if file.exists():
        return DemoState(**json.loads(file.read_text()))
    state = DemoState(now.astimezone(UTC).replace(microsecond=0).isoformat(), _free_port(), _free_port())
    state.save(home)
    return state


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

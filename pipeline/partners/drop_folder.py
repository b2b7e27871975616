"""Status snapshots dropped as files: a folder in which StartCap's CRM, or somebody by hand, puts one file a day.

Files are taken in under their day, ``YYYY-MM-DD….jsonl``. One that was taken in goes to ``taken/``, one that can't be used to
``refused/`` with its reason beside it; so a file is read once, and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from pipeline.partners.snapshot_file import SnapshotInvalid
from pipeline.partners.snapshots import Landed, land
from pipeline.store.app_database import AppDatabase

FOLDER = "status_snapshots"  # below the installation's home
TAKEN, REFUSED = "taken", "refused"
PATTERN = "*.jsonl"
# A file that was written to a moment ago may still be growing.
SETTLED = timedelta(seconds=30)


@dataclass(slots=True)
class Taken:
    """What became of the files: landed snapshots, and (name, reason) of those refused."""

    landed: list[Landed] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def take_files(db: AppDatabase, folder: Path, now: datetime, settled: timedelta = SETTLED) -> Taken:
    """Land all snapshots in ``folder``, by name. A folder that is not there is empty."""
    taken = Taken()
    for file in _files(folder, now, settled):
        try:
            landed = land(db, _day_of(file), _text_of(file), now)
        except SnapshotInvalid as error:
            taken.refused.append((file.name, str(error)))
            _put_away(file, REFUSED).with_suffix(".reason.txt").write_text(f"{error}\n", encoding="utf-8")
        else:
            taken.landed.append(landed)
            _put_away(file, TAKEN)
    return taken


def _files(folder: Path, now: datetime, settled: timedelta) -> Sequence[Path]:
    newest = (now - settled).timestamp()
    return sorted(file for file in folder.glob(PATTERN) if file.is_file() and file.stat().st_mtime <= newest)


def _day_of(file: Path) -> date:
    try:
        return date.fromisoformat(file.name[:10])
    except ValueError:
        raise SnapshotInvalid(f"{file.name} does not begin with a day (YYYY-MM-DD)") from None


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SnapshotInvalid(f"{file.name} is not UTF-8: {error}") from None


def _put_away(file: Path, where: str) -> Path:
    """Move ``file`` beside its like; one of the same name there is kept, under a number."""
    folder = file.parent / where
    folder.mkdir(exist_ok=True)
    to, again = folder / file.name, 1
    while to.exists():
        again += 1
        to = folder / f"{file.stem}.{again}{file.suffix}"
    return file.rename(to)

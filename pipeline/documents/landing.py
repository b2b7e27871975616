"""The landing: every fetched body, byte for byte, under its content address.

What belongs here: keeping bytes and giving them back. What does not: what they mean, and whether they were read
(table ``landings`` of the app database).
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from datetime import datetime
from pathlib import Path

SHA256 = re.compile(r"[0-9a-f]{64}")


class NotLanded(LookupError):
    """No bytes are kept under this address, or not the ones that belong there."""


class Landing:
    """A folder of bodies, ``aa/bb/aabb…`` by SHA-256. Safe for several processes: a body appears whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, body: bytes) -> str:
        """Keep ``body`` and return its SHA-256 (hex). On disk when this returns; keeping it again is no work."""
        sha256 = hashlib.sha256(body).hexdigest()
        path = self._path(sha256)
        if path.exists() and path.stat().st_size == len(body):
            os.utime(path)  # so that retention sees that it is in use (forget)
            return sha256
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".landing-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
        return sha256

    def get(self, sha256: str) -> bytes:
        """The body kept under ``sha256``. Raises NotLanded when there is none or it was tampered with."""
        path = self._path(sha256)
        try:
            body = path.read_bytes()
        except FileNotFoundError:
            raise NotLanded(f"the landing has no body {sha256}: {path} is missing. Restore it from a backup.") from None
        if hashlib.sha256(body).hexdigest() != sha256:
            raise NotLanded(f"{path} does not hold what its name says. Restore it from a backup.")
        return body

    def has(self, sha256: str) -> bool:
        """Whether a body is kept under ``sha256``; not whether it is whole."""
        return self._path(sha256).exists()

    def forget(self, sha256: str, before: datetime) -> bool:
        """Delete the body kept under ``sha256`` unless it was put again at or after ``before``; was there one to delete?"""
        path = self._path(sha256)
        try:
            if path.stat().st_mtime >= before.timestamp():
                return False
            path.unlink()
        except FileNotFoundError:
            return False
        return True

    def _path(self, sha256: str) -> Path:
        if not SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is no SHA-256 in lower-case hexadecimal")
        return self.folder / sha256[:2] / sha256[2:4] / sha256


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""The committed samples, and a server of them at a fixed time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.samples import SampleServer

FOLDER = Path(__file__).resolve().parents[3] / "data" / "samples"


@pytest.fixture(scope="session")
def folder() -> Path:
    return FOLDER


@pytest.fixture(scope="session")
def epoch() -> datetime:
    return datetime(2026, 3, 1, 10, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def served(folder: Path, epoch: datetime) -> Iterator[SampleServer]:
    with SampleServer(folder, epoch) as server:
        yield server


@pytest.fixture(scope="session")
def expected(served: SampleServer) -> Any:
    """``expected.yaml`` with the addresses of ``served``."""
    return yaml.safe_load(served.render_file("expected.yaml"))

"""Senders are killed, the app database goes away, several find the same matches at once: at most once all the same (FS-61, A-FS-8).

The short form of benchmarks/chaos.py, which says what is compared; there, at least 200 kills over at least 5,000 deliveries.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pipeline.settings import PROJECT_ROOT

CHAOS = PROJECT_ROOT / "benchmarks" / "chaos.py"


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--kills", "12", "--deliveries", "300"], "kills,overlap"),
        (["--postgresql", "--kills", "10", "--deliveries", "300"], "kills,restart"),
    ],
    ids=["sqlite", "postgresql"],
)
def test_receiver_ledger_and_feed_agree_whatever_was_killed_when(options: list[str], parts: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
    command = [sys.executable, str(CHAOS), *options, "--parts", parts]
    done = subprocess.run(command, env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("all hold") == len(parts.split(","))

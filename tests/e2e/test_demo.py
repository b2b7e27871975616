"""`fundingscout demo`, as a newcomer runs it: twice."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.demo.run import run_demo


def test_demo_does_what_the_samples_call_for_and_nothing_a_second_time(tmp_path: Path) -> None:
    """FS-21, FS-61, FS-77 and the cases of data/samples/README.md."""
    first = run_demo(tmp_path)
    assert first.differences == []
    assert first.sent == 17
    second = run_demo(tmp_path)
    assert second.differences == []
    assert second.sent == 0
    received = [json.loads(line) for line in (tmp_path / "received.jsonl").read_text().splitlines()]
    assert len(received) == 17


def test_demo_keeps_its_secrets_to_itself(tmp_path: Path) -> None:
    """FS-4: beside the demo's own file, readable by its owner alone, no file holds a secret in clear."""
    run_demo(tmp_path)
    state = tmp_path / "demo.json"
    assert state.stat().st_mode & 0o077 == 0
    for secret in json.loads(state.read_text())["secrets"].values():
        holders = [path for path in tmp_path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
        assert holders == [state]

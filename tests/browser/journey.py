"""An analyst's morning in a real browser: the UI that `fundingscout demo --stay` serves, driven in headless Chromium.

Run by `make browser-test` and not by `make test`: it needs Chromium, which takes minutes to install, and its file has another
name than pytest looks for. What is missing fails it and is named; nothing is skipped. With SCREENSHOTS=FOLDER the pictures
that docs/analysts shows are put there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import PROJECT_ROOT

HERE = Path(__file__).parent
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
READY_SECONDS, JOURNEY_SECONDS = 600, 900


def chromium() -> str:
    """Where Chromium is; CHROMIUM names another one."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert found, "Chromium is missing: `apt-get install chromium`, or name it in CHROMIUM"
    return found


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What package-lock.json pins, installed in a folder of its own."""
    assert shutil.which("npm"), "node and npm are missing: `apt-get install nodejs npm`"
    folder = tmp_path_factory.mktemp("npm")
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, folder / name)
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder / "node_modules"


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a UI on the demo's world, of a service of its own that ends with the test."""
    home = tmp_path_factory.mktemp("demo")
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("FUNDINGSCOUT_", "DAGSTER_"))}
    process = subprocess.Popen(
        [sys.executable, "-c", "from pipeline.cli import run; run()", "demo", "--home", str(home), "--stay"],
        cwd=PROJECT_ROOT,
        env=bare | {"FUNDINGSCOUT_UI_PORT": "0", "FUNDINGSCOUT_API_PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said: list[str] = []
    ready = threading.Event()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if "Dagster UI:" in line:
                ready.set()
        ready.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        assert ready.wait(READY_SECONDS), "".join(said)
        found = re.search(r"Dagster UI: (http://[\d.:]+)", "".join(said))
        assert found, "".join(said)
        yield found[1]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        listener.join(10)
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="module")
def seen(ui: str, node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the journey saw; it fails where something is not to be seen."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.mktemp("screenshots")).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    today = datetime.now(UTC).date().isoformat()
    done = subprocess.run(
        ["node", str(HERE / "drive.cjs"), ui, chromium(), str(folder), today],
        env=os.environ | {"NODE_PATH": str(node_modules)},
        capture_output=True,
        text=True,
        timeout=JOURNEY_SECONDS,
    )
    assert done.returncode == 0, f"{done.stderr}\nscreenshots: {folder}"
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_graph_shows_every_group_of_both_code_locations(seen: dict[str, Any]) -> None:
    groups = ("ingest", "signals", "crm", "matching", "delivery", "marts", "recovery", "overview")
    assert [group for group in groups if f"\n{group}\n" not in seen["graph"]] == []


def test_asset_page_tells_columns_with_their_origin_and_plots_figures(seen: dict[str, Any]) -> None:
    assert seen["columns"] is True
    assert seen["plots"] >= 5


def test_asset_page_opens_the_docs_about_it(seen: dict[str, Any]) -> None:
    assert seen["guide"] == 1


def test_mart_tells_its_columns_with_their_origin(seen: dict[str, Any]) -> None:
    assert "from stg_funding_rounds: company_name" in seen["mart"]
    assert "from stg_near_misses: account_external_id" in seen["mart"]


def test_pictures_are_drawn_by_the_browser(seen: dict[str, Any]) -> None:
    assert seen["picture"] == [720, 220]


def test_checks_run_from_the_page_and_pass(seen: dict[str, Any]) -> None:
    assert "no_round_is_told_twice" in seen["checks"]
    assert "Passed" in seen["checks"]


def test_delivery_table_names_who_was_told_of_what_and_how_it_ended(seen: dict[str, Any]) -> None:
    rows = seen["deliveries"].splitlines()
    assert len([row for row in rows if "delivered" in row]) == 8
    assert any("kestrelway" in row and "delivered" in row and "200" in row for row in rows)
    # Oxmarsh's receiver has another secret (pipeline/demo/morning.py).
    failed = [row for row in rows if "oxmarsh" in row]
    assert len(failed) == 2
    assert all("failed" in row and "http_4xx" in row and "invalid signature" in row for row in failed)


def test_backfill_launched_from_the_page_ends_well(seen: dict[str, Any]) -> None:
    assert seen["backfill"] == "SUCCESS"

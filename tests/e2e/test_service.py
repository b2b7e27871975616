"""`fundingscout up`, as an operator runs it: it starts, does its work by itself, shows it, and stops cleanly."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import requests
from sqlalchemy import select

from pipeline.store.tables.deliveries import Delivery

READY = re.compile(r"ready\. Dagster UI: (\S+)")
DEFINITIONS_QUERY = """
{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError { __typename } } } }
  assetNodes { assetKey { path } } }
"""
OF_FERNHOLLOW, OF_KESTRELWAY_S_ACCOUNTS = 8, 8
RUNS_QUERY = '{ runsOrError(filter: {pipelineName: "sync"}) { ... on Runs { results { status } } } }'


class Output:
    """What a process prints, read as it comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.lines: list[str] = []
        self._process = process
        self._thread = threading.Thread(target=self._read, args=(process,), daemon=True)
        self._thread.start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.lines.extend(iter(process.stdout.readline, ""))

    def close(self) -> None:
        self._thread.join(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def find(self, pattern: re.Pattern[str]) -> str | None:
        return next((found[1] for line in list(self.lines) if (found := pattern.search(line))), None)


def eventually(look: Callable[[], Any], seconds: float, output: Output) -> Any:
    """The first true value that ``look`` gives within ``seconds``."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        value = look()
        if value:
            return value
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s:\n{''.join(output.lines[-40:])}")


def graphql(url: str, query: str) -> Any:
    answer = requests.post(f"{url}/graphql", json={"query": query}, timeout=20)
    answer.raise_for_status()
    return answer.json()["data"]


@contextmanager
def up(world: Any) -> Iterator[tuple[subprocess.Popen[str], Output]]:
    """`fundingscout up`, ended at last whatever happens."""
    process = world.start("up")
    output = Output(process)
    try:
        yield process, output
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        output.close()


def push_accounts(world: Any, slug: str, api: str) -> requests.Session:
    """What a partner does at first: registers a webhook and pushes the rows of its file. Gives its session."""
    partner = requests.Session()
    partner.headers["Authorization"] = f"Bearer {world.tokens[slug]}"
    hook = partner.post(f"{api}/webhooks", json={"url": world.receiver.url}, timeout=60)
    assert hook.json() == {"webhook_url": world.receiver.url}
    lines = [line for line in world.crm_files()[slug][0].read_text().splitlines() if line.endswith("}")]
    answer = partner.post(
        f"{api}/accounts",
        data=f'{{"accounts": [{", ".join(lines)}]}}'.encode(),
        headers={"Content-Type": "application/json"},
        timeout=60,
    )
    assert answer.status_code == 200
    assert answer.json()["upserted"] + len(answer.json()["errors"]) == len(lines)
    return partner


def test_up_tells_partners_by_itself_and_stops_without_leaving_anything_running(
    tmp_path: Path, worlds: Any, free_port: int
) -> None:
    """FS-8, FS-10, FS-25, FS-62, FS-66, FS-72, FS-76, A-FS-19: from the feeds to the webhooks with nobody at the keyboard; then
    a partner pushes, registers, receives and pulls: rounds that came before its rows are met."""
    epoch = datetime.now(UTC).replace(microsecond=0)
    with worlds(tmp_path / "home", epoch, crms=["fernhollow"]) as world:
        world.settings["FUNDINGSCOUT_API_PORT"] = str(free_port)
        with up(world) as (process, output):
            url = eventually(lambda: output.find(READY), 300, output)
            definitions = graphql(url, DEFINITIONS_QUERY)
            locations = {
                entry["name"]: entry["locationOrLoadError"]["__typename"]
                for entry in definitions["workspaceOrError"]["locationEntries"]
            }
            assert locations == {"fundingscout": "RepositoryLocation", "marts": "RepositoryLocation"}
            keys = {"/".join(node["assetKey"]["path"]) for node in definitions["assetNodes"]}
            assert {"core/webhook_deliveries", "core/funding_rounds", "marts/delivery_health"} <= keys
            eventually(lambda: len(world.told()) >= OF_FERNHOLLOW, 300, output)
            partner = push_accounts(world, "kestrelway", f"http://127.0.0.1:{free_port}/api/v1")
            eventually(lambda: len(world.told()) >= OF_FERNHOLLOW + OF_KESTRELWAY_S_ACCOUNTS, 300, output)
            eventually(
                lambda: {run["status"] for run in graphql(url, RUNS_QUERY)["runsOrError"]["results"]} == {"SUCCESS"},
                300,
                output,
            )
            since = f"{epoch:%Y-%m-%dT%H:%M:%SZ}"
            feed = partner.get(f"http://127.0.0.1:{free_port}/api/v1/matches?status=delivered&since={since}", timeout=60).json()
            family = psutil.Process(process.pid).children(recursive=True)
            os.kill(process.pid, signal.SIGINT)
            assert process.wait(120) == 0
            eventually(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in family), 60, output)
        received = {item.match_id for item in world.receiver.received}
        pulled = {row["match_id"] for row in feed["data"]}
        assert feed["next_cursor"] is None
        assert len(pulled) == OF_KESTRELWAY_S_ACCOUNTS
        assert pulled < received
        assert {row["match_type"] for row in feed["data"]} == {"account_domain", "account_name"}
        assert world.receiver.duplicates == []
        assert len(world.told()) == len(received) == OF_FERNHOLLOW + OF_KESTRELWAY_S_ACCOUNTS
        assert "fundingscout: stopped" in output.lines[-1]


def run_workers(service: psutil.Process) -> list[psutil.Process]:
    """The processes that execute runs: started by the code servers, each for one run."""
    workers = []
    for process in service.children(recursive=True):
        try:
            if any("spawn_main" in word for word in process.cmdline()):
                workers.append(process)
        except psutil.NoSuchProcess:
            continue
    return workers


def test_a_run_killed_under_the_service_is_made_good_by_the_service(world: Any) -> None:
    """A-FS-8: the daemon notices, the pool slot is let go, the sensor asks again, and nothing is sent twice."""
    with up(world) as (process, output):
        eventually(lambda: output.find(READY), 300, output)
        worker = eventually(lambda: run_workers(psutil.Process(process.pid)), 300, output)[0]
        time.sleep(1.5)  # past its start, into its steps
        worker.send_signal(signal.SIGKILL)

        def all_settled() -> bool:
            with world.installation.database.read() as session:
                states = list(session.scalars(select(Delivery.status)))
            return len(states) == 17 and not set(states) - {"delivered", "failed"}

        eventually(all_settled, 300, output)
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(120) == 0
    assert world.receiver.duplicates == []
    with world.installation.database.read() as session:
        failed = set(session.scalars(select(Delivery.reason).where(Delivery.status == "failed")))
    assert failed <= {"unknown_outcome"}

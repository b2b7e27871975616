"""``fundingscout up``: the embedded default as a service on one machine, one command, one log, one clean stop.

It runs what a deployment would run as services of their own: a code server per code location, Dagster's daemon
(sensors, schedules, queue, run monitoring) and webserver. A part that ends is started again, unless it keeps ending;
Ctrl-C or SIGTERM stops them all, runs under way included (what they had not finished, the next start finishes).
"""

from __future__ import annotations

import ctypes
import fcntl
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pipeline.settings import PROJECT_ROOT, Settings

log = logging.getLogger(__name__)

STOP_SECONDS = 20.0
TURN_SECONDS = 0.5
PR_SET_PDEATHSIG = 1  # linux/prctl.h
# A part that ends this often within the window is broken; starting it again would hide that.
MOST_RESTARTS = 5
RESTART_WINDOW_SECONDS = 120.0
CODE_LOCATIONS = {"fundingscout": "pipeline.definitions", "marts": "pipeline.definitions_marts"}


class BadDagsterFile(ValueError):
    """The operator's own dagster.yaml can't be read. Says where."""


class AlreadyRunning(RuntimeError):
    """Another service runs in this home."""


class PortTaken(RuntimeError):
    """Another program listens where the service shall. Names the port and the setting."""


class PartKeepsEnding(RuntimeError):
    """A part of the service ended again and again. Names it."""


@dataclass
class Part:
    """One process of the service, and when it was started."""

    name: str
    command: list[str]
    process: subprocess.Popen[str] | None = None
    starts: list[float] = field(default_factory=list)


def prepare_dagster_home(settings: Settings) -> Path:
    """Dagster's folder in the installation's home, with this version's dagster.yaml in it.

    Entries of an operator's own ``dagster.yaml`` in the home take the place of ours (another storage). Raises BadDagsterFile.
    """
    home = settings.home.absolute()
    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    text = (PROJECT_ROOT / "dagster.yaml").read_text()
    if (own := home / "dagster.yaml").exists():
        text = yaml.safe_dump(yaml.safe_load(text) | _entries(own), sort_keys=False)
    (folder / "dagster.yaml").write_text(text)
    return folder


def _entries(file: Path) -> dict[str, Any]:
    try:
        entries = yaml.safe_load(file.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadDagsterFile(f"{file} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(entries, dict):
        raise BadDagsterFile(f"{file} holds no entries such as `storage:`")
    return entries


@contextmanager
def held(file: Path, *, wait: bool) -> Iterator[None]:
    """Hold a lock on ``file``; the kernel lets go of it when this process ends, however that happens.

    Without ``wait``, raises AlreadyRunning when another process holds it.
    """
    with file.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if wait:
                log.warning("waiting for another command that works in %s", file.parent.parent)
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
                return
            raise AlreadyRunning(
                f"a service runs in {file.parent.parent} already; stop it, or set FUNDINGSCOUT_HOME to another folder"
            ) from None
        yield


def service_environment(settings: Settings, dagster_home: Path) -> dict[str, str]:
    """The environment the parts run in: these settings, Dagster's home, and no telemetry."""
    return (
        os.environ
        | settings.as_environment()
        | {
            "DAGSTER_HOME": str(dagster_home),
            "FUNDINGSCOUT_HOME": str(settings.home.absolute()),
            "DO_NOT_TRACK": "1",
            "PYTHONUNBUFFERED": "1",
        }
    )


class Service:
    """The parts of one service, kept running until told to stop."""

    def __init__(self, settings: Settings, write: Callable[[str], None]) -> None:
        self.settings = settings
        self._write = write
        self._stopping = threading.Event()
        self._parts: list[Part] = []

    def stop(self, *_: object) -> None:
        """Ask for the end; may be called from a signal handler or another thread."""
        self._stopping.set()

    def run(self, on_ready: Callable[[str], None] = lambda _url: None) -> None:
        """Start everything, call ``on_ready`` with the UI's address, watch until told to stop, stop everything.

        Raises AlreadyRunning when another service has this home, PartKeepsEnding when a part can't be kept running.
        """
        home = prepare_dagster_home(self.settings)
        with held(home / "service.lock", wait=False):
            self._run(home, on_ready)

    def _run(self, home: Path, on_ready: Callable[[str], None]) -> None:
        for port, setting in ((self.settings.ui_port, "UI_PORT"), (self.settings.api_port, "API_PORT")):
            _check_free(self.settings.ui_host if setting == "UI_PORT" else self.settings.api_host, port, setting)
        environment = service_environment(self.settings, home)
        port = self.settings.ui_port or _free_port()
        workspace = self._plan(home, port)
        try:
            for part in self._parts:
                self._start(part, environment)
                if part.name.startswith("code:"):
                    _wait_for_port(workspace[part.name], part, self._stopping)
            _wait_for_port(port, self._parts[-1], self._stopping)
            if not self._stopping.is_set():
                on_ready(f"http://{self.settings.ui_host}:{port}")
            while not self._stopping.wait(TURN_SECONDS):
                for part in self._parts:
                    if part.process is not None and part.process.poll() is not None:
                        self._write(f"{part.name} ended with code {part.process.returncode}; starting it again")
                        self._start(part, environment)
        finally:
            self._stop_all()

    def _plan(self, home: Path, port: int) -> dict[str, int]:
        """Fill the list of parts and write the workspace that joins them; gives the code servers' ports."""
        ports: dict[str, int] = {}
        servers = []
        for location, module in CODE_LOCATIONS.items():
            ports[f"code:{location}"] = _free_port()
            servers.append({"grpc_server": {"host": "127.0.0.1", "port": ports[f"code:{location}"], "location_name": location}})
            self._add(
                f"code:{location}",
                f"dagster api grpc --module-name {module} --location-name {location} --host 127.0.0.1"
                f" --port {ports[f'code:{location}']} --log-level warning",
            )
        workspace = home / "workspace.yaml"
        workspace.write_text(yaml.safe_dump({"load_from": servers}))
        self._add("daemon", "dagster._daemon run --log-level warning", "-w", str(workspace))
        self._add(
            "webserver",
            f"dagster_webserver --host {self.settings.ui_host} --port {port} --dagster-log-level warning",
            "-w",
            str(workspace),
        )
        # Port 0: any free one, and the log says which.
        api = Part("api", [sys.executable, "-c", "from pipeline.cli import run; run()", "api"])
        self._parts.insert(0, api)
        return ports

    def _add(self, name: str, module_and_options: str, *more: str) -> None:
        self._parts.append(Part(name, [sys.executable, "-m", *module_and_options.split(), *more]))

    def _start(self, part: Part, environment: Mapping[str, str]) -> None:
        now = time.monotonic()
        part.starts = [start for start in part.starts if now - start < RESTART_WINDOW_SECONDS] + [now]
        if len(part.starts) > MOST_RESTARTS:
            raise PartKeepsEnding(
                f"{part.name} ended {MOST_RESTARTS} times in {RESTART_WINDOW_SECONDS:.0f} s; its log above says why"
            )
        # A session of its own: Ctrl-C in the terminal reaches this process alone, which then ends the parts in order.
        part.process = subprocess.Popen(  # noqa: S603 - our own commands
            part.command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=dict(environment),
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
        threading.Thread(target=self._pass_on, args=(part.name, part.process), daemon=True).start()

    def _pass_on(self, name: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._write(f"{name:<18} {line.rstrip()}")

    def _stop_all(self) -> None:
        for part in reversed(self._parts):
            if part.process is not None and part.process.poll() is None:
                part.process.send_signal(signal.SIGINT)
        ends = time.monotonic() + STOP_SECONDS
        for part in reversed(self._parts):
            if part.process is None:
                continue
            try:
                part.process.wait(max(0.1, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._write(f"{part.name} did not stop within {STOP_SECONDS:.0f} s; ending it")
            # The whole session: what a part had started must not outlive it.
            with suppress(ProcessLookupError):
                os.killpg(part.process.pid, signal.SIGKILL)
            part.process.wait()


def _end_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies: a killed service leaves nothing running."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _check_free(host: str, port: int, setting: str) -> None:
    """Raises PortTaken when something listens on ``port`` already; 0 stands for any free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"port {port} of {host} can't be listened on ({error.strerror}); FUNDINGSCOUT_{setting} names another"
            ) from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_port(port: int, part: Part, stopping: threading.Event, seconds: float = 120.0) -> None:
    """Until something listens on ``port``. Raises PartKeepsEnding if its process ends or time runs out first."""
    ends = time.monotonic() + seconds
    while not stopping.is_set():
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if part.process is not None and part.process.poll() is not None:
            raise PartKeepsEnding(
                f"{part.name} ended with code {part.process.returncode} before it was ready; its log above says why"
            )
        if time.monotonic() > ends:
            raise PartKeepsEnding(f"{part.name} was not ready after {seconds:.0f} s")
        time.sleep(0.2)

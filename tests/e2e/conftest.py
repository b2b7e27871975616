"""A small world for end-to-end tests: the samples served on loopback, a verifying receiver, an installation in a folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.crm.imports import import_file
from pipeline.installation import Installation
from pipeline.organizations.keys import create_key
from pipeline.organizations.organizations import create_organization
from pipeline.samples import SampleServer
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.webhooks.endpoints import set_webhook
from pipeline.webhooks.receiver import Receiver, throwaway_certificate

CLIENTS = Path(__file__).with_name("clients")
SAMPLES = PROJECT_ROOT / "data" / "samples"
LOOPBACK = [ip_network("127.0.0.0/8")]
PARTNERS = {
    "fernhollow": ["fernhollow_companies.csv", "fernhollow_contacts.csv"],
    "kestrelway": ["kestrelway_accounts.jsonl", "kestrelway_contacts.jsonl"],
}
# How npm and pip say that they reach no registry; all other failures fail the test.
NO_NETWORK = (
    "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH",
    "NewConnectionError", "NameResolutionError", "ConnectTimeoutError",
)  # fmt: skip
OURS = ("FUNDINGSCOUT_", "DAGSTER_")
START_SECONDS = 90.0  # Go compiles first
COMMAND = Path(sys.executable).with_name("fundingscout")


@dataclass
class World:
    """One installation in ``home``, with what surrounds it."""

    home: Path
    feeds: SampleServer
    receiver: Receiver
    settings: dict[str, str] = field(default_factory=dict)  # more of the environment
    tokens: dict[str, str] = field(default_factory=dict)  # bearer token by organization

    def crm_files(self) -> dict[str, list[Path]]:
        """Each partner's CRM files."""
        return {slug: [SAMPLES / "crm" / file for file in files] for slug, files in PARTNERS.items()}

    @property
    def environment(self) -> dict[str, str]:
        """What `fundingscout` needs to see of this world, and nothing of the machine's own settings."""
        bare = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        return bare | {
            "FUNDINGSCOUT_HOME": str(self.home),
            "FUNDINGSCOUT_SOURCES_FILE": str(self.home / "sources.yaml"),
            "FUNDINGSCOUT_FETCH_ALLOWED_NETWORKS": "127.0.0.0/8",
            "FUNDINGSCOUT_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
            "FUNDINGSCOUT_WEBHOOK_CA_FILE": str(self.home / "ca.pem"),
            "FUNDINGSCOUT_UI_PORT": "0",
            "FUNDINGSCOUT_API_PORT": "0",
            **self.settings,
        }

    @property
    def installation(self) -> Installation:
        """The same installation, from within the test."""
        url = self.settings.get("FUNDINGSCOUT_DATABASE_URL")
        return Installation(Settings(home=self.home, database_url=url, sources_file=self.home / "sources.yaml"))

    def start(self, *words: str) -> subprocess.Popen[str]:
        """`fundingscout` with these words, in a session of its own."""
        return subprocess.Popen(
            [str(COMMAND), *words],
            cwd=PROJECT_ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str) -> str:
        """What `fundingscout` with these words prints; it must succeed. In this process: a start costs more than most commands."""
        unset = {name: None for name in os.environ if name.startswith(OURS)} | {"DAGSTER_HOME": None}
        result = CliRunner().invoke(main, words, env=unset | self.environment)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.output

    def told(self) -> set[tuple[str, str, str | None, str | None]]:
        """(company, match type, account, contact) of every verified delivery received so far."""
        payloads = [item.payload for item in self.receiver.received if item.payload is not None]
        return {
            (
                payload["funding_round"]["company_name"],
                payload["match_type"],
                payload["matched"]["account_external_id"],
                payload["matched"]["contact_external_id"],
            )
            for payload in payloads
        }


@contextmanager
def make_world(
    home: Path,
    epoch: datetime,
    feed_port: int = 0,
    crms: Collection[str] = tuple(PARTNERS),
    database_url: str | None = None,
) -> Iterator[World]:
    """The samples' world in ``home``: two partners with webhooks, and the CRMs of those in ``crms``."""
    home.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    with SampleServer(SAMPLES, epoch, feed_port) as feeds:
        (home / "sources.yaml").write_text(feeds.render_file("sources.yaml"), encoding="utf-8")
        installation = Installation(Settings(home=home, database_url=database_url))
        keys, tokens = {}, {}
        for slug, files in PARTNERS.items():
            owner = create_organization(installation.database, slug, slug, now)
            keys[owner.id] = create_key(installation.database, installation.secret_box, owner.id, "test", now)
            tokens[slug] = keys[owner.id].token
            for file in files if slug in crms else []:
                import_file(installation.database, owner.id, SAMPLES / "crm" / file, now)
        secrets = [key.webhook_secret for key in keys.values()]
        with Receiver(secrets, throwaway_certificate("127.0.0.1", home / "ca.pem")) as receiver:
            for owner_id in keys:
                set_webhook(installation.database, owner_id, receiver.url, None, now, LOOPBACK)
            installation.close()
            settings = {"FUNDINGSCOUT_DATABASE_URL": database_url} if database_url else {}
            yield World(home, feeds, receiver, settings, tokens)


@pytest.fixture(scope="session")
def worlds() -> Callable[..., AbstractContextManager[World]]:
    """Makes worlds: `with worlds(home, epoch, feed_port) as world`."""
    return make_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A fresh world that starts now."""
    with make_world(tmp_path / "home", datetime.now(UTC).replace(microsecond=0)) as made:
        yield made


def a_free_port() -> int:
    """A port of 127.0.0.1 that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def run_receiver(command: list[str], folder: Path, port: int | None = None, **environment: str) -> Iterator[int]:
    """The port of a receiver that speaks plain HTTP ({port} in its command, PORT); its output goes to receiver.log."""
    port = port or a_free_port()
    words = [word.replace("{port}", str(port)) for word in command]
    # Marks of what was handled go to TMPDIR.
    more = {"PORT": str(port), "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1", **environment}
    with (folder / "receiver.log").open("wb") as log:
        process = subprocess.Popen(
            words, cwd=folder, env={**os.environ, **more}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        until = time.monotonic() + START_SECONDS
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None, (folder / "receiver.log").read_text()
            assert time.monotonic() < until, "it did not start"
            time.sleep(0.05)
        yield port
    finally:
        os.killpg(process.pid, 15)
        process.wait(60)


@pytest.fixture
def running() -> Callable[..., AbstractContextManager[int]]:
    """Runs receivers: `with running(command, folder, SECRET=…) as port`."""
    return run_receiver


@pytest.fixture
def free_port() -> int:
    """For a receiver whose port must be known before it runs."""
    return a_free_port()


@pytest.fixture(scope="session")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The npm packages that clients/package-lock.json pins, installed once for the session."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("needs node and npm")
    folder = tmp_path_factory.mktemp("npm")
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(CLIENTS / name, folder / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode and any(sign in done.stderr for sign in NO_NETWORK):
        pytest.skip("the npm registry can't be reached")
    assert done.returncode == 0, done.stderr
    return folder / "node_modules"


@pytest.fixture(scope="session")
def python_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The PyPI packages that clients/requirements.txt pins, in a folder of their own."""
    folder = tmp_path_factory.mktemp("pip")
    what = ["--target", str(folder), "--no-deps", "--require-hashes", "-r", str(CLIENTS / "requirements.txt")]
    done = subprocess.run([sys.executable, "-m", "pip", "install", *what], capture_output=True, text=True)
    if done.returncode and any(sign in done.stderr for sign in NO_NETWORK):
        pytest.skip("the Python package registry can't be reached")
    assert done.returncode == 0, done.stderr
    return folder

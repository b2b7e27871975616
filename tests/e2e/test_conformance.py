"""Partners' own programs against ours: the receivers and the daily sync as printed, and the Standard Webhooks libraries.

The source pages' programs (FS-78 to FS-80) are cut from the pages when the tests run and are not kept here; without
those pages, their tests are skipped. What a page leaves to the reader stands in this file. The receivers of our own page,
docs/partners/receivers.md, run as they are printed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
import uvicorn
from sqlalchemy import delete, func, select

from pipeline.api.app import build_app
from pipeline.settings import PROJECT_ROOT
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.crm import Account, CrmChangeBatch
from pipeline.store.tables.organizations import UsageCounter
from pipeline.webhooks.endpoints import set_webhook
from pipeline.webhooks.outbox import record_matches
from pipeline.webhooks.receiver import Receiver, throwaway_certificate
from pipeline.webhooks.sender import deliver_pending
from pipeline.webhooks.signing import fundingscout_signature

SEEDS = PROJECT_ROOT.parent / "shared" / "spec" / "seeds"
QUICKSTART, WEBHOOKS = "fundingscout-partner-quickstart.txt", "fundingscout-webhooks.txt"
OUR_PAGE = PROJECT_ROOT / "docs" / "partners" / "receivers.md"
HOOK = "/hooks/fundingscout"
START_SECONDS = 30.0

# --- what the pages leave to the reader -------------------------------------------------------------------------------

NODE_JOB = """
import { appendFileSync } from 'node:fs'
function enqueueOutreachJob(customer, round) {
  appendFileSync(process.env.JOBS, JSON.stringify([customer, round.company_name]) + '\\n')
}
"""
NODE_LISTEN = """
import https from 'node:https'
import { readFileSync } from 'node:fs'
const tls = { key: readFileSync(process.env.TLS_KEY), cert: readFileSync(process.env.TLS_CERT) }
https.createServer(tls, app).listen(0, '127.0.0.1', function () { console.log('port', this.address().port) })
"""
PYTHON_JOB = """
def enqueue_outreach_job(customer, funding_round):
    import json
    with open(os.environ['JOBS'], 'a') as jobs:
        jobs.write(json.dumps([customer, funding_round['company_name']]) + '\\n')
"""
NODE_CUSTOMERS = """
const sizes = { vc_42: 1200, vc_43: 900, vc_44: 200 }
async function listOurCustomers() { return Object.keys(sizes).map(id => ({ id })) }
async function fetchCustomerCRM(id) {
  return Array.from({ length: sizes[id] }, (_, n) => ({ id: n, name: `Company ${n} of ${id}`, domain: `c${n}.example` }))
}
await dailyAccountSync()
"""


def cut(page: str, first: str, last: str) -> str:
    """The program printed on a source page, from the line that begins with ``first`` to the next that is ``last``."""
    path = SEEDS / page
    if not path.exists():
        pytest.skip(f"the source page {page} is not on this machine")
    lines = path.read_text(encoding="utf-8").splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(first))
    end = next(number for number in range(begin, len(lines)) if lines[number] == last)
    return "\n".join(lines[begin : end + 1]) + "\n"


def printed(language: str) -> str:
    """The first program in ``language`` on our page."""
    found = re.search(rf"```{language}\n(.*?)```", OUR_PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found, language
    return found[1]


# --- running them -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tls:
    """A certificate for 127.0.0.1 of an authority of its own, as files."""

    authority: Path
    key: Path
    certificate: Path


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    folder = tmp_path_factory.mktemp("tls")
    files = Tls(folder / "ca.pem", folder / "key.pem", folder / "certificate.pem")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(files.authority))
    issued.private_key_pem.write_to_path(str(files.key))
    files.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    return files


Start = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def start(tmp_path: Path, tls: Tls) -> Start:
    """Starts a receiver: ``with start(command, secret) as url``. Its output names the port it listens on."""

    @contextmanager
    def run(command: list[str], secret: str) -> Iterator[str]:
        files = {"JOBS": str(tmp_path / "jobs"), "TLS_KEY": str(tls.key), "TLS_CERT": str(tls.certificate)}
        environment = {**os.environ, **files, "FS_WEBHOOK_SECRET": secret, "PORT": "0", "PYTHONUNBUFFERED": "1"}
        log = tmp_path / "receiver.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield f"https://127.0.0.1:{_port(process, log)}{HOOK}"
        finally:
            process.terminate()
            process.wait(10)

    return run


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        text = log.read_text(encoding="utf-8")
        if found := re.search(r"port (\d+)|https://127\.0\.0\.1:(\d+)", text):
            return int(found[1] or found[2])
        assert process.poll() is None, text
        time.sleep(0.05)
    raise AssertionError(f"no port after {START_SECONDS:g} s: {log.read_text(encoding='utf-8')}")


@pytest.fixture
def app_database(make_app_database: Callable[[str], AppDatabase]) -> AppDatabase:
    """What clients see does not depend on the backend: one is enough."""
    return make_app_database("sqlite")


def deliver(partners: Any, url: str, authority: Path, organization: str) -> None:
    """Send one match of the organization's account ``a1`` by our own sender."""
    set_webhook(partners.database, organization, url, partners.keys[organization].id, partners.now, [ip_network("127.0.0.0/8")])
    partners.account(organization, "a1", '{"partner_customer_id": "vc_42"}')
    record_matches(partners.database, [partners.found(organization, partners.round("r1"))], partners.now)
    settings = partners.settings(webhook_ca_file=authority, webhook_timeout_seconds=5.0)
    deliver_pending(partners.database, partners.box, settings, lambda: datetime.now(UTC))


def accepts_genuine_and_refuses_tampered(partners: Any, start: Start, tls: Tls, command: list[str]) -> None:
    """Our sender's delivery is answered 200; the same with one byte changed, or signed by another, 401."""
    organization = partners.add("acme")
    secret = partners.secret(organization)
    with start(command, secret) as url:
        deliver(partners, url, tls.authority, organization)
        [sent] = partners.deliveries()
        assert (sent.status, sent.response_code) == ("delivered", 200)
        body = sent.body.encode()
        genuine = fundingscout_signature(secret, body)
        with httpx.Client(verify=ssl.create_default_context(cafile=str(tls.authority)), trust_env=False) as client:

            def answer(content: bytes, signature: str | None) -> int:
                headers = {"Content-Type": "application/json"}
                headers |= {"X-FundingScout-Signature": signature} if signature else {}
                return client.post(url, content=content, headers=headers).status_code

            assert answer(body, genuine) == 200
            assert answer(body.replace(b"20000000", b"90000000"), genuine) == 401
            assert answer(body + b" ", genuine) == 401
            assert answer(body, fundingscout_signature("fs_whsec_of_another", body)) == 401
            assert answer(body, None) == 401


def as_node(folder: Path, node_modules: Path, source: str) -> list[str]:
    """The command that runs ``source`` as a module of Node."""
    (folder / "node_modules").symlink_to(node_modules)
    (folder / "receiver.mjs").write_text(source, encoding="utf-8")
    return ["node", "receiver.mjs"]


def as_python(folder: Path, tls: Tls, source: str) -> list[str]:
    """The command that serves ``app`` of ``source`` over HTTPS."""
    (folder / "receiver.py").write_text(source, encoding="utf-8")
    certificate = ["--ssl-keyfile", str(tls.key), "--ssl-certfile", str(tls.certificate)]
    return [sys.executable, "-m", "uvicorn", "receiver:app", "--port", "0", *certificate]


def jobs(folder: Path) -> list[Any]:
    """What a receiver handed on."""
    return [json.loads(line) for line in (folder / "jobs").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("page", [QUICKSTART, WEBHOOKS])
def test_fs_78_the_express_receiver_of_the_pages_accepts_our_deliveries(
    page: str, partners: Any, start: Start, tls: Tls, node_modules: Path, tmp_path: Path
) -> None:
    source = cut(page, "import crypto from 'node:crypto'", "  })")
    accepts_genuine_and_refuses_tampered(partners, start, tls, as_node(tmp_path, node_modules, source + NODE_JOB + NODE_LISTEN))
    if page == QUICKSTART:
        assert jobs(tmp_path) == [["vc_42", "r1 Robotics"]] * 2


@pytest.mark.parametrize("page", [QUICKSTART, WEBHOOKS])
def test_fs_79_the_fastapi_receiver_of_the_pages_accepts_our_deliveries(
    page: str, partners: Any, start: Start, tls: Tls, tmp_path: Path
) -> None:
    source = cut(page, "import hmac, hashlib, os", "    return {'ok': True}")
    accepts_genuine_and_refuses_tampered(partners, start, tls, as_python(tmp_path, tls, source + PYTHON_JOB))
    if page == QUICKSTART:
        assert jobs(tmp_path) == [["vc_42", "r1 Robotics"]] * 2


def test_our_page_s_python_receiver_runs_as_printed(partners: Any, start: Start, tls: Tls, tmp_path: Path) -> None:
    accepts_genuine_and_refuses_tampered(partners, start, tls, as_python(tmp_path, tls, printed("python")))
    # The second, genuine but known, is answered and not handled again.
    assert (tmp_path / "receiver.log").read_text().count("for vc_42: r1 Robotics") == 1


def test_our_page_s_node_receiver_runs_as_printed(
    partners: Any, start: Start, tls: Tls, node_modules: Path, tmp_path: Path
) -> None:
    accepts_genuine_and_refuses_tampered(partners, start, tls, as_node(tmp_path, node_modules, printed("js")))
    assert (tmp_path / "receiver.log").read_text().count("for vc_42: r1 Robotics") == 1


# --- the daily sync ---------------------------------------------------------------------------------------------------


@pytest.fixture
def api_url(partners: Any) -> Iterator[str]:
    """The HTTP service on loopback over the partners' database."""
    app = build_app(partners.database, partners.settings(), lambda: partners.now)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, http="h11", ws="none", log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def test_fs_80_the_daily_sync_of_the_page_pushes_all_in_three_calls_and_changes_nothing_the_second_time(
    partners: Any, api_url: str, tmp_path: Path
) -> None:
    if not shutil.which("node"):
        pytest.skip("needs node")
    organization = partners.add("acme")
    source = cut(QUICKSTART, "async function dailyAccountSync() {", "}").replace("https://fundingscout.io", api_url)
    (tmp_path / "sync.mjs").write_text(source + NODE_CUSTOMERS, encoding="utf-8")
    environment = {**os.environ, "FS_KEY": partners.keys[organization].token}

    def run() -> tuple[int | None, int | None, int | None]:
        subprocess.run(["node", "sync.mjs"], cwd=tmp_path, env=environment, check=True, timeout=60)
        with partners.database.write() as session:
            counts = tuple(
                session.scalar(query)
                for query in (
                    select(UsageCounter.calls).where(UsageCounter.operation == "crm_accounts_upsert"),
                    select(func.count()).select_from(Account),
                    select(func.coalesce(func.sum(CrmChangeBatch.rows), 0)),
                )
            )
            session.execute(delete(CrmChangeBatch))
        return counts[0], counts[1], counts[2]

    assert run() == (3, 2_300, 2_300)
    assert run() == (6, 2_300, 0)
    with partners.database.read() as session:
        last = session.get_one(Account, (organization, "vc_44-199"))
    assert (last.name, last.metadata_json) == ("Company 199 of vc_44", '{"partner_customer_id":"vc_44"}')


# --- Standard Webhooks ------------------------------------------------------------------------------------------------

PYTHON_VERIFY = """
import json, sys
from {library} import Webhook, WebhookVerificationError
given = json.load(sys.stdin)
hook = Webhook(given['secret'])
hook.verify(given['body'].encode(), given['headers'])
try:
    hook.verify(given['body'].encode() + b' ', given['headers'])
except WebhookVerificationError:
    print('genuine accepted, tampered refused')
"""
NODE_VERIFY = """
import { readFileSync } from 'node:fs'
import { Webhook, WebhookVerificationError } from '{library}'
const given = JSON.parse(readFileSync(0, 'utf8'))
const hook = new Webhook(given.secret)
hook.verify(given.body, given.headers)
try {
  hook.verify(given.body + ' ', given.headers)
} catch (error) {
  if (error instanceof WebhookVerificationError) console.log('genuine accepted, tampered refused')
}
"""


@pytest.fixture
def delivery(partners: Any, tmp_path: Path) -> str:
    """A delivery as received, with the secret as Standard Webhooks knows it, as JSON."""
    with Receiver([], throwaway_certificate("127.0.0.1", tmp_path / "ca.pem")) as receiver:
        organization = partners.add("acme")
        deliver(partners, receiver.url, tmp_path / "ca.pem", organization)
        [received] = receiver.received
    headers = {name.lower(): value for name, value in received.headers.items()}
    return json.dumps(
        {"secret": partners.secret(organization).removeprefix("fs_"), "headers": headers, "body": received.body.decode()}
    )


def _verified(command: list[str], folder: Path, given: str, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, input=given, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("library", ["standardwebhooks", "svix.webhooks"])
def test_the_public_libraries_for_python_verify_our_headers(
    library: str, delivery: str, python_library: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", PYTHON_VERIFY.replace("{library}", library)]
    assert _verified(command, tmp_path, delivery, PYTHONPATH=str(python_library)) == "genuine accepted, tampered refused"


@pytest.mark.parametrize("library", ["standardwebhooks", "svix"])
def test_the_public_libraries_for_node_verify_our_headers(
    library: str, delivery: str, node_modules: Path, tmp_path: Path
) -> None:
    command = as_node(tmp_path, node_modules, NODE_VERIFY.replace("{library}", library))
    assert _verified(command, tmp_path, delivery) == "genuine accepted, tampered refused"


# --- our pages --------------------------------------------------------------------------------------------------------

COMMAND = re.compile(r"```sh\n(curl .*?)```\n+```json\n(.*?)```", re.DOTALL)


def agrees(shown: Any, got: Any) -> bool:
    """Is ``got`` what a page shows? An ellipsis stands for anything."""
    if shown == "…":
        return got is not None
    if isinstance(shown, dict) and isinstance(got, dict):
        return shown.keys() == got.keys() and all(agrees(shown[name], got[name]) for name in shown)
    if isinstance(shown, list) and isinstance(got, list):
        return len(shown) == len(got) and all(map(agrees, shown, got))
    return bool(shown == got)


PAGES = [path for path in sorted(OUR_PAGE.parent.glob("*.md")) if COMMAND.search(path.read_text(encoding="utf-8"))]


@pytest.fixture
def missed(partners: Any, api_url: str) -> dict[str, str]:
    """A partner whose one delivery failed: the environment of its commands."""
    organization = partners.add("acme")
    partners.account(organization, "a1", '{"partner_customer_id": "c7"}')
    key = partners.keys[organization]
    nowhere = "https://127.0.0.1:9/hook"
    set_webhook(partners.database, organization, nowhere, key.id, partners.now, [ip_network("127.0.0.0/8")])
    record_matches(partners.database, [partners.found(organization, partners.round("r1"))], partners.now)
    deliver_pending(partners.database, partners.box, partners.settings(), lambda: partners.now)
    return {**os.environ, "FS_KEY": key.token, "ROUND_ID": "r1", "FS_HOST": api_url}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_on_our_pages_answers_what_the_page_shows(page: Path, missed: dict[str, str]) -> None:
    if not shutil.which("curl"):
        pytest.skip("needs curl")
    text = page.read_text(encoding="utf-8")
    assert len(COMMAND.findall(text)) == text.count("```sh\n")  # none without its answer
    for command, shown in COMMAND.findall(text):
        local = command.replace("http://127.0.0.1:8080", missed["FS_HOST"])
        done = subprocess.run(["bash", "-c", local], env=missed, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        assert agrees(json.loads(shown), json.loads(done.stdout)), f"{command}\n{done.stdout}"


def test_our_page_s_recovery_finds_what_was_missed(missed: dict[str, str]) -> None:
    text = (OUR_PAGE.parent / "recovering.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found
    source = found[1].replace("timedelta(days=2)", "timedelta(days=36500)")
    done = subprocess.run([sys.executable, "-c", source], env=missed, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split(maxsplit=2)[1:] == ["connect", "r1 Robotics\n"]

"""Receivers of Signalbase deliveries, as printed: the source page's, where it is at hand, and those of our own page (SB-86)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.organizations.secrets import SecretBox
from pipeline.settings import PROJECT_ROOT
from pipeline.subscriptions import teams, webhooks
from pipeline.subscriptions.fan_out import fan_out
from pipeline.subscriptions.filters import read_filters
from pipeline.subscriptions.index import SubscriptionIndex
from pipeline.subscriptions.signals import PublishedSignal, publish_signals
from pipeline.subscriptions.webhooks import Change, Edit, UrlRules
from pipeline.webhooks.sender import deliver_pending
from pipeline.webhooks.signing import hmac_hex

SEED = PROJECT_ROOT.parent / "shared" / "spec" / "seeds" / "signalbase-webhooks-v2.txt"
OUR_PAGE = PROJECT_ROOT / "docs" / "partners" / "signalbase" / "receivers.md"
LOOPBACK = UrlRules((ip_network("127.0.0.0/8"),))
START_SECONDS = 30.0


@pytest.fixture
def app_database(make_app_database: Callable[[str], Any]) -> Any:
    """What clients see does not depend on the backend: one is enough."""
    return make_app_database("sqlite")


def printed(language: str) -> str:
    """The program in ``language`` on our page."""
    found = re.search(rf"```{language}\n(.*?)```", OUR_PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found, language
    return found[1]


@contextmanager
def running(command: list[str], folder: Path, secret: str, path: str) -> Iterator[str]:
    """A receiver in a process of its own; gives its URL."""
    log = folder / "receiver.log"
    environment = {**os.environ, "SIGNALBASE_WEBHOOK_SECRET": secret, "PORT": "0", "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + START_SECONDS
        while not (found := re.search(r"port (\d+)|http://127\.0\.0\.1:(\d+)", log.read_text(encoding="utf-8"))):
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < until
            time.sleep(0.05)
        yield f"http://127.0.0.1:{found[1] or found[2]}{path}"
    finally:
        process.terminate()
        process.wait(10)


def subscribe(partners: Any, home: Path) -> tuple[str, webhooks.Webhook]:
    """(team, its webhook with the secret). Its URL comes later, as in life: the receiver needs the secret first."""
    team = partners.add("acme")
    teams.create_team(partners.database, team, partners.now)
    teams.grant_credits(partners.database, team, 10, partners.now)
    box = SecretBox.open(partners.settings(home=home))
    edit = Edit("user_1", "api", partners.now)
    made = webhooks.create_webhook(
        partners.database, box, team, "https://hooks.example.com/x", ["funding.created"], read_filters({}), edit, UrlRules()
    )
    return team, made


def accepts_genuine_and_refuses_tampered(partners: Any, home: Path, team: str, webhook: webhooks.Webhook, url: str) -> None:
    """Our delivery is answered 200 {ok:true}; the same with a byte changed, or signed by another, 401."""
    settings = partners.settings(home=home, webhook_timeout_seconds=5.0)
    box, edit = SecretBox.open(settings), Edit("user_1", "api", partners.now)
    webhooks.update_webhook(partners.database, box, team, webhook.id, Change(endpoint_url=url), edit, LOOPBACK)
    company = {"name": "Café Brightwater “AI” \u2028", "employeeCount": None}
    signal = PublishedSignal(
        "s1", "funding.created", "fund_1", "s1", True, True, partners.now, partners.now, None, "Brightwater", None, [], "US", None,
        "seed", None, 2_000_000, "USD", 0.92, {"company": company, "fundingRound": {"confidenceScore": 0.92, "amount": 1e21}},
    )  # fmt: skip
    publish_signals(partners.database, [signal], partners.now)
    fan_out(partners.database, SubscriptionIndex(partners.database), partners.now)
    deliver_pending(partners.database, box, settings, lambda: datetime.now(UTC))
    [sent] = partners.deliveries()
    assert (sent.status, sent.response_code, sent.response_excerpt) == ("delivered", 200, '{"ok":true}')
    body, secret = sent.body.encode(), str(webhook.secret)
    with httpx.Client(trust_env=False) as client:

        def answer(content: bytes, signature: str | None) -> int:
            headers = {"Content-Type": "application/json"} | ({"X-Webhook-Signature": signature} if signature else {})
            return client.post(url, content=content, headers=headers).status_code

        assert answer(body, hmac_hex(secret, body)) == 200
        assert answer(body.replace(b"0.92", b"0.93"), hmac_hex(secret, body)) == 401
        assert answer(body, hmac_hex("another", body)) == 401
        assert answer(body, None) == 401


def as_node(folder: Path, node_modules: Path, source: str) -> list[str]:
    (folder / "node_modules").symlink_to(node_modules)
    (folder / "receiver.mjs").write_text(source, encoding="utf-8")
    return ["node", "receiver.mjs"]


def test_sb_86_the_express_receiver_of_the_page_accepts_our_deliveries(
    partners: Any, node_modules: Path, tmp_path: Path
) -> None:
    if not SEED.exists():
        pytest.skip("the source page is not on this machine")
    lines = SEED.read_text(encoding="utf-8").splitlines()
    begin = lines.index('import express from "express";')
    end = next(number for number in range(begin, len(lines)) if lines[number].startswith("app.listen("))
    team, made = subscribe(partners, tmp_path)
    # What the page leaves to the reader: the secret, and where it listens.
    source = "\n".join(lines[begin:end]).replace("your-webhook-secret", str(made.secret))
    source += "\nconst server = app.listen(0, '127.0.0.1', () => console.log('port', server.address().port))\n"
    with running(as_node(tmp_path, node_modules, source), tmp_path, str(made.secret), "/webhook") as url:
        accepts_genuine_and_refuses_tampered(partners, tmp_path, team, made, url)


def test_our_page_s_node_receiver_runs_as_printed(partners: Any, node_modules: Path, tmp_path: Path) -> None:
    team, made = subscribe(partners, tmp_path)
    with running(as_node(tmp_path, node_modules, printed("js")), tmp_path, str(made.secret), "/hook") as url:
        accepts_genuine_and_refuses_tampered(partners, tmp_path, team, made, url)
    assert (tmp_path / "receiver.log").read_text().count("funding.created Café") == 1, "a repetition is not handled again"


def test_our_page_s_python_receiver_runs_as_printed(partners: Any, tmp_path: Path) -> None:
    team, made = subscribe(partners, tmp_path)
    (tmp_path / "receiver.py").write_text(printed("python"), encoding="utf-8")
    command = [sys.executable, "-m", "uvicorn", "receiver:app", "--port", "0"]
    with running(command, tmp_path, str(made.secret), "/hook") as url:
        accepts_genuine_and_refuses_tampered(partners, tmp_path, team, made, url)
    assert (tmp_path / "receiver.log").read_text().count("funding.created Café") == 1

"""The receiver of benchmarks/chaos.py, in a process of its own: writes down what it gets before it answers; not always kind."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import os
import random
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import trustme
from aiohttp import web
from delivery_world import free_port, wait_for_port

from pipeline.webhooks.signing import fundingscout_signature

LONGEST_SECONDS = 0.03
CLOSES, FAILS = 0.02, 0.03  # shares of requests


@contextlib.contextmanager
def receiver(folder: Path) -> Iterator[tuple[int, Callable[[list[str], Path], None]]]:
    """(port, what tells it whose secrets to verify with, by number in the path, and where to write).

    ``folder`` gets ca.pem, whom senders must trust.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    port = free_port()
    process = subprocess.Popen([sys.executable, __file__, str(port), str(folder)])

    def tell(secrets: list[str], record: Path) -> None:
        record.touch()
        draft = folder / "plan.draft"
        draft.write_text(json.dumps({"secrets": secrets, "record": str(record)}))
        draft.rename(folder / "plan.json")

    try:
        wait_for_port(port, process)
        yield port, tell
    finally:
        process.terminate()
        process.wait(10)


class Plan:
    """What the sending side told last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self.secrets: list[str] = []
        self.record = -1

    def renew(self) -> None:
        at = self._path.stat().st_mtime_ns
        if at != self._at:
            told: dict[str, Any] = json.loads(self._path.read_text())
            self._at, self.secrets = at, told["secrets"]
            self.record = os.open(told["record"], os.O_WRONLY | os.O_APPEND)


def main(port: int, folder: Path) -> None:
    chance = random.Random(7)
    plan = Plan(folder / "plan.json")

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        plan.renew()
        expected = fundingscout_signature(plan.secrets[int(request.match_info["number"])], body)
        is_genuine = hmac.compare_digest(expected, request.headers["X-FundingScout-Signature"])
        line = {"match_id": json.loads(body)["match_id"], "id": request.headers["webhook-id"], "is_genuine": is_genuine}
        # Before the answer: what it got is known, whatever becomes of the sender.
        os.write(plan.record, json.dumps(line).encode() + b"\n")
        await asyncio.sleep(chance.random() * LONGEST_SECONDS)
        lot = chance.random()
        if lot < CLOSES and request.transport is not None:
            request.transport.abort()
        return web.Response(status=500 if lot < CLOSES + FAILS else 200)

    app = web.Application()
    app.router.add_post("/hooks/{number}", handle)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "server.pem")
    web.run_app(app, host="127.0.0.1", port=port, ssl_context=tls, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))

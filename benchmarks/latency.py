"""From a document appearing in a watched feed to the webhook received, and what the service costs while idle.

    .venv/bin/python benchmarks/latency.py [--events 20] [--idle-seconds 60] [--accounts 1000]

Starts `fundingscout up` as a user would, in a home of its own, with one RSS feed served from loopback and one HTTPS receiver on
loopback, waits until it idles, measures processor time and memory of all its processes, then lets press releases appear one by one
at random moments and waits for each one's webhook. Prints seconds, quantiles, and where the time went.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path

import psutil

from pipeline.crm.rows import AccountRow
from pipeline.crm.upsert import upsert_accounts
from pipeline.installation import Installation
from pipeline.organizations.keys import create_key
from pipeline.organizations.organizations import create_organization, get_organization
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.webhooks.endpoints import set_webhook
from pipeline.webhooks.receiver import Received, Receiver, throwaway_certificate

LOOPBACK = [ip_network("127.0.0.0/8")]
GIVE_UP_SECONDS = 120.0
STARTING_SECONDS = 180.0
SETTLING_SECONDS = 20.0
INVESTORS = ["Oldmoor Partners", "Firstlamp Ventures", "Vantreux Growth", "Sparrowhill Capital"]


class Feed:
    """An RSS feed on loopback to which releases can be added; unchanged it answers 304."""

    def __init__(self) -> None:
        self._items: list[str] = []
        self._lock = threading.Lock()
        feed = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body, etag = feed.page()
                unchanged = self.headers.get("If-None-Match") == etag
                self.send_response(304 if unchanged else 200)
                self.send_header("ETag", etag)
                self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
                self.send_header("Content-Length", "0" if unchanged else str(len(body)))
                self.end_headers()
                if not unchanged:
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def page(self) -> tuple[bytes, str]:
        with self._lock:
            items = "".join(reversed(self._items[-50:]))
            etag = f'"{len(self._items)}"'
        return (
            '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Bench Wire</title>'
            f"<link>{self.url}</link><description>releases</description>{items}</channel></rss>"
        ).encode(), etag

    def publish(self, number: int, name: str, domain: str) -> None:
        investor = INVESTORS[number % len(INVESTORS)]
        amount = 5 + number
        text = (
            f"SAN FRANCISCO, {datetime.now(UTC):%B %d, %Y} -- {name}, which makes planning software for shipyards, today announced "
            f"that it has raised ${amount} million in a Series A round led by {investor}. The company will use the money to hire. "
            f"About {name}: {name} was founded in 2021 and is based in San Francisco. More at https://{domain}."
        )
        item = (
            f"<item><title>{name} Raises ${amount} Million Series A Led by {investor}</title>"
            f"<link>{self.url}/release/{number}</link>"
            f'<guid isPermaLink="false">bench-{number}</guid><pubDate>{format_datetime(datetime.now(UTC))}</pubDate>'
            f"<description>{text}</description></item>"
        )
        with self._lock:
            self._items.append(item)


def company(number: int) -> tuple[str, str]:
    """An invented name and its domain, distinct for every number."""
    letters = random.Random(number)
    word = "".join(letters.choice("bcdfglmnprstvz") + letters.choice("aeiou") for _ in range(4)).capitalize()
    return f"{word} Marine", f"{word.lower()}-{number}.example"


def set_up(home: Path, feed: Feed, installation: Installation, accounts: int) -> str:
    """One partner with ``accounts`` accounts and one watched feed; gives the webhook secret."""
    now = datetime.now(UTC)
    organization = create_organization(installation.database, "bench", "Bench", now)
    key = create_key(installation.database, installation.secret_box, organization.id, "bench", now)
    rows = [AccountRow(f"a{n}", company(n)[0], company(n)[1], '{"partner_customer_id": "c1"}') for n in range(accounts)]
    upsert_accounts(installation.database, organization.id, rows, now)
    (home / "sources.yaml").write_text(
        f"sources:\n  - {{id: bench-wire, kind: rss, url: {feed.url}/feed, outlet: Bench Wire, what: releases, poll_seconds: 5}}\n"
    )
    return key.webhook_secret


def processes(root: psutil.Process) -> list[psutil.Process]:
    return [root, *root.children(recursive=True)]


def processor_seconds(root: psutil.Process) -> dict[int, float]:
    """Seconds used so far by each process, its ended children included."""
    used = {}
    for process in processes(root):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            used[process.pid] = times.user + times.system + times.children_user + times.children_system
    return used


def measure_idle(root: psutil.Process, seconds: float) -> None:
    before, began = processor_seconds(root), time.monotonic()
    time.sleep(seconds)
    after, passed = processor_seconds(root), time.monotonic() - began
    used = {pid: seconds - before.get(pid, 0.0) for pid, seconds in after.items()}
    rows = []
    for process in processes(root):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            info = process.memory_full_info()
            share = 100 * used.get(process.pid, 0.0) / passed
            rows.append((info.rss, info.pss, share, " ".join(process.cmdline()[1:7])))
    print(f"idle: {100 * sum(used.values()) / passed:.1f} % of one core over {passed:.0f} s")
    rss, pss = sum(row[0] for row in rows) / 1e6, sum(row[1] for row in rows) / 1e6
    print(f"idle: {rss:.0f} MB resident in {len(rows)} processes (sum of RSS; {pss:.0f} MB with shared pages counted once)")
    for rss, _, share, name in sorted(rows, reverse=True):
        print(f"      {rss / 1e6:5.0f} MB  {share:4.1f} %  {name[:90]}")


class Arrivals:
    """When the webhook of each company came in."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}
        self._changed = threading.Condition()

    def note(self, item: Received) -> None:
        if item.payload is not None:
            with self._changed:
                self._seen.setdefault(item.payload["funding_round"]["company_name"], time.monotonic())
                self._changed.notify_all()

    def wait_for(self, name: str) -> float | None:
        with self._changed:
            self._changed.wait_for(lambda: name in self._seen, GIVE_UP_SECONDS)
            return self._seen.get(name)


@contextlib.contextmanager
def running_service(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`fundingscout up` in ``home``, once it says that it is ready."""
    environment = os.environ | {
        "FUNDINGSCOUT_HOME": str(home),
        "FUNDINGSCOUT_SOURCES_FILE": str(home / "sources.yaml"),
        "FUNDINGSCOUT_FETCH_ALLOWED_NETWORKS": "127.0.0.0/8",
        "FUNDINGSCOUT_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "FUNDINGSCOUT_WEBHOOK_CA_FILE": str(home / "ca.pem"),
        "FUNDINGSCOUT_UI_PORT": "0",
        "FUNDINGSCOUT_API_PORT": "0",
    }
    began = time.monotonic()
    with (home / "log").open("w") as log:
        command = [str(Path(sys.executable).with_name("fundingscout")), "up"]
        service = subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        while "ready" not in (home / "log").read_text():
            if service.poll() is not None or time.monotonic() - began > STARTING_SECONDS:
                raise SystemExit(f"the service did not start; its log: {home / 'log'}")
            time.sleep(0.2)
        print(f"started in {time.monotonic() - began:.1f} s")
        yield service
    finally:
        service.terminate()
        service.wait(60)


def run_events(feed: Feed, arrivals: Arrivals, events: int) -> list[float]:
    """Seconds from each release's appearance to its webhook, one after the other, at random moments of the service's turns."""
    pauses = random.Random(7)
    seconds = []
    for number in range(events):
        name, domain = company(number)
        feed.publish(number, name, domain)
        began = time.monotonic()
        arrived = arrivals.wait_for(name)
        seconds.append(GIVE_UP_SECONDS if arrived is None else arrived - began)
        print(f"  {name:<24} {seconds[-1]:5.1f} s{'' if arrived else '  no webhook'}", flush=True)
        time.sleep(pauses.uniform(3.0, 12.0))
    return seconds


def print_parts(home: Path) -> None:
    """Where each second went, from the stores: landed, run started, matched, sent."""
    installation = Installation(Settings(home=home))
    with installation.warehouse.open() as connection:
        rows = connection.execute("""
            SELECT median(epoch(matched_at - document_landed_at)), median(epoch(started_at - matched_at)),
                median(epoch(finished_at - started_at))
            FROM core.webhook_deliveries WHERE status = 'delivered' AND document_landed_at IS NOT NULL
        """).fetchall()
    parts = zip(("landed to match", "match to claim", "claim to answer"), rows[0], strict=True)
    print("median parts: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in parts if seconds is not None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20)
    parser.add_argument("--idle-seconds", type=float, default=60)
    parser.add_argument("--accounts", type=int, default=1000)
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="fundingscout-latency-"))
    feed = Feed()
    arrivals = Arrivals()
    installation = Installation(Settings(home=home))
    secret = set_up(home, feed, installation, options.accounts)
    with Receiver([secret], throwaway_certificate("127.0.0.1", home / "ca.pem"), arrivals.note) as receiver:
        owner = get_organization(installation.database, "bench")
        set_webhook(installation.database, owner.id, receiver.url, None, datetime.now(UTC), LOOPBACK)
        installation.close()
        with running_service(home) as service:
            time.sleep(SETTLING_SECONDS)
            if options.idle_seconds:
                measure_idle(psutil.Process(service.pid), options.idle_seconds)
            seconds = sorted(run_events(feed, arrivals, options.events))
        if not seconds:
            return
        p95 = seconds[max(0, round(0.95 * len(seconds)) - 1)]
        print(f"{len(seconds)} events: median {statistics.median(seconds):.1f} s, p95 {p95:.1f} s, longest {seconds[-1]:.1f} s")
        print_parts(home)
        print(f"received twice: {len(receiver.duplicates)}")


if __name__ == "__main__":
    main()

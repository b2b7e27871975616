"""Signals against subscriptions: how many a minute one core matches with 100,000, and how soon a signal is delivered.

    python benchmarks/subscriptions.py [--subscriptions 100000] [--signals 1000] [--monitors 200]

Subscriptions are drawn from filters such as teams write (countries, labels, team sizes, types, amounts, free text; a fifth without
any). The second part sends real deliveries, signed, to a receiver on loopback, with ten and with ten thousand subscriptions, ten of
which each signal satisfies; time is from before the signal is published to the receiver's having it. All in one process: what a
pipeline run adds before it (its start, the warehouse) is the same in both and left out. The third part asks who watches a company
among monitors that are full.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from pipeline.organizations.organizations import create_organization
from pipeline.organizations.secrets import SecretBox
from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import WebhookEndpoint
from pipeline.store.tables.monitors import Monitor, MonitorTarget
from pipeline.store.tables.organizations import Organization
from pipeline.store.tables.subscriptions import Signal, SubscriptionCounter, Team, WebhookSubscription
from pipeline.subscriptions.fan_out import fan_out
from pipeline.subscriptions.filters import read_filters, to_json
from pipeline.subscriptions.identifiers import name_key
from pipeline.subscriptions.index import SubscriptionIndex
from pipeline.subscriptions.matcher import Matcher, Subscription
from pipeline.subscriptions.model import SIGNAL_EVENTS, EventType, Facts
from pipeline.subscriptions.signals import PublishedSignal, publish_signals
from pipeline.subscriptions.watching import sightings
from pipeline.webhooks.sender import deliver_pending

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
COMMON = ["US", "GB", "DE", "FR", "IN", "CA", "IL", "SE", "NL", "ES", "CH", "SG"]
RARE = [first + second for first in "ABC" for second in "DEFGHIJK"]
SIZES = ["1-10", "11-50", "51-200", "201-1000", "1000-plus"]
TYPES = ["pre-seed", "seed", "series a", "series b", "series c", "series d", "growth", "debt financing"]
LABELS = [f"label {number}" for number in range(430)]
SUBSCRIBED_HERE = 10
WARMING = 3  # turns that are not counted


def draw_filters(rng: Random) -> dict[str, str]:
    """Filters of one subscription."""
    drawn: dict[str, str] = {}
    if rng.random() < 0.65:
        drawn["countries"] = ",".join(rng.sample(COMMON if rng.random() < 0.85 else RARE, rng.randint(1, 4)))
    if rng.random() < 0.4:
        drawn["categories"] = "|".join(rng.sample(LABELS, rng.randint(1, 5)))
    if rng.random() < 0.35:
        drawn["teamSize"] = ",".join(rng.sample(SIZES, rng.randint(1, 3)))
    if rng.random() < 0.15:
        drawn["search"] = "".join(rng.choices("abcdefghiklmnoprstu", k=rng.randint(3, 8)))
    if rng.random() < 0.3:
        drawn["funding"] = ",".join(rng.sample(TYPES, rng.randint(1, 3)))
    if rng.random() < 0.25:
        drawn["fundingAmount"] = f"{rng.randint(1, 10)}m-{rng.randint(11, 500)}m"
    if rng.random() < 0.08:
        drawn["healthScore"] = str(rng.randint(20, 95))
    return drawn


def draw_signal(rng: Random) -> Facts:
    """One signal; two thirds are funding rounds."""
    event = EventType.FUNDING if rng.random() < 0.66 else rng.choice(SIGNAL_EVENTS)
    name = "".join(rng.choices("abcdefghiklmnoprstu", k=9)).title()
    return Facts(
        event, NOW, f"{name} Labs", rng.choice(LABELS), (rng.choice(LABELS),), rng.choice(COMMON * 4 + RARE), rng.randint(1, 3_000),
        rng.choice(TYPES), None, rng.randint(10**5, 10**9), rng.random(),
    )  # fmt: skip


def match_figures(subscriptions: int, signals: int, rng: Random) -> None:
    """Print how fast signals meet subscriptions."""
    drawn = [
        Subscription(
            str(number),
            frozenset(rng.sample(SIGNAL_EVENTS, rng.choice([1, 1, 1, 2, 5]))),
            read_filters(draw_filters(rng)).filter,
        )
        for number in range(subscriptions)
    ]
    began = time.process_time()
    matcher = Matcher.of(drawn)
    built = time.process_time() - began
    facts = [draw_signal(rng) for _ in range(signals)]
    began = time.process_time()
    found = [matcher.match(one) for one in facts]
    spent = time.process_time() - began
    sample = facts[:20]
    began = time.process_time()
    asked = [
        [one.endpoint_id for one in drawn if signal.event_type in one.event_types and one.filter.accepts(signal)]
        for signal in sample
    ]
    one_by_one = (time.process_time() - began) / len(sample)
    assert asked == found[: len(sample)], "the matcher and the filters disagree"
    print(f"{subscriptions:,} subscriptions, {signals:,} signals, one core")
    print(
        f"  made ready in {built:.2f} s; {1000 * spent / signals:.2f} ms a signal: {60 * signals / spent:,.0f} signals a minute"
    )
    print(
        f"  {sum(map(len, found)) / signals:,.0f} webhooks a signal; asking each subscription takes {1000 * one_by_one:.0f} ms"
    )


class Receiver:
    """Notes when each delivery arrives."""

    def __init__(self) -> None:
        self.arrived: list[float] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                receiver.arrived.append(time.perf_counter())
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 256  # five, the default, keeps a sixth caller waiting for a second

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


def fill(db: AppDatabase, box: SecretBox, url: str, others: int, rng: Random) -> None:
    """Ten subscriptions to everything in one country, and ``others`` that want other countries, ten a team."""
    secret = box.encrypt("3f9a1c7e-2b4d-4e6a-9f1b-8c2d3e4f5a6b")
    with db.write() as session:
        for start in range(0, SUBSCRIBED_HERE + others, 10):
            team = str(UUID(int=start + 1))
            session.execute(
                insert(Organization).values(id=team, slug=f"t{start}", name="t", plan="pro", settings={}, created_at=NOW)
            )
            session.execute(
                insert(Team).values(
                    organization_id=team, subscription="active", masks_everyone=False, credits=10**6, credits_reserved=0,
                    created_at=NOW, updated_at=NOW,
                )
            )  # fmt: skip
            ids = [str(UUID(int=10**9 + start + number)) for number in range(10)]
            endpoint = {
                "organization_id": team, "profile": "signalbase", "url": url, "created_at": NOW, "updated_at": NOW,
                "state": "active", "policy": {}, "consecutive_failures": 0, "secret_encrypted": secret,
            }  # fmt: skip
            session.execute(insert(WebhookEndpoint), [endpoint | {"id": one} for one in ids])
            rows = []
            for one in ids:
                filters = (
                    {"countries": "IS"} if start < SUBSCRIBED_HERE else draw_filters(rng) | {"countries": rng.choice(COMMON)}
                )
                rows.append(
                    {
                        "endpoint_id": one, "organization_id": team, "event_types": [EventType.FUNDING], "filters": filters,
                        "compiled": to_json(read_filters(filters).filter), "is_active": True, "secret_tail": "5a6b",
                        "created_at": NOW, "updated_at": NOW, "change_number": 1, "successful_deliveries": 0,
                        "failed_deliveries": 0,
                    }
                )  # fmt: skip
            session.execute(insert(WebhookSubscription), rows)
        session.get_one(SubscriptionCounter, 1).change_number = 1


def signal(number: int) -> PublishedSignal:
    """A round in the country that ten subscriptions want."""
    data: dict[str, Any] = {
        "signal": {"id": f"s{number}"},
        "company": {"name": "Kelp"},
        "employees": [],
        "sources": [],
        "fundingRound": {},
    }
    return PublishedSignal(
        f"s{number}", EventType.FUNDING, f"fund_{number}", f"s{number}", True, True, NOW, NOW, None, "Kelp", None, [], "IS", None,
        "seed", None, 2_000_000, "USD", 0.9, data,
    )  # fmt: skip


class World:
    """An installation with ``others`` beside the ten subscriptions that want all. ``is_fresh``: its index is made anew at each
    turn, as a new process does."""

    def __init__(self, folder: Path, others: int, is_fresh: bool) -> None:
        self.settings = Settings(home=folder, webhook_allowed_networks=(ip_network("127.0.0.0/8"),))
        self.db = AppDatabase(self.settings.app_database_url)
        self.db.migrate()
        create_organization(self.db, "first", "first", NOW)
        self.box, self.receiver = SecretBox.open(self.settings), Receiver()
        fill(self.db, self.box, self.receiver.url, others, Random(2))
        self.index, self.is_fresh = SubscriptionIndex(self.db), is_fresh
        self.wall: list[float] = []
        self.processor: list[float] = []

    def turn(self, number: int) -> None:
        """Tell of one signal, and note the milliseconds to its last delivery."""
        now = NOW + timedelta(seconds=number)
        self.receiver.arrived.clear()
        began, began_processor = time.perf_counter(), time.process_time()
        publish_signals(self.db, [signal(number)], now)
        fan_out(self.db, SubscriptionIndex(self.db) if self.is_fresh else self.index, now)
        deliver_pending(self.db, self.box, self.settings, lambda: now)
        assert len(self.receiver.arrived) == SUBSCRIBED_HERE
        self.wall.append(1000 * (max(self.receiver.arrived) - began))
        self.processor.append(1000 * (time.process_time() - began_processor))


def p95(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20)[-1]


def delivery_figures(repeats: int) -> None:
    """Print how soon a signal is delivered, with few and with many subscriptions, by turns so that all see the same load."""
    print(f"from a signal to its last of {SUBSCRIBED_HERE} deliveries, {repeats} times each by turns, ms")
    kinds = {"ten": (0, False), "10,000, the index held": (9_990, False), "10,000, a new process each time": (9_990, True)}
    with tempfile.TemporaryDirectory() as folder:
        worlds = {text: World(Path(folder) / str(at), *kind) for at, (text, kind) in enumerate(kinds.items())}
        for number in range(repeats + WARMING):
            for world in worlds.values():
                world.turn(number)
        few = worlds["ten"]
        for text, world in worlds.items():
            for name, spent, of_few in (("wall", world.wall, few.wall), ("processor", world.processor, few.processor)):
                mine, ten = spent[WARMING:], of_few[WARMING:]
                middle, high = statistics.median(mine), p95(mine)
                ratios = f"{middle / statistics.median(ten):.2f} and {high / p95(ten):.2f} of ten"
                print(f"  {text}, {name}: p50 {middle:.1f}, p95 {high:.1f}: {ratios}")
            world.db.close()


def monitor_figures(monitors: int, targets: int) -> None:
    """Print what it costs a signal that so many lists watch so many companies, where none and where some watch its own."""
    with tempfile.TemporaryDirectory() as folder:
        db = AppDatabase(Settings(home=Path(folder)).app_database_url)
        db.migrate()
        fill_monitors(db, monitors, targets)
        print(f"{monitors:,} monitors of {targets:,} targets each: processor time of finding who watches 50 signals' companies")
        for text, domain in (("nobody", "kelp.test"), ("one list each", "company-7.com"), ("every list each", "everyone.com")):
            told = [signal(number) for number in range(50)]
            for one in told:
                name = f"Company {one.id}" if domain == "everyone.com" else domain.split(".")[0]
                one.data["company"] = {"name": name, "slug": name, "website": f"https://{domain}"}
            rows = [Signal(id=one.id, event_type=one.event_type, data=one.data) for one in told]
            for turn in ("first in a process", "after that"):
                began = time.process_time()
                with db.read() as session:
                    found = sightings(session, rows)
                print(f"  {text}, {turn}: {1000 * (time.process_time() - began):.0f} ms, {len(found):,} found")
        db.close()


def fill_monitors(db: AppDatabase, monitors: int, targets: int) -> None:
    """Monitors with a team each; all watch everyone.com, the rest of each list is its own."""
    with db.write() as session:
        for number in range(monitors):
            team, monitor = str(UUID(int=number + 1)), str(UUID(int=10**6 + number))
            session.execute(
                insert(Organization).values(id=team, slug=f"t{number}", name="t", plan="pro", settings={}, created_at=NOW)
            )
            session.execute(
                insert(Team).values(
                    organization_id=team, subscription="active", masks_everyone=False, credits=0, credits_reserved=0,
                    created_at=NOW, updated_at=NOW,
                )
            )  # fmt: skip
            session.execute(
                insert(Monitor).values(
                    id=monitor, organization_id=team, name="m", signal_types=["funding_round"], is_active=True, created_at=NOW,
                    updated_at=NOW,
                )
            )  # fmt: skip
            domains = ["everyone.com", *[f"company-{number * targets + place}.com" for place in range(targets - 1)]]
            row = {"monitor_id": monitor, "organization_id": team, "kind": "domain", "created_at": NOW}
            rows = [
                row
                | {"id": str(UUID(int=10**9 + number * targets + place)), "value": domain, "domain_key": domain}
                | {"name": domain.split(".")[0], "name_key": name_key(domain.split(".")[0])}
                for place, domain in enumerate(domains)
            ]
            session.execute(insert(MonitorTarget), rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subscriptions", type=int, default=100_000)
    parser.add_argument("--signals", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--monitors", type=int, default=200)
    given = parser.parse_args()
    match_figures(given.subscriptions, given.signals, Random(1))
    delivery_figures(given.repeats)
    monitor_figures(given.monitors, 1_000)

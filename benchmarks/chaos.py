"""Deliveries while everything goes wrong: does the receiver still get each at most once, and is none lost from sight?

    .venv/bin/python benchmarks/chaos.py [--postgresql] [--kills 200] [--deliveries 5000] [--parts kills,clock]

Several sending processes work on one app database, and a receiver in a process of its own writes down what it gets before it
answers: most with 200 after up to 30 ms, some with 500, some by closing. Then, one part after the other:

- kills: senders end by SIGKILL at random moments, and others take their place;
- clock: the same, while each sender's clock jumps between an hour ago, now and an hour ahead;
- overlap: two backfills and a live run record the same matches at once, in three processes, while three senders send;
- disk (SQLite): the disk is full while a sender sends, until room is made;
- restart, crash (PostgreSQL): the server is stopped under the senders, or ends as in a crash, several times, and starts again.

After each part it compares: nothing was received twice; what the ledger calls delivered was received; what is not is in the pull
feed as failed; nothing was attempted twice. Exits with 1 where that does not hold.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import psutil
from chaos_receiver import receiver
from delivery_world import World, add_partners, database_urls, make_world, owe, postgresql
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt
from pipeline.webhooks.feed import feed_page
from pipeline.webhooks.outbox import pending_count, release_held
from pipeline.webhooks.sender import deliver_pending

PARTNERS = 25
SENDERS = 3
HOUR = timedelta(hours=1)
RECOVERY_SECONDS = 90.0
CHANCE = random.Random(int(os.environ.get("FUNDINGSCOUT_TEST_SEED", "20261120")))


class Child:
    """A forked process that runs ``work`` and ends. Imports are done before, so that its life is all work."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            self._run(work)

    def _run(self, work: Callable[[], None]) -> NoReturn:
        logging.disable(logging.CRITICAL)
        code = 1
        try:
            work()
            code = 0
        except SQLAlchemyError:
            code = 3  # the ledger was away
        finally:
            os._exit(code)

    def kill(self) -> bool:
        """SIGKILL; was it still there?"""
        if self.is_over():
            return False
        os.kill(self.pid, signal.SIGKILL)
        self.wait()
        return True

    def is_over(self) -> bool:
        return self.pid == 0 or self._reap(os.WNOHANG)

    def wait(self) -> None:
        if self.pid:
            self._reap(0)

    def _reap(self, flag: int) -> bool:
        found, status = os.waitpid(self.pid, flag)
        if found:
            code = os.waitstatus_to_exitcode(status)
            assert code in (0, 3, -signal.SIGKILL), f"a process ended with {code}"
            self.pid = 0
        return bool(found)


@dataclass
class Stage:
    """What one part plays on."""

    world: World
    organizations: list[str]
    record: Path  # one JSON line for each POST

    def sender(self, is_forever: bool = True, jumps: bool = False) -> Child:
        url, key, settings = self.world.database.url, self.world.key, self.world.settings

        def work() -> None:
            mine = World(AppDatabase(url.render_as_string(hide_password=False)), key, settings)
            chance = random.Random()
            now = (lambda: datetime.now(UTC) + chance.choice([-HOUR, timedelta(), HOUR])) if jumps else utc_now
            while True:
                deliver_pending(mine.database, mine.box, settings, now)
                if not is_forever:
                    return
                time.sleep(0.02)

        return Child(work)


def utc_now() -> datetime:
    return datetime.now(UTC)


# --- the parts --------------------------------------------------------------------------------------------------------


def play_kills(stage: Stage, kills: int, deliveries: int, jumps: bool = False) -> str:
    """Kill senders at random moments while there is always something to send."""
    enough = stage.record.with_suffix(".enough")
    feeder = Child(lambda: feed(stage, deliveries, enough))
    senders = [stage.sender(jumps=jumps) for _ in range(SENDERS)]
    done = 0
    while done < kills:
        time.sleep(CHANCE.uniform(0.02, 0.4))
        one = CHANCE.randrange(SENDERS)
        done += senders[one].kill()
        senders[one] = stage.sender(jumps=jumps)
    enough.touch()
    feeder.wait()
    for sender in senders:
        sender.kill()
    return f"{done + SENDERS} kills"


def feed(stage: Stage, deliveries: int, enough: Path) -> None:
    """Records matches so that some always wait, until there were so many and enough was killed."""
    database = AppDatabase(stage.world.database.url.render_as_string(hide_password=False))
    mine = World(database, stage.world.key, stage.world.settings)
    number = 0
    while number * PARTNERS < deliveries or not enough.exists():
        if pending_count(database) < 8 * PARTNERS:
            owe(mine, stage.organizations, range(number, number + 4))
            number += 4
        else:
            time.sleep(0.02)


def play_overlap(stage: Stage, deliveries: int) -> str:
    """Two backfills, one of them held back first and let go then, and a live run find the same matches."""
    rounds = range(deliveries // PARTNERS)

    def record(origin: str, hold: bool) -> Callable[[], None]:
        def work() -> None:
            database = AppDatabase(stage.world.database.url.render_as_string(hide_password=False))
            mine = World(database, stage.world.key, stage.world.settings)
            order = list(rounds)
            random.Random(origin + str(hold)).shuffle(order)
            for number in order:
                owe(mine, stage.organizations, range(number, number + 1), origin, hold)
            if hold:
                today = utc_now().date()
                release_held(database, utc_now(), days=(today, today))

        return work

    recorders = [Child(record("backfill", True)), Child(record("backfill", False)), Child(record("live", False))]
    senders = [stage.sender() for _ in range(SENDERS)]
    for child in recorders:
        child.wait()
    until_sent(stage)
    for sender in senders:
        sender.kill()
    return f"{len(recorders)} recorders of the same {len(rounds) * PARTNERS:,} matches"


def until_sent(stage: Stage) -> None:
    """Wait until nothing is pending and nothing under way."""
    database = AppDatabase(stage.world.database.url.render_as_string(hide_password=False))
    waiting = select(func.count()).select_from(Delivery).where(Delivery.status.in_(("pending", "sending")))
    while True:
        with database.read() as session:
            if not session.scalar(waiting):
                break
        time.sleep(0.1)
    database.close()


def play_disk(stage: Stage, deliveries: int, disk: Path) -> str:
    """The disk fills up while a sender sends; room is made again, twice: once while it waits, once after it gave up."""
    owe(stage.world, stage.organizations, range(deliveries // PARTNERS))
    stage.world.database.close()
    failures = 0
    for seconds in (2.0, 45.0):
        ballast = disk / "ballast"
        room = os.statvfs(disk)
        ballast.write_bytes(b"\0" * max(0, room.f_bavail * room.f_frsize - 300_000))
        sender = stage.sender(is_forever=False)
        until = time.monotonic() + seconds
        while time.monotonic() < until and not sender.is_over():
            time.sleep(0.05)
        failures += sender.is_over()
        ballast.unlink()
        time.sleep(1.0)
        sender.kill()
    return f"disk full twice, {failures} senders gave up"


def play_database(stage: Stage, deliveries: int, server: Any, how: signal.Signals, times: int) -> str:
    """PostgreSQL ends and starts again. SIGINT: it cuts off its clients and closes; SIGQUIT: at once, and recovers then."""
    owe(stage.world, stage.organizations, range(deliveries // PARTNERS))
    stage.world.database.close()
    senders = [stage.sender() for _ in range(SENDERS)]
    gave_up = 0
    for _ in range(times):
        time.sleep(CHANCE.uniform(0.3, 1.0))
        process = psutil.Process(server.get_pid())
        process.send_signal(how)
        process.wait(RECOVERY_SECONDS)
        time.sleep(CHANCE.uniform(0.0, 1.0))
        start_again(server)
        for number, sender in enumerate(senders):
            if sender.is_over():
                gave_up += 1
                senders[number] = stage.sender()
    time.sleep(1.0)
    for sender in senders:
        sender.kill()
    return f"the server was away {times} times, {gave_up} senders gave up"


def start_again(server: Any) -> None:
    """Before it recovers from a crash it writes all its files to disk, which takes as long as the disk does."""
    until = time.monotonic() + RECOVERY_SECONDS
    while True:
        try:
            server.start()
        except (subprocess.SubprocessError, AssertionError):  # the package's own: not ready yet
            if time.monotonic() > until:
                raise
        else:
            return


# --- what must hold ---------------------------------------------------------------------------------------------------


def compare(stage: Stage, name: str, what: str, started: float) -> bool:
    """Send the rest, give up what nobody answers for, and hold receiver, ledger and feed against each other."""
    database = stage.world.database
    stage.sender(is_forever=False).wait()
    deliver_pending(database, stage.world.box, stage.world.settings, lambda: utc_now() + 3 * HOUR)
    lines = [json.loads(line) for line in stage.record.read_text().splitlines()]
    got = Counter(line["match_id"] for line in lines)
    with database.read() as session:
        ledger = {row.match_id: row for row in session.scalars(select(Delivery))}
        most = session.scalar(select(func.max(DeliveryAttempt.number)))
    pulled = feed_of(database, stage.organizations)
    reasons = Counter(row.reason or row.status for row in ledger.values())
    unknown = {one for one, row in ledger.items() if row.reason == "unknown_outcome"}
    wrong = {
        "received twice": sum(1 for count in got.values() if count > 1),
        "sent under another id": sum(1 for line in lines if line["id"] != line["match_id"]),
        "badly signed": sum(1 for line in lines if not line["is_genuine"]),
        "received but not in the ledger": len(got.keys() - ledger.keys()),
        "delivered but not received": sum(1 for one, row in ledger.items() if row.status == "delivered" and one not in got),
        "neither received nor failed in the feed": sum(1 for one in ledger if one not in got and pulled.get(one) != "failed"),
        "not settled": sum(1 for row in ledger.values() if row.status not in ("delivered", "failed")),
        "feed and ledger differ": sum(1 for one, row in ledger.items() if pulled.get(one) != row.status),
        "attempted twice": int((most or 0) > 1),
    }
    print(
        f"  {name}: {what}, {len(ledger):,} deliveries, {len(lines):,} received, {len(unknown)} of unknown outcome"
        f" ({len(unknown & got.keys())} of them received); {dict(reasons.most_common())}; {time.monotonic() - started:.0f} s"
    )
    broken = {rule: count for rule, count in wrong.items() if count}
    print(f"    {'BROKEN: ' + str(broken) if broken else 'all hold: ' + ', '.join(f'{rule} 0' for rule in wrong)}", flush=True)
    return not broken


def feed_of(database: AppDatabase, organizations: list[str]) -> dict[str, str]:
    """What partners see when they pull all: status by match."""
    seen = {}
    for organization in organizations:
        after = None
        while True:
            page = feed_page(database, organization, 200, after=after)
            seen |= {item.match_id: item.status for item in page.items}
            if not page.has_more:
                break
            after = page.items[-1].place
    return seen


# --- all of it --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 60 MB in memory. Exits with advice where it may not be mounted."""
    disk = folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(disk)], capture_output=True).returncode:
        sys.exit("the part `disk` mounts a small disk, which only root may; leave it out with --parts")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def main() -> None:
    logging.disable(logging.WARNING)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgresql", action="store_true", help="on a PostgreSQL server started for it instead of SQLite")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--deliveries", type=int, default=5_000, help="in each part, at least")
    parser.add_argument("--parts", default="", help="kills, clock, overlap, disk (SQLite), restart, crash (PostgreSQL)")
    options = parser.parse_args()
    last = "restart,crash" if options.postgresql else "disk"
    parts = [part for part in (options.parts or f"kills,clock,overlap,{last}").split(",") if part]
    with tempfile.TemporaryDirectory(prefix="fs-chaos-") as name, receiver(Path(name)) as (port, tell):
        print(f"{'PostgreSQL' if options.postgresql else 'SQLite'}, {SENDERS} senders, {PARTNERS} partners", flush=True)
        folder = Path(name)

        def play(part: str, url: str, **more: Any) -> bool:
            started = time.monotonic()
            world = make_world(url, folder / "ca.pem")
            organizations, secrets = add_partners(world, [f"https://127.0.0.1:{port}/hooks/{n}" for n in range(PARTNERS)])
            world.database.close()  # nothing is open when processes part
            stage = Stage(world, organizations, folder / f"{part}.jsonl")
            tell(secrets, stage.record)
            times = max(2, options.kills // 25)
            plays: dict[str, Callable[[], str]] = {
                "kills": lambda: play_kills(stage, options.kills, options.deliveries),
                "clock": lambda: play_kills(stage, options.kills // 4, options.deliveries // 4, jumps=True),
                "overlap": lambda: play_overlap(stage, options.deliveries // 2),
                "disk": lambda: play_disk(stage, options.deliveries // 2, more["disk"]),
                "restart": lambda: play_database(stage, options.deliveries // 2, more["server"], signal.SIGINT, times),
                "crash": lambda: play_database(stage, options.deliveries // 2, more["server"], signal.SIGQUIT, times),
            }
            done = plays[part]()
            holds = compare(stage, part, done, started)
            world.database.close()
            return holds

        with contextlib.ExitStack() as stack:
            if options.postgresql:
                server = stack.enter_context(postgresql(folder))

                def url(database: str) -> str:
                    server.psql(f'CREATE DATABASE "{database}"')
                    return str(server.get_uri(database=database, driver="psycopg"))

                results = [play(part, url(part), server=server) for part in parts]
            else:
                make = stack.enter_context(database_urls(folder, False))
                disk = stack.enter_context(small_disk(folder)) if "disk" in parts else folder
                results = [
                    play(part, f"sqlite:///{disk}/app.db" if part == "disk" else make(part), disk=disk) for part in parts
                ]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()

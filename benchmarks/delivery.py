"""Sending deliveries: how fast, how fair, and whether a long history makes it slower.

    .venv/bin/python benchmarks/delivery.py [--postgresql] [--deliveries 20000] [--endpoints 100] [--history 1000000]

The receiver is nginx (Debian: nginx-light) with one process, over HTTPS, with an address for each endpoint. Prints, on SQLite or
PostgreSQL (a server started for it, durable as it comes):

- the yardstick: the same client, signing and posting as many bodies, without a ledger, in one process and in two;
- deliveries a second with the ledger written, by one sending process and by two;
- time from due to answered, and of the POST alone, of endpoints that answer, while one endpoint in ten takes each request and never
  answers, and while none does: deliveries fall due at a steady rate, and the sender looks for them as the service's does;
- what one delivery costs with ten thousand and with --history deliveries in the ledger (5000000 takes minutes and 15 GB).

On a machine that others use, processor time holds and rates don't: both are printed.

Receiver and senders share the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from delivery_world import (
    FastReceiver,
    World,
    add_partners,
    database_urls,
    fast_receiver,
    fill_ledger,
    make_world,
    owe,
    round_row,
)
from sqlalchemy import select

from pipeline.settings import PROJECT_ROOT
from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.outbox import publish_rounds
from pipeline.webhooks.sender import deliver_pending
from pipeline.webhooks.transport import HttpSender

SMALL_HISTORY = 10_000
HANGING_SHARE = 10  # one endpoint in so many
RATE = 50  # deliveries that fall due each second, in the measurement of fairness
FAIR_SECONDS = 20
LOOK_SECONDS = 0.05
SENDER = """
import sys
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from pipeline.organizations.secrets import SecretBox
from pipeline.settings import Settings
from pipeline.store.app_database import AppDatabase
from pipeline.webhooks.sender import deliver_pending
url, key, ca_file = sys.argv[1:]
settings = Settings(_env_file=None, webhook_ca_file=Path(ca_file), webhook_allowed_networks=(ip_network("127.0.0.0/8"),))
print("ready", flush=True)
sys.stdin.readline()
print(deliver_pending(AppDatabase(url), SecretBox([key]), settings, lambda: datetime.now(UTC)).delivered)
"""


def utc_now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgresql", action="store_true", help="on a PostgreSQL server started for it instead of SQLite")
    parser.add_argument("--deliveries", type=int, default=20_000)
    parser.add_argument("--endpoints", type=int, default=100)
    parser.add_argument("--history", type=int, default=1_000_000, help="deliveries in the long ledger; 0: leave that out")
    parser.add_argument("--parts", default="speed,fairness,history", help="what to measure")
    options = parser.parse_args()
    parts = options.parts.split(",")
    with tempfile.TemporaryDirectory(prefix="fs-delivery-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with fast_receiver(folder / "nginx", options.endpoints) as receiver, database_urls(folder, options.postgresql) as url:
            print(f"{'PostgreSQL' if options.postgresql else 'SQLite'}, {options.endpoints} endpoints")
            if "speed" in parts:
                bench_speed(url, receiver, options.deliveries, options.endpoints)
            if "fairness" in parts:
                bench_fairness(url, receiver, options.endpoints)
            if "history" in parts and options.history:
                bench_history(url, receiver, options.history)


# --- speed ------------------------------------------------------------------------------------------------------------


def bench_speed(url: Callable[[str], str], receiver: FastReceiver, deliveries: int, endpoints: int) -> None:
    urls = [receiver.url(number) for number in range(endpoints)]
    rounds = range(deliveries // endpoints)
    world = make_world(url("one"), receiver.ca_file)
    organizations, secrets = add_partners(world, urls)
    count = owe(world, organizations, rounds)
    started, ended, bare_cpu = bare_loop(receiver, urls, secrets, count)
    bare = count / (ended - started)
    print(f"  the client alone, signing and posting        {bare:8,.0f}/s; {shown(bare_cpu)}", flush=True)
    bare_two = bare_in_processes(receiver, urls, secrets, count, 2)
    print(f"  the client alone in two processes            {bare_two:8,.0f}/s", flush=True)
    started, cpu = time.perf_counter(), time.process_time()
    report = deliver_pending(world.database, world.box, world.settings, utc_now)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    assert report.delivered == count, report
    rate, cpu = count / seconds, cpu / count
    print(f"  with the ledger, one sending process         {rate:8,.0f}/s = {rate / bare:.2f} of that; {shown(cpu)}")
    print(f"  processor time of the client alone to that with the ledger: {bare_cpu / cpu:.2f}")
    world.database.close()
    world = make_world(url("two"), receiver.ca_file)
    organizations, _ = add_partners(world, urls)
    count = owe(world, organizations, rounds)
    rate = count / send_in_processes(world, receiver, 2)
    print(
        f"  with the ledger, two sending processes       {rate:8,.0f}/s = {rate / bare:.2f}, {rate / bare_two:.2f} of two clients",
        flush=True,
    )
    world.database.close()


def shown(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} µs of processor each"


def bare_in_processes(receiver: FastReceiver, urls: Sequence[str], secrets: Sequence[str], count: int, processes: int) -> float:
    """POSTs a second of ``processes`` such clients together, from the first one's start to the last one's end."""
    fresh = multiprocessing.get_context("spawn")
    together = fresh.Barrier(processes)
    with ProcessPoolExecutor(processes, fresh, initializer=together.wait) as pool:
        share = count // processes
        runs = [pool.submit(bare_loop, receiver, urls, secrets, share) for _ in range(processes)]
        times = [run.result() for run in runs]
    return processes * share / (max(ended for _, ended, _ in times) - min(started for started, _, _ in times))


def bare_loop(receiver: FastReceiver, urls: Sequence[str], secrets: Sequence[str], count: int) -> tuple[float, float, float]:
    """(start, end, processor seconds of each POST) of our client with nothing written, as many at once as a sender's bound."""
    profile = fundingscout_profile()
    body = b"x" * 1_400
    numbers = iter(range(count))

    async def worker(sender: HttpSender) -> None:
        for number in numbers:
            one = number % len(urls)
            headers = profile.headers([secrets[one]], f"{number:036d}", int(time.time()), body)
            outcome = await sender.post(urls[one], body, headers)
            assert outcome.is_delivered, outcome

    async def run() -> tuple[float, float, float]:
        world = make_world("sqlite://", receiver.ca_file)
        settings = world.settings
        async with HttpSender(5.0, utc_now, settings.webhook_allowed_networks, settings.webhook_ca_file) as sender:
            started, cpu = time.perf_counter(), time.process_time()
            await asyncio.gather(*(worker(sender) for _ in range(settings.webhook_max_in_flight)))
            return started, time.perf_counter(), (time.process_time() - cpu) / count

    return asyncio.run(run())


def send_in_processes(world: World, receiver: FastReceiver, count: int) -> float:
    """Seconds until all that is pending is sent by ``count`` processes, their start not counted."""
    url = world.database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", SENDER, url, world.key, str(receiver.ca_file)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    processes = [subprocess.Popen(command, **pipes) for _ in range(count)]  # type: ignore[call-overload]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    started = time.perf_counter()
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    return time.perf_counter() - started


# --- fairness ---------------------------------------------------------------------------------------------------------


def bench_fairness(url: Callable[[str], str], receiver: FastReceiver, endpoints: int) -> None:
    print(f"  {RATE} deliveries a second for {FAIR_SECONDS} s, endpoints that answer (ms):       p50      p99  longest")
    none = fairness(url("none hangs"), receiver, endpoints, hanging=0)
    some = fairness(url("some hang"), receiver, endpoints, hanging=endpoints // HANGING_SHARE)
    for name, index in (("due to answered", 0), ("the POST alone", 1)):
        for label, figures in (("none hangs", none[index]), (f"{endpoints // HANGING_SHARE} hang", some[index])):
            print(f"    {name:16} {label:12} {quantile(figures, 0.5):31.1f} {quantile(figures, 0.99):8.1f} {max(figures):8.1f}")
        print(
            f"    {name:16} p99 with those that hang, to without: {quantile(some[index], 0.99) / quantile(none[index], 0.99):.2f}"
        )


def fairness(url: str, receiver: FastReceiver, endpoints: int, hanging: int) -> tuple[list[float], list[float]]:
    """(milliseconds from due to answered, of the POST) of each delivery to an endpoint that answers."""
    world = make_world(url, receiver.ca_file)
    urls = [receiver.url(number, hangs=number < hanging) for number in range(endpoints)]
    organizations, _ = add_partners(world, urls)
    publish_all(world, RATE * FAIR_SECONDS // 10)
    stopping = threading.Event()
    sender = threading.Thread(target=send_until, args=(world, stopping))
    sender.start()
    began = time.monotonic()
    # Ten fall due in each step: of one round, to ten endpoints in turn, those that hang among them.
    for step in range(RATE * FAIR_SECONDS // 10):
        time.sleep(max(0.0, began + step * 10 / RATE - time.monotonic()))
        some = [organizations[(step * 10 + number) % endpoints] for number in range(10)]
        owe(world, some, range(step, step + 1), publish=False)
    stopping.set()
    sender.join()
    query = select(Delivery.created_at, Delivery.finished_at, DeliveryAttempt.duration_ms)
    query = query.join(DeliveryAttempt, DeliveryAttempt.delivery_id == Delivery.id).where(Delivery.status == "delivered")
    with world.database.read() as session:
        rows = session.execute(query).all()
    world.database.close()
    assert len(rows) == RATE * FAIR_SECONDS * (endpoints - hanging) // endpoints
    return [(row.finished_at - row.created_at).total_seconds() * 1000 for row in rows], [row.duration_ms for row in rows]


def send_until(world: World, stopping: threading.Event) -> None:
    while not stopping.is_set():
        deliver_pending(world.database, world.box, world.settings, utc_now, patience_seconds=FAIR_SECONDS / 3)
        stopping.wait(LOOK_SECONDS)
    # What is left waits for endpoints that hang.
    deliver_pending(world.database, world.box, world.settings, utc_now, patience_seconds=0.0)


def publish_all(world: World, count: int) -> None:
    now = utc_now()
    publish_rounds(world.database, [round_row(number, now) for number in range(count)], now)


# --- a long history ---------------------------------------------------------------------------------------------------


def bench_history(url: Callable[[str], str], receiver: FastReceiver, history: int) -> None:
    costs = {}
    for count in (SMALL_HISTORY, history):
        world = make_world(url(f"history {count}"), receiver.ca_file)
        organizations, _ = add_partners(world, [receiver.url(number) for number in range(100)])
        started = time.perf_counter()
        fill_ledger(world.database, organizations, count)
        filled = time.perf_counter() - started
        owe(world, organizations, range(2))  # what is read for the first time is read before the clock starts
        deliver_pending(world.database, world.box, world.settings, utc_now)
        times = []
        for part in range(5):
            started, cpu = time.perf_counter(), time.process_time()
            owed = owe(world, organizations, range(10 + part * 10, 20 + part * 10))
            recorded, recorded_cpu = time.perf_counter(), time.process_time()
            deliver_pending(world.database, world.box, world.settings, utc_now)
            spent = (recorded - started, time.perf_counter() - recorded, recorded_cpu - cpu, time.process_time() - recorded_cpu)
            times.append([seconds / owed * 1000 for seconds in spent])
        record, send, record_cpu, send_cpu = (statistics.median(figures) for figures in zip(*times, strict=True))
        costs[count] = (record_cpu, send_cpu)
        print(
            f"  {count:>9,} in the ledger ({filled:.0f} s to fill): to record a match {record:.2f} ms, to send it {send:.2f} ms;"
            f" of processor {record_cpu:.2f} and {send_cpu:.2f} ms",
            flush=True,
        )
        world.database.close()
    small, large = costs[SMALL_HISTORY], costs[history]
    print(f"  long to short, processor: recording {large[0] / small[0]:.2f}, sending {large[1] / small[1]:.2f}")


def quantile(times: Sequence[float], share: float) -> float:
    """The time that this share of ``times`` did not exceed."""
    ordered = sorted(times)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


if __name__ == "__main__":
    main()

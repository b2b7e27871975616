"""At most once, whatever runs at the same time or dies in between (FS-61, A-FS-8, A-FS-25), on SQLite and PostgreSQL."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from pipeline.store.app_database import AppDatabase
from pipeline.webhooks.claims import claim, expire
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.outbox import record_matches
from pipeline.webhooks.receiver import Receiver, throwaway_certificate

# What a sending process does, with a pause in the receiver so that it can be killed in the middle.
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
settings = Settings(
    _env_file=None, webhook_ca_file=Path(ca_file), webhook_allowed_networks=(ip_network("127.0.0.0/8"),), webhook_max_in_flight=6
)
report = deliver_pending(AppDatabase(url), SecretBox([key]), settings, lambda: datetime.now(UTC))
print(report.delivered)
"""
RECORDER = """
import json, sys
from datetime import datetime
from pipeline.matching.model import FoundMatch, MatchType
from pipeline.store.app_database import AppDatabase
from pipeline.webhooks.outbox import record_matches
url, now, pairs = sys.argv[1], datetime.fromisoformat(sys.argv[2]), json.loads(sys.argv[3])
found = [FoundMatch(o, r, MatchType.ACCOUNT_NAME, "a1", None, 1.0, "equal_name", "x", "x", "1", []) for o, r in pairs]
print(record_matches(AppDatabase(url), found, now).new)
"""


def run(script: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def finish(process: subprocess.Popen[str]) -> int:
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return int(output)


def address(database: AppDatabase) -> str:
    return database.url.render_as_string(hide_password=False)


def test_recording_the_same_matches_from_several_processes_makes_one_each(partners: Any) -> None:
    organization = partners.add("acme")
    rounds = [partners.round(f"r{number}") for number in range(30)]
    pairs = json.dumps([[organization, name] for name in rounds])
    processes = [run(RECORDER, address(partners.database), partners.now.isoformat(), pairs) for _ in range(3)]
    assert sum(finish(process) for process in processes) == 30
    assert len(partners.deliveries()) == 30
    assert len(partners.attempts()) == 30  # one no_webhook attempt each


def test_two_ids_of_one_real_round_found_at_once_are_told_once(partners: Any) -> None:
    """A-FS-24: neither matcher sees the other's uncommitted match, and still only one is recorded."""
    organization = partners.add("acme")
    for number in range(8):
        for version in ("a", "b"):
            partners.round(f"{number}{version}", company_key=f"company {number}")
    found = [[partners.found(organization, f"{number}{version}") for number in range(8)] for version in ("a", "b")]
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda part: record_matches(partners.database, part, partners.now), found))
    assert sum(report.new for report in reports) == 8
    assert sum(report.suppressed for report in reports) == 8


def test_no_delivery_is_claimed_twice_by_concurrent_senders(partners: Any) -> None:
    organizations = [partners.add(f"p{number}", "https://127.0.0.1:9/") for number in range(5)]
    rounds = [partners.round(f"r{number}") for number in range(20)]
    record_matches(
        partners.database,
        [partners.found(organization, name) for organization in organizations for name in rounds],
        partners.now,
    )

    def claim_all(name: str) -> list[str]:
        taken: list[str] = []
        while claims := claim(partners.database, 7, partners.now, name, fundingscout_profile()):
            taken += [item.delivery_id for item in claims]
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [delivery for part in pool.map(claim_all, ["one", "two", "three", "four"]) for delivery in part]
    assert len(taken) == len(set(taken)) == 100


def test_sender_killed_in_the_middle_sends_nothing_twice(partners: Any, tmp_path: Path) -> None:
    """A-FS-8: what was in flight is failed with unknown outcome; the rest is sent by the next run."""
    ca_file = tmp_path / "ca.pem"
    certificate = throwaway_certificate("127.0.0.1", ca_file)
    from cryptography.fernet import Fernet

    from pipeline.organizations.secrets import SecretBox

    key = Fernet.generate_key().decode()
    partners.box = SecretBox([key])
    with Receiver([], certificate, on_delivery=lambda _item: time.sleep(0.05)) as receiver:
        organizations = [partners.add(f"p{number}", receiver.url) for number in range(4)]
        receiver.secrets += [partners.secret(organization) for organization in organizations]
        rounds = [partners.round(f"r{number}") for number in range(15)]
        every = [partners.found(organization, name) for organization in organizations for name in rounds]
        record_matches(partners.database, every, partners.now)
        arguments = (address(partners.database), key, str(ca_file))
        chance = random.Random(7)
        for kill in range(3):
            before = len(receiver.received)
            process = run(SENDER, *arguments)
            while len(receiver.received) < before + 4 and process.poll() is None:
                time.sleep(0.005)
            time.sleep(chance.random() * 0.05)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=30)
            assert len(receiver.received) < 60, f"killed too late to mean anything (kill {kill})"
        time.sleep(0.3)
        finish(run(SENDER, *arguments))
        late = max(delivery.claimed_at for delivery in partners.deliveries()) + timedelta(seconds=60)
        expire(partners.database, late, 5.0)

        got = [item.match_id for item in receiver.received]
        assert len(got) == len(set(got))
        statuses = {delivery.match_id: (delivery.status, delivery.reason) for delivery in partners.deliveries()}
        assert set(statuses.values()) <= {("delivered", None), ("failed", "unknown_outcome")}
        assert ("failed", "unknown_outcome") in statuses.values()
        # Whoever did not get it finds it in the pull feed.
        assert {name for name in statuses if name not in got} <= {n for n, (s, _) in statuses.items() if s == "failed"}
        assert all(attempt.number == 1 for attempt in partners.attempts())

"""The demo: the whole way, once, on the samples, with everything real but the outside world.

Feeds come from a local HTTP server, deliveries go to a local HTTPS receiver whose certificate authority is made for
this run and trusted by nothing else. Between runs the demo's home keeps the state; a second run finds nothing new.
"""

from __future__ import annotations

import signal
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from sqlalchemy import select

from pipeline.crm.imports import import_file
from pipeline.demo.compare import Outcome, differences, load_expected
from pipeline.demo.state import DemoState, load_or_start
from pipeline.installation import Installation, utc_now
from pipeline.main_job import SyncResult, open_dagster, run_sync, work_waits
from pipeline.organizations.keys import create_key
from pipeline.organizations.organizations import OrganizationUnknown, create_organization, get_organization
from pipeline.samples import SampleServer
from pipeline.service import Service
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.matches import Match
from pipeline.webhooks.endpoints import set_webhook
from pipeline.webhooks.receiver import Receiver, throwaway_certificate

SAMPLES = PROJECT_ROOT / "data" / "samples"
LOOPBACK = (ip_network("127.0.0.0/8"),)
HOST = "127.0.0.1"
# What one pass leaves for a next one (a page that could not be had) is not waited for longer than this.
MOST_PASSES = 3


@dataclass
class DemoReport:
    """What the demo did: figures to print, and every difference from what the samples call for."""

    figures: list[tuple[str, Any]] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    sent: int = 0


def run_demo(home: Path, say: Callable[[str], None] = lambda _line: None) -> DemoReport:
    """Run the demo in ``home``; ``say`` is told what is going on."""
    began = time.monotonic()
    state = load_or_start(home, utc_now())
    with SampleServer(SAMPLES, state.started_at, state.feed_port) as feeds:
        installation = Installation(_settings(home, feeds))
        certificate = throwaway_certificate(HOST, home / "demo-ca.pem")
        _set_up_partners(installation, state, home)
        expected = load_expected(SAMPLES, feeds.base_url)
        log = home / "received.jsonl"
        with Receiver(list(state.secrets.values()), certificate, port=state.receiver_port, log_file=log) as receiver:
            _set_up_webhooks(installation, receiver, state)
            _load_crms(installation, expected, say)
            results = _run_passes(installation, say)
        report = _report(installation, expected, results, receiver)
        report.figures.append(("seconds in all", round(time.monotonic() - began, 1)))
        installation.close()
    return report


def keep_running(home: Path, write: Callable[[str], None], on_ready: Callable[[str], None]) -> None:
    """The service on the demo's world, feeds and receiver included, until Ctrl-C or SIGTERM."""
    state = load_or_start(home, utc_now())
    with SampleServer(SAMPLES, state.started_at, state.feed_port) as feeds:
        settings = _settings(home, feeds)
        installation = Installation(settings)
        certificate = throwaway_certificate(HOST, home / "demo-ca.pem")
        log = home / "received.jsonl"
        with Receiver(list(state.secrets.values()), certificate, port=state.receiver_port, log_file=log) as receiver:
            _set_up_webhooks(installation, receiver, state)
            # Brings dbt's half of Dagster, which takes two seconds that the demo alone has no use for.
            from pipeline.demo.morning import prepare_morning

            prepare_morning(installation, receiver.url, LOOPBACK, write)
            installation.close()
            service = Service(settings, write)
            for name in (signal.SIGINT, signal.SIGTERM):
                signal.signal(name, service.stop)
            service.run(on_ready)


def _settings(home: Path, feeds: SampleServer) -> Settings:
    sources = home / "sources.yaml"
    sources.write_text(feeds.render_file("sources.yaml"), encoding="utf-8")
    return Settings(
        home=home,
        api_port=0,  # any free one: the demo must not fail over a port that is taken
        database_url=None,
        warehouse_file=None,
        landing_dir=None,
        secret_key=None,
        sources_file=sources,
        user_agent="fundingscout-demo/0.1 demo@fundingscout.example",
        fetch_allowed_networks=LOOPBACK,
        webhook_allowed_networks=LOOPBACK,
        webhook_ca_file=home / "demo-ca.pem",
    )


def _set_up_partners(installation: Installation, state: DemoState, home: Path) -> None:
    for slug in ("fernhollow", "kestrelway"):
        try:
            organization = get_organization(installation.database, slug)
        except OrganizationUnknown:
            organization = create_organization(installation.database, slug, slug.capitalize(), installation.now())
        if slug not in state.secrets:
            key = create_key(installation.database, installation.secret_box, organization.id, "demo", installation.now())
            state.secrets[slug] = key.webhook_secret
            state.save(home)


def _set_up_webhooks(installation: Installation, receiver: Receiver, state: DemoState) -> None:
    for slug in state.secrets:
        organization = get_organization(installation.database, slug)
        set_webhook(installation.database, organization.id, receiver.url, None, installation.now(), LOOPBACK)


def _load_crms(installation: Installation, expected: dict[str, Any], say: Callable[[str], None]) -> None:
    for slug, partner in expected["partners"].items():
        organization = get_organization(installation.database, slug)
        counts = []
        for kind, file in partner["files"].items():
            done = import_file(
                installation.database, organization.id, SAMPLES / file["file"], installation.now(), kind=kind.rstrip("s")
            )
            counts.append(f"{done.upserted} {kind} ({done.rejected} set aside)")
        say(f"CRM of {partner['name']}: {', '.join(counts)}")


def _run_passes(installation: Installation, say: Callable[[str], None]) -> list[SyncResult]:
    results = []
    with open_dagster(installation.settings) as instance:
        for number in range(1, MOST_PASSES + 1):
            say(f"Running the job `sync` through Dagster (pass {number}) …")
            results.append(run_sync(installation, instance))
            if not work_waits(installation):
                break
    return results


def _report(installation: Installation, expected: dict[str, Any], results: list[SyncResult], receiver: Receiver) -> DemoReport:
    report = DemoReport(sent=len(receiver.received))
    outcome = Outcome.read(installation)
    report.differences += [f"the run failed: {result.failure}" for result in results if not result.is_success]
    report.differences += [f"source {source}: {error}" for result in results for source, error in result.source_failures]
    report.differences += differences(expected, outcome)
    report.differences += ["a delivery with a wrong signature" for item in receiver.received if not item.is_verified]
    report.differences += [f"match {match_id} was received twice" for match_id in receiver.duplicates]
    reports = sum(1 for row in outcome.documents if row["round_id"])
    report.figures += [
        ("documents read", f"{len(outcome.documents)} ({sum(outcome.rejected_entries.values())} entry set aside)"),
        ("rounds found", f"{len(outcome.rounds)} in {reports} of them"),
        *_ledger_figures(installation),
        ("received now, verified", f"{sum(item.is_verified for item in receiver.received)} of {report.sent}"),
        *_seconds_to_webhook(installation, report.sent),
    ]
    return report


def _ledger_figures(installation: Installation) -> list[tuple[str, Any]]:
    with installation.database.read() as session:
        matches = Counter(session.scalars(select(Match.match_type)))
        deliveries = Counter(session.scalars(select(Delivery.status)))
    figures: list[tuple[str, Any]] = [(f"matches, {name}", count) for name, count in sorted(matches.items())]
    return figures + [(f"deliveries, {name}", count) for name, count in sorted(deliveries.items())]


def _seconds_to_webhook(installation: Installation, sent: int) -> list[tuple[str, Any]]:
    """From a document's landing to the answer of the receiver, for what this run sent."""
    with installation.warehouse.open() as connection:
        rows = connection.execute(
            """SELECT epoch(finished_at - document_landed_at) FROM core.webhook_deliveries
               WHERE status = 'delivered' AND document_landed_at IS NOT NULL ORDER BY attempt_id DESC LIMIT ?""",
            [sent],
        ).fetchall()
    seconds = [row[0] for row in rows]
    if not seconds:
        return []
    return [("seconds document to webhook", f"median {statistics.median(seconds):.1f}, longest {max(seconds):.1f}")]

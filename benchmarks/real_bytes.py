"""The main job over recorded bytes: feeds, filings and press releases of a folder, served on loopback, to a real receiver.

    python benchmarks/real_bytes.py PATH [--home DIR] [--rounds N]

PATH holds ``feeds/``, ``formd/``, ``gold_open.jsonl``, ``stream_open.jsonl.gz`` and ``stream_open_flags.json``. Prints what
came in, what became of it, how that compares with the labels, and whether a second pass changed or sent anything.
``--rounds N`` lists N rounds, drawn with a fixed seed, for a person to read.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from random import Random
from typing import Any

import yaml
from recordings import RELEASES, SEC_SOURCES, SEED, TECHCRUNCH, RecordingServer, load, write_accounts
from sqlalchemy import func, select

from pipeline.crm.imports import import_file
from pipeline.documents.identity import canonical_url
from pipeline.installation import Installation
from pipeline.main_job import open_dagster, run_sync, work_waits
from pipeline.organizations.keys import create_key
from pipeline.organizations.organizations import create_organization
from pipeline.settings import Settings
from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt
from pipeline.store.tables.documents import FollowUp, SourceState
from pipeline.store.tables.matches import Match
from pipeline.webhooks.endpoints import set_webhook
from pipeline.webhooks.receiver import Receiver, throwaway_certificate

LOOPBACK = (ip_network("127.0.0.0/8"),)
POLL_SECONDS = 3_600
# The recordings are up to eighteen years old and are to be read as the news they were.
MAX_ARTICLE_AGE_HOURS = 24 * 365 * 40
MOST_PASSES = 20

BY_KIND = "SELECT source_id || ', ' || kind, count(*) FROM raw.documents GROUP BY 1 ORDER BY 1"
REJECTS = "SELECT source_id || ', ' || reason || ', ' || split_part(detail, ':', 1), count(*) FROM raw.rejected_documents GROUP BY 1 ORDER BY 1"  # noqa: E501
BY_SIGNAL = """SELECT signal_type || coalesce(', set aside: ' || set_aside_reason, ''), count(*)
    FROM core.mentions GROUP BY 1 ORDER BY 1"""
LINKED = "SELECT d.url FROM core.round_mentions JOIN raw.documents d USING (document_id) ORDER BY 1"
ROUNDS = """SELECT company_name, amount, currency, funding_type, lead_investor, investors, website, ceo_name, location,
    location_country, article_title, article_url FROM core.funding_rounds WHERE status = 'active' ORDER BY round_id"""
STATE = (
    "SELECT document_id, revision, document_seq FROM raw.documents ORDER BY ALL",
    "SELECT landing_id, entry, reason FROM raw.rejected_documents ORDER BY ALL",
    "SELECT document_id, mention_seq, set_aside_reason FROM core.mentions ORDER BY ALL",
    "SELECT round_id, round_seq, status FROM core.funding_rounds ORDER BY ALL",
    "SELECT round_id, document_id FROM core.round_mentions ORDER BY ALL",
    "SELECT match_id, round_id FROM core.matches ORDER BY ALL",
    "SELECT attempt_id, status FROM core.webhook_deliveries ORDER BY ALL",
)


class Clock:
    """The present, and ahead of it by what was waited for: pauses of minutes before a page is asked for again."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def go_on(self, by: timedelta) -> None:
        """Let time pass."""
        self._ahead += max(by, timedelta())


@dataclass
class Figures:
    """What a run did. ``linked`` of ``served`` releases became (part of) a round; ``changes`` of the second pass."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    source_failures: list[tuple[str, str]] = field(default_factory=list)
    accessions: int = 0
    forms: Counter[str] = field(default_factory=Counter)
    positives: tuple[int, int] = (0, 0)  # became a round, of served
    negatives: tuple[int, int] = (0, 0)
    missed: list[str] = field(default_factory=list)
    false_alarms: list[str] = field(default_factory=list)
    form_rounds: list[str] = field(default_factory=list)
    rounds: list[dict[str, Any]] = field(default_factory=list)
    received: int = 0
    unverified: int = 0
    duplicates: int = 0
    second_pass: list[str] = field(default_factory=list)  # what it changed or sent
    seconds: float = 0.0


def run(folder: Path, home: Path, gold: int | None = None, drawn: int = 300) -> Figures:
    """Run it all in ``home``, which must hold no state of an earlier run: the server's address is another one each time."""
    if (home / "app.db").exists():
        raise SystemExit(f"{home} holds the state of another run; give an empty folder")
    home.mkdir(parents=True, exist_ok=True)
    figures, clock = Figures(), Clock()
    with RecordingServer() as server:
        server.recordings = load(folder, server.base_url, gold, drawn)
        certificate = throwaway_certificate("127.0.0.1", home / "ca.pem")
        installation = Installation(_settings(home, server.base_url), clock)
        organization = create_organization(installation.database, "reader", "Reader", clock())
        key = create_key(installation.database, installation.secret_box, organization.id, "reading", clock())
        with Receiver([key.webhook_secret], certificate) as receiver:
            set_webhook(installation.database, organization.id, receiver.url, None, clock(), LOOPBACK)
            write_accounts(folder, home / "accounts.jsonl")
            import_file(installation.database, organization.id, home / "accounts.jsonl", clock(), kind="account")
            began = time.monotonic()
            _run_passes(installation, clock, figures)
            figures.seconds = time.monotonic() - began
            _second_pass(installation, clock, figures, receiver, server)
        _read_stores(installation, figures)
        _read_labels(installation, server, figures)
        figures.received, figures.duplicates = len(receiver.received), len(receiver.duplicates)
        figures.unverified = sum(not item.is_verified for item in receiver.received)
        installation.close()
    return figures


def _settings(home: Path, base_url: str) -> Settings:
    paths = [(name, "edgar_current", path) for name, path in SEC_SOURCES.items()]
    paths += [(f"techcrunch-{year}", "rss", f"/techcrunch-{year}.rss") for year in TECHCRUNCH]
    paths.append(("releases", "rss", RELEASES))
    sources = [
        {"id": name, "kind": kind, "url": base_url + path, "outlet": name, "what": "A recording.", "poll_seconds": POLL_SECONDS}
        for name, kind, path in paths
    ]
    (home / "sources.yaml").write_text(yaml.safe_dump({"sources": sources}), encoding="utf-8")
    return Settings(
        home=home,
        database_url=None,
        warehouse_file=None,
        landing_dir=None,
        secret_key=None,
        sources_file=home / "sources.yaml",
        user_agent="fundingscout-recordings/0.1 recordings@fundingscout.example",
        fetch_allowed_networks=LOOPBACK,
        fetch_timeout_seconds=30.0,
        webhook_allowed_networks=LOOPBACK,
        webhook_ca_file=home / "ca.pem",
        max_article_age_hours=MAX_ARTICLE_AGE_HOURS,
    )


def _run_passes(installation: Installation, clock: Clock, figures: Figures) -> None:
    """Passes until nothing waits, not even a page that is to be asked for again later."""
    with open_dagster(installation.settings) as instance:
        for _number in range(MOST_PASSES):
            result = run_sync(installation, instance)
            figures.failures += [] if result.is_success else [result.failure]
            figures.source_failures += result.source_failures
            if work_waits(installation):
                continue
            with installation.database.read() as session:
                query = select(func.min(FollowUp.next_attempt_at)).where(FollowUp.status == "waiting")
                due = session.scalar(query)
            if due is None:
                return
            clock.go_on(due - clock())
    figures.failures.append(f"work waits after {MOST_PASSES} passes")


def _second_pass(
    installation: Installation, clock: Clock, figures: Figures, receiver: Receiver, server: RecordingServer
) -> None:
    """Everything is asked for again, and nothing may come of it."""
    before, received, asked = _state(installation), len(receiver.received), len(server.requests)
    clock.go_on(timedelta(seconds=POLL_SECONDS + 60))
    _run_passes(installation, clock, figures)
    figures.second_pass += [f"differs: {name}" for name, rows in _state(installation).items() if rows != before[name]]
    figures.second_pass += ["something was received"] if len(receiver.received) != received else []
    again = [path for path, _status in server.requests[asked:]]
    figures.second_pass += [f"asked for {path} again" for path in again if path.endswith("primary_doc.xml")]
    figures.second_pass += [] if again else ["no source was polled"]


def _state(installation: Installation) -> dict[str, list[Any]]:
    with installation.warehouse.open() as connection:
        state: dict[str, list[Any]] = {query: connection.execute(query).fetchall() for query in STATE}
    with installation.database.read() as session:
        state["deliveries"] = list(
            session.execute(select(Delivery.id, Delivery.status, Delivery.attempts).order_by(Delivery.id))
        )
        state["attempts"] = list(session.scalars(select(DeliveryAttempt.id).order_by(DeliveryAttempt.id)))
    return state


def _read_stores(installation: Installation, figures: Figures) -> None:
    queries = {"documents": BY_KIND, "rejects": REJECTS, "mentions": BY_SIGNAL}
    with installation.warehouse.open() as connection:
        for title, query in queries.items():
            figures.counts[title] = Counter(dict(connection.execute(query).fetchall()))
        rows = connection.execute(ROUNDS)
        names = [column[0] for column in rows.description or ()]
        figures.rounds = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
        forms = """SELECT d.title FROM core.round_mentions JOIN raw.documents d USING (document_id) WHERE d.kind = 'form_d'
            ORDER BY 1"""
        figures.form_rounds = [title for (title,) in connection.execute(forms).fetchall()]
    with installation.database.read() as session:
        figures.counts["matches"] = Counter(session.scalars(select(Match.match_type)))
        figures.counts["deliveries"] = Counter(session.scalars(select(Delivery.status)))
        figures.accessions = len(session.get_one(SourceState, "edgar").memory["accessions"])
        contexts = session.scalars(select(FollowUp.context).where(FollowUp.source_id == "edgar"))
        figures.forms = Counter(context["form_type"] for context in contexts)


def _read_labels(installation: Installation, server: RecordingServer, figures: Figures) -> None:
    with installation.warehouse.open() as connection:
        linked = {canonical_url(url) for (url,) in connection.execute(LINKED).fetchall()}
    positives, negatives = (server.recordings.links(positive=positive) for positive in (True, False))
    hit, alarm = ({link for link in links if canonical_url(link) in linked} for links in (positives, negatives))
    figures.positives, figures.negatives = (len(hit), len(positives)), (len(alarm), len(negatives))
    figures.missed, figures.false_alarms = sorted(positives - hit), sorted(alarm)


def show(figures: Figures, rounds: int, say: Callable[[str], None] = print) -> None:
    """Print all of it."""
    for title, counts in figures.counts.items():
        say(f"{title}: {counts.total()}")
        for name, count in sorted(counts.items()):
            say(f"   {name}: {count}")
    say(f"rounds: {len(figures.rounds)}; of filings: {'; '.join(figures.form_rounds)}")
    say(f"EDGAR's latest filings: {figures.accessions} accessions, {figures.forms['D']} D, {figures.forms['D/A']} D/A")
    say(f"received: {figures.received}; wrong signature: {figures.unverified}; twice: {figures.duplicates}")
    say(f"labelled rounds that became a round: {figures.positives[0]} of {figures.positives[1]}")
    for link in figures.missed:
        say(f"   missed: {link}")
    say(f"releases without a round that became one: {figures.negatives[0]} of {figures.negatives[1]}")
    for link in figures.false_alarms:
        say(f"   not a round by its label: {link}")
    for problem in [*figures.failures, *map(str, figures.source_failures)]:
        say(f"FAILED: {problem}")
    say(f"second pass: {'; '.join(figures.second_pass) or 'nothing changed, nothing sent'}")
    say(f"seconds until nothing waited: {figures.seconds:.1f}")
    drawn = Random(SEED).sample(figures.rounds, min(rounds, len(figures.rounds)))
    for number, row in enumerate(drawn, start=1):
        say(f"\n{number}. " + "\n   ".join(f"{name}: {value}" for name, value in row.items() if value is not None))


def main() -> int:
    """Run it; 0 when no run failed and the second pass changed nothing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--home", type=Path, help="an empty folder to work in and keep; without it a temporary one")
    parser.add_argument("--rounds", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fs-real-") as temporary:
        figures = run(arguments.folder, arguments.home or Path(temporary))
        show(figures, arguments.rounds)
    return int(bool(figures.failures or figures.source_failures or figures.second_pass))


if __name__ == "__main__":
    sys.exit(main())

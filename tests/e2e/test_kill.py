"""The pipeline is killed at any moment and run again: the same rounds and matches, and nothing is sent twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from pipeline.installation import Installation
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.matches import Match, Round
from pipeline.webhooks.claims import expire

KILLING = Path(__file__).with_name("killing.py")
KILLS = 10


def outcome(home: Path) -> dict[str, Any]:
    """What the stores hold, by ids that must not depend on what was killed when."""
    installation = Installation(Settings(home=home))
    with installation.warehouse.open() as connection:
        documents = connection.execute("SELECT document_id, title FROM raw.documents ORDER BY 1").fetchall()
        mentions = connection.execute("SELECT document_id, is_funding, company_name FROM core.mentions ORDER BY 1").fetchall()
        rounds = connection.execute(
            "SELECT round_id, company_name, amount_usd, funding_type, mention_count FROM core.funding_rounds ORDER BY 1"
        ).fetchall()
        links = connection.execute("SELECT round_id, document_id FROM core.round_mentions ORDER BY 1, 2").fetchall()
        matches = connection.execute("SELECT match_id, match_type FROM core.matches ORDER BY 1").fetchall()
        accounts = connection.execute("SELECT count(*) FROM core.crm_accounts").fetchall()
        history = connection.execute("SELECT count(*) FROM core.crm_account_history").fetchall()
    with installation.database.read() as session:
        ledger = session.execute(select(Match.id, Match.round_id).order_by(Match.id)).all()
        published = session.scalars(select(Round.id).order_by(Round.id)).all()
    installation.close()
    return {
        "documents": documents,
        "mentions": mentions,
        "rounds": rounds,
        "links": links,
        "matches": matches,
        "accounts": accounts,
        "history": history,
        "ledger": [tuple(row) for row in ledger],
        "published": list(published),
    }


def passes(world: Any, lives: list[float]) -> list[tuple[str, float]]:
    """How passes ended that may live so long each, in seconds of processor time, and what they used of it."""
    command = [sys.executable, str(KILLING), *map(str, lives)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=world.environment, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout + done.stderr
    ends = [line.split() for line in done.stdout.splitlines() if line.startswith(("killed ", "ended "))]
    return [(how, float(used)) for how, used in ends]


def test_killed_anywhere_and_run_again_leads_to_what_an_undisturbed_run_leads_to(tmp_path: Path, worlds: Any) -> None:
    """FS-61, A-FS-8, A-FS-25."""
    epoch = datetime.now(UTC).replace(microsecond=0)
    with worlds(tmp_path / "calm", epoch) as calm:
        port = int(calm.feeds.base_url.rsplit(":", 1)[1])
        [(how, whole)] = passes(calm, [600.0])
        assert how == "ended"
        undisturbed = outcome(calm.home)
        told = calm.told()
        assert len(told) == 17
    # The same port: addresses are part of what documents are.
    moments = random.Random(int(os.environ.get("FUNDINGSCOUT_TEST_SEED", "20261120")))
    with worlds(tmp_path / "wild", epoch, port) as wild:
        # Ever longer lives: each gets a little further than the one before.
        ends = passes(wild, sorted(moments.uniform(0.1, 1.0) * whole for _ in range(KILLS)))
        wild.run("sync")
        installation = wild.installation
        # What was on its way when it was killed is given up once its budget is over; the clock is an argument.
        expire(installation.database, datetime.now(UTC) + timedelta(minutes=5), 5.0)
        wild.run("sync")
        assert outcome(wild.home) == undisturbed
        assert wild.receiver.duplicates == []
        with installation.database.read() as session:
            states = {row.match_id: row.status for row in session.execute(select(Delivery.match_id, Delivery.status))}
            unknown = {
                row for row in session.scalars(select(Delivery.match_id).where(Delivery.reason == "unknown_outcome")) if row
            }
        received = {item.match_id for item in wild.receiver.received}
        delivered = {match_id for match_id, status in states.items() if status == "delivered"}
        # Each was told, or stands as failed with an unknown outcome for the partner to pull: none is lost.
        assert delivered <= received
        assert set(states) == delivered | unknown
        assert wild.told() <= told
        installation.close()
    assert [how for how, _ in ends].count("killed") >= KILLS // 2, "the kills came too late to disturb anything"

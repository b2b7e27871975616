"""The main job with the app database on PostgreSQL, and several senders at once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from pipeline.store.tables.deliveries import Delivery


def test_the_main_job_on_postgresql_tells_the_same_partners_the_same(tmp_path: Path, worlds: Any, postgres: Any) -> None:
    """FS-61: seventeen webhooks, whichever database keeps the ledger; two passes at once send none twice."""
    name = postgres.create()
    epoch = datetime.now(UTC).replace(microsecond=0)
    with worlds(tmp_path / "home", epoch, database_url=postgres.url(name)) as world:
        passes = [world.start("sync"), world.start("sync")]
        for process in passes:
            output, _ = process.communicate(timeout=120)
            assert process.returncode == 0, output
        assert len(world.told()) == 17
        assert world.receiver.duplicates == []
        world.run("sync")
        assert len(world.receiver.received) == 17
        installation = world.installation
        with installation.database.read() as session:
            assert set(session.scalars(select(Delivery.status))) == {"delivered"}
        installation.close()
    postgres.drop(name)

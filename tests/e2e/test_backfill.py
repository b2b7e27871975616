"""Recovering missed matches, as an analyst does it from a terminal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def late_world(tmp_path_factory: pytest.TempPathFactory, worlds: Any) -> Iterator[tuple[Any, Path]]:
    """A world whose CRMs come only after the rounds were matched, with no look-back; and a copy of its home as it is then."""
    folder = tmp_path_factory.mktemp("late")
    with worlds(folder / "home", datetime.now(UTC).replace(microsecond=0), crms=()) as world:
        world.settings["FUNDINGSCOUT_LOOK_BACK_HOURS"] = "0"
        world.run("sync")
        for slug, files in world.crm_files().items():
            for file in files:
                world.run("crm", "import", str(file), "-o", slug)
        world.run("sync")
        assert world.told() == set()
        shutil.copytree(world.home, folder / "copy")
        yield world, folder / "copy"


@pytest.fixture
def late(late_world: tuple[Any, Path]) -> Any:
    """That world as it was made, for each test anew."""
    world, copy = late_world
    shutil.rmtree(world.home)
    shutil.copytree(copy, world.home)
    world.receiver.received.clear()
    return world


def days() -> list[str]:
    today = datetime.now(UTC).date()
    return ["--from", str(today - timedelta(days=1)), "--to", str(today)]


def held(world: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(world.run("deliveries", "list", "--status", "held", "--limit", "99", "--json"))
    return rows


def test_backfill_finds_what_was_missed_holds_it_and_sends_it_only_when_released(late: Any) -> None:
    """FS-61, A-FS-24: a backfill never sends unless asked to, and at most once holds across it."""
    printed = late.run("backfill", *days())
    assert "matches recovered            17" in printed
    assert late.told() == set()
    assert len(held(late)) == 17
    late.run("sync")
    assert late.told() == set()
    assert "17 pending now" in late.run("deliveries", "release", *days())
    late.run("sync")
    assert len(late.told()) == 17
    late.run("backfill", *days(), "--deliver")
    assert len(late.receiver.received) == 17


def test_a_dry_run_shows_what_a_backfill_finds_and_leaves_no_trace(late: Any) -> None:
    """A backfill is looked at before it is done: the dry run's new matches are the ones that it then finds."""
    ledger = late.run("deliveries", "list", "--limit", "99", "--json")
    tried = json.loads(late.run("backfill", *days(), "--dry-run", "--json"))
    assert (tried["matches that would be new"], tried["sent, with --deliver"]) == (17, 17)
    assert late.run("deliveries", "list", "--limit", "99", "--json") == ledger
    new = {(row["organization"], row["round_id"]) for row in tried["changes"] if row["change"] == "new_match"}
    companies = {(row["organization"], row["company_name"]) for row in tried["changes"] if row["change"] == "new_match"}
    assert len(new) == 17
    late.run("backfill", *days())
    assert {(row["organization"], row["company"]) for row in held(late)} == companies
    again = late.run("backfill", *days(), "--dry-run", "--match-only")
    assert "matches that would be new    0" in again
    assert "sent, with --deliver         17" in again  # held ones would be let go
    assert late.told() == set()


def test_backfill_with_deliver_sends_what_it_finds_once(late: Any) -> None:
    printed = late.run("backfill", *days(), "--deliver")
    assert "delivered                    17" in printed
    assert len(late.told()) == 17
    late.run("backfill", *days(), "--deliver")
    assert len(late.receiver.received) == 17
    assert held(late) == []


def test_backfill_with_the_crm_of_that_day_does_not_see_rows_that_came_later(late: Any) -> None:
    yesterday = str(datetime.now(UTC).date() - timedelta(days=1))
    printed = late.run("backfill", "--from", yesterday, "--crm", "of_that_day")
    assert "matches recovered            0" in printed

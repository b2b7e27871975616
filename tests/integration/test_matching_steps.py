"""Matching as a step, on a real warehouse: what meets what, and what a kill leaves behind."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.matching import steps
from pipeline.matching.domains import company_domain, email_domain
from pipeline.matching.engine import MATCHER_VERSION
from pipeline.matching.model import FoundMatch
from pipeline.matching.names import normal_form
from pipeline.store.warehouse import Warehouse

T0 = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "warehouse.duckdb")


def naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


class World:
    """Puts rounds and CRM rows where the other steps put them."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.seq = 0
        self.tells_from: dict[str, int] = {}

    def round(self, round_id: str, name: str, website: str | None, first_seen: datetime = T0, **other: Any) -> None:
        number = self._next()
        if other.get("tells", True):
            self.tells_from.setdefault(round_id, number)
        row = {
            "round_id": round_id,
            "round_seq": number,
            "tells_from_seq": self.tells_from.get(round_id),
            "company_name": name,
            "website": website,
            "tells": True,
            "status": "active",
            "first_seen_at": naive(first_seen),
        } | other
        self._execute("DELETE FROM core.funding_rounds WHERE round_id = ?", [round_id])
        self._insert("core.funding_rounds", row)

    def account(self, external_id: str, name: str, domain: str | None = None, org: str = "north", at: datetime = T0) -> None:
        row = {
            "organization_id": org,
            "external_id": external_id,
            "name": name,
            "domain": domain,
            "domain_key": company_domain(domain),
            "name_key": normal_form(name),
            "created_at": naive(at),
        }
        self._insert("core.crm_accounts", row | {"updated_at": naive(at), "change_seq": self._next()})
        self._insert("core.crm_account_history", row | {"valid_from": naive(at)})

    def contact(self, external_id: str, email: str, link: str | None = None, org: str = "north") -> None:
        row = {
            "organization_id": org,
            "external_id": external_id,
            "email": email,
            "email_domain_key": email_domain(email),
            "account_external_id": link,
            "created_at": naive(T0),
        }
        self._insert("core.crm_contacts", row | {"updated_at": naive(T0), "change_seq": self._next()})
        self._insert("core.crm_contact_history", row | {"valid_from": naive(T0)})

    def run(self, now: datetime, look_back_hours: int = 24) -> list[FoundMatch]:
        """One undisturbed pass, with a ledger that takes everything."""
        new = steps.find_new(self.warehouse, now, look_back_hours, 0.8)
        steps.write(self.warehouse, new, recorded(new.found, now))
        return new.found

    def matches(self) -> list[Any]:
        with self.warehouse.open() as connection:
            return connection.execute(
                "SELECT organization_id, round_id, match_type, account_external_id FROM core.matches ORDER BY ALL"
            ).fetchall()

    def _next(self) -> int:
        self.seq += 1
        return self.seq

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        self._execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))

    def _execute(self, statement: str, values: list[Any]) -> None:
        with self.warehouse.open() as connection:
            connection.execute(statement, values).fetchall()


def recorded(found: list[FoundMatch], now: datetime) -> list[steps.Recorded]:
    return [(f"match of {match.organization_id} and {match.round_id}", match, "live", now) for match in found]


@pytest.fixture
def world(warehouse: Warehouse) -> World:
    return World(warehouse)


def test_new_round_meets_all_rows_once(world: World) -> None:
    world.account("a1", "Brightloom", "brightloom.ai")
    world.contact("c1", "jo@brightloom.ai", "a1", org="south")
    world.run(T0 - 30 * DAY)
    world.round("r1", "Brightloom Inc", "https://brightloom.ai")
    assert [(m.organization_id, m.match_type) for m in world.run(T0)] == [
        ("north", "account_domain"),
        ("south", "email_domain"),
    ]
    assert world.run(T0) == []
    assert world.matches() == [("north", "r1", "account_domain", "a1"), ("south", "r1", "email_domain", None)]


@pytest.mark.parametrize(
    ("hours_later", "look_back", "is_found"), [(1, 24, True), (23, 24, True), (25, 24, False), (1, 0, False)]
)
def test_new_row_meets_the_rounds_of_the_window(world: World, hours_later: int, look_back: int, is_found: bool) -> None:
    """A-FS-19"""
    world.round("r1", "Brightloom", "brightloom.ai", T0)
    world.run(T0)
    world.account("a1", "Brightloom", "brightloom.ai")
    found = world.run(T0 + hours_later * HOUR, look_back)
    assert [m.account_external_id for m in found] == (["a1"] if is_found else [])
    assert world.run(T0 + hours_later * HOUR, look_back) == []


def test_new_contact_is_told_with_its_account_that_was_there_before(world: World) -> None:
    world.round("r1", "Brightloom", "brightloom.ai")
    world.account("a1", "Unrelated Bakery")
    world.run(T0)
    world.contact("c1", "jo@brightloom.ai", "a1")
    (match,) = world.run(T0 + HOUR)
    assert (match.account_external_id, match.contact_external_id) == ("a1", "c1")


def test_a_round_that_was_never_matched_meets_all_rows_however_late(world: World) -> None:
    world.account("a1", "Brightloom", "brightloom.ai")
    world.round("r1", "Brightloom", "brightloom.ai", T0)
    assert len(world.run(T0 + 10 * DAY)) == 1


def test_a_round_enriched_after_the_window_does_not_fire(world: World) -> None:
    """A-FS-19, A-FS-24"""
    world.account("a1", "Somebody", "brightloom.ai")
    world.round("r1", "Brightloom", None, T0)
    assert world.run(T0) == []
    world.round("r1", "Brightloom", "brightloom.ai", T0)
    assert world.run(T0 + 2 * DAY) == []
    world.round("r1", "Brightloom", "brightloom.ai", T0)
    assert len(world.run(T0 + HOUR)) == 1


@pytest.mark.parametrize("other", [{"tells": False}, {"status": "retracted"}])
def test_only_rounds_that_stand_and_tell_are_matched(world: World, other: dict[str, Any]) -> None:
    """A-FS-24"""
    world.account("a1", "Brightloom", "brightloom.ai")
    world.round("r1", "Brightloom", "brightloom.ai", **other)
    world.contact("c1", "jo@brightloom.ai")
    assert world.run(T0) == []


def test_a_backfill_meets_rounds_that_tell_nobody_by_themselves_but_no_retracted_ones(world: World) -> None:
    world.account("a1", "Brightloom", "brightloom.ai")
    world.round("r1", "Brightloom", "brightloom.ai", tells=False)
    world.round("r2", "Brightloom", "brightloom.ai", status="retracted")
    found = steps.find_for_days(world.warehouse, T0.date(), T0.date(), "today", 0.8).found
    assert [match.round_id for match in found] == ["r1"]


def test_a_round_known_for_days_meets_all_rows_once_it_begins_to_tell(world: World) -> None:
    """A-FS-24: known from catching up, then reported as news after the look-back window."""
    world.account("a1", "Brightloom", "brightloom.ai")
    world.round("r1", "Brightloom", "brightloom.ai", T0, tells=False)
    assert world.run(T0) == []
    world.round("r1", "Brightloom", "brightloom.ai", T0)
    assert len(world.run(T0 + 5 * DAY, look_back_hours=0)) == 1
    world.round("r1", "Brightloom", "brightloom.ai", T0)
    assert world.run(T0 + 6 * DAY, look_back_hours=0) == []


def test_rounds_seen_at_the_same_instant_are_each_matched_without_a_look_back(world: World) -> None:
    world.account("a1", "Brightloom", "brightloom.ai")
    world.account("a2", "Copperfield Dynamics", "copperfield.ai")
    world.round("r1", "Brightloom", "brightloom.ai", T0)
    assert len(world.run(T0, look_back_hours=0)) == 1
    world.round("r2", "Copperfield Dynamics", "copperfield.ai", T0)
    assert len(world.run(T0, look_back_hours=0)) == 1


def test_a_run_killed_before_writing_is_done_again_to_the_same_rows(world: World) -> None:
    world.account("a1", "Brightloom", "brightloom.ai")
    world.round("r1", "Brightloom", "brightloom.ai")
    first = steps.find_new(world.warehouse, T0, 24, 0.8)
    again = steps.find_new(world.warehouse, T0 + HOUR, 24, 0.8)
    assert first.found == again.found
    steps.write(world.warehouse, again, recorded(again.found, T0))
    assert steps.write(world.warehouse, first, recorded(first.found, T0)) == 0
    assert world.matches() == [("north", "r1", "account_domain", "a1")]


def test_a_match_the_ledger_did_not_take_is_not_written(world: World) -> None:
    world.account("a1", "Brightloom", "brightloom.ai")
    world.round("r1", "Brightloom", "brightloom.ai")
    new = steps.find_new(world.warehouse, T0, 24, 0.8)
    assert steps.write(world.warehouse, new, []) == 0
    assert world.matches() == []
    assert world.run(T0) == []


def test_written_row_says_why(world: World) -> None:
    world.account("a1", "Brightloom, Inc.")
    world.round("r1", "Brightloom", None, ceo_email="ceo@gmail.com")
    world.run(T0)
    with world.warehouse.open() as connection:
        rows = connection.execute(
            "SELECT match_id, score > 0.95, rule, crm_value, round_value, matcher_version, origin, matched_at, "
            "all_matches->0->>'account_external_id', (all_matches->0->'reasons'->>'is_equal')::DOUBLE > 0 FROM core.matches"
        ).fetchall()
    assert rows == [
        (
            "match of north and r1",
            True,
            "equal_name",
            "Brightloom, Inc.",
            "Brightloom",
            MATCHER_VERSION,
            "live",
            naive(T0),
            "a1",
            True,
        )
    ]


def test_backfill_meets_the_crm_of_today_or_of_that_day(world: World) -> None:
    world.round("r1", "Brightloom", "brightloom.ai", T0)
    world.round("r2", "Quorvexa", "quorvexa.com", T0 + 2 * DAY)
    world.account("a1", "Brightloom", "brightloom.ai", at=T0 + DAY)
    world.account("a2", "Quorvexa", "quorvexa.com", at=T0 + DAY)

    def found(from_day: date, to_day: date, crm: str) -> list[str]:
        return [m.round_id for m in steps.find_for_days(world.warehouse, from_day, to_day, crm, 0.8).found]

    day = T0.date()
    assert found(day, day + 2 * DAY, "today") == ["r1", "r2"]
    assert found(day, day, "today") == ["r1"]
    assert found(day, day + 2 * DAY, "of_that_day") == ["r2"]
    with pytest.raises(ValueError, match="'yesterday'"):
        found(day, day, "yesterday")

"""A real round is told once, whatever becomes of its ids: taken back, merged, brought back (A-FS-24)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text, update

from pipeline.api.round_queries import RoundFilter, get_round, list_rounds, search_companies
from pipeline.store.app_database import MIGRATIONS, AppDatabase
from pipeline.store.tables.deliveries import Delivery
from pipeline.webhooks.attempts import Outcome
from pipeline.webhooks.claims import claim, finish
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.outbox import lock_matches, record_matches, release_held
from pipeline.webhooks.replays import Wanted, replay

PROFILE = fundingscout_profile()
URL = "https://hooks.example.com/a"
# No logical rule joins these two: the names differ, so that only the merge says that they are one.
OTHER_NAME = {"company_name": "Quern", "company_key": "quern"}


def statuses(partners: Any) -> dict[str, str]:
    return {delivery.dedupe_key.rpartition(":")[2]: delivery.status for delivery in partners.deliveries()}


def settle(partners: Any, status: str, attempts: int = 1) -> None:
    with partners.database.write() as session:
        session.execute(update(Delivery).values(status=status, attempts=attempts))


def merge(partners: Any) -> None:
    partners.round("r2", **OTHER_NAME, status="merged", merged_into="r1")


@pytest.fixture
def organization(partners: Any) -> str:
    made: str = partners.add("acme", URL)
    partners.round("r1")
    partners.round("r2", **OTHER_NAME)
    return made


def test_a_partner_told_of_the_merged_round_is_not_told_of_the_other(partners: Any, organization: str, now: datetime) -> None:
    record_matches(partners.database, [partners.found(organization, "r2")], now)
    settle(partners, "delivered")
    merge(partners)
    report = record_matches(partners.database, [partners.found(organization, "r1")], now + timedelta(hours=1))
    assert (report.new, report.suppressed) == (0, 1)
    assert statuses(partners) == {"r2": "delivered"}


def test_a_partner_who_knew_neither_is_told_once(partners: Any, organization: str, now: datetime) -> None:
    merge(partners)
    report = record_matches(partners.database, [partners.found(organization, "r1")], now)
    assert report.new == 1


@pytest.mark.parametrize("state", ["pending", "scheduled", "paused"])
def test_of_two_deliveries_that_wait_the_one_of_the_round_that_goes_on_stays(
    partners: Any, organization: str, now: datetime, state: str
) -> None:
    record_matches(partners.database, [partners.found(organization, name) for name in ("r1", "r2")], now)
    settle(partners, state, attempts=0)
    merge(partners)
    assert statuses(partners) == {"r1": state, "r2": "held"}


@pytest.mark.parametrize("state", ["sending", "delivered", "failed", "no_webhook"])
def test_what_was_begun_stays_and_what_waits_beside_it_is_held(
    partners: Any, organization: str, now: datetime, state: str
) -> None:
    record_matches(partners.database, [partners.found(organization, "r2")], now)
    settle(partners, state)
    record_matches(partners.database, [partners.found(organization, "r1")], now)
    merge(partners)
    assert statuses(partners) == {"r1": "held", "r2": state}


def test_what_is_held_beside_a_telling_is_never_let_go(partners: Any, organization: str, now: datetime) -> None:
    record_matches(partners.database, [partners.found(organization, "r2")], now)
    settle(partners, "delivered")
    record_matches(partners.database, [partners.found(organization, "r1")], now)
    merge(partners)
    record_matches(partners.database, [partners.found(organization, "r1")], now + timedelta(hours=1))
    release_held(partners.database, now, days=(now.date(), now.date()))
    assert statuses(partners) == {"r1": "held", "r2": "delivered"}


def test_of_two_that_a_backfill_held_one_is_let_go(partners: Any, organization: str, now: datetime) -> None:
    found = [partners.found(organization, name) for name in ("r1", "r2")]
    record_matches(partners.database, found, now, "backfill", hold=True)
    merge(partners)
    released = release_held(partners.database, now, days=(now.date(), now.date()))
    assert released.pending == 1
    assert sorted(statuses(partners).values()) == ["held", "pending"]


@pytest.mark.parametrize("end", [{"status": "retracted"}, {"status": "merged", "merged_into": "r1"}])
def test_what_never_left_is_not_replayed_for_a_round_that_ended(
    partners: Any, organization: str, now: datetime, end: dict[str, str]
) -> None:
    """The partner was told of the other round, which the merged one is part of; of one taken back nobody is told any more."""
    record_matches(partners.database, [partners.found(organization, name) for name in ("r1", "r2")], now)
    told, failed = sorted(claim(partners.database, 2, now, "me", PROFILE), key=lambda one: b'"r2"' in one.body)
    finish(partners.database, told, Outcome(True, now, 1.0, response_code=200, is_request_sent=True))
    finish(partners.database, failed, Outcome(False, now, 1.0, error_class="dns", is_request_sent=False))
    wanted = Wanted(ids=[failed.delivery_id])
    assert replay(partners.database, wanted, PROFILE, is_dry_run=True).first_sends == 1
    partners.round("r2", **OTHER_NAME, **end)
    assert dict(replay(partners.database, wanted, PROFILE).refused) == {"round_ended": 1}
    assert statuses(partners) == {"r1": "delivered", "r2": "failed"}


def test_two_who_let_go_of_one_real_round_at_once_take_turns(partners: Any, organization: str, now: datetime) -> None:
    """Else neither would see what the other lets go, and the partner would be told twice."""
    found = [partners.found(organization, name) for name in ("r1", "r2")]
    record_matches(partners.database, found, now, "backfill", hold=True)
    merge(partners)
    ids = [delivery.match_id for delivery in partners.deliveries()]
    with ThreadPoolExecutor(1) as pool, partners.database.write() as session:
        lock_matches(partners.database, session)
        other = pool.submit(release_held, partners.database, now, [ids[0]])
        assert wait([other], timeout=0.3).not_done
        session.commit()
        assert other.result(30).pending == 1
    assert release_held(partners.database, now, [ids[1]]).pending == 0


def test_partners_of_one_round_each_keep_what_they_were_promised(partners: Any, organization: str, now: datetime) -> None:
    second = partners.add("other", URL)
    record_matches(partners.database, [partners.found(organization, "r1"), partners.found(second, "r2")], now)
    merge(partners)
    assert statuses(partners) == {"r1": "pending", "r2": "pending"}


def test_a_round_taken_back_is_not_sent_and_is_sent_once_it_comes_back(partners: Any, organization: str, now: datetime) -> None:
    found = partners.found(organization, "r1")
    record_matches(partners.database, [found], now)
    partners.round("r1", status="retracted")
    assert statuses(partners) == {"r1": "held"}
    release_held(partners.database, now, days=(now.date(), now.date()))
    assert statuses(partners) == {"r1": "held"}
    partners.round("r1")
    report = record_matches(partners.database, [found], now + timedelta(hours=1))
    assert (report.known, statuses(partners)) == (1, {"r1": "pending"})


def test_a_delivered_round_that_was_taken_back_and_comes_back_is_not_sent_again(
    partners: Any, organization: str, now: datetime
) -> None:
    found = partners.found(organization, "r1")
    record_matches(partners.database, [found], now)
    settle(partners, "delivered")
    partners.round("r1", status="retracted")
    partners.round("r1")
    record_matches(partners.database, [found], now + timedelta(hours=1))
    assert statuses(partners) == {"r1": "delivered"}


def test_rounds_that_ended_are_listed_no_more(partners: Any, organization: str) -> None:
    partners.round("r3", company_name="Larkspindle", company_key="larkspindle")
    merge(partners)
    partners.round("r3", company_name="Larkspindle", company_key="larkspindle", status="retracted")
    database = partners.database
    assert [row.id for row in list_rounds(database, RoundFilter(), 10)[0]] == ["r1"]
    assert search_companies(database, "larkspindle", 10) == []
    assert get_round(database, "r3") is None
    shown = get_round(database, "r2")
    assert shown is not None
    assert shown.id == "r1"


def test_published_rounds_of_the_version_before_stand_and_survive_the_way_back(empty_database_url: str) -> None:
    """Migration 0005, on a database of the version before it that holds rows."""
    database = AppDatabase(empty_database_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    def to(version: str, go: Any) -> None:
        with database.engine.execution_options(is_write=True).begin() as connection:
            config.attributes["connection"] = connection
            go(config, version)

    to("0004", command.upgrade)
    columns = "id, company_name, company_key, body, first_seen_at, updated_at"
    row = f"INSERT INTO rounds ({columns}) VALUES ('r', 'A', 'a', '{{}}', :at, :at)"
    with database.write() as session:
        session.execute(text(row), {"at": "2026-03-02 12:00:00.000000"})
    to("0005", command.upgrade)
    with database.read() as session:
        assert session.execute(text("SELECT status, merged_into FROM rounds")).all() == [("active", None)]
    to("0004", command.downgrade)
    with database.read() as session:
        assert session.execute(text("SELECT id, company_name FROM rounds")).all() == [("r", "A")]
    database.close()

"""The delivery asset, its checks and the replay job, by direct call, over real stores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipeline.defs import checks, delivery
from pipeline.documents.clock import MEMORY
from pipeline.installation import Installation
from pipeline.settings import Settings
from pipeline.store.tables.documents import SourceState
from pipeline.webhooks.attempts import Outcome
from pipeline.webhooks.claims import finish, turn
from pipeline.webhooks.controls import set_policy
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.mirror import mirror
from pipeline.webhooks.outbox import record_matches
from pipeline.webhooks.reports import DeliveryReport

# What these look at is above the ledger: one kind of database is enough.
pytestmark = pytest.mark.parametrize("app_database", ["sqlite"], indirect=True)

PROFILE = fundingscout_profile()
URL = "https://hooks.example.com/"


class World:
    """An installation with partners in it."""

    def __init__(self, installation: Installation, partners: Any) -> None:
        self.installation = installation
        self.partners = partners
        self.now: datetime = partners.now

    def attempt(self, organization: str, round_id: str, at: datetime, error_class: str | None = None) -> None:
        """One delivery, sent at that instant."""
        database = self.installation.database
        record_matches(database, [self.partners.found(organization, self.partners.round(round_id))], at)
        (claimed,) = turn(database, [], 1, at, "me", PROFILE).claims
        finish(database, claimed, Outcome(error_class is None, at, 10.0, error_class=error_class))

    def mirror(self) -> None:
        mirror(self.installation.database, self.installation.warehouse, self.now)

    def check(self, check: Any) -> dg.AssetCheckResult:
        result = check(installation=self.installation)
        assert isinstance(result, dg.AssetCheckResult)
        return result


@pytest.fixture
def world(tmp_path: Path, partners: Any) -> Iterator[World]:
    url = str(partners.database.url)
    installation = Installation(Settings(home=tmp_path / "home", database_url=url, _env_file=None), lambda: partners.now)
    yield World(installation, partners)
    installation.close()


def test_ledger_and_mirror_are_held_against_each_other_by_outcome(world: World) -> None:
    organization = world.partners.add("acme", URL)
    world.attempt(organization, "r1", world.now)
    world.attempt(organization, "r2", world.now, "timeout")
    assert not world.check(checks.ledger_and_mirror_agree).passed
    world.mirror()
    assert world.check(checks.ledger_and_mirror_agree).passed
    with world.installation.warehouse.write() as connection:
        connection.execute("UPDATE core.webhook_deliveries SET status = 'delivered'").fetchall()
    result = world.check(checks.ledger_and_mirror_agree)
    assert not result.passed
    assert (result.metadata["missing_delivered"].value, result.metadata["missing_failed"].value) == (-1, 1)


def test_claim_older_than_its_budget_is_seen(world: World) -> None:
    organization = world.partners.add("acme", URL)
    record_matches(world.installation.database, [world.partners.found(organization, world.partners.round("r1"))], world.now)
    turn(world.installation.database, [], 1, world.now - timedelta(seconds=30), "a sender that died", PROFILE)
    assert world.check(checks.no_claim_is_older_than_its_budget).passed
    world.installation.now = lambda: world.now + timedelta(seconds=6)
    assert not world.check(checks.no_claim_is_older_than_its_budget).passed


def test_failure_rate_that_jumps_is_news_and_one_that_was_always_so_is_not(world: World) -> None:
    fallen, always, well = (world.partners.add(slug, URL) for slug in ("fallen", "always", "well"))
    for number in range(6):
        before, lately = world.now - timedelta(days=3), world.now - timedelta(hours=number)
        world.attempt(fallen, f"f{number}", before)
        world.attempt(fallen, f"g{number}", lately, "tls")
        world.attempt(always, f"a{number}", before, "http_5xx")
        world.attempt(always, f"b{number}", lately, "http_5xx")
        world.attempt(well, f"w{number}", lately)
    world.mirror()
    result = world.check(checks.no_failure_rate_jumps)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.metadata["rows"].value == 1
    assert "| 6 | 6 | tls | 6 | 0 |" in str(result.metadata["first"].value)


def test_disabled_webhook_is_seen_with_its_reason(world: World) -> None:
    organization = world.partners.add("acme", URL)
    assert world.check(checks.no_webhook_is_disabled).passed
    set_policy(world.installation.database, organization, {"disable_after": {"failures": 1}})
    world.attempt(organization, "r1", world.now, "connect")
    result = world.check(checks.no_webhook_is_disabled)
    assert not result.passed
    told = str(result.metadata["first"].value).replace("\xa0", " ")
    assert "acme | fundingscout | 12 May 2026 01:54:00 | 1 deliveries in a row failed" in told


def test_retries_and_tests_are_no_second_telling(world: World) -> None:
    """FS-61: the check knows what was opted into from what must not be."""
    organization = world.partners.add("acme", URL)
    world.attempt(organization, "r1", world.now)
    world.mirror()
    rule = next(check for check in checks.CHECKS if check.check_key.name == "no_round_is_told_twice")
    with world.installation.warehouse.write() as connection:
        for trigger in ("retry", "replay"):
            connection.execute(
                "INSERT INTO core.webhook_deliveries BY NAME SELECT * REPLACE (? AS trigger, 2 AS attempt_number) "
                "FROM core.webhook_deliveries LIMIT 1",
                [trigger],
            ).fetchall()
    assert world.check(rule).passed
    with world.installation.warehouse.write() as connection:
        connection.execute("UPDATE core.webhook_deliveries SET trigger = 'live'").fetchall()
    assert not world.check(rule).passed


def test_replay_job_does_what_its_configuration_says_and_says_what_it_refused(world: World) -> None:
    organization = world.partners.add("acme", URL)
    world.attempt(organization, "r1", world.now, "dns")
    world.attempt(organization, "r2", world.now, "timeout")
    definitions = dg.Definitions(jobs=[delivery.replay_job], resources={"installation": world.installation})
    span = {"organization": "acme", "first": "2026-05-01", "last": "2026-05-31T00:00:00+00:00"}
    for is_dry_run in (True, False):
        with dg.DagsterInstance.ephemeral() as instance:
            result = definitions.resolve_job_def("replay").execute_in_process(
                instance=instance, run_config={"ops": {"replay_deliveries": {"config": span | {"dry_run": is_dry_run}}}}
            )
            (output,) = [event for event in result.all_events if event.is_successful_output]
        metadata = output.step_output_data.metadata
        assert (metadata["replayed"].value, metadata["first_sends"].value) == (1, 1)
        assert (metadata["refused"].value, metadata["is_dry_run"].value) == ({"strict": 1}, is_dry_run)
        table = metadata["decided"].value
        assert "| r1 Robotics | failed | dns | first_send |" in table
        assert "| r2 Robotics | failed | timeout | strict |" in table
        assert sorted(row.status for row in world.partners.deliveries()) == ["failed", "failed" if is_dry_run else "pending"]


def test_figures_of_a_run_name_the_slowest_endpoints(app_database: Any, now: datetime) -> None:
    report = DeliveryReport(no_webhook=1, set_aside=2)
    for number in range(100):
        report.add(Outcome(True, now, float(number)), "https://quick.example/secret-path")
    report.add(Outcome(False, now, 5_000.0, error_class="timeout"), "https://slow.example/")
    figures = delivery.figures(report)
    assert (figures["sent"], figures["failed"], figures["skipped"]) == (101, 1, 3)
    assert (figures["duration_ms_p50"], figures["duration_ms_p99"]) == (50.0, 99.0)
    table = figures["slowest_endpoints"].value
    assert table.splitlines()[2] == "| slow.example | 1 | 1 | 5000 |"
    assert "secret-path" not in table


def test_nothing_is_sent_while_the_clock_is_wrong_and_nothing_is_lost(world: World) -> None:
    """A receiver refuses the signature of another time, and a refused delivery is never sent again."""
    database = world.installation.database
    organization = world.partners.add("acme", URL)
    record_matches(database, [world.partners.found(organization, world.partners.round("r1"))], world.now)
    with database.write() as session:
        for name in ("a", "b", "c"):
            session.add(SourceState(source_id=name, last_polled_at=world.now, memory={MEMORY: 600}))
    made = dg.materialize([delivery.webhook_deliveries], resources={"installation": world.installation})
    (told,) = made.asset_materializations_for_node("core__webhook_deliveries")
    assert (told.metadata["sent"].value, "10 minutes ahead of" in str(told.metadata["withheld_because"].value)) == (0, True)
    assert [row.status for row in world.partners.deliveries()] == ["pending"]

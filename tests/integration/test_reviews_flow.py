"""From a round and a CRM to a question, an answer and one delivery: through Dagster, and from the command line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.crm.history import pull_changes
from pipeline.crm.rows import AccountRow
from pipeline.crm.upsert import upsert_accounts
from pipeline.defs.matching import match_rounds
from pipeline.defs.recovery import build_recovery_assets
from pipeline.defs.reviews import decide_reviews, match_reviews
from pipeline.installation import Installation
from pipeline.matching import steps
from pipeline.organizations.organizations import create_organization
from pipeline.organizations.thresholds import default_thresholds, set_thresholds
from pipeline.settings import Settings
from pipeline.store.tables.deliveries import Delivery
from pipeline.webhooks import admission, published_rounds, review_mirror, reviews

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
NAME, SPELT = "Brightloom Robotics", "Bright Loom Robotics"  # equal but for a space: sure, not certain


class World:
    """An installation whose clock stands still, with three partners that have the same account and thresholds of their own."""

    def __init__(self, home: Path) -> None:
        self.now = NOW
        self.installation = Installation(Settings(home=home), lambda: self.now)
        self.database = self.installation.database
        self.ids = {name: self._partner(name) for name in ("usual", "careful", "strict")}
        default = default_thresholds(self.installation.settings)
        set_thresholds(self.database, "careful", {"send": 1.0, "review": 0.5}, default)
        set_thresholds(self.database, "strict", {"send": 1.0, "review": 1.0}, default)

    def _partner(self, slug: str) -> str:
        made = create_organization(self.database, slug, slug, NOW)
        upsert_accounts(self.database, made.id, [AccountRow("a1", SPELT)], NOW)
        return made.id

    def round(self, round_id: str = "r1", name: str = NAME) -> None:
        with self.installation.warehouse.open() as connection:
            seq = connection.execute("SELECT coalesce(max(round_seq), 0) + 1 FROM core.funding_rounds").fetchall()[0][0]
            connection.execute(
                """INSERT INTO core.funding_rounds (round_id, round_seq, tells_from_seq, company_name, company_key, tells, status,
                       first_seen_at, updated_at, published_date, investors)
                   VALUES (?, ?, ?, ?, lower(?), true, 'active', ?, ?, ?, '[]')""",
                [round_id, seq, seq, name, name, NOW.replace(tzinfo=None), NOW.replace(tzinfo=None), NOW.date()],
            ).fetchall()
        published_rounds.publish_changed(self.database, self.installation.warehouse, NOW)

    def materialize(self, *assets: Any, **more: Any) -> dict[str, Any]:
        """Materializes assets; gives the metadata of all."""
        pull_changes(self.database, self.installation.warehouse, self.now)
        result = dg.materialize([*assets], resources={"installation": self.installation}, **more)
        assert result.success
        return {
            name: value.value
            for event in result.get_asset_materialization_events()
            for name, value in event.step_materialization_data.materialization.metadata.items()
        }

    def told(self) -> list[tuple[str, str]]:
        names = {value: name for name, value in self.ids.items()}
        with self.database.read() as session:
            return sorted((names[row.organization_id], row.status) for row in session.query(Delivery))

    def rows(self, query: str) -> list[Any]:
        with self.installation.warehouse.open() as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("FUNDINGSCOUT_HOME", str(tmp_path / "home"))
    made = World(tmp_path / "home")
    yield made
    made.installation.close()


@pytest.fixture
def run() -> Callable[..., str]:
    def invoke(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, list(words))
        assert result.exit_code == code, (result.output, result.exception)
        return result.output

    return invoke


def test_each_partner_gets_what_its_thresholds_say(world: World) -> None:
    world.round()
    metadata = world.materialize(match_rounds, match_reviews)
    assert world.told() == [("usual", "no_webhook")]
    assert (metadata["new"], metadata["waiting_for_review"], metadata["kept_now"]) == (1, 1, 1)
    assert metadata["waiting"] == 1
    assert SPELT in metadata["preview"]
    organization, name, needed = world.rows("SELECT organization_id, crm_value, review_threshold FROM core.near_misses")[0]
    assert (organization, name, needed) == (world.ids["strict"], SPELT, 1.0)
    again = world.materialize(match_rounds, match_reviews)
    assert (again["new"], again["waiting_for_review"], again["copied"]) == (0, 0, 0)


@pytest.mark.parametrize("dies_before", ["outbox.record_matches", "reviews.take", "near_misses.write", "steps.write"])
def test_a_run_killed_between_any_two_writes_leads_to_the_same_when_done_again(
    world: World, monkeypatch: pytest.MonkeyPatch, dies_before: str
) -> None:
    world.round()
    pull_changes(world.database, world.installation.warehouse, NOW)
    levels = admission.load_levels(world.database, default_thresholds(world.installation.settings))

    def run() -> admission.Admission:
        found = steps.find_new(world.installation.warehouse, NOW, 24, levels.search)
        return admission.admit(world.database, world.installation.warehouse, found, levels, NOW)

    with monkeypatch.context() as patch:

        def die(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        patch.setattr(f"pipeline.webhooks.admission.{dies_before}", die)
        with pytest.raises(KeyboardInterrupt):
            run()
    run()
    assert world.told() == [("usual", "no_webhook")]
    assert [row.organization_id for row in reviews.find(world.database)] == [world.ids["careful"]]
    assert world.rows("SELECT organization_id FROM core.near_misses") == [(world.ids["strict"],)]
    assert world.rows("SELECT organization_id FROM core.matches") == [(world.ids["usual"],)]
    again = run()
    assert (again.record.new, again.asked, again.near) == (0, 0, 0)


def test_a_copy_killed_before_it_is_noted_is_made_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.round()
    world.materialize(match_rounds)
    (row,) = reviews.find(world.database)
    reviews.approve(world.database, row.id, "ada", NOW)
    with monkeypatch.context() as patch:
        real = review_mirror._write

        def write_and_die(*arguments: Any) -> None:
            real(*arguments)
            raise KeyboardInterrupt

        patch.setattr(review_mirror, "_write", write_and_die)
        with pytest.raises(KeyboardInterrupt):
            review_mirror.mirror(world.database, world.installation.warehouse)
    assert review_mirror.mirror(world.database, world.installation.warehouse) == 1
    assert review_mirror.mirror(world.database, world.installation.warehouse) == 0
    assert world.rows("SELECT review_id, status FROM core.match_reviews") == [(row.id, "approved")]
    assert len(world.rows("SELECT * FROM core.matches WHERE origin = 'review'")) == 1


def test_the_job_decides_and_what_it_approves_is_in_the_warehouse_too(world: World) -> None:
    world.round("r1")
    world.round("r2", "Bright-Loom Robotics")
    world.materialize(match_rounds, match_reviews)
    first, second = sorted(row.id for row in reviews.find(world.database))
    config: dict[str, Any] = {
        "ops": {"decide": {"config": {"by": "ada", "approve": [first], "reject": [second, "unknown0"], "note": "looked"}}}
    }
    here = {"installation": world.installation}
    result = decide_reviews.execute_in_process(run_config=config, resources=here, raise_on_error=False)
    # Whoever mistyped an id must not believe that it is decided; the others are.
    assert not result.success
    assert ("careful", "no_webhook") in world.told()
    states = dict(world.rows("SELECT review_id, status || ' ' || decided_by || ' ' || note FROM core.match_reviews"))
    assert states == {first: "approved ada looked", second: "rejected ada looked"}
    approved = reviews.get(world.database, first)
    assert world.rows("SELECT match_id, origin FROM core.matches WHERE origin = 'review'") == [(approved.match_id, "review")]
    observed = [event for event in result.all_events if event.event_type_value == "ASSET_OBSERVATION"]
    assert "no review 'unknown0'" in str(observed[0].event_specific_data)
    config["ops"]["decide"]["config"]["reject"] = [second]
    assert decide_reviews.execute_in_process(run_config=config, resources=here).success  # again: somebody was quicker
    assert len(world.told()) == len(set(world.told())) + 1  # the usual partner's two rounds


def test_a_backfill_asks_too_and_tells_nobody_of_what_it_asks(world: World) -> None:
    world.round()
    _, rematched, _ = build_recovery_assets(date(2026, 3, 1))
    metadata = world.materialize(
        rematched,
        partition_key="2026-03-10",
        run_config={"ops": {"recovery__rematched_days": {"config": {"deliver": True}}}},
    )
    assert (metadata["recovered"], metadata["waiting_for_review"]) == (1, 1)
    assert [row.origin for row in reviews.find(world.database)] == ["backfill"]
    assert world.told() == [("usual", "no_webhook")]


def test_what_nobody_answers_expires(world: World) -> None:
    world.round()
    world.materialize(match_rounds, match_reviews)
    world.now = NOW + timedelta(days=15)
    assert world.materialize(match_reviews)["expired_now"] == 1
    assert world.rows("SELECT status FROM core.match_reviews") == [("expired",)]


def test_from_the_command_line(world: World, run: Callable[..., str], tmp_path: Path) -> None:
    world.round("r1")
    world.round("r2", "Bright-Loom Robotics")
    world.materialize(match_rounds)
    listed = json.loads(run("review", "list", "-o", "careful", "--json"))
    assert {row["account_named"] for row in listed} == {SPELT}
    assert SPELT in run("review", "list")
    one, other = (row["id"] for row in listed)
    shown = json.loads(run("review", "show", one[:10], "--json"))
    assert shown["accounts"] == [{"external_id": "a1", "name": SPELT, "domain": None}]
    assert "accounts" in run("review", "show", one)
    assert run("review", "approve", one, "--by", "ada") == f"{one}  approved  no_webhook\n"
    done = json.loads(run("review", "reject", other, "--by", "ben", "--note", "a namesake", "--json"))
    assert done == [{"id": other, "status": "rejected", "outcome": None}]
    late = json.loads(run("review", "approve", one, other, "--by", "cy", "--json", code=1))
    assert ["is approved by ada" in late[0]["error"], "is rejected by ben" in late[1]["error"]] == [True, True]
    run("review", "show", "nowhere", code=1)
    out = tmp_path / "labels.csv"
    run("review", "labels", str(out))
    with out.open() as file:
        labels = [(row["account_name"], row["is_match"], row["decided_by"], row["note"]) for row in csv.DictReader(file)]
    assert labels == [(SPELT, "1", "ada", ""), (SPELT, "0", "ben", "a namesake")]
    run("review", "approve", one, "--by", " ", code=2)


def test_thresholds_from_the_command_line(world: World, run: Callable[..., str]) -> None:
    def in_force(*words: str) -> list[tuple[float, str]]:
        return [(row["in_force"], row["of"]) for row in json.loads(run("organizations", "thresholds", *words, "--json"))]

    settings = world.installation.settings
    usual = [(settings.name_match_threshold, "the installation"), (settings.name_review_threshold, "the installation")]
    assert in_force("usual") == usual
    assert in_force("usual", "--send", "0.95") == [(0.95, "its own"), usual[1]]
    assert in_force("usual", "--review", "0.95") == [(0.95, "its own"), (0.95, "its own")]
    run("organizations", "thresholds", "usual", "--review", "0.99", code=1)
    run("organizations", "thresholds", "usual", "--send", "0.1", code=1)
    run("organizations", "thresholds", "usual", "--send", "high", code=2)
    assert in_force("usual") == [(0.95, "its own"), (0.95, "its own")]
    assert in_force("usual", "--send", "default", "--review", "default") == usual
    assert "send" in run("organizations", "thresholds", "usual")

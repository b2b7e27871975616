"""Every check that judges, on real stores: it passes where all is well, and fails where it is not, naming what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipeline.defs import checks, checks_drift, checks_partners, checks_sources
from pipeline.defs.check_building import Judged, build_judged
from pipeline.installation import Installation
from pipeline.organizations.quotas import set_limit, take
from pipeline.settings import Settings
from pipeline.store.tables.matches import MatchReview
from pipeline.webhooks.outbox import record_matches

# What these look at is above the ledger: one kind of database is enough.
pytestmark = pytest.mark.parametrize("app_database", ["sqlite"], indirect=True)

ALL: dict[str, Judged] = {
    judged.name: judged for judged in (*checks_sources.CHECKS, *checks_drift.CHECKS, *checks_partners.CHECKS)
}
SOURCES = """
sources:
  - {id: wire, kind: rss, url: "https://wire.example/feed", outlet: Wire, what: News}
  - {id: quiet, kind: rss, url: "https://quiet.example/feed", outlet: Quiet, what: News}
"""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class World:
    """An installation whose tables a test fills by itself."""

    def __init__(self, installation: Installation, partners: Any) -> None:
        self.installation = installation
        self.partners = partners
        self.aware: datetime = partners.now
        self.now = self.aware.astimezone(UTC).replace(tzinfo=None)

    def insert(self, table: str, rows: Sequence[dict[str, Any]]) -> None:
        names = list(rows[0])
        with self.installation.warehouse.write() as connection:
            connection.executemany(
                f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' for _ in names)})",
                [[row[name] for name in names] for row in rows],
            )

    def documents(self, source: str, times: Sequence[datetime]) -> None:
        self.insert("raw.documents", [{"source_id": source, "landed_at": at, "is_catch_up": False} for at in times])

    def mentions(self, at: datetime, count: int, **fields: Any) -> None:
        row = {
            "extracted_at": at,
            "is_recovered": False,
            "is_funding": True,
            "set_aside_reason": None,
            "amount": 1_000_000,
            "funding_type": "seed",
            "website": "https://a.example",
            "city": "Ghent",
            "country": "BE",
            "announced_date": at.date(),
            "confidence_score": 0.95,
        }
        self.insert("core.mentions", [row | fields] * count)

    def result(self, name: str) -> dg.AssetCheckResult:
        result = build_judged(ALL[name])(installation=self.installation)
        assert isinstance(result, dg.AssetCheckResult)
        return result

    def passes(self, name: str) -> bool:
        return bool(self.result(name).passed)

    def named(self, name: str) -> str:
        """The table of what is wrong, of a check that must fail."""
        result = self.result(name)
        assert not result.passed
        return str(result.metadata["first"].value)


@pytest.fixture
def world(tmp_path: Path, partners: Any) -> Iterator[World]:
    (tmp_path / "sources.yaml").write_text(SOURCES)
    settings = Settings(
        home=tmp_path / "home",
        database_url=str(partners.database.url),
        sources_file=tmp_path / "sources.yaml",
        _env_file=None,
    )
    installation = Installation(settings, lambda: partners.now)
    yield World(installation, partners)
    installation.close()


def test_every_check_passes_where_nothing_is_there_yet(world: World) -> None:
    assert [name for name in ALL if not world.passes(name)] == []


def test_every_check_says_what_to_do() -> None:
    assert [judged.name for judged in ALL.values() if "If it fails:" not in judged.description] == []
    assert len(checks.CHECKS) == len({key for check in checks.CHECKS for key in check.check_keys})


test_every_check_says_what_to_do = pytest.mark.usefixtures("app_database")(test_every_check_says_what_to_do)


def test_source_is_held_to_its_own_rhythm(world: World) -> None:
    world.documents("wire", [world.now - HOUR * number for number in range(40)])
    world.documents("quiet", [world.now - 2 * HOUR - 12 * HOUR * number for number in range(20)])
    assert world.passes("every_source_keeps_its_rhythm")
    with world.installation.warehouse.write() as connection:
        connection.execute("DELETE FROM raw.documents WHERE source_id = 'wire' AND landed_at > ?", [world.now - 5 * HOUR])
    named = world.named("every_source_keeps_its_rhythm")
    assert "wire" in named
    assert "quiet" not in named


def test_source_that_is_watched_no_more_is_not_late(world: World) -> None:
    world.documents("retired", [world.now - 5 * DAY - HOUR * number for number in range(40)])
    assert world.passes("every_source_keeps_its_rhythm")


def test_source_that_no_poll_reaches_is_named_with_its_error(world: World) -> None:
    hour = {"source_id": "wire", "hour_at": world.now - HOUR, "polls": 60, "failures": 59, "last_error": "403 Forbidden"}
    world.insert("raw.source_hours", [hour])
    assert world.passes("every_source_is_reached")
    world.insert("raw.source_hours", [hour | {"source_id": "quiet", "failures": 60}])
    assert "quiet | 60 | 403 Forbidden" in world.named("every_source_is_reached")


def test_volume_of_a_day_is_judged_beside_its_like(world: World) -> None:
    midnight = world.now.replace(hour=0, minute=0, second=0, microsecond=0)
    for weeks in range(4):
        world.documents("wire", [midnight - DAY - 7 * DAY * weeks + timedelta(minutes=minute) for minute in range(50)])
    assert world.passes("volume_of_yesterday_is_usual")
    world.documents("wire", [midnight - HOUR - timedelta(minutes=minute) for minute in range(80)])
    assert "| 130 | 2.6" in world.named("volume_of_yesterday_is_usual")
    with world.installation.warehouse.write() as connection:
        connection.execute("DELETE FROM raw.documents WHERE landed_at >= ?", [midnight - DAY])
    assert "| 0 | 0" in world.named("volume_of_yesterday_is_usual")


def test_ten_rejects_of_one_kind_are_too_many(world: World) -> None:
    reject = {"source_id": "wire", "reason": "no_text", "rejected_at": world.now - HOUR}
    world.insert("raw.rejected_documents", [reject] * 9 + [reject | {"rejected_at": world.now - 2 * DAY}])
    assert world.passes("few_entries_are_rejected")
    world.insert("raw.rejected_documents", [reject])
    assert "wire | no_text | 10" in world.named("few_entries_are_rejected")


def test_reason_for_setting_aside_that_becomes_frequent_is_named(world: World) -> None:
    aside = {"is_funding": False, "set_aside_reason": "rumour"}
    for at in (world.now - 20 * DAY, world.now - DAY):
        world.mentions(at, 160)
        world.mentions(at, 40, **aside)
    assert world.passes("share_set_aside_is_usual")
    assert world.result("share_set_aside_is_usual").metadata["share_set_aside"].value == 0.2
    world.mentions(world.now - DAY, 100, **aside)
    assert "rumour | 0.467 | 0.2 | 0.267" in world.named("share_set_aside_is_usual")


def test_field_that_is_found_no_more_is_named(world: World) -> None:
    world.mentions(world.now - 20 * DAY, 200)
    world.mentions(world.now - DAY, 100)
    assert world.passes("fields_are_found_as_often_as_before")
    world.mentions(world.now - DAY, 60, amount=None)
    named = world.named("fields_are_found_as_often_as_before")
    assert "amount | 0.625 | 1 | -0.375" in named
    assert "website" not in named


def test_backfilled_readings_are_no_drift(world: World) -> None:
    world.mentions(world.now - 20 * DAY, 200)
    world.mentions(world.now - DAY, 100)
    world.mentions(world.now - DAY, 200, amount=None, funding_type="grant", confidence_score=0.2, is_recovered=True)
    assert [name for name in (judged.name for judged in checks_drift.CHECKS) if not world.passes(name)] == []


def test_mix_of_types_that_shifts_is_shown_beside_the_one_before(world: World) -> None:
    for at in (world.now - 20 * DAY, world.now - DAY):
        world.mentions(at, 60)
        world.mentions(at, 60, funding_type="series-a")
    assert world.passes("mix_of_types_is_usual")
    assert world.result("mix_of_types_is_usual").metadata["stability_index"].value == 0
    world.mentions(world.now - DAY, 200, funding_type="debt")
    assert "| debt | 200 | 0 |" in world.named("mix_of_types_is_usual")


def test_confidence_that_sinks_is_seen(world: World) -> None:
    world.mentions(world.now - 20 * DAY, 100)
    world.mentions(world.now - DAY, 100)
    assert world.passes("confidence_is_spread_as_before")
    world.mentions(world.now - DAY, 100, confidence_score=0.45)
    assert "| 4 | 100 | 0 |" in world.named("confidence_is_spread_as_before")


def test_crm_of_which_domains_give_no_key_is_named(world: World) -> None:
    account = {"organization_id": "o1", "domain": "a.example", "domain_key": "a.example"}
    world.insert("core.crm_accounts", [account | {"external_id": f"a{number}"} for number in range(80)])
    nothing = account | {"domain": "linkedin.com/company/a", "domain_key": None}
    world.insert("core.crm_accounts", [nothing | {"external_id": f"b{number}"} for number in range(20)])
    assert world.passes("domains_can_be_matched")
    world.insert("core.crm_accounts", [nothing | {"external_id": "b20"}])
    assert "o1 | 101 | 21 | linkedin.com/company/a" in world.named("domains_can_be_matched")


def test_key_that_has_used_nine_tenths_of_its_calls_is_named(world: World) -> None:
    organization = world.partners.add("acme")
    key = world.partners.keys[organization]
    set_limit(world.partners.database, organization, key.token_prefix, "whoami", 10)
    for _ in range(8):
        take(world.partners.database, key.id, "whoami", 10, world.aware)
    assert world.passes("no_quota_is_near_its_end")
    take(world.partners.database, key.id, "whoami", 10, world.aware)
    assert "| whoami | 9 | 10" in world.named("no_quota_is_near_its_end")


def put_round(world: World, round_id: str, seen: datetime, **fields: Any) -> None:
    row = {
        "round_id": round_id,
        "company_name": "Robotics",
        "domain_key": "robotics.example",
        "status": "active",
        "tells": True,
        "first_seen_at": seen,
    }
    world.insert("core.funding_rounds", [row | fields])


def put_account(world: World, changed: datetime, external_id: str = "a1") -> None:
    row = {"organization_id": "o1", "external_id": external_id, "domain_key": "robotics.example", "updated_at": changed}
    world.insert("core.crm_accounts", [row])


def test_account_that_a_round_of_its_domain_did_not_meet_is_named(world: World) -> None:
    seen = world.now - 2 * DAY
    put_round(world, "r1", seen)
    put_account(world, seen + 20 * HOUR)
    assert "| Robotics | a1 | robotics.example |" in world.named("look_back_has_no_gap")
    world.insert("core.matches", [{"match_id": "m1", "organization_id": "o1", "round_id": "r1"}])
    assert world.passes("look_back_has_no_gap")


@pytest.mark.parametrize(
    ("changed_after", "fields"),
    [
        (25 * HOUR, {}),  # out of the window: a backfill's business
        (20 * HOUR, {"tells": False}),
        (20 * HOUR, {"status": "retracted"}),
        (-9 * DAY, {"first_seen_at": datetime(2026, 4, 1)}),  # noqa: DTZ001 - as the warehouse has it
    ],
)
def test_what_need_not_meet_is_no_gap(world: World, changed_after: timedelta, fields: dict[str, Any]) -> None:
    seen = world.now - 2 * DAY
    put_round(world, "r1", seen, **fields)
    put_account(world, seen + changed_after)
    assert world.passes("look_back_has_no_gap")


def test_domain_that_many_accounts_share_is_no_gap(world: World) -> None:
    put_round(world, "r1", world.now - 2 * DAY)
    for number in range(8):
        put_account(world, world.now - 3 * DAY, f"a{number}")
    assert world.passes("look_back_has_no_gap")


def test_match_that_one_store_alone_has_is_named_with_where_it_is(world: World) -> None:
    organization = world.partners.add("acme")
    at = world.aware - DAY
    record_matches(world.partners.database, [world.partners.found(organization, world.partners.round("r1"))], at)
    assert "ledger alone" in world.named("no_match_is_orphaned")
    match_id = world.partners.deliveries()[0].match_id
    mirrored = {"match_id": match_id, "organization_id": organization, "round_id": "r1", "matched_at": world.now - DAY}
    world.insert("core.matches", [mirrored])
    assert world.passes("no_match_is_orphaned")
    world.insert("core.matches", [mirrored | {"match_id": "m-of-another-backup", "round_id": "r2"}])
    assert "| m-of-another-backup | warehouse alone |" in world.named("no_match_is_orphaned")


def test_match_of_this_minute_may_still_be_on_its_way(world: World) -> None:
    organization = world.partners.add("acme")
    record_matches(world.partners.database, [world.partners.found(organization, world.partners.round("r1"))], world.aware)
    assert world.passes("no_match_is_orphaned")


@pytest.mark.parametrize(("age_days", "passes"), [(11, True), (13, False)])
def test_question_that_nobody_answers_is_named_before_it_expires(world: World, age_days: int, passes: bool) -> None:
    organization = world.partners.add("acme")
    asked = world.aware - age_days * DAY
    with world.partners.database.write() as session:
        session.add(
            MatchReview(
                id="q1", organization_id=organization, round_id="r1", crm_value="Robotics Inc", round_value="Robotics",
                account_external_id="a1", score=0.7, explanation={}, rows=[], origin="live", status="waiting",
                created_at=asked, updated_at=asked,
            )
        )  # fmt: skip
    assert world.passes("no_review_is_about_to_expire") is passes

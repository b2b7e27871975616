"""The ledger of matches: one per organization and real round, whatever is found and however often (FS-61, A-FS-24)."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from pipeline.matching.model import MatchType
from pipeline.store.tables.matches import Match, Round
from pipeline.webhooks.claims import claim
from pipeline.webhooks.endpoints import get_webhook, set_webhook
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.outbox import (
    RoundUnknown,
    has_pending,
    pending_count,
    publish_rounds,
    record_matches,
    release_held,
    waiting,
)

URL = "https://hooks.example.com/a"


def statuses(partners: Any) -> list[str]:
    return sorted(delivery.status for delivery in partners.deliveries())


def test_new_match_makes_one_pending_delivery(partners: Any) -> None:
    organization = partners.add("acme", URL)
    found = partners.found(organization, partners.round("r1"))
    report = record_matches(partners.database, [found], partners.now)
    assert (report.new, report.known, report.suppressed) == (1, 0, 0)
    ((match_id, recorded, origin, matched_at),) = report.recorded
    assert (recorded, origin, matched_at) == (found, "live", partners.now)
    assert [(d.match_id, d.status) for d in partners.deliveries()] == [(match_id, "pending")]
    assert (pending_count(partners.database), has_pending(partners.database)) == (1, True)


def test_second_match_path_for_same_round_sends_nothing(partners: Any, now: datetime) -> None:
    """FS-61: and the record stays as it was told."""
    organization = partners.add("acme", URL)
    first = partners.found(organization, partners.round("r1"))
    record_matches(partners.database, [first], now)
    other = partners.found(organization, "r1", match_type=MatchType.ACCOUNT_NAME, account_external_id="a9", score=0.93)
    report = record_matches(partners.database, [other], now + timedelta(hours=1), origin="backfill")
    assert (report.new, report.known) == (0, 1)
    assert [(item[1], item[2], item[3]) for item in report.recorded] == [(first, "live", now)]
    assert statuses(partners) == ["pending"]


def test_ids_follow_from_organization_and_round(partners: Any) -> None:
    organization = partners.add("acme", URL)
    report = record_matches(partners.database, [partners.found(organization, partners.round("r1"))], partners.now)
    from pipeline.webhooks.match_rows import match_id

    assert report.recorded[0][0] == match_id(organization, "r1")
    assert match_id(organization, "r1") != match_id(organization, "r2")


def test_a_fs_24_same_real_round_under_another_id_is_suppressed(partners: Any, now: datetime) -> None:
    organization, other = partners.add("acme", URL), partners.add("other", URL)
    same = {"company_key": "brightloom"}
    partners.round("r1", **same)
    record_matches(partners.database, [partners.found(organization, "r1")], now)
    partners.round("r2", **same, amount_usd=21_000_000, published_date=(now + timedelta(days=3)).date().isoformat())
    partners.round("r3", **same, funding_type="series-b", amount_usd=90_000_000)
    found = [partners.found(organization, "r2"), partners.found(organization, "r3"), partners.found(other, "r2")]
    report = record_matches(partners.database, found, now + timedelta(days=3))
    assert (report.new, report.suppressed) == (2, 1)
    assert {(item[1].organization_id, item[1].round_id) for item in report.recorded} == {(organization, "r3"), (other, "r2")}


def test_a_fs_24_two_ids_in_one_call_tell_the_one_first_seen(partners: Any, now: datetime) -> None:
    organization = partners.add("acme", URL)
    partners.round("later", company_key="brightloom", first_seen_at=now)
    partners.round("sooner", company_key="brightloom", first_seen_at=now - timedelta(hours=1))
    found = [partners.found(organization, "later"), partners.found(organization, "sooner")]
    report = record_matches(partners.database, found, now)
    assert [item[1].round_id for item in report.recorded] == ["sooner"]
    again = record_matches(partners.database, found, now)
    assert (again.new, again.known, again.suppressed) == (0, 1, 1)


def test_round_without_a_published_date_is_dated_by_when_it_was_seen(partners: Any, now: datetime) -> None:
    organization = partners.add("acme", URL)
    partners.round("r1", company_key="brightloom", published_date=None)
    partners.round("r2", company_key="brightloom", published_date=(now + timedelta(days=30)).date().isoformat())
    report = record_matches(partners.database, [partners.found(organization, name) for name in ("r1", "r2")], now)
    assert (report.new, report.suppressed) == (2, 0)


def test_match_with_an_unpublished_round_is_refused_before_anything_is_written(partners: Any) -> None:
    organization = partners.add("acme", URL)
    found = [partners.found(organization, partners.round("r1")), partners.found(organization, "nowhere")]
    with pytest.raises(RoundUnknown, match="nowhere"):
        record_matches(partners.database, found, partners.now)
    assert partners.deliveries() == []


def test_many_matches_are_recorded_in_chunks(partners: Any) -> None:
    organization = partners.add("acme", URL)
    rounds = [partners.round(f"r{number}") for number in range(3)]
    organizations = [organization] + [partners.add(f"p{number}") for number in range(2)]
    found = [partners.found(of, name) for of in organizations for name in rounds]
    report = record_matches(partners.database, found, partners.now)
    assert report.new == 9
    assert statuses(partners) == ["no_webhook"] * 6 + ["pending"] * 3


def test_held_deliveries_are_released_by_match(partners: Any) -> None:
    organization = partners.add("acme", URL)
    found = [partners.found(organization, partners.round(name)) for name in ("r1", "r2")]
    report = record_matches(partners.database, found, partners.now, "backfill", hold=True)
    assert statuses(partners) == ["held", "held"]
    released = release_held(partners.database, partners.now, match_ids=[report.recorded[0][0]])
    assert (released.pending, released.no_webhook) == (1, 0)
    assert statuses(partners) == ["held", "pending"]
    assert release_held(partners.database, partners.now, match_ids=[report.recorded[0][0]]).pending == 0


def test_a_held_match_that_news_find_again_is_told_once(partners: Any, now: datetime) -> None:
    """FS-61: what a backfill held is not lost when the round is reported as news, and not told twice."""
    found = [partners.found(partners.add("acme", URL), partners.round("r1"))]
    record_matches(partners.database, found, now, "backfill", hold=True)
    assert pending_count(partners.database) == 0
    record_matches(partners.database, found, now, "backfill", hold=True)
    assert pending_count(partners.database) == 0
    assert record_matches(partners.database, found, now).known == 1
    assert pending_count(partners.database) == 1
    record_matches(partners.database, found, now)
    assert pending_count(partners.database) == 1


def test_held_deliveries_are_released_by_day_of_the_round(partners: Any, now: datetime) -> None:
    organization, other = partners.add("acme", URL), partners.add("other")
    partners.round("r1", first_seen_at=datetime(2026, 5, 1, 0, 0, tzinfo=now.tzinfo))
    partners.round("r2", first_seen_at=datetime(2026, 5, 2, 23, 59, 59, tzinfo=now.tzinfo))
    partners.round("r3", first_seen_at=datetime(2026, 5, 3, 0, 0, tzinfo=now.tzinfo))
    found = [partners.found(of, name) for of in (organization, other) for name in ("r1", "r2", "r3")]
    record_matches(partners.database, found, now, "backfill", hold=True)
    days = (date(2026, 5, 1), date(2026, 5, 2))
    released = release_held(partners.database, now, days=days)
    assert (released.pending, released.no_webhook) == (2, 2)
    assert statuses(partners) == ["held"] * 2 + ["no_webhook"] * 2 + ["pending"] * 2
    assert [(attempt.number, attempt.trigger) for attempt in partners.attempts()] == [(0, "backfill")] * 2


def test_release_wants_to_know_which(partners: Any) -> None:
    with pytest.raises(ValueError, match="which"):
        release_held(partners.database, partners.now)


def test_claim_takes_the_oldest_first_and_freezes_the_body(partners: Any, now: datetime) -> None:
    organization = partners.add("acme", URL)
    for minute, name in enumerate(("r3", "r1", "r2")):
        record_matches(partners.database, [partners.found(organization, partners.round(name))], now + timedelta(minutes=minute))
    (first, second) = claim(partners.database, 2, now, "me", fundingscout_profile())
    rounds = {delivery.match_id: delivery for delivery in partners.deliveries()}
    assert [b'"id":"%s"' % name in item.body for name, item in ((b"r3", first), (b"r1", second))] == [True, True]
    assert rounds[first.match_id].body == first.body.decode()
    assert rounds[first.match_id].status == "sending"
    assert first.url == URL


def test_claim_leaves_each_endpoint_its_share(partners: Any, now: datetime) -> None:
    busy, quiet = partners.add("busy", URL), partners.add("quiet", URL)
    rounds = [partners.round(f"r{number}") for number in range(20)]
    record_matches(partners.database, [partners.found(busy, name) for name in rounds], now)
    record_matches(partners.database, [partners.found(quiet, rounds[0])], now + timedelta(minutes=1))
    claims = claim(partners.database, 10, now, "me", fundingscout_profile(), per_endpoint=3)
    assert sorted(item.organization_id == quiet for item in claims) == [False] * 3 + [True]


def test_waiting_names_pending_and_abandoned_work(partners: Any, now: datetime) -> None:
    organization = partners.add("acme", URL)
    assert waiting(partners.database, now) is None
    record_matches(partners.database, [partners.found(organization, partners.round("r1"))], now)
    pending = waiting(partners.database, now)
    assert pending is not None
    claim(partners.database, 1, now, "me", fundingscout_profile())
    assert waiting(partners.database, now + timedelta(seconds=30)) is None
    abandoned = waiting(partners.database, now + timedelta(minutes=5))
    assert abandoned not in (None, pending)


def test_publishing_the_same_round_again_writes_nothing(partners: Any, now: datetime) -> None:
    partners.round("r1")
    with partners.database.read() as session:
        before = session.get_one(Round, "r1")
    row = {
        name: getattr(before, name)
        for name in ("id", "company_name", "company_key", "funding_type", "amount_usd", "published_date", "location_country")
    } | {"body": before.body, "first_seen_at": now + timedelta(days=1)}
    assert publish_rounds(partners.database, [row], now + timedelta(days=1)) == 0
    assert publish_rounds(partners.database, [row | {"amount_usd": 25_000_000}], now + timedelta(days=1)) == 1
    with partners.database.read() as session:
        after = session.get_one(Round, "r1")
    assert (after.amount_usd, after.first_seen_at, after.updated_at) == (25_000_000, now, now + timedelta(days=1))


def test_enriched_round_is_not_told_again(partners: Any, now: datetime) -> None:
    organization = partners.add("acme", URL)
    record_matches(partners.database, [partners.found(organization, partners.round("r1"))], now)
    partners.round("r1", amount_usd=24_000_000)
    record_matches(partners.database, [partners.found(organization, "r1")], now + timedelta(days=2))
    with partners.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Match)) == 1


def test_fs_25_to_30_one_url_that_a_second_post_overwrites_and_null_or_empty_clears(partners: Any) -> None:
    organization = partners.add("acme")
    database, now = partners.database, partners.now
    assert get_webhook(database, organization) is None
    assert set_webhook(database, organization, URL, None, now) == URL
    assert set_webhook(database, organization, "https://hooks.example.com/b", None, now) == "https://hooks.example.com/b"
    assert get_webhook(database, organization) == "https://hooks.example.com/b"
    for cleared in (None, ""):
        set_webhook(database, organization, URL, None, now)
        assert set_webhook(database, organization, cleared, None, now) is None
        assert get_webhook(database, organization) is None


def test_each_is_told_of_a_round_as_it_is_at_its_own_claim(partners: Any) -> None:
    """What was written of a round for the first is not what the second gets, once a later report has changed it."""
    found = [partners.found(partners.add(slug, URL), partners.round("r1", amount_usd=1_000)) for slug in ("acme", "other")]
    record_matches(partners.database, found, partners.now)
    told = []
    for amount in (1_000, 2_000):
        partners.round("r1", amount_usd=amount)
        (claimed,) = claim(partners.database, 1, partners.now, "me", fundingscout_profile())
        told.append(json.loads(claimed.body)["funding_round"]["amount_usd"])
    assert told == [1_000, 2_000]

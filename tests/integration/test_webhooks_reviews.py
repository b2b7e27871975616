"""The review queue: nobody is told before a person says yes, and then once, on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from pipeline.matching.model import FoundMatch, MatchType
from pipeline.matching.tiers import Thresholds
from pipeline.store.tables.crm import Account
from pipeline.store.tables.matches import Match, MatchReview
from pipeline.webhooks import reviews
from pipeline.webhooks.claims import claim
from pipeline.webhooks.deletions import delete_row
from pipeline.webhooks.feed import feed_page
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.outbox import has_pending, record_matches

URL = "https://hooks.example.com/a"


def unsure(partners: Any, organization: str, round_id: str = "r1", account: str = "a1", **fields: Any) -> FoundMatch:
    """A name match that is not sure enough, of a round and an account that exist."""
    fields = {
        "match_type": MatchType.ACCOUNT_NAME,
        "score": 0.8,
        "rule": "fuzzy_name",
        "crm_value": account,
    } | fields
    found: FoundMatch = partners.found(organization, round_id, account_external_id=account, **fields)
    return found


@pytest.fixture
def asked(partners: Any) -> tuple[str, str]:
    """An organization with a webhook, and the id of its one waiting question."""
    organization = partners.add("acme", URL)
    partners.account(organization, "a1")
    partners.round("r1")
    assert reviews.take(partners.database, [unsure(partners, organization)], {}, partners.now) == 1
    (row,) = reviews.find(partners.database)
    return organization, row.id


def statuses(partners: Any) -> list[str]:
    return [delivery.status for delivery in partners.deliveries()]


def test_nobody_is_told_of_a_match_that_waits_and_no_feed_shows_it(partners: Any, asked: tuple[str, str]) -> None:
    organization, _ = asked
    assert partners.deliveries() == []
    assert not has_pending(partners.database)
    assert feed_page(partners.database, organization, 10).items == []


def test_a_question_is_asked_once_whatever_became_of_it(partners: Any, asked: tuple[str, str]) -> None:
    organization, review = asked
    again = [unsure(partners, organization)]
    assert reviews.take(partners.database, again, {}, partners.now) == 0
    reviews.reject(partners.database, review, "ada", partners.now)
    assert reviews.take(partners.database, again, {}, partners.now) == 0
    assert reviews.find(partners.database) == []


def test_what_is_approved_is_told_once_and_says_what_brought_it_about(
    partners: Any, asked: tuple[str, str], now: datetime
) -> None:
    organization, review = asked
    later = now + timedelta(hours=2)
    decision = reviews.approve(partners.database, review, "ada", later, "same people on both sites")
    assert decision.outcome == "told"
    assert statuses(partners) == ["pending"]
    (claimed,) = claim(partners.database, 10, later, "me", fundingscout_profile())
    assert [attempt.trigger for attempt in partners.attempts()] == ["review"]
    (item,) = feed_page(partners.database, organization, 10).items
    assert (item.match_id, item.match_type, item.created_at) == (claimed.match_id, "account_name", later)
    row = reviews.get(partners.database, review)
    assert (row.status, row.decided_by, row.decided_at, row.note, row.match_id) == (
        "approved", "ada", later, "same people on both sites", claimed.match_id,
    )  # fmt: skip


def test_without_a_webhook_what_is_approved_can_be_pulled(partners: Any) -> None:
    organization = partners.add("quiet")
    partners.account(organization, "a1")
    partners.round("r1")
    reviews.take(partners.database, [unsure(partners, organization)], {}, partners.now)
    (row,) = reviews.find(partners.database, organization_id=organization)
    assert reviews.approve(partners.database, row.id, "ada", partners.now).outcome == "no_webhook"
    assert [item.status for item in feed_page(partners.database, organization, 10).items] == ["no_webhook"]


def test_what_is_rejected_is_never_told_by_whichever_path_it_comes_back(
    partners: Any, asked: tuple[str, str], now: datetime
) -> None:
    organization, review = asked
    reviews.reject(partners.database, review, "ada", now, "another company of that name")
    surer = [unsure(partners, organization, score=0.99, rule="equal_name"), partners.found(organization, "r1")]
    for found in surer:
        report = record_matches(partners.database, [found], now)
        assert (report.new, report.rejected) == (0, 1)
    assert partners.deliveries() == []


def test_other_accounts_of_a_rejected_round_are_told(partners: Any, asked: tuple[str, str], now: datetime) -> None:
    organization, review = asked
    reviews.reject(partners.database, review, "ada", now)
    rows = [
        {"match_type": "account_name", "account_external_id": name, "contact_external_id": None, "score": 0.99,
         "rule": "equal_name", "crm_value": name, "round_value": "x"}
        for name in ("a1", "a2")
    ]  # fmt: skip
    found = unsure(partners, organization, score=0.99, all_matches=rows)
    report = record_matches(partners.database, [found], now)
    assert [item[1].account_external_id for item in report.recorded] == ["a2"]
    with partners.database.read() as session:
        (match,) = session.scalars(select(Match))
        assert [row["account_external_id"] for row in match.all_matches] == ["a2"]


def test_a_surer_match_settles_what_waits(partners: Any, asked: tuple[str, str], now: datetime) -> None:
    organization, review = asked
    record_matches(partners.database, [partners.found(organization, "r1", account_external_id="a7")], now)
    assert reviews.get(partners.database, review).status == "superseded"
    with pytest.raises(reviews.AlreadyDecided, match="superseded"):
        reviews.approve(partners.database, review, "ada", now)
    assert statuses(partners) == ["pending"]


def test_one_name_approved_settles_the_others_of_its_round(partners: Any, asked: tuple[str, str], now: datetime) -> None:
    organization, review = asked
    partners.account(organization, "a2")
    reviews.take(partners.database, [unsure(partners, organization, account="a2", score=0.7)], {}, now)
    assert len(reviews.find(partners.database)) == 2
    reviews.approve(partners.database, review, "ada", now)
    assert sorted(row.status for row in reviews.find(partners.database, None)) == ["approved", "superseded"]
    assert statuses(partners) == ["pending"]


def test_a_fs_24_the_same_real_round_under_another_id_is_not_told_again(partners: Any, now: datetime) -> None:
    organization = partners.add("acme", URL)
    partners.account(organization, "a1")
    partners.round("r1", company_key="brightloom")
    partners.round("r2", company_key="brightloom")
    reviews.take(partners.database, [unsure(partners, organization, "r2")], {}, now)
    record_matches(partners.database, [partners.found(organization, "r1")], now)
    (row,) = reviews.find(partners.database)
    assert reviews.approve(partners.database, row.id, "ada", now).outcome == "same_round"
    assert statuses(partners) == ["pending"]


def test_a_waiting_question_hides_no_real_match_of_the_same_company(partners: Any, now: datetime) -> None:
    organization = partners.add("acme", URL)
    partners.round("r1", company_key="brightloom")
    partners.round("r2", company_key="brightloom")
    reviews.take(partners.database, [unsure(partners, organization, "r1")], {}, now)
    assert record_matches(partners.database, [partners.found(organization, "r2")], now).new == 1


def test_nothing_is_asked_about_a_round_that_is_told(partners: Any, now: datetime) -> None:
    organization = partners.add("acme", URL)
    partners.round("r1")
    record_matches(partners.database, [partners.found(organization, "r1")], now)
    assert reviews.take(partners.database, [unsure(partners, organization)], {}, now) == 0


def test_rows_that_left_the_crm_are_not_told(partners: Any, now: datetime) -> None:
    organization = partners.add("acme", URL)
    rows = [
        {"match_type": "account_name", "account_external_id": name, "contact_external_id": None, "score": 0.8,
         "rule": "fuzzy_name", "crm_value": "Brightloom", "round_value": "x"}
        for name in ("a1", "a2")
    ]  # fmt: skip
    for name in ("a1", "a2"):
        partners.account(organization, name)
    with partners.database.write() as session:
        session.execute(update(Account).values(name="Brightloom"))
    partners.round("r1")
    reviews.take(partners.database, [unsure(partners, organization, crm_value="Brightloom", all_matches=rows)], {}, now)
    (row,) = reviews.find(partners.database)
    delete_row(partners.database, "account", organization, "a1", now)
    reviews.approve(partners.database, row.id, "ada", now)
    with partners.database.read() as session:
        (match,) = session.scalars(select(Match))
        assert (match.account_external_id, len(match.all_matches)) == ("a2", 1)


def test_a_deleted_account_withdraws_its_question(partners: Any, asked: tuple[str, str], now: datetime) -> None:
    organization, review = asked
    delete_row(partners.database, "account", organization, "a1", now)
    assert reviews.get(partners.database, review).status == "withdrawn"
    with pytest.raises(reviews.AlreadyDecided):
        reviews.approve(partners.database, review, "ada", now)


def test_a_question_about_a_name_that_the_account_no_longer_has_is_not_answered(
    partners: Any, asked: tuple[str, str], now: datetime
) -> None:
    _, review = asked
    with partners.database.write() as session:
        session.execute(update(Account).values(name="Brightloom Threads"))
    assert reviews.approve(partners.database, review, "ada", now).review.status == "withdrawn"
    assert partners.deliveries() == []


def test_what_was_rejected_can_be_overruled_and_is_told_then(partners: Any, asked: tuple[str, str], now: datetime) -> None:
    _, review = asked
    reviews.reject(partners.database, review, "ada", now)
    with pytest.raises(reviews.AlreadyDecided, match="rejected by ada since 2026-05-12"):
        reviews.approve(partners.database, review, "ben", now)
    assert reviews.approve(partners.database, review, "ben", now, overrule=True).outcome == "told"
    with pytest.raises(reviews.AlreadyDecided):
        reviews.reject(partners.database, review, "ada", now)
    assert statuses(partners) == ["pending"]


def test_a_question_grows_old(partners: Any, asked: tuple[str, str], now: datetime) -> None:
    _, review = asked
    assert reviews.expire(partners.database, now + timedelta(days=14), 14) == 0
    assert reviews.expire(partners.database, now + timedelta(days=14, seconds=1), 14) == 1
    with pytest.raises(reviews.AlreadyDecided, match="expired"):
        reviews.approve(partners.database, review, "ada", now)
    assert partners.deliveries() == []


def test_a_decision_names_who_took_it(partners: Any, asked: tuple[str, str], now: datetime) -> None:
    for decide in (reviews.approve, reviews.reject):
        with pytest.raises(ValueError, match="name of who"):
            decide(partners.database, asked[1], "  ", now)
    with pytest.raises(reviews.ReviewUnknown):
        reviews.approve(partners.database, "no-such-review", "ada", now)


def test_a_question_says_between_which_thresholds_it_fell(partners: Any, now: datetime) -> None:
    organization = partners.add("acme")
    partners.round("r1")
    reviews.take(partners.database, [unsure(partners, organization)], {organization: Thresholds(0.9, 0.5)}, now, "backfill")
    (row,) = reviews.find(partners.database)
    assert (row.explanation["send"], row.explanation["review"], row.origin) == (0.9, 0.5, "backfill")


def test_an_approval_that_dies_midway_is_none_and_can_be_given_again(
    partners: Any, asked: tuple[str, str], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, review = asked
    with monkeypatch.context() as patch:
        real = reviews.record_one

        def record_and_die(*arguments: Any) -> None:
            real(*arguments)
            raise KeyboardInterrupt

        patch.setattr(reviews, "record_one", record_and_die)
        with pytest.raises(KeyboardInterrupt):
            reviews.approve(partners.database, review, "ada", now)
    assert reviews.get(partners.database, review).status == "waiting"
    assert partners.deliveries() == []
    assert reviews.approve(partners.database, review, "ben", now).outcome == "told"
    assert len(claim(partners.database, 10, now, "me", fundingscout_profile())) == 1
    with pytest.raises(reviews.AlreadyDecided, match="approved by ben"):
        reviews.approve(partners.database, review, "ada", now)
    assert claim(partners.database, 10, now, "me", fundingscout_profile()) == []


def test_many_analysts_at_once_lead_to_one_decision_and_at_most_one_delivery(partners: Any, now: datetime) -> None:
    """A yes and a no race, beside matchers that find the same round by its domain: one word counts, and no second send."""
    organization = partners.add("acme", URL)
    partners.account(organization, "a1")
    for number in range(6):
        partners.round(f"r{number}")
        reviews.take(partners.database, [unsure(partners, organization, f"r{number}")], {}, now)
    waiting = [row.id for row in reviews.find(partners.database)]
    decided: list[tuple[str, str]] = []
    start = threading.Barrier(5)

    def decide(way: Any, who: str) -> None:
        start.wait()
        for review in waiting:
            try:
                way(partners.database, review, who, now)
                decided.append((review, who))
            except reviews.AlreadyDecided:
                pass

    def match() -> None:
        start.wait()
        for number in range(6):
            record_matches(partners.database, [partners.found(organization, f"r{number}", account_external_id="b1")], now)

    workers = [threading.Thread(target=decide, args=(way, who)) for way, who in (
        (reviews.approve, "ada"), (reviews.approve, "ben"), (reviews.reject, "cy"), (reviews.reject, "dee"))]  # fmt: skip
    workers.append(threading.Thread(target=match))
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert len({review for review, _ in decided}) == len(decided), "one word per question"
    keys = [delivery.dedupe_key for delivery in partners.deliveries()]
    assert len(keys) == len(set(keys)) == 6
    with partners.database.read() as session:
        told = {match.round_id: match.account_external_id for match in session.scalars(select(Match))}
        for row in session.scalars(select(MatchReview)):
            assert row.status in {"approved", "rejected", "superseded"}
            if row.status == "rejected":
                assert told[row.round_id] == "b1"

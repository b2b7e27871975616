"""What a webhook's owner may opt into, and that nothing of it happens unasked; on SQLite and PostgreSQL, without a network."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select, update

from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt, OperatorNotice, WebhookEndpoint
from pipeline.webhooks.attempts import Claim, Outcome
from pipeline.webhooks.claims import Turn, claim, expire, finish, turn
from pipeline.webhooks.controls import NoWebhook, get_endpoint, pause, resume, set_headers, set_policy
from pipeline.webhooks.deletions import delete_row
from pipeline.webhooks.endpoints import set_webhook
from pipeline.webhooks.feed import feed_page
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.outbox import has_pending, record_matches, waiting
from pipeline.webhooks.replays import Wanted, replay
from pipeline.webhooks.trials import add_test_event
from pipeline.webhooks.urls import shown_url

PROFILE = fundingscout_profile()
URL = "https://hooks.example.com/"
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def tell(partners: Any) -> Callable[..., str]:
    """One partner with a webhook, a policy and so many pending deliveries; gives the organization."""

    def tell(count: int = 1, slug: str = "acme", **policy: Any) -> str:
        organization: str = partners.add(slug, URL)
        set_policy(partners.database, organization, policy)
        rounds = [partners.round(f"{slug}-{number}") for number in range(count)]
        record_matches(partners.database, [partners.found(organization, name) for name in rounds], partners.now)
        return organization

    return tell


def failed(at: datetime, error_class: str = "http_5xx", code: int | None = 503, **more: Any) -> Outcome:
    return Outcome(False, at, 10.0, response_code=code, error_class=error_class, error="as it was", **more)


def delivered(at: datetime) -> Outcome:
    return Outcome(True, at, 10.0, response_code=200, is_request_sent=True)


def statuses(partners: Any) -> list[tuple[str, str | None]]:
    return [(delivery.status, delivery.reason) for delivery in partners.deliveries()]


def visit(partners: Any, at: datetime, limit: int = 100, **more: Any) -> Turn:
    return turn(partners.database, [], limit, at, "me", PROFILE, **more)


def only(claims: list[Claim]) -> Claim:
    (one,) = claims
    return one


# --- retries ----------------------------------------------------------------------------------------------------------


def test_fs_60_without_a_policy_nothing_is_sent_again(partners: Any, tell: Any, now: datetime) -> None:
    tell()
    finish(partners.database, only(visit(partners, now).claims), failed(now, retry_after="1"))
    assert statuses(partners) == [("failed", "http_5xx")]
    for later in (MINUTE, DAY, 400 * DAY):
        assert visit(partners, now + later).claims == []


def test_a_fs_7_a_timeout_is_in_doubt_so_the_feed_alone_gives_it_again(partners: Any, tell: Any, now: datetime) -> None:
    """`failed: timeout`, under the id that the receiver may have; never sent again, asked for or not."""
    organization = tell()
    claimed = only(visit(partners, now).claims)
    finish(partners.database, claimed, failed(now, "timeout", None, is_request_sent=True))
    (item,) = feed_page(partners.database, organization, 10, ["failed"]).items
    assert (item.match_id, item.reason, item.response_code) == (claimed.message_id, "timeout", None)
    assert dict(replay(partners.database, Wanted(ids=[claimed.delivery_id]), PROFILE).refused) == {"strict": 1}
    assert visit(partners, now + DAY).claims == []


def test_retry_has_the_same_id_and_the_same_bytes_and_is_recorded_as_one(partners: Any, tell: Any, now: datetime) -> None:
    organization = tell(retry={"delays": [30, 60], "jitter": 0})
    first = only(visit(partners, now).claims)
    finish(partners.database, first, failed(now))
    assert statuses(partners) == [("scheduled", "http_5xx")]
    assert feed_page(partners.database, organization, 10, ["pending"]).items[0].status == "pending"
    assert visit(partners, now + 29 * SECOND).claims == []
    assert not has_pending(partners.database, now + 29 * SECOND)
    assert waiting(partners.database, now + 29 * SECOND) is None
    assert has_pending(partners.database, now + 30 * SECOND)
    assert waiting(partners.database, now + 30 * SECOND) is not None
    # The round became richer meanwhile; what was signed once stays as it was.
    partners.round("acme-0", company_name="Another Name")
    second = only(visit(partners, now + 30 * SECOND).claims)
    assert (second.message_id, second.body, second.number) == (first.message_id, first.body, 2)
    finish(partners.database, second, delivered(now + 31 * SECOND))
    assert statuses(partners) == [("delivered", None)]
    assert [(a.number, a.trigger, a.outcome) for a in partners.attempts()] == [(1, "live", "failed"), (2, "retry", "delivered")]
    assert len({a.body_sha256 for a in partners.attempts()}) == 1
    assert visit(partners, now + DAY).claims == []


def test_ladder_that_ends_leaves_it_failed(partners: Any, tell: Any, now: datetime) -> None:
    tell(retry={"delays": [30], "jitter": 0})
    finish(partners.database, only(visit(partners, now).claims), failed(now))
    finish(partners.database, only(visit(partners, now + MINUTE).claims), failed(now + MINUTE, "timeout", None))
    assert statuses(partners) == [("failed", "timeout")]
    assert visit(partners, now + DAY).claims == []


def test_policy_taken_back_ends_the_ladder(partners: Any, tell: Any, now: datetime) -> None:
    organization = tell(retry={"delays": [30]})
    finish(partners.database, only(visit(partners, now).claims), failed(now))
    set_policy(partners.database, organization, {})
    assert visit(partners, now + MINUTE).claims == []
    assert statuses(partners) == [("failed", "http_5xx")]


def test_crm_row_deleted_between_attempts_ends_the_ladder(partners: Any, tell: Any, now: datetime) -> None:
    organization = tell(count=2, retry={"delays": [30]})
    partners.account(organization, "a1")
    first, second = visit(partners, now).claims
    finish(partners.database, first, failed(now))
    delete_row(partners.database, "account", organization, "a1", now)
    finish(partners.database, second, failed(now))  # it was on its way at that moment
    assert visit(partners, now + MINUTE).claims == []
    assert {status for status, _ in statuses(partners)} == {"failed"}


def test_unknown_outcome_is_retried_only_where_the_owner_named_it(partners: Any, tell: Any, now: datetime) -> None:
    tell(slug="plain", retry={"delays": [30]})
    tell(slug="bold", retry={"delays": [30], "causes": ["unknown_outcome"]})
    assert len(visit(partners, now).claims) == 2
    assert expire(partners.database, now + MINUTE, 5.0) == 2
    assert sorted(statuses(partners)) == [("failed", "unknown_outcome"), ("scheduled", "unknown_outcome")]
    assert len(visit(partners, now + 3 * MINUTE).claims) == 1


def test_late_outcome_of_a_claim_that_was_to_be_retried_ends_the_retry(partners: Any, tell: Any, now: datetime) -> None:
    tell(retry={"delays": [30], "causes": ["unknown_outcome"]})
    claimed = only(visit(partners, now).claims)
    expire(partners.database, now + MINUTE, 5.0)
    finish(partners.database, claimed, delivered(now + MINUTE))
    assert statuses(partners) == [("delivered", None)]
    assert visit(partners, now + DAY).claims == []


def test_scheduled_by_a_clock_from_the_future_is_due_now(partners: Any, tell: Any, now: datetime) -> None:
    tell(retry={"delays": [30]})
    finish(partners.database, only(visit(partners, now).claims), failed(now + 3_650 * DAY))
    assert waiting(partners.database, now) is not None
    expire(partners.database, now, 5.0)
    assert len(visit(partners, now + SECOND).claims) == 1


def test_claim_by_a_clock_from_the_future_is_given_up_too(partners: Any, tell: Any, now: datetime) -> None:
    """A-FS-25: else nobody would see it until that day."""
    tell()
    visit(partners, now + 3_650 * DAY)
    assert expire(partners.database, now, 5.0) == 1
    assert statuses(partners) == [("failed", "unknown_outcome")]


def test_policy_that_this_version_cannot_read_is_strict_and_holds_up_nobody(
    partners: Any, tell: Any, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    tell()
    with partners.database.write() as session:
        session.execute(update(WebhookEndpoint).values(policy={"retry": {"delays": [5]}, "from_a_later_version": 1}))
    finish(partners.database, only(visit(partners, now).claims), failed(now))
    assert statuses(partners) == [("failed", "http_5xx")]
    assert "from_a_later_version" in caplog.text


def test_test_event_of_unknown_outcome_is_not_sent_again(partners: Any, tell: Any, now: datetime) -> None:
    organization = tell(count=0, retry={"delays": [30], "causes": ["unknown_outcome"]})
    add_test_event(partners.database, organization, PROFILE, now)
    assert len(visit(partners, now).claims) == 1
    assert expire(partners.database, now + MINUTE, 5.0) == 1
    assert statuses(partners) == [("failed", "unknown_outcome")]


def test_test_event_is_one_try_and_disables_nothing(partners: Any, tell: Any, now: datetime) -> None:
    organization = tell(count=0, retry={"delays": [30]}, disable_after={"failures": 1})
    add_test_event(partners.database, organization, PROFILE, now)
    finish(partners.database, only(visit(partners, now).claims), failed(now))
    assert statuses(partners) == [("failed", "http_5xx")]
    shown = endpoint(partners, organization)
    assert (shown.state, shown.consecutive_failures) == ("active", 1)


# --- disabling, pausing ----------------------------------------------------------------------------------------------


def test_endpoint_that_fails_for_long_is_disabled_with_its_reason_and_a_notice(partners: Any, tell: Any, now: datetime) -> None:
    organization = tell(count=5, disable_after={"failures": 3, "seconds": 60})
    claims = visit(partners, now, limit=4).claims
    for number, claimed in enumerate(claims[:3]):
        finish(partners.database, claimed, failed(now + number * 20 * SECOND))
    assert endpoint(partners, organization).state == "active"  # three, but not yet for a minute
    finish(partners.database, claims[3], failed(now + 60 * SECOND))
    shown = endpoint(partners, organization)
    assert (shown.state, shown.consecutive_failures) == ("disabled", 4)
    assert shown.reason is not None
    assert "4 deliveries in a row failed since 2026-05-12 01:54 UTC; the last: http_5xx, as it was" in shown.reason
    with partners.database.read() as session:
        notice = session.scalars(select(OperatorNotice)).one()
    assert (notice.kind, notice.organization_id, notice.status) == ("endpoint_disabled", organization, "open")
    assert f"The webhook {shown_url(URL)} of acme was disabled: 4 deliveries in a row" in notice.message
    assert notice.details["url"] == shown_url(URL)
    # What comes now is failed at once, never sent, and in the feed.
    found = visit(partners, now + 2 * MINUTE)
    assert (found.claims, found.set_aside) == ([], 1)
    assert statuses(partners)[-1] == ("failed", "endpoint_disabled")
    last = partners.attempts()[-1]
    assert (last.number, last.outcome, last.is_request_sent) == (0, "failed", False)
    assert {item.reason for item in feed_page(partners.database, organization, 10, ["failed"]).items} == {
        "http_5xx",
        "endpoint_disabled",
    }


def test_without_a_rule_nothing_is_disabled(partners: Any, tell: Any, now: datetime) -> None:
    organization = tell(count=8)
    for claimed in visit(partners, now).claims:
        finish(partners.database, claimed, failed(now, "http_4xx", 410))
    assert endpoint(partners, organization).state == "active"
    assert endpoint(partners, organization).consecutive_failures == 8


def test_one_success_begins_the_count_anew(partners: Any, tell: Any, now: datetime) -> None:
    organization = tell(count=4, disable_after={"failures": 2})
    claims = visit(partners, now).claims
    outcomes = [failed(now), delivered(now + SECOND), failed(now + 2 * SECOND)]
    turn(partners.database, list(zip(claims, outcomes, strict=False)), 0, now, "me", PROFILE)
    assert (endpoint(partners, organization).state, endpoint(partners, organization).consecutive_failures) == ("active", 1)
    turn(partners.database, [(claims[3], failed(now + 3 * SECOND))], 0, now, "me", PROFILE)
    assert endpoint(partners, organization).state == "disabled"


def test_outcomes_written_twice_count_once(partners: Any, tell: Any, now: datetime) -> None:
    """A settlement whose connection broke at the commit is tried again, and may have been kept the first time."""
    organization = tell(count=2, disable_after={"failures": 3})
    settled = [(claimed, failed(now)) for claimed in visit(partners, now).claims]
    for _ in range(3):
        turn(partners.database, settled, 0, now, "me", PROFILE)
    assert endpoint(partners, organization).consecutive_failures == 2


def test_410_disables_at_once_where_a_rule_is_wanted(partners: Any, tell: Any, now: datetime) -> None:
    organization = tell(disable_after={"failures": 100}, retry={"delays": [30]})
    finish(partners.database, only(visit(partners, now).claims), failed(now, "http_4xx", 410))
    assert endpoint(partners, organization).state == "disabled"
    assert statuses(partners) == [("failed", "http_4xx")]


def test_registering_again_wakes_a_disabled_webhook_but_not_a_paused_one(partners: Any, tell: Any, now: datetime) -> None:
    gone = tell(slug="gone", disable_after={"failures": 1})
    finish(partners.database, only(visit(partners, now).claims), failed(now))
    paused = tell(slug="paused", replay=True)
    pause(partners.database, paused, "a move", now)
    for organization in (gone, paused):
        set_webhook(partners.database, organization, "https://hooks.example.com/new", None, now)
    assert (endpoint(partners, gone).state, endpoint(partners, gone).consecutive_failures) == ("active", 0)
    assert endpoint(partners, paused).state == "paused"
    assert endpoint(partners, paused).policy.replay  # a policy stays with its webhook


def test_paused_webhook_keeps_what_comes_and_resume_sends_it(partners: Any, tell: Any, now: datetime) -> None:
    organization = tell(count=3)
    pause(partners.database, organization, "their move to another cloud", now)
    assert visit(partners, now, limit=2).claims == []
    assert visit(partners, now, limit=2).claims == []
    assert statuses(partners) == [("paused", None)] * 3
    assert not has_pending(partners.database, now)
    assert endpoint(partners, organization).reason == "their move to another cloud"
    report = resume(partners.database, organization, now + DAY)
    assert (report.pending, report.expired) == (3, 0)
    assert len(visit(partners, now + DAY).claims) == 3
    assert resume(partners.database, organization, now + DAY).pending == 0


def test_resume_may_give_up_what_waited_too_long(partners: Any, tell: Any, now: datetime) -> None:
    organization = tell(count=2)
    pause(partners.database, organization, "-", now)
    fresh = partners.found(organization, partners.round("fresh"))
    record_matches(partners.database, [fresh], now + 2 * DAY)
    visit(partners, now + 2 * DAY)
    report = resume(partners.database, organization, now + 2 * DAY, older_than=DAY)
    assert (report.pending, report.expired) == (1, 2)
    assert statuses(partners) == [("failed", "expired_while_paused")] * 2 + [("pending", None)]


def test_what_a_pause_kept_is_not_forgotten_when_the_webhook_goes(partners: Any, tell: Any, now: datetime) -> None:
    organization = tell(count=2)
    pause(partners.database, organization, "-", now)
    visit(partners, now)
    set_webhook(partners.database, organization, None, None, now)
    assert visit(partners, now).no_webhook == 2
    assert statuses(partners) == [("no_webhook", None)] * 2
    assert [attempt.number for attempt in partners.attempts()] == [0, 0]


def test_scheduled_retry_without_a_webhook_stays_failed(partners: Any, tell: Any, now: datetime) -> None:
    organization = tell(retry={"delays": [30]})
    finish(partners.database, only(visit(partners, now).claims), failed(now))
    set_webhook(partners.database, organization, None, None, now)
    visit(partners, now + MINUTE)
    assert statuses(partners) == [("failed", "http_5xx")]


def test_controls_need_a_webhook(partners: Any, now: datetime) -> None:
    organization = partners.add("acme")
    for change in (
        lambda: set_policy(partners.database, organization, {}),
        lambda: pause(partners.database, organization, "-", now),
        lambda: resume(partners.database, organization, now),
        lambda: set_headers(partners.database, partners.box, organization, {}),
    ):
        with pytest.raises(NoWebhook, match="webhooks set"):
            change()


# --- bounds per endpoint ----------------------------------------------------------------------------------------------


def test_rate_limit_holds_over_all_senders_and_says_when_to_come_back(partners: Any, tell: Any, now: datetime) -> None:
    tell(count=6, rate_limit={"per_minute": 60, "burst": 2})
    assert len(visit(partners, now).claims) == 2
    other = turn(partners.database, [], 100, now, "another sender", PROFILE)
    assert (other.claims, other.next_at) == ([], now + SECOND)
    assert len(visit(partners, now + SECOND).claims) == 1
    assert len(visit(partners, now + 10 * SECOND).claims) == 2


def test_concurrency_holds_over_all_senders(partners: Any, tell: Any, now: datetime) -> None:
    tell(count=6, max_concurrency=2)
    first = visit(partners, now).claims
    assert len(first) == 2
    assert turn(partners.database, [], 100, now, "another sender", PROFILE).claims == []
    finish(partners.database, first[0], delivered(now))
    assert len(turn(partners.database, [], 100, now, "another sender", PROFILE).claims) == 1
    # A sender that died holds its share no longer than a send may last.
    assert len(visit(partners, now + 10 * SECOND).claims) == 2


def test_endpoint_that_takes_nothing_holds_up_nobody_however_much_waits_for_it(partners: Any, tell: Any, now: datetime) -> None:
    slow = tell(count=40, slug="slow", max_concurrency=1)
    others = [tell(count=2, slug=f"p{number}") for number in range(3)]
    assert len(visit(partners, now, limit=5).claims) == 5
    found = visit(partners, now, limit=5, busy={})
    assert slow not in {claimed.organization_id for claimed in found.claims}
    assert {claimed.organization_id for claimed in found.claims} <= set(others)


def test_delivery_without_an_endpoint_of_record_is_sent_all_the_same(partners: Any, tell: Any, now: datetime) -> None:
    """Rows that a version before this one left behind."""
    tell()
    with partners.database.write() as session:
        session.execute(update(Delivery).values(endpoint_id=None))
    assert len(visit(partners, now).claims) == 1


# --- replay -----------------------------------------------------------------------------------------------------------


def test_strict_webhook_is_never_sent_again_what_may_have_arrived(partners: Any, tell: Any, now: datetime) -> None:
    tell(count=4)
    outcomes = [failed(now), failed(now, "timeout", None), delivered(now)]
    claims = visit(partners, now).claims
    turn(partners.database, list(zip(claims, outcomes, strict=False)), 0, now, "me", PROFILE)
    expire(partners.database, now + MINUTE, 5.0)
    before = statuses(partners)
    every = Wanted(ids=[claimed.delivery_id for claimed in claims], statuses=("failed", "delivered"))
    report = replay(partners.database, every, PROFILE)
    assert (report.replayed, dict(report.refused)) == (0, {"strict": 4})
    assert statuses(partners) == before
    assert visit(partners, now + DAY).claims == []


@pytest.mark.parametrize(
    "outcome",
    [
        {"error_class": "dns"},
        {"error_class": "connect"},
        {"error_class": "refused_address"},
        {"error_class": "no_signing_key"},
        {"error_class": "timeout", "is_request_sent": False},
        {"error_class": "tls", "is_request_sent": False},
    ],
)
def test_strict_webhook_may_be_sent_what_never_left(partners: Any, tell: Any, now: datetime, outcome: dict[str, Any]) -> None:
    tell()
    first = only(visit(partners, now).claims)
    finish(partners.database, first, Outcome(False, now, 1.0, error="-", **outcome))
    report = replay(partners.database, Wanted(ids=[first.message_id]), PROFILE)
    assert (report.replayed, report.first_sends) == (1, 1)
    second = only(visit(partners, now + MINUTE).claims)
    assert (second.message_id, second.body) == (first.message_id, first.body)
    assert [attempt.trigger for attempt in partners.attempts()] == ["live", "replay"]
    finish(partners.database, second, failed(now + MINUTE))
    # Now it was sent once, and that was all.
    assert dict(replay(partners.database, Wanted(ids=[first.delivery_id]), PROFILE).refused) == {"strict": 1}


def test_match_recorded_without_a_webhook_may_be_sent_once_there_is_one(partners: Any, now: datetime) -> None:
    organization = partners.add("acme")
    record_matches(partners.database, [partners.found(organization, partners.round("r1"))], now)
    span = Wanted(organization_id=organization, first=now - DAY)
    assert dict(replay(partners.database, span, PROFILE).refused) == {"no_webhook": 1}
    set_webhook(partners.database, organization, URL, partners.keys[organization].id, now)
    assert replay(partners.database, span, PROFILE).first_sends == 1
    finish(partners.database, only(visit(partners, now).claims), delivered(now))
    assert statuses(partners) == [("delivered", None)]
    assert [(attempt.number, attempt.trigger) for attempt in partners.attempts()] == [(0, "live"), (1, "replay")]


def test_replay_by_span_where_the_owner_allows_it(partners: Any, tell: Any, now: datetime) -> None:
    organization = tell(count=3, replay=True)
    claims = visit(partners, now).claims
    outcomes = [failed(now), delivered(now), failed(now)]
    turn(partners.database, list(zip(claims, outcomes, strict=True)), 0, now, "me", PROFILE)
    span = Wanted(organization_id=organization, first=now - DAY, last=now + SECOND)
    assert replay(partners.database, span, PROFILE, is_dry_run=True).replayed == 2
    assert visit(partners, now).claims == []
    assert replay(partners.database, Wanted(organization_id=organization, first=now + SECOND), PROFILE).replayed == 0
    assert replay(partners.database, span, PROFILE).replayed == 2
    again = replay(partners.database, Wanted(ids=[c.delivery_id for c in claims] + ["nothing"]), PROFILE)
    assert (again.replayed, dict(again.refused)) == (0, {"open": 2, "delivered": 1, "unknown": 1})
    assert len(visit(partners, now).claims) == 2


def test_replay_is_refused_where_nothing_could_come_of_it(partners: Any, tell: Any, now: datetime) -> None:
    organization = tell(count=2, disable_after={"failures": 1}, replay=True)
    partners.account(organization, "a1")
    claims = visit(partners, now, limit=1).claims
    finish(partners.database, claims[0], failed(now))
    assert dict(replay(partners.database, Wanted(ids=[claims[0].delivery_id]), PROFILE).refused) == {"disabled": 1}
    resume(partners.database, organization, now)
    delete_row(partners.database, "account", organization, "a1", now)
    rest = [delivery.id for delivery in partners.deliveries() if delivery.reason == "row_deleted"]
    assert dict(replay(partners.database, Wanted(ids=rest), PROFILE).refused) == {"row_deleted": 1}
    with pytest.raises(ValueError, match="say which"):
        replay(partners.database, Wanted(), PROFILE)


def test_match_whose_crm_row_is_gone_is_not_sent_though_it_never_was(partners: Any, now: datetime) -> None:
    """It had no webhook to go to, so nothing waited when the row was deleted: it is as gone as one that did."""
    organization = partners.add("acme")
    partners.account(organization, "a1")
    record_matches(partners.database, [partners.found(organization, partners.round("r1"))], now)
    delete_row(partners.database, "account", organization, "a1", now)
    set_webhook(partners.database, organization, URL, partners.keys[organization].id, now)
    span = Wanted(organization_id=organization, first=now - DAY)
    assert dict(replay(partners.database, span, PROFILE).refused) == {"row_deleted": 1}
    assert visit(partners, now).claims == []


def test_replay_says_of_each_delivery_what_becomes_of_it(partners: Any, tell: Any, now: datetime) -> None:
    organization = tell(count=3)
    first, second, _ = visit(partners, now).claims
    finish(partners.database, first, failed(now, "dns", None))
    finish(partners.database, second, failed(now, "timeout", None))
    span = Wanted(organization_id=organization, first=now - DAY)
    report = replay(partners.database, span, PROFILE, is_dry_run=True)
    assert {(one.delivery_id, one.match_id, one.status, one.reason, one.decision) for one in report.decided} == {
        (first.delivery_id, first.match_id, "failed", "dns", "first_send"),
        (second.delivery_id, second.match_id, "failed", "timeout", "strict"),
    }
    assert {one.company_name for one in report.decided} < {"acme-0 Robotics", "acme-1 Robotics", "acme-2 Robotics"}
    set_policy(partners.database, organization, {"replay": True})
    assert {one.decision for one in replay(partners.database, span, PROFILE).decided} == {"first_send", "second_send"}


def test_test_events_are_never_replayed(partners: Any, tell: Any, now: datetime) -> None:
    organization = tell(count=0, replay=True)
    test = add_test_event(partners.database, organization, PROFILE, now)
    finish(partners.database, only(visit(partners, now).claims), failed(now))
    assert replay(partners.database, Wanted(organization_id=organization, first=now - DAY), PROFILE).decided == []
    assert dict(replay(partners.database, Wanted(ids=[test]), PROFILE).refused) == {"test": 1}


def test_what_was_sent_is_not_sent_again_once_its_bytes_are_forgotten(partners: Any, tell: Any, now: datetime) -> None:
    """A replay has the same bytes. What never left may be written anew: nobody has seen it."""
    tell(count=2, replay=True)
    first, second = visit(partners, now).claims
    finish(partners.database, first, failed(now, "timeout", None))
    finish(partners.database, second, failed(now, "dns", None))
    with partners.database.write() as session:
        session.execute(update(Delivery).values(body=None))
    report = replay(partners.database, Wanted(ids=[first.delivery_id, second.delivery_id]), PROFILE)
    assert (report.first_sends, dict(report.refused)) == (1, {"body_gone": 1})
    assert [claimed.delivery_id for claimed in visit(partners, now).claims] == [second.delivery_id]


def test_late_outcome_ends_a_replay_that_has_not_begun(partners: Any, tell: Any, now: datetime) -> None:
    tell(replay=True)
    claimed = only(visit(partners, now).claims)
    expire(partners.database, now + MINUTE, 5.0)
    assert replay(partners.database, Wanted(ids=[claimed.delivery_id]), PROFILE).replayed == 1
    finish(partners.database, claimed, delivered(now + MINUTE))
    assert statuses(partners) == [("delivered", None)]
    assert visit(partners, now + DAY).claims == []


def test_jitter_comes_from_the_chance_that_is_given(partners: Any, tell: Any, now: datetime) -> None:
    tell(retry={"delays": [100], "jitter": 1})
    finish(partners.database, only(visit(partners, now).claims), failed(now), Random(3))
    expected = now + 100 * SECOND * (1 + Random(3).random())
    assert abs((partners.deliveries()[0].next_attempt_at - expected).total_seconds()) < 0.001


def test_claims_keep_what_the_sender_needs(partners: Any, tell: Any, now: datetime) -> None:
    organization = tell(max_concurrency=3)
    set_headers(partners.database, partners.box, organization, {"X-Tenant": "north"})
    assert endpoint(partners, organization).header_names == ("X-Tenant",)
    claimed = only(claim(partners.database, 1, now, "me", PROFILE))
    assert (claimed.policy.max_concurrency, claimed.number) == (3, 1)
    assert claimed.headers_encrypted is not None
    with partners.database.read() as session:
        assert session.get_one(WebhookEndpoint, claimed.endpoint_id).organization_id == organization
        assert session.get_one(DeliveryAttempt, claimed.attempt_id).outcome == "sending"


def endpoint(partners: Any, organization: str) -> Any:
    return get_endpoint(partners.database, partners.box, organization)

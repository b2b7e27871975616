"""Deliveries against a real receiver over HTTPS, on SQLite and PostgreSQL."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from pipeline.matching.model import MatchType
from pipeline.organizations.keys import create_key, revoke_key, rotate_secret
from pipeline.store.tables.crm import Account
from pipeline.store.tables.deliveries import Delivery
from pipeline.webhooks.claims import claim, expire, finish
from pipeline.webhooks.endpoints import get_webhook, set_webhook
from pipeline.webhooks.fundingscout import ROUND_KEYS, fundingscout_profile
from pipeline.webhooks.outbox import record_matches
from pipeline.webhooks.receiver import Receiver, throwaway_certificate
from pipeline.webhooks.sender import DeliveryReport, deliver_pending
from pipeline.webhooks.signing import fundingscout_signature, standard_headers
from pipeline.webhooks.urls import UrlRefused


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    return throwaway_certificate("127.0.0.1", ca_file), ca_file


@pytest.fixture
def receiver(authority: tuple[ssl.SSLContext, Path]) -> Iterator[Receiver]:
    """A receiver without secrets: tests verify by themselves, or add some."""
    with Receiver([], authority[0]) as listening:
        yield listening


@pytest.fixture
def send(partners: Any, authority: tuple[ssl.SSLContext, Path]) -> Any:
    def send(**fields: Any) -> DeliveryReport:
        settings = partners.settings(webhook_ca_file=authority[1], **fields)
        return deliver_pending(partners.database, partners.box, settings, lambda: partners.now)

    return send


def tell(partners: Any, receiver: Receiver, **fields: Any) -> str:
    """One partner, one round, one match; gives the organization."""
    organization = partners.add("acme", receiver.url)
    receiver.secrets.append(partners.secret(organization))
    record_matches(partners.database, [partners.found(organization, partners.round("r1"), **fields)], partners.now)
    return organization


def test_fs_35_to_40_a_delivery_is_a_signed_post_that_the_printed_rule_verifies(
    partners: Any, receiver: Receiver, send: Any
) -> None:
    """FS-35 to FS-40, FS-78, FS-79: the rule of the printed receivers, applied to the bytes that came."""
    organization = tell(partners, receiver)
    assert send().delivered == 1
    (got,) = receiver.received
    secret = partners.secret(organization)
    assert secret.startswith("fs_whsec_")
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["User-Agent"] == "FundingScout-Webhook/1.0"
    assert (
        got.headers["X-FundingScout-Signature"] == "sha256=" + hmac.new(secret.encode(), got.body, hashlib.sha256).hexdigest()
    )
    tampered = got.body.replace(b"20000000", b"20000001")
    assert tampered != got.body
    assert (
        got.headers["X-FundingScout-Signature"] != "sha256=" + hmac.new(secret.encode(), tampered, hashlib.sha256).hexdigest()
    )


def test_a_x_1_standard_webhooks_headers_verify_with_the_secret_without_fs(
    partners: Any, receiver: Receiver, send: Any
) -> None:
    organization = tell(partners, receiver)
    send()
    (got,) = receiver.received
    key = base64.b64decode(partners.secret(organization).removeprefix("fs_whsec_"))
    content = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    expected = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == expected
    assert got.headers["webhook-id"] == got.match_id
    assert int(got.headers["webhook-timestamp"]) == int(partners.now.timestamp())


def test_fs_41_to_55_the_payload_has_every_key_and_form_of_the_page(partners: Any, receiver: Receiver, send: Any) -> None:
    metadata = '{ "z": 1, "a": 12345678901234567890.10, "ü": "é", "a": null }'
    organization = partners.add("acme", receiver.url)
    receiver.secrets.append(partners.secret(organization))
    partners.account(organization, "a1", metadata)
    record_matches(partners.database, [partners.found(organization, partners.round("r1"))], partners.now)
    send()
    (got,) = receiver.received
    payload = got.payload
    assert payload is not None
    assert set(payload) == {"event", "match_id", "match_type", "matched", "funding_round", "timestamp", "all_matches"}
    assert payload["event"] == "funding_match"
    assert payload["match_type"] == "account_domain"
    assert payload["timestamp"] == "2026-05-12T01:54:00Z"
    assert set(payload["matched"]) == {"account_external_id", "contact_external_id", "account_metadata", "contact_metadata"}
    assert payload["matched"]["account_external_id"] == "a1"
    assert payload["matched"]["contact_external_id"] is None
    assert payload["matched"]["contact_metadata"] is None
    # FS-16, A-FS-3: the exact text.
    assert metadata.encode() in got.body
    assert set(payload["funding_round"]) == set(ROUND_KEYS)
    assert len(ROUND_KEYS) == 17
    assert payload["funding_round"]["amount_usd"] == 20_000_000
    assert payload["funding_round"]["investors"] == ["Oak Harbor"]
    assert payload["funding_round"]["ceo_email"] is None
    assert payload["funding_round"]["published_date"] == "2026-05-12"


def test_a_fs_4_all_matches_lists_every_end_customers_row_and_can_be_switched_off(
    partners: Any, receiver: Receiver, send: Any
) -> None:
    organization = partners.add("acme", receiver.url)
    receiver.secrets.append(partners.secret(organization))
    partners.account(organization, "a1", '{"partner_customer_id":"north"}')
    partners.account(organization, "a2", '{"partner_customer_id":"south"}')
    rows = [{"match_type": "account_domain", "account_external_id": name, "contact_external_id": None} for name in ("a1", "a2")]
    for name in ("r1", "r2"):
        found = partners.found(organization, partners.round(name), all_matches=rows)
        record_matches(partners.database, [found], partners.now)
        send(webhook_all_matches=name == "r1")
    first, second = (item.payload for item in receiver.received)
    assert first is not None
    assert second is not None
    assert [row["account_metadata"]["partner_customer_id"] for row in first["all_matches"]] == ["north", "south"]
    assert "all_matches" not in second


def test_fs_46_contact_is_named_for_email_domain_alone(partners: Any, receiver: Receiver, send: Any) -> None:
    organization = partners.add("acme", receiver.url)
    receiver.secrets.append(partners.secret(organization))
    partners.contact(organization, "c1", '{"owner":"kim"}')
    record_matches(
        partners.database,
        [
            partners.found(
                organization,
                partners.round("r1"),
                match_type=MatchType.EMAIL_DOMAIN,
                account_external_id=None,
                contact_external_id="c1",
            ),
            partners.found(organization, partners.round("r2"), contact_external_id="c1"),
        ],
        partners.now,
    )
    send()
    by_round = {item.payload["funding_round"]["id"]: item.payload["matched"] for item in receiver.received if item.payload}
    assert by_round["r1"]["contact_external_id"] == "c1"
    assert by_round["r1"]["contact_metadata"] == {"owner": "kim"}
    assert by_round["r2"]["contact_external_id"] is None
    assert by_round["r2"]["contact_metadata"] is None


def test_fs_61_running_everything_again_sends_nothing(partners: Any, receiver: Receiver, send: Any) -> None:
    organization = tell(partners, receiver)
    send()
    report = record_matches(partners.database, [partners.found(organization, "r1")], partners.now)
    assert (report.new, report.known) == (0, 1)
    again = send()
    assert (again.delivered, again.failed) == (0, 0)
    assert len(receiver.received) == 1


def test_fs_64_without_url_the_match_is_recorded_and_nothing_is_sent(partners: Any, send: Any) -> None:
    organization = partners.add("acme")
    record_matches(partners.database, [partners.found(organization, partners.round("r1"))], partners.now)
    assert send().delivered == 0
    assert [delivery.status for delivery in partners.deliveries()] == ["no_webhook"]
    assert [(attempt.number, attempt.outcome) for attempt in partners.attempts()] == [(0, "no_webhook")]


def test_url_cleared_between_match_and_claim_gives_no_webhook(partners: Any, receiver: Receiver, send: Any) -> None:
    organization = tell(partners, receiver)
    set_webhook(partners.database, organization, None, None, partners.now)
    report = send()
    assert (report.delivered, report.no_webhook) == (0, 1)
    assert receiver.received == []
    assert [delivery.status for delivery in partners.deliveries()] == ["no_webhook"]


def test_deleted_account_has_null_metadata(partners: Any, receiver: Receiver, send: Any) -> None:
    organization = partners.add("acme", receiver.url)
    receiver.secrets.append(partners.secret(organization))
    partners.account(organization, "a1", '{"tier":1}')
    record_matches(partners.database, [partners.found(organization, partners.round("r1"))], partners.now)
    with partners.database.write() as session:
        session.delete(session.get(Account, (organization, "a1")))
    send()
    assert receiver.received[0].payload
    assert receiver.received[0].payload["matched"]["account_metadata"] is None


def test_fs_5_a_fs_22_secret_rotated_after_the_match_signs_the_delivery(partners: Any, receiver: Receiver, send: Any) -> None:
    organization = tell(partners, receiver)
    key = partners.keys[organization]
    receiver.secrets[:] = [rotate_secret(partners.database, partners.box, organization, key.id, partners.now)]
    assert send().delivered == 1


def test_a_fs_22_while_a_rotation_overlaps_both_secrets_sign_the_standard_way(
    partners: Any, receiver: Receiver, send: Any, now: datetime, authority: tuple[ssl.SSLContext, Path]
) -> None:
    organization = tell(partners, receiver)
    key = partners.keys[organization]
    overlap = timedelta(hours=1)
    new = rotate_secret(partners.database, partners.box, organization, key.id, now, overlap)
    receiver.secrets[:] = [new]
    assert send().delivered == 1
    record_matches(partners.database, [partners.found(organization, partners.round("r2"))], now + overlap)
    settings = partners.settings(webhook_ca_file=authority[1])
    assert deliver_pending(partners.database, partners.box, settings, lambda: now + overlap).delivered == 1
    during, after = receiver.received
    for delivery, secrets in ((during, [new, key.webhook_secret]), (after, [new])):
        headers = {name.lower(): value for name, value in delivery.headers.items()}
        instant = int(headers["webhook-timestamp"])
        expected = standard_headers(secrets, headers["webhook-id"], instant, delivery.body)["webhook-signature"]
        assert headers["webhook-signature"] == expected
        assert headers["x-fundingscout-signature"] == fundingscout_signature(new, delivery.body)


def test_a_fs_5_key_that_registered_the_url_signs_though_a_newer_one_exists(
    partners: Any, receiver: Receiver, send: Any, now: datetime
) -> None:
    organization = tell(partners, receiver)
    newer = create_key(partners.database, partners.box, organization, "newer", now + timedelta(hours=1))
    assert send().delivered == 1
    revoke_key(partners.database, organization, partners.keys[organization].id, now)
    receiver.secrets[:] = [newer.webhook_secret]
    record_matches(partners.database, [partners.found(organization, partners.round("r2"))], now)
    assert send().delivered == 1


def test_a_fs_5_nothing_is_sent_unsigned(partners: Any, receiver: Receiver, send: Any) -> None:
    organization = tell(partners, receiver)
    revoke_key(partners.database, organization, partners.keys[organization].id, partners.now)
    assert dict(send().failed_by_class) == {"no_signing_key": 1}
    assert receiver.received == []


def test_fs_59_fs_60_refusal_is_failed_with_its_answer_and_never_sent_again(
    partners: Any, receiver: Receiver, send: Any
) -> None:
    tell(partners, receiver)
    receiver.secrets.clear()  # the receiver now answers 401
    assert dict(send().failed_by_class) == {"http_4xx": 1}
    (delivery,), (attempt,) = partners.deliveries(), partners.attempts()
    assert (delivery.status, delivery.reason, delivery.response_code) == ("failed", "http_4xx", 401)
    assert json.loads(delivery.response_excerpt or "") == {"error": "invalid signature"}
    assert (attempt.number, attempt.outcome, attempt.resolved_address) == (1, "failed", "127.0.0.1")
    assert attempt.body_sha256 == hashlib.sha256(receiver.received[0].body).hexdigest()
    assert send().failed == 0
    assert len(receiver.received) == 1


def test_body_is_frozen_at_the_claim(partners: Any, receiver: Receiver, send: Any) -> None:
    tell(partners, receiver)
    send()
    assert partners.deliveries()[0].body == receiver.received[0].body.decode()


def test_certificate_of_an_unknown_authority_is_no_delivery(partners: Any, receiver: Receiver, send: Any) -> None:
    tell(partners, receiver)
    settings = partners.settings()
    report = deliver_pending(partners.database, partners.box, settings, lambda: partners.now)
    assert dict(report.failed_by_class) == {"tls": 1}
    assert receiver.received == []


def test_certificate_for_another_host_is_no_delivery(partners: Any, receiver: Receiver, send: Any) -> None:
    organization = tell(partners, receiver)
    set_webhook(partners.database, organization, None, None, partners.now)
    url = receiver.url.replace("127.0.0.1", "localhost")
    allowed = partners.settings().webhook_allowed_networks
    set_webhook(partners.database, organization, url, None, partners.now, allowed)
    assert set(send(webhook_allowed_networks=(*allowed,)).failed_by_class) <= {"tls", "refused_address"}
    assert receiver.received == []


def test_address_that_is_not_allowed_is_refused_at_connect_time(partners: Any, receiver: Receiver, send: Any) -> None:
    tell(partners, receiver)
    assert dict(send(webhook_allowed_networks=()).failed_by_class) == {"refused_address": 1}
    assert receiver.received == []


def test_a_fs_8_claim_without_outcome_becomes_failed_unknown_outcome_and_is_never_sent(
    partners: Any, receiver: Receiver, send: Any, now: datetime
) -> None:
    tell(partners, receiver)
    (claimed,) = claim(partners.database, 10, now, "a sender that dies", fundingscout_profile())
    assert expire(partners.database, now + timedelta(seconds=20), 5.0) == 0
    assert expire(partners.database, now + timedelta(seconds=60), 5.0) == 1
    assert expire(partners.database, now + timedelta(seconds=60), 5.0) == 0
    (delivery,), (attempt,) = partners.deliveries(), partners.attempts()
    assert (delivery.status, delivery.reason) == ("failed", "unknown_outcome")
    assert (attempt.outcome, attempt.error_class) == ("failed", "unknown_outcome")
    assert send().delivered == 0
    assert receiver.received == []
    assert claimed.delivery_id == delivery.id


def test_outcome_that_comes_after_its_claim_was_given_up_is_recorded(partners: Any, receiver: Receiver, now: datetime) -> None:
    from pipeline.webhooks.attempts import Outcome

    tell(partners, receiver)
    (claimed,) = claim(partners.database, 10, now, "a slow sender", fundingscout_profile())
    expire(partners.database, now + timedelta(seconds=60), 5.0)
    finish(partners.database, claimed, Outcome(True, now + timedelta(seconds=61), 4000.0, response_code=200))
    assert partners.deliveries()[0].status == "delivered"
    assert partners.attempts()[0].error_class is None


def test_outcome_of_another_claim_changes_nothing(partners: Any, receiver: Receiver, now: datetime) -> None:
    from dataclasses import replace

    from pipeline.webhooks.attempts import Outcome

    tell(partners, receiver)
    (claimed,) = claim(partners.database, 10, now, "one", fundingscout_profile())
    finish(partners.database, replace(claimed, claimed_by="another", attempt_id=-1), Outcome(True, now, 1.0, response_code=200))
    assert partners.deliveries()[0].status == "sending"


def test_fs_34_refused_url_leaves_the_old_one(partners: Any) -> None:
    organization = partners.add("acme", "https://127.0.0.1:9/hook")
    with pytest.raises(UrlRefused, match="HTTPS"):
        set_webhook(partners.database, organization, "http://hooks.example.com/", None, partners.now)
    assert get_webhook(partners.database, organization) == "https://127.0.0.1:9/hook"


def test_many_deliveries_to_one_endpoint_all_arrive_once(partners: Any, receiver: Receiver, send: Any) -> None:
    organization = partners.add("acme", receiver.url)
    receiver.secrets.append(partners.secret(organization))
    found = [partners.found(organization, partners.round(f"r{number}")) for number in range(60)]
    record_matches(partners.database, found, partners.now)
    assert send().delivered == 60
    assert sorted(item.match_id or "" for item in receiver.received) == sorted(d.match_id for d in partners.deliveries())
    assert receiver.duplicates == []


def test_metadata_that_is_not_json_does_not_hold_up_the_outbox(partners: Any, receiver: Receiver, send: Any) -> None:
    organization = partners.add("acme", receiver.url)
    receiver.secrets.append(partners.secret(organization))
    partners.account(organization, "a1", '{"broken": ')
    record_matches(partners.database, [partners.found(organization, partners.round("r1"))], partners.now)
    assert send().delivered == 1
    assert receiver.received[0].payload
    assert receiver.received[0].payload["matched"]["account_metadata"] is None


def test_held_delivery_is_not_sent(partners: Any, receiver: Receiver, send: Any) -> None:
    organization = partners.add("acme", receiver.url)
    record_matches(partners.database, [partners.found(organization, partners.round("r1"))], partners.now, "backfill", hold=True)
    assert send().delivered == 0
    with partners.database.write() as session:
        session.execute(update(Delivery).values(status="pending"))
    receiver.secrets.append(partners.secret(organization))
    assert send().delivered == 1
    assert partners.attempts()[0].trigger == "backfill"

"""Leads on their way to partners' webhooks, on SQLite and PostgreSQL (SC-75 to SC-81, SC-84, SC-85)."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import select, text

from pipeline.organizations.secrets import SecretBox
from pipeline.partners import accounts, referrals, webhooks
from pipeline.store.app_database import MIGRATIONS, AppDatabase
from pipeline.store.tables.deliveries import Delivery
from pipeline.store.tables.partners import Referral, ReferralPartner
from pipeline.webhooks.claims import claim
from pipeline.webhooks.replays import Wanted, replay
from pipeline.webhooks.sender import deliver_pending
from pipeline.webhooks.startcap import startcap_profile

LEAD = {
    "first_name": "Marta",
    "last_name": "Lindqvist",
    "date_of_birth": "1979-11-02",
    "email": "marta@lindqvist.example",
    "residential_street": "9 Harbor Lane",
    "residential_city": "Tacoma",
    "residential_state": "WA",
    "residential_zip": "98402",
}


class Endpoint:
    """A receiver on loopback that verifies as the printed samples do, and remembers what it accepted."""

    def __init__(self) -> None:
        self.accepted: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.refused = 0
        self.secret = ""
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                expected = hmac.new(endpoint.secret.encode(), body, hashlib.sha256).hexdigest()
                is_genuine = hmac.compare_digest(self.headers.get("X-Webhook-Signature", ""), expected)
                if is_genuine:
                    endpoint.accepted.append((dict(self.headers), json.loads(body)))
                else:
                    endpoint.refused += 1
                answer = b'{"received":true}' if is_genuine else b'{"error":"Invalid signature"}'
                self.send_response(200 if is_genuine else 401)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhook"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class World:
    """One partner with a webhook over one app database."""

    def __init__(self, partners: Any, home: Path) -> None:
        self.partners, self.db, self.now = partners, partners.database, partners.now
        self.settings = partners.settings(home=home)
        self.box = SecretBox.open(self.settings)
        self.organization = partners.add("acme")
        self.partner = accounts.create_partner(self.db, self.organization, "Ada", "ada@p.example", self.now)

    def hook(self, endpoint: Endpoint, *events: str) -> webhooks.PartnerHook:
        made = webhooks.add_webhook(
            self.db, self.box, self.partner, endpoint.url, events, self.now, (ip_network("127.0.0.0/8"),)
        )
        endpoint.secret = made.secret or ""
        return made

    def submit(self, **more: Any) -> str:
        return referrals.submit_lead(self.db, self.box, self.partner, LEAD, self.now, **more)[1]

    def deliver(self) -> Any:
        return deliver_pending(self.db, self.box, self.settings, lambda: self.now)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()


@pytest.fixture
def world(partners: Any, tmp_path: Path) -> World:
    return World(partners, tmp_path)


def test_sc_77_to_80_a_submitted_lead_is_told_once_and_signed(world: World, endpoint: Endpoint) -> None:
    """A-SC-19, A-SC-26, A-SC-27, A-SC-28."""
    world.hook(endpoint)
    reference = world.submit()
    assert world.deliver().delivered == 1
    assert world.deliver().delivered == 0
    ((headers, body),) = endpoint.accepted
    assert headers["X-Webhook-Event"] == "lead.status_changed"
    assert headers["X-Webhook-ID"]
    assert headers["webhook-id"] == headers["X-Webhook-ID"]
    assert body == {
        "event": "lead.status_changed",
        "timestamp": "2026-05-12T01:54:00Z",
        "data": {
            "lead_reference_id": reference,
            "old_status": None,
            "new_status": "lead",
            "old_application_status": None,
            "new_application_status": None,
            "lead_details": {
                "reference_id": reference,
                "email": "marta@lindqvist.example",
                "status": "lead",
                "application_status": None,
                "first_name": "Marta",
                "last_name": "Lindqvist",
            },
        },
    }


def test_sc_85_what_does_not_apply_is_left_out(world: World, endpoint: Endpoint) -> None:
    world.hook(endpoint)
    lead = {name: value for name, value in LEAD.items() if name != "email"}
    referrals.submit_lead(world.db, world.box, world.partner, lead, world.now)
    world.deliver()
    assert "email" not in endpoint.accepted[0][1]["data"]["lead_details"]


def test_a_repeat_with_an_idempotency_key_tells_nothing(world: World, endpoint: Endpoint) -> None:
    world.hook(endpoint)
    assert world.submit(idempotency_key="k") == world.submit(idempotency_key="k")
    world.deliver()
    assert len(endpoint.accepted) == 1


def test_sc_75_sc_76_a_webhook_hears_of_the_events_it_wants(world: World, endpoint: Endpoint) -> None:
    world.hook(endpoint, "payout.processed")
    world.submit()
    assert world.deliver().delivered == 0
    with pytest.raises(webhooks.PartnerWebhookRefused, match=r"lead\.status_changed, commission\.earned"):
        world.hook(endpoint, "lead.born")


def test_sc_81_a_test_event_says_so_and_real_ones_do_not(world: World, endpoint: Endpoint) -> None:
    hook = world.hook(endpoint)
    webhooks.add_test(world.db, world.partner, hook.id, world.now)
    assert world.deliver().delivered == 1
    (headers, body) = endpoint.accepted[0]
    assert headers["X-Webhook-Event"] == body["event"] == "lead.status_changed"
    assert body["data"]["test"] is True
    world.submit()
    world.deliver()
    assert "test" not in endpoint.accepted[1][1]["data"]


def test_sc_84_a_change_of_the_account_is_told_once(world: World, endpoint: Endpoint) -> None:
    world.hook(endpoint)
    for status in ("suspended", "suspended", "active"):
        accounts.set_status(world.db, world.organization, status, world.now)
    world.deliver()
    assert [body["data"] for _, body in endpoint.accepted] == [
        {
            "referrer_id": world.partner.id,
            "old_status": old,
            "new_status": new,
            "account_details": {"id": world.partner.id, "email": "ada@p.example", "status": new},
        }
        for old, new in (("active", "suspended"), ("suspended", "active"))
    ]


def test_events_of_one_webhook_arrive_in_their_order(world: World, endpoint: Endpoint) -> None:
    world.hook(endpoint)
    references = [world.submit() for _ in range(12)]
    world.deliver()
    assert [body["data"]["lead_reference_id"] for _, body in endpoint.accepted] == references


def test_only_the_oldest_of_a_webhook_is_claimed_at_once(world: World, endpoint: Endpoint) -> None:
    world.hook(endpoint)
    for _ in range(3):
        world.submit()
    first = claim(world.db, 10, world.now + timedelta(seconds=1), "one", startcap_profile())
    assert len(first) == 1
    assert claim(world.db, 10, world.now + timedelta(seconds=1), "two", startcap_profile()) == []


def test_a_rotated_secret_signs_at_once_and_a_removed_webhook_hears_nothing(world: World, endpoint: Endpoint) -> None:
    hook = world.hook(endpoint)
    world.submit()
    endpoint.secret = webhooks.rotate_secret(world.db, world.box, world.partner.id, hook.id, world.now)
    assert world.deliver().delivered == 1
    world.submit()
    webhooks.remove_webhook(world.db, world.partner.id, hook.id, world.now)
    world.submit()
    world.deliver()
    assert len(endpoint.accepted) == 1
    assert sorted(row.status for row in world.partners.deliveries()) == ["delivered", "failed"]
    with pytest.raises(webhooks.PartnerWebhookUnknown):
        webhooks.remove_webhook(world.db, world.partner.id, hook.id, world.now)


def test_a_paused_webhook_keeps_what_comes_and_gets_it_in_its_order(world: World, endpoint: Endpoint) -> None:
    """Resuming once more lets go of what a sender may have kept at that very moment."""
    hook = world.hook(endpoint)
    webhooks.switch_webhook(world.db, world.partner.id, hook.id, True, world.now)
    wanted = [world.submit() for _ in range(3)]
    world.deliver()
    assert {row.status for row in world.partners.deliveries()} == {"paused"}
    webhooks.switch_webhook(world.db, world.partner.id, hook.id, False, world.now)
    wanted.append(world.submit())
    with world.db.write() as session:
        session.execute(
            text("UPDATE deliveries SET status = 'paused' WHERE created_at = (SELECT min(created_at) FROM deliveries)")
        )
    webhooks.switch_webhook(world.db, world.partner.id, hook.id, False, world.now)
    assert world.deliver().delivered == 4
    assert [body["data"]["lead_reference_id"] for _, body in endpoint.accepted] == wanted


def test_a_wrong_signature_is_refused_once_and_not_sent_again(world: World, endpoint: Endpoint) -> None:
    world.hook(endpoint)
    endpoint.secret = "another"
    world.submit()
    assert world.deliver().failed == 1
    assert world.deliver().failed == 0
    assert endpoint.refused == 1


def test_erasing_a_person_leaves_what_counts(world: World, endpoint: Endpoint) -> None:
    world.hook(endpoint)
    sent = world.submit()
    world.deliver()
    waiting = world.submit()
    for reference in (sent, waiting):
        assert referrals.erase(world.db, reference, world.now) == 1
    with world.db.read() as session:
        bodies = [row.body or "" for row in session.scalars(select(Delivery))]
        assert all(row.person_encrypted is None for row in session.scalars(select(Referral)))
    assert not any(word in body for body in bodies for word in ("marta@", "Marta", "Lindqvist"))
    world.deliver()
    assert endpoint.accepted[1][1]["data"]["lead_details"] == {
        "reference_id": waiting, "status": "lead", "application_status": None,
    }  # fmt: skip
    assert referrals.count_by_status(world.db, world.partner.id) == {"click": 0, "lead": 2, "application": 0, "funded": 0}
    assert referrals.get_lead(world.db, world.box, world.partner.id, sent).fields["email"] == ""
    with pytest.raises(referrals.ReferralUnknown):
        referrals.erase(world.db, "20260512-999", world.now)


def test_partners_join_a_database_of_the_version_before(empty_database_url: str) -> None:
    database = AppDatabase(empty_database_url)
    now = datetime(2026, 5, 12, tzinfo=UTC)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.execution_options(is_write=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        statement = text(
            "INSERT INTO organizations (id, slug, name, plan, settings, created_at) VALUES ('o', 'acme', 'Acme', 'pro', '{}', :now)"
        )
        connection.execute(statement, {"now": now.replace(tzinfo=None) if database.is_sqlite else now})
    database.migrate()
    made = accounts.create_partner(database, "acme", "Ada", "ada@p.example", now)
    with database.read() as session:
        assert session.scalars(select(ReferralPartner.organization_id)).all() == ["o"]
    assert made.is_active
    database.close()


def test_a_x_2_what_failed_is_sent_again_when_somebody_asks_with_the_same_id_and_bytes(
    world: World, endpoint: Endpoint
) -> None:
    """A-SC-27: one attempt by itself; a test is never sent again, and what was removed is not sent to."""
    hook = world.hook(endpoint)
    test = webhooks.add_test(world.db, world.partner, hook.id, world.now)
    world.submit()
    secret, endpoint.secret = endpoint.secret, "sc_whsec_of_another"
    assert (world.deliver().delivered, endpoint.refused) == (0, 2)
    endpoint.secret = secret
    span = Wanted(organization_id=world.organization, first=world.now - timedelta(days=1))
    assert [one.decision for one in replay(world.db, span, startcap_profile(), is_dry_run=True).decided].count(
        "second_send"
    ) == 1
    report = replay(world.db, span, startcap_profile())
    assert (report.replayed, report.first_sends, dict(report.refused)) == (1, 0, {"test": 1})
    assert world.deliver().delivered == 1
    ((headers, body),) = endpoint.accepted
    with world.db.read() as session:
        sent = {row.id: row for row in session.scalars(select(Delivery))}
    told = next(row for row in sent.values() if row.id != test)
    assert (headers["webhook-id"], json.dumps(body, sort_keys=True, separators=(",", ":"))) == (told.event_id, told.body)
    assert (told.status, told.attempts, sent[test].status) == ("delivered", 2, "failed")
    webhooks.remove_webhook(world.db, world.partner.id, hook.id, world.now)
    again = Wanted(ids=[told.id], statuses=("failed", "delivered"))
    assert dict(replay(world.db, again, startcap_profile()).refused) == {"disabled": 1}

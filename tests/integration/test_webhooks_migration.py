"""The ledger of a version before this one goes on after an upgrade: what waited is sent, what was done stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from alembic import command
from alembic.config import Config
from sqlalchemy import select, text

from pipeline.store.app_database import MIGRATIONS, AppDatabase
from pipeline.store.tables.deliveries import Delivery, DeliveryAttempt, WebhookEndpoint
from pipeline.webhooks.claims import turn
from pipeline.webhooks.fundingscout import fundingscout_profile
from pipeline.webhooks.replays import Wanted, replay

NOW = datetime(2026, 5, 12, 1, 54, tzinfo=UTC)
ROWS = """
INSERT INTO organizations (id, slug, name, plan, settings, created_at) VALUES ('o', 'acme', 'Acme', 'pro', '{}', :now);
INSERT INTO webhook_endpoints (id, organization_id, profile, url, created_at, updated_at)
VALUES ('e', 'o', 'fundingscout', 'https://hooks.example.com/', :now, :now);
INSERT INTO rounds (id, company_name, company_key, body, first_seen_at, updated_at)
VALUES ('r1', 'Brightloom', 'brightloom', '{}', :now, :now), ('r2', 'Fernhollow', 'fernhollow', '{}', :now, :now);
INSERT INTO matches (id, organization_id, round_id, company_key, match_type, score, explanation, all_matches, origin, created_at)
VALUES ('m1', 'o', 'r1', 'brightloom', 'account_name', 1, '{}', '[]', 'live', :now),
       ('m2', 'o', 'r2', 'fernhollow', 'account_name', 1, '{}', '[]', 'live', :now);
INSERT INTO deliveries (id, dedupe_key, organization_id, profile, event_type, match_id, status, reason, body, attempts, created_at)
VALUES ('d1', 'k1', 'o', 'fundingscout', 'funding_match', 'm1', 'pending', NULL, NULL, 0, :now),
       ('d2', 'k2', 'o', 'fundingscout', 'funding_match', 'm2', 'failed', 'dns', '{"old": 1}', 1, :now);
INSERT INTO delivery_attempts (delivery_id, number, trigger, started_at, finished_at, outcome, error_class, is_mirrored)
VALUES ('d2', 1, 'live', :now, :now, 'failed', 'dns', :mirrored)
"""


def test_rows_of_version_0001_are_sent_and_replayed_after_the_upgrade(empty_database_url: str) -> None:
    database = AppDatabase(empty_database_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.execution_options(is_write=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in ROWS.split(";"):
            names = {name for name in ("now", "mirrored") if f":{name}" in statement}
            values = {"now": NOW.replace(tzinfo=None) if database.is_sqlite else NOW, "mirrored": True}
            connection.execute(text(statement), {name: values[name] for name in names})
    database.migrate()
    with database.read() as session:
        endpoint = session.scalars(select(WebhookEndpoint)).one()
        assert (endpoint.state, endpoint.policy, endpoint.consecutive_failures) == ("active", {}, 0)
        assert {row.id: row.endpoint_id for row in session.scalars(select(Delivery))} == {"d1": "e", "d2": None}
        assert session.scalars(select(DeliveryAttempt)).one().is_request_sent is None
    profile = fundingscout_profile()
    assert [claim.delivery_id for claim in turn(database, [], 9, NOW + timedelta(hours=1), "me", profile).claims] == ["d1"]
    # A name that was not found is known not to have been sent, though that version did not say so.
    assert replay(database, Wanted(ids=["d2"]), profile).first_sends == 1
    (again,) = turn(database, [], 9, NOW + timedelta(hours=1), "me", profile).claims
    assert (again.delivery_id, again.body) == ("d2", b'{"old": 1}')
    database.close()

"""Migrations on a database of the version before them that holds rows; and what the new tables themselves refuse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from pipeline.store.app_database import MIGRATIONS, AppDatabase
from pipeline.store.tables.deliveries import Delivery, WebhookEndpoint
from pipeline.store.tables.organizations import Organization
from pipeline.store.tables.subscriptions import SubscriptionCounter, Team

NOW = datetime(2026, 5, 12, tzinfo=UTC)


def test_rows_of_the_version_before_stay_and_get_the_defaults(empty_database_url: str) -> None:
    database = AppDatabase(empty_database_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.execution_options(is_write=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        for statement in (
            "INSERT INTO organizations (id, slug, name, plan, settings, created_at) VALUES ('o', 'o', 'o', 'pro', '{}', :now)",
            "INSERT INTO webhook_endpoints (id, organization_id, profile, url, created_at, updated_at)"
            " VALUES ('w', 'o', 'fundingscout', 'https://x.example/', :now, :now)",
            "INSERT INTO deliveries"
            " (id, dedupe_key, organization_id, profile, event_type, endpoint_id, status, attempts, created_at)"
            " VALUES ('d', 'd', 'o', 'fundingscout', 'funding_match', 'w', 'delivered', 1, :now)",
        ):
            connection.execute(text(statement), {"now": "2026-05-12 00:00:00"})
    database.migrate()
    with database.read() as session:
        delivery = session.get_one(Delivery, "d")
        assert (delivery.signal_id, delivery.previous_delivery_id, delivery.prior_attempts) == (None, None, 0)
        assert session.get_one(WebhookEndpoint, "w").secret_encrypted is None
        assert session.get_one(SubscriptionCounter, 1).change_number == 0
    database.close()


@pytest.mark.parametrize(("credits", "reserved"), [(-1, 0), (0, 1), (5, 6), (5, -1)])
def test_a_sb_23_the_database_itself_refuses_credits_below_zero(
    make_app_database: Callable[[str], AppDatabase], credits: int, reserved: int
) -> None:
    database = make_app_database("sqlite")
    with database.write() as session:
        session.add(Organization(id="o", slug="o", name="o", plan="pro", settings={}, created_at=NOW))
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(
            Team(
                organization_id="o",
                subscription="active",
                masks_everyone=False,
                credits=credits,
                credits_reserved=reserved,
                created_at=NOW,
                updated_at=NOW,
            )
        )

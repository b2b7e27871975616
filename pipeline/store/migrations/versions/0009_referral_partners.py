"""Referral partners: leads and clicks, stages from snapshots, commissions, payouts, webhooks of a partner."""

from alembic import op
import sqlalchemy as sa
import pipeline.store.types

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "active_funding_types",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "status_snapshots",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("applied_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("day"),
    )
    op.create_index(op.f("ix_status_snapshots_status"), "status_snapshots", ["status"], unique=False)
    op.create_table(
        "referral_partners",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("handling", sa.String(length=16), nullable=True),
        sa.Column("allows_name_marks", sa.Boolean(), nullable=False),
        sa.Column("allows_territories", sa.Boolean(), nullable=False),
        sa.Column("upline_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("click_code", sa.String(length=32), nullable=False),
        sa.Column("landing_url", sa.Text(), nullable=True),
        sa.Column("created_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
        ),
        sa.ForeignKeyConstraint(
            ["upline_id"],
            ["referral_partners.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("click_code"),
        sa.UniqueConstraint("organization_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_referral_partners_upline_id"), "referral_partners", ["upline_id"], unique=False)
    op.create_table(
        "commission_rates",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("percentage_hundredths", sa.Integer(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.CheckConstraint("level BETWEEN 1 AND 3", name="ck_commission_rates_level"),
        sa.CheckConstraint("percentage_hundredths BETWEEN 0 AND 10000", name="ck_commission_rates_percentage"),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["referral_partners.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("partner_id", "level", name="uq_commission_rates_level"),
    )
    op.create_table(
        "key_hours",
        sa.Column("key_id", sa.String(length=36), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["key_id"],
            ["face_keys.id"],
        ),
        sa.PrimaryKeyConstraint("key_id"),
    )
    op.create_table(
        "payouts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("processed_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name="ck_payouts_amount"),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["referral_partners.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_payouts_partner_id"), "payouts", ["partner_id"], unique=False)
    op.create_table(
        "referrals",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("referral_type", sa.String(length=16), nullable=False),
        sa.Column("person_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("funding_type", sa.String(length=100), nullable=True),
        sa.Column("utm", sa.JSON(), nullable=False),
        sa.Column("click_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("visitor_hash", sa.String(length=64), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("application_status", sa.String(length=32), nullable=True),
        sa.Column("funded_cents", sa.BigInteger(), nullable=True),
        sa.Column("quotes", sa.JSON(), nullable=False),
        sa.Column("commissioned_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("erased_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["click_id"],
            ["referrals.id"],
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["referral_partners.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_referrals_partner", "referrals", ["partner_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_referrals_visitor",
        "referrals",
        ["partner_id", "visitor_hash", "created_at"],
        unique=False,
        sqlite_where=sa.text("visitor_hash IS NOT NULL"),
        postgresql_where=sa.text("visitor_hash IS NOT NULL"),
    )
    op.create_index(
        "uq_referrals_idempotency",
        "referrals",
        ["partner_id", "idempotency_key"],
        unique=True,
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_table(
        "commissions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("referral_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("percentage_hundredths", sa.Integer(), nullable=False),
        sa.Column("base_cents", sa.BigInteger(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("payout_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("earned_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents >= 0", name="ck_commissions_amount"),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["referral_partners.id"],
        ),
        sa.ForeignKeyConstraint(
            ["payout_id"],
            ["payouts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["referral_id"],
            ["referrals.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("referral_id", "level", name="uq_commissions_level"),
    )
    op.create_index(op.f("ix_commissions_partner_id"), "commissions", ["partner_id"], unique=False)
    op.create_index("ix_commissions_payout", "commissions", ["payout_id"], unique=False)
    op.create_index(
        "ix_commissions_pending",
        "commissions",
        ["partner_id", "id"],
        unique=False,
        sqlite_where=sa.text("payout_id IS NULL"),
        postgresql_where=sa.text("payout_id IS NULL"),
    )
    op.create_table(
        "partner_events",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("referral_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("event_type", sa.String(length=32), nullable=False),
        sa.Column("created_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["referral_partners.id"],
        ),
        sa.ForeignKeyConstraint(
            ["referral_id"],
            ["referrals.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dedupe_key"),
    )
    op.create_index(op.f("ix_partner_events_referral_id"), "partner_events", ["referral_id"], unique=False)
    op.create_table(
        "partner_webhooks",
        sa.Column("endpoint_id", sa.String(length=36), nullable=False),
        sa.Column("partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_types", sa.JSON(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.id"],
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["referral_partners.id"],
        ),
        sa.PrimaryKeyConstraint("endpoint_id"),
    )
    op.create_index(op.f("ix_partner_webhooks_partner_id"), "partner_webhooks", ["partner_id"], unique=False)
    op.create_table(
        "referral_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("referral_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("old_status", sa.String(length=16), nullable=True),
        sa.Column("new_status", sa.String(length=16), nullable=False),
        sa.Column("old_application_status", sa.String(length=32), nullable=True),
        sa.Column("new_application_status", sa.String(length=32), nullable=True),
        sa.Column("snapshot_day", sa.String(length=10), nullable=True),
        sa.Column("is_flagged", sa.Boolean(), nullable=False),
        sa.Column("changed_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["referral_id"],
            ["referrals.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("referral_id", "number", name="uq_referral_changes_number"),
    )


def downgrade() -> None:
    op.drop_table("referral_changes")
    op.drop_index(op.f("ix_partner_webhooks_partner_id"), table_name="partner_webhooks")
    op.drop_table("partner_webhooks")
    op.drop_index(op.f("ix_partner_events_referral_id"), table_name="partner_events")
    op.drop_table("partner_events")
    op.drop_index(
        "ix_commissions_pending",
        table_name="commissions",
        sqlite_where=sa.text("payout_id IS NULL"),
        postgresql_where=sa.text("payout_id IS NULL"),
    )
    op.drop_index("ix_commissions_payout", table_name="commissions")
    op.drop_index(op.f("ix_commissions_partner_id"), table_name="commissions")
    op.drop_table("commissions")
    op.drop_index(
        "uq_referrals_idempotency",
        table_name="referrals",
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.drop_index(
        "ix_referrals_visitor",
        table_name="referrals",
        sqlite_where=sa.text("visitor_hash IS NOT NULL"),
        postgresql_where=sa.text("visitor_hash IS NOT NULL"),
    )
    op.drop_index("ix_referrals_partner", table_name="referrals")
    op.drop_table("referrals")
    op.drop_index(op.f("ix_payouts_partner_id"), table_name="payouts")
    op.drop_table("payouts")
    op.drop_table("key_hours")
    op.drop_table("commission_rates")
    op.drop_index(op.f("ix_referral_partners_upline_id"), table_name="referral_partners")
    op.drop_table("referral_partners")
    op.drop_index(op.f("ix_status_snapshots_status"), table_name="status_snapshots")
    op.drop_table("status_snapshots")
    op.drop_table("active_funding_types")

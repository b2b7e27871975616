"""Monitors: watch lists of teams, with what they watch, and companies by name for it; subscriptions as a new process reads them."""

from alembic import op
import sqlalchemy as sa
import pipeline.store.types

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "monitors",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("signal_types", sa.JSON(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("endpoint_id", sa.String(length=36), nullable=True),
        sa.Column("created_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoints.id"]),
        sa.ForeignKeyConstraint(["organization_id"], ["teams.organization_id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_monitors_team", "monitors", ["organization_id", "created_at", "id"], unique=False)
    op.create_table(
        "monitor_targets",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("monitor_id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("domain_key", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("name_key", sa.Text(), nullable=True),
        sa.Column("company_id", sa.String(length=36), nullable=True),
        sa.Column("company", sa.JSON(), nullable=True),
        sa.Column("resolved_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["monitor_id"], ["monitors.id"]),
        sa.ForeignKeyConstraint(["organization_id"], ["teams.organization_id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("monitor_id", "value"),
    )
    op.create_index("ix_monitor_targets_newest", "monitor_targets", ["monitor_id", "created_at", "id"], unique=False)
    op.create_index("ix_monitor_targets_team", "monitor_targets", ["organization_id"], unique=False)
    op.create_index("ix_monitor_targets_domain", "monitor_targets", ["domain_key"], unique=False)
    op.create_index("ix_monitor_targets_name", "monitor_targets", ["name_key"], unique=False)
    op.create_index("ix_monitor_targets_value", "monitor_targets", ["value"], unique=False)
    op.add_column("companies", sa.Column("name_key", sa.Text(), nullable=True))
    op.create_index("ix_companies_name", "companies", ["name_key"], unique=False)
    op.create_table(
        "subscription_snapshots",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("change_number", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("subscription_snapshots")
    op.drop_index("ix_companies_name", table_name="companies")
    op.drop_column("companies", "name_key")
    op.drop_table("monitor_targets")
    op.drop_table("monitors")

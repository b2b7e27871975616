"""Teams that subscribe to signals: keys, credits, webhooks with filters, published signals; deliveries asked for again."""

from alembic import op
import sqlalchemy as sa
import pipeline.store.types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signals",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("event_type", sa.String(length=32), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("logical_key", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("fan_out", sa.String(length=8), nullable=False),
        sa.Column("occurred_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("discovered_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=True),
        sa.Column("company_name", sa.Text(), nullable=True),
        sa.Column("industry", sa.Text(), nullable=True),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("employee_count", sa.Integer(), nullable=True),
        sa.Column("round_type", sa.Text(), nullable=True),
        sa.Column("round_flavor", sa.Text(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("confidence", sa.Float(precision=53), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_signals_company_id", "signals", ["company_id"], unique=False)
    op.create_index("ix_signals_newest", "signals", ["event_type", "occurred_at", "id"], unique=False)
    op.create_index("ix_signals_same", "signals", ["event_type", "logical_key", "occurred_at"], unique=False)
    op.create_index(
        "ix_signals_waiting",
        "signals",
        ["discovered_at", "id"],
        unique=False,
        sqlite_where=sa.text("fan_out = 'waiting'"),
        postgresql_where=sa.text("fan_out = 'waiting'"),
    )
    op.create_table(
        "subscription_counter",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("change_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "call_windows",
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("operation", sa.String(length=48), nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
        ),
        sa.PrimaryKeyConstraint("organization_id", "operation"),
    )
    op.create_table(
        "face_keys",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("face", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("token_prefix", sa.String(length=12), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_sha256"),
    )
    op.create_index("ix_face_keys_organization_id", "face_keys", ["organization_id"], unique=False)
    op.create_table(
        "signal_documents",
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("signal_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["signal_id"],
            ["signals.id"],
        ),
        sa.PrimaryKeyConstraint("document_id"),
    )
    op.create_index("ix_signal_documents_signal_id", "signal_documents", ["signal_id"], unique=False)
    op.create_table(
        "teams",
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("subscription", sa.String(length=16), nullable=False),
        sa.Column("calls_per_minute", sa.Integer(), nullable=True),
        sa.Column("masks_everyone", sa.Boolean(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("credits_reserved", sa.BigInteger(), nullable=False),
        sa.Column("created_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("credits_reserved >= 0 AND credits_reserved <= credits", name="ck_teams_credits"),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
        ),
        sa.PrimaryKeyConstraint("organization_id"),
    )
    op.create_table(
        "credit_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("delivery_id", sa.String(length=36), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["teams.organization_id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("delivery_id"),
    )
    op.create_index("ix_credit_entries_team", "credit_entries", ["organization_id", "id"], unique=False)
    op.create_table(
        "credit_holds",
        sa.Column("delivery_id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("endpoint_id", sa.String(length=36), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("created_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["teams.organization_id"],
        ),
        sa.PrimaryKeyConstraint("delivery_id"),
    )
    op.create_table(
        "webhook_subscriptions",
        sa.Column("endpoint_id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("event_types", sa.JSON(), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("compiled", sa.JSON(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("secret_tail", sa.String(length=4), nullable=False),
        sa.Column("last_modified_by", sa.Text(), nullable=True),
        sa.Column("last_modified_via", sa.String(length=16), nullable=True),
        sa.Column("created_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("change_number", sa.BigInteger(), nullable=False),
        sa.Column("successful_deliveries", sa.Integer(), nullable=False),
        sa.Column("failed_deliveries", sa.Integer(), nullable=False),
        sa.Column("last_success_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_failure_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.id"],
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["teams.organization_id"],
        ),
        sa.PrimaryKeyConstraint("endpoint_id"),
    )
    op.create_index("ix_webhook_subscriptions_changes", "webhook_subscriptions", ["change_number"], unique=False)
    op.create_index(
        "ix_webhook_subscriptions_team", "webhook_subscriptions", ["organization_id", "created_at", "endpoint_id"], unique=False
    )
    op.add_column("deliveries", sa.Column("signal_id", sa.String(length=36), nullable=True))
    op.add_column("deliveries", sa.Column("previous_delivery_id", sa.String(length=36), nullable=True))
    op.add_column("deliveries", sa.Column("prior_attempts", sa.Integer(), server_default="0", nullable=False))
    op.create_index(
        "ix_deliveries_of_event",
        "deliveries",
        ["endpoint_id", "event_id"],
        unique=False,
        sqlite_where=sa.text("profile = 'signalbase'"),
        postgresql_where=sa.text("profile = 'signalbase'"),
    )
    op.create_index(
        "ix_deliveries_of_webhook",
        "deliveries",
        ["endpoint_id", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("profile = 'signalbase'"),
        postgresql_where=sa.text("profile = 'signalbase'"),
    )
    op.add_column("webhook_endpoints", sa.Column("secret_encrypted", sa.LargeBinary(), nullable=True))
    counter = sa.table("subscription_counter", sa.column("id", sa.Integer), sa.column("change_number", sa.BigInteger))
    op.bulk_insert(counter, [{"id": 1, "change_number": 0}])


def downgrade() -> None:
    op.drop_column("webhook_endpoints", "secret_encrypted")
    op.drop_index(
        "ix_deliveries_of_webhook",
        table_name="deliveries",
        sqlite_where=sa.text("profile = 'signalbase'"),
        postgresql_where=sa.text("profile = 'signalbase'"),
    )
    op.drop_index(
        "ix_deliveries_of_event",
        table_name="deliveries",
        sqlite_where=sa.text("profile = 'signalbase'"),
        postgresql_where=sa.text("profile = 'signalbase'"),
    )
    op.drop_column("deliveries", "prior_attempts")
    op.drop_column("deliveries", "previous_delivery_id")
    op.drop_column("deliveries", "signal_id")
    op.drop_index("ix_webhook_subscriptions_team", table_name="webhook_subscriptions")
    op.drop_index("ix_webhook_subscriptions_changes", table_name="webhook_subscriptions")
    op.drop_table("webhook_subscriptions")
    op.drop_table("credit_holds")
    op.drop_index("ix_credit_entries_team", table_name="credit_entries")
    op.drop_table("credit_entries")
    op.drop_table("teams")
    op.drop_index("ix_signal_documents_signal_id", table_name="signal_documents")
    op.drop_table("signal_documents")
    op.drop_index("ix_face_keys_organization_id", table_name="face_keys")
    op.drop_table("face_keys")
    op.drop_table("call_windows")
    op.drop_table("subscription_counter")
    op.drop_index(
        "ix_signals_waiting",
        table_name="signals",
        sqlite_where=sa.text("fan_out = 'waiting'"),
        postgresql_where=sa.text("fan_out = 'waiting'"),
    )
    op.drop_index("ix_signals_same", table_name="signals")
    op.drop_index("ix_signals_newest", table_name="signals")
    op.drop_index("ix_signals_company_id", table_name="signals")
    op.drop_table("signals")

"""Deliveries beyond the strict promise: policies and states of endpoints, scheduled attempts, the phases of an attempt."""

from alembic import op
import sqlalchemy as sa
import pipeline.store.types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = pipeline.store.types.UtcDateTime(timezone=True)
ATTEMPT_COLUMNS = ("resolve_ms", "connect_ms", "tls_ms", "first_byte_ms", "is_reused_connection", "is_request_sent")
DELIVERY_COLUMNS = ("event_id", "next_attempt_at", "next_trigger")
ENDPOINT_COLUMNS = (
    "state", "disabled_reason", "state_changed_at", "policy", "headers_encrypted", "consecutive_failures", "failing_since",
    "paced_until",
)  # fmt: skip
PENDING = sa.text("status = 'pending'")
SCHEDULED = sa.text("status = 'scheduled'")
OPEN = sa.text("status = 'open'")


def upgrade() -> None:
    for name in ATTEMPT_COLUMNS[:4]:
        op.add_column("delivery_attempts", sa.Column(name, sa.Float(precision=53), nullable=True))
    for name in ATTEMPT_COLUMNS[4:]:
        op.add_column("delivery_attempts", sa.Column(name, sa.Boolean(), nullable=True))

    op.add_column("deliveries", sa.Column("event_id", sa.String(length=64), nullable=True))
    op.add_column("deliveries", sa.Column("next_attempt_at", INSTANT, nullable=True))
    op.add_column("deliveries", sa.Column("next_trigger", sa.String(length=16), nullable=True))
    # What waits knows its endpoint from now on; what is over keeps what it had.
    op.execute(
        """
        UPDATE deliveries SET endpoint_id = (
            SELECT endpoint.id FROM webhook_endpoints AS endpoint
            WHERE endpoint.organization_id = deliveries.organization_id AND endpoint.profile = deliveries.profile
        )
        WHERE status IN ('pending', 'sending') AND status = 'pending' AND endpoint_id IS NULL
        """
    )
    op.create_index(
        "ix_deliveries_lanes",
        "deliveries",
        ["profile", "endpoint_id", "created_at", "id"],
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )
    op.create_index(
        "ix_deliveries_scheduled",
        "deliveries",
        ["next_attempt_at", "id"],
        sqlite_where=SCHEDULED,
        postgresql_where=SCHEDULED,
    )

    op.add_column("webhook_endpoints", sa.Column("state", sa.String(length=16), server_default="active", nullable=False))
    op.add_column("webhook_endpoints", sa.Column("disabled_reason", sa.Text(), nullable=True))
    op.add_column("webhook_endpoints", sa.Column("state_changed_at", INSTANT, nullable=True))
    op.add_column("webhook_endpoints", sa.Column("policy", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("webhook_endpoints", sa.Column("headers_encrypted", sa.LargeBinary(), nullable=True))
    op.add_column("webhook_endpoints", sa.Column("consecutive_failures", sa.Integer(), server_default="0", nullable=False))
    op.add_column("webhook_endpoints", sa.Column("failing_since", INSTANT, nullable=True))
    op.add_column("webhook_endpoints", sa.Column("paced_until", INSTANT, nullable=True))

    op.create_table(
        "operator_notices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=True),
        sa.Column("endpoint_id", sa.String(length=36), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", INSTANT, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_operator_notices_open", "operator_notices", ["id"], sqlite_where=OPEN, postgresql_where=OPEN)


def downgrade() -> None:
    op.drop_table("operator_notices")
    with op.batch_alter_table("webhook_endpoints") as batch_op:
        for name in ENDPOINT_COLUMNS:
            batch_op.drop_column(name)
    op.drop_index("ix_deliveries_scheduled", "deliveries")
    op.drop_index("ix_deliveries_lanes", "deliveries")
    with op.batch_alter_table("deliveries") as batch_op:
        for name in DELIVERY_COLUMNS:
            batch_op.drop_column(name)
    with op.batch_alter_table("delivery_attempts") as batch_op:
        for name in ATTEMPT_COLUMNS:
            batch_op.drop_column(name)

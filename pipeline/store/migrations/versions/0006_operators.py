"""Tokens for the operators' API."""

from alembic import op
import sqlalchemy as sa
import pipeline.store.types

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INSTANT = pipeline.store.types.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "operator_tokens",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_prefix", sa.String(length=12), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_sha256"),
    )


def downgrade() -> None:
    op.drop_table("operator_tokens")

"""Rounds that were taken back or found to be part of another stay known, and say so."""

from alembic import op
import sqlalchemy as sa

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rounds", sa.Column("status", sa.String(length=16), server_default="active", nullable=False))
    op.add_column("rounds", sa.Column("merged_into", sa.String(length=36), nullable=True))
    op.create_index("ix_rounds_merged_into", "rounds", ["merged_into"])


def downgrade() -> None:
    op.drop_index("ix_rounds_merged_into", "rounds")
    with op.batch_alter_table("rounds") as batch_op:
        batch_op.drop_column("merged_into")
        batch_op.drop_column("status")

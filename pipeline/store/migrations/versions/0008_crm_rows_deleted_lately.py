"""Which CRM rows were deleted lately, so that a match found before is not recorded after it."""

from alembic import op
import sqlalchemy as sa
import pipeline.store.types

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "crm_deletions",
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("deleted_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "kind", "external_id"),
    )
    op.create_index("ix_crm_deletions_deleted_at", "crm_deletions", ["deleted_at"])


def downgrade() -> None:
    op.drop_table("crm_deletions")

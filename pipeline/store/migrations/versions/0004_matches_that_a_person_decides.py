"""Matches that a person decides: the review queue of name matches between two thresholds."""

from alembic import op
import sqlalchemy as sa
import pipeline.store.types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "match_reviews",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("round_id", sa.String(length=36), nullable=False),
        sa.Column("crm_value", sa.Text(), nullable=False),
        sa.Column("round_value", sa.Text(), nullable=False),
        sa.Column("account_external_id", sa.Text(), nullable=True),
        sa.Column("score", sa.Float(precision=53), nullable=False),
        sa.Column("explanation", sa.JSON(), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("match_id", sa.String(length=36), nullable=True),
        sa.Column("created_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", pipeline.store.types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("is_mirrored", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for name, columns, where in _INDEXES:
        op.create_index(
            name,
            "match_reviews",
            columns,
            sqlite_where=sa.text(where[0]) if where else None,
            postgresql_where=sa.text(where[1]) if where else None,
        )


def downgrade() -> None:
    for name, _, _ in _INDEXES:
        op.drop_index(name, table_name="match_reviews")
    op.drop_table("match_reviews")


_WAITING = ("status = 'waiting'", "status = 'waiting'")
_UNMIRRORED = ("is_mirrored = 0", "NOT is_mirrored")
_INDEXES = [
    ("ix_match_reviews_waiting", ["created_at", "id"], _WAITING),
    ("ix_match_reviews_round", ["organization_id", "round_id"], None),
    ("ix_match_reviews_account", ["organization_id", "account_external_id"], None),
    ("ix_match_reviews_unmirrored", ["id"], _UNMIRRORED),
]

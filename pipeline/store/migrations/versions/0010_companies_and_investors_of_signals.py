"""Companies and investors as the published signals state them, which the next publication fills in (subscriptions.profiles); and
an index that counts active signals by itself."""

from alembic import op
import sqlalchemy as sa
from pipeline.store.types import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "companies",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=True),
        sa.Column("subcategory", sa.Text(), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("employee_count", sa.Integer(), nullable=True),
        sa.Column("founded_year", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("searched", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_companies_newest", "companies", ["created_at", "id"], unique=False)
    op.create_table(
        "investors",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_investors_newest", "investors", ["created_at", "id"], unique=False)
    op.create_table(
        "signal_investors",
        sa.Column("investor_id", sa.String(length=36), nullable=False),
        sa.Column("signal_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=True),
        sa.Column("discovered_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["investor_id"], ["investors.id"]),
        sa.ForeignKeyConstraint(["signal_id"], ["signals.id"]),
        sa.PrimaryKeyConstraint("investor_id", "signal_id"),
    )
    op.create_index("ix_signal_investors_signal_id", "signal_investors", ["signal_id"], unique=False)
    op.drop_index("ix_signals_newest", "signals")
    op.create_index("ix_signals_newest", "signals", ["event_type", "occurred_at", "id", "is_active"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_signals_newest", "signals")
    op.create_index("ix_signals_newest", "signals", ["event_type", "occurred_at", "id"], unique=False)
    op.drop_table("signal_investors")
    op.drop_table("investors")
    op.drop_table("companies")

"""Two indexes of deliveries that a delivery on its way need not touch: its feed's holds none that is being sent, the newest's no status."""

from alembic import op
import sqlalchemy as sa

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

FEED = ["organization_id", "profile", "status", "created_at", "match_id"]
AT_REST = sa.text("status <> 'sending'")


def upgrade() -> None:
    op.drop_index("ix_deliveries_feed", "deliveries")
    op.drop_index("ix_deliveries_newest", "deliveries")
    op.create_index("ix_deliveries_feed", "deliveries", FEED, sqlite_where=AT_REST, postgresql_where=AT_REST)
    op.create_index("ix_deliveries_newest", "deliveries", ["created_at"])


def downgrade() -> None:
    op.drop_index("ix_deliveries_newest", "deliveries")
    op.drop_index("ix_deliveries_feed", "deliveries")
    op.create_index("ix_deliveries_newest", "deliveries", ["created_at", "status"])
    op.create_index("ix_deliveries_feed", "deliveries", FEED)

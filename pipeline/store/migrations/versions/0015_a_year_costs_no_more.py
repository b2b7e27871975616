"""What is asked of rows that gather over years is found by an index: the lead that came of a click, which each deletion of an old
click asks for, and an investor's last and first round, which each of its rounds asks for."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    came_of_a_click, typed = sa.text("click_id IS NOT NULL"), sa.text("type IS NOT NULL")
    op.create_index(
        "ix_referrals_click", "referrals", ["click_id"], sqlite_where=came_of_a_click, postgresql_where=came_of_a_click
    )
    op.create_index("ix_signal_investors_newest", "signal_investors", ["investor_id", "discovered_at"])
    op.create_index(
        "ix_signal_investors_typed",
        "signal_investors",
        ["investor_id", "discovered_at"],
        sqlite_where=typed,
        postgresql_where=typed,
    )


def downgrade() -> None:
    op.drop_index("ix_signal_investors_typed", "signal_investors")
    op.drop_index("ix_signal_investors_newest", "signal_investors")
    op.drop_index("ix_referrals_click", "referrals")

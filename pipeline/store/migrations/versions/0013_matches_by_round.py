"""Matches are found by their round: retention deletes old rounds, and each deletion
asks whether a match, or a reveal of its contact, still points to it."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_matches_round", "matches", ["round_id"])
    op.create_index("ix_contact_reveals_round", "contact_reveals", ["round_id"])


def downgrade() -> None:
    op.drop_index("ix_contact_reveals_round", "contact_reveals")
    op.drop_index("ix_matches_round", "matches")

"""Commission rates stay, each in force from a moment on. Those that are there count from when their partner was made."""

from alembic import op
import sqlalchemy as sa
import pipeline.store.types

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

INSTANT = pipeline.store.types.UtcDateTime(timezone=True)
UNIQUE = "uq_commission_rates_level"


def upgrade() -> None:
    op.add_column("commission_rates", sa.Column("valid_from", INSTANT, nullable=True))
    op.execute(
        "UPDATE commission_rates SET valid_from ="
        " (SELECT created_at FROM referral_partners WHERE referral_partners.id = commission_rates.partner_id)"
    )
    with op.batch_alter_table("commission_rates") as table:
        table.alter_column("valid_from", nullable=False)
        table.drop_constraint(UNIQUE, type_="unique")
        table.create_unique_constraint(UNIQUE, ["partner_id", "level", "valid_from"])


def downgrade() -> None:
    op.execute(
        "DELETE FROM commission_rates WHERE EXISTS (SELECT 1 FROM commission_rates AS newer"
        " WHERE newer.partner_id = commission_rates.partner_id AND newer.level = commission_rates.level"
        " AND newer.valid_from > commission_rates.valid_from)"
    )
    with op.batch_alter_table("commission_rates") as table:
        table.drop_constraint(UNIQUE, type_="unique")
        table.create_unique_constraint(UNIQUE, ["partner_id", "level"])
        table.drop_column("valid_from")
